/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "base/encode.h"

#include <stdlib.h>

#include "base/time.h"
#include "base/utf8.h"

/*
 * DESIGN of reading: yyjson parses a padded copy in place, all in the arena. The copy is only checked
 * further when that fails: then invalid UTF-8 and unpaired surrogate escapes, which yyjson refuses, are
 * rewritten and the text is parsed once more. So a good body costs one copy and one parse.
 *
 * DESIGN of writing: a small object whose keys are distinct and do not look like array indexes, which is
 * nearly every object, goes out as it stands. Any other one is ordered by sorting, never by hashing, so that
 * nobody can choose keys that make it slow.
 */

enum { SMALL_OBJECT = 16, NUMBER_POOL_BYTES = 256, ESCAPE_BYTES = 6, MAX_DECIMALS = 6 };
/* Array indexes of JavaScript end before 2^32 - 1; keys that are none sort after them. */
#define NOT_AN_INDEX UINT64_C(4294967295)
#define ONES UINT64_C(0x0101010101010101)

/* ---- strings ---- */

/* What follows the backslash; u = \u00xx; 0 = the byte stands for itself (from 0x80 on: see UTF-8). */
static const char escapes[128] = {
    [0x00] = 'u', [0x01] = 'u', [0x02] = 'u', [0x03] = 'u',  [0x04] = 'u', [0x05] = 'u',
    [0x06] = 'u', [0x07] = 'u', [0x08] = 'b', [0x09] = 't',  [0x0A] = 'n', [0x0B] = 'u',
    [0x0C] = 'f', [0x0D] = 'r', [0x0E] = 'u', [0x0F] = 'u',  [0x10] = 'u', [0x11] = 'u',
    [0x12] = 'u', [0x13] = 'u', [0x14] = 'u', [0x15] = 'u',  [0x16] = 'u', [0x17] = 'u',
    [0x18] = 'u', [0x19] = 'u', [0x1A] = 'u', [0x1B] = 'u',  [0x1C] = 'u', [0x1D] = 'u',
    [0x1E] = 'u', [0x1F] = 'u', ['"'] = '"',  ['\\'] = '\\',
};

/*
 * Is there a control byte, a quote, a backslash or a high bit among the eight bytes? XOR 2 moves the quote to
 * 0x20, next to the control bytes, so that one subtraction finds both; a borrow only starts at a hit.
 */
static bool is_special_word(uint64_t word)
{
    uint64_t control_or_quote = (word ^ ONES * 0x02) - ONES * 0x21;
    uint64_t backslash = (word ^ ONES * 0x5C) - ONES;

    return ((word | control_or_quote | backslash) & ONES * 0x80) != 0;
}

static bool is_plain_byte(unsigned char c)
{
    return c < 0x80 && escapes[c] == 0;
}

static uint64_t word_at(const char *p)
{
    uint64_t word;

    memcpy(&word, p, sizeof word);
    return word;
}

/* Length of the prefix that needs no escape and is ASCII. */
static size_t plain_prefix(const char *p, size_t len)
{
    size_t at = 0;

    while (len - at >= 8 && !is_special_word(word_at(p + at)))
        at += 8;
    /* The last bytes again as one word that overlaps what is known to be plain. */
    if (at != 0 && len - at < 8 && !is_special_word(word_at(p + len - 8)))
        return len;
    while (at < len && is_plain_byte((unsigned char)p[at]))
        at++;
    return at;
}

/* From `at`, the end of the text that can be copied as it is: no escapes, valid UTF-8. */
static size_t verbatim_end(cov_str text, size_t at)
{
    for (;;) {
        at += plain_prefix(text.ptr + at, text.len - at);
        if (at == text.len || (unsigned char)text.ptr[at] < 0x80)
            return at;
        while (at < text.len && (unsigned char)text.ptr[at] >= 0x80) {
            size_t next = at;

            cov_utf8_next(text, &next);
            if (next == at + 1)
                return at;
            at = next;
        }
    }
}

