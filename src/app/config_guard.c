/* SPDX-License-Identifier: MIT */
/* The option table: limits, challenges, idempotency, versions, public environment (spec/07). */
#include "app/config_rows.h"

/* clang-format off */
const cov_choice cov__overflow_choices[] = { { "pow", COV_OVERFLOW_POW }, { "captcha", COV_OVERFLOW_CAPTCHA }, { NULL, 0 } };

/* ---- rate limits: the same rows for the whole application and for a resource ---- */

#define TOO_MANY "Too many requests, please try again later"
static const cov_choice algorithm_choices[] = { { "fixed", false }, { "sliding", true }, { NULL, 0 } };
#define RATE_ROWS(of_, rate_) \
    INT("windowMs", of_(rate_.window_ms), 60000, 1, 365 * DAY_MS, "ms", "Length of the window."), \
    INT("maxRequests", of_(rate_.max_requests), 100, 0, 10 * MILLION, "requests", "Most requests in a window."), \
    ENUM("algorithm", COV_STORE_ENUM_BOOL, of_(rate_.sliding), algorithm_choices, false, \
         "\"fixed\": windows follow one another; \"sliding\": the last windowMs count, refused requests too."), \
    ROW("message", COV_OPT_STRING, COV_STORE_STR, of_(rate_.message), .flags = COV_OPT_NOT_EMPTY, .def_text = TOO_MANY, \
        .help = "Detail of the 429 response."), \
    BOOL("headers", of_(rate_.headers), true, "Send X-RateLimit headers.")
static const cov_option rate_rows[] = { RATE_ROWS(CFG, guard.rate) };
const cov_options cov__rate_options = OPTIONS(rate_rows);
static const cov_option resource_rate_rows[] = { RATE_ROWS(RES, gate.rate) };
const cov_options cov__resource_rate_options = OPTIONS(resource_rate_rows);

/* ---- gates of a resource ---- */

#define COST(key_, op_, help_) INT(key_, RES(gate.cost[op_]), 0, 0, 10 * MILLION, "units", help_)
static const cov_option resource_cost_rows[] = {
    COST("read", COV_GATE_READ, "Lists and single rows."), COST("create", COV_GATE_CREATE, "Creating, batches once."),
    COST("update", COV_GATE_UPDATE, "Changing, batches once."), COST("delete", COV_GATE_DELETE, "Deleting, batches once."),
    COST("subscribe", COV_GATE_SUBSCRIBE, "Opening a subscription."), COST("aggregate", COV_GATE_AGGREGATE, "Aggregates."),
    COST("count", COV_GATE_COUNT, "Counts."), COST("search", COV_GATE_SEARCH, "Searches."), COST("rpc", COV_GATE_RPC, "Procedures."),
};
const cov_options cov__resource_cost_options = OPTIONS(resource_cost_rows);

#define OPERATIONS(member_) \
    NAMES("operations", RES(member_), "create, update and delete", "Operations that are challenged.")
static const cov_option resource_pow_rows[] = {
    INT("difficulty", RES(gate.pow.difficulty), 0, 0, 64, "bits", "Zero bits that a solution must have; 0 is the global difficulty."),
    OPERATIONS(gate.pow.operations),
};
const cov_options cov__resource_pow_options = OPTIONS(resource_pow_rows);
static const cov_option resource_captcha_rows[] = {
    ROW("action", COV_OPT_STRING, COV_STORE_STR, RES(gate.captcha.action), .flags = COV_OPT_NOT_EMPTY, .check = cov__check_header,
        .def_doc = "none", .help = "Name that the provider is given, and must give back."),
    OPERATIONS(gate.captcha.operations),
};
const cov_options cov__resource_captcha_options = OPTIONS(resource_captcha_rows);

/* ---- abuse protection ---- */

