// SPDX-License-Identifier: Apache-2.0
// The tables of a store file, and its catalog in them and back. docs/store.md describes every column.
#ifndef FEW_STORE_SCHEMA_H
#define FEW_STORE_SCHEMA_H

#include "store/db.h"
#include "store/store.h"

/* Tables, meta and catalog, in one transaction. Errors: FEW_ESTORE, FEW_ENOMEM. */
enum few_status few__schema_create(const struct few__db *db, const struct few__store_new *what,
                                   struct few_error *err);

/* The file is gone on with: its notes, plan and writer are new. One transaction. Errors: FEW_ESTORE, FEW_ENOMEM. */
enum few_status few__schema_renew(const struct few__db *db, const struct few__store_new *what,
                                  struct few_error *err);

/* Is this one of our files, of this version? Errors: FEW_ESTORE, FEW_EVERSION, FEW_ENOMEM. */
enum few_status few__schema_check(const struct few__db *db, struct few_error *err);

/* A value of meta in the arena, "" where there is none. Errors: FEW_ESTORE, FEW_ENOMEM. */
enum few_status few__schema_meta(const struct few__db *db, const char *key, struct few__arena *arena,
                                 const char **value, struct few_error *err);

/* The catalog as it was stored, built again in the arena. Errors: FEW_ESTORE, FEW_ENOMEM. */
enum few_status few__schema_catalog(const struct few__db *db, struct few__arena *arena,
                                    struct few_catalog *catalog, struct few_error *err);

/* The sums that the file keeps, and how many streams it has. Errors: FEW_ESTORE, also when they cannot be those of its items; FEW_ENOMEM. */
enum few_status few__schema_totals(const struct few__db *db, size_t n_models, struct few__totals *totals,
                                   int64_t *n_streams, struct few_error *err);

/* Would `now` give the same results as what a file was made with? path: for messages.
 * Errors: FEW_EVERSION no, and this differs; FEW_EINVAL now->config_json is no JSON object; FEW_ESTORE that of the file is
 * none; FEW_ENOMEM. */
enum few_status few__schema_same(const char *path, const struct few__store_new *was,
                                 const struct few__store_new *now, struct few_error *err);

#endif
