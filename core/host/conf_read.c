#include "host/conf_read.h"

#include "base/status.h"
#include "host/conf.h"

#include <ini.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES_MAX = 16 * 1024 * 1024 };

enum kind {
    KIND_SKIP,    /* blank, comment, or refused: inih does not see it */
    KIND_SECTION, /* [name] */
    KIND_KEY,     /* key = value, or nonsense */
    KIND_MORE     /* indented, below a key */
};

struct reader {
    FILE *in;
    struct conf_errors *errors;
    const struct conf_sink *sink;
    uint32_t line;
    size_t total;                 /* bytes read so far */
    char text[CONF_LINE_MAX + 2]; /* the present line, with room for CR and NUL */
    size_t n;
    char section[CONF_SECTION_MAX + 1];
    enum kind kind;
    bool taken;        /* inih called us for the present line */
    bool key_above;    /* an indented line continues a key: inih's rule */
    bool refused;      /* the key above was refused: its continuations, too */
    bool skip_section; /* the section's header was refused: skip its keys */
    bool io_failed;
};

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Takes one physical line into r->text; false at the end of the file.  NULs and what is
 * beyond the limit are counted, not kept. */
static bool take_line(struct reader *r, size_t *ret_length, bool *ret_control)
{
    size_t length = 0;
    bool control = false;
    int c;

    r->n = 0;
    while ((c = getc(r->in)) != EOF && c != '\n') {
        length++;
        if (r->n < CONF_LINE_MAX + 1) {
            r->text[r->n++] = (char)c;
            control = control || (c < ' ' && c != '\t' && c != '\r') || c == 0x7f;
        }
        if (++r->total > BYTES_MAX)
            break;
    }
    r->io_failed = r->io_failed || ferror(r->in) != 0;
    if (c == EOF && length == 0)
        return false;
    if (length == r->n && r->n > 0 && r->text[r->n - 1] == '\r') {
        r->n--;
        length--;
    }
    r->text[r->n] = '\0';
    *ret_length = length;
    *ret_control = control || memchr(r->text, '\r', r->n) != NULL;
    r->line++;
    return true;
}

static void drop_byte_order_mark(struct reader *r)
{
    if (r->line == 1 && r->n >= 3 && memcmp(r->text, "\xef\xbb\xbf", 3) == 0) {
        r->n -= 3;
        memmove(r->text, r->text + 3, r->n + 1);
    }
}

/* Where a comment behind blanks begins, or the end: inih's rule, for which the first
 * byte counts as not preceded by a blank. */
static size_t comment_start(const char *text, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (text[i] == ';' && blank(text[i - 1]))
            return i;
    return n;
}

/* [name] and nothing but a comment behind it. */
static enum kind classify_section(struct reader *r, const char *start)
{
    const char *end = strchr(start, ']'), *rest;
    size_t n;

    r->key_above = false;
    r->refused = false;
    r->skip_section = true;
    if (end == NULL) {
        conf_errors_add(r->errors, r->line, "the section's name has no ']' behind it");
        return KIND_SKIP;
    }
    start++;
    start += strspn(start, " \t");
    n = end > start ? (size_t)(end - start) : 0;
    while (n > 0 && blank(start[n - 1]))
        n--;
    rest = end + 1 + strspn(end + 1, " \t");
    if (n == 0 || n > CONF_SECTION_MAX) {
        conf_errors_add(r->errors, r->line,
                        "a section's name has 1 to %d bytes, this one has %zu",
                        CONF_SECTION_MAX, n);
        return KIND_SKIP;
    }
    if (*rest != '\0' && *rest != ';' && *rest != '#') {
        conf_errors_add(r->errors, r->line,
                        "there is text behind [%.*s]; keys go on lines of their own",
                        (int)n, start);
        return KIND_SKIP;
    }
    r->skip_section = false;
    (void)snprintf(r->section, sizeof r->section, "%.*s", (int)n, start);
    return KIND_SECTION;
}

static enum kind classify_key(struct reader *r, const char *start)
{
    size_t sep = strcspn(start, "=:"), n = sep;

    r->refused = false;
    if (r->skip_section)
        return KIND_SKIP;
    while (n > 0 && blank(start[n - 1]))
        n--;
    if (start[sep] == '\0')
        return KIND_KEY; /* inih finds no key in it, and check_taken() says so */
    if (n > 0 && n <= CONF_KEY_MAX)
        return KIND_KEY;
    r->refused = true;
    if (n == 0)
        conf_errors_add(r->errors, r->line, "there is no key before the '%c'",
                        start[sep]);
    else
        conf_errors_add(r->errors, r->line,
                        "a key has at most %d bytes, this one has %zu", CONF_KEY_MAX, n);
    return KIND_SKIP;
}

