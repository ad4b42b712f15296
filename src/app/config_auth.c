/* SPDX-License-Identifier: MIT */
/* The option table: users, sessions, account routes, mail (spec/06, spec/13 part A). */
#include "app/config_rows.h"

/* clang-format off */
#define AUTH(member) CFG(auth.member)

static const cov_option users_rows[] = {
    NEEDED_NAME("table", AUTH(users.table), "Table of users."),
    ROW("id", COV_OPT_STRING, COV_STORE_STR, AUTH(users.id), .flags = COV_OPT_NOT_EMPTY, .def_text = "id", .help = "Column that identifies a user."),
    ROW("email", COV_OPT_STRING, COV_STORE_STR, AUTH(users.email), .flags = COV_OPT_NOT_EMPTY, .def_text = "email",
        .help = "Column with the e-mail address, compared as it is written."),
    NAME("passwordHash", AUTH(users.password_hash), "none", "Column with the password's hash; login, signup and password resets need it."),
    NAME("name", AUTH(users.name), "none", "Column with the name."),
    NAME("image", AUTH(users.image), "none", "Column with the picture's address."),
    NAME("emailVerified", AUTH(users.email_verified), "none", "Column with the time when the address was verified."),
    NAME("metadata", AUTH(users.metadata), "none", "Column with further data as a JSON object; scopes read it as {user.metadata.x}."),
    NAMES("metadataFields", AUTH(users.metadata_fields), "none", "Further columns, by SQL name, that become members of the metadata by their JSON name."),
};
static const cov_options users = OPTIONS(users_rows);

