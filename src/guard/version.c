/* SPDX-License-Identifier: MIT */
/* Version headers, deprecations and the minimum client version (spec/07 section 7). */
#include "guard/internal.h"

#include "base/time.h"

#define MS_PER_DAY INT64_C(86400000)

/* ---- versions ---- */

/* 1[.2[.3]][-pre]; numbers are digits of any length. */
typedef struct version {
    cov_str numbers[3]; /* without leading zeros; empty is 0 */
    bool pre_release;
} version;

static bool take_number(cov_str *rest, cov_str *out)
{
    size_t n = 0;
    size_t zeros = 0;

    while (n < rest->len && rest->ptr[n] >= '0' && rest->ptr[n] <= '9')
        n++;
    while (zeros < n && rest->ptr[zeros] == '0')
        zeros++;
    *out = cov_str_slice(*rest, zeros, n);
    *rest = cov_str_slice(*rest, n, rest->len);
    return n != 0;
}

static bool parse_version(cov_str text, version *out)
{
    size_t n = 1;

    memset(out, 0, sizeof *out);
    if (!take_number(&text, &out->numbers[0]))
        return false;
    while (n < COV_COUNT_OF(out->numbers) && text.len != 0 && text.ptr[0] == '.') {
        text = cov_str_slice(text, 1, text.len);
        if (!take_number(&text, &out->numbers[n++]))
            return false;
    }
    out->pre_release = text.len > 1 && text.ptr[0] == '-';
    return text.len == 0 || out->pre_release;
}

bool cov__version_valid(cov_str text)
{
    version v;

    return parse_version(text, &v);
}

static int compare_numbers(cov_str a, cov_str b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return cov_str_compare(a, b);
}

int cov__version_compare(cov_str a, cov_str b)
{
    version left;
    version right;

    if (!parse_version(a, &left) || !parse_version(b, &right))
        return 0;
    for (size_t i = 0; i < COV_COUNT_OF(left.numbers); i++) {
        int order = compare_numbers(left.numbers[i], right.numbers[i]);

        if (order != 0)
            return order;
    }
    return (int)right.pre_release - (int)left.pre_release;
}

static cov_status check_client(const cov_guarded *g, cov_error *err)
{
    cov_str minimum = g->guard->config->versioning.minimum_client;
    cov_str client = cov_request_header(g->req, COV_STR("X-Covara-Client-Version"));
    cov_status st;

    if (minimum.ptr == NULL || client.len == 0)
        return COV_OK;
    if (!cov__version_valid(client))
        st = cov_fail(err, COV_EOLDCLIENT, "Invalid version format: %.*s", COV_STR_ARG(client));
    else if (cov__version_compare(client, minimum) < 0)
        st =
            cov_fail(err, COV_EOLDCLIENT,
                     "Client version %.*s is below minimum supported version %.*s. Please upgrade.",
                     COV_STR_ARG(client), COV_STR_ARG(minimum));
    else
        return COV_OK;
    cov_error_member_str(err, "minVersion", minimum);
    cov_error_member_str(err, "clientVersion", client);
    return st;
}

/* ---- deprecations ---- */

static bool applies(const cov_deprecation_config *d, cov_str path)
{
    if (!d->affected_paths.set)
        return true;
    for (size_t i = 0; i < d->affected_paths.n; i++)
        if (cov_str_starts(path, d->affected_paths.items[i]))
            return true;
    return false;
}

/* "feature: message Use 'replacement' instead. Sunset: 2027-01-02" */
static void warn(cov_buf *out, const cov_deprecation_config *d)
{
    if (out->len != 0)
        COV_BUF_LIT(out, "; ");
    if (d->feature.len == 0) {
        cov_buf_str(out, d->message);
        return;
    }
    cov_buf_str(out, d->feature);
    COV_BUF_LIT(out, ": ");
    cov_buf_str(out, d->message);
    if (d->replacement.ptr != NULL)
        cov_buf_printf(out, " Use '%.*s' instead.", COV_STR_ARG(d->replacement));
    if (d->sunset.ptr != NULL)
        cov_buf_printf(out, " Sunset: %.*s", COV_STR_ARG(d->sunset));
}

/* RFC 9110 section 5.6.7, of midnight: "Sat, 02 Jan 2027 00:00:00 GMT". Empty when that is no date. */
static void imf_date(cov_buf *out, cov_str date)
{
    static const char days[] = "ThuFriSatSunMonTueWed"; /* 1970-01-01 was a Thursday */
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    char text[COV_TIME_TEXT_BYTES];
    int64_t ms;
    int day;
    int month;

    if (!cov_time_parse_iso(date, &ms, NULL) || cov_time_format(ms, text) == 0 || text[4] != '-')
        return;
    day = (int)((ms / MS_PER_DAY % 7 + 7) % 7);
    month = (text[5] - '0') * 10 + (text[6] - '0') - 1;
    cov_buf_printf(out, "%.3s, %.2s %.3s %.4s 00:00:00 GMT", days + 3 * day, text + 8,
                   months + 3 * month, text);
}

static void deprecations(const cov_guarded *g)
{
    const cov_versioning_config *config = &g->guard->config->versioning;
    cov_buf warning = COV_BUF_IN(g->arena);
    cov_buf date = COV_BUF_IN(g->arena);
    cov_str sunset = COV_STR_NULL;
    bool any = false;

    for (size_t i = 0; i < config->n_deprecations; i++) {
        const cov_deprecation_config *d = &config->deprecations[i];

        if (!applies(d, g->req->path))
            continue;
        any = true;
        warn(&warning, d);
        if (d->sunset.ptr != NULL && (sunset.ptr == NULL || cov_str_compare(d->sunset, sunset) < 0))
            sunset = d->sunset;
    }
    imf_date(&date, sunset);
    if (!any || warning.failed || date.failed)
        return;
    cov_response_header(g->res, COV_STR("X-Covara-Warn"), cov_buf_view(&warning));
    cov_response_header(g->res, COV_STR("Deprecation"),
                        sunset.ptr != NULL ? sunset : COV_STR("true"));
    if (date.len != 0)
        cov_response_header(g->res, COV_STR("Sunset"), cov_buf_view(&date));
}

void cov_version_headers(const cov_guarded *g)
{
    const cov_versioning_config *config = &g->guard->config->versioning;

    if (!config->enabled)
        return;
    cov_response_header(g->res, config->header, config->current);
    if (config->schema_version.ptr != NULL)
        cov_response_header(g->res, COV_STR("X-Covara-Schema-Version"), config->schema_version);
    deprecations(g);
}

cov_status cov_version_check(const cov_guarded *g, cov_error *err)
{
    cov_version_headers(g);
    return g->guard->config->versioning.enabled ? check_client(g, err) : COV_OK;
}
