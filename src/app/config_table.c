/* SPDX-License-Identifier: MIT */
/* The option table: its root, and all but accounts and limits. */
#include "app/config_rows.h"

/* clang-format off */
/* ---- app ---- */

#define EXPOSED_HEADERS \
    "ETag,Retry-After,X-Request-Id,X-RateLimit-Limit,X-RateLimit-Remaining,X-RateLimit-Reset,X-Covara-Version," \
    "Covara-Challenge-Type,Covara-PoW-Challenge,Covara-PoW-Difficulty,Covara-PoW-Algorithm," \
    "Covara-Captcha-Provider,Covara-Captcha-Sitekey,Covara-Captcha-Action"

static const cov_option cors_rows[] = {
    ROW("origin", COV_OPT_STRING | COV_OPT_LIST, COV_STORE_NAMES, CFG(app.cors.origins), .def_doc = "`\"*\"`",
        .check = cov__check_header, .help = "Origins that may call, each matched exactly; \"*\" is any."),
    ROW("allowMethods", COV_OPT_LIST, COV_STORE_NAMES, CFG(app.cors.allow_methods), .check = cov__check_header,
        .def_text = "GET,HEAD,PUT,POST,DELETE,PATCH", .help = "Methods that a preflight answers with."),
    ROW("allowHeaders", COV_OPT_LIST, COV_STORE_NAMES, CFG(app.cors.allow_headers), .check = cov__check_header,
        .def_doc = "what the preflight asks for", .help = "Request headers that a preflight allows."),
    ROW("exposeHeaders", COV_OPT_LIST, COV_STORE_NAMES, CFG(app.cors.expose_headers), .check = cov__check_header,
        .def_text = EXPOSED_HEADERS, .help = "Response headers that scripts of other origins may read."),
    ROW("maxAge", COV_OPT_INT, COV_STORE_INT, CFG(app.cors.max_age_s), .def = -1, .max = 31536000, .unit = "s",
        .def_doc = "not sent", .help = "How long a browser may keep a preflight's answer."),
    BOOL("credentials", CFG(app.cors.credentials), false,
         "Allow cookies and authorization headers; needs an \"origin\" that is not \"*\"."),
};
static const cov_options cors = OPTIONS_WITH(cors_rows, .finish = cov__finish_cors);

static const cov_choice frame_choices[] = { { "DENY", 0 }, { "SAMEORIGIN", 1 }, { NULL, 0 } };
static const cov_option hsts_rows[] = {
    INT("maxAge", CFG(app.security.hsts_max_age_s), 15552000, 0, 315360000, "s",
        "How long a browser shall use HTTPS only."),
    BOOL("includeSubDomains", CFG(app.security.hsts_include_subdomains), true, "Also for every subdomain."),
    BOOL("preload", CFG(app.security.hsts_preload), false, "Allow inclusion in the browsers' preload lists."),
};
static const cov_options hsts = OPTIONS(hsts_rows);
static const cov_option security_rows[] = {
    HEADER("contentTypeOptions", CFG(app.security.content_type_options), "nosniff", "X-Content-Type-Options; false turns it off."),
    ROW("frameOptions", COV_OPT_STRING | COV_OPT_BOOL, COV_STORE_HEADER, CFG(app.security.frame_options), .def_text = "DENY",
        .choices = frame_choices, .help = "X-Frame-Options; false turns it off."),
    HEADER("referrerPolicy", CFG(app.security.referrer_policy), "strict-origin-when-cross-origin",
           "Referrer-Policy; false turns it off."),
    HEADER("dnsPrefetchControl", CFG(app.security.dns_prefetch_control), "off", "X-DNS-Prefetch-Control; false turns it off."),
    HEADER("crossOriginOpenerPolicy", CFG(app.security.cross_origin_opener_policy), "same-origin",
           "Cross-Origin-Opener-Policy; false turns it off."),
    ROW("contentSecurityPolicy", COV_OPT_STRING | COV_OPT_FALSE, COV_STORE_HEADER, CFG(app.security.content_security_policy),
        .flags = COV_OPT_NOT_EMPTY, .check = cov__check_header, .def_doc = "not sent",
        .help = "Content-Security-Policy; an API that serves only JSON may use \"default-src 'none'; frame-ancestors 'none'\"."),
    ROW("hsts", COV_OPT_BOOL | COV_OPT_OBJECT, COV_STORE_BOOL, CFG(app.security.hsts), .def = true,
        .object = &hsts, .help = "Strict-Transport-Security, on HTTPS and when NODE_ENV is \"production\"."),
};
static const cov_options security = OPTIONS(security_rows);

