// SPDX-License-Identifier: Apache-2.0
// An evaluation as tables for people: few_eval's JSON, printed.
#ifndef FEW_CLI_EVAL_TABLES_H
#define FEW_CLI_EVAL_TABLES_H

#include <jansson.h>

void eval_tables(const json_t *eval);

#endif
