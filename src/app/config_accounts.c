/* SPDX-License-Identifier: MIT */
/* Checks of accounts and limits: one value's form, and agreement between options. */
#include "app/config_read.h"
#include "base/num.h"
#include "base/time.h"

enum { DAY_BYTES = 10 };

enum {
    SECRET_MIN_BYTES = 32,              /* RFC 7518 section 3.2, for the shortest hash */
    SCRYPT_MAX_BYTES = 64 * 1024 * 1024 /* of one hash: 128 * N * r */
};

/* ---- one value ---- */

cov_status cov__check_cookie(cov_config_reader *r, const char *key, cov_str *value, const char *at)
{
    cov_status st = cov__check_header(r, key, value, at);

    if (st == COV_OK && cov_str_find(*value, ';', 0) != value->len)
        return cov__config_fail(r, at, "\"%s\" goes into a cookie: it may not hold \";\"", key);
    return st;
}

static bool all_of(cov_str text, const char *more)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!plain && (c == '\0' || strchr(more, c) == NULL))
            return false;
    }
    return true;
}

cov_status cov__check_token(cov_config_reader *r, const char *key, cov_str *value, const char *at)
{
    if (all_of(*value, "!#$%&'*+-.^_`|~"))
        return COV_OK;
    return cov__config_fail(r, at, "\"%s\" must be a name of letters, digits and !#$%%&'*+-.^_`|~",
                            key);
}

cov_status cov__check_key_prefix(cov_config_reader *r, const char *key, cov_str *value,
                                 const char *at)
{
    if (all_of(*value, "_"))
        return COV_OK;
    return cov__config_fail(r, at, "\"%s\" may hold letters, digits and \"_\" only", key);
}

cov_status cov__check_line(cov_config_reader *r, const char *key, cov_str *value, const char *at)
{
    for (size_t i = 0; i < value->len; i++)
        if ((unsigned char)value->ptr[i] < 0x20 || value->ptr[i] == 0x7F)
            return cov__config_fail(r, at, "\"%s\" must be one line without control characters",
                                    key);
    return COV_OK;
}

cov_status cov__check_date(cov_config_reader *r, const char *key, cov_str *value, const char *at)
{
    char day[COV_TIME_TEXT_BYTES];
    int64_t ms;

    /* A day that there is comes out as it went in; the thirtieth of February does not. */
    if (value->len == DAY_BYTES && cov_time_parse_iso(*value, &ms, NULL) &&
        cov_time_format(ms, day) > DAY_BYTES && memcmp(day, value->ptr, DAY_BYTES) == 0)
        return COV_OK;
    return cov__config_fail(r, at, "\"%s\" must be a day such as \"2027-01-02\", not %s", key,
                            cov__config_quote(r, *value));
}

/* ---- gates of a resource ---- */

static const char *const gate_names[COV_N_GATE_OPS] = {
    [COV_GATE_READ] = "read",
    [COV_GATE_CREATE] = "create",
    [COV_GATE_UPDATE] = "update",
    [COV_GATE_DELETE] = "delete",
    [COV_GATE_SUBSCRIBE] = "subscribe",
    [COV_GATE_AGGREGATE] = "aggregate",
    [COV_GATE_COUNT] = "count",
    [COV_GATE_SEARCH] = "search",
    [COV_GATE_RPC] = "rpc",
};

static int gate_op(cov_str name)
{
    for (int op = 0; op < COV_N_GATE_OPS; op++)
        if (cov_str_eq(name, cov_str_from(gate_names[op])))
            return op;
    return -1;
}

static cov_status finish_challenge(cov_config_reader *r, const char *option,
                                   cov_challenge_config *challenge, const char *at)
{
    if (!challenge->operations.set) {
        challenge->on[COV_GATE_CREATE] = true;
        challenge->on[COV_GATE_UPDATE] = true;
        challenge->on[COV_GATE_DELETE] = true;
        return COV_OK;
    }
    for (size_t i = 0; i < challenge->operations.n; i++) {
        int op = gate_op(challenge->operations.items[i]);

        if (op < 0)
            return cov__config_fail(
                r, at,
                "\"%s\": unknown operation %s; there are read, create, update, delete, subscribe, "
                "aggregate, count, search and rpc",
                option, cov__config_quote(r, challenge->operations.items[i]));
        challenge->on[op] = true;
    }
    return COV_OK;
}

