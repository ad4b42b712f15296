/* SPDX-License-Identifier: MIT */
/*
 * Calls to other servers, through libcurl's easy interface.
 *
 * DESIGN: each thread keeps one handle, whose connections stay open between calls; nothing else does, since
 * curl_easy_reset forgets all options. What a call may do is closed by default: http and https only, no redirect,
 * cookie, .netrc or compression, and no proxy, so that http_proxy and its kin in the environment cannot lead
 * a call with secrets elsewhere. The one variable that counts is OpenSSL's SSL_CERT_FILE, a file of
 * certificates to trust in place of the system's.
 */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>

#include "covara/version.h"
#include "host/native/services.h"

enum {
    DEFAULT_TIMEOUT_MS = 10000,
    DEFAULT_RESPONSE_BYTES = 1024 * 1024,
    RESPONSE_HEAD_MAX_BYTES = 64 * 1024,
    CONNECTIONS_KEPT = 8, /* a thread */
    METHOD_MAX_BYTES = 16,
    URL_MAX_BYTES = 8 * 1024
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool ready;
static const char *trusted_file; /* NULL: the system's */

/* What one call needs; libcurl is given texts that end in NUL. */
typedef struct transfer {
    const cov_http_call *call;
    CURL *curl;
    CURLU *url;
    struct curl_slist *headers;
    char method[METHOD_MAX_BYTES + 1];
    char *host; /* for messages: a URL may hold a password or a token */
    bool has_content_type;
    cov_buf body;
    size_t max_bytes;
    size_t head_bytes;
    bool too_large;
    char tls_detail[CURL_ERROR_SIZE];
} transfer;

/* ---- the handle of a thread ---- */

static void handle_free(void *curl)
{
    curl_easy_cleanup(curl);
}

static void set_up(void)
{
    trusted_file = getenv("SSL_CERT_FILE");
    ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK &&
            pthread_key_create(&key, handle_free) == 0;
}

static CURL *handle_of_thread(void)
{
    CURL *curl;

    if (pthread_once(&once, set_up) != 0 || !ready)
        return NULL;
    curl = pthread_getspecific(key);
    if (curl == NULL) {
        curl = curl_easy_init();
        if (curl != NULL && pthread_setspecific(key, curl) != 0) {
            curl_easy_cleanup(curl);
            curl = NULL;
        }
    }
    return curl;
}

/* ---- what is asked ---- */

static bool is_token_byte(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(cov_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_token_byte((unsigned char)s.ptr[i]))
            return false;
    return s.len > 0;
}

/* Without line breaks, NUL and their kin, which would end the value or the line. */
static bool is_value(cov_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static cov_status read_method(transfer *t, cov_error *err)
{
    cov_str method = t->call->method;

    if (method.len > METHOD_MAX_BYTES || !is_token(method))
        return cov_fail(err, COV_EINVAL, "outbound call: not a method");
    memcpy(t->method, method.ptr, method.len);
    return COV_OK;
}

static bool is_http_scheme(CURLU *url)
{
    char *scheme = NULL;
    bool ok = curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
              (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);

    curl_free(scheme);
    return ok;
}

static cov_status read_url(transfer *t, cov_arena *arena, cov_error *err)
{
    cov_str url = t->call->url;
    cov_str text;

    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.ptr[i] <= 0x20 || url.ptr[i] == 0x7f)
            return cov_fail(err, COV_EINVAL, "outbound call: the URL holds a space or control");
    if (url.len == 0 || url.len > URL_MAX_BYTES)
        return cov_fail(err, COV_EINVAL, "outbound call: no URL, or one above %d bytes",
                        URL_MAX_BYTES);
    text = cov_arena_str(arena, url);
    t->url = curl_url();
    if (text.ptr == NULL || t->url == NULL)
        return cov_fail_nomem(err);
    if (curl_url_set(t->url, CURLUPART_URL, text.ptr, 0) != CURLUE_OK || !is_http_scheme(t->url) ||
        curl_url_get(t->url, CURLUPART_HOST, &t->host, 0) != CURLUE_OK)
        return cov_fail(err, COV_EINVAL, "outbound call: not an http or https URL");
    return COV_OK;
}

static bool add_line(transfer *t, const char *line)
{
    struct curl_slist *longer = line != NULL ? curl_slist_append(t->headers, line) : NULL;

    if (longer != NULL)
        t->headers = longer;
    return longer != NULL;
}

static cov_status read_header(transfer *t, cov_str name, cov_str value, cov_arena *arena,
                              cov_error *err)
{
    cov_str line;

    value = cov_str_trim(value);
    if (!is_token(name) || !is_value(value))
        return cov_fail(err, COV_EINVAL, "outbound call: not a header");
    if (cov_str_eq_nocase(name, COV_STR("Content-Length")) ||
        cov_str_eq_nocase(name, COV_STR("Transfer-Encoding")))
        return cov_fail(err, COV_EINVAL, "outbound call: framing headers are not the caller's");
    if (cov_str_eq_nocase(name, COV_STR("Content-Type")))
        t->has_content_type = true;
    /* libcurl's way to say an empty value: "Name:" would remove the header */
    if (value.len == 0)
        line = cov_arena_printf(arena, "%.*s;", COV_STR_ARG(name));
    else
        line = cov_arena_printf(arena, "%.*s: %.*s", COV_STR_ARG(name), COV_STR_ARG(value));
    return add_line(t, line.ptr) ? COV_OK : cov_fail_nomem(err);
}

static cov_status read_headers(transfer *t, cov_arena *arena, cov_error *err)
{
    cov_status st = COV_OK;

    for (size_t i = 0; st == COV_OK && i < t->call->n_headers; i++)
        st = read_header(t, t->call->headers[i][0], t->call->headers[i][1], arena, err);
    if (st != COV_OK)
        return st;
    /* Neither the form type that libcurl presumes, nor a wait for "100 Continue". */
    if (!add_line(t, "Expect:") || (!t->has_content_type && !add_line(t, "Content-Type:")))
        return cov_fail_nomem(err);
    return COV_OK;
}

/* ---- what is answered ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *self)
{
    transfer *t = self;
    size_t len = size * count; /* libcurl gives at most CURL_MAX_WRITE_SIZE */

