/* SPDX-License-Identifier: MIT */
/* What the lines of a head mean: request line, target forms, and the fields that frame or direct a message. */
#include "host/native/http_parser.h"

static const unsigned char token_bytes[256] = {
    ['!'] = 1, ['#'] = 1, ['$'] = 1, ['%'] = 1, ['&'] = 1, ['\''] = 1, ['*'] = 1, ['+'] = 1,
    ['-'] = 1, ['.'] = 1, ['^'] = 1, ['_'] = 1, ['`'] = 1, ['|'] = 1,  ['~'] = 1, ['0'] = 1,
    ['1'] = 1, ['2'] = 1, ['3'] = 1, ['4'] = 1, ['5'] = 1, ['6'] = 1,  ['7'] = 1, ['8'] = 1,
    ['9'] = 1, ['A'] = 1, ['B'] = 1, ['C'] = 1, ['D'] = 1, ['E'] = 1,  ['F'] = 1, ['G'] = 1,
    ['H'] = 1, ['I'] = 1, ['J'] = 1, ['K'] = 1, ['L'] = 1, ['M'] = 1,  ['N'] = 1, ['O'] = 1,
    ['P'] = 1, ['Q'] = 1, ['R'] = 1, ['S'] = 1, ['T'] = 1, ['U'] = 1,  ['V'] = 1, ['W'] = 1,
    ['X'] = 1, ['Y'] = 1, ['Z'] = 1, ['a'] = 1, ['b'] = 1, ['c'] = 1,  ['d'] = 1, ['e'] = 1,
    ['f'] = 1, ['g'] = 1, ['h'] = 1, ['i'] = 1, ['j'] = 1, ['k'] = 1,  ['l'] = 1, ['m'] = 1,
    ['n'] = 1, ['o'] = 1, ['p'] = 1, ['q'] = 1, ['r'] = 1, ['s'] = 1,  ['t'] = 1, ['u'] = 1,
    ['v'] = 1, ['w'] = 1, ['x'] = 1, ['y'] = 1, ['z'] = 1,
};

bool cov__http_is_token(cov_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!token_bytes[(unsigned char)s.ptr[i]])
            return false;
    return s.len > 0;
}

/* ---- request line ---- */

static bool target_bytes_ok(cov_str target)
{
    for (size_t i = 0; i < target.len; i++)
        if ((unsigned char)target.ptr[i] <= ' ' || target.ptr[i] == 0x7f || target.ptr[i] == '#')
            return false;
    return target.len > 0;
}

/* "http://host/path?q" to "/path?q"; the authority must not be empty. */
static bool strip_authority(cov_str *target)
{
    cov_str rest = *target;
    size_t skip = 0;
    size_t end;

    if (rest.len > 7 && cov_str_eq_nocase(cov_str_slice(rest, 0, 7), COV_STR("http://")))
        skip = 7;
    else if (rest.len > 8 && cov_str_eq_nocase(cov_str_slice(rest, 0, 8), COV_STR("https://")))
        skip = 8;
    else
        return false;
    for (end = skip; end < rest.len && rest.ptr[end] != '/' && rest.ptr[end] != '?'; end++)
        ;
    if (end == skip)
        return false;
    *target = cov_str_slice(rest, end, rest.len);
    return true;
}

/* Fill path and query from any of the four target forms of RFC 9112 section 3.2. */
static bool split_target(cov_request *req, cov_str target)
{
    size_t mark;

    if (cov_str_eq(req->method_name, COV_STR("CONNECT"))) {
        req->path = target;
        return true;
    }
    if (cov_str_eq(target, COV_STR("*"))) {
        req->path = target;
        return req->method == COV_OPTIONS;
    }
    if (target.ptr[0] != '/' && !strip_authority(&target))
        return false;
    mark = cov_str_find(target, '?', 0);
    req->path = cov_str_slice(target, 0, mark);
    req->query = cov_str_slice(target, mark + 1, target.len);
    if (req->path.len == 0) /* "http://host" and "http://host?q" */
        req->path = COV_STR("/");
    return true;
}

static cov__http_event check_version(cov__http_parser *self, cov_str version)
{
    if (cov_str_eq(version, COV_STR("HTTP/1.1")) || cov_str_eq(version, COV_STR("HTTP/1.0")))
        return COV_HTTP_MORE;
    if (version.len < 6 || !cov_str_starts(version, COV_STR("HTTP/")))
        return cov__http_refuse(self, COV_EREQUEST,
                                "The request line must be: method, target and HTTP version, "
                                "separated by single spaces");
    for (size_t i = 5; i < version.len; i++)
        if ((version.ptr[i] < '0' || version.ptr[i] > '9') && version.ptr[i] != '.')
            return cov__http_refuse(self, COV_EREQUEST, "The HTTP version is malformed");
    return cov__http_refuse(self, COV_EVERSION, "This server speaks HTTP/1.0 and HTTP/1.1");
}

cov__http_event cov__http_take_request_line(cov__http_parser *self, cov_str line)
{
    cov_request *req = &self->request;
    size_t first = cov_str_find(line, ' ', 0);
    size_t second = cov_str_find(line, ' ', first + 1);
    cov_str target = cov_str_slice(line, first + 1, second);
    cov__http_event refused;

    req->method_name = cov_str_slice(line, 0, first);
    if (!cov__http_is_token(req->method_name) || req->method_name.len > COV_HTTP_MAX_METHOD_BYTES)
        return cov__http_refuse(self, COV_EREQUEST,
                                "The request does not start with an HTTP method");
    if (target.len > self->limits.max_url_bytes)
        return cov__http_refuse(self, COV_EURI, "The URL is longer than this server takes");
    refused = check_version(self, cov_str_slice(line, second + 1, line.len));
    if (refused != COV_HTTP_MORE)
        return refused;
    if (!target_bytes_ok(target))
        return cov__http_refuse(
            self, COV_EREQUEST,
            "The request target is empty or has a space, control character or fragment");
    req->method = cov_method_of(req->method_name);
    if (!split_target(req, target))
        return cov__http_refuse(self, COV_EREQUEST,
                                "The request target must be a path or an http URL");
    return COV_HTTP_MORE;
}

