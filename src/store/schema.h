// SPDX-License-Identifier: Apache-2.0
// The tables of a store file, and its catalog in them and back. docs/store.md describes every column.
#ifndef FEW_STORE_SCHEMA_H
#define FEW_STORE_SCHEMA_H

#include "store/db.h"
#include "store/store.h"

/* Tables, meta and catalog, in one transaction. Errors: FEW_ESTORE, FEW_ENOMEM. */
enum few_status few__schema_create(const struct few__db *db, const struct few__store_new *what,
                                   struct few_error *err);

/* Is this one of our files, of this version? Errors: FEW_ESTORE, FEW_EVERSION, FEW_ENOMEM. */
enum few_status few__schema_check(const struct few__db *db, struct few_error *err);

/* A value of meta in the arena, "" where there is none. Errors: FEW_ESTORE, FEW_ENOMEM. */
enum few_status few__schema_meta(const struct few__db *db, const char *key, struct few__arena *arena,
                                 const char **value, struct few_error *err);

/* The catalog as it was stored, built again in the arena. Errors: FEW_ESTORE, FEW_ENOMEM. */
enum few_status few__schema_catalog(const struct few__db *db, struct few__arena *arena,
                                    struct few_catalog *catalog, struct few_error *err);

#endif