static const cov_option health_rows[] = {
    BOOL("enabled", CFG(app.health), true, "Serve the two endpoints."),
    ROW("basePath", COV_OPT_STRING, COV_STORE_STR, CFG(app.health_path), .def_text = "", .check = cov__check_base_path,
        .help = "Prefix of /healthz and /readyz."),
    NAME("version", CFG(app.version), "not shown", "Version of the application, shown by both endpoints."),
};
static const cov_options health = OPTIONS(health_rows);

#define STATIC(member) offsetof(cov_static_config, member)
static const cov_option static_rows[] = {
    NEEDED_NAME("folder", STATIC(folder), "The folder, relative to this file; it must not hold the project's own files."),
    HEADER("contentSecurityPolicy", STATIC(content_security_policy), "default-src 'self'; base-uri 'none'; form-action 'self'",
           "Content-Security-Policy of the files; false leaves the one of app.securityHeaders."),
};
static const cov_options static_folder = OPTIONS_WITH(static_rows, .size = sizeof(cov_static_config), .name_offset = STATIC(path));

static const cov_option app_rows[] = {
    ROW("basePath", COV_OPT_STRING, COV_STORE_STR, CFG(app.base_path), .def_text = "/api", .check = cov__check_base_path,
        .help = "Prefix of every resource's path; \"\" for none."),
    ROW("cors", COV_OPT_BOOL | COV_OPT_OBJECT, COV_STORE_BOOL, CFG(app.cors.enabled), .object = &cors,
        .help = "Let pages of other origins call the API; true is any origin, without credentials."),
    ROW("securityHeaders", COV_OPT_BOOL | COV_OPT_OBJECT, COV_STORE_BOOL, CFG(app.security.enabled), .def = true, .object = &security, .help = "Response headers that browsers act on."),
    ROW("trustedProxies", COV_OPT_LIST, COV_STORE_NAMES, CFG(guard.trusted_proxies), .def_doc = "none",
        .help = "Addresses (CIDR) of proxies whose X-Forwarded-For, X-Forwarded-Proto, X-Real-IP and CF-Connecting-IP are believed."),
    ROW("health", COV_OPT_BOOL | COV_OPT_OBJECT, COV_STORE_BOOL, CFG(app.health), .def = true,
        .object = &health, .help = "GET /healthz (is the process alive?) and /readyz (may it get traffic?)."),
    ROW("static", COV_OPT_OBJECT, COV_STORE_MAP, CFG(app.statics), .count_offset = CFG(app.n_statics), .object = &static_folder, .shorthand = "folder",
        .help = "Folders of files for everyone, by the path that they are served below; a string is the folder. Files are read at the start; what is in resources and routes comes first."),
};
static const cov_options app = OPTIONS_WITH(app_rows, .finish = cov__finish_app);

/* ---- database, server ---- */

static const cov_choice sync_choices[] = { { "full", false }, { "normal", true }, { NULL, 0 } };
static const cov_option database_rows[] = {
    ROW("url", COV_OPT_STRING, COV_STORE_STR, CFG(database.url), .def_text = "sqlite:app.db", .flags = COV_OPT_NOT_EMPTY,
        .help = "Which database: \"sqlite:\" and a path relative to the project folder."),
    INT("busyTimeoutMs", CFG(database.busy_timeout_ms), 5000, 1, 600000, "ms",
        "How long to wait while another process holds the database's lock."),
    ENUM("synchronous", COV_STORE_ENUM_BOOL, CFG(database.relaxed_sync), sync_choices, false,
         "\"full\": a confirmed write survives a power failure; \"normal\": faster, the last writes may be lost then, the file stays sound."),
};
static const cov_options database = OPTIONS(database_rows);

