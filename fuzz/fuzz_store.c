// SPDX-License-Identifier: Apache-2.0
/* What may lie in a store. The first byte says what the others are:
 *     p  one packed output, read as that of a model of each kind
 *     d  a whole database file
 *     e  lines "TABLE COLUMN ROW VALUE", each a change to a good store of a few items; ROW counts from 0, VALUE is i
 *        and an integer, r and a number, t and a text, x and hexadecimal digits, or n for NULL. ROW of "-" removes the
 *        rows where COLUMN equals VALUE. Works whatever the tables look like. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "fuzz.h"
#include "fuzz_zoo.h"
#include "model/output.h"
#include "store/store.h"
#include "store/trace.h"

/* ---- packed outputs ---- */

// What was read can be written, and what was written is read as the same.
static void pack_again(const struct few_output *output, struct few__arena *arena)
{
    const void *bytes[2];
    size_t n[2];
    struct few_output again;
    if (few__output_pack(output, arena, &bytes[0], &n[0]) != FEW_OK) return;
    fuzz_must(few__output_unpack(bytes[0], n[0], arena, &again, NULL) == FEW_OK);
    if (few__output_pack(&again, arena, &bytes[1], &n[1]) != FEW_OK) return;
    fuzz_must(n[0] == n[1] && memcmp(bytes[0], bytes[1], n[0]) == 0);
}

static void look_at_output(const struct few_model *model, const struct few_output *output,
                           struct few__arena *arena)
{
    size_t max = few__valuable_max(model);
    struct few_valuable *valuable = FEW__ARENA_NEW(arena, struct few_valuable, max);
    fuzz_must(output->kind == model->kind);
    fuzz_must(valuable && few__valuable(model, output, valuable, max) <= max);
    for (size_t i = 0; output->detections && i < output->n; i++)
        fuzz_must(output->detections[i].label >= 0 &&
                  (!model->n_labels || (size_t)output->detections[i].label < model->n_labels));
    for (size_t i = 0; output->tokens && i < output->n; i++)
        fuzz_must(output->tokens[i] >= 0 && (size_t)output->tokens[i] < model->n_labels);
}

static void unpack(const uint8_t *data, size_t size)
{
    const struct few_catalog *catalog = few_zoo_catalog(fuzz_zoo());
    struct few__arena arena;
    struct few_output output;
    struct few_error err = {.message = ""};
    few__arena_init(&arena, fuzz_env()->mem, FUZZ_MEMORY);
    enum few_status status = few__output_unpack(data, size, &arena, &output, &err);
    if (status == FEW_OK) pack_again(&output, &arena);
    else fuzz_must(err.message[0] && err.code == status);
    for (size_t m = 0; m < catalog->n_models; m++) {
        enum few_status checked = few__trace_unpack(&catalog->models[m], data, size, &arena, &output, &err);
        if (checked == FEW_OK) look_at_output(&catalog->models[m], &output, &arena);
        fuzz_must(status == FEW_OK || checked != FEW_OK);
    }
    few__arena_finish(&arena);
}

/* ---- changed stores ---- */

static const char lines[] = //
    "{\"image\": \"a.jpg\", \"w\": 8, \"h\": 6, \"models\": {\"c\": {\"labels\": [0.9, 0.1, 0]},"
    " \"l\": {\"valuable\": [[1, 0.7]]}, \"d\": {\"detections\": [[0, 0.9, 0.1, 0.1, 0.5, 0.5]]},"
    " \"e\": {\"scalar\": 3}, \"b\": {\"bbox\": [0.1, 0.2, 0.3, 0.4]}, \"s\": {\"sequence\": [\"a\", 1]},"
    " \"v\": {\"vector\": [1, 2, 3, -4]}, \"f\": {\"n\": 0}}}\n"
    "{\"image\": \"b.jpg\", \"w\": 8, \"h\": 6, \"models\": {\"d\": {\"n\": 0}, \"e\": {\"ran\": false},"
    " \"c\": {\"error\": \"no\"}, \"f\": {\"bbox\": [0, 0, 1, 1], \"conf\": 0.25}}}\n"
    "{\"image\": \"c.jpg\", \"error\": \"cut off\"}\n";

// The first two items are moments of streams; the look is 19,200 zeros.
static const char moments[] =
    "INSERT INTO streams VALUES (0, 'a', '{}', 9, 9, 0, 8, 6, 25, 0, 3, 1, 1, 1, 0, 0, 0, 1, -1, 1, ''),"
    " (1, 'b', '{}', 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 2, 0, 5, 0, 'gone');"
    "UPDATE items SET stream = id, at_us = 500000 * id, until_us = 500000 * id + 500000 WHERE id < 2;"
    "INSERT INTO looks VALUES"
    " (0, x'78daedc13101000000c2a0f54f6d0b2fa0000000000000000000000000000000000000e0674b000001')";

