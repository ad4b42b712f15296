/* SPDX-License-Identifier: MIT */
#include "auth/cookie.h"

#include "base/encode.h"
#include "base/time.h"

/* ---- of requests ---- */

static cov_str trim_blanks(cov_str s)
{
    size_t from = 0;
    size_t to = s.len;

    while (from < to && (s.ptr[from] == ' ' || s.ptr[from] == '\t'))
        from++;
    while (to > from && (s.ptr[to - 1] == ' ' || s.ptr[to - 1] == '\t'))
        to--;
    return cov_str_slice(s, from, to);
}

static cov_str unquote(cov_str s)
{
    bool quoted = s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"';

    return quoted ? cov_str_slice(s, 1, s.len - 1) : s;
}

/* Printable ASCII without double quote, semicolon and backslash. */
static bool is_value(cov_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < ' ' || s.ptr[i] > '~' || s.ptr[i] == '"' || s.ptr[i] == ';' ||
            s.ptr[i] == '\\')
            return false;
    return true;
}

/* The raw value of the first good pair of that name in one header. */
static bool find_in(cov_str header, cov_str name, cov_str *value)
{
    cov_str pair;

    while (cov_str_split(&header, ';', &pair)) {
        size_t equals = cov_str_find(pair, '=', 0);

        if (equals == pair.len || !cov_str_eq(trim_blanks(cov_str_slice(pair, 0, equals)), name))
            continue;
        *value = unquote(trim_blanks(cov_str_slice(pair, equals + 1, pair.len)));
        if (is_value(*value))
            return true;
    }
    return false;
}

cov_str cov_cookie_get(cov_arena *arena, const cov_request *req, cov_str name)
{
    cov_str value;

    for (size_t i = 0; i < req->n_headers; i++)
        if (cov_str_eq_nocase(req->headers[i].name, COV_STR("Cookie")) &&
            find_in(req->headers[i].value, name, &value))
            return cov_percent_decode_all(arena, value);
    return COV_STR_NULL;
}

/* ---- of responses ---- */

cov_cookie cov_cookie_of(const cov_cookie_config *config, cov_str name, bool secure)
{
    cov_cookie cookie = {
        .name = name,
        .max_age_s = config->max_age_s,
        .expires_ms = COV_COOKIE_NO_EXPIRY,
        .domain = config->domain,
        .path = config->path,
        .http_only = true,
        .secure = secure,
        .same_site = config->same_site,
        .priority = config->priority,
        .partitioned = config->partitioned,
    };

    return cookie;
}

static bool has_control(cov_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7F)
            return true;
    return false;
}