static const cov_option server_rows[] = {
    ROW("host", COV_OPT_STRING, COV_STORE_STR, CFG(server.host), .def_text = "0.0.0.0", .flags = COV_OPT_NOT_EMPTY,
        .help = "Address to listen on."),
    INT("port", CFG(server.port), 3000, 0, 65535, NULL, "Port to listen on; 0 takes any free one."),
    INT("threads", CFG(server.threads), 0, 0, 256, NULL, "Event loops; 0 is one for each core."),
    INT("poolThreads", CFG(server.pool_threads), 8, 1, 256, NULL,
        "Threads for requests that take long: password hashes, calls to other servers."),
    INT("maxBodyBytes", CFG(server.max_body_bytes), 1048576, 1, GIB, "bytes", "Largest request body; beyond it 413."),
    INT("maxHeaderBytes", CFG(server.max_header_bytes), 16384, 256, 1048576, "bytes",
        "Largest request head, names and values together; beyond it 431."),
    INT("maxUrlBytes", CFG(server.max_url_bytes), 8192, 64, 1048576, "bytes", "Longest request target; beyond it 414."),
    INT("headerTimeoutMs", CFG(server.header_timeout_ms), 10000, 1, DAY_MS, "ms",
        "Longest time from a request's first byte to the end of its head."),
    INT("bodyTimeoutMs", CFG(server.body_timeout_ms), 30000, 1, DAY_MS, "ms",
        "Longest time from a request's head to the end of its body."),
    INT("idleTimeoutMs", CFG(server.idle_timeout_ms), 65000, 1, DAY_MS, "ms",
        "Longest pause between two requests of one connection."),
    INT("writeTimeoutMs", CFG(server.write_timeout_ms), 30000, 1, DAY_MS, "ms",
        "Longest wait for a client that does not read its response."),
    INT("drainTimeoutMs", CFG(server.drain_timeout_ms), 10000, 0, DAY_MS, "ms",
        "Longest wait for requests in flight when the server shuts down."),
    INT("preStopDelayMs", CFG(server.pre_stop_delay_ms), 0, 0, DAY_MS, "ms",
        "How long to keep accepting connections after /readyz turned 503, so that a load balancer notices."),
    INT("maxConnections", CFG(server.max_connections), 10000, 1, MILLION, NULL,
        "Most open connections; a further one gets 503 and is closed."),
    BOOL("accessLog", CFG(server.access_log), false, "Log one line for each request."),
};
static const cov_options server = OPTIONS(server_rows);

/* ---- one resource ---- */

#define PUBLIC(key_, op_) BOOL(key_, RES(auth.public_[op_]), false, "Open this operation to everyone.")
static const cov_option public_rows[] = {
    PUBLIC("read", COV_OP_READ), PUBLIC("create", COV_OP_CREATE), PUBLIC("update", COV_OP_UPDATE),
    PUBLIC("delete", COV_OP_DELETE), PUBLIC("subscribe", COV_OP_SUBSCRIBE),
};
static const cov_options public_ops = OPTIONS(public_rows);

