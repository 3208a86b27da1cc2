/* The inside of struct sources: source.c makes and ends it, source_keep.c runs it. */
#ifndef PARTI_HOST_SOURCE_SET_H
#define PARTI_HOST_SOURCE_SET_H

#include "base/rand.h"
#include "host/source.h"
#include "host/source_feed.h"

enum {
    SOURCE_TOLD_MAX = 16
}; /* failures that are remembered until a listing goes well */

/* What the keeper knows of one source. */
struct slot {
    struct feed *feed;
    uint64_t interval_ms;
    uint32_t plugin_line, section_line; /* in the INI file */
    bool is_running;
    bool is_canceled; /* the running list() has been told to return */
    bool is_stuck;    /* and did not; its result will not count */
    bool is_broken;   /* never to be called again */
    bool is_ok;       /* the last attempt went well */
    bool has_rows;    /* those of the last attempt that did */
    bool is_dirty;    /* the plugin says its list changed */
    uint64_t begun_ms;
    uint64_t begun_ask, ended_ask; /* asks that the attempt came after */
    uint64_t retry_ms;             /* not before; 0: not waiting */
    uint64_t pause_ms;             /* after the next failure */
    int error;
    int status;
    struct source_rows rows;
    bool is_untold; /* the failure of 'text' is news */
    uint32_t told_n;
    uint64_t told[SOURCE_TOLD_MAX]; /* hashes of the failures since it was ok */
    char text[SOURCE_TEXT_ROOM];    /* of the last failure; "": none since it was ok */
};

struct sources {
    struct feed_hub *hub;
    pthread_t keeper;
    bool has_keeper;
    void (*done)(void *ctx, const struct source_result *result);
    void *ctx;
    uint64_t budget_ms;
    bool is_quiet;
    struct rand_state random;

    /* Under the hub's gate. */
    uint64_t asked, answered; /* asks counted from 1 */
    uint64_t commanded_first, commanded_last;
    bool is_watching;
    bool is_forgetting; /* what is listed grows stale: drop it when no ask stands */
    bool is_ending;

    /* The keeper's. */
    bool is_fresh;    /* some source has listed anew since the last delivery */
    bool is_fail_new; /* some source has failed in a new way since then */
    bool is_empty_told;
    struct listing *last;
    char text[SOURCE_TEXT_ROOM];
    char merge_told[SOURCE_TEXT_ROOM]; /* why the lists did not fit; "": they did */
    size_t slot_n;
    struct slot slot[];
};

/* The keeper's thread; 'ctx' is the struct sources. */
void *source_keep(void *ctx);

/* An attempt of a slot has failed: notes what is to be told, and picks the time of the
 * next.  With the gate locked. */
void source_slot_fail(struct sources *s, struct slot *slot, int status, int error,
                      const char *text, uint64_t now_ms);

#endif
