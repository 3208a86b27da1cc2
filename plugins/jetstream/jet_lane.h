/* A lane of the consumer role, and its reader; see jet_consumer.h. */
#ifndef PARTI_PLUGINS_JET_LANE_H
#define PARTI_PLUGINS_JET_LANE_H

#include "plugins/jetstream/jet_template.h"

#include <stddef.h>
#include <stdint.h>

enum {
    JET_READER_NAME_ROOM = 192,
    JET_READER_PULLS = 4, /* requests for messages under way */
    JET_ACK_HEAD_ROOM = 512
};

enum jet_reader_state {
    JET_READER_NONE,    /* no run, or nothing to be done until it ends */
    JET_READER_DUE,     /* to be made, not before when_ms */
    JET_READER_WAITING, /* due, and in the queue for one */
    JET_READER_PARKED,  /* none is needed until something is heard, or credit is given */
    JET_READER_ASKED,   /* the server has been asked to make it; an answer by when_ms */
    JET_READER_READING, /* a sign of life by when_ms, if messages were asked for */
    JET_READER_CARRIED  /* the whole reader has it */
};

struct jet_pull {
    uint64_t number; /* 0: none */
    uint64_t left;   /* messages that it may still bring */
};

struct jet_reply;

struct jet_ack {
    uint64_t position, number; /* of the stream; of the reader */
    uint64_t given;            /* how often the server has given it */
};

/* What a lane's turns depend on: see jet_turns.c and jet_notice.c. */
struct jet_turn {
    struct jet_lane *same;  /* the next one in the table of subjects */
    uint64_t ticket;        /* its place in the queue; 0: none */
    uint64_t since_ms;      /* it has had this reader, */
    uint64_t busy_ms;       /* whose last message came then */
    uint64_t pending;       /* at the server, as the last reader said */
    uint64_t watch;         /* what watched when the reader was asked for, 0: nothing, */
    uint64_t heard_before;  /* and what had been heard by then */
    uint64_t noted;         /* the watch that the lane was there for from its start */
    uint64_t heard;         /* limits: the greatest position heard of, */
    uint64_t gone;          /* of which up to here none is left */
    uint64_t vain, vain_ms; /* asked for in vain up to here, since then; see jet_vain.c */
    uint64_t again_ms, gone_before; /* 'gone' holds until then; what it has been */
    uint32_t vains;                 /* doublings of that time */
    uint64_t counted, counting; /* work queue: messages in the stream, by the last look */
    uint64_t owed;              /* work queue: given out, not acknowledged, no reader */
    uint64_t again;             /* of these the present reader gives so many again */
    uint64_t acked, acked_ms;   /* work queue: acks that this reader was sent, the last */
    int32_t is_known;           /* what the above says of messages to be read is all */
};

/* One run of a lane, from start() to stop(). */
struct jet_lane {
    /* Under note_mutex: what was posted and the thread has not seen. */
    struct jet_lane *posted_next;
    int32_t is_posted, is_new, is_ended, is_last;
    uint64_t posted_credit, posted_done;

    /* Under mutex. */
    uint64_t run; /* 0: over */
    enum jet_reader_state state;
    uint64_t when_ms;
    uint32_t index, failures;
    char subject[JET_TEMPLATE_ROOM];
    uint64_t hash, gen, since;
    uint64_t origin; /* of the record; then of what is read */
    uint64_t done;   /* the record's next */
    uint64_t next;   /* the least position that may still be delivered */
    uint64_t credit; /* given and not used */
    int32_t has_begun, is_troubled;
    int32_t is_outside;  /* of what the stream takes in: the trouble is that */
    int32_t is_fresh;    /* no record of this life of the stream */
    uint64_t look;       /* its reader begins when that one is answered */
    int32_t is_made;     /* the reader that waits for that */
    int32_t is_sweeping; /* former holders' readers are to be looked for */

    /* The reader. */
    uint64_t serial;   /* 0: none */
    uint64_t asked_ms; /* it was asked for then */
    char name[JET_READER_NAME_ROOM];
    struct jet_pull pull[JET_READER_PULLS];
    uint64_t pulls, asked;            /* so far; messages under way */
    uint64_t again_ms;                /* when to ask again; 0: at any time */
    uint32_t unheard;                 /* requests in a row that nobody listened to */
    uint64_t seen;                    /* the reader's own number of the last message */
    char ack_head[JET_ACK_HEAD_ROOM]; /* of the subjects of acks, with its last dot */
    int32_t ack_has_more;             /* these have a token more at the end */
    struct jet_ack *ack;              /* a ring */
    size_t ack_first, ack_n, ack_room;

    struct jet_turn turn;
    uint64_t from, passed;             /* see jet_carry.c */
    struct jet_kept *kept, *kept_last; /* messages of the whole reader without credit */
    uint32_t kept_n;
    uint64_t kept_ms; /* there have been some and no credit since */
    uint64_t held_ms; /* there have been some since */
    uint64_t out_ms;  /* put out, not to be carried before */
    uint32_t outs;
};

#endif
