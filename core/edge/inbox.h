/* What the world tells the loop: a bounded queue with many writers and one reader.
 *
 * Library threads copy what they have into an item, put it in and are done; the one
 * reader (the loop) waits on inbox_fd() with poll and takes items out in the order in
 * which they were put.
 *
 * Limits.  Messages (INBOX_MESSAGE) are dropped, and counted, while 'items_max' items
 * or 'bytes_max' bytes lie in the inbox: core messages may be lost at any time anyway,
 * and the protocol copes.  Every other kind is an answer or a change of state that
 * must not be lost; for those 'reserve_max' more items have room.  Their senders bound
 * their number themselves (nats_log takes at most NATS_LOG_OPS_MAX operations at once;
 * links and servers report changes only).  If even the reserve is used up the item is
 * dropped and counted in 'lost', which a correct program never sees.
 */
#ifndef PARTI_EDGE_INBOX_H
#define PARTI_EDGE_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum inbox_kind {
    /* nats_link */
    INBOX_LINK_UP = 1, /* connected, all subscriptions stand; data: the server's URL */
    INBOX_LINK_DOWN,   /* was connected and is not any more; code, data: why */
    INBOX_LINK_ERROR,  /* cannot connect (code, data), still trying; once per reason */
    INBOX_LINK_DENIED, /* the server refused one subject (code, data; subject) */
    INBOX_MESSAGE,     /* a core message: tag, subject, reply, data; seq if republished */
    /* nats_log */
    INBOX_LOG_REPLY,  /* raw; give it to nats_log_feed() and think no more of it */
    INBOX_LOG_ANSWER, /* op, status, code, seq; data: the record, or a text on failure */
    INBOX_LOG_NOTE,   /* op, code, data: a warning on the way to an answer */
    /* nats_child */
    INBOX_SERVER_UP,    /* ready; data: its URL with credentials; tag 1: started by us,
                           0: found running */
    INBOX_SERVER_DOWN,  /* it ended or does not answer; data: why; being replaced */
    INBOX_SERVER_ERROR, /* cannot be had (code, data); still trying, unless stopped */
    /* free for other edges; all of them count as what must not be lost */
    INBOX_OTHER = 100
};

/* One thing that happened.  Owned by the reader once popped. */
struct inbox_item {
    struct inbox_item *next; /* private */
    int kind;
    int tag;             /* which subscription, log or server it came from */
    int status;          /* status.h */
    int code;            /* errors.h, 0 if none */
    uint64_t op;         /* number given by the asker */
    uint64_t seq;        /* sequence in the stream, 0 if none */
    uint64_t when_ns;    /* CLOCK_BOOTTIME when it was put in */
    const char *subject; /* never NULL; inside this item */
    const char *reply;   /* never NULL, "" if no answer is asked for; inside this item */
    char *data;          /* never NULL, a NUL follows data[n-1]; inside this item */
    size_t n;
};

struct inbox;

struct inbox_limits {
    size_t items_max;   /* e.g. 8192 */
    size_t bytes_max;   /* e.g. 64 MiB, of messages */
    size_t reserve_max; /* e.g. 1024 further items of the other kinds */
};

struct inbox_counts {
    size_t items;     /* lying there now */
    size_t bytes;     /* of messages lying there now */
    uint64_t dropped; /* messages dropped since the start */
    uint64_t lost;    /* other items dropped since the start: a bug if not 0 */
};

/* STATUS_NOMEM or STATUS_IO (no eventfd to be had). */
int inbox_create(struct inbox **ret_inbox, const struct inbox_limits *limits);

/* Frees what still lies in it; nobody may put or pop any more.  Accepts NULL. */
void inbox_destroy(struct inbox *inbox);

/* Readable while items lie in the inbox.  For poll only; do not read from it. */
int inbox_fd(const struct inbox *inbox);

/* A zeroed item with copies of the texts and bytes ('data' may be NULL when n is 0);
 * subject and reply may be NULL.  NULL when memory is short.  Any thread.
 */
struct inbox_item *inbox_item_create(int kind, const char *subject, const char *reply,
                                     const void *data, size_t n);

/* Accepts NULL. */
void inbox_item_free(struct inbox_item *item);

/* Takes the item over in any case; stamps when_ns.  STATUS_LIMIT if it had to be
 * dropped.  An item of NULL (memory was short) counts as dropped.  Any thread; never
 * blocks but for a short mutex.
 */
int inbox_put(struct inbox *inbox, struct inbox_item *item);

/* The oldest item, to be freed with inbox_item_free(), or NULL.  The reader only. */
struct inbox_item *inbox_pop(struct inbox *inbox);

/* Any thread. */
struct inbox_counts inbox_counts(struct inbox *inbox);

#endif
