// SPDX-License-Identifier: Apache-2.0
// What a line of JSON says of one model, as an output of that model's kind. docs/import.md has the forms.
#ifndef FEW_STORE_IMPORT_OUTPUT_H
#define FEW_STORE_IMPORT_OUTPUT_H

#include <jansson.h>

#include <fewer/model.h>

#include "core/mem.h"

struct few__import_place { // where we are, for messages
    const char *file;
    uint64_t line;     // from 1
    const char *text;  // of the line, valid JSON
    const char *model; // name of the model, or NULL
};

/* FEW_EPARSE "file:line:column: KEY: " and the message; the column is that of the key's value in the line (in
 * the model's object if place->model is set), or of the object that lacks it. key may be NULL. */
enum few_status few__import_bad(const struct few__import_place *place, const char *key, struct few_error *err,
                                const char *format, ...) FEW_PRINTF(4, 5);

/* "a text", "null", a number's digits ...: what was found. Borrowed from buffer or static. */
const char *few__import_describe(const json_t *value, char buffer[64]);

/* A number of an object within low .. high; absent or null: *out keeps its value. */
enum few_status few__import_number(const struct few__import_place *place, const json_t *object,
                                   const char *key, double low, double high, double *out,
                                   struct few_error *err);

struct few__token { // an entry of an alphabet
    const char *name;
    int32_t index;
};

/* An alphabet sorted by name, then index, in the arena; NULL: no memory. */
struct few__token *few__import_alphabet(const struct few_model *model, struct few__arena *arena);

/* The output that an object describes, in the arena. alphabet: of a sequence model, else NULL.
 * Errors: FEW_EPARSE, FEW_ENOMEM. */
enum few_status few__import_output(const struct few__import_place *place, const struct few_model *model,
                                   const struct few__token *alphabet, const json_t *said,
                                   struct few__arena *arena, struct few_output *out, struct few_error *err);

#endif
