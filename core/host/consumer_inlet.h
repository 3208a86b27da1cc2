/* What a consumer plugin may say and when: the checks of struct parti_inlet, and the
 * queue in which all that reaches the consumer's thread lies.
 *
 * The queue is bounded by what may be said: messages by the credit, the rest by once a
 * run, once a bury, one trouble a lane, and the group's own words.  Any thread, unless
 * said otherwise.
 */
#ifndef PARTI_HOST_CONSUMER_INLET_H
#define PARTI_HOST_CONSUMER_INLET_H

#include "consume/engine.h"
#include "host/consumer_hands.h"
#include "host/consumer_message.h"

enum { NOTE_TEXT_ROOM = 256 };

enum note_kind {
    NOTE_GRANT,  /* lane, part, token */
    NOTE_REVOKE, /* lane, serial, number: the deadline */
    NOTE_FENCE,
    NOTE_LINK,    /* text: the servers' URL */
    NOTE_END,     /* look whether it is over */
    NOTE_BEGUN,   /* lane, run, origin, number: from */
    NOTE_MESSAGE, /* lane, run, list */
    NOTE_BURIED,  /* lane, run, number: position, code, text */
    NOTE_TROUBLE  /* lane, run, code, text */
};

struct note {
    struct note *next;
    enum note_kind kind;
    uint32_t lane, serial;
    uint64_t run, origin, number;
    int32_t code; /* PARTI_* */
    struct hands_part *part;
    struct message_batch *list;
    char text[]; /* ends with NUL */
};

struct answer {
    struct parti_ticket ticket;
    enum consume_verdict verdict;
    uint64_t delay_ms;
};

/* Messages of one batch that the engine looks at no more. */
struct inlet_forgotten {
    struct message_batch *batch;
    uint32_t n;
};

/* What may be said of a lane at present. */
struct gate_lane {
    uint64_t run;    /* 0: none */
    uint64_t newest; /* the greatest run there was */
    uint64_t credit;
    uint64_t next; /* the least position that may come */
    uint32_t here; /* messages copied and not yet forgotten */
    uint32_t buries;
    bool has_begun;
    struct note *trouble; /* still in the queue */
    uint64_t acked_turn;  /* in which its last ack came, 0 behind a refusal; and the */
    size_t acked_at;      /* place of that ack in the queue */
};

struct inlet {
    struct parti_inlet table; /* the plugin's */
    pthread_mutex_t lock;
    struct gate_lane *lane;
    uint32_t lanes_max, messages_max;
    struct message_pool *pool;
    const char *name; /* of the plugin's instance, for texts */
    int wake_fd;
    bool is_asleep; /* the consumer's thread */
    bool is_broken; /* a rule was broken */
    char why[256];  /* which */
    struct note *first, **last;
    struct answer *answer;
    size_t answers, answers_room;
    uint64_t turn; /* how often the queue was taken */
};

/* STATUS_NOMEM, STATUS_IO. */
int inlet_init(struct inlet *in, uint32_t lanes_max, uint32_t messages_max,
               struct message_pool *pool);
void inlet_finish(struct inlet *in); /* gives back what lies in it */

/* A note without text, or with one; no memory: the process ends, for none may be lost. */
struct note *inlet_note(enum note_kind kind, uint32_t lane, const char *text);
void inlet_put(struct inlet *in, struct note *note);
void inlet_answer(struct inlet *in, const struct answer *answer);

/* ---- the consumer's thread alone ---- */

/* Takes all that lies there; sleeps are announced so that others know to wake. */
struct note *inlet_take(struct inlet *in, struct answer **answers, size_t *answers_n,
                        size_t *answers_room);
bool inlet_may_sleep(struct inlet *in);
void inlet_awake(struct inlet *in);

void inlet_begin(struct inlet *in, uint32_t lane, uint64_t run);
void inlet_credit(struct inlet *in, uint32_t lane, uint64_t n);
void inlet_bury(struct inlet *in, uint32_t lane);
void inlet_end(struct inlet *in, uint32_t lane);

/* The engine forgot so many of these batches: their lanes have that many less. */
void inlet_forget(struct inlet *in, const struct inlet_forgotten *list, size_t n);

/* The plugin broke a rule, which 'why' says as a phrase. */
void inlet_break(struct inlet *in, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
bool inlet_is_broken(struct inlet *in, char *why, size_t room);

#endif
