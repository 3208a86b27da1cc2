/* A descriptor that ends before what ABI 1.0 has. */
#include "plain.h"

static const struct parti_strategy strategy = PLAIN_STRATEGY(plain_assign);
static const struct parti_plugin about = {
    .size = 48, .id = "org.example.small", .version = "1.0.0", .strategy = &strategy};
PARTI_PLUGIN_ENTRY(about)
