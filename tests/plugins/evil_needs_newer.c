/* Cannot do with less than ABI 1.999. */
#include "plain.h"

static const struct parti_strategy strategy = PLAIN_STRATEGY(plain_assign);
static const struct parti_plugin about = {.size = sizeof about,
                                          .abi_minor = 999,
                                          .needs_minor = 999,
                                          .id = "org.example.newer",
                                          .version = "1.0.0",
                                          .strategy = &strategy};
PARTI_PLUGIN_ENTRY(about)