static const cov_choice secure_choices[] = { { "auto", COV_SECURE_AUTO }, { "always", COV_SECURE_ON }, { "never", COV_SECURE_OFF }, { NULL, 0 } };
static const cov_choice same_site_choices[] = { { "lax", COV_SAME_SITE_LAX }, { "strict", COV_SAME_SITE_STRICT }, { "none", COV_SAME_SITE_NONE }, { NULL, 0 } };
static const cov_option cookie_rows[] = {
    ENUM("secure", COV_STORE_ENUM, AUTH(session.cookie.secure), secure_choices, COV_SECURE_AUTO,
         "Send the cookie over HTTPS only; \"auto\": in production (NODE_ENV) and on HTTPS."),
    ENUM("sameSite", COV_STORE_ENUM, AUTH(session.cookie.same_site), same_site_choices, COV_SAME_SITE_LAX, "Whether requests from other sites carry it."),
    ROW("path", COV_OPT_STRING, COV_STORE_STR, AUTH(session.cookie.path), .flags = COV_OPT_NOT_EMPTY, .def_text = "/", .check = cov__check_cookie,
        .help = "Path that it is sent to."),
    ROW("domain", COV_OPT_STRING, COV_STORE_STR, AUTH(session.cookie.domain), .flags = COV_OPT_NOT_EMPTY, .check = cov__check_cookie,
        .def_doc = "this host only", .help = "Domain that it is sent to."),
    ROW("maxAge", COV_OPT_INT, COV_STORE_INT, AUTH(session.cookie.max_age_s), .def = -1, .max = 34560000, .unit = "s", .def_doc = "not sent: Expires says it",
        .help = "Max-Age of the cookie."),
    ROW("priority", COV_OPT_STRING, COV_STORE_STR, AUTH(session.cookie.priority), .flags = COV_OPT_NOT_EMPTY, .check = cov__check_cookie, .def_doc = "not sent",
        .help = "Low, Medium or High."),
    BOOL("partitioned", AUTH(session.cookie.partitioned), false, "A cookie jar for each top-level site (CHIPS)."),
};
static const cov_options cookie = OPTIONS(cookie_rows);
static const cov_choice session_choices[] = { { "cookie", COV_SESSION_COOKIE }, { "jwt", COV_SESSION_JWT }, { NULL, 0 } };
static const cov_choice store_choices[] = {
    { "auto", COV_KEEP_AUTO }, { "kv", COV_KEEP_KV }, { "database", COV_KEEP_DATABASE }, { "none", COV_KEEP_NONE }, { NULL, 0 },
};
static const cov_choice algorithm_choices[] = {
    { "HS256", 0 }, { "HS384", 0 }, { "HS512", 0 }, { "RS256", 0 }, { "RS384", 0 }, { "RS512", 0 }, { "PS256", 0 }, { "PS384", 0 }, { "PS512", 0 },
    { "ES256", 0 }, { "ES384", 0 }, { "ES512", 0 }, { NULL, 0 },
};
static const cov_option session_rows[] = {
    ENUM("type", COV_STORE_ENUM, AUTH(session.type), session_choices, COV_SESSION_COOKIE, "How a session is proved."),
    ENUM("store", COV_STORE_ENUM, AUTH(session.store), store_choices, COV_KEEP_AUTO,
         "Where sessions (jwt: refresh tokens), API keys and one-time tokens are; \"auto\" is the database unless the KV store is shared by processes; \"none\" (jwt): refresh tokens cannot be revoked."),
    INT("ttlMs", AUTH(session.ttl_ms), DAY_MS, 1000, 400 * DAY_MS, "ms", "How long a session lasts."),
    BOOL("sliding", AUTH(session.sliding), false, "A session that is used lives on for ttlMs; otherwise it ends ttlMs after the login."),
    ROW("cookieName", COV_OPT_STRING, COV_STORE_STR, AUTH(session.cookie_name), .flags = COV_OPT_NOT_EMPTY, .def_text = "session", .check = cov__check_token,
        .help = "Name of the cookie."),
    OBJECT("cookieOptions", cookie, "Attributes of the cookies."),
    ROW("prefix", COV_OPT_STRING, COV_STORE_STR, AUTH(session.prefix), .flags = COV_OPT_NOT_EMPTY, .def_text = "session", .help = "Prefix of sessions in the KV store."),
    NAME("secret", AUTH(session.jwt.secret), "required for jwt", "Key that signs tokens: a secret of at least 32 bytes, or a private key (PEM) for RS, PS and ES."),
    NAME("publicKey", AUTH(session.jwt.public_key), "none", "Key (PEM) that verifies tokens of RS, PS and ES."),
    ROW("algorithm", COV_OPT_STRING, COV_STORE_STR, AUTH(session.jwt.algorithm), .choices = algorithm_choices, .def_text = "HS256", .help = "The one algorithm of tokens (jwt)."),
    NAME("issuer", AUTH(session.jwt.issuer), "none", "Issuer of tokens, put in and asked for (jwt)."),
    ROW("audience", COV_OPT_STRING | COV_OPT_LIST, COV_STORE_NAMES, AUTH(session.jwt.audience), .def_doc = "none", .help = "Audience of tokens, put in; the first is asked for (jwt)."),
    INT("accessTokenTtl", AUTH(session.jwt.access_ttl_s), 900, 1, 315360000, "s", "How long an access token lasts (jwt)."),
    INT("refreshTokenTtl", AUTH(session.jwt.refresh_ttl_s), 604800, 1, 34560000, "s", "How long a refresh token lasts (jwt)."),
    INT("clockTolerance", AUTH(session.jwt.clock_tolerance_s), 30, 0, 3600, "s", "How far clocks may differ (jwt)."),
    ROW("refreshCookieName", COV_OPT_STRING, COV_STORE_STR, AUTH(session.jwt.refresh_cookie_name), .flags = COV_OPT_NOT_EMPTY, .def_text = "refreshToken",
        .check = cov__check_token, .help = "Name of the refresh token's cookie (jwt)."),
};
static const cov_options session = OPTIONS(session_rows);

/* ---- account routes ---- */

#define GATE(gate_, cost_key_, cost_help_) \
    INT(cost_key_, AUTH(gate_.cost[COV_GATE_RPC]), 0, 0, 10 * MILLION, "units", cost_help_), \
    BOOL("pow", AUTH(gate_.pow.on[COV_GATE_RPC]), false, "Ask for a proof of work first."), \
    BOOL("captcha", AUTH(gate_.captcha.on[COV_GATE_RPC]), false, "Ask for a CAPTCHA first."), \
    ROW("captchaAction", COV_OPT_STRING, COV_STORE_STR, AUTH(gate_.captcha.action), .flags = COV_OPT_NOT_EMPTY, .check = cov__check_header, \
        .def_doc = "none", .help = "Name that the CAPTCHA's provider is given.")
static const cov_option login_rows[] = {
    BOOL("requireVerifiedEmail", AUTH(require_verified_email), false, "Refuse users whose address is not verified."),
    GATE(login_gate, "failedCost", "What a failed attempt takes from the caller's budget."),
};
static const cov_options login = OPTIONS(login_rows);
static const cov_option signup_rows[] = { GATE(signup_gate, "cost", "What an attempt takes from the caller's budget.") };
static const cov_options signup = OPTIONS(signup_rows);

