/* What one list() gave: the sink that copies and checks, the rows, and their merging.
 *
 * Used by the source's own thread while it lists; the rows then pass to the keeper.
 */
#ifndef PARTI_HOST_SOURCE_ROWS_H
#define PARTI_HOST_SOURCE_ROWS_H

#include "host/world.h"
#include "parti_plugin.h"

enum {
    SOURCE_ROWS_MAX = 2000000,            /* of one source, and of all together */
    SOURCE_BYTES_MAX = 256 * 1024 * 1024, /* of ids */
    SOURCE_TEXT_ROOM = 1024,              /* of a sentence; holds a display id */
    SOURCE_SHOWN_ROOM = 200               /* of a display id in a sentence */
};

struct source_rows {
    char *bytes;
    uint64_t *end;
    uint32_t *weight;
    uint32_t *order; /* row numbers in ascending order of ids, once sorted */
    uint64_t n, room;
    size_t bytes_n, bytes_room;
};

struct source_sink {
    struct parti_sink sink;
    struct source_rows *rows;
    bool is_open; /* only during list() */
    int32_t code; /* the first refusal; it sticks */
    int error;    /* errors.def: which */
    char why[SOURCE_TEXT_ROOM / 2];
};

/* Zeroed memory is empty rows. */
void source_rows_finish(struct source_rows *rows);
struct bytes source_rows_id(const struct source_rows *rows, uint64_t i);

void source_sink_init(struct source_sink *sink, struct source_rows *rows);

/* Sorts.  0; STATUS_NOMEM; STATUS_CONFLICT when an id is there twice: a phrase with its
 * display id to why[room]. */
int source_rows_sort(struct source_rows *rows, char *why, size_t room);

/* One sorted rows of each of n sources into one listing.  0; STATUS_NOMEM;
 * STATUS_LIMIT; STATUS_CONFLICT when two sources list one id: *ret_a and *ret_b are
 * their numbers and shown[room] its display id. */
int source_merge(const struct source_rows *const *rows, size_t n, struct listing **ret,
                 size_t *ret_a, size_t *ret_b, char *shown, size_t room);

#endif
