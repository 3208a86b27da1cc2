/* From the configuration to the loop's options; memory that libparti maps.  For
 * worker.c and the commands that connect.
 */
#ifndef PARTI_HOST_WORKER_SETUP_H
#define PARTI_HOST_WORKER_SETUP_H

#include "edge/loop.h"
#include "host/conf.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    WORKER_PARTS_MAX = 1 << 20,           /* partitions of a group */
    WORKER_RECORD_MAX = 16 * 1024 * 1024, /* bytes of one worker's list */
    WORKER_HANG_MS = 2000 /* behind a revoke's deadline: a hung consumer is given up */
};

/* What the options point at. */
struct worker_setup {
    char host[HOST_ROOM];
    char name[128]; /* of the connections, for the server's monitoring */
    char positions_name[128];
    char *state_dir;
    struct nats_child_options embedded;
};

/* The folder of the embedded server: [nats] store_dir, else parti/GROUP below
 * $XDG_STATE_HOME, ~/.local/state or, for root, /var/lib.  To be freed; NULL: no memory
 * or no home. */
char *worker_state_dir(const struct conf *conf);

/* Fills 'options' but for its callbacks and ctx; 'conf' and 'setup' must outlive
 * loop_create().  STATUS_IO: no entropy or no state folder; text[room] says. */
int worker_loop_options(const struct conf *conf, const char *strategy,
                        struct worker_setup *setup, struct loop_options *options,
                        char *text, size_t room);
void worker_setup_finish(struct worker_setup *setup);

/* All mistakes collected so far, one a line. */
void worker_errors_text(struct conf *conf, char *text, size_t room);

/* A condition for CLOCK_MONOTONIC, as clock_after_ms() wants it. */
void worker_cond_init(pthread_cond_t *cond);

/* Zeroed words, resident only where used; NULL: no address space. */
_Atomic uint64_t *worker_words_map(void);
void worker_words_unmap(_Atomic uint64_t *words);

#endif
