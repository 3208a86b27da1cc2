/* The messages of one supervised command: what waits for it, what it has and has not
 * answered, and what its answers mean.
 *
 * A message that comes is a letter.  Letters go to the command in their order, as long as
 * it reads; each gets the next number, which the command's answer names:
 *
 *   {"ack":17}  {"nak":17}  {"nak":17,"delay_ms":500}  {"term":17}  {"progress":17}
 *
 * The time for handling runs for the oldest unanswered letter alone, since a command that
 * does one thing after the other has not begun the next.  When the command ends, the
 * oldest counts as a failed attempt, and the others as never looked at.
 *
 * One user at a time.  Callbacks come from inside the calls and must not call back.
 */
#ifndef PARTI_CLI_RUN_POST_H
#define PARTI_CLI_RUN_POST_H

#include "host/event_line.h"
#include "parti.h"

#include <stdbool.h>

enum run_answer {
    RUN_ANSWER_ACK,
    RUN_ANSWER_NAK,
    RUN_ANSWER_TERM,
    RUN_ANSWER_PROGRESS,
    RUN_ANSWER_RETURN /* it was never looked at */
};

struct run_letter {
    struct run_letter *next;
    struct parti_ticket ticket;
    char *text; /* owned: what follows the number; NULL once it is sent */
    size_t n;
};

/* After a word against one letter, nothing more of its stretch may be begun. */
struct run_post_bar {
    uint32_t serial, stretch; /* of the hold; serial 0: none */
};

struct run_post {
    void *ctx;
    void (*answer)(void *ctx, struct parti_ticket ticket, enum run_answer answer,
                   uint64_t delay_ms);
    struct run_letter *first, **last; /* waiting */
    struct run_letter **sent;         /* by number, a ring; NULL: answered */
    size_t room;                      /* of the ring, a power of two */
    uint64_t oldest, next;            /* numbers: sent[oldest .. next) */
    struct run_post_bar *bar;         /* by slot */
    uint32_t bars;
    bool is_stacked; /* a partition may have several letters at once */
};

void run_post_init(struct run_post *post, void *ctx,
                   void (*answer)(void *ctx, struct parti_ticket ticket,
                                  enum run_answer answer, uint64_t delay_ms));

/* Frees all, answers nothing.  Accepts a zeroed struct. */
void run_post_finish(struct run_post *post);

/* A letter comes: takes over line->at, which message_line_make() has made.  What the
 * post has of the same partition from this position on is out of date.  False: no
 * memory, nothing is taken. */
bool run_post_add(struct run_post *post, struct parti_ticket ticket,
                  struct event_line *line);

/* The next letter, numbered, to be written: its opening goes to opening[room], the rest
 * is *ret_text.  NULL: none waits.  Then run_post_sent(). */
enum { RUN_POST_OPENING = 64 };
const char *run_post_next(const struct run_post *post, char opening[RUN_POST_OPENING],
                          size_t *ret_n);
bool run_post_sent(struct run_post *post); /* false: no memory */

/* A line of the command's output without its newline.  True: it was an answer. */
bool run_post_take(struct run_post *post, const char *line, size_t n);

/* The command has ended. */
void run_post_lost(struct run_post *post);

/* The partition is given up: what waits goes back.  Or it is gone: all of it is
 * forgotten. */
void run_post_revoke(struct run_post *post, uint32_t slot);
void run_post_forget(struct run_post *post, uint32_t slot);
void run_post_forget_all(struct run_post *post);

/* Speaks for those whose time does not run. */
void run_post_speak(struct run_post *post);

#endif