static void put_escape(cov_buf *buf, unsigned char c)
{
    char text[ESCAPE_BYTES] = { '\\', 'u', '0', '0', '0', '0' };

    if (c >= 0x80) {
        cov_utf8_append(buf, 0xFFFD);
    } else if (escapes[c] != 'u') {
        text[1] = escapes[c];
        cov_buf_append(buf, text, 2);
    } else {
        text[4] = (char)('0' + (c >> 4));
        text[5] = "0123456789abcdef"[c & 15];
        cov_buf_append(buf, text, ESCAPE_BYTES);
    }
}

static void put_escaped(cov_buf *buf, cov_str text, size_t plain)
{
    size_t from = 0;
    size_t to = verbatim_end(text, plain);

    cov_buf_char(buf, '"');
    for (;;) {
        cov_buf_append(buf, text.ptr + from, to - from);
        if (to == text.len || buf->failed)
            break;
        put_escape(buf, (unsigned char)text.ptr[to]);
        from = to + 1;
        to = verbatim_end(text, from);
    }
    cov_buf_char(buf, '"');
}

void cov_json_str(cov_buf *buf, cov_str text)
{
    size_t plain = plain_prefix(text.ptr, text.len);
    char *to;

    if (plain < text.len) {
        put_escaped(buf, text, plain);
        return;
    }
    if (COV_UNLIKELY(text.len > SIZE_MAX - 2))
        buf->failed = true;
    to = cov_buf_reserve(buf, text.len + 2);
    if (to == NULL)
        return;
    to[0] = '"';
    if (text.len != 0)
        memcpy(to + 1, text.ptr, text.len);
    to[text.len + 1] = '"';
    buf->len += text.len + 2;
}

void cov_json_bool(cov_buf *buf, bool value)
{
    if (value)
        COV_BUF_LIT(buf, "true");
    else
        COV_BUF_LIT(buf, "false");
}

void cov_json_time(cov_buf *buf, int64_t ms)
{
    char text[COV_TIME_TEXT_BYTES];
    size_t len = cov_time_format(ms, text);

    if (len == 0)
        COV_BUF_LIT(buf, "null");
    else
        cov_json_str(buf, cov_str_of(text, len));
}

/* ---- numbers ---- */

void cov_json_int(cov_buf *buf, int64_t value)
{
    bool quoted = value > COV_JSON_MAX_SAFE_INT || value < -COV_JSON_MAX_SAFE_INT;

    if (quoted)
        cov_buf_char(buf, '"');
    cov_buf_i64(buf, value);
    if (quoted)
        cov_buf_char(buf, '"');
}

