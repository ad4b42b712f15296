/* SPDX-License-Identifier: MIT */
/*
 * Proof of work (spec/07 sections 5.5 and 5.6): a challenge that carries its own state, signed, and its check.
 *
 * DESIGN: nothing is stored for a challenge, only for a solution, so asking costs this server no memory. The challenge is
 * bound to method, target and body of one request by a fingerprint. Nothing in it is looked at before its signature
 * was found good; the reasons for which a solution is refused are not told apart.
 *
 * The reference fingerprints what a URL parser makes of the target. Here it is the target as sent: what a URL parser
 * has been through, which every fetch is, comes out the same.
 */
#include "guard/internal.h"

#include "base/encode.h"
#include "base/json.h"
#include "base/utf8.h"

enum { ID_BYTES = 16, SECRET_BYTES = 32 };

typedef struct challenge {
    double bits;
    double expires_at_ms;
    cov_str fingerprint;
    cov_str id;
} challenge;

/* ---- secret ---- */

static cov_status random_hex(const cov_host *host, size_t n_bytes, cov_buf *out, cov_error *err)
{
    uint8_t bytes[SECRET_BYTES];

    if (host->random(host->self, bytes, n_bytes) != COV_OK)
        return cov_fail(err, COV_EINTERNAL, "no random bytes");
    cov_hex(out, bytes, n_bytes);
    return out->failed ? cov_fail_nomem(err) : COV_OK;
}

cov_status cov__pow_secret(const cov_host *host, const cov_guard_config *config, bool used,
                           cov_arena *arena, cov_str *secret, cov_error *err)
{
    bool budget = config->abuse.set && config->abuse.budget.enabled;
    cov_buf text = COV_BUF_IN(arena);
    cov_status st;

    *secret = config->abuse.pow.secret;
    if (secret->len != 0)
        return COV_OK;
    if (host->env(host->self, COV_STR("COVARA_POW_SECRET"), secret) && secret->len != 0)
        return COV_OK;
    if ((st = random_hex(host, SECRET_BYTES, &text, err)) != COV_OK)
        return st;
    *secret = cov_buf_view(&text);
    if (config->abuse.pow.enabled && (used || budget))
        host->log(host->self, COV_LOG_WARN,
                  COV_STR("The proof-of-work secret is a random one: challenges fail across "
                          "processes and restarts. Set abuseProtection.pow.secret or "
                          "COVARA_POW_SECRET."),
                  COV_STR(""));
    return COV_OK;
}

/* ---- fingerprint ---- */

static bool has_body(cov_method method)
{
    return method == COV_POST || method == COV_PUT || method == COV_PATCH || method == COV_DELETE;
}

/* As a decoder reads it: without byte order mark, invalid bytes replaced. */
static cov_str body_text(const cov_guarded *g)
{
    cov_str body = g->req->body;

    if (!has_body(g->req->method) || !g->guard->config->abuse.pow.bind_body)
        return COV_STR("");
    if (cov_str_starts(body, COV_STR("\xEF\xBB\xBF")))
        body = cov_str_slice(body, 3, body.len);
    return body.len != 0 ? cov_utf8_repair(g->arena, body) : COV_STR("");
}

static cov_status fingerprint(const cov_guarded *g, cov_buf *out, cov_error *err)
{
    cov_buf text = COV_BUF_IN(g->arena);
    cov_str body = body_text(g);
    cov_status st;

    if (body.ptr == NULL)
        return cov_fail_nomem(err);
    cov_buf_str(&text, g->req->method_name);
    cov_buf_char(&text, '\n');
    cov_buf_str(&text, g->req->path);
    if (g->req->query.len != 0) {
        cov_buf_char(&text, '?');
        cov_buf_str(&text, g->req->query);
    }
    cov_buf_char(&text, '\n');
    st = cov__guard_sha256(g->guard, body, &text, err);
    return st == COV_OK ? cov__guard_sha256(g->guard, cov_buf_view(&text), out, err) : st;
}

/* ---- token ---- */