    if (len > t->max_bytes - t->body.len) {
        t->too_large = true;
        return 0;
    }
    cov_buf_append(&t->body, bytes, len);
    return t->body.failed ? 0 : len;
}

static size_t on_head(char *bytes, size_t size, size_t count, void *self)
{
    transfer *t = self;
    size_t len = size * count;

    (void)bytes;
    t->head_bytes += len;
    if (t->head_bytes > RESPONSE_HEAD_MAX_BYTES)
        t->too_large = true;
    return t->too_large ? 0 : len;
}

/* ---- options ---- */

static long timeout_of(const cov_http_call *call)
{
    uint32_t ms = call->timeout_ms > 0 ? call->timeout_ms : DEFAULT_TIMEOUT_MS;

    return ms > INT32_MAX ? INT32_MAX : (long)ms;
}

static bool set_limits(CURL *curl, transfer *t)
{
    /* QUICK_EXIT: a name server that does not answer must not hold the call beyond its time. */
    return curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_of(t->call)) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)t->max_bytes) == CURLE_OK;
}

/* Defaults of libcurl among them: what security rests on is said here. */
static bool set_security(CURL *curl, transfer *t)
{
    return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           (trusted_file == NULL ||
            curl_easy_setopt(curl, CURLOPT_CAINFO, trusted_file) == CURLE_OK) &&
           curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, t->tls_detail) == CURLE_OK;
}

static bool set_request(CURL *curl, transfer *t)
{
    cov_str body = t->call->body;
    CURLcode code = CURLE_OK;

    if (strcmp(t->method, "HEAD") == 0) {
        code = curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    } else if (body.len > 0 || t->method[0] == 'P') { /* POST, PUT, PATCH: also without one */
        code = curl_easy_setopt(curl, CURLOPT_POST, 1L);
        if (code == CURLE_OK)
            code = curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        if (code == CURLE_OK)
            code = curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.len > 0 ? body.ptr : "");
    }
    return code == CURLE_OK && curl_easy_setopt(curl, CURLOPT_CURLU, t->url) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, t->method) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "covara/" COV_VERSION) == CURLE_OK;
}

static bool set_callbacks(CURL *curl, transfer *t)
{
    return curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, t) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_head) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERDATA, t) == CURLE_OK;
}

/* ---- the call ---- */

static cov_status fail(const transfer *t, CURLcode code, cov_error *err)
{
    const char *why = curl_easy_strerror(code);

    if (t->too_large || code == CURLE_FILESIZE_EXCEEDED)
        return cov_fail(err, COV_ETOOLARGE, "%s: the answer is above %zu bytes", t->host,
                        t->max_bytes);
    if (t->body.failed || code == CURLE_OUT_OF_MEMORY)
        return cov_fail_nomem(err);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return cov_fail(err, COV_ETIMEOUT, "%s: no answer within %ld ms", t->host,
                        timeout_of(t->call));
    /* Only these say more than the code does: which check of the certificate failed. */
    if ((code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR) &&
        t->tls_detail[0] != '\0')
        why = t->tls_detail;
    return cov_fail(err, COV_EBUSY, "%s: %s", t->host, why);
}

static cov_status run(transfer *t, cov_arena *arena, cov_http_reply *out, cov_error *err)
{
    CURL *curl = t->curl;
    const char *type = NULL;
    long status = 0;
    CURLcode code;
    cov_str content_type = COV_STR_NULL;

    if (!set_limits(curl, t) || !set_security(curl, t) || !set_request(curl, t) ||
        !set_callbacks(curl, t))
        return cov_fail(err, COV_EINTERNAL, "outbound call: libcurl refuses an option");
    code = curl_easy_perform(curl);
    if (code != CURLE_OK)
        return fail(t, code, err);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    if (type != NULL) {
        content_type = cov_arena_str(arena, cov_str_from(type));
        if (content_type.ptr == NULL)
            return cov_fail_nomem(err);
    }
    out->status = (int)status;
    out->content_type = content_type;
    out->body = cov_buf_view(&t->body);
    return COV_OK;
}

cov_status cov__native_http(void *self, const cov_http_call *call, cov_arena *arena,
                            cov_http_reply *out, cov_error *err)
{
    transfer t = { .call = call, .body = COV_BUF_IN(arena), .curl = handle_of_thread() };
    cov_status st;

    (void)self;
    if (t.curl == NULL)
        return cov_fail(err, COV_EINTERNAL, "outbound call: libcurl does not start");
    t.max_bytes = call->max_response_bytes > 0 ? call->max_response_bytes : DEFAULT_RESPONSE_BYTES;
    if ((st = read_method(&t, err)) == COV_OK && (st = read_url(&t, arena, err)) == COV_OK &&
        (st = read_headers(&t, arena, err)) == COV_OK)
        st = run(&t, arena, out, err);
    curl_easy_reset(t.curl); /* before what its options point to is gone */
    curl_slist_free_all(t.headers);
    curl_url_cleanup(t.url);
    curl_free(t.host);
    return st;
}
