/* An entry that gives nothing. */
#include "plain.h"

PARTI_EXPORT const struct parti_plugin *parti_plugin_v1(const struct parti_host *probe);
const struct parti_plugin *parti_plugin_v1(const struct parti_host *probe)
{
    (void)probe;
    return NULL;
}