/* base64url(HMAC-SHA256(secret, payload)) */
static cov_status sign(const cov_guard *guard, cov_str payload, cov_buf *out, cov_error *err)
{
    uint8_t mac[COV_SHA256_BYTES];

    if (guard->host->hmac(guard->host->self, COV_SHA256, guard->pow_secret, payload, mac) != COV_OK)
        return cov_fail(err, COV_EINTERNAL, "HMAC failed");
    cov_base64url(out, cov_str_of((const char *)mac, sizeof mac));
    return out->failed ? cov_fail_nomem(err) : COV_OK;
}

/* In a time that depends on the lengths only. */
static bool same_secret(cov_str a, cov_str b)
{
    unsigned char differ = 0;

    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        differ |= (unsigned char)(a.ptr[i] ^ b.ptr[i]);
    return differ == 0;
}

static bool read_payload(cov_arena *arena, cov_str payload, challenge *out)
{
    cov_buf text = COV_BUF_IN(arena);
    yyjson_val *value = NULL;
    const cov_json *bits;
    const cov_json *expires;

    if (!cov_base64_decode(&text, payload) ||
        cov_json_read(arena, cov_buf_view(&text), &value, NULL) != COV_OK)
        return false;
    bits = cov_json_get(value, "d");
    expires = cov_json_get(value, "exp");
    out->bits = cov_json_number(bits);
    out->expires_at_ms = cov_json_number(expires);
    out->fingerprint = cov_json_text(cov_json_get(value, "fp"));
    out->id = cov_json_text(cov_json_get(value, "n"));
    return cov_json_type_of(bits) == COV_JSON_NUMBER &&
           cov_json_type_of(expires) == COV_JSON_NUMBER && out->fingerprint.ptr != NULL &&
           out->id.ptr != NULL;
}

/* *genuine: a challenge that somebody with the secret issued. */
static cov_status read_token(const cov_guarded *g, cov_str token, challenge *out, bool *genuine,
                             cov_error *err)
{
    size_t dot = cov_str_find(token, '.', 0);
    cov_str payload = cov_str_slice(token, 0, dot);
    cov_buf signature = COV_BUF_IN(g->arena);
    cov_status st;

    *genuine = false;
    if (dot == 0 || dot + 1 >= token.len)
        return COV_OK;
    if ((st = sign(g->guard, payload, &signature, err)) != COV_OK)
        return st;
    *genuine = same_secret(cov_str_slice(token, dot + 1, token.len), cov_buf_view(&signature)) &&
               read_payload(g->arena, payload, out);
    return COV_OK;
}

/* ---- solution ---- */

static int leading_zero_bits(const uint8_t digest[COV_SHA256_BYTES])
{
    int bits = 0;

    while (bits < 8 * COV_SHA256_BYTES && (digest[bits / 8] & (0x80 >> bits % 8)) == 0)
        bits++;
    return bits;
}

static cov_status bits_of(const cov_guarded *g, cov_str token, cov_str nonce, int *bits,
                          cov_error *err)
{
    const cov_host *host = g->guard->host;
    uint8_t digest[COV_SHA256_BYTES];
    cov_buf text = COV_BUF_IN(g->arena);

    cov_buf_str(&text, token);
    cov_buf_char(&text, ':');
    cov_buf_str(&text, nonce);
    if (text.failed)
        return cov_fail_nomem(err);
    if (host->digest(host->self, COV_SHA256, cov_buf_view(&text), digest) != COV_OK)
        return cov_fail(err, COV_EINTERNAL, "SHA-256 failed");
    *bits = leading_zero_bits(digest);
    return COV_OK;
}

/* All that can be said without the store. */
static cov_status is_good(const cov_guarded *g, const challenge *c, cov_str token, cov_str nonce,
                          int64_t least_bits, bool *good, cov_error *err)
{
    cov_buf expected = COV_BUF_IN(g->arena);
    int bits = 0;
    cov_status st;

    *good = false;
    if (c->expires_at_ms <= (double)cov__guard_now_ms(g->guard) || c->bits < (double)least_bits)
        return COV_OK;
    if ((st = fingerprint(g, &expected, err)) != COV_OK)
        return st;
    if (!cov_str_eq(cov_buf_view(&expected), c->fingerprint))
        return COV_OK;
    st = bits_of(g, token, nonce, &bits, err);
    *good = st == COV_OK && bits >= c->bits;
    return st;
}