static enum kind classify(struct reader *r, size_t length, bool control)
{
    const char *start = r->text + strspn(r->text, " \t");
    bool indented = start > r->text && (r->key_above || r->refused);

    if (length > CONF_LINE_MAX || control) {
        if (!indented)
            r->refused = true;
        if (length > CONF_LINE_MAX)
            conf_errors_add(r->errors, r->line,
                            "the line has %zu bytes; %d is the most. Long lists go on "
                            "indented continuation lines",
                            length, CONF_LINE_MAX);
        else
            conf_errors_add(r->errors, r->line, "the line holds a control byte");
        return KIND_SKIP;
    }
    if (*start == '\0' || *start == ';' || *start == '#')
        return KIND_SKIP;
    if (indented)
        return r->refused || r->skip_section ? KIND_SKIP : KIND_MORE;
    return *start == '[' ? classify_section(r, start) : classify_key(r, start);
}

/* A line that inih saw but did not call us for is neither section nor key. */
static void check_taken(struct reader *r)
{
    if (r->kind != KIND_KEY || r->taken)
        return;
    r->refused = true;
    conf_errors_add(r->errors, r->line,
                    "this is neither '[section]' nor 'key = value' nor a comment");
}

/* The present line as inih is given it: whole if it fits, else what inih needs to tell
 * what it is.  A key line loses its indentation: whether the line continues the one
 * above is decided, and inih would decide alike.  8 bytes are kept for the filler, the
 * newline and the NUL. */
static void make_piece(struct reader *r, char *to, size_t room)
{
    const char *start = r->text + strspn(r->text, " \t"), *filler = "";
    size_t n = r->n - (size_t)(start - r->text), limit = room - 8;

    if (r->kind == KIND_SECTION) {
        (void)snprintf(to, room, "[%s]\n", r->section);
        return;
    }
    if (n > limit && r->kind == KIND_MORE) {
        n = 0;
        filler = "+";
    } else if (n > limit) {
        n = strcspn(start, "=:");
        filler = start[n] != '\0' ? "= +" : "";
        n = n < limit ? n : limit;
    }
    (void)snprintf(to, room, "%s%.*s%s\n", r->kind == KIND_MORE ? " " : "", (int)n, start,
                   filler);
}

/* inih's reader: like fgets(). */
static char *next_piece(char *to, int room, void *stream)
{
    struct reader *r = stream;
    size_t length;
    bool control;

    check_taken(r);
    r->kind = KIND_SKIP;
    while (r->kind == KIND_SKIP) {
        if (r->total > BYTES_MAX || r->line == CONF_LINES_MAX) {
            conf_errors_add(r->errors, r->line,
                            "the file has more than %d lines or %d bytes; the rest is "
                            "not read",
                            CONF_LINES_MAX, BYTES_MAX);
            return NULL;
        }
        if (!take_line(r, &length, &control))
            return NULL;
        drop_byte_order_mark(r);
        r->kind = classify(r, length, control);
    }
    r->taken = false;
    make_piece(r, to, (size_t)room);
    if (r->kind == KIND_SECTION)
        r->sink->section(r->sink->ctx, r->section, r->line);
    return to;
}

/* The value of the present line, cut out in place. */
static char *own_value(struct reader *r)
{
    char *start = r->text + strspn(r->text, " \t");
    size_t n;

    if (r->kind == KIND_KEY)
        start += strcspn(start, "=:") + 1;
    n = comment_start(start, strlen(start));
    while (n > 0 && blank(start[n - 1]))
        n--;
    start[n] = '\0';
    return start + strspn(start, " \t");
}

static int on_entry(void *ctx, const char *section, const char *name, const char *value
#if INI_HANDLER_LINENO
                    ,
                    int line
#endif
)
{
    struct reader *r = ctx;

    (void)section;
    (void)value;
#if INI_HANDLER_LINENO
    (void)line;
#endif
    r->taken = true;
    if (r->kind == KIND_MORE) {
        r->sink->more(r->sink->ctx, own_value(r), r->line);
        return 1;
    }
    r->key_above = true;
    r->sink->key(r->sink->ctx, name, own_value(r), r->line);
    return 1;
}

int conf_read(FILE *in, struct conf_errors *errors, const struct conf_sink *sink)
{
    struct reader r = {.in = in, .errors = errors, .sink = sink};

    /* inih's answer is the first line it could not parse, in its own count: check_taken()
     * has reported that one and all others.  -2 is want of memory. */
    if (ini_parse_stream(next_piece, &r, on_entry, &r) == -2)
        return STATUS_NOMEM;
    return r.io_failed ? STATUS_IO : 0;
}
