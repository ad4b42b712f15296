#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# gen_errors.py > docs/errors.md - the catalogue of problems, from COV_STATUS_MAP in include/covara/error.h.
#
# Slug, HTTP status and code come from the table in the header. When a status occurs and what it carries is
# prose, kept here by status name; a status without an entry, or an entry without a status, is an error.
import pathlib
import re
import sys
import textwrap

root = pathlib.Path(__file__).resolve().parent.parent

# NAME: (when, further members)
NOTES = {
    "COV_EINVAL": (
        "A body or a query parameter is not valid: a value of the wrong type, a required column missing, malformed JSON, "
        "JSON nested deeper than 64 levels, an unknown `orderBy` or metric field, a batch update or delete without a "
        "filter, a route that `capabilities` turns off, more included rows or groups than allowed.",
        "for an invalid body, `errors`, a list of `{\"field\",\"message\"}`; `field` is a path such as `items.3.title`, or empty "
        "for the body itself. For a field that a policy forbids, `field`, `operation` (`sort`, `groupBy`, `metric`), "
        "`invalidFields`, `allowedFields`, `suggestion`. For a capability, `resource`, `capability`, `suggestion`."),
    "COV_ENOTNULL": ("The database refused a NULL.", "`errors`, with the column's field."),
    "COV_ECHECK": ("A CHECK constraint of `schema.sql` is violated, or a STRICT table refused a type.",
                   "`errors`, with the field of the column that the constraint names first."),
    "COV_EFILTER": (
        "`filter` does not parse, names an unknown or forbidden column, uses an operator that the column's type or "
        "`filter.allowedOperators` does not allow, or exceeds a limit. The detail starts with `Invalid filter expression`.",
        "`suggestion`; `position` (in UTF-16 units) for text left over and unclosed parentheses; `allowedOperators`; "
        "`allowedFields`."),
    "COV_ECURSOR": ("`cursor` is not one that this server made for this `orderBy`, or its signature is wrong.",
                    "`reason`: `malformed`, `tampered`, `version_mismatch` or `orderby_mismatch`; with the last, `suggestion`."),
    "COV_EEXPIRED": ("`cursor` is older than `pagination.cursorMaxAgeMs`.", "`suggestion`."),
    "COV_EBATCH": ("A batch, or a nested list, has more rows than `batch` allows; for batch update and delete, the filter "
                   "matches more. Nothing was changed.", "`operation`, `limit`, `requested`."),
    "COV_EREQUEST": ("The bytes are not an HTTP/1.1 request: request line, header, framing or chunk. The connection is "
                     "closed, except where the request was well framed (no or a malformed `Host`).", ""),
    "COV_EUNAUTH": ("The operation is not public, and the request has no user. In this version no request has one.", ""),
    "COV_EFORBIDDEN": ("A user's scope does not allow the row. Not reachable before there are users.", ""),
    "COV_ENOTFOUND": ("No such row (or soft-deleted), or no such route. There is no 405: a method that a path does not "
                      "have is this problem.", "for a row, `resource` (its table) and `id`."),
    "COV_ETIMEOUT": ("Head or body did not arrive within `server.headerTimeoutMs` or `server.bodyTimeoutMs`. The "
                     "connection is closed.", ""),
    "COV_ECONFLICT": ("Reserved; in this version only the two that follow occur.", ""),
    "COV_EUNIQUE": ("A UNIQUE constraint or a primary key is violated.",
                    "`field`; `fields` when the key has several columns."),
    "COV_EFOREIGN": ("A foreign key has no such parent row, or other rows still refer to this one.",
                     "`field`: the referring column, or the id when the row is still referred to."),
    "COV_EPRECOND": ("`If-Match` does not have the row's current entity tag.", "`currentETag`, `suggestion`."),
    "COV_ETOOLARGE": ("The body is larger than `server.maxBodyBytes`. The connection is closed.", ""),
    "COV_EURI": ("The request target is longer than `server.maxUrlBytes`. The connection is closed.", ""),
    "COV_EEXPECT": ("`Expect` asks for something other than `100-continue`.", ""),
    "COV_EHEADERS": ("The head is larger than `server.maxHeaderBytes`, or has more than 128 headers. The connection is closed.", ""),
    "COV_EINTERNAL": ("A failure of the server. The cause is in the log, never in the response.", ""),
    "COV_ENOMEM": ("Out of memory, or one request needed more than its 64 MiB of working memory.", ""),
    "COV_ECORRUPT": ("The database file is damaged.", ""),
    "COV_ENOSYS": ("Reserved; no request is answered so in this version.", ""),
    "COV_EBUSY": ("Another process holds the database's lock longer than `database.busyTimeoutMs`, 2048 writes are "
                  "waiting already, or `server.maxConnections` is reached. Sent with `Retry-After: 1`.", ""),
    "COV_EVERSION": ("The request is neither HTTP/1.0 nor HTTP/1.1.", ""),
    "COV_EOUTPUT": ("A procedure of the application returned something else than the shape that it declares.", ""),
    "COV_ERATELIMIT": ("More requests than a `rateLimit` allows, or the budget of `abuseProtection` is spent and nothing can be "
                       "solved instead. Sent with `Retry-After` in seconds.",
                       "`retryAfter`: in seconds from a rate limit, in milliseconds from the budget."),
    "COV_EPOW": ("The operation asks for proof of work, or the budget is spent. The header `Covara-PoW-Challenge` has the "
                 "challenge; repeat the request with it and the solution in `Covara-PoW-Nonce`. A solution that is wrong, "
                 "late, used, or for another request gets a new challenge.", "`difficulty` in bits, `algorithm`."),
    "COV_ECAPTCHA": ("The operation asks for a CAPTCHA, or the budget is spent. Repeat the request with the provider's token in "
                     "`Covara-Captcha-Token`.", "`provider`; `siteKey` and `action` when they are configured."),
    "COV_EIDEMPOTENCY": ("The idempotency key was used for a request with another method, path or body.", "`suggestion`."),
    "COV_EINPROGRESS": ("A request with the same idempotency key is being answered. Sent with `Retry-After`.", ""),
    "COV_EIDEMKEY": ("The value of `Idempotency-Key` is not 8 to 256 letters, digits, `_` and `-`.", ""),
    "COV_EIDEMSTORE": ("The store of idempotency keys cannot be reached, and `onStoreError` is `fail`. Nothing was done.", ""),
    "COV_EOLDCLIENT": ("`X-Covara-Client-Version` is below `versioning.minimumClientVersion`, or is no version.",
                       "`minVersion`, `clientVersion`."),
}

