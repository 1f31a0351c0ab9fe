// SPDX-License-Identifier: Apache-2.0
// Tables of text: columns as wide as their widest cell, numbers to the right.
#ifndef FEW_CLI_TABLE_H
#define FEW_CLI_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include <fewer/status.h>

enum { TABLE_COLUMNS_MAX = 16, TABLE_CELL_MAX = 96 };

/* Cells are added row by row; the first row is the heading. A cell longer than TABLE_CELL_MAX is cut. */
struct table {
    size_t n_columns, n_cells, room;
    bool right[TABLE_COLUMNS_MAX];
    bool failed; // no memory
    char (*cells)[TABLE_CELL_MAX];
};

/* align: a letter for each column, 'l' or 'r'. */
void table_init(struct table *table, const char *align);
void table_cell(struct table *table, const char *format, ...) FEW_PRINTF(2, 3);
void table_print(const struct table *table, FILE *to);
void table_finish(struct table *table);

#endif
