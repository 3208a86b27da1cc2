/* The engine of consuming on the heap; the engine itself knows no allocator. */
#include "consume/engine.h"

#include "base/status.h"

#include <stdlib.h>

int consume_create(struct consume **ret, const struct consume_options *options,
                   consume_perform perform, void *ctx)
{
    size_t size = consume_size(options);
    void *memory;
    int status;

    if (size == 0)
        return STATUS_INVALID;
    memory = calloc(1, size);
    if (memory == NULL)
        return STATUS_NOMEM;
    status = consume_init(ret, memory, size, options, perform, ctx);
    if (status != 0)
        free(memory);
    return status;
}

void consume_destroy(struct consume *c)
{
    consume_finish(c);
    free(c); /* it begins its memory */
}
