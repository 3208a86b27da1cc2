/* Aligned columns for people, on standard output or any other stream.
 *
 * Cells are copied.  Bytes that a terminal would act on, and bytes that are no UTF-8,
 * are shown as '?'.  Every character counts as one column wide.  For cmd_*.c and
 * print_*.c; one user at a time.
 */
#ifndef PARTI_CLI_TABLE_H
#define PARTI_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum {
    TABLE_COLUMNS_MAX = 12,
    TABLE_CELL_ROOM = 256,  /* bytes of a cell; the rest is cut */
    TABLE_TEXT_ROOM = 2048, /* of a text outside of cells */
    TABLE_WIDTH_USUAL = 80  /* where nothing tells the width */
};

enum table_colour { TABLE_PLAIN, TABLE_BOLD, TABLE_GOOD, TABLE_BUSY, TABLE_BAD };

struct table_column {
    const char *title; /* borrowed */
    bool is_right;     /* figures */
};

struct table_cell {
    enum table_colour colour;
    char text[TABLE_CELL_ROOM];
};

struct table {
    struct table_column column[TABLE_COLUMNS_MAX];
    size_t columns;
    struct table_cell *cell; /* row by row */
    size_t n, room;
};

/* Zeroed memory, then the columns from left to right. */
void table_column(struct table *t, const char *title, bool is_right);

/* The next cell, row by row; the last row must be complete when the table is printed. */
__attribute__((format(printf, 3, 4))) void table_cell(struct table *t,
                                                      enum table_colour colour,
                                                      const char *format, ...);

/* How wide the widest row is, in characters; 0 without columns. */
size_t table_width(const struct table *t);

void table_print(const struct table *t, bool is_colour, FILE *to);

/* Accepts a zeroed struct. */
void table_finish(struct table *t);

/* Copies what is harmless on a terminal to to[room], cut to fit, never inside a
 * character; '?' for every byte that is not.  For text of plugins and other workers. */
void table_clean(char *to, size_t room, const char *from);

/* A text for people in a colour, without one if !is_colour.  The text is cleaned and cut
 * to TABLE_TEXT_ROOM. */
void table_text(const char *text, enum table_colour colour, bool is_colour, FILE *to);

/* Columns of the terminal: COLUMNS, else what standard output's terminal says, else
 * TABLE_WIDTH_USUAL. */
size_t table_terminal(void);

/* "######....": 'part' of 'all', which is not less, in 'width' characters. */
void table_bar(char to[TABLE_CELL_ROOM], size_t width, double part, double all);

#endif
