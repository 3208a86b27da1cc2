/* An option whose fallback is no value of its own type. */
#include "plain.h"

static const struct parti_option options[] = {
    {.name = "good", .help = "Good."},
    {.name = "pause", .fallback = "30", .help = "Lacks a unit.", .type = PARTI_MSEC},
    {.name = NULL},
};
static const struct parti_strategy strategy = PLAIN_STRATEGY(plain_assign);
static const struct parti_plugin about = {PLAIN_ABOUT, .strategy_option = options,
                                          .strategy = &strategy};
PARTI_PLUGIN_ENTRY(about)