cov_status cov__finish_gate(cov_config_reader *r, cov_gate_config *gate, const char *at)
{
    cov_status st = finish_challenge(r, "pow", &gate->pow, at);

    return st == COV_OK ? finish_challenge(r, "captcha", &gate->captcha, at) : st;
}

/* ---- accounts ---- */

typedef struct need {
    bool wanted;
    cov_str column; /* of "users" that it needs */
    const char *option;
    const char *member;
} need;

static cov_status needs_columns(cov_config_reader *r, const cov_auth_config *auth, const char *at)
{
    const cov_users_config *users = &auth->users;
    const need needs[] = {
        { auth->login, users->password_hash, "login", "passwordHash" },
        { auth->signup, users->password_hash, "signup", "passwordHash" },
        { auth->password_reset.enabled, users->password_hash, "passwordReset", "passwordHash" },
        { auth->verification.enabled, users->email_verified, "verification", "emailVerified" },
        { auth->require_verified_email, users->email_verified, "requireVerifiedEmail",
          "emailVerified" },
    };

    if (users->table.ptr == NULL)
        return cov__config_fail(r, at, "\"auth\" needs \"users\": the table that users are in");
    for (size_t i = 0; i < COV_COUNT_OF(needs); i++)
        if (needs[i].wanted && needs[i].column.ptr == NULL)
            return cov__config_fail(r, at, "\"auth\": \"%s\" needs \"users.%s\"", needs[i].option,
                                    needs[i].member);
    return COV_OK;
}

static cov_status finish_jwt(cov_config_reader *r, const cov_session_config *session,
                             const char *at)
{
    bool hmac = cov_str_starts(session->jwt.algorithm, COV_STR("HS"));

    if (session->jwt.secret.ptr == NULL)
        return cov__config_fail(r, at, "\"auth.session\": \"jwt\" needs \"secret\"");
    if (hmac && session->jwt.secret.len < SECRET_MIN_BYTES)
        return cov__config_fail(r, at,
                                "\"auth.session.secret\" must have at least %d bytes (RFC 7518); "
                                "\"openssl rand -hex 32\" makes one",
                                SECRET_MIN_BYTES);
    if (!hmac && session->jwt.public_key.ptr == NULL)
        return cov__config_fail(r, at, "\"auth.session\": \"algorithm\" %s needs \"publicKey\"",
                                cov__config_quote(r, session->jwt.algorithm));
    return COV_OK;
}

static cov_status finish_session(cov_config_reader *r, const cov_session_config *session,
                                 const char *at)
{
    if (session->type == COV_SESSION_JWT)
        return finish_jwt(r, session, at);
    if (session->store == COV_KEEP_NONE)
        return cov__config_fail(
            r, at, "\"auth.session.store\": \"none\" is for \"jwt\"; cookies need a store");
    if (session->cookie.same_site == COV_SAME_SITE_NONE && session->cookie.secure == COV_SECURE_OFF)
        return cov__config_fail(
            r, at, "\"cookieOptions\": browsers refuse \"sameSite\" \"none\" without \"secure\"");
    return COV_OK;
}

static cov_status finish_scrypt(cov_config_reader *r, const cov_auth_config *auth, const char *at)
{
    int64_t n = auth->scrypt.n;

    if ((n & (n - 1)) != 0)
        return cov__config_fail(r, at, "\"scrypt.N\" must be a power of two, not %lld",
                                (long long)n);
    if (128 * n * auth->scrypt.r > SCRYPT_MAX_BYTES)
        return cov__config_fail(r, at, "\"scrypt\" would need %lld MiB for a hash; 64 is the most",
                                (long long)(128 * n * auth->scrypt.r / (1024 * 1024)));
    return COV_OK;
}

static void finish_account_gate(cov_gate_config *gate)
{
    gate->pow.set = gate->pow.on[COV_GATE_RPC];
    gate->captcha.set = gate->captcha.on[COV_GATE_RPC];
}

cov_status cov__finish_auth(cov_config_reader *r, void *base, const char *at)
{
    cov_auth_config *auth = &((cov_config *)base)->auth;
    cov_status st = needs_columns(r, auth, at);

    if (st == COV_OK)
        st = finish_session(r, &auth->session, at);
    if (st == COV_OK)
        st = finish_scrypt(r, auth, at);
    finish_account_gate(&auth->login_gate);
    finish_account_gate(&auth->signup_gate);
    finish_account_gate(&auth->reset_gate);
    return st;
}
