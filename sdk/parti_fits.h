/* parti_fits.h - the extension parti.fits/1: can this partition be read at all?
 *
 * SPDX-License-Identifier: Apache-2.0
 *
 * A consumer plugin that answers extension("parti.fits/1") of its descriptor with a
 * struct parti_fits says of a partition, by its id and the plugin's own section alone,
 * whether start() would refuse it: too few keys for the subject that the section asks
 * for, a name that the broker cannot have.  `parti config check` asks it for every
 * partition that the sources list, before any worker does.
 *
 * A host that does not know this extension hears of it from start().
 */
#ifndef PARTI_FITS_H
#define PARTI_FITS_H

#include "parti_plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PARTI_FITS_ID "parti.fits/1"

/* Static, as the descriptor. */
struct parti_fits {
    uint32_t size;
    uint32_t zero; /* 0 */
    /* After create(), on the thread that called it, and before any start().  'id' as in
     * struct parti_consumer_start.  Asks no broker and returns at once.  PARTI_OK; or
     * what start() would answer, with its words: PARTI_BADINPUT. */
    int32_t (*fits)(void *self, const char *id, uint64_t id_n, struct parti_error *error);
};

#ifdef __cplusplus
}
#endif
#endif
