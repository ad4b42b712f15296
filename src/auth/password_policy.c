/* SPDX-License-Identifier: MIT */
/* What a new password must be (spec/06 section 5.3): auth/password.h, cov_password_check. */
#include "auth/password.h"

#include <stdio.h>

#include "base/json.h"
#include "base/utf8.h"

static const cov_str common_passwords[] = {
    COV_STR_INIT("password"), COV_STR_INIT("password1"), COV_STR_INIT("123456"),
    COV_STR_INIT("12345678"), COV_STR_INIT("123456789"), COV_STR_INIT("qwerty"),
    COV_STR_INIT("abc123"),   COV_STR_INIT("111111"),    COV_STR_INIT("letmein"),
    COV_STR_INIT("iloveyou"), COV_STR_INIT("admin"),     COV_STR_INIT("welcome"),
    COV_STR_INIT("monkey"),   COV_STR_INIT("dragon"),    COV_STR_INIT("sunshine"),
    COV_STR_INIT("princess"), COV_STR_INIT("football"),  COV_STR_INIT("654321"),
    COV_STR_INIT("passw0rd"), COV_STR_INIT("changeme"),
};

/* What a password consists of. */
typedef struct traits {
    int64_t utf16_units;
    bool upper, lower, number, symbol;
} traits;

static traits traits_of(cov_str password)
{
    traits t = { 0, false, false, false, false };
    size_t at = 0;

    while (at < password.len) {
        uint32_t c = cov_utf8_next(password, &at);

        t.utf16_units += c > 0xFFFF ? 2 : 1;
        if (c >= 'A' && c <= 'Z')
            t.upper = true;
        else if (c >= 'a' && c <= 'z')
            t.lower = true;
        else if (c >= '0' && c <= '9')
            t.number = true;
        else
            t.symbol = true;
    }
    return t;
}

static bool eq_lowered(cov_str a, cov_str b)
{
    size_t at_a = 0;
    size_t at_b = 0;

    while (at_a < a.len && at_b < b.len)
        if (cov_unicode_lower(cov_utf8_next(a, &at_a)) !=
            cov_unicode_lower(cov_utf8_next(b, &at_b)))
            return false;
    return at_a == a.len && at_b == b.len;
}

static bool is_listed(const cov_str *list, size_t n, cov_str password)
{
    for (size_t i = 0; i < n; i++)
        if (eq_lowered(list[i], password))
            return true;
    return false;
}

static void violation(cov_buf *list, const char *message)
{
    if (list->len != 0)
        cov_buf_char(list, ',');
    COV_BUF_LIT(list, "{\"field\":\"password\",\"message\":");
    cov_json_str(list, cov_str_from(message));
    cov_buf_char(list, '}');
}

static void check_length(const cov_password_policy *policy, int64_t units, cov_buf *list)
{
    char message[80];

    if (units < policy->min_length) {
        snprintf(message, sizeof message, "Password must be at least %lld characters long",
                 (long long)policy->min_length);
        violation(list, message);
    }
    if (policy->max_length > 0 && units > policy->max_length) {
        snprintf(message, sizeof message, "Password must be at most %lld characters long",
                 (long long)policy->max_length);
        violation(list, message);
    }
}

cov_status cov_password_check(const cov_password_policy *policy, cov_str password, cov_error *err)
{
    cov_buf list = COV_BUF_IN(err != NULL ? err->arena : NULL);
    traits t = traits_of(password);
    const struct {
        bool violated;
        const char *message;
    } rules[] = {
        { policy->uppercase && !t.upper, "Password must contain an uppercase letter" },
        { policy->lowercase && !t.lower, "Password must contain a lowercase letter" },
        { policy->number && !t.number, "Password must contain a number" },
        { policy->symbol && !t.symbol, "Password must contain a symbol" },
        { is_listed(policy->denylist.items, policy->denylist.n, password) ||
              (policy->built_in_denylist &&
               is_listed(common_passwords, COV_COUNT_OF(common_passwords), password)),
          "Password is too common" },
    };
    cov_status st = COV_OK;

    if (!policy->set)
        return COV_OK;
    check_length(policy, t.utf16_units, &list);
    for (size_t i = 0; i < COV_COUNT_OF(rules); i++)
        if (rules[i].violated)
            violation(&list, rules[i].message);
    if (list.failed) {
        st = cov_fail_nomem(err);
    } else if (list.len != 0) {
        st = cov_fail(err, COV_EINVAL, "Password does not meet requirements");
        cov_error_member(err, "\"errors\":[%.*s]", COV_STR_ARG(cov_buf_view(&list)));
    }
    cov_buf_dispose(&list);
    return st;
}
