#include "base/errors.h"

#include <stddef.h>

static const struct error_entry table[] = {
#define X(number, symbol, summary) {symbol, summary},
#include "base/errors.def"
#undef X
    {0, NULL},
};

const struct error_entry *errors_all(void)
{
    return table;
}

const char *error_summary(int code)
{
    for (const struct error_entry *e = table; e->code != 0; e++)
        if (e->code == code)
            return e->summary;
    return "unknown error";
}
