/* The layout of the extension parti.fits/1, for ever.  Compiled in `make check`; never
 * edited after its release.  As v1_0.c has it: mend the header, not this file. */
#include "parti_fits.h"

#include "layout.h"

/* struct parti_fits */
AT(parti_fits, size, 0, 4);
IS(parti_fits, size, uint32_t);
AT(parti_fits, zero, 4, 4);
IS(parti_fits, zero, uint32_t);
AT(parti_fits, fits, 8, 8);
IS(parti_fits, fits,
   int32_t (*)(void *self, const char *id, uint64_t id_n, struct parti_error *error));
WHOLE(parti_fits, 16);
