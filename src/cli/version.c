/* SPDX-License-Identifier: MIT */
/* covara --version: this release, the libraries that it runs with, and the drivers built in. */
#define _POSIX_C_SOURCE 200809L /* uv.h needs POSIX types */
#define PCRE2_CODE_UNIT_WIDTH 8

#include <curl/curl.h>
#include <openssl/crypto.h>
#include <pcre2.h>
#include <sqlite3.h>
#include <stdio.h>
#include <uv.h>
#include <yyjson.h>

#include "cli/commands.h"
#include "covara/version.h"
#include "driver/db/sqlite/sqlite.h"

/* "3.0.15": OpenSSL 3 has the bare number only at compile time, so it is cut from "OpenSSL 3.0.15 3 Sep". */
static cov_str openssl_version(void)
{
    cov_str rest = cov_str_from(OpenSSL_version(OPENSSL_VERSION));
    cov_str word = rest;

    (void)cov_str_split(&rest, ' ', &word);
    (void)cov_str_split(&rest, ' ', &word);
    return word;
}

int cov_cli_version(void)
{
    static const cov_db_driver *const drivers[] = { &cov_sqlite_driver };
    uint32_t yyjson = yyjson_version();
    cov_str openssl = openssl_version();
    char pcre2[64] = "?";

    pcre2_config(PCRE2_CONFIG_VERSION, pcre2);
    printf("covara %s (wire-compatible with Covara %s)\n", COV_VERSION, COV_WIRE_VERSION);
    printf("SQLite %s\n", sqlite3_libversion());
    printf("libuv %s\n", uv_version_string());
    printf("OpenSSL %.*s\n", COV_STR_ARG(openssl));
    printf("PCRE2 %s\n", pcre2);
    printf("libcurl %s\n", curl_version_info(CURLVERSION_NOW)->version);
    printf("yyjson %u.%u.%u\n", (unsigned)(yyjson >> 16), (unsigned)(yyjson >> 8 & 0xff),
           (unsigned)(yyjson & 0xff));
    printf("database drivers:");
    for (size_t i = 0; i < COV_COUNT_OF(drivers); i++)
        printf(" %s", drivers[i]->name);
    printf("\n");
    return 0;
}