HEAD = """\
<!-- Generated by scripts/gen_errors.py from include/covara/error.h; edit those. -->
# Errors

Every response with a status of 400 or more, but for the answer of `/readyz`, has a body of type
`application/problem+json` (RFC 9457):

```json
{"type":"/__covara/problems/conflict","title":"Conflict","status":409,"detail":"Unique constraint violated","code":"CONFLICT","field":"email"}
```

| member | what |
|---|---|
| `type` | `/__covara/problems/` and the slug below; a name: nothing is served there |
| `title` | the code in words |
| `status` | the HTTP status |
| `detail` | one sentence for people; programs should not compare it |
| `code` | a stable word for programs |

Further members depend on the problem; they are listed with each. Bodies of 500 say nothing about the cause; it is in the
log, one line of JSON with `"msg":"Request error"`. Problems below 500 are logged at level `debug` only.

| status | slug | code | in C |
|---|---|---|---|
"""


def rows():
    header = (root / "include/covara/error.h").read_text()
    found = re.findall(r'X\((\w+),\s*(-?\d+),\s*(\d+),\s*"([^"]*)",\s*"([^"]*)"\)', header)
    if not found:
        sys.exit("gen_errors.py: no rows of COV_STATUS_MAP in include/covara/error.h")
    return [row for row in found if row[0] != "COV_OK"]


def item(bullet, text):
    return textwrap.fill(bullet + text, 116, subsequent_indent=" " * (bullet.index("-") + 2), break_long_words=False,
                         break_on_hyphens=False) + "\n"


def main():
    table = rows()
    names = {row[0] for row in table}
    for name in sorted(names ^ NOTES.keys()):
        sys.exit(f"gen_errors.py: {name} is {'new: say when it occurs' if name in names else 'gone'} (NOTES in this file)")
    problems = {}
    for name, _, status, slug, code in table:
        problems.setdefault((status, slug, code), []).append(name)
    out = HEAD
    for (status, slug, code), statuses in problems.items():
        out += f"| {status} | [`{slug}`](#{status}-{slug}) | `{code}` | {', '.join(f'`{name}`' for name in statuses)} |\n"
    for (status, slug, _), statuses in problems.items():
        out += f"\n## {status} {slug}\n\n"
        for name in statuses:
            when, members = NOTES[name]
            out += item("- ", when)
            if members:
                out += item("  - Members: ", members)
    sys.stdout.write(out)


main()
