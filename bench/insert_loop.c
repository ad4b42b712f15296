/* SPDX-License-Identifier: MIT */
/*
 * bench/insert_loop.c - the opponent of durable POST: one thread that commits each insert alone.
 *
 *   insert_loop DATABASE SECONDS
 *
 * The database has the benchmark's schema. Settings are the server's: WAL, synchronous=FULL, one prepared
 * statement. Prints inserts a second.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(sqlite3 *db, int result, int wanted, const char *what)
{
    if (result == wanted)
        return;
    fprintf(stderr, "insert_loop: %s: %s\n", what, sqlite3_errmsg(db));
    exit(1);
}

int main(int argc, char **argv)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *insert = NULL;
    double start, end;
    long rows = 0;

    if (argc != 3) {
        fprintf(stderr, "usage: insert_loop DATABASE SECONDS\n");
        return 2;
    }
    check(db, sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK, argv[1]);
    check(db,
          sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL", NULL, NULL, NULL),
          SQLITE_OK, "pragma");
    check(db,
          sqlite3_prepare_v2(db, "INSERT INTO todos (title, done, priority) VALUES (?, ?, ?)", -1,
                             &insert, NULL),
          SQLITE_OK, "prepare");

    start = now_s();
    end = start + atof(argv[2]);
    while (now_s() < end) {
        sqlite3_bind_text(insert, 1, "Write the report", -1, SQLITE_STATIC);
        sqlite3_bind_int(insert, 2, 0);
        sqlite3_bind_int64(insert, 3, rows % 100);
        check(db, sqlite3_step(insert), SQLITE_DONE, "insert");
        check(db, sqlite3_reset(insert), SQLITE_OK, "reset");
        rows++;
    }
    printf("%.1f\n", (double)rows / (now_s() - start));
    sqlite3_finalize(insert);
    sqlite3_close(db);
    return 0;
}