static const cov_choice csrf_choices[] = { { "token", COV_CSRF_TOKEN }, { "origin", COV_CSRF_ORIGIN }, { NULL, 0 } };
static const cov_option csrf_rows[] = {
    ENUM("mode", COV_STORE_ENUM, AUTH(csrf.mode), csrf_choices, COV_CSRF_ORIGIN,
         "\"origin\": refuse requests of other sites by Sec-Fetch-Site and Origin; \"token\": a cookie and a header must be equal."),
    NAMES("allowedOrigins", AUTH(csrf.allowed_origins), "app.cors.origin", "Further origins that may send requests."),
    BOOL("resources", AUTH(csrf.resources), true, "Protect resources too, when the session comes by cookie (mode \"origin\")."),
    ROW("cookieName", COV_OPT_STRING, COV_STORE_STR, AUTH(csrf.cookie_name), .flags = COV_OPT_NOT_EMPTY, .def_text = "csrf_token", .check = cov__check_token,
        .help = "Cookie of mode \"token\"."),
    ROW("headerName", COV_OPT_STRING, COV_STORE_STR, AUTH(csrf.header_name), .flags = COV_OPT_NOT_EMPTY, .def_text = "X-CSRF-Token", .check = cov__check_token,
        .help = "Header of mode \"token\"."),
    ROW("message", COV_OPT_STRING, COV_STORE_STR, AUTH(csrf.message), .flags = COV_OPT_NOT_EMPTY, .def_text = "CSRF token validation failed",
        .help = "Detail of the 403 response."),
};
static const cov_options csrf = OPTIONS(csrf_rows);
static const cov_option throttle_rows[] = {
    INT("maxAttempts", AUTH(throttle.max_attempts), 5, 1, MILLION, "attempts", "Failures in a window, for each e-mail address and each client address."),
    INT("windowMs", AUTH(throttle.window_ms), 900000, 1000, 365 * DAY_MS, "ms", "Length of the window."),
};
static const cov_options throttle = OPTIONS(throttle_rows);

#define TOKEN_ROWS(token_, ttl_, subject_, page_) \
    INT("ttlMs", AUTH(token_.ttl_ms), ttl_, 1000, 365 * DAY_MS, "ms", "How long the link is good for."), \
    ROW("url", COV_OPT_STRING, COV_STORE_STR, AUTH(token_.url), .flags = COV_OPT_NOT_EMPTY, .def_doc = "the token alone", \
        .help = "Page of the application that the mail links to; {token} and {identifier} are replaced: \"https://app.example.com/" page_ "?token={token}&email={identifier}\"."), \
    ROW("subject", COV_OPT_STRING, COV_STORE_STR, AUTH(token_.subject), .flags = COV_OPT_NOT_EMPTY, .check = cov__check_line, .def_text = subject_, \
        .help = "Subject of the mail.")
static const cov_option verification_rows[] = { TOKEN_ROWS(verification, DAY_MS, "Verify your e-mail address", "verify") };
static const cov_options verification = OPTIONS(verification_rows);
static const cov_option reset_rows[] = {
    TOKEN_ROWS(password_reset, 3600000, "Reset your password", "reset"),
    BOOL("logoutEverywhere", AUTH(logout_everywhere), true, "End all sessions of the user with the reset."),
    GATE(reset_gate, "cost", "What a request for a reset takes from the caller's budget."),
};
static const cov_options reset = OPTIONS(reset_rows);
static const cov_option magic_rows[] = { TOKEN_ROWS(magic_link, 900000, "Your sign-in link", "login") };
static const cov_options magic = OPTIONS(magic_rows);

