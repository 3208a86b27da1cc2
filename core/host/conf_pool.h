/* Memory of one configuration: taken piece by piece, freed all at once.
 * One user at a time; private to conf*.c and option*.c.
 */
#ifndef PARTI_HOST_CONF_POOL_H
#define PARTI_HOST_CONF_POOL_H

#include <stdbool.h>
#include <stddef.h>

struct conf_pool_block;

struct conf_pool {
    struct conf_pool_block *first;
    bool nomem; /* one request could not be met: ask once, at the end */
};

/* Zeroed, aligned for any type; NULL when there is no memory. */
void *conf_pool_take(struct conf_pool *p, size_t n);

/* A copy of n bytes with a NUL behind; NULL when there is no memory. */
char *conf_pool_text(struct conf_pool *p, const char *text, size_t n);

/* printf into the pool; NULL when there is no memory. */
__attribute__((format(printf, 2, 3))) char *conf_pool_print(struct conf_pool *p,
                                                            const char *format, ...);

void conf_pool_finish(struct conf_pool *p);

#endif
