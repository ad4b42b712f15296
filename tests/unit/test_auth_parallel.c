/* SPDX-License-Identifier: MIT */
/* Of several threads that use one token, one code or one backup code at once, one does; on both stores. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "auth/mfa_store.h"
#include "auth/one_time.h"
#include "auth/totp.h"
#include "driver/db/sqlite/sqlite.h"
#include "driver/kv/memory/memory.h"
#include "fake_host.h"

enum { THREADS = 4, ROUNDS = 25 };
#define EMAIL COV_STR("ann@example.com")
#define USER COV_STR("u1")
#define SECRET COV_STR("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")

typedef struct fixture fixture;

/* A thread's own connection, arena and request. */
typedef struct runner {
    fixture *f;
    pthread_t thread;
    cov_arena *arena;
    cov_db *db;
    cov_error err;
    cov_ctx ctx;
    cov_status st;
    bool done;
} runner;

struct fixture {
    fake_host fake;
    char path[64];
    cov_kv *kv;
    cov_auth_store store;
    runner runners[THREADS];
    pthread_barrier_t start;
    cov_status (*work)(runner *r);
    cov_str token;
};

static void open_runner(fixture *f, runner *r)
{
    cov_db_config config = { .url = cov_str_from(f->path) };

    r->f = f;
    r->arena = cov_arena_new(0);
    assert_non_null(r->arena);
    cov_error_init(&r->err, NULL);
    assert_int_equal(cov_db_open(&cov_sqlite_driver, &f->fake.host, &config, &r->db, &r->err),
                     COV_OK);
    r->ctx = (cov_ctx){ .host = &f->fake.host, .db = r->db, .arena = r->arena, .err = &r->err };
}

static int setup(void **state, bool in_database)
{
    fixture *f = calloc(1, sizeof *f);
    cov_kv_config config = { .url = COV_STR("") };
    int fd;

    assert_non_null(f);
    fake_host_init(&f->fake);
    snprintf(f->path, sizeof f->path, "sqlite:/tmp/covara-parallel-XXXXXX");
    fd = mkstemp(f->path + strlen("sqlite:"));
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(cov_kv_open(&cov_memory_kv_driver, &f->fake.host, &config, &f->kv,
                                 &f->runners[0].err),
                     COV_OK);
    f->store = (cov_auth_store){ in_database, f->kv, COV_STR("session") };
    for (size_t i = 0; i < THREADS; i++)
        open_runner(f, &f->runners[i]);
    assert_int_equal(cov_db_script(f->runners[0].db, cov_auth_store_ddl(&f->store),
                                   &f->runners[0].err),
                     COV_OK);
    pthread_barrier_init(&f->start, NULL, THREADS);
    *state = f;
    return 0;
}

static int setup_kv(void **state)
{
    return setup(state, false);
}

static int setup_database(void **state)
{
    return setup(state, true);
}

static int teardown(void **state)
{
    static const char *const endings[] = { "", "-wal", "-shm" };
    fixture *f = *state;

    for (size_t i = 0; i < THREADS; i++) {
        cov_db_close(f->runners[i].db);
        cov_arena_free(f->runners[i].arena);
    }
    for (size_t i = 0; i < COV_COUNT_OF(endings); i++) {
        char file[80];

        snprintf(file, sizeof file, "%s%s", f->path + strlen("sqlite:"), endings[i]);
        unlink(file);
    }
    pthread_barrier_destroy(&f->start);
    cov_kv_close(f->kv);
    fake_host_dispose(&f->fake);
    free(f);
    return 0;
}

static void *thread_main(void *arg)
{
    runner *r = arg;

    pthread_barrier_wait(&r->f->start);
    r->st = r->f->work(r);
    return NULL;
}

/* How many of the threads did it. */
static size_t run_all(fixture *f, cov_status (*work)(runner *r))
{
    size_t n = 0;

    f->work = work;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&f->runners[i].thread, NULL, thread_main, &f->runners[i]),
                         0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(f->runners[i].thread, NULL);
        assert_int_equal(f->runners[i].st, COV_OK);
        n += f->runners[i].done;
    }
    return n;
}

/* ---- tokens ---- */

static cov_status consume(runner *r)
{
    return cov__one_time_consume(&r->f->store, &r->ctx, COV_ONE_TIME_RESET, EMAIL, r->f->token,
                                 &r->done);
}

static void token__is_consumed_by_one(void **state)
{
    fixture *f = *state;
    int64_t expires_ms;

    for (int i = 0; i < ROUNDS; i++) {
        assert_int_equal(cov__one_time_issue(&f->store, &f->runners[0].ctx, COV_ONE_TIME_RESET,
                                             EMAIL, 60000, &f->token, &expires_ms),
                         COV_OK);
        assert_int_equal(run_all(f, consume), 1);
    }
}

/* ---- codes ---- */

static void enable(fixture *f, const cov_str *hashes, size_t n_hashes)
{
    cov_mfa_offer offer = {
        .secret = SECRET, .hashes = hashes, .n_hashes = n_hashes, .replaces = COV_STR("")
    };
    cov_ctx *ctx = &f->runners[0].ctx;
    bool done = false;

    assert_int_equal(cov__mfa_offer(&f->store, ctx, USER, &offer), COV_OK);
    assert_int_equal(cov__mfa_accept(&f->store, ctx, USER, SECRET, 10, &done), COV_OK);
    assert_true(done);
}