static const cov_option policy_rows[] = {
    INT("minLength", AUTH(password_policy.min_length), 8, 0, 4096, "characters", "Shortest password."),
    INT("maxLength", AUTH(password_policy.max_length), 0, 0, 65536, "characters", "Longest password; 0 is none."),
    BOOL("requireUppercase", AUTH(password_policy.uppercase), false, "Ask for A to Z."),
    BOOL("requireLowercase", AUTH(password_policy.lowercase), false, "Ask for a to z."),
    BOOL("requireNumber", AUTH(password_policy.number), false, "Ask for 0 to 9."),
    BOOL("requireSymbol", AUTH(password_policy.symbol), false, "Ask for anything else."),
    NAMES("denylist", AUTH(password_policy.denylist), "none", "Passwords that are refused."),
    BOOL("useBuiltInDenylist", AUTH(password_policy.built_in_denylist), true, "Refuse the twenty most common ones too."),
};
static const cov_options policy = OPTIONS(policy_rows);
static const cov_option scrypt_rows[] = {
    INT("N", AUTH(scrypt.n), 16384, 1024, 1048576, NULL, "Cost in time and memory; a power of two."),
    INT("r", AUTH(scrypt.r), 8, 1, 32, NULL, "Block size."),
    INT("p", AUTH(scrypt.p), 1, 1, 16, NULL, "Parallelisation."),
};
static const cov_options scrypt = OPTIONS(scrypt_rows);
static const cov_option mfa_rows[] = {
    NAME("issuer", AUTH(mfa.issuer), "none", "Name that authenticator applications show."),
    BOOL("requireOnLogin", AUTH(mfa.require_on_login), true, "Ask users who enrolled for a code when they log in."),
    INT("window", AUTH(mfa.window), 1, 0, 10, "steps", "Codes before and after the current one that count."),
    INT("backupCodes", AUTH(mfa.backup_codes), 10, 0, 20, NULL, "Backup codes of an enrolment."),
};
static const cov_options mfa = OPTIONS(mfa_rows);
static const cov_option key_rows[] = {
    ROW("header", COV_OPT_STRING, COV_STORE_STR, AUTH(api_keys.header), .flags = COV_OPT_NOT_EMPTY, .def_text = "X-API-Key", .check = cov__check_token,
        .help = "Request header with the key."),
    BOOL("acceptBearer", AUTH(api_keys.accept_bearer), false, "Take keys from Authorization: Bearer too."),
    ROW("prefix", COV_OPT_STRING, COV_STORE_STR, AUTH(api_keys.prefix), .flags = COV_OPT_NOT_EMPTY, .check = cov__check_key_prefix, .def_doc = "none",
        .help = "What new keys begin with: \"app_live\"."),
};
static const cov_options keys = OPTIONS(key_rows);

#define SWITCHED(key_, member_, def_, object_, help_) \
    ROW(key_, COV_OPT_BOOL | COV_OPT_OBJECT, COV_STORE_BOOL, AUTH(member_), .def = (def_), .object = &(object_), .help = help_)
static const cov_option auth_rows[] = {
    OBJECT("users", users, "Where users are."),
    OBJECT("session", session, "Sessions."),
    ROW("path", COV_OPT_STRING, COV_STORE_STR, AUTH(path), .check = cov__check_base_path, .def_doc = "`auth` below app.basePath", .help = "Where the routes are served."),
    SWITCHED("login", login, false, login, "POST /login."),
    SWITCHED("signup", signup, false, signup, "POST /signup."),
    SWITCHED("csrf", csrf.enabled, false, csrf, "Protection against requests that other sites make with a user's cookie; true is mode \"origin\"."),
    SWITCHED("throttle", throttle.enabled, true, throttle, "Limit of failed logins and of guesses at codes and tokens."),
    SWITCHED("verification", verification.enabled, false, verification, "Verification of e-mail addresses by mail."),
    SWITCHED("passwordReset", password_reset.enabled, false, reset, "Forgotten passwords."),
    SWITCHED("magicLink", magic_link.enabled, false, magic, "Login by e-mail."),
    SWITCHED("passwordPolicy", password_policy.set, false, policy, "Rules for new passwords."),
    OBJECT("scrypt", scrypt, "Cost of password hashes; weaker ones are renewed at the next login."),
    SWITCHED("mfa", mfa.enabled, false, mfa, "Second factor: one-time codes (TOTP) and backup codes."),
    SWITCHED("apiKeys", api_keys.enabled, false, keys, "Keys that stand for a user, made and revoked by the user."),
};
const cov_options cov__auth_options = OPTIONS_WITH(auth_rows, .finish = cov__finish_auth);

/* ---- mail ---- */

static const cov_choice mail_choices[] = { { "log", COV_MAIL_LOG }, { "resend", COV_MAIL_RESEND }, { "http", COV_MAIL_HTTP }, { NULL, 0 } };
static const cov_option mail_rows[] = {
    ENUM("type", COV_STORE_ENUM, CFG(mail.type), mail_choices, COV_MAIL_LOG,
         "\"log\": a log line, for development; \"resend\": Resend's HTTP API; \"http\": the same JSON posted to a service of your own."),
    ROW("from", COV_OPT_STRING, COV_STORE_STR, CFG(mail.from), .flags = COV_OPT_NOT_EMPTY, .check = cov__check_line, .def_text = "Covara <no-reply@localhost>",
        .help = "Sender."),
    NAME("url", CFG(mail.url), "Resend's", "Where mails are posted."),
    NAME("apiKey", CFG(mail.api_key), "none", "Sent as Authorization: Bearer."),
    INT("timeoutMs", CFG(mail.timeout_ms), 10000, 100, 600000, "ms", "Longest wait for the mail service."),
};
const cov_options cov__mail_options = OPTIONS(mail_rows);
/* clang-format on */
