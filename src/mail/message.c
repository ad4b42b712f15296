/* SPDX-License-Identifier: MIT */
/*
 * Messages: what is refused, and the provider's JSON.
 *
 * An address is exactly one address. Texts of users end up here (the address and the name of an account), and a
 * comma or a bracket that slips through would add a reader to a mail that carries a token.
 */
#include "mail/message.h"

#include "covara/json.h"

/* ---- what is refused ---- */

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool is_line(cov_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (is_control(s.ptr[i]))
            return false;
    return true;
}

/* local@domain, without what would end an address or begin another. Not whether anybody reads it. */
static bool is_bare_address(cov_str s)
{
    size_t at = cov_str_find(s, '@', 0);

    for (size_t i = 0; i < s.len; i++)
        if (is_control(s.ptr[i]) || strchr(" ,;:<>()\"\\", s.ptr[i]) != NULL)
            return false;
    return at > 0 && at + 1 < s.len && cov_str_find(s, '@', at + 1) == s.len;
}

/* What is before the bracket of "Name <a@b.c>": words and quoted texts. */
static bool is_display_name(cov_str s)
{
    bool quoted = false;

    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];

        if (is_control(c) || (!quoted && strchr(",;:<>()@\\", c) != NULL))
            return false;
        if (c == '"')
            quoted = !quoted;
        else if (c == '\\' && ++i == s.len)
            return false;
        else if (c == '\\' && is_control(s.ptr[i]))
            return false;
    }
    return !quoted;
}

static bool is_address(const cov_mail_address *address)
{
    cov_str s = address->email;
    size_t open;

    if (address->name.len > 0 || s.len == 0 || s.ptr[s.len - 1] != '>')
        return is_line(address->name) && is_bare_address(s);
    open = s.len; /* the last bracket: one before it is in quotes or a mistake */
    while (open > 0 && s.ptr[open - 1] != '<')
        open--;
    return open > 0 && is_display_name(cov_str_slice(s, 0, open - 1)) &&
           is_bare_address(cov_str_slice(s, open, s.len - 1));
}

/* RFC 5322 section 2.2: printable ASCII without the colon. */
static bool is_header_name(cov_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~' || s.ptr[i] == ':')
            return false;
    return s.len > 0;
}

static cov_status check_addresses(const cov_mail_message *message, cov_error *err)
{
    if (!is_address(&message->from))
        return cov_fail(err, COV_EINVAL, "The sender is not an e-mail address");
    if (message->n_to == 0)
        return cov_fail(err, COV_EINVAL, "A mail needs at least one recipient");
    for (size_t i = 0; i < message->n_to; i++)
        if (!is_address(&message->to[i]))
            return cov_fail(err, COV_EINVAL, "A recipient is not an e-mail address");
    if (message->reply_to.email.ptr != NULL && !is_address(&message->reply_to))
        return cov_fail(err, COV_EINVAL, "The address to reply to is not an e-mail address");
    return COV_OK;
}

cov_status cov__mail_message_check(const cov_mail_message *message, cov_error *err)
{
    cov_status st = check_addresses(message, err);

    if (st != COV_OK)
        return st;
    if (!is_line(message->subject))
        return cov_fail(err, COV_EINVAL, "The subject holds a line break or another control");
    if (message->text.ptr == NULL && message->html.ptr == NULL)
        return cov_fail(err, COV_EINVAL, "A mail needs a text or HTML");
    for (size_t i = 0; i < message->n_headers; i++)
        if (!is_header_name(message->headers[i][0]) || !is_line(message->headers[i][1]))
            return cov_fail(err, COV_EINVAL, "A header of the mail is not a name and one line");
    return COV_OK;
}

/* ---- JSON ---- */

/* RFC 5322 section 3.2.3: words of these need no quotes. Text beyond ASCII is the provider's to encode. */
static bool is_plain_name(cov_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (strchr("()<>[]:;@\\,.\"", c) != NULL)
            return false;
    }
    return true;
}

void cov__mail_address_write(cov_buf *buf, const cov_mail_address *address)
{
    cov_str name = address->name;

    if (name.len == 0) {
        cov_buf_str(buf, address->email);
        return;
    }
    if (is_plain_name(name)) {
        cov_buf_str(buf, name);
    } else {
        cov_buf_char(buf, '"');
        for (size_t i = 0; i < name.len; i++) {
            if (name.ptr[i] == '"' || name.ptr[i] == '\\')
                cov_buf_char(buf, '\\');
            cov_buf_char(buf, name.ptr[i]);
        }
        cov_buf_char(buf, '"');
    }
    COV_BUF_LIT(buf, " <");
    cov_buf_str(buf, address->email);
    cov_buf_char(buf, '>');
}

static void address_value(cov_buf *buf, cov_arena *arena, const cov_mail_address *address)
{
    cov_buf text = COV_BUF_IN(arena);

    cov__mail_address_write(&text, address);
    if (text.failed)
        buf->failed = true;
    cov_json_str(buf, cov_buf_view(&text));
}

static void optional_text(cov_buf *buf, const char *name, cov_str text)
{
    if (text.ptr == NULL)
        return;
    cov_buf_printf(buf, ",\"%s\":", name);
    cov_json_str(buf, text);
}

static void headers_value(cov_buf *buf, const cov_mail_message *message)
{
    cov_buf_char(buf, '{');
    for (size_t i = 0; i < message->n_headers; i++) {
        if (i > 0)
            cov_buf_char(buf, ',');
        cov_json_str(buf, message->headers[i][0]);
        cov_buf_char(buf, ':');
        cov_json_str(buf, message->headers[i][1]);
    }
    cov_buf_char(buf, '}');
}

void cov__mail_payload(cov_buf *buf, cov_arena *arena, const cov_mail_message *message)
{
    COV_BUF_LIT(buf, "{\"from\":");
    address_value(buf, arena, &message->from);
    COV_BUF_LIT(buf, ",\"to\":[");
    for (size_t i = 0; i < message->n_to; i++) {
        if (i > 0)
            cov_buf_char(buf, ',');
        address_value(buf, arena, &message->to[i]);
    }
    COV_BUF_LIT(buf, "],\"subject\":");
    cov_json_str(buf, message->subject);
    optional_text(buf, "html", message->html);
    optional_text(buf, "text", message->text);
    if (message->reply_to.email.ptr != NULL) {
        COV_BUF_LIT(buf, ",\"reply_to\":");
        address_value(buf, arena, &message->reply_to);
    }
    if (message->n_headers > 0) {
        COV_BUF_LIT(buf, ",\"headers\":");
        headers_value(buf, message);
    }
    cov_buf_char(buf, '}');
}