static cov_mfa current(fixture *f)
{
    cov_mfa mfa;

    assert_int_equal(cov__mfa_get(&f->store, &f->runners[0].ctx, USER, &mfa), COV_OK);
    return mfa;
}

static _Atomic int64_t counter;

static cov_status advance(runner *r)
{
    return cov__mfa_advance(&r->f->store, &r->ctx, USER, SECRET, atomic_load(&counter), &r->done);
}

static void code__is_used_by_one(void **state)
{
    fixture *f = *state;

    enable(f, NULL, 0);
    atomic_store(&counter, 10);
    assert_int_equal(run_all(f, advance), 0);
    for (int64_t i = 11; i < 11 + ROUNDS; i++) {
        atomic_store(&counter, i);
        assert_int_equal(run_all(f, advance), 1);
        assert_int_equal(current(f).last_counter, i);
    }
    atomic_store(&counter, 12);
    assert_int_equal(run_all(f, advance), 0);
}

static cov_status spend(runner *r)
{
    return cov__mfa_spend(&r->f->store, &r->ctx, USER, SECRET, COV_STR("scrypt$N=2,r=1,p=1$b$b+/="),
                          &r->done);
}

/* Each thread another code: all are spent, none comes back. */
static cov_status spend_own(runner *r)
{
    cov_str hash = cov_arena_printf(r->arena, "hash %d", (int)(r - r->f->runners));

    return cov__mfa_spend(&r->f->store, &r->ctx, USER, SECRET, hash, &r->done);
}

static void backup_code__is_spent_by_one(void **state)
{
    const cov_str hashes[] = { COV_STR("hash 0"),
                               COV_STR("hash 1"),
                               COV_STR("hash 2"),
                               COV_STR("hash 3"),
                               COV_STR("scrypt$N=2,r=1,p=1$b$b+/="),
                               COV_STR("kept") };
    fixture *f = *state;

    enable(f, hashes, COV_COUNT_OF(hashes));
    assert_int_equal(current(f).n_hashes, 6);
    assert_int_equal(run_all(f, spend), 1);
    assert_int_equal(current(f).n_hashes, 5);
    assert_int_equal(run_all(f, spend_own), THREADS);
    assert_int_equal(current(f).n_hashes, 1);
    assert_true(cov_str_eq(current(f).hashes[0], COV_STR("kept")));
}

/* ---- enrolment ---- */

static cov_status accept(runner *r)
{
    return cov__mfa_accept(&r->f->store, &r->ctx, USER, r->f->token, 10, &r->done);
}

static void offer__is_accepted_by_one(void **state)
{
    const cov_str secrets[] = { SECRET, COV_STR("OTHER") };
    cov_mfa_offer offer = { .replaces = COV_STR("") };
    fixture *f = *state;

    for (size_t i = 0; i < ROUNDS; i++) {
        offer.secret = f->token = secrets[i % 2];
        assert_int_equal(cov__mfa_offer(&f->store, &f->runners[0].ctx, USER, &offer), COV_OK);
        assert_int_equal(run_all(f, accept), 1);
        assert_true(cov_str_eq(current(f).secret, offer.secret));
        assert_int_equal(current(f).pending_secret.len, 0);
        offer.replaces = offer.secret;
    }
}

/* Made for an account without a factor, while another request gave it one: it must not replace that one. */
static void offer__of_before_another_factor_is_void(void **state)
{
    cov_mfa_offer late = { .secret = COV_STR("OTHER"), .replaces = COV_STR("") };
    fixture *f = *state;
    cov_ctx *ctx = &f->runners[0].ctx;
    bool done = true;

    enable(f, NULL, 0);
    assert_int_equal(cov__mfa_offer(&f->store, ctx, USER, &late), COV_OK);
    assert_int_equal(cov__mfa_accept(&f->store, ctx, USER, late.secret, 11, &done), COV_OK);
    assert_false(done);
    assert_true(cov_str_eq(current(f).secret, SECRET));
    late.replaces = SECRET;
    assert_int_equal(cov__mfa_offer(&f->store, ctx, USER, &late), COV_OK);
    assert_int_equal(cov__mfa_accept(&f->store, ctx, USER, late.secret, 11, &done), COV_OK);
    assert_true(done);
    assert_true(cov_str_eq(current(f).secret, late.secret));
    assert_int_equal(current(f).last_counter, 11);
    /* What is known of the old one is worth nothing. */
    assert_int_equal(cov__mfa_remove(&f->store, ctx, USER), COV_OK);
    assert_false(current(f).enabled);
}

#define T(name)                                                  \
    { "kv: " #name, name, setup_kv, teardown, NULL },            \
    {                                                            \
        "database: " #name, name, setup_database, teardown, NULL \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(token__is_consumed_by_one),
        T(code__is_used_by_one),
        T(backup_code__is_spent_by_one),
        T(offer__is_accepted_by_one),
        T(offer__of_before_another_factor_is_void),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