#define CLASS(member) offsetof(cov_budget_class, member)
static const cov_option class_rows[] = {
    ROW("capacity", COV_OPT_INT, COV_STORE_INT, CLASS(capacity), .min = 1, .max = 1000 * MILLION, .unit = "units", .flags = COV_OPT_REQUIRED,
        .def_doc = "required", .help = "Units of a full budget."),
    INT("refillPerMinute", CLASS(refill_per_minute), 0, 0, 1000 * MILLION, "units", "Units that come back in a minute."),
};
static const cov_options budget_class = OPTIONS_WITH(class_rows, .size = sizeof(cov_budget_class), .name_offset = CLASS(name));
static const cov_option budget_rows[] = {
    BOOL("enabled", CFG(guard.abuse.budget.enabled), true, "Charge costs."),
    ROW("classes", COV_OPT_OBJECT, COV_STORE_MAP, CFG(guard.abuse.budget.classes), .count_offset = CFG(guard.abuse.budget.n_classes),
        .object = &budget_class, .flags = COV_OPT_REQUIRED, .help = "Budgets by class of caller: \"anonymous\" (an address) and \"authenticated\" (a user)."),
};
static const cov_options budget = OPTIONS(budget_rows);
static const cov_option pow_rows[] = {
    BOOL("enabled", CFG(guard.abuse.pow.enabled), true, "Offer proof of work."),
    ROW("secret", COV_OPT_STRING, COV_STORE_STR, CFG(guard.abuse.pow.secret), .flags = COV_OPT_NOT_EMPTY,
        .def_doc = "COVARA_POW_SECRET, else random", .help = "Key that signs challenges; a random one ends with the process."),
    INT("difficulty", CFG(guard.abuse.pow.difficulty), 20, 1, 64, "bits", "Zero bits that a solution must have; each doubles the work."),
    INT("challengeTtlMs", CFG(guard.abuse.pow.challenge_ttl_ms), 120000, 1000, DAY_MS, "ms", "How long a challenge is good for."),
    BOOL("bindBody", CFG(guard.abuse.pow.bind_body), true, "A solution is good for one body only."),
};
static const cov_options proof = OPTIONS(pow_rows);
static const cov_choice captcha_choices[] = {
    { "turnstile", COV_CAPTCHA_TURNSTILE }, { "hcaptcha", COV_CAPTCHA_HCAPTCHA }, { "recaptcha", COV_CAPTCHA_RECAPTCHA }, { NULL, 0 },
};
static const cov_option captcha_rows[] = {
    ROW("provider", COV_OPT_STRING, COV_STORE_ENUM, CFG(guard.abuse.captcha.provider), .choices = captcha_choices, .flags = COV_OPT_REQUIRED,
        .help = "Who checks."),
    NEEDED_NAME("secret", CFG(guard.abuse.captcha.secret), "Key for the provider's verification call."),
    ROW("siteKey", COV_OPT_STRING, COV_STORE_STR, CFG(guard.abuse.captcha.site_key), .flags = COV_OPT_NOT_EMPTY, .check = cov__check_header,
        .def_doc = "not sent", .help = "Key for the page, told to clients."),
    NAME("verifyUrl", CFG(guard.abuse.captcha.verify_url), "the provider's", "Where tokens are verified."),
    NAME("minScore", CFG(guard.abuse.captcha.min_score), "none", "Least score, as decimal text (recaptcha)."),
    ROW("tokenHeader", COV_OPT_STRING, COV_STORE_STR, CFG(guard.abuse.captcha.token_header), .flags = COV_OPT_NOT_EMPTY,
        .check = cov__check_token, .def_text = "Covara-Captcha-Token", .help = "Request header with the client's token."),
};
static const cov_options captcha = OPTIONS(captcha_rows);
static const cov_choice global_overflow_choices[] = { { "pow", false }, { "captcha", true }, { NULL, 0 } };
static const cov_option abuse_rows[] = {
    OBJECT("budget", budget, "What callers may spend; without it, costs mean nothing."),
    OBJECT("pow", proof, "Proof of work."),
    ROW("captcha", COV_OPT_OBJECT, COV_STORE_BOOL, CFG(guard.abuse.captcha.enabled), .object = &captcha, .help = "CAPTCHA."),
    ENUM("overflow", COV_STORE_ENUM_BOOL, CFG(guard.abuse.overflow_captcha), global_overflow_choices, false,
         "The challenge when a caller's budget is used up."),
};
const cov_options cov__abuse_options = OPTIONS(abuse_rows);

/* ---- idempotency ---- */

static const cov_choice store_error_choices[] = { { "proceed", false }, { "fail", true }, { NULL, 0 } };
static const cov_option idempotency_rows[] = {
    INT("ttlMs", CFG(guard.idempotency.ttl_ms), DAY_MS, 1000, 365 * DAY_MS, "ms", "How long an answer is kept."),
    ROW("methods", COV_OPT_LIST, COV_STORE_NAMES, CFG(guard.idempotency.methods), .def_text = "POST,PATCH,PUT", .help = "Methods that take part."),
    NAMES("paths", CFG(guard.idempotency.paths), "all", "Prefixes of paths that take part."),
    NAMES("excludePaths", CFG(guard.idempotency.exclude_paths), "none", "Prefixes of paths that do not."),
    ROW("headerName", COV_OPT_STRING, COV_STORE_STR, CFG(guard.idempotency.header), .flags = COV_OPT_NOT_EMPTY, .check = cov__check_token,
        .def_text = "Idempotency-Key", .help = "Request header with the key; X-Idempotency-Key works too."),
    BOOL("validateKey", CFG(guard.idempotency.validate_key), false, "Refuse keys that are not 8 to 256 letters, digits, \"_\" and \"-\"."),
    ENUM("onStoreError", COV_STORE_ENUM_BOOL, CFG(guard.idempotency.fail_on_store_error), store_error_choices, false,
         "What to do while the KV store cannot be reached: go on unprotected, or answer 503."),
};
const cov_options cov__idempotency_options = OPTIONS(idempotency_rows);

/* ---- versions ---- */

