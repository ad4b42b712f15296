/* SPDX-License-Identifier: MIT */
/*
 * The mail with one button: plain text, and HTML that mail programs of all ages show alike (spec/13 section A4):
 * tables for layout, inline styles, no image.
 */
#include "base/utf8.h"
#include "mail/mail.h"

enum { UNDERLINE_MAX = 40 };

#define BRAND "#4f46e5"
#define TEXT "#111827"
#define MUTED "#6b7280"
#define PAGE "#f3f4f6"
#define CARD "#ffffff"
#define RADIUS "8px"
#define FONT                                                                           \
    "-apple-system, BlinkMacSystemFont, &#39;Segoe UI&#39;, Roboto, Helvetica, Arial," \
    " sans-serif"

static bool is_link(cov_str url)
{
    static const cov_str schemes[] = { COV_STR_INIT("https://"), COV_STR_INIT("http://"),
                                       COV_STR_INIT("mailto:") };

    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.ptr[i] <= ' ' || url.ptr[i] == 0x7f)
            return false;
    for (size_t i = 0; i < COV_COUNT_OF(schemes); i++)
        if (cov_str_eq_nocase(cov_str_slice(url, 0, schemes[i].len), schemes[i]))
            return url.len > schemes[i].len;
    return false;
}

static void escape(cov_buf *buf, cov_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        switch (s.ptr[i]) {
        case '&':
            COV_BUF_LIT(buf, "&amp;");
            break;
        case '<':
            COV_BUF_LIT(buf, "&lt;");
            break;
        case '>':
            COV_BUF_LIT(buf, "&gt;");
            break;
        case '"':
            COV_BUF_LIT(buf, "&quot;");
            break;
        case '\'':
            COV_BUF_LIT(buf, "&#39;");
            break;
        default:
            cov_buf_char(buf, s.ptr[i]);
        }
    }
}

static void write_text(cov_buf *buf, const cov_mail_action *action)
{
    size_t width = cov_utf8_count(action->heading);

    cov_buf_str(buf, action->heading);
    cov_buf_char(buf, '\n');
    for (size_t i = 0; i < width && i < UNDERLINE_MAX; i++)
        cov_buf_char(buf, '=');
    COV_BUF_LIT(buf, "\n\n");
    cov_buf_str(buf, action->paragraph);
    COV_BUF_LIT(buf, "\n\n");
    cov_buf_str(buf, action->label);
    COV_BUF_LIT(buf, ": ");
    cov_buf_str(buf, action->url);
}

static void write_paragraphs(cov_buf *buf, cov_str text)
{
    while (text.len > 0) {
        size_t end = cov_str_find(text, '\n', 0);

        while (end + 1 < text.len && text.ptr[end + 1] != '\n')
            end = cov_str_find(text, '\n', end + 1);
        COV_BUF_LIT(buf,
                    "<p style=\"margin:0 0 16px;font-size:15px;line-height:1.6;color:" TEXT "\">");
        escape(buf, cov_str_trim(cov_str_slice(text, 0, end)));
        COV_BUF_LIT(buf, "</p>\n");
        text = cov_str_trim(cov_str_slice(text, end, text.len));
    }
}

static void write_button(cov_buf *buf, const cov_mail_action *action)
{
    COV_BUF_LIT(buf, "<table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" "
                     "style=\"margin:24px 0\"><tr><td style=\"background:" BRAND
                     ";border-radius:" RADIUS "\">\n<a href=\"");
    escape(buf, action->url);
    COV_BUF_LIT(buf, "\" style=\"display:inline-block;padding:12px 24px;font-size:15px;"
                     "font-weight:600;color:#ffffff;text-decoration:none\">");
    escape(buf, action->label);
    COV_BUF_LIT(buf, "</a>\n</td></tr></table>\n");
}

/* The address once more to copy, for who is shown no links. Its words would need a language; it has none. */
static void write_plain_link(cov_buf *buf, cov_str url)
{
    COV_BUF_LIT(buf, "<p style=\"margin:0;font-size:13px;line-height:1.6;color:" MUTED
                     ";word-break:break-all\">\n<a href=\"");
    escape(buf, url);
    COV_BUF_LIT(buf, "\" style=\"color:" MUTED "\">");
    escape(buf, url);
    COV_BUF_LIT(buf, "</a></p>\n");
}

static void write_html(cov_buf *buf, const cov_mail_action *action)
{
    COV_BUF_LIT(buf, "<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<title>");
    escape(buf, action->subject);
    COV_BUF_LIT(buf,
                "</title>\n</head>\n<body style=\"margin:0;padding:0;background:" PAGE "\">\n"
                "<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" "
                "cellspacing=\"0\" style=\"background:" PAGE ";padding:24px 0\">"
                "<tr><td align=\"center\">\n"
                "<table role=\"presentation\" width=\"600\" cellpadding=\"0\" "
                "cellspacing=\"0\" style=\"max-width:600px;width:100%;background:" CARD
                ";border-radius:" RADIUS ";font-family:" FONT "\"><tr><td style=\"padding:32px\">\n"
                "<h1 style=\"margin:0 0 16px;font-size:24px;font-weight:700;color:" TEXT "\">");
    escape(buf, action->heading);
    COV_BUF_LIT(buf, "</h1>\n");
    write_paragraphs(buf, action->paragraph);
    write_button(buf, action);
    write_plain_link(buf, action->url);
    COV_BUF_LIT(buf, "</td></tr></table>\n</td></tr></table>\n</body>\n</html>\n");
}

cov_status cov_mail_action_write(cov_arena *arena, const cov_mail_action *action,
                                 cov_mail_message *out, cov_error *err)
{
    cov_buf text = COV_BUF_IN(arena);
    cov_buf html = COV_BUF_IN(arena);

    if (!is_link(action->url))
        return cov_fail(err, COV_EINVAL, "The link of a mail is not an http, https or mailto URL");
    write_text(&text, action);
    write_html(&html, action);
    if (text.failed || html.failed)
        return cov_fail_nomem(err);
    out->subject = action->subject;
    out->text = cov_buf_view(&text);
    out->html = cov_buf_view(&html);
    return COV_OK;
}
