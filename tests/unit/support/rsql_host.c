/* SPDX-License-Identifier: MIT */
#include "rsql_host.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

enum { MATCH_LIMIT = 100000, DEPTH_LIMIT = 10000 };

static int match(const pcre2_code *code, cov_str text)
{
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    int rc;

    pcre2_set_match_limit(context, MATCH_LIMIT);
    pcre2_set_depth_limit(context, DEPTH_LIMIT);
    rc = pcre2_match(code, (PCRE2_SPTR)(text.ptr != NULL ? text.ptr : ""), text.len, 0, 0, data,
                     context);
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    return rc >= 0;
}

/* Compiles each time: tests value isolation above speed. */
static int regex(void *self, cov_str pattern, bool ignore_case, cov_str text)
{
    uint32_t options = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY |
                       (ignore_case ? PCRE2_CASELESS : 0);
    int error;
    size_t offset;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)(pattern.ptr != NULL ? pattern.ptr : ""),
                                     pattern.len, options, &error, &offset, NULL);
    int result;

    (void)self;
    if (code == NULL)
        return -1;
    result = match(code, text);
    pcre2_code_free(code);
    return result;
}

const cov_host rsql_host = { .abi = COV_HOST_ABI, .regex = regex };
