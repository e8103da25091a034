// A durable queue as one would write it in an afternoon: SQLite, synchronous=FULL, one commit for each operation. A job
// is inserted, claimed and finished; nothing else is written. Prints nanoseconds of each job. Usage: sqlite_loop PATH JOBS
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static sqlite3 *db;

static void check(int code, int wanted) {
    if (code == wanted) return;
    fprintf(stderr, "sqlite: %s\n", sqlite3_errmsg(db));
    exit(1);
}

static sqlite3_stmt *prepare(const char *sql) {
    sqlite3_stmt *statement;
    check(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    return statement;
}

static void run(sqlite3_stmt *statement) {
    check(sqlite3_step(statement), SQLITE_DONE);
    check(sqlite3_reset(statement), SQLITE_OK);
}

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int main(int argc, char **argv) {
    if (argc != 3) return 64;
    long jobs = atol(argv[2]);
    if (jobs < 1) return 64;
    check(sqlite3_open(argv[1], &db), SQLITE_OK);
    check(sqlite3_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                           "CREATE TABLE IF NOT EXISTS jobs (id INTEGER PRIMARY KEY, request TEXT NOT NULL UNIQUE,"
                           " name TEXT NOT NULL, spec BLOB NOT NULL, state INTEGER NOT NULL, runner TEXT);"
                           "CREATE INDEX IF NOT EXISTS queue ON jobs (id) WHERE state = 1;", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_stmt *insert = prepare("INSERT INTO jobs (request, name, spec, state) VALUES (?, 'build', ?, 1)");
    sqlite3_stmt *next = prepare("SELECT id FROM jobs WHERE state = 1 ORDER BY id LIMIT 1");
    sqlite3_stmt *claim = prepare("UPDATE jobs SET state = 2, runner = 'r' WHERE id = ? AND state = 1");
    sqlite3_stmt *finish = prepare("UPDATE jobs SET state = 3 WHERE id = ? AND state = 2");
    static char spec[200];
    long long begin = now();
    for (long i = 0; i < jobs; i++) {
        char request[64];
        int length = snprintf(request, sizeof request, "%lld-%ld", begin, i);
        check(sqlite3_bind_text(insert, 1, request, length, SQLITE_TRANSIENT), SQLITE_OK);
        check(sqlite3_bind_blob(insert, 2, spec, sizeof spec, SQLITE_STATIC), SQLITE_OK);
        run(insert);
        check(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
        check(sqlite3_step(next), SQLITE_ROW);
        sqlite3_int64 job = sqlite3_column_int64(next, 0);
        check(sqlite3_reset(next), SQLITE_OK);
        check(sqlite3_bind_int64(claim, 1, job), SQLITE_OK);
        run(claim);
        check(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
        check(sqlite3_bind_int64(finish, 1, job), SQLITE_OK);
        run(finish);
    }
    printf("%f\n", (double)(now() - begin) / (double)jobs);
    return sqlite3_close_v2(db) == SQLITE_OK ? 0 : 1;
}
