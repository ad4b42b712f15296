/* SPDX-License-Identifier: MIT */
#include "auth/password.h"

#include "auth/equal.h"
#include "base/encode.h"
#include "base/num.h"

/*
 * Bounds of what a stored hash may ask for. Memory is 128 * r * (N + p) bytes, work is N * r * p. scrypt also feeds
 * 128 * r * p bytes through PBKDF2, once to fill them and once for each 32 bytes of hash: bounds on r, p and the
 * hash keep that below a tenth of the rest.
 */
#define MAX_BLOCKS (UINT64_C(64) * 1024 * 1024 / 128)
#define MAX_WORK (UINT64_C(16) * 16384 * 8)
enum { MAX_R = 64, MAX_P = 64, MIN_HASH_BYTES = 16, MAX_HASH_BYTES = 128, MAX_SALT_BYTES = 128 };
/* What base64 reserves beyond what it decodes. */
enum { DECODE_SLACK = 2 };

typedef struct parsed {
    cov_scrypt_cost cost;
    cov_str salt; /* base64 */
    cov_str hash;
} parsed;

bool cov_password_cost_ok(cov_scrypt_cost cost)
{
    if (cost.n < 2 || (cost.n & (cost.n - 1)) != 0 || cost.r < 1 || cost.p < 1)
        return false;
    if (cost.n > MAX_BLOCKS || cost.r > MAX_R || cost.p > MAX_P)
        return false;
    return cost.n * cost.r <= MAX_BLOCKS && cost.n * cost.r * cost.p <= MAX_WORK;
}

/* Decimal digits only, above zero. */
static bool parse_count(cov_str text, uint64_t *out)
{
    int64_t value;

    if (text.len == 0 || text.ptr[0] < '0' || text.ptr[0] > '9' || !cov_parse_i64(text, &value) ||
        value <= 0)
        return false;
    *out = (uint64_t)value;
    return true;
}

/* "N=16384,r=8,p=1" in any order, each exactly once. */
static bool parse_cost(cov_str text, cov_scrypt_cost *out)
{
    static const char names[] = "Nrp";
    uint64_t counts[3] = { 0, 0, 0 };
    cov_str part;

    while (cov_str_split(&text, ',', &part)) {
        const char *name = part.len > 2 && part.ptr[0] != '\0' ? strchr(names, part.ptr[0]) : NULL;

        if (name == NULL || part.ptr[1] != '=' || counts[name - names] != 0 ||
            !parse_count(cov_str_slice(part, 2, part.len), &counts[name - names]))
            return false;
    }
    if (counts[0] == 0 || counts[1] == 0 || counts[1] > MAX_R || counts[2] == 0 ||
        counts[2] > MAX_P)
        return false;
    out->n = counts[0];
    out->r = (uint32_t)counts[1];
    out->p = (uint32_t)counts[2];
    return true;
}

static bool parse_stored(cov_str stored, parsed *out)
{
    cov_str scheme;
    cov_str cost;

    return cov_str_split(&stored, '$', &scheme) && cov_str_eq(scheme, COV_STR("scrypt")) &&
           cov_str_split(&stored, '$', &cost) && cov_str_split(&stored, '$', &out->salt) &&
           cov_str_split(&stored, '$', &out->hash) && stored.ptr == NULL && out->salt.len != 0 &&
           out->hash.len != 0 && parse_cost(cost, &out->cost) && cov_password_cost_ok(out->cost);
}

/* Into an array of `cap` bytes: the buffer has it as storage, and its limit keeps it from growing. */
static bool decode_base64(cov_str text, char *to, size_t cap, cov_str *out)
{
    cov_buf buf = { to, 0, cap, cap, NULL, false };

    if (!cov_base64_decode(&buf, text) || buf.len == 0)
        return false;
    *out = cov_buf_view(&buf);
    return true;
}

static bool derive(const cov_host *host, cov_str password, cov_str salt, cov_scrypt_cost cost,
                   uint8_t *out, size_t len)
{
    return cov_password_cost_ok(cost) &&
           host->scrypt(host->self, password, salt, cost, out, len) == COV_OK;
}

bool cov_password_verify(const cov_host *host, cov_str password, cov_str stored)
{
    char salt_bytes[MAX_SALT_BYTES + DECODE_SLACK];
    char hash_bytes[MAX_HASH_BYTES + DECODE_SLACK];
    uint8_t derived[MAX_HASH_BYTES];
    parsed p;
    cov_str salt;
    cov_str hash;

    if (!parse_stored(stored, &p) || !decode_base64(p.salt, salt_bytes, sizeof salt_bytes, &salt) ||
        !decode_base64(p.hash, hash_bytes, sizeof hash_bytes, &hash) || hash.len < MIN_HASH_BYTES ||
        hash.len > MAX_HASH_BYTES)
        return false;
    return derive(host, password, salt, p.cost, derived, hash.len) &&
           cov_secret_eq(cov_str_of((const char *)derived, hash.len), hash);
}

void cov_password_verify_nobody(const cov_host *host, cov_str password, cov_scrypt_cost cost)
{
    static const char salt[COV_PASSWORD_SALT_BYTES];
    uint8_t derived[COV_PASSWORD_HASH_BYTES];

    (void)derive(host, password, cov_str_of(salt, sizeof salt), cost, derived, sizeof derived);
}

bool cov_password_needs_rehash(cov_str stored, cov_scrypt_cost target)
{
    parsed p;

    return !parse_stored(stored, &p) || p.cost.n < target.n || p.cost.r < target.r ||
           p.cost.p < target.p;
}

cov_status cov_password_hash(const cov_host *host, cov_arena *arena, cov_str password,
                             cov_scrypt_cost cost, cov_str *out, cov_error *err)
{
    uint8_t salt[COV_PASSWORD_SALT_BYTES];
    uint8_t hash[COV_PASSWORD_HASH_BYTES];
    cov_str salt_view = cov_str_of((const char *)salt, sizeof salt);
    cov_buf text = COV_BUF_IN(arena);

    if (host->random(host->self, salt, sizeof salt) != COV_OK)
        return cov_fail(err, COV_EINTERNAL, "no random bytes for a password's salt");
    if (!derive(host, password, salt_view, cost, hash, sizeof hash))
        return cov_fail(err, COV_EINTERNAL, "scrypt failed with N=%llu, r=%lu, p=%lu",
                        (unsigned long long)cost.n, (unsigned long)cost.r, (unsigned long)cost.p);
    cov_buf_printf(&text, "scrypt$N=%llu,r=%lu,p=%lu$", (unsigned long long)cost.n,
                   (unsigned long)cost.r, (unsigned long)cost.p);
    cov_base64(&text, salt_view);
    cov_buf_char(&text, '$');
    cov_base64(&text, cov_str_of((const char *)hash, sizeof hash));
    if (text.failed)
        return cov_fail_nomem(err);
    *out = cov_buf_view(&text);
    return COV_OK;
}
