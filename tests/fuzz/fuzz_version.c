/* SPDX-License-Identifier: MIT */
/*
 * Versions, against the pattern that the specification gives; and their order. Two lines: what the client says, and the
 * minimum. Further lines: feature, message and sunset of something deprecated.
 */
#include "base/utf8.h"
#include "fuzz_guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_pattern(fuzz_guard *f, cov_str text)
{
    const cov_str pattern = COV_STR_INIT("^(\\d+)(\\.(\\d+))?(\\.(\\d+))?(-(.+))?$");

    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] >= 0 && text.ptr[i] < ' ')
            return;
    if (cov_utf8_valid(text) && text.len < 100)
        fuzz_require(f->fake.host.regex(f->fake.host.self, pattern, false, text) ==
                     (int)cov__version_valid(text));
}

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cov_str rest = cov_str_of((const char *)data, size);
    cov_str client = fuzz_line(&rest);
    cov_str minimum = fuzz_line(&rest);
    cov_deprecation_config deprecation = { 0 };
    fuzz_guard f;
    cov_status st;

    fuzz_guard_open(&f);
    check_pattern(&f, client);
    check_pattern(&f, minimum);
    fuzz_require(cov__version_compare(client, client) == 0);
    fuzz_require(sign(cov__version_compare(client, minimum)) ==
                 -sign(cov__version_compare(minimum, client)));
    deprecation.feature = fuzz_line(&rest);
    deprecation.message = fuzz_line(&rest);
    deprecation.sunset = fuzz_line(&rest);
    f.config.versioning.deprecations = &deprecation;
    f.config.versioning.n_deprecations = 1;
    if (cov__version_valid(minimum))
        f.config.versioning.minimum_client = minimum;
    fuzz_guard_request(&f, COV_STR("/"), COV_STR(""));
    fuzz_guard_header(&f, "X-Covara-Client-Version", client);
    st = cov_version_check(&f.g, &f.err);
    fuzz_require(st == COV_OK || (st == COV_EOLDCLIENT && client.len != 0));
    fuzz_require(cov_response_find(&f.res, COV_STR("Deprecation")) != NULL);
    fuzz_guard_close(&f);
    return 0;
}
