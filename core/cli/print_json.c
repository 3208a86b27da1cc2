#include "cli/print_json.h"

#include "base/must.h"

enum { DIGITS = 6, INDENT = 2 };

static void dump(json_t *o, size_t flags, FILE *to)
{
    must(o != NULL);
    (void)json_dumpf(o, to, flags | JSON_REAL_PRECISION(DIGITS));
    (void)fputc('\n', to);
    json_decref(o);
}

void print_json(json_t *o, FILE *to)
{
    dump(o, JSON_INDENT(INDENT), to);
}

void print_json_line(json_t *o, FILE *to)
{
    dump(o, JSON_COMPACT, to);
    (void)fflush(to);
}
