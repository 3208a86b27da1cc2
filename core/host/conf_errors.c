#include "host/conf_errors.h"

#include "base/errors.h"
#include "base/status.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { ERROR_TEXT_MAX = 512 }; /* bytes of one mistake's text */

int conf_errors_init(struct conf_errors *e, const char *file)
{
    e->file = strdup(file);
    return e->file != NULL ? 0 : STATUS_NOMEM;
}

void conf_errors_finish(struct conf_errors *e)
{
    for (size_t i = 0; i < e->n; i++)
        free(e->at[i].text);
    free(e->at);
    free(e->file);
    *e = (struct conf_errors){0};
}

static int grow(struct conf_errors *e)
{
    size_t room = e->room > 0 ? 2 * e->room : 8;
    struct conf_error *at = realloc(e->at, room * sizeof *at);

    if (at == NULL)
        return STATUS_NOMEM;
    e->at = at;
    e->room = room;
    return 0;
}

void conf_errors_add(struct conf_errors *e, uint32_t line, const char *format, ...)
{
    char text[ERROR_TEXT_MAX];
    va_list args;

    if (e->n == CONF_ERRORS_MAX) {
        e->dropped++;
        return;
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (e->n == e->room && grow(e) < 0)
        goto nomem;
    char *copy = strdup(text);
    if (copy == NULL)
        goto nomem;
    e->at[e->n] = (struct conf_error){line, (uint32_t)e->n, copy};
    e->n++;
    return;
nomem:
    e->nomem = 1;
    e->dropped++;
}

size_t conf_errors_count(const struct conf_errors *e)
{
    return e->n + e->dropped;
}

static int by_line(const void *a, const void *b)
{
    const struct conf_error *x = a, *y = b;

    if (x->line != y->line)
        return (x->line > y->line) - (x->line < y->line);
    return (x->rank > y->rank) - (x->rank < y->rank);
}

void conf_errors_print(struct conf_errors *e, FILE *to)
{
    if (e->n > 0)
        qsort(e->at, e->n, sizeof *e->at, by_line);
    for (size_t i = 0; i < e->n; i++) {
        if (e->at[i].line > 0)
            fprintf(to, "%s:%u: %s\n", e->file, e->at[i].line, e->at[i].text);
        else
            fprintf(to, "%s: %s\n", e->file, e->at[i].text);
    }
    if (e->dropped > 0)
        fprintf(to, "%s: and %zu more\n", e->file, e->dropped);
    if (e->unreadable != 0)
        fprintf(to,
                "PARTI-E%d %s cannot be read: %s. Name the configuration file (with "
                "-c FILE where the command takes it), and let this user read it.\n",
                ERR_CONF_FILE, e->file, strerror(e->unreadable));
    else if (conf_errors_count(e) > 0)
        fprintf(to,
                "PARTI-E%d %s has %zu mistake%s. 'parti config check %s' tells when "
                "it is good.\n",
                ERR_CONF_MISTAKES, e->file, conf_errors_count(e),
                conf_errors_count(e) == 1 ? "" : "s", e->file);
}