/* ---- what the fields mean ---- */

typedef struct head_facts {
    size_t hosts;
    size_t lengths;
    size_t encodings;
    cov_str host;
    cov_str length;
    cov_str encoding;
    cov_str expect;
} head_facts;

static void note_field(head_facts *facts, const cov_header *h)
{
    switch (h->name.len) {
    case 4:
        if (cov_str_eq_nocase(h->name, COV_STR("host"))) {
            facts->host = h->value;
            facts->hosts++;
        }
        break;
    case 6:
        if (cov_str_eq_nocase(h->name, COV_STR("expect")))
            facts->expect = h->value;
        break;
    case 14:
        if (cov_str_eq_nocase(h->name, COV_STR("content-length"))) {
            facts->length = h->value;
            facts->lengths++;
        }
        break;
    case 17:
        if (cov_str_eq_nocase(h->name, COV_STR("transfer-encoding"))) {
            facts->encoding = h->value;
            facts->encodings++;
        }
        break;
    default:
        break;
    }
}

/* Digits only; beyond 18 of them the number is certainly over any limit, and UINT64_MAX says so. */
static bool parse_length(cov_str s, uint64_t *out)
{
    uint64_t value = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        value = i < 18 ? value * 10 + (uint64_t)(s.ptr[i] - '0') : UINT64_MAX;
    }
    *out = value;
    return s.len > 0;
}

static cov__http_event check_framing(cov__http_parser *self, const head_facts *facts)
{
    if (facts->lengths > 0 && facts->encodings > 0)
        return cov__http_refuse(self, COV_EREQUEST,
                                "Content-Length and Transfer-Encoding exclude each other");
    if (facts->lengths > 1)
        return cov__http_refuse(self, COV_EREQUEST, "There must be only one Content-Length");
    if (facts->encodings > 0 && self->http10)
        return cov__http_refuse(self, COV_EREQUEST, "HTTP/1.0 has no Transfer-Encoding");
    if (facts->encodings > 1 ||
        (facts->encodings == 1 && !cov_str_eq_nocase(facts->encoding, COV_STR("chunked"))))
        return cov__http_refuse(self, COV_EREQUEST,
                                "The only Transfer-Encoding this server takes is \"chunked\"");
    if (facts->lengths == 1 && !parse_length(facts->length, &self->content_length))
        return cov__http_refuse(self, COV_EREQUEST, "Content-Length must be a decimal number");
    if (self->content_length > self->limits.max_body_bytes)
        return cov__http_refuse(self, COV_ETOOLARGE,
                                "The request body is larger than this server takes");
    self->has_content_length = facts->lengths == 1;
    return COV_HTTP_MORE;
}

static bool host_ok(cov_str host)
{
    for (size_t i = 0; i < host.len; i++)
        if ((unsigned char)host.ptr[i] <= ' ' || memchr("/\\?#@,", host.ptr[i], 6) != NULL)
            return false;
    return true;
}

/* Refusals after which the connection is still in step, if there is no body to skip. */
static cov__http_event check_semantics(cov__http_parser *self, const head_facts *facts,
                                       bool has_body)
{
    bool keep_alive = self->keep_alive && !has_body;
    cov__http_event refused = COV_HTTP_MORE;

    if ((facts->hosts == 0 && !self->http10) || facts->hosts > 1)
        refused =
            cov__http_refuse(self, COV_EREQUEST, "An HTTP/1.1 request has exactly one Host header");
    else if (facts->hosts == 1 && !host_ok(facts->host))
        refused = cov__http_refuse(self, COV_EREQUEST, "The Host header is malformed");
    else if (facts->expect.ptr != NULL && !self->http10 &&
             !cov_str_eq_nocase(facts->expect, COV_STR("100-continue")))
        refused = cov__http_refuse(self, COV_EEXPECT,
                                   "The only expectation this server meets is \"100-continue\"");
    if (refused != COV_HTTP_MORE)
        self->keep_alive = keep_alive;
    return refused;
}

cov__http_event cov__http_check_head(cov__http_parser *self)
{
    head_facts facts = { 0 };
    bool has_body;
    cov__http_event refused;

    for (size_t i = 0; i < self->n_headers; i++) {
        if (!cov__http_is_token(self->headers[i].name))
            return cov__http_refuse(self, COV_EREQUEST,
                                    "A header name has a character that is not allowed");
        note_field(&facts, &self->headers[i]);
    }
    refused = check_framing(self, &facts);
    if (refused != COV_HTTP_MORE)
        return refused;
    has_body = facts.encodings > 0 || self->content_length > 0;
    refused = check_semantics(self, &facts, has_body);
    if (refused != COV_HTTP_MORE)
        return refused;
    if (cov_str_eq(self->request.method_name, COV_STR("CONNECT")))
        self->keep_alive = false; /* a client that asked for a tunnel may send anything next */
    self->continue_due = facts.expect.ptr != NULL && !self->http10 && has_body;
    self->phase = !has_body ? COV_HTTP_COMPLETE
                            : (facts.encodings > 0 ? COV_HTTP_BODY_CHUNKED : COV_HTTP_BODY_LENGTH);
    return COV_HTTP_MORE;
}
