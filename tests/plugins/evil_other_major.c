/* Built for another major: it has parti_plugin_v2 and v3, and no v1. */
#include "plain.h"

PARTI_EXPORT const void *parti_plugin_v2(const void *host);
const void *parti_plugin_v2(const void *host)
{
    return host;
}

PARTI_EXPORT const void *parti_plugin_v3(const void *host);
const void *parti_plugin_v3(const void *host)
{
    return host;
}