static const cov_option auth_rows[] = {
    ROW("public", COV_OPT_BOOL | COV_OPT_OBJECT, COV_STORE_PUBLIC, RES(auth.public_), .object = &public_ops, .def_doc = "`false`",
        .help = "Operations that need no user; true opens read and subscribe."),
    SCOPE("scope", RES(auth.any_scope), "Row filter for every operation that has none of its own."),
    SCOPE("read", RES(auth.scope[COV_OP_READ]), "Rows that a user may read: a filter such as \"userId=={user.id}\"; true is all rows, false is none."),
    SCOPE("create", RES(auth.scope[COV_OP_CREATE]), "Rows that a user may create."),
    SCOPE("update", RES(auth.scope[COV_OP_UPDATE]), "Rows that a user may change."),
    SCOPE("delete", RES(auth.scope[COV_OP_DELETE]), "Rows that a user may delete."),
    SCOPE("subscribe", RES(auth.scope[COV_OP_SUBSCRIBE]), "Rows whose changes a user may follow; without it, \"read\" counts."),
};
static const cov_options auth = OPTIONS_WITH(auth_rows, .intro =
    "Without `auth`, every operation needs a signed-in user, who may then reach all rows.");

#define BATCH(key_, member_, help_) INT(key_, RES(batch.member_), 100, 0, 100000, "rows", help_)
static const cov_option batch_rows[] = {
    BATCH("create", create, "Most rows in one batch create or upsert; 0 removes both routes."),
    BATCH("update", update, "Most rows that one batch update may change; 0 removes the route."),
    BATCH("replace", replace, "Accepted for compatibility; no route uses it."),
    BATCH("delete", delete_, "Most rows that one batch delete may remove; 0 removes the route."),
    BOOL("requireFilter", RES(batch.require_filter), true, "Refuse a batch update or delete without a filter."),
};
static const cov_options batch = OPTIONS(batch_rows);

static const cov_choice nulls_choices[] = { { "last", false }, { "first", true }, { NULL, 0 } };
static const cov_option pagination_rows[] = {
    INT("defaultLimit", RES(pagination.default_limit), 20, 1, 100000, "rows", "Rows of a page when the request does not say."),
    INT("maxLimit", RES(pagination.max_limit), 100, 1, 100000, "rows", "Most rows of a page; a larger limit is lowered to it."),
    INT("cursorMaxAgeMs", RES(pagination.cursor_max_age_ms), 0, 0, INT64_C(3650) * DAY_MS, "ms",
        "How long a cursor is good for; 0 is forever."),
    ENUM("nullsPosition", COV_STORE_ENUM_BOOL, RES(pagination.nulls_first), nulls_choices, false,
         "Where rows without a value stand in an order."),
};
static const cov_options pagination = OPTIONS(pagination_rows);

static const cov_choice etag_choices[] = { { "strong", false }, { "weak", true }, { NULL, 0 } };
static const cov_option etag_rows[] = {
    NAME("versionField", RES(etag.version_field), "none", "Column with the row's version; raised by one on every PATCH and PUT of a row."),
    NAME("updatedAtField", RES(etag.updated_at_field), "none", "Column with the time of the last change, used without a version."),
    NAME("idField", RES(etag.id_field), "none", "Column that is joined to the time of the last change."),
    ENUM("algorithm", COV_STORE_ENUM_BOOL, RES(etag.weak), etag_choices, false, "Kind of tag; If-Match never matches a weak one."),
};
static const cov_options etag = OPTIONS_WITH(etag_rows, .intro =
    "With neither `versionField` nor `updatedAtField` the tag is a hash of the row.");

static const cov_option aggregatable_rows[] = {
    NAMES("groupBy", RES(fields.group_by), "all readable", "Columns to group by."),
    NAMES("metrics", RES(fields.metrics), "all readable", "Columns to sum, average, and take the least and largest of."),
};
static const cov_options aggregatable = OPTIONS(aggregatable_rows);
static const cov_option fields_rows[] = {
    NAMES("readable", RES(fields.readable), "all", "Columns in responses."),
    NAMES("writable", RES(fields.writable), "all", "Columns that a client may set; others are dropped from bodies."),
    NAMES("filterable", RES(fields.filterable), "all readable", "Columns that a filter may name."),
    NAMES("sortable", RES(fields.sortable), "all readable", "Columns that an order may name."),
    OBJECT("aggregatable", aggregatable, "Columns that aggregates may use."),
};
static const cov_options fields = OPTIONS(fields_rows);