static size_t integer_text(int64_t value, char *out)
{
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char reversed[20];
    size_t n = 0;
    size_t len = 0;

    do {
        reversed[n++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    if (value < 0)
        out[len++] = '-';
    while (n > 0)
        out[len++] = reversed[--n];
    return len;
}

/*
 * yyjson writes what JavaScript writes, but for two things: ".0" after a whole number, no plus sign in an
 * exponent.
 */
static size_t shortest_text(double value, char out[COV_NUM_TEXT_BYTES])
{
    max_align_t pool[NUMBER_POOL_BYTES / sizeof(max_align_t)];
    yyjson_val number = { 0 };
    yyjson_alc alc;
    const char *text;
    size_t len = 0;
    size_t at = 0;

    yyjson_alc_pool_init(&alc, pool, sizeof pool);
    number.tag = YYJSON_TYPE_NUM | YYJSON_SUBTYPE_REAL;
    number.uni.f64 = value;
    text = yyjson_val_write_opts(&number, YYJSON_WRITE_NOFLAG, &alc, &len, NULL);
    if (text == NULL || len >= COV_NUM_TEXT_BYTES)
        return 0;
    if (len > 2 && text[len - 2] == '.' && text[len - 1] == '0')
        len -= 2;
    while (at < len && text[at] != 'e')
        at++;
    memcpy(out, text, at);
    if (at == len)
        return len;
    out[at++] = 'e';
    if (text[at] != '-') {
        out[at] = '+';
        memcpy(out + at + 1, text + at, len - at);
        return len + 1;
    }
    memcpy(out + at, text + at, len - at);
    return len;
}

/*
 * A number with at most MAX_DECIMALS decimals, which is what prices and ratings are. A decimal of at most 15
 * digits is the only one of that length which reads back as its double, so the first that does is the shortest.
 * The quotient of two exact doubles is rounded correctly, which makes the comparison a proof. Returns 0 when
 * there is none.
 */
static size_t short_decimal_text(double value, char *out)
{
    double positive = value < 0 ? -value : value;
    double scale = 1;
    uint64_t power = 1;

    for (int n = 1; n <= MAX_DECIMALS; n++) {
        double scaled;
        double whole;
        size_t len;

        scale *= 10;
        power *= 10;
        scaled = positive * scale;
        if (scaled >= 1e15)
            return 0;
        whole = (double)(int64_t)(scaled + 0.5);
        /* A product is off by half a unit in the last place; dividing is dear, so most are ruled out here. */
        if (scaled - whole > scaled * 4e-16 || whole - scaled > scaled * 4e-16 ||
            whole / scale != positive)
            continue;
        out[0] = '-';
        len = (size_t)(value < 0);
        len += integer_text((int64_t)((uint64_t)whole / power), out + len);
        out[len++] = '.';
        for (uint64_t rest = (uint64_t)whole % power, i = (uint64_t)n; i > 0; i--, rest /= 10)
            out[len + i - 1] = (char)('0' + rest % 10);
        return len + (size_t)n;
    }
    return 0;
}

static size_t copy_word(char *out, const char *word)
{
    size_t len = strlen(word);

    memcpy(out, word, len);
    return len;
}

size_t cov_num_text(double value, char out[COV_NUM_TEXT_BYTES])
{
    if (value >= -(double)COV_JSON_MAX_SAFE_INT && value <= (double)COV_JSON_MAX_SAFE_INT) {
        int64_t whole = (int64_t)value;
        size_t len;

        if ((double)whole == value)
            return integer_text(whole, out);
        len = short_decimal_text(value, out);
        return len != 0 ? len : shortest_text(value, out);
    }
    if (value != value)
        return copy_word(out, "NaN");
    if (value - value != 0)
        return copy_word(out, value > 0 ? "Infinity" : "-Infinity");
    return shortest_text(value, out);
}

void cov_json_double(cov_buf *buf, double value)
{
    char text[COV_NUM_TEXT_BYTES];

    if (value - value != 0)
        COV_BUF_LIT(buf, "null");
    else
        cov_buf_append(buf, text, cov_num_text(value, text));
}

/* ---- values out ---- */

/* yyjson's getters take pointers to non-const; these read the same members. */
static yyjson_type type_of(const yyjson_val *value)
{
    return (yyjson_type)(value->tag & YYJSON_TYPE_MASK);
}

static size_t len_of(const yyjson_val *value)
{
    return (size_t)(value->tag >> YYJSON_TAG_BIT);
}

static cov_str text_of(const yyjson_val *value)
{
    return cov_str_of(value->uni.str, len_of(value));
}

/* The value after this one and everything in it. */
static const yyjson_val *after(const yyjson_val *value)
{
    yyjson_type type = type_of(value);

    if (type != YYJSON_TYPE_ARR && type != YYJSON_TYPE_OBJ)
        return value + 1;
    return (const yyjson_val *)(const void *)((const char *)value + value->uni.ofs);
}

typedef struct member {
    cov_str key;
    const yyjson_val *value;
    uint64_t order;
} member;

static void write_value(cov_buf *buf, const yyjson_val *value, int depth);

static void write_member(cov_buf *buf, bool first, cov_str key, const yyjson_val *value, int depth)
{
    if (!first)
        cov_buf_char(buf, ',');
    cov_json_str(buf, key);
    cov_buf_char(buf, ':');
    write_value(buf, value, depth);
}

/* The index that a canonical array-index key names, or NOT_AN_INDEX. */
static uint64_t index_of(cov_str key)
{
    uint64_t index = 0;

    if (key.len == 0 || key.len > 10 || (key.ptr[0] == '0' && key.len > 1))
        return NOT_AN_INDEX;
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] < '0' || key.ptr[i] > '9')
            return NOT_AN_INDEX;
        index = index * 10 + (uint64_t)(key.ptr[i] - '0');
    }
    return index < NOT_AN_INDEX ? index : NOT_AN_INDEX;
}

