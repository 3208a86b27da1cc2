#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void must_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "parti: %s:%d: this must hold and does not: %s\n", file, line,
            condition);
    abort();
}
