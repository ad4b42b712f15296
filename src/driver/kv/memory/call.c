/* SPDX-License-Identifier: MIT */
/* Replies, arguments, and opening the entry that a command is about. */
#include "driver/kv/memory/call.h"

#include <math.h>

#include "base/json.h"
#include "base/num.h"

_Static_assert((int)KV_NUM_BYTES >= (int)COV_NUM_TEXT_BYTES, "numbers fit");

/* ---- replies ---- */

void cov__kv_item_int(cov_kv_reply *item, int64_t value)
{
    item->type = COV_KV_INT;
    item->i = value;
}

void cov__kv_item_text(kv_call *call, cov_kv_reply *item, cov_str text)
{
    item->s = cov_arena_str(call->arena, text);
    item->type = COV_KV_TEXT;
    if (item->s.ptr == NULL)
        call->no_room = true;
}

void cov__kv_reply_int(kv_call *call, int64_t value)
{
    cov__kv_item_int(call->reply, value);
}

void cov__kv_reply_text(kv_call *call, cov_str text)
{
    cov__kv_item_text(call, call->reply, text);
}

void cov__kv_reply_ok(kv_call *call)
{
    call->reply->type = COV_KV_TEXT;
    call->reply->s = COV_STR("OK");
}

bool cov__kv_reply_error(kv_call *call, const char *text)
{
    memset(call->reply, 0, sizeof *call->reply);
    call->reply->type = COV_KV_ERROR;
    call->reply->s = cov_str_from(text);
    return false;
}

cov_kv_reply *cov__kv_reply_list(kv_call *call, size_t n)
{
    cov_kv_reply *items = COV_NEW_ARRAY(call->arena, cov_kv_reply, n);

    if (items == NULL) {
        call->no_room = true;
        return NULL;
    }
    call->reply->type = COV_KV_LIST;
    call->reply->items = items;
    call->reply->n = n;
    return items;
}

/* ---- arguments ---- */

bool cov__kv_is_int(cov_str text, int64_t *out)
{
    size_t first = text.len > 0 && text.ptr[0] == '-';

    if (text.len == first || text.ptr[first] < '0' || text.ptr[first] > '9')
        return false;
    if (text.ptr[first] == '0' && text.len != 1)
        return false;
    return cov_parse_i64(text, out);
}

static bool is_infinity(cov_str text)
{
    if (text.len > 0 && (text.ptr[0] == '+' || text.ptr[0] == '-'))
        text = cov_str_slice(text, 1, text.len);
    return cov__kv_is_word(text, "inf") || cov__kv_is_word(text, "infinity");
}

bool cov__kv_is_double(cov_str text, double *out)
{
    if (is_infinity(text)) {
        *out = text.ptr[0] == '-' ? -INFINITY : INFINITY;
        return true;
    }
    /* A number too large for a double is none. */
    return cov_parse_double(text, out) && *out - *out == 0;
}

bool cov__kv_is_word(cov_str text, const char *word)
{
    return cov_str_eq_nocase(text, cov_str_from(word));
}

bool cov__kv_arg_int(kv_call *call, size_t at, int64_t *out)
{
    return cov__kv_is_int(call->args[at], out) || cov__kv_reply_error(call, KV_ERR_INTEGER);
}

bool cov__kv_arg_double(kv_call *call, size_t at, double *out)
{
    return cov__kv_is_double(call->args[at], out) || cov__kv_reply_error(call, KV_ERR_FLOAT);
}

cov_str cov__kv_int_text(int64_t value, char buffer[KV_NUM_BYTES])
{
    cov_buf buf = { .ptr = buffer, .cap = KV_NUM_BYTES };

    cov_buf_i64(&buf, value);
    return cov_buf_view(&buf);
}

cov_str cov__kv_double_text(double value, char buffer[KV_NUM_BYTES])
{
    if (value - value != 0)
        return value > 0 ? COV_STR("inf") : COV_STR("-inf");
    return cov_str_of(buffer, cov_num_text(value, buffer));
}

bool cov__kv_add(int64_t a, int64_t b, int64_t *out)
{
    if (b >= 0 ? a > INT64_MAX - b : a < INT64_MIN - b)
        return false;
    *out = a + b;
    return true;
}

/* ---- the entry of the first argument ---- */

uint64_t cov__kv_hash_of(const kv_call *call, cov_str text)
{
    return cov__kv_hash(call->engine->seed, text);
}

bool cov__kv_open(kv_call *call, kv_type type, kv_entry **out)
{
    *out = cov__kv_lookup(call->engine, call->args[0]);
    if (*out != NULL && (*out)->type != type)
        return cov__kv_reply_error(
            call, "WRONGTYPE Operation against a key holding the wrong kind of value");
    return true;
}

/* Redis's start and stop in a sequence of `len` as [*from, *to). */
static void range_of(int64_t start, int64_t stop, int64_t len, size_t *from, size_t *to)
{
    if (start < 0)
        start = start + len < 0 ? 0 : start + len;
    if (stop < 0)
        stop += len;
    if (stop >= len)
        stop = len - 1;
    *from = *to = 0;
    if (start <= stop) {
        *from = (size_t)start;
        *to = (size_t)stop + 1;
    }
}

bool cov__kv_open_range(kv_call *call, kv_type type, kv_entry **out, size_t *from, size_t *to)
{
    int64_t start;
    int64_t stop;
    size_t len;

    if (!cov__kv_arg_int(call, 1, &start) || !cov__kv_arg_int(call, 2, &stop) ||
        !cov__kv_open(call, type, out))
        return false;
    len = *out != NULL ? cov__kv_value_len(type, &(*out)->value) : 0;
    range_of(start, stop, (int64_t)len, from, to);
    return true;
}

bool cov__kv_edit(kv_call *call, kv_type type, kv_edit *out)
{
    if (!cov__kv_open(call, type, &out->entry))
        return false;
    out->fresh = out->entry == NULL;
    if (out->fresh)
        out->entry = cov__kv_entry_new(call->engine, call->args[0], type);
    return out->entry != NULL || cov__kv_reply_error(call, KV_ERR_MEMORY);
}

static bool is_empty(const kv_entry *entry)
{
    if (entry->type == KV_STRING)
        return entry->value.string == NULL;
    return cov__kv_value_len(entry->type, &entry->value) == 0;
}

void cov__kv_close(kv_call *call, const kv_edit *edit)
{
    bool empty = is_empty(edit->entry);

    if (edit->fresh && empty)
        cov__kv_entry_free(call->engine, edit->entry);
    else if (edit->fresh)
        cov__kv_entry_add(call->engine, edit->entry);
    else if (empty)
        cov__kv_entry_delete(call->engine, edit->entry);
}

int64_t cov__kv_after(const kv_engine *engine, int64_t ttl_ms)
{
    int64_t at;

    return cov__kv_add(engine->now_ms, ttl_ms, &at) ? at : INT64_MAX;
}