/* Is the object's own order the canonical one? May say no without need. */
static bool is_canonical(const yyjson_val *object, size_t n)
{
    cov_str seen[SMALL_OBJECT];
    const yyjson_val *key = object + 1;

    if (n > SMALL_OBJECT)
        return false;
    for (size_t i = 0; i < n; i++, key = after(key + 1)) {
        seen[i] = text_of(key);
        if (seen[i].len != 0 && seen[i].ptr[0] >= '0' && seen[i].ptr[0] <= '9')
            return false;
        for (size_t j = 0; j < i; j++)
            if (cov_str_eq(seen[j], seen[i]))
                return false;
    }
    return true;
}

static int compare_order(const void *left, const void *right)
{
    uint64_t a = ((const member *)left)->order;
    uint64_t b = ((const member *)right)->order;

    return a < b ? -1 : a > b;
}

static int compare_key(const void *left, const void *right)
{
    int order = cov_str_compare(((const member *)left)->key, ((const member *)right)->key);

    return order != 0 ? order : compare_order(left, right);
}

/* Members sorted by key, then place: of equal keys keep the first one's place and the last one's value. */
static size_t drop_duplicates(member *members, size_t n)
{
    size_t kept = 0;

    for (size_t i = 1; i < n; i++) {
        if (cov_str_eq(members[kept].key, members[i].key))
            members[kept].value = members[i].value;
        else
            members[++kept] = members[i];
    }
    return kept + 1;
}

static void write_sorted(cov_buf *buf, const yyjson_val *object, size_t n, int depth)
{
    cov_buf scratch = COV_BUF_IN(buf->arena);
    member *members = NULL;
    const yyjson_val *key = object + 1;

    if (n <= SIZE_MAX / sizeof *members)
        members = (member *)(void *)cov_buf_reserve(&scratch, n * sizeof *members);
    if (members == NULL) {
        buf->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++, key = after(key + 1)) {
        members[i].key = text_of(key);
        members[i].value = key + 1;
        members[i].order = i;
    }
    qsort(members, n, sizeof *members, compare_key);
    n = drop_duplicates(members, n);
    for (size_t i = 0; i < n; i++) {
        uint64_t index = index_of(members[i].key);

        members[i].order = index != NOT_AN_INDEX ? index : NOT_AN_INDEX + members[i].order;
    }
    qsort(members, n, sizeof *members, compare_order);
    for (size_t i = 0; i < n; i++)
        write_member(buf, i == 0, members[i].key, members[i].value, depth);
    cov_buf_dispose(&scratch);
}

static void write_object(cov_buf *buf, const yyjson_val *object, int depth)
{
    size_t n = len_of(object);
    const yyjson_val *key = object + 1;

    cov_buf_char(buf, '{');
    if (is_canonical(object, n)) {
        for (size_t i = 0; i < n; i++, key = after(key + 1))
            write_member(buf, i == 0, text_of(key), key + 1, depth);
    } else {
        write_sorted(buf, object, n, depth);
    }
    cov_buf_char(buf, '}');
}

static void write_array(cov_buf *buf, const yyjson_val *array, int depth)
{
    size_t n = len_of(array);
    const yyjson_val *item = array + 1;

    cov_buf_char(buf, '[');
    for (size_t i = 0; i < n; i++, item = after(item)) {
        if (i != 0)
            cov_buf_char(buf, ',');
        write_value(buf, item, depth);
    }
    cov_buf_char(buf, ']');
}

static void write_number(cov_buf *buf, const yyjson_val *value)
{
    if ((value->tag & YYJSON_SUBTYPE_MASK) == YYJSON_SUBTYPE_REAL)
        cov_json_double(buf, value->uni.f64);
    else if ((value->tag & YYJSON_SUBTYPE_MASK) == YYJSON_SUBTYPE_SINT)
        cov_buf_i64(buf, value->uni.i64);
    else
        cov_buf_u64(buf, value->uni.u64);
}

/* An integer of more than 64 bits keeps its digits; anything else raw is beyond double, so infinite. */
static void write_raw(cov_buf *buf, cov_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '-' && (text.ptr[i] < '0' || text.ptr[i] > '9')) {
            COV_BUF_LIT(buf, "null");
            return;
        }
    }
    cov_buf_str(buf, text);
}