#define DEP(member) offsetof(cov_deprecation_config, member)
static const cov_option deprecation_rows[] = {
    ROW("message", COV_OPT_STRING, COV_STORE_STR, DEP(message), .flags = COV_OPT_NOT_EMPTY | COV_OPT_REQUIRED, .check = cov__check_header,
        .help = "What clients are told."),
    ROW("replacement", COV_OPT_STRING, COV_STORE_STR, DEP(replacement), .flags = COV_OPT_NOT_EMPTY, .check = cov__check_header,
        .def_doc = "none", .help = "What to use instead."),
    ROW("sunset", COV_OPT_STRING, COV_STORE_STR, DEP(sunset), .flags = COV_OPT_NOT_EMPTY, .check = cov__check_date, .def_doc = "none",
        .help = "The day it ends: \"2027-01-02\"."),
    NAMES("affectedPaths", DEP(affected_paths), "all", "Prefixes of the paths that it concerns."),
};
static const cov_options deprecation = OPTIONS_WITH(deprecation_rows, .size = sizeof(cov_deprecation_config), .name_offset = DEP(feature), .finish = cov__finish_deprecation);
static const cov_option versioning_rows[] = {
    ROW("currentVersion", COV_OPT_STRING, COV_STORE_STR, CFG(guard.versioning.current), .flags = COV_OPT_NOT_EMPTY, .check = cov__check_header,
        .def_text = "1.0.0", .help = "Version of the API."),
    ROW("headerName", COV_OPT_STRING, COV_STORE_STR, CFG(guard.versioning.header), .flags = COV_OPT_NOT_EMPTY, .check = cov__check_token,
        .def_text = "X-Covara-Version", .help = "Response header with it."),
    ROW("schemaVersion", COV_OPT_STRING, COV_STORE_STR, CFG(guard.versioning.schema_version), .flags = COV_OPT_NOT_EMPTY,
        .check = cov__check_header, .def_doc = "not sent", .help = "X-Covara-Schema-Version."),
    NAME("minimumClientVersion", CFG(guard.versioning.minimum_client), "none", "Clients whose X-Covara-Client-Version is lower are refused."),
    ROW("deprecations", COV_OPT_OBJECT, COV_STORE_MAP, CFG(guard.versioning.deprecations), .count_offset = CFG(guard.versioning.n_deprecations),
        .object = &deprecation, .help = "What will end, by feature."),
};
const cov_options cov__versioning_options = OPTIONS(versioning_rows);

/* ---- public environment ---- */

#define VAR(member) offsetof(cov_env_variable, member)
static const cov_choice env_type_choices[] = {
    { "string", COV_ENV_STRING }, { "number", COV_ENV_NUMBER }, { "boolean", COV_ENV_BOOLEAN }, { "list", COV_ENV_LIST },
    { "json", COV_ENV_JSON }, { "url", COV_ENV_URL }, { "enum", COV_ENV_ENUM }, { NULL, 0 },
};
static const cov_choice visibility_choices[] = { { "byName", COV_ENV_BY_NAME }, { "public", COV_ENV_PUBLIC }, { "private", COV_ENV_PRIVATE }, { NULL, 0 } };
static const cov_option variable_rows[] = {
    ENUM("type", COV_STORE_ENUM, VAR(type), env_type_choices, COV_ENV_STRING, "What the text must be, and becomes."),
    ENUM("visibility", COV_STORE_ENUM, VAR(visibility), visibility_choices, COV_ENV_BY_NAME, "Whether clients see it; by its name, when that begins with \"PUBLIC_\"."),
    ROW("default", COV_OPT_STRING, COV_STORE_STR, VAR(fallback), .def_doc = "none", .help = "The text when the variable is not set."),
    BOOL("optional", VAR(optional), false, "It may be unset, and then is left out."),
    NAMES("values", VAR(values), "none", "What an enum may be."),
};
static const cov_options variable = OPTIONS_WITH(variable_rows, .size = sizeof(cov_env_variable), .name_offset = VAR(name));
static const cov_option public_env_rows[] = {
    ROW("path", COV_OPT_STRING, COV_STORE_STR, CFG(env.path), .def_text = "/api/env", .check = cov__check_base_path,
        .help = "Where clients read it; /schema below describes it."),
    ROW("cacheControl", COV_OPT_STRING, COV_STORE_STR, CFG(env.cache_control), .flags = COV_OPT_NOT_EMPTY, .check = cov__check_header,
        .def_text = "public, max-age=3600", .help = "Cache-Control of the answer."),
    BOOL("exposeSchema", CFG(env.expose_schema), true, "Serve /schema."),
    ROW("variables", COV_OPT_OBJECT, COV_STORE_MAP, CFG(env.variables), .count_offset = CFG(env.n_variables), .object = &variable,
        .shorthand = "type", .flags = COV_OPT_REQUIRED, .help = "Variables by name; a string is the type."),
};
const cov_options cov__public_env_options = OPTIONS(public_env_rows);
/* clang-format on */
