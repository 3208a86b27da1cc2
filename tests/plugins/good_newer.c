/* As if built on a later SDK: higher minor, longer structs, no need of either.  A host of
 * 1.0 loads it and reads what it knows. */
#include "plain.h"

static const struct {
    struct parti_strategy known;
    void *later[4];
} strategy = {.known = {.size = sizeof strategy,
                        .create = plain_create,
                        .assign = plain_assign,
                        .destroy = plain_destroy}};

static const struct {
    struct parti_plugin known;
    void *later[6];
} about = {.known = {.size = sizeof about,
                     .abi_minor = 7,
                     .needs_minor = 0,
                     .id = "org.example.newer",
                     .version = "9.0.0",
                     .strategy = &strategy.known}};
PARTI_PLUGIN_ENTRY(about.known)