static void make_moments(const char *path)
{
    sqlite3 *db = NULL;
    fuzz_must(sqlite3_open(path, &db) == SQLITE_OK);
    fuzz_must(sqlite3_exec(db, moments, NULL, NULL, NULL) == SQLITE_OK);
    sqlite3_close(db);
}

static void make_store(const char *path)
{
    struct few_error err = {.message = ""};
    fuzz_write(fuzz_path("in.jsonl"), lines, sizeof lines - 1);
    enum few_status status = few_import(fuzz_path("in.jsonl"), fuzz_zoo(), path, true, NULL, &err);
    fuzz_must_say(status == FEW_OK, err.message);
    make_moments(path);
}

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : 0;
}

static void bind_hex(sqlite3_stmt *stmt, const char *text)
{
    unsigned char bytes[512];
    size_t n = 0;
    for (; text[2 * n] && text[2 * n + 1] && n < sizeof bytes; n++)
        bytes[n] = (unsigned char)(digit(text[2 * n]) << 4 | digit(text[2 * n + 1]));
    sqlite3_bind_blob(stmt, 1, bytes, (int)n, SQLITE_TRANSIENT);
}

static void bind_value(sqlite3_stmt *stmt, const char *value)
{
    switch (value[0]) {
    case 'i': sqlite3_bind_int64(stmt, 1, strtoll(value + 1, NULL, 10)); break;
    case 'r': sqlite3_bind_double(stmt, 1, strtod(value + 1, NULL)); break;
    case 't': sqlite3_bind_text(stmt, 1, value + 1, -1, SQLITE_TRANSIENT); break;
    case 'x': bind_hex(stmt, value + 1); break;
    default: sqlite3_bind_null(stmt, 1); break;
    }
}

// Tables without row numbers have no other common way to say "the row at place ROW" than their own key.
static char *statement(const char *table, const char *column, const char *row)
{
    if (row[0] == '-') return sqlite3_mprintf("DELETE FROM \"%w\" WHERE \"%w\" IS ?1", table, column);
    const char *key = "rowid";
    if (strcmp(table, "results") == 0) key = "item * 1000 + model";
    else if (strcmp(table, "label_names") == 0) key = "list * 1000 + i";
    else if (strcmp(table, "meta") == 0) key = "key";
    return sqlite3_mprintf("UPDATE OR IGNORE \"%w\" SET \"%w\" = ?1 WHERE %s = "
                           "(SELECT %s FROM \"%w\" ORDER BY 1 LIMIT 1 OFFSET %d)",
                           table, column, key, key, table, (int)(strtol(row, NULL, 10) & 0xffff));
}

static void change(sqlite3 *db, char *line)
{
    char *part[4];
    for (int i = 0; i < 4; i++) {
        part[i] = line;
        char *blank = i < 3 ? strchr(line, ' ') : NULL;
        if (!blank && i < 3) return;
        if (blank) *blank = 0;
        line = blank ? blank + 1 : line;
    }
    if (strncmp(part[0], "sqlite", 6) == 0) return;
    char *sql = statement(part[0], part[1], part[2]);
    sqlite3_stmt *stmt = NULL;
    if (sql && sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK) {
        bind_value(stmt, part[3]);
        sqlite3_step(stmt);
    }
    sqlite3_finalize(stmt);
    sqlite3_free(sql);
}

static void change_all(const char *path, const uint8_t *data, size_t size)
{
    sqlite3 *db;
    char *text = malloc(size + 1);
    fuzz_must(text && sqlite3_open(path, &db) == SQLITE_OK);
    memcpy(text, data, size);
    text[size] = 0;
    sqlite3_exec(db, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN", NULL, NULL, NULL);
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        change(db, line);
    }
    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    sqlite3_close(db);
    free(text);
}

static void remove_companions(const char *path)
{
    static const char *const ends[] = {"-wal", "-shm", "-journal"};
    char name[1100];
    for (size_t i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        remove(name);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *good;
    static size_t n_good;
    const char *path = fuzz_path("store.db");
    if (!good) {
        make_store(path);
        good = fuzz_read(path, &n_good);
    }
    if (size == 0) return 0;
    if (data[0] == 'p') unpack(data + 1, size - 1);
    if (data[0] != 'd' && data[0] != 'e') return 0;
    remove_companions(path);
    if (data[0] == 'd') {
        fuzz_write(path, data + 1, size - 1);
    } else {
        fuzz_write(path, good, n_good);
        change_all(path, data + 1, size - 1);
    }
    fuzz_use_store(path);
    return 0;
}