#define CAPABILITY(key_, member_, help_) BOOL(key_, RES(capabilities.member_), true, help_)
static const cov_option capability_rows[] = {
    CAPABILITY("enableCreate", create, "POST."),
    CAPABILITY("enableUpdate", update, "PATCH and PUT."),
    CAPABILITY("enableDelete", delete_, "DELETE."),
    CAPABILITY("enableBatch", batch, "Every /batch route."),
    CAPABILITY("enableAggregations", aggregations, "/aggregate."),
    CAPABILITY("enableSubscribe", subscribe, "/subscribe."),
};
static const cov_options capabilities = OPTIONS(capability_rows);

static const cov_option soft_delete_rows[] = {
    NEEDED_NAME("field", RES(soft_delete_field), "Column that holds when the row was deleted; null means that it was not."),
};
static const cov_options soft_delete = OPTIONS(soft_delete_rows);

static const cov_option filter_rows[] = {
    INT("maxLength", RES(filter.max_length), 4096, 0, MILLION, "characters", "Longest filter; 0 is unlimited."),
    INT("maxDepth", RES(filter.max_depth), 10, 0, 128, NULL, "Deepest nesting of parentheses; 0 stands for the most, 128."),
    INT("maxNodes", RES(filter.max_nodes), 100, 0, 100000, NULL, "Most comparisons and connectives; 0 is unlimited."),
    NAMES("allowedOperators", RES(filter.allowed_operators), "all", "Operators that a filter may use, such as \"==\"."),
    NAMES("allowedFields", RES(filter.allowed_fields), "all", "Columns that a filter may name, beside fields.filterable."),
};
static const cov_options filter = OPTIONS(filter_rows);

static const cov_option aggregate_rows[] = {
    INT("maxGroups", RES(aggregate_max_groups), 0, 0, 10 * MILLION, "groups", "Most groups in one answer; 0 is unlimited."),
};
static const cov_options aggregate = OPTIONS(aggregate_rows);

static const cov_option include_rows[] = {
    INT("maxDepth", RES(include.max_depth), 3, 0, 16, "levels", "Levels of relations below the first."),
    INT("defaultLimit", RES(include.default_limit), 0, 0, 10 * MILLION, "rows",
        "Children of each parent when the request names no limit; 0 is unlimited."),
    INT("maxRows", RES(include.max_rows), 10000, 0, 10 * MILLION, "rows",
        "Most related rows that one request may load; 0 is unlimited."),
};
static const cov_options include = OPTIONS(include_rows);

static const cov_option column_rows[] = {
    NAME("name", COL(name), "by \"naming\"", "Name in JSON."),
    NAMES("enum", COL(enum_values), "from a CHECK (column IN (...))", "Values that the column may have."),
    INT("maxLength", COL(max_length), 0, 0, INT32_MAX, "characters", "Longest text; 0 is as declared."),
};
static const cov_options column = OPTIONS_WITH(column_rows, .size = sizeof(cov_column_config), .name_offset = COL(db_name));

static const cov_option through_rows[] = {
    NEEDED_NAME("table", REL(through_table), "Junction table."),
    NEEDED_NAME("sourceKey", REL(through_source_key), "Its column that refers to this resource."),
    NEEDED_NAME("targetKey", REL(through_target_key), "Its column that refers to the other resource."),
};
static const cov_options through = OPTIONS(through_rows);
static const cov_choice relation_choices[] = {
    { "belongsTo", COV_BELONGS_TO }, { "hasOne", COV_HAS_ONE }, { "hasMany", COV_HAS_MANY }, { "manyToMany", COV_MANY_TO_MANY }, { NULL, 0 },
};
static const cov_choice strategy_choices[] = { { "lazy", false }, { "eager", true }, { NULL, 0 } };
static const cov_option relation_rows[] = {
    ROW("type", COV_OPT_STRING, COV_STORE_ENUM, REL(type), .choices = relation_choices, .flags = COV_OPT_REQUIRED,
        .help = "How the two resources relate."),
    NEEDED_NAME("resource", REL(resource), "The other resource."),
    NAME("foreignKey", REL(foreign_key), "none", "Column that refers to the other: here for belongsTo, over there for hasOne and hasMany."),
    NAME("references", REL(references), "the id", "Column that is referred to."),
    OBJECT("through", through, "Junction table of a manyToMany relation."),
    ENUM("strategy", COV_STORE_ENUM_BOOL, REL(eager), strategy_choices, false, "\"eager\" is included in reads without being asked for."),
};
static const cov_options relation = OPTIONS_WITH(relation_rows, .size = sizeof(cov_relation_config), .name_offset = REL(name),
    .finish = cov__finish_relation);

