/* SPDX-License-Identifier: MIT */
#include "covara/error.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/json.h"
#include "base/utf8.h"
#include "covara/buf.h"

typedef struct status_row {
    int http;
    const char *slug;
    const char *code;
    const char *name;
} status_row;

static const status_row rows[] = {
#define ROW(name, number, http, slug, code) [-(number)] = { (http), (slug), (code), #name },
    COV_STATUS_MAP(ROW)
#undef ROW
};

static const status_row *row_of(cov_status status)
{
    size_t index = (size_t) - (int)status;

    return index < COV_COUNT_OF(rows) ? &rows[index] : &rows[-COV_EINTERNAL];
}

int cov_status_http(cov_status status)
{
    return row_of(status)->http;
}

const char *cov_status_slug(cov_status status)
{
    return row_of(status)->slug;
}

const char *cov_status_code(cov_status status)
{
    return row_of(status)->code;
}

const char *cov_status_name(cov_status status)
{
    return row_of(status)->name;
}

void cov_error_init(cov_error *err, cov_arena *arena)
{
    memset(err, 0, sizeof *err);
    err->offset = COV_NO_OFFSET;
    err->arena = arena;
}

cov_str cov_error_detail(const cov_error *err)
{
    return err->long_detail.ptr != NULL ? err->long_detail : cov_str_from(err->text);
}

/* A text that was cut at `len` bytes loses the code point that it ends within. */
static void cut_on_code_point(char *text, size_t len)
{
    size_t start = len;
    size_t at;

    while (start > 0 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    at = start - 1; /* the lead byte, or a byte of its own */
    if (cov_utf8_next(cov_str_of(text, len), &at) == 0xFFFD)
        text[start - 1] = '\0';
}

/* Formatted beside the error first: the arguments may point into its own text. */
static void set_detail(cov_error *err, const char *format, va_list args)
{
    char text[sizeof err->text];
    cov_str whole = COV_STR_NULL;
    va_list again;
    int len;

    va_copy(again, args);
    len = vsnprintf(text, sizeof text, format, args);
    if (len >= (int)sizeof text) {
        char *copy = err->arena != NULL ? cov_arena_alloc(err->arena, (size_t)len + 1) : NULL;

        if (copy != NULL) {
            vsnprintf(copy, (size_t)len + 1, format, again);
            whole = cov_str_of(copy, (size_t)len);
        }
        cut_on_code_point(text, sizeof text - 1);
    }
    va_end(again);
    memcpy(err->text, text, sizeof text);
    err->long_detail = whole;
}

static cov_status fail(cov_error *err, cov_status status, size_t offset, const char *format,
                       va_list args)
{
    if (err == NULL)
        return status;
    err->status = status;
    err->offset = offset;
    err->members = err->subject = COV_STR_NULL;
    set_detail(err, format, args);
    return status;
}

cov_status cov_fail(cov_error *err, cov_status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail(err, status, COV_NO_OFFSET, format, args);
    va_end(args);
    return status;
}

cov_status cov_fail_at(cov_error *err, cov_status status, size_t offset, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fail(err, status, offset, format, args);
    va_end(args);
    return status;
}

cov_status cov_fail_nomem(cov_error *err)
{
    return cov_fail(err, COV_ENOMEM, "out of memory");
}

static void add_member(cov_error *err, cov_str member)
{
    cov_buf all = COV_BUF_IN(err->arena);

    if (err->members.len != 0) {
        cov_buf_str(&all, err->members);
        cov_buf_char(&all, ',');
    }
    cov_buf_str(&all, member);
    if (!all.failed)
        err->members = cov_buf_view(&all);
}

void cov_error_member(cov_error *err, const char *format, ...)
{
    va_list args;
    char *text;
    int len;

    if (err == NULL || err->arena == NULL)
        return;
    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    text = len > 0 ? cov_arena_alloc(err->arena, (size_t)len + 1) : NULL;
    if (text == NULL)
        return;
    va_start(args, format);
    vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    add_member(err, cov_str_of(text, (size_t)len));
}

void cov_error_member_str(cov_error *err, const char *name, cov_str text)
{
    if (err != NULL && err->arena != NULL) {
        cov_buf member = COV_BUF_IN(err->arena);

        cov_json_str(&member, cov_str_from(name));
        cov_buf_char(&member, ':');
        cov_json_str(&member, text);
        if (!member.failed)
            add_member(err, cov_buf_view(&member));
    }
}

cov_status cov_fail_field(cov_error *err, cov_str field, const char *format, ...)
{
    cov_status st = cov_fail(err, COV_EINVAL, "Validation failed");
    char message[256];
    cov_buf member;
    va_list args;
    int len;

    if (err == NULL || err->arena == NULL)
        return st;
    va_start(args, format);
    len = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (len >= (int)sizeof message)
        cut_on_code_point(message, sizeof message - 1);
    member = (cov_buf)COV_BUF_IN(err->arena);
    COV_BUF_LIT(&member, "\"errors\":[{\"field\":");
    cov_json_str(&member, field);
    COV_BUF_LIT(&member, ",\"message\":");
    cov_json_str(&member, cov_str_from(message));
    COV_BUF_LIT(&member, "}]");
    if (!member.failed)
        add_member(err, cov_buf_view(&member));
    return st;
}
