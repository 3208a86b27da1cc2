/* What the other threads of this process tell the loop: one place for each kind of word.
 *
 * A place is always free, so nothing is ever refused or lost, however often a word
 * comes: a newer one takes over from one of its kind that still waits.  For each kind
 * that is as good as hearing both.  For loop.c alone.
 */
#ifndef PARTI_EDGE_MAIL_H
#define PARTI_EDGE_MAIL_H

#include "edge/loop.h"

enum { MAIL_TEXT_MAX = 1023 };

/* What waited.  Whoever takes it drops the listing and frees 'owner'. */
struct mail_bag {
    bool has_quit;
    bool has_stop, restart; /* the first stop counts */
    bool has_refresh;
    bool has_released;
    uint64_t released; /* the highest epoch: it speaks for those before */
    bool has_listing, has_failure;
    bool is_failure_first;       /* of these two */
    struct loop_listing listing; /* the newest; commanded if one of them was */
    char failure[MAIL_TEXT_MAX + 1];
    bool has_plan, keep;
    uint64_t plan; /* the newest answer: the node waits for one plan at a time */
    int plan_status;
    char plan_why[MAIL_TEXT_MAX + 1]; /* it failed, "": nothing is to be told */
    uint32_t *owner;
    uint32_t owner_n;
    bool has_unread;
    uint32_t unread; /* the newest word */
    char unread_why[MAIL_TEXT_MAX + 1];
};

struct mail;

/* STATUS_NOMEM or STATUS_IO (no eventfd to be had). */
int mail_create(struct mail **ret_mail);

/* Drops what still waits.  Nobody may put any more.  Accepts NULL. */
void mail_destroy(struct mail *mail);

/* Readable while something waits.  For poll only. */
int mail_fd(const struct mail *mail);

/* False: nothing waited.  The loop only. */
bool mail_take(struct mail *mail, struct mail_bag *ret_bag);

/* Drops the listing and frees the owners in a bag. */
void mail_bag_finish(struct mail_bag *bag);

/* Any thread; never block but for a short mutex.  The words of loop.h. */
void mail_listed(struct mail *mail, const struct loop_listing *listing);
void mail_list_failed(struct mail *mail, const char *text);
/* owner[n] is copied; without memory for that the plan has failed: STATUS_NOMEM. */
void mail_planned(struct mail *mail, uint64_t plan, bool keep, const uint32_t *owner,
                  uint32_t n);
void mail_plan_failed(struct mail *mail, uint64_t plan, int status, const char *why);
void mail_released(struct mail *mail, uint64_t epoch);
void mail_stop(struct mail *mail, bool restart);
void mail_refresh(struct mail *mail);
void mail_unread(struct mail *mail, uint32_t n, const char *why);
void mail_quit(struct mail *mail);

#endif