static void write_value(cov_buf *buf, const yyjson_val *value, int depth)
{
    yyjson_type type = type_of(value);

    if (buf->failed)
        return;
    if (type == YYJSON_TYPE_STR) {
        cov_json_str(buf, text_of(value));
    } else if (type == YYJSON_TYPE_NUM) {
        write_number(buf, value);
    } else if (type == YYJSON_TYPE_RAW) {
        write_raw(buf, text_of(value));
    } else if (type == YYJSON_TYPE_BOOL) {
        cov_json_bool(buf, (value->tag & YYJSON_SUBTYPE_MASK) == YYJSON_SUBTYPE_TRUE);
    } else if (type == YYJSON_TYPE_NULL) {
        COV_BUF_LIT(buf, "null");
    } else if (depth == COV_JSON_MAX_DEPTH) {
        /* Nothing that cov_json_read returned is this deep. */
        buf->failed = true;
    } else if (type == YYJSON_TYPE_ARR) {
        write_array(buf, value, depth + 1);
    } else {
        write_object(buf, value, depth + 1);
    }
}

void cov_json_value(cov_buf *buf, const yyjson_val *value)
{
    write_value(buf, value, 0);
}

/* ---- values in ---- */

static void *arena_malloc(void *arena, size_t size)
{
    return cov_arena_alloc(arena, size);
}

static void *arena_realloc(void *arena, void *old, size_t old_size, size_t size)
{
    void *p = cov_arena_alloc(arena, size);

    if (p != NULL && old != NULL)
        memcpy(p, old, old_size < size ? old_size : size);
    return p;
}

static void arena_free(void *arena, void *p)
{
    (void)arena;
    (void)p;
}

static yyjson_doc *parse(cov_arena *arena, cov_str text, yyjson_read_err *failure)
{
    yyjson_alc alc = { arena_malloc, arena_realloc, arena_free, arena };
    char *copy = NULL;

    if (text.len <= SIZE_MAX - YYJSON_PADDING_SIZE)
        copy = cov_arena_alloc(arena, text.len + YYJSON_PADDING_SIZE);
    if (copy == NULL) {
        failure->code = YYJSON_READ_ERROR_MEMORY_ALLOCATION;
        failure->pos = 0;
        return NULL;
    }
    if (text.len != 0)
        memcpy(copy, text.ptr, text.len);
    memset(copy + text.len, 0, YYJSON_PADDING_SIZE);
    return yyjson_read_opts(copy, text.len, YYJSON_READ_INSITU | YYJSON_READ_BIGNUM_AS_RAW, &alc,
                            failure);
}

static bool is_too_deep(yyjson_doc *doc)
{
    const yyjson_val *ends[COV_JSON_MAX_DEPTH];
    const yyjson_val *value = doc->root;
    const yyjson_val *end = value + doc->val_read;
    size_t depth = 0;

    for (; value < end; value++) {
        yyjson_type type = type_of(value);

        while (depth > 0 && value >= ends[depth - 1])
            depth--;
        if (type != YYJSON_TYPE_ARR && type != YYJSON_TYPE_OBJ)
            continue;
        if (depth == COV_JSON_MAX_DEPTH)
            return true;
        ends[depth++] = after(value);
    }
    return false;
}

/* Where the text opens one container too many, or SIZE_MAX. Right as far as the text is valid. */
static size_t too_deep_at(cov_str text)
{
    bool in_string = false;
    size_t depth = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '"')
            in_string = !in_string;
        else if (in_string && c == '\\')
            i++;
        else if (!in_string && (c == '[' || c == '{') && ++depth > COV_JSON_MAX_DEPTH)
            return i;
        else if (!in_string && (c == ']' || c == '}') && depth > 0)
            depth--;
    }
    return SIZE_MAX;
}

