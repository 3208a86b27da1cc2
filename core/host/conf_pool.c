#include "host/conf_pool.h"

#include "base/must.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct conf_pool_block {
    struct conf_pool_block *next;
    max_align_t start[];
};

/* A configuration takes some hundred pieces, once: one block a piece is quick enough,
 * and valgrind sees every overrun. */
void *conf_pool_take(struct conf_pool *p, size_t n)
{
    struct conf_pool_block *block = NULL;

    if (n <= SIZE_MAX - sizeof *block)
        block = calloc(1, sizeof *block + n);
    if (block == NULL) {
        p->nomem = true;
        return NULL;
    }
    block->next = p->first;
    p->first = block;
    return block->start;
}

char *conf_pool_text(struct conf_pool *p, const char *text, size_t n)
{
    char *copy = n < SIZE_MAX ? conf_pool_take(p, n + 1) : NULL;

    if (copy != NULL && n > 0)
        memcpy(copy, text, n);
    return copy;
}

char *conf_pool_print(struct conf_pool *p, const char *format, ...)
{
    va_list args;
    char *text;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    must(n >= 0);
    text = conf_pool_take(p, (size_t)n + 1);
    if (text == NULL)
        return NULL;
    va_start(args, format);
    (void)vsnprintf(text, (size_t)n + 1, format, args);
    va_end(args);
    return text;
}

void conf_pool_finish(struct conf_pool *p)
{
    while (p->first != NULL) {
        struct conf_pool_block *next = p->first->next;
        free(p->first);
        p->first = next;
    }
    p->nomem = false;
}
