/* A host of the consumer role as small as can be: loads a plugin, jetstream or kafka,
 * implements the inlet, keeps what each lane is given, and holds the plugin to the
 * inlet's rules. Fails the running Check test if something is not as it must be.
 */
#ifndef PARTI_TESTS_EDGE_JET_HOST_H
#define PARTI_TESTS_EDGE_JET_HOST_H

#include "runner.h"

#include "parti_consumer.h"

#include <pthread.h>

enum {
    HOST_LANES = 1536,
    HOST_PAIRS = 16,
    HOST_MESSAGES = 4096,
    HOST_TEXT_ROOM = 256,
    HOST_LOG_ROOM = 1024,
    HOST_HEADERS_ROOM = 512
};

struct host_lane {
    uint64_t run;  /* 0: none */
    uint64_t runs; /* so far */
    uint64_t credit;
    int begun_n;
    uint64_t origin, from;
    uint64_t least; /* position that may come */
    uint32_t n;     /* messages of all runs */
    uint64_t first; /* of this host's, the number of the first of them */
    uint32_t room;
    uint64_t *position; /* until the next host_start() */
    int *number;        /* what the producer wrote in it */
    char subject[HOST_TEXT_ROOM];
    char headers[HOST_HEADERS_ROOM]; /* of the last message: "A=1 B=2 " */
    char key[HOST_TEXT_ROOM];        /* of the last message; "(none)" */
    int64_t time_ms;
    uint32_t redelivered; /* how many said so */
    int32_t code;         /* of the last word of trouble */
    int32_t trouble;      /* and of the last that was not PARTI_OK, with its text */
    char text[HOST_TEXT_ROOM];
    int buried_n;
    int32_t buried_code;
    uint64_t buried_position;
    char buried_text[HOST_TEXT_ROOM];
};

struct jet_host {
    void *library;
    const struct parti_consumer *consumer;
    void *self; /* NULL: it was refused, as error says */
    struct parti_error error;
    struct parti_host table;
    struct parti_inlet inlet;
    const char *key[HOST_PAIRS], *value[HOST_PAIRS];
    uint32_t line[HOST_PAIRS];
    struct parti_conf conf;
    struct gate gate;
    int logged; /* lines of the log, and the last of them */
    char log_line[HOST_LOG_ROOM];
    pthread_mutex_t calls;
    int is_counting; /* keeps no messages, gives credit back by halves */
    int refuses;     /* so many deliveries that are answered with PARTI_NOMEM */
    uint32_t target; /* of each lane, where it counts */
    uint64_t taken;  /* messages of all lanes */
    uint64_t window; /* the credit of a lane where it counts */
    uint64_t used[HOST_LANES];
    struct host_lane lane[HOST_LANES];
};

/* Loads the plugin and creates a consumer with these pairs, ended by NULL. */
void host_start_plugin(struct jet_host *h, const char *plugin, const char *const pairs[]);
void host_start(struct jet_host *h, const char *const pairs[]); /* jetstream */
void host_finish(struct jet_host *h);

/* Begins a run: 'id' with '/' for NUL, the token (gen, gen).  What start() answers. */
int32_t host_run(struct jet_host *h, uint32_t lane, const char *id, uint64_t gen,
                 uint64_t origin, uint64_t next, uint64_t credit);
void host_credit(struct jet_host *h, uint32_t lane, uint64_t n);
void host_done(struct jet_host *h, uint32_t lane, uint64_t next);
void host_stop(struct jet_host *h, uint32_t lane, int is_last);

/* Waits until the lane has had n messages. */
void host_await(struct jet_host *h, uint32_t lane, uint32_t n);
void host_await_begun(struct jet_host *h, uint32_t lane, int n);
/* Waits for trouble of that code with that text in it, over again or not; PARTI_OK: that
 * there is none. */
void host_await_trouble(struct jet_host *h, uint32_t lane, int32_t code,
                        const char *text);
/* Waits until the run has begun or is in trouble. */
void host_await_word(struct jet_host *h, uint32_t lane);
void host_await_buried(struct jet_host *h, uint32_t lane, int n);

/* Fails unless the lane has had n messages, whose numbers are first, first + 1, ... */
void host_expect(struct jet_host *h, uint32_t lane, uint32_t n, int first);

void host_bury_message(struct jet_host *h, uint32_t lane,
                       const struct parti_consumer_message *m, const char *target);

/* The dead letter of a message with this text. */
void host_bury(struct jet_host *h, uint32_t lane, uint64_t position, const char *target,
               const char *text);

#endif
