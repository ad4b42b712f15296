/* SPDX-License-Identifier: MIT */
#include "host/native/response.h"

#include "host/native/http_parser.h"
#include "host/native/services.h"

enum { STATUS_MIN = 200, STATUS_END = 600 };

/* clang-format off */
static const char *const reasons[STATUS_END - STATUS_MIN] = {
#define AT(status) [(status) - STATUS_MIN]
    AT(200) = "OK", AT(201) = "Created", AT(202) = "Accepted", AT(203) = "Non-Authoritative Information",
    AT(204) = "No Content", AT(205) = "Reset Content", AT(206) = "Partial Content", AT(207) = "Multi-Status",
    AT(300) = "Multiple Choices", AT(301) = "Moved Permanently", AT(302) = "Found", AT(303) = "See Other",
    AT(304) = "Not Modified", AT(307) = "Temporary Redirect", AT(308) = "Permanent Redirect",
    AT(400) = "Bad Request", AT(401) = "Unauthorized", AT(402) = "Payment Required", AT(403) = "Forbidden",
    AT(404) = "Not Found", AT(405) = "Method Not Allowed", AT(406) = "Not Acceptable",
    AT(408) = "Request Timeout", AT(409) = "Conflict", AT(410) = "Gone", AT(411) = "Length Required",
    AT(412) = "Precondition Failed", AT(413) = "Content Too Large", AT(414) = "URI Too Long",
    AT(415) = "Unsupported Media Type", AT(416) = "Range Not Satisfiable", AT(417) = "Expectation Failed",
    AT(422) = "Unprocessable Content", AT(423) = "Locked", AT(424) = "Failed Dependency",
    AT(425) = "Too Early", AT(426) = "Upgrade Required", AT(428) = "Precondition Required",
    AT(429) = "Too Many Requests", AT(431) = "Request Header Fields Too Large",
    AT(451) = "Unavailable For Legal Reasons", AT(500) = "Internal Server Error", AT(501) = "Not Implemented",
    AT(502) = "Bad Gateway", AT(503) = "Service Unavailable", AT(504) = "Gateway Timeout",
    AT(505) = "HTTP Version Not Supported", AT(507) = "Insufficient Storage",
#undef AT
};
/* clang-format on */

void cov__http_date_update(cov__http_date *date, int64_t now_s)
{
    if (date->second == now_s && date->text[0] != '\0')
        return;
    if (cov_time_format_http(now_s * 1000, date->text))
        date->second = now_s;
}

/* Headers that frame the message: only the host knows them. */
static bool is_framing(cov_str name)
{
    switch (name.len) {
    case 10:
        return cov_str_eq_nocase(name, COV_STR("connection")) ||
               cov_str_eq_nocase(name, COV_STR("keep-alive"));
    case 14:
        return cov_str_eq_nocase(name, COV_STR("content-length"));
    case 17:
        return cov_str_eq_nocase(name, COV_STR("transfer-encoding"));
    default:
        return false;
    }
}

static bool value_safe(cov_str value)
{
    unsigned char bad = 0;

    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];

        bad |= (unsigned char)((c < ' ') & (c != '\t')) | (c == 0x7f);
    }
    return bad == 0;
}

static void append_header(cov_buf *out, cov_str name, cov_str value)
{
    char *to = cov_buf_reserve(out, name.len + value.len + 4);

    if (to == NULL)
        return;
    memcpy(to, name.ptr, name.len);
    to += name.len;
    *to++ = ':';
    *to++ = ' ';
    if (value.len > 0)
        memcpy(to, value.ptr, value.len);
    to += value.len;
    *to++ = '\r';
    *to = '\n';
    out->len += name.len + value.len + 4;
}

static void append_app_header(cov_buf *out, const cov_header *h, int status)
{
    if (is_framing(h->name) ||
        (status == 204 && cov_str_eq_nocase(h->name, COV_STR("content-type"))))
        return;
    if (!cov__http_is_token(h->name) || !value_safe(h->value)) {
        cov__native_log(
            NULL, COV_LOG_ERROR,
            COV_STR(
                "Response header dropped: its name or value has a line break or control character"),
            COV_STR_NULL);
        return;
    }
    append_header(out, h->name, h->value);
}

static void append_status_line(cov_buf *out, int status)
{
    const char *reason = reasons[status - STATUS_MIN];
    char digits[3] = { (char)('0' + status / 100), (char)('0' + status / 10 % 10),
                       (char)('0' + status % 10) };

    COV_BUF_LIT(out, "HTTP/1.1 ");
    cov_buf_append(out, digits, 3);
    cov_buf_char(out, ' ');
    if (reason != NULL)
        cov_buf_append(out, reason, strlen(reason));
    COV_BUF_LIT(out, "\r\n");
}

void cov__response_head(cov_buf *out, const cov_response *res, cov__response_mode mode,
                        const cov__http_date *date, bool *with_body)
{
    int status = res->status >= STATUS_MIN && res->status < STATUS_END ? res->status : 500;
    bool bodyless = status == 204 || status == 304;

    append_status_line(out, status);
    append_header(out, COV_STR("Date"), cov_str_of(date->text, sizeof date->text));
    if (mode.stream && !mode.http10) {
        COV_BUF_LIT(out, "Transfer-Encoding: chunked\r\n");
    } else if (!bodyless && !mode.stream) {
        COV_BUF_LIT(out, "Content-Length: ");
        cov_buf_u64(out, res->body.len);
        COV_BUF_LIT(out, "\r\n");
    }
    if (mode.close)
        COV_BUF_LIT(out, "Connection: close\r\n");
    else if (mode.http10)
        COV_BUF_LIT(out, "Connection: keep-alive\r\n");
    for (size_t i = 0; i < res->n_headers; i++)
        append_app_header(out, &res->headers[i], status);
    COV_BUF_LIT(out, "\r\n");
    *with_body = !bodyless && !mode.head && res->body.len > 0;
}
