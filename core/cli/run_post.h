/* The messages of one supervised command: what waits for it, what it has and has not
 * answered, and what its answers mean.
 *
 * A message that comes is a letter.  Letters go to the command in their order, as long as
 * it reads; each gets the next number, which the command's answer names:
 *
 *   {"ack":17}  {"nak":17}  {"nak":17,"delay_ms":500}  {"term":17}  {"progress":17}
 *
 * Unless 'is_stacked', the command has one letter of a partition at a time: the next one
 * lies ready and goes out when that one has its ack.
 *
 * The time for handling runs for the oldest unanswered letter alone, since a command that
 * does one thing after the other has not begun the next.  When the command ends, the
 * oldest counts as a failed attempt, and the others as never looked at.
 *
 * One user at a time.  Callbacks come from inside the calls and must not call back.
 */
#ifndef PARTI_CLI_RUN_POST_H
#define PARTI_CLI_RUN_POST_H

#include "host/consumer_hands.h"
#include "parti.h"

#include <stdbool.h>

enum run_answer {
    RUN_ANSWER_ACK,
    RUN_ANSWER_NAK,
    RUN_ANSWER_TERM,
    RUN_ANSWER_PROGRESS,
    RUN_ANSWER_RETURN /* it was never looked at */
};

/* A line of its output without the newline: is it an answer, to which letter?
 * (run_answer.c) */
bool run_answer_parse(const char *line, size_t n, enum run_answer *ret_answer,
                      uint64_t *ret_n, uint64_t *ret_delay_ms);

struct run_letter {
    struct run_letter *next;
    struct hands_call kept; /* its references are given up when it has been written */
    bool is_over;           /* no message, but the word that run_post_over() takes */
};

/* From inside message(): the letter has references of its own.  NULL: no memory. */
struct run_letter *run_letter_create(const struct parti_message *message);
/* Of aside_over: it must not overtake messages, nor they it. */
struct run_letter *run_letter_create_over(struct parti_hold hold, uint32_t stretch);
void run_letter_destroy(struct run_letter *letter); /* accepts NULL */

/* What is known of a partition, by its slot. */
struct run_post_slot {
    /* After a word against one letter, nothing more of its stretch may be begun, nor of
     * those before it, nor of an older hold; and of a hold that is revoked nothing at
     * all.  Serials of holds; 0: none. */
    uint32_t serial, stretch, revoked;
    bool is_busy;                     /* unless stacked: one of it is ready or sent */
    struct run_letter *first, **last; /* behind that one; 'last' counts if there is any */
    struct run_letter *acked;         /* the last ack that was not passed on yet */
};

struct run_post {
    void *ctx;
    void (*answer)(void *ctx, struct parti_ticket ticket, enum run_answer answer,
                   uint64_t delay_ms);
    struct run_letter *first, **last; /* ready to be written */
    struct run_letter **sent;         /* by number, a ring; NULL: answered */
    size_t room;                      /* of the ring, a power of two */
    uint64_t oldest, next;            /* numbers: sent[oldest .. next) */
    uint64_t spoken;                  /* the oldest when its time began */
    struct run_post_slot *slot;
    uint32_t slots;
    struct run_letter *acked; /* a list: each is the 'acked' of its slot */
    bool is_stacked;          /* a partition may have several letters at once */
};

void run_post_init(struct run_post *post, void *ctx,
                   void (*answer)(void *ctx, struct parti_ticket ticket,
                                  enum run_answer answer, uint64_t delay_ms));

/* Frees all, answers nothing.  Accepts a zeroed struct. */
void run_post_finish(struct run_post *post);

/* A letter comes, and is taken over.  A new attempt: what the post has of the same hold
 * from this position on is out of date. */
void run_post_add(struct run_post *post, struct run_letter *letter);

/* The attempts of this hold up to this stretch are over, since no answer came in time or
 * the hold is at its end: nothing of them is begun, and what the command still has of
 * them is waited for no more. */
void run_post_over(struct run_post *post, struct parti_hold hold, uint32_t stretch);

/* The next letter to be written, and its number; NULL: none is ready.  Then
 * run_post_sent(), or run_post_refuse() with the answer that it gets unread. */
const struct run_letter *run_post_next(const struct run_post *post, uint64_t *ret_number);
bool run_post_sent(struct run_post *post); /* false: no memory */
void run_post_refuse(struct run_post *post, enum run_answer answer);

/* A line of the command's output without its newline.  True: it was an answer. */
bool run_post_take(struct run_post *post, const char *line, size_t n);

/* After some of those: passes the acks on, of each partition the last, which speaks for
 * those before it; and from now on the time of the oldest runs. */
void run_post_settle(struct run_post *post);

/* The command has ended. */
void run_post_lost(struct run_post *post);

/* The partition is given up: what waits goes back, and so does what is still to come.
 * Or it is gone: all of it is forgotten. */
void run_post_revoke(struct run_post *post, struct parti_hold hold);
void run_post_forget(struct run_post *post, uint32_t slot);
void run_post_forget_all(struct run_post *post);

/* Speaks for those whose time does not run. */
void run_post_speak(struct run_post *post);

#endif
