/* Cells are kept as they were given; all widths are settled when the table is printed. */
#define _GNU_SOURCE
#include "ctl/table.h"

#include "base/assert.h"
#include "ctl/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2
/* What an elastic column keeps while others can be left out instead, and when none can any more. */
#define COMFORTABLE 20
#define NARROWEST 8
/* A cell longer than this is cut, on a terminal or not: eight times the longest name. */
#define CELL_MAX 1024

struct cell {
    char *text;
    size_t width;
    enum style style;
};

struct table {
    const struct table_column *columns;
    size_t column_count;
    struct cell *cells;
    size_t count;
    size_t cap;
    bool has_failed;
};

struct layout {
    size_t width[TABLE_COLUMNS_MAX]; /* 0: left out */
};

struct table *table_new(const struct table_column *columns, size_t count)
{
    struct table *table = calloc(1, sizeof *table);

    ASSERT(count > 0 && count <= TABLE_COLUMNS_MAX);
    if (table == NULL)
        return NULL;
    table->columns = columns;
    table->column_count = count;
    return table;
}

void table_free(struct table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->count; i++)
        free(table->cells[i].text);
    free(table->cells);
    free(table);
}

static bool grow(struct table *table)
{
    size_t cap = table->cap == 0 ? 64 : table->cap * 2;
    struct cell *cells;

    if (table->count < table->cap)
        return true;
    cells = realloc(table->cells, cap * sizeof *cells);
    if (cells == NULL)
        return false;
    table->cells = cells;
    table->cap = cap;
    return true;
}

void table_cell(struct table *table, const char *text, enum style style)
{
    char clean[CELL_MAX];
    bool is_empty = text == NULL || *text == '\0';
    struct cell cell = {.style = is_empty ? STYLE_FAINT : style};

    if (table->has_failed || !grow(table)) {
        table->has_failed = true;
        return;
    }
    cell.text = strdup(text_clean(is_empty ? "-" : text, clean, sizeof clean));
    if (cell.text == NULL) {
        table->has_failed = true;
        return;
    }
    cell.width = text_width(cell.text);
    table->cells[table->count++] = cell;
}

/* ---- Widths ------------------------------------------------------------------------------ */

static void measure(const struct table *table, struct layout *layout)
{
    ASSERT(table->column_count > 0);
    for (size_t i = 0; i < table->column_count; i++)
        layout->width[i] = text_width(table->columns[i].title);
    for (size_t i = 0; i < table->count; i++) {
        size_t *width = &layout->width[i % table->column_count];
        if (table->cells[i].width > *width)
            *width = table->cells[i].width;
    }
}

static size_t total(const struct table *table, const struct layout *layout)
{
    size_t sum = 0;

    for (size_t i = 0; i < table->column_count; i++)
        if (layout->width[i] > 0)
            sum += layout->width[i] + (sum > 0 ? GAP : 0);
    return sum;
}

/* The widest elastic column gives, a column at a time; false: none is wider than `least`. */
static bool narrow(const struct table *table, struct layout *layout, size_t least)
{
    size_t widest = table->column_count;

    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].is_elastic && layout->width[i] > least &&
            (widest == table->column_count || layout->width[i] > layout->width[widest]))
            widest = i;
    if (widest == table->column_count)
        return false;
    layout->width[widest]--;
    return true;
}

/* The column of the highest rank goes; false: all that are left must stay. */
static bool drop(const struct table *table, struct layout *layout)
{
    size_t least = table->column_count;

    for (size_t i = 0; i < table->column_count; i++)
        if (layout->width[i] > 0 && table->columns[i].rank > 0 &&
            (least == table->column_count || table->columns[i].rank > table->columns[least].rank))
            least = i;
    if (least == table->column_count)
        return false;
    layout->width[least] = 0;
    return true;
}

static void settle(const struct table *table, struct layout *layout, size_t columns)
{
    struct layout natural;

    measure(table, &natural);
    *layout = natural;
    while (columns > 0 && total(table, layout) > columns) {
        if (narrow(table, layout, COMFORTABLE))
            continue;
        if (drop(table, &natural))
            *layout = natural;
        else if (!narrow(table, layout, NARROWEST))
            return; /* lines are cut at the terminal's edge */
    }
}

/* ---- Printing ---------------------------------------------------------------------------- */

struct line {
    FILE *stream;
    size_t room; /* columns left of the terminal; SIZE_MAX: any number */
    size_t owed; /* blanks to be written before the next text */
};

static void put_text(struct line *line, const char *text, enum style style)
{
    char fitted[CELL_MAX + 8];

    if (line->room <= line->owed)
        return;
    (void)fprintf(line->stream, "%*s", (int)line->owed, "");
    line->room -= line->owed;
    line->owed = 0;
    (void)snprintf(fitted, sizeof fitted, "%s", text);
    text_fit(fitted, sizeof fitted, line->room);
    style_begin(line->stream, style);
    (void)fputs(fitted, line->stream);
    style_end(line->stream, style);
    line->room -= text_width(fitted);
}

static void put_cell(struct line *line, const struct table_column *column, size_t width,
                     const struct cell *cell)
{
    char fitted[CELL_MAX + 8];

    (void)snprintf(fitted, sizeof fitted, "%s", cell->text);
    text_fit(fitted, sizeof fitted, width);
    size_t blanks = width - text_width(fitted);
    line->owed += column->is_right ? blanks : 0;
    put_text(line, fitted, cell->style);
    line->owed += (column->is_right ? 0 : blanks) + GAP;
}

static void put_row(const struct table *table, const struct layout *layout,
                    const struct cell *cells, struct line *line)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (layout->width[i] > 0)
            put_cell(line, &table->columns[i], layout->width[i], &cells[i]);
    (void)fputc('\n', line->stream);
}

bool table_print(const struct table *table, FILE *stream, size_t columns)
{
    struct cell head[TABLE_COLUMNS_MAX];
    struct layout layout;
    size_t room = columns > 0 ? columns : SIZE_MAX;

    if (table->has_failed)
        return false;
    for (size_t i = 0; i < table->column_count; i++)
        head[i] =
            (struct cell){.text = (char *)(uintptr_t)table->columns[i].title, .style = STYLE_HEAD};
    settle(table, &layout, columns);
    put_row(table, &layout, head, &(struct line){.stream = stream, .room = room});
    for (size_t i = 0; i + table->column_count <= table->count; i += table->column_count)
        put_row(table, &layout, &table->cells[i], &(struct line){.stream = stream, .room = room});
    return true;
}
