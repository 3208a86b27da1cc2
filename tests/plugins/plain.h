/* What most test plugins share: slots that do the plain thing, and a descriptor.
 * Each file spoils one thing.  For tests alone.
 */
#ifndef PARTI_TESTS_PLAIN_H
#define PARTI_TESTS_PLAIN_H

#include "parti_plugin.h"

#define UNUSED __attribute__((unused))

UNUSED static int32_t plain_create(void **self, const struct parti_host *host,
                                   const struct parti_conf *conf,
                                   struct parti_error *error)
{
    (void)host, (void)conf, (void)error;
    *self = NULL;
    return PARTI_OK;
}

UNUSED static int32_t plain_assign(void *self, const struct parti_world *world,
                                   uint32_t *owner, struct parti_error *error)
{
    (void)self, (void)error;
    for (uint64_t i = 0; i < world->part_n; i++)
        owner[i] = (uint32_t)(i % world->worker_n);
    return PARTI_OK;
}

UNUSED static int32_t plain_list(void *self, struct parti_sink *sink, uint64_t budget_ms,
                                 struct parti_error *error)
{
    (void)self, (void)budget_ms, (void)error;
    return parti_add(sink,
                     "orders\0"
                     "0",
                     8, 100);
}

UNUSED static void plain_cancel(void *self)
{
    (void)self;
}

UNUSED static void plain_destroy(void *self)
{
    (void)self;
}

#define PLAIN_STRATEGY(assign_function)                                \
    {                                                                  \
        .size = sizeof(struct parti_strategy), .create = plain_create, \
        .assign = (assign_function), .destroy = plain_destroy          \
    }
#define PLAIN_SOURCE(list_function)                                               \
    {                                                                             \
        .size = sizeof(struct parti_source), .create = plain_create,              \
        .list = (list_function), .cancel = plain_cancel, .destroy = plain_destroy \
    }
#define PLAIN_ABOUT                                                                      \
    .size = sizeof(struct parti_plugin), .abi_minor = PARTI_ABI_MINOR, .needs_minor = 0, \
    .id = "org.example.test", .version = "1.0.0", .vendor = "Parti's tests",             \
    .license = "Apache-2.0"

#endif
