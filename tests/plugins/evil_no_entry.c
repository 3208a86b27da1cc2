/* A shared object, but no plugin. */
#include "plain.h"

PARTI_EXPORT int something_else(void);
int something_else(void)
{
    return 1;
}