static const cov_choice slow_choices[] = {
    { "invalidate", COV_SLOW_INVALIDATE }, { "disconnect", COV_SLOW_DISCONNECT }, { "drop", COV_SLOW_DROP }, { NULL, 0 },
};
static const cov_option sse_rows[] = {
    INT("maxSubscriptionsPerUser", RES(sse.max_per_user), 10, 0, MILLION, NULL, "Most open subscriptions of one user."),
    INT("maxSubscriptionsPerIP", RES(sse.max_per_address), 50, 0, MILLION, NULL, "Most open subscriptions from one address."),
    INT("maxTotalSubscriptions", RES(sse.max_total), 0, 0, 10 * MILLION, NULL, "Most open subscriptions of the process; 0 is any number."),
    INT("heartbeatMs", RES(sse.heartbeat_ms), 20000, 100, DAY_MS, "ms", "Pause between two heartbeats."),
    INT("maxQueueBytes", RES(sse.max_queue_bytes), 65536, 1024, GIB, "bytes", "Most bytes that wait for a slow reader."),
    ENUM("onBackpressure", COV_STORE_ENUM, RES(sse.on_backpressure), slow_choices, COV_SLOW_INVALIDATE,
         "A reader that is too slow is told and cut off (\"invalidate\"), cut off (\"disconnect\"), or misses events (\"drop\") and is told to read again later."),
    INT("aggregateDebounceMs", RES(sse.debounce_ms), 150, 0, DAY_MS, "ms", "Pause before an aggregate is computed anew."),
    INT("scopeRecheckMs", RES(sse.scope_recheck_ms), 30000, 0, DAY_MS, "ms", "Pause between two checks of a subscriber's rights; 0 is never."),
};
static const cov_options sse = OPTIONS(sse_rows);
static const cov_option resource_rows[] = {
    NAME("table", RES(table), "the resource's name", "Table or view in the database."),
    ROW("path", COV_OPT_STRING, COV_STORE_STR, RES(path), .check = cov__check_path, .def_doc = "the resource's name",
        .help = "Where the resource is served, below app.basePath."),
    NAME("id", RES(id), "the primary key", "Column that identifies a row."),
    ROW("auth", COV_OPT_OBJECT, COV_STORE_BOOL, RES(auth.set), .object = &auth, .help = "Who may do what, to which rows."),
    OBJECT("batch", batch, "Limits of requests on many rows at once."),
    OBJECT("pagination", pagination, "Pages of lists."),
    ROW("cursorSigningSecret", COV_OPT_STRING | COV_OPT_NULL, COV_STORE_STR, RES(cursor_secret), .flags = COV_OPT_NOT_EMPTY,
        .def_doc = "the global one", .help = "Key that signs this resource's cursors; null leaves them unsigned."),
    ROW("etag", COV_OPT_OBJECT, COV_STORE_BOOL, RES(etag.set), .object = &etag,
        .help = "Optimistic locking: ETag, If-Match and If-None-Match."),
    OBJECT("fields", fields, "Which columns may be read, written, filtered and sorted by."),
    NAMES("generatedFields", RES(generated_fields), "none", "Columns that the server fills: bodies need not have them."),
    BOOL("rejectGeneratedInput", RES(reject_generated_input), false, "Drop values that clients send for generatedFields, except the id."),
    BOOL("strictInput", RES(strict_input), false, "Refuse bodies with unknown keys."),
    BOOL("strictScopeOnWrite", RES(strict_scope_on_write), true, "Refuse a write whose result lies outside the writer's scope."),
    OBJECT("capabilities", capabilities, "Routes that can be turned off."),
    OBJECT("softDelete", soft_delete, "Mark rows as deleted and keep them."),
    OBJECT("filter", filter, "Limits of filters."),
    OBJECT("aggregate", aggregate, "Limits of aggregates."),
    ROW("columns", COV_OPT_OBJECT, COV_STORE_MAP, RES(columns), .count_offset = RES(n_columns), .object = &column, .shorthand = "name",
        .help = "Columns by their SQL name; a string is the name in JSON."),
    ROW("relations", COV_OPT_OBJECT, COV_STORE_MAP, RES(relations), .count_offset = RES(n_relations), .object = &relation,
        .help = "Relations by name, for \"include\" and nested writes."),
    BOOL("autoRelations", RES(auto_relations), false, "Derive relations from foreign keys."),
    OBJECT("include", include, "Limits of \"include\"."),
    BOOL("nestedWrites", RES(nested_writes), false, "Write related rows together with this one."),
    OBJECT("sse", sse, "Limits of subscriptions."),
    ROW("rateLimit", COV_OPT_BOOL | COV_OPT_OBJECT, COV_STORE_BOOL, RES(gate.rate.set), .object = &cov__resource_rate_options,
        .help = "Most requests of one user or address to this resource; true is 100 a minute."),
    OBJECT("cost", cov__resource_cost_options, "What an operation takes from the caller's budget (abuseProtection.budget)."),
    ROW("pow", COV_OPT_BOOL | COV_OPT_OBJECT, COV_STORE_BOOL, RES(gate.pow.set), .object = &cov__resource_pow_options,
        .help = "Ask for a proof of work before create, update and delete."),
    ROW("captcha", COV_OPT_BOOL | COV_OPT_OBJECT, COV_STORE_BOOL, RES(gate.captcha.set), .object = &cov__resource_captcha_options,
        .help = "Ask for a CAPTCHA before create, update and delete."),
    ROW("overflow", COV_OPT_STRING, COV_STORE_ENUM, RES(gate.overflow), .choices = cov__overflow_choices, .def = COV_OVERFLOW_GLOBAL,
        .def_doc = "`abuseProtection.overflow`", .help = "The challenge when a caller's budget is used up."),
};
static const cov_options resource = OPTIONS_WITH(resource_rows, .size = sizeof(cov_resource_config), .name_offset = RES(name),
    .finish = cov__finish_resource);

