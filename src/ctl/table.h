/*
 * Tables for people: a head, one line a row, never wrapped. On a terminal what doesn't fit is cut
 * with an ellipsis, and columns that matter least are left out; elsewhere everything is printed,
 * in the same columns whatever the values. Cells are cleaned (text.h).
 */
#ifndef SWIM_CTL_TABLE_H
#define SWIM_CTL_TABLE_H

#include "ctl/style.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define TABLE_COLUMNS_MAX 12

struct table_column {
    const char *title;
    bool is_right;   /* numbers */
    bool is_elastic; /* may be cut */
    int rank;        /* the columns of the highest rank are the first to go; 0: stays */
};

struct table;

/* `columns` must outlive the table. NULL: no memory. */
struct table *table_new(const struct table_column *columns, size_t count);
void table_free(struct table *table);

/* Adds the next cell, row by row; "" and NULL are shown as "-". A table that ran out of memory
 * says so when it is printed. */
void table_cell(struct table *table, const char *text, enum style style);

/* `columns`: what the terminal has (style_columns), 0 for none. False: memory had run out. */
bool table_print(const struct table *table, FILE *stream, size_t columns);

#endif