/* SET NX: of parallel uses one wins, and the mark never outlives its challenge for long. */
static cov_status use_once(const cov_guarded *g, const challenge *c, bool *first, cov_error *err)
{
    double left_ms = c->expires_at_ms - (double)cov__guard_now_ms(g->guard);
    int64_t ttl_ms = left_ms < 1e15 ? cov__guard_seconds((int64_t)left_ms) * 1000 : 0;
    cov_buf key = COV_BUF_IN(g->arena);

    COV_BUF_LIT(&key, "covara:pow:used:");
    cov_buf_str(&key, c->id);
    if (key.failed)
        return cov_fail_nomem(err);
    return cov_kv_set(g->guard->setup.kv, g->arena, cov_buf_view(&key), COV_STR("1"), ttl_ms, true,
                      first, err);
}

cov_status cov__pow_solved(const cov_guarded *g, int64_t least_bits, bool *solved, cov_error *err)
{
    cov_str token = cov_request_header(g->req, COV_STR("Covara-PoW-Challenge"));
    cov_str nonce = cov_request_header(g->req, COV_STR("Covara-PoW-Nonce"));
    challenge c;
    bool good = false;
    cov_status st;

    *solved = false;
    if (token.len == 0 || nonce.len == 0)
        return COV_OK;
    if ((st = read_token(g, token, &c, &good, err)) != COV_OK || !good)
        return st;
    if ((st = is_good(g, &c, token, nonce, least_bits, &good, err)) != COV_OK || !good)
        return st;
    return use_once(g, &c, solved, err);
}

/* ---- challenge ---- */

static cov_status write_payload(const cov_guarded *g, int64_t bits, cov_buf *out, cov_error *err)
{
    int64_t now_ms = cov__guard_now_ms(g->guard);
    int64_t expires_at_ms = now_ms + g->guard->config->abuse.pow.challenge_ttl_ms;
    cov_status st;

    cov_buf_printf(out, "{\"v\":1,\"d\":%lld,\"fp\":\"", (long long)bits);
    if ((st = fingerprint(g, out, err)) != COV_OK)
        return st;
    cov_buf_printf(out, "\",\"iat\":%lld,\"exp\":%lld,\"n\":\"", (long long)now_ms,
                   (long long)expires_at_ms);
    if ((st = random_hex(g->guard->host, ID_BYTES, out, err)) != COV_OK)
        return st;
    COV_BUF_LIT(out, "\",\"alg\":\"sha256\"}");
    return out->failed ? cov_fail_nomem(err) : COV_OK;
}

static cov_status issue(const cov_guarded *g, int64_t bits, cov_buf *token, cov_error *err)
{
    cov_buf payload = COV_BUF_IN(g->arena);
    cov_buf signature = COV_BUF_IN(g->arena);
    cov_status st = write_payload(g, bits, &payload, err);

    if (st != COV_OK)
        return st;
    cov_base64url(token, cov_buf_view(&payload));
    if (token->failed)
        return cov_fail_nomem(err);
    if ((st = sign(g->guard, cov_buf_view(token), &signature, err)) != COV_OK)
        return st;
    cov_buf_char(token, '.');
    cov_buf_str(token, cov_buf_view(&signature));
    return token->failed ? cov_fail_nomem(err) : COV_OK;
}

cov_status cov__pow_challenge(const cov_guarded *g, int64_t bits, cov_error *err)
{
    cov_buf token = COV_BUF_IN(g->arena);
    cov_status st = issue(g, bits, &token, err);

    if (st != COV_OK)
        return st;
    cov_response_header(g->res, COV_STR("Covara-Challenge-Type"), COV_STR("pow"));
    cov_response_header(g->res, COV_STR("Covara-PoW-Challenge"), cov_buf_view(&token));
    cov_response_header(g->res, COV_STR("Covara-PoW-Algorithm"), COV_STR("sha256"));
    st = cov__guard_number(g, COV_STR("Covara-PoW-Difficulty"), bits, err);
    if (st != COV_OK)
        return st;
    st = cov_fail(err, COV_EPOW, "Proof of work required");
    cov_error_member(err, "\"difficulty\":%lld,\"algorithm\":\"sha256\"", (long long)bits);
    return st;
}