/* RFC 9110 section 5.6.2. */
static bool is_token(cov_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool alphanumeric =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (!alphanumeric && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return s.len != 0;
}

/* What is written as it is, and ends at the next semicolon. */
static bool is_attribute(cov_str s)
{
    return !has_control(s) && cov_str_find(s, ';', 0) == s.len;
}

/* What makes the cookie impossible, or NULL. */
static const char *fault_of(const cov_cookie *c, int64_t now_ms)
{
    if (!is_token(c->name))
        return "the name is no token";
    if (has_control(c->value))
        return "the value has a control character";
    if (!is_attribute(c->domain) || !is_attribute(c->path))
        return "domain or path has a control character or semicolon";
    if (c->priority.len != 0 && !is_token(c->priority))
        return "the priority is no word";
    if (c->max_age_s > COV_COOKIE_MAX_AGE_S)
        return "it lives longer than 400 days";
    if (c->expires_ms != COV_COOKIE_NO_EXPIRY &&
        c->expires_ms / 1000 - now_ms / 1000 > COV_COOKIE_MAX_AGE_S)
        return "it lives longer than 400 days";
    return NULL;
}

static cov_status fail(const char *fault, cov_error *err)
{
    return cov_fail(err, COV_EINTERNAL, "a cookie cannot be set: %s", fault);
}

static void put_text(cov_buf *buf, const char *name, cov_str value)
{
    if (value.len == 0)
        return;
    cov_buf_printf(buf, "; %s=", name);
    cov_buf_str(buf, value);
}

static void put_flag(cov_buf *buf, const char *name, bool set)
{
    if (set)
        cov_buf_printf(buf, "; %s", name);
}

/* The first letter upper case, the rest lower. */
static void put_capitalised(cov_buf *buf, const char *name, cov_str word)
{
    if (word.len == 0)
        return;
    cov_buf_printf(buf, "; %s=", name);
    for (size_t i = 0; i < word.len; i++) {
        char c = word.ptr[i];

        if (i == 0 && c >= 'a' && c <= 'z')
            c = (char)(c - 32);
        else if (i != 0 && c >= 'A' && c <= 'Z')
            c = (char)(c + 32);
        cov_buf_char(buf, c);
    }
}

static cov_status finish(const cov_buf *buf, cov_str *out, cov_error *err)
{
    if (buf->failed)
        return cov_fail_nomem(err);
    *out = cov_buf_view(buf);
    return COV_OK;
}

cov_status cov_cookie_set(cov_arena *arena, const cov_cookie *cookie, int64_t now_ms, cov_str *out,
                          cov_error *err)
{
    static const cov_str same_site[] = {
        [COV_SAME_SITE_LAX] = COV_STR_INIT("Lax"),
        [COV_SAME_SITE_STRICT] = COV_STR_INIT("Strict"),
        [COV_SAME_SITE_NONE] = COV_STR_INIT("None"),
    };
    const char *fault = fault_of(cookie, now_ms);
    char date[COV_TIME_HTTP_BYTES];
    cov_buf text = COV_BUF_IN(arena);
    bool expires = cookie->expires_ms != COV_COOKIE_NO_EXPIRY;

    if (fault == NULL && expires && !cov_time_format_http(cookie->expires_ms, date))
        fault = "its expiry is no date";
    if (fault != NULL)
        return fail(fault, err);
    cov_buf_str(&text, cookie->name);
    cov_buf_char(&text, '=');
    cov_percent_encode(&text, cookie->value);
    if (cookie->max_age_s >= 0)
        cov_buf_printf(&text, "; Max-Age=%lld", (long long)cookie->max_age_s);
    put_text(&text, "Domain", cookie->domain);
    put_text(&text, "Path", cookie->path);
    put_text(&text, "Expires", cov_str_of(date, expires ? sizeof date : 0));
    put_flag(&text, "HttpOnly", cookie->http_only);
    put_flag(&text, "Secure", cookie->secure);
    put_text(&text, "SameSite", same_site[cookie->same_site]);
    put_capitalised(&text, "Priority", cookie->priority);
    put_flag(&text, "Partitioned", cookie->partitioned);
    return finish(&text, out, err);
}

/* Browsers take such a cookie, and so its removal, with Secure only. */
static bool needs_secure(const cov_cookie *cookie)
{
    return cookie->partitioned || cov_str_starts(cookie->name, COV_STR("__Host-")) ||
           cov_str_starts(cookie->name, COV_STR("__Secure-"));
}

cov_status cov_cookie_clear(cov_arena *arena, const cov_cookie *cookie, cov_str *out,
                            cov_error *err)
{
    cov_cookie bare = { .name = cookie->name, .domain = cookie->domain, .path = cookie->path };
    const char *fault;
    cov_buf text = COV_BUF_IN(arena);

    bare.expires_ms = COV_COOKIE_NO_EXPIRY;
    fault = fault_of(&bare, 0);
    if (fault != NULL)
        return fail(fault, err);
    cov_buf_str(&text, bare.name);
    COV_BUF_LIT(&text, "=; Max-Age=0");
    put_text(&text, "Domain", bare.domain);
    put_text(&text, "Path", bare.path);
    put_flag(&text, "Secure", needs_secure(cookie));
    put_flag(&text, "Partitioned", cookie->partitioned);
    return finish(&text, out, err);
}
