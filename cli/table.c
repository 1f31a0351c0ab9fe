// SPDX-License-Identifier: Apache-2.0
/* Tables of text. Widths count characters (UTF-8 sequences), not bytes. */
#include "table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void table_init(struct table *table, const char *align)
{
    *table = (struct table){0};
    for (; *align && table->n_columns < TABLE_COLUMNS_MAX; align++)
        table->right[table->n_columns++] = *align == 'r';
}

void table_finish(struct table *table)
{
    free(table->cells);
    *table = (struct table){0};
}

void table_cell(struct table *table, const char *format, ...)
{
    if (table->n_cells == table->room && !table->failed) {
        size_t room = table->room ? table->room * 2 : 64;
        void *cells = realloc(table->cells, room * sizeof *table->cells);
        table->failed = !cells;
        if (cells) {
            table->cells = cells;
            table->room = room;
        }
    }
    if (table->failed) return;
    va_list args;
    va_start(args, format);
    vsnprintf(table->cells[table->n_cells++], TABLE_CELL_MAX, format, args);
    va_end(args);
}

static size_t width_of(const char *s)
{
    size_t n = 0;
    for (; *s; s++) n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

void table_print(const struct table *table, FILE *to)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    for (size_t i = 0; i < table->n_cells; i++) {
        size_t width = width_of(table->cells[i]), c = i % table->n_columns;
        if (width > widths[c]) widths[c] = width;
    }
    for (size_t i = 0; i < table->n_cells; i++) {
        size_t c = i % table->n_columns;
        const char *cell = table->cells[i];
        int pad = (int)(widths[c] - width_of(cell));
        bool last = c + 1 == table->n_columns;
        if (table->right[c]) fprintf(to, "%*s%s", pad, "", cell);
        else fprintf(to, "%s%*s", cell, last ? 0 : pad, "");
        fputs(last ? "\n" : "  ", to);
    }
    if (table->failed) fputs("(out of memory: the table is not whole)\n", to);
}
