/* What plugin ABI 1.1 adds to 1.0, for ever: three codes.  Compiled in `make check`
 * against today's header and against the frozen one; never edited after its release.
 */
#include "parti_plugin.h"

#define VALUE(name, value) _Static_assert((name) == (value), "the value of " #name)

VALUE(PARTI_MISSING, 9);
VALUE(PARTI_DENIED, 10);
VALUE(PARTI_TIMEOUT, 11);
_Static_assert(PARTI_ABI_MINOR >= 1, "the minor that has them");