static const cov_choice kv_choices[] = { { "memory", COV_KV_MEMORY }, { NULL, 0 } };
static const cov_option kv_rows[] = {
    ENUM("type", COV_STORE_ENUM, CFG(kv.type), kv_choices, COV_KV_MEMORY, "Where keys and values live: \"memory\", in this process."),
    NAME("prefix", CFG(kv.prefix), "none", "Put before every key."),
};
static const cov_options kv = OPTIONS(kv_rows);

/* ---- the root ---- */

static const cov_choice naming_choices[] = { { "camelCase", COV_NAMING_CAMEL }, { "asIs", COV_NAMING_AS_IS }, { NULL, 0 } };
static const cov_choice level_choices[] = {
    { "debug", COV_LOG_DEBUG }, { "info", COV_LOG_INFO }, { "warn", COV_LOG_WARN }, { "error", COV_LOG_ERROR }, { NULL, 0 },
};
static const cov_choice changelog_choices[] = { { "kv", false }, { "database", true }, { NULL, 0 } };
static const cov_option multiplex_rows[] = {
    INT("maxChannelsPerConnection", CFG(multiplex.max_channels), 200, 1, 100000, NULL, "Most subscriptions of one stream."),
    INT("heartbeatMs", CFG(multiplex.heartbeat_ms), 20000, 100, DAY_MS, "ms", "Pause between two heartbeats."),
    INT("maxQueueBytes", CFG(multiplex.max_queue_bytes), 262144, 1024, GIB, "bytes", "Most bytes that wait for a slow reader."),
};
static const cov_options multiplex = OPTIONS(multiplex_rows);
static const cov_option root_rows[] = {
    ROW("$schema", COV_OPT_STRING, COV_STORE_NONE, UNUSED, .help = "Where an editor finds the JSON Schema of this file."),
    OBJECT("app", app, "Paths and headers of all responses."),
    OBJECT("database", database, "Where the rows are."),
    ROW("schema", COV_OPT_STRING, COV_STORE_STR, CFG(schema_path), .def_text = "schema.sql", .flags = COV_OPT_NOT_EMPTY,
        .help = "File with the CREATE TABLE statements, relative to this file."),
    ENUM("naming", COV_STORE_ENUM, CFG(naming), naming_choices, COV_NAMING_CAMEL,
         "Names in JSON: \"camelCase\" makes created_at createdAt; \"asIs\" keeps SQL's names."),
    ENUM("logLevel", COV_STORE_ENUM, CFG(log_level), level_choices, COV_LOG_INFO, "Least severe log lines that are written."),
    OBJECT("server", server, "Listening, limits and timeouts."),
    ROW("cursorSigningSecret", COV_OPT_STRING, COV_STORE_STR, offsetof(cov_config_root, cursor_secret), .flags = COV_OPT_NOT_EMPTY,
        .def_doc = "none: cursors are not signed", .help = "Key that signs cursors, so that clients cannot make their own."),
    ENUM("changelog", COV_STORE_ENUM_BOOL, CFG(changelog_in_database), changelog_choices, false,
         "Where changes are kept for subscribers who were away: \"kv\", or \"database\": a table, written in the transaction of the row, that survives a restart."),
    ROW("multiplex", COV_OPT_BOOL | COV_OPT_OBJECT, COV_STORE_BOOL, CFG(multiplex.enabled), .def = true, .object = &multiplex,
        .help = "One stream for all subscriptions of a page, /__covara/stream."),
    ROW("resources", COV_OPT_OBJECT, COV_STORE_MAP, CFG(resources), .count_offset = CFG(n_resources), .object = &resource,
        .flags = COV_OPT_REQUIRED, .help = "What is served, by name."),
    OBJECT("kv", kv, "Store for limits, tokens, messages and (if so configured) sessions."),
    ROW("auth", COV_OPT_OBJECT, COV_STORE_BOOL, CFG(auth.set), .object = &cov__auth_options, .help = "Users, sessions and account routes."),
    OBJECT("mail", cov__mail_options, "How mail leaves: for verification, password resets and magic links."),
    ROW("rateLimit", COV_OPT_BOOL | COV_OPT_OBJECT, COV_STORE_BOOL, CFG(guard.rate.set), .object = &cov__rate_options,
        .help = "Most requests of one user or address to everything together; true is 100 a minute."),
    ROW("abuseProtection", COV_OPT_OBJECT, COV_STORE_BOOL, CFG(guard.abuse.set), .object = &cov__abuse_options,
        .help = "Budgets, and the challenges that extend them."),
    ROW("idempotency", COV_OPT_BOOL | COV_OPT_OBJECT, COV_STORE_BOOL, CFG(guard.idempotency.enabled), .object = &cov__idempotency_options,
        .help = "Answer a repeated request with an Idempotency-Key with the first answer."),
    ROW("versioning", COV_OPT_BOOL | COV_OPT_OBJECT, COV_STORE_BOOL, CFG(guard.versioning.enabled), .object = &cov__versioning_options,
        .help = "Version and deprecation headers."),
    ROW("publicEnv", COV_OPT_OBJECT, COV_STORE_BOOL, CFG(env.set), .object = &cov__public_env_options,
        .help = "Environment variables that clients may read, checked at the start."),
};
const cov_options cov__config_options = OPTIONS_WITH(root_rows, .finish = cov__finish_root);
/* clang-format on */
