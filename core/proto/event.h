/* Every input of a node: one struct each.  All pointers are borrowed during the step.
 *
 * A node asks for things with numbered actions; each is answered by exactly one event
 * that carries the number, a time-out included.
 */
#ifndef PARTI_PROTO_EVENT_H
#define PARTI_PROTO_EVENT_H

#include "proto/types.h"

enum event_type {
    EV_TIME,        /* time has passed; also the first event of all */
    EV_LINK,        /* the connection (and the log behind it) came or went */
    EV_MESSAGE,     /* a core message */
    EV_LOG_INFO,    /* answer to ACT_LOG_INFO */
    EV_LOG_READ,    /* answer to ACT_LOG_READ */
    EV_LOG_WRITTEN, /* answer to ACT_LOG_WRITE */
    EV_LISTED, /* the source listed its partitions (answer to ACT_LIST, or unasked) */
    EV_LIST_FAILED, /* it could not */
    EV_PLANNED,     /* answer to ACT_PLAN */
    EV_RELEASED,    /* the application has stopped what was revoked */
    EV_STOP,        /* leave the group */
    EV_UNREAD,      /* so many partitions are held and cannot be read or handled */
    EV_REFRESH      /* list the source again now; a follower passes it on */
};

struct event {
    enum event_type type;
    uint64_t now_ms;
    uint64_t wall_s; /* unix seconds; only ever used to start a new generation */

    struct {
        bool up;
    } link;

    struct {
        const void *data;
        size_t n;
    } message;

    struct {
        uint64_t op;
        int status;   /* status.h: OK, NOTFOUND (read), CONFLICT (write), TIMEOUT =
                         unknown outcome (write), anything else: did not happen */
        uint64_t seq; /* info: last sequence of the log; read: of the record; write: of
                         the new record */
        const void *data; /* read */
        size_t n;
    } log;

    struct {
        uint32_t n; /* sorted bytewise by id, no id twice */
        const struct bytes *id;
        const uint32_t *weight;
        bool commanded; /* answers a refresh that somebody asked for */
    } listed;

    struct {
        const char *why; /* for people, not empty; NULL: not told */
    } list_failed;

    struct {
        uint64_t plan;   /* number of the ACT_PLAN */
        int status;      /* OK; CANCELED: given up; anything else: no answer to be had */
        const char *why; /* not OK: for people, not empty; NULL: not told */
        bool keep;       /* leave everything where it is */
        const uint32_t
            *owner; /* OK and not keep: index into the workers of the request */
        uint32_t n;
    } planned;

    struct {
        uint64_t epoch; /* everything revoked at or before this epoch has stopped */
    } released;

    struct {
        bool restart; /* keep my place for a while: I come back */
    } stop;

    struct {
        uint32_t n;      /* 0: none any more */
        const char *why; /* for people: the first reason */
    } unread;
};

#endif
