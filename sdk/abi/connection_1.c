/* The layout of the extension parti.connection/1, for ever.  Compiled in `make check`;
 * never edited after its release.  As v1_0.c has it: mend the header, not this file. */
#include "parti_connection.h"

#include "layout.h"

/* struct parti_connection */
AT(parti_connection, size, 0, 4);
IS(parti_connection, size, uint32_t);
AT(parti_connection, n, 4, 4);
IS(parti_connection, n, uint32_t);
AT(parti_connection, name, 8, 8);
IS(parti_connection, name, const char *const *);
WHOLE(parti_connection, 16);
