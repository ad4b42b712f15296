/* SPDX-License-Identifier: MIT */
/*
 * Is a pattern inside the dialect of spec/02 section 7.4, which PCRE2, JavaScript and PostgreSQL read alike?
 *
 * One pass, no recursion. What the engines read differently is refused too: "{" or "}" as a literal, "[]",
 * POSIX classes, a class escape as an end of a range, a quantifier on an anchor (which also keeps out
 * PCRE2's "(*VERB)").
 */
#include "rsql/expr.h"

enum {
    MAX_PATTERN_BYTES = 512,
    MAX_GROUPS = 50, /* open at once; PCRE2 stops at 250 */
    MAX_REPEAT = 255 /* PostgreSQL's DUPMAX */
};

typedef struct scan {
    cov_str pattern;
    size_t at;
    size_t groups;
    bool quantifiable; /* an atom was just read, and no quantifier follows it yet */
} scan;

static char peek(const scan *s, size_t ahead)
{
    return s->at + ahead < s->pattern.len ? s->pattern.ptr[s->at + ahead] : '\0';
}

static bool has(const scan *s, size_t ahead)
{
    return s->at + ahead < s->pattern.len;
}

static bool is_punctuation(char c)
{
    return c > ' ' && c < 0x7F && !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'z') &&
           !(c >= 'A' && c <= 'Z') && c != '_';
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* An escape at the position, outside a class. */
static bool scan_escape(scan *s)
{
    char c = peek(s, 1);

    if (!has(s, 1) || (!is_punctuation(c) && !is_one_of(c, "dDwWsSbnrtf")))
        return false;
    s->quantifiable = c != 'b';
    s->at += 2;
    return true;
}

/* One member of a class; *is_set tells an escape such as \d, which cannot end a range. */
static bool scan_class_member(scan *s, bool *is_set)
{
    char c = peek(s, 0);

    *is_set = false;
    if (c == '\\') {
        c = peek(s, 1);
        *is_set = is_one_of(c, "dDwWsS");
        if (!has(s, 1) || (!is_punctuation(c) && !*is_set && !is_one_of(c, "nrtf")))
            return false;
        s->at += 2;
        return true;
    }
    if (c == '[' && is_one_of(peek(s, 1), ":.="))
        return false;
    s->at++;
    return true;
}

static bool scan_class(scan *s)
{
    bool is_set = false;

    s->at++;
    if (peek(s, 0) == '^')
        s->at++;
    if (peek(s, 0) == ']')
        return false;
    while (has(s, 0) && peek(s, 0) != ']') {
        if (!scan_class_member(s, &is_set))
            return false;
        if (peek(s, 0) != '-' || peek(s, 1) == ']')
            continue;
        s->at++;
        if (is_set || !has(s, 0) || !scan_class_member(s, &is_set) || is_set)
            return false;
    }
    if (!has(s, 0))
        return false;
    s->at++;
    s->quantifiable = true;
    return true;
}

static bool scan_number(scan *s, unsigned *out)
{
    size_t start = s->at;

    *out = 0;
    while (peek(s, 0) >= '0' && peek(s, 0) <= '9') {
        *out = *out * 10 + (unsigned)(peek(s, 0) - '0');
        if (*out > MAX_REPEAT)
            return false;
        s->at++;
    }
    return s->at > start;
}

/* {m} {m,} {m,n} */
static bool scan_braces(scan *s)
{
    unsigned low;
    unsigned high;

    s->at++;
    if (!scan_number(s, &low))
        return false;
    if (peek(s, 0) == ',') {
        s->at++;
        if (peek(s, 0) != '}' && (!scan_number(s, &high) || high < low))
            return false;
    }
    if (peek(s, 0) != '}')
        return false;
    s->at++;
    return true;
}

static bool scan_quantifier(scan *s)
{
    if (!s->quantifiable)
        return false;
    s->quantifiable = false; /* a second one would make it lazy or possessive */
    if (peek(s, 0) == '{')
        return scan_braces(s);
    s->at++;
    return true;
}

static bool scan_open(scan *s)
{
    if (++s->groups > MAX_GROUPS)
        return false;
    s->at++;
    if (peek(s, 0) == '?') {
        if (peek(s, 1) != ':')
            return false;
        s->at += 2;
    }
    s->quantifiable = false;
    return true;
}

static bool scan_one(scan *s)
{
    switch (peek(s, 0)) {
    case '\\':
        return scan_escape(s);
    case '[':
        return scan_class(s);
    case '(':
        return scan_open(s);
    case ')':
        if (s->groups == 0)
            return false;
        s->groups--;
        s->quantifiable = true;
        break;
    case '*':
    case '+':
    case '?':
    case '{':
        return scan_quantifier(s);
    case ']':
    case '}':
        return false;
    case '|':
    case '^':
    case '$':
        s->quantifiable = false;
        break;
    default:
        s->quantifiable = true;
        break;
    }
    s->at++;
    return true;
}

bool cov__rsql_regex_ok(cov_str pattern)
{
    scan s = { .pattern = pattern };

    if (pattern.len > MAX_PATTERN_BYTES)
        return false;
    while (has(&s, 0))
        if (!scan_one(&s))
            return false;
    return s.groups == 0;
}
