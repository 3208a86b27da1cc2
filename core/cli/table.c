#include "cli/table.h"

#include "base/bytes.h"
#include "base/must.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { GAP = 2, WIDTH_MAX = 1000 };

void table_column(struct table *t, const char *title, bool is_right)
{
    must(t->columns < TABLE_COLUMNS_MAX && t->n == 0);
    t->column[t->columns++] = (struct table_column){title, is_right};
}

void table_clean(char *to, size_t room, const char *from)
{
    size_t left = strlen(from), n = 0;

    while (left > 0) {
        size_t length = utf8_length((const unsigned char *)from, left);
        bool is_harmless = length > 1 || (length == 1 && *from >= ' ' && *from != 127);

        /* U+0080 to U+009F are control characters, too. */
        if (length == 2 && (unsigned char)from[0] == 0xc2 &&
            (unsigned char)from[1] < 0xa0)
            is_harmless = false;
        if (n + (is_harmless ? length : 1) >= room)
            break;
        if (is_harmless)
            memcpy(to + n, from, length);
        else
            to[n] = '?';
        n += is_harmless ? length : 1;
        from += length > 0 ? length : 1;
        left -= length > 0 ? length : 1;
    }
    to[n] = '\0';
}

void table_cell(struct table *t, enum table_colour colour, const char *format, ...)
{
    char text[TABLE_CELL_ROOM];
    va_list args;

    if (t->n == t->room) {
        size_t room = t->room == 0 ? 64 : 2 * t->room;
        struct table_cell *more = realloc(t->cell, room * sizeof *more);

        must(more != NULL);
        t->cell = more;
        t->room = room;
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    t->cell[t->n].colour = colour;
    table_clean(t->cell[t->n].text, TABLE_CELL_ROOM, text);
    t->n++;
}

/* Characters of clean text. */
static size_t width_of(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void measure(const struct table *t, size_t width[TABLE_COLUMNS_MAX])
{
    for (size_t i = 0; i < t->columns; i++)
        width[i] = width_of(t->column[i].title);
    for (size_t i = 0; i < t->n; i++) {
        size_t w = width_of(t->cell[i].text);

        if (w > width[i % t->columns])
            width[i % t->columns] = w;
    }
}

size_t table_width(const struct table *t)
{
    size_t width[TABLE_COLUMNS_MAX], sum = 0;

    measure(t, width);
    for (size_t i = 0; i < t->columns; i++)
        sum += width[i] + (i > 0 ? GAP : 0);
    return sum;
}

void table_text(const char *text, enum table_colour colour, bool is_colour, FILE *to)
{
    static const char *const begin[] = {[TABLE_PLAIN] = "",
                                        [TABLE_BOLD] = "\033[1m",
                                        [TABLE_GOOD] = "\033[32m",
                                        [TABLE_BUSY] = "\033[33m",
                                        [TABLE_BAD] = "\033[31m"};
    bool has = is_colour && colour != TABLE_PLAIN && text[0] != '\0';
    char clean[TABLE_TEXT_ROOM];

    table_clean(clean, sizeof clean, text);
    (void)fprintf(to, "%s%s%s", has ? begin[colour] : "", clean, has ? "\033[0m" : "");
}

/* Blanks are held back until something follows them: no line ends with one. */
static void print_cell(const struct table *t, size_t column, size_t width,
                       const struct table_cell *cell, bool is_colour, size_t *blanks,
                       FILE *to)
{
    size_t pad = width - width_of(cell->text);
    bool is_right = t->column[column].is_right;

    *blanks += is_right ? pad : 0;
    if (cell->text[0] != '\0') {
        (void)fprintf(to, "%*s", (int)*blanks, "");
        table_text(cell->text, cell->colour, is_colour, to);
        *blanks = 0;
    }
    *blanks += (is_right ? 0 : pad) + GAP;
    if (column + 1 == t->columns) {
        (void)fputc('\n', to);
        *blanks = 0;
    }
}

void table_print(const struct table *t, bool is_colour, FILE *to)
{
    size_t width[TABLE_COLUMNS_MAX], blanks = 0;

    if (t->columns == 0)
        return;
    must(t->n % t->columns == 0);
    measure(t, width);
    for (size_t i = 0; i < t->columns; i++) {
        struct table_cell title = {.colour = TABLE_BOLD};

        bytes_to_text(bytes_of(t->column[i].title), title.text, sizeof title.text);
        print_cell(t, i, width[i], &title, is_colour, &blanks, to);
    }
    for (size_t i = 0; i < t->n; i++)
        print_cell(t, i % t->columns, width[i % t->columns], &t->cell[i], is_colour,
                   &blanks, to);
}

void table_finish(struct table *t)
{
    free(t->cell);
    *t = (struct table){0};
}

size_t table_terminal(void)
{
    const char *text = getenv("COLUMNS");
    struct winsize size = {0};
    char *end = NULL;

    if (text != NULL && text[0] != '\0') {
        unsigned long n = strtoul(text, &end, 10);

        if (*end == '\0' && n > 0 && n <= WIDTH_MAX)
            return (size_t)n;
    }
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return TABLE_WIDTH_USUAL;
}

void table_bar(char to[TABLE_CELL_ROOM], size_t width, double part, double all)
{
    size_t filled = all > 0 ? (size_t)(part / all * (double)width + 0.5) : 0;

    must(width < TABLE_CELL_ROOM && filled <= width);
    memset(to, '#', filled);
    memset(to + filled, '.', width - filled);
    to[width] = '\0';
}