/* The number of the \uXXXX escape at `at`, or -1. */
static int32_t unicode_escape(cov_str text, size_t at)
{
    int32_t value = 0;

    if (at > text.len || text.len - at < ESCAPE_BYTES || text.ptr[at] != '\\' ||
        text.ptr[at + 1] != 'u')
        return -1;
    for (size_t i = 2; i < ESCAPE_BYTES; i++) {
        int digit = cov_hex_value(text.ptr[at + i]);

        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static bool is_high_surrogate(int32_t unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low_surrogate(int32_t unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* The next unpaired surrogate escape at or after `at`, or text.len. */
static size_t next_unpaired(cov_str text, size_t at)
{
    while ((at = cov_str_find(text, '\\', at)) < text.len) {
        int32_t unit = unicode_escape(text, at);

        if (is_high_surrogate(unit) && is_low_surrogate(unicode_escape(text, at + ESCAPE_BYTES)))
            at += 2 * ESCAPE_BYTES;
        else if (is_high_surrogate(unit) || is_low_surrogate(unit))
            return at;
        else
            at += 2;
    }
    return text.len;
}

/* `text` itself when there is nothing to repair; ptr NULL: out of memory. Offsets within it do not change. */
static cov_str repair_surrogates(cov_arena *arena, cov_str text)
{
    size_t at = next_unpaired(text, 0);
    char *copy;

    if (at == text.len)
        return text;
    copy = cov_arena_alloc(arena, text.len);
    if (copy == NULL)
        return COV_STR_NULL;
    memcpy(copy, text.ptr, text.len);
    for (; at < text.len; at = next_unpaired(text, at + ESCAPE_BYTES))
        memcpy(copy + at, "\\ufffd", ESCAPE_BYTES);
    return cov_str_of(copy, text.len);
}

/* The offset in `text` of what is at `repaired_at` after cov_utf8_repair. */
static size_t offset_before_repair(cov_str text, size_t repaired_at)
{
    size_t repaired = 0;
    size_t at = 0;

    while (at < text.len && repaired < repaired_at) {
        size_t from = at;
        bool invalid = cov_utf8_next(text, &at) == 0xFFFD && at == from + 1;

        repaired += invalid ? sizeof "\xEF\xBF\xBD" - 1 : at - from;
    }
    return at;
}

static cov_status fail_at(cov_error *err, size_t offset, const char *reason)
{
    return cov_fail_at(err, COV_EINVAL, offset, "invalid JSON at byte %zu: %s", offset, reason);
}

/* `parsed` is what yyjson saw: `text` after repair. `skipped` bytes came before `text`. */
static cov_status explain(cov_str text, size_t skipped, cov_str parsed,
                          const yyjson_read_err *failure, cov_error *err)
{
    bool no_memory = failure->code == YYJSON_READ_ERROR_MEMORY_ALLOCATION;
    size_t deep = too_deep_at(text);
    size_t at = parsed.len != text.len ? offset_before_repair(text, failure->pos) : failure->pos;

    if (deep != SIZE_MAX && (no_memory || deep < at))
        return fail_at(err, skipped + deep, "nested too deep");
    if (no_memory)
        return cov_fail_nomem(err);
    if (text.len == 0 || failure->code == YYJSON_READ_ERROR_EMPTY_CONTENT)
        return fail_at(err, skipped + text.len, "the text is empty");
    return fail_at(err, skipped + at, failure->msg);
}

cov_status cov_json_read(cov_arena *arena, cov_str text, yyjson_val **out, cov_error *err)
{
    size_t skipped = cov_str_starts(text, COV_STR("\xEF\xBB\xBF")) ? 3 : 0;
    cov_str body = cov_str_slice(text, skipped, text.len);
    cov_str parsed = body;
    yyjson_read_err failure = { 0 };
    yyjson_doc *doc = parse(arena, body, &failure);

    if (doc == NULL && failure.code != YYJSON_READ_ERROR_MEMORY_ALLOCATION && body.len != 0) {
        parsed = cov_utf8_repair(arena, body);
        if (parsed.ptr != NULL)
            parsed = repair_surrogates(arena, parsed);
        if (parsed.ptr == NULL)
            return cov_fail_nomem(err);
        if (parsed.ptr != body.ptr)
            doc = parse(arena, parsed, &failure);
    }
    if (doc == NULL)
        return explain(body, skipped, parsed, &failure, err);
    if (is_too_deep(doc))
        return fail_at(err, skipped + too_deep_at(body), "nested too deep");
    *out = doc->root;
    return COV_OK;
}
