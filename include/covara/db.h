/* SPDX-License-Identifier: MIT */
/*
 * covara/db.h - what a SQL driver provides, and how the core calls it.
 *
 * Calls block. A connection belongs to one thread at a time. Features call the cov_db_ functions, never
 * the table, and test `caps`, never `name`.
 */
#ifndef COVARA_DB_H
#define COVARA_DB_H

#include "covara/host.h"

COV_BEGIN_C

#define COV_DB_ABI 1

typedef enum cov_value_type { COV_NULL, COV_INT, COV_REAL, COV_TEXT, COV_BLOB } cov_value_type;

/* One SQL value. Text and blobs are borrowed; see each call for how long they live. */
typedef struct cov_value {
    cov_value_type type;
    union {
        int64_t i; /* COV_INT */
        double r;  /* COV_REAL */
        cov_str s; /* COV_TEXT (UTF-8, may hold NUL bytes), COV_BLOB */
    };
} cov_value;

static inline cov_value cov_value_null(void)
{
    cov_value v = { COV_NULL, { 0 } };
    return v;
}
static inline cov_value cov_value_int(int64_t i)
{
    cov_value v = { COV_INT, { 0 } };
    v.i = i;
    return v;
}
static inline cov_value cov_value_real(double r)
{
    cov_value v = { COV_REAL, { 0 } };
    v.r = r;
    return v;
}
static inline cov_value cov_value_text(cov_str s)
{
    cov_value v = { COV_TEXT, { 0 } };
    v.s = s;
    return v;
}
static inline cov_value cov_value_blob(cov_str s)
{
    cov_value v = { COV_BLOB, { 0 } };
    v.s = s;
    return v;
}

/* One statement with `?` placeholders in order. All of it is borrowed for the call. */
typedef struct cov_stmt {
    cov_str sql;
    const cov_value *params;
    size_t n_params;
} cov_stmt;

/*
 * Receives rows one at a time. The values and everything they point to die when the call returns.
 * A status other than COV_OK stops the query and becomes its result.
 */
typedef struct cov_row_sink cov_row_sink;
struct cov_row_sink {
    cov_status (*row)(cov_row_sink *sink, const cov_value *values, size_t n_values, cov_error *err);
};

enum {
    COV_DB_CAP_TRANSACTIONS = 1u << 0, /* begin/commit/rollback, nested as savepoints */
    COV_DB_CAP_BATCH = 1u << 1,        /* an atomic list of statements */
    COV_DB_CAP_RETURNING = 1u << 2,
    COV_DB_CAP_FUNCTIONS = 1u << 3, /* the cov_ SQL functions (lower, regex, text) are registered */
    COV_DB_CAP_BLOCKS = 1u << 4,    /* a query waits for a socket: never run it on an event loop */
    COV_DB_CAP_WATCH = 1u << 5      /* says which rows a statement changes (cov_db_watch) */
};

/*
 * Told of each row that a statement on this connection changes, while that runs: so it must not use the connection. A
 * statement that fails, or is rolled back, was told all the same.
 */
typedef struct cov_row_watch cov_row_watch;
struct cov_row_watch {
    /* Are rows of this table of interest? `indirect`: a trigger or a foreign key's action changes it. */
    bool (*wants)(cov_row_watch *watch, cov_str table, bool indirect);
    /*
     * Values in the table's order, generated columns left out; `before` NULL for a new row, `after` NULL for one that is
     * deleted, both NULL when they could not be had. A column that was added to the table later, with a default, may be
     * NULL in `before`. All of it dies when the call returns.
     */
    void (*changed)(cov_row_watch *watch, cov_str table, const cov_value *before,
                    const cov_value *after, size_t n_values);
};

/* How SQL is spelled for one engine: data, not code. */
typedef struct cov_dialect {
    const char *name;          /* "sqlite" */
    bool numbered_params;      /* $1, $2 instead of ? */
    bool nulls_first_natively; /* NULL sorts before every value in ascending order */
} cov_dialect;

typedef struct cov_db_config {
    cov_str url; /* "sqlite:app.db", "sqlite::memory:" */
    bool read_only;
    uint32_t busy_timeout_ms; /* 0 = 5000 */
    bool relaxed_sync;        /* SQLite: synchronous=NORMAL instead of FULL */
} cov_db_config;

typedef struct cov_db cov_db;
typedef struct cov_db_driver {
    uint32_t abi; /* COV_DB_ABI; members are only ever added at the end */
    uint32_t caps;
    const char *name;
    const cov_dialect *dialect;
    /* must: the config is borrowed for the call, the host for the connection's life */
    cov_status (*open)(const cov_host *host, const cov_db_config *config, cov_db **out,
                       cov_error *err);
    /* must: a NULL sink discards rows; *changes (may be NULL) = rows inserted, updated or deleted */
    cov_status (*query)(cov_db *db, const cov_stmt *stmt, cov_row_sink *sink, int64_t *changes,
                        cov_error *err);
    /* must: several statements separated by semicolons, no parameters, rows discarded */
    cov_status (*script)(cov_db *db, cov_str sql, cov_error *err);
    /* with COV_DB_CAP_TRANSACTIONS; a nested begin is a savepoint, and ends with its own commit/rollback */
    cov_status (*begin)(cov_db *db, bool write, cov_error *err);
    cov_status (*commit)(cov_db *db, cov_error *err);
    void (*rollback)(cov_db *db);
    /* must: NULL is fine */
    void (*close)(cov_db *db);
    /* with COV_DB_CAP_WATCH */
    void (*watch)(cov_db *db, cov_row_watch *watch);
} cov_db_driver;

/* Implementations embed this as their first member. */
struct cov_db {
    const cov_db_driver *driver;
    int depth; /* open transactions: 0 none, 1 the transaction, more are savepoints; kept by the calls below */
};

/*
 * Constraint failures come as COV_EUNIQUE, COV_EFOREIGN, COV_ENOTNULL, COV_ECHECK with err->subject;
 * a locked database as COV_EBUSY, a damaged one as COV_ECORRUPT, anything else as COV_EINTERNAL.
 * On failure of a single statement nothing of it remains.
 */
COV_CHECK cov_status cov_db_open(const cov_db_driver *driver, const cov_host *host,
                                 const cov_db_config *config, cov_db **out, cov_error *err);
COV_CHECK cov_status cov_db_query(cov_db *db, const cov_stmt *stmt, cov_row_sink *sink,
                                  cov_error *err);
COV_CHECK cov_status cov_db_exec(cov_db *db, const cov_stmt *stmt, int64_t *changes,
                                 cov_error *err);
COV_CHECK cov_status cov_db_script(cov_db *db, cov_str sql, cov_error *err);
COV_CHECK cov_status cov_db_begin(cov_db *db, bool write, cov_error *err);
COV_CHECK cov_status cov_db_commit(cov_db *db, cov_error *err);
void cov_db_rollback(cov_db *db);
void cov_db_close(cov_db *db);
/* From now on `watch` is told, until the next call; NULL: nobody. False: the driver cannot. */
bool cov_db_watch(cov_db *db, cov_row_watch *watch);

COV_END_C

#endif
