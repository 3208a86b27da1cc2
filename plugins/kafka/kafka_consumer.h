/* The inside of the consumer role: messages of topics' partitions.
 *
 *   kafka_section.c   the section, and what librdkafka is told
 *   kafka_consumer.c  the interface: seq calls put notes in a queue
 *   kafka_duty.c      the thread: takes the notes, serves lanes, keeps time
 *   kafka_reader.c    one reader: where it begins, what it tells, how it ends
 *   kafka_flow.c      messages from librdkafka's queue of a partition to the inlet
 *   kafka_asker.c     a second thread: asks the brokers what must be waited for
 *   kafka_position.c  offsets that the group has committed: what they mean, writing them
 *   kafka_letter.c    dead letters
 *   kafka_close.c     the end of a handle of librdkafka
 *
 * A *reader* reads one partition by librdkafka's simple consumer: from an offset on, into
 * a queue that this partition has for itself.  No group protocol, so no rebalance of
 * Kafka's ever takes a partition from its holder, and a partition whose queue is not
 * emptied holds up no other: librdkafka stops fetching it when its queue is full.
 *
 *     note ──> WANTED ──> ASKED ──> READING ──> (stop)
 *                 ^    committed     │
 *                 └── later ── DUE <─┘ an answer that may pass
 *
 * WHERE A RUN BEGINS  At the record's position.  Where none is: at the offset that the
 * group has committed, if that is not Parti's own word ('start = committed': even then),
 * else where 'start' says.  A committed offset that is not Parti's word and lies after
 * the record is followed, too: somebody moved the group forward by Kafka's tools.
 * Not while the group has members: then it is theirs, who go on without Parti.
 *
 * ORIGIN  The upper half is of the cluster's id, the lower counts lives of the topic:
 * Kafka tells clients of librdkafka 2.0 no id of a topic.  A life ends when the log ends
 * before the position (the topic was made anew, or an unclean election cut it), or when
 * the topic was seen to be gone and with it a commit of ours, which brokers remove with
 * it.
 *
 * LOCKS  All is the thread's, but for the notes: note_mutex guards these, is held for
 * instants, and may be taken while librdkafka holds a lock of its own; librdkafka is
 * never called under it.
 */
#ifndef PARTI_PLUGINS_KAFKA_CONSUMER_H
#define PARTI_PLUGINS_KAFKA_CONSUMER_H

#include "kafka_conf.h"

#include "parti_consumer.h"
#include "parti_fits.h"

#include <pthread.h>

/* The brokers, and what librdkafka says of them. */
#define KAFKA_DOWN                                                               \
    "no broker of %.100s is reached: %.*s; check host and port in brokers, and " \
    "that a broker is up"

enum {
    KAFKA_BATCH_MAX = 512,  /* messages of one lane at a time */
    KAFKA_TEXT_ROOM = 512,  /* of words about a lane */
    KAFKA_META_ROOM = 64,   /* of a committed offset */
    KAFKA_COMMIT_MS = 1000, /* between two commits */
    KAFKA_LEAVE_MS = 10000, /* the last commit of a run is tried so long */
    KAFKA_ASK_MS = 500,     /* for the group's offsets; doubled up to */
    KAFKA_ASK_MAX_MS = 2000,
    KAFKA_PAUSE_MS = 100, /* after a failure, doubled up to */
    KAFKA_PAUSE_MAX_MS = 5000,
    KAFKA_PROBE_MS = 500,    /* between two looks whether brokers are back */
    KAFKA_CHECK_MS = 5000,   /* between two looks at a topic that is read */
    KAFKA_SILENT_MS = 1500,  /* where a lane has not begun, or the topic is missing */
    KAFKA_AGAIN_MS = 20,     /* the host had no room */
    KAFKA_FAREWELL_MS = 500, /* the end waits so long for commits */
    KAFKA_KNOWN_MS = 86400 * 1000 /* a commit of ours this young cannot have expired */
};

enum kafka_reader_state {
    KAFKA_READER_NONE,   /* no run, or nothing to be done until it ends */
    KAFKA_READER_DUE,    /* not before when_ms */
    KAFKA_READER_WANTED, /* the group's offset is to be asked for */
    KAFKA_READER_ASKED,
    KAFKA_READER_READING
};

enum kafka_start { KAFKA_START_EARLIEST, KAFKA_START_LATEST, KAFKA_START_COMMITTED };

/* What is known of a partition from run to run. */
struct kafka_past {
    struct kafka_lane *reader; /* the lane that reads it, or NULL */
    uint64_t known_ms;         /* when a commit of ours was last confirmed; 0: never */
    int64_t offset;            /* to be committed */
    uint64_t gen, since;       /* with this token */
    uint64_t until_ms;         /* the commit is given up then */
    int32_t is_dirty;
    int32_t is_void;     /* the record was: begin at the first message there is */
    uint32_t life;       /* then: the next one */
    int32_t is_word_old; /* the committed offset that is not ours has been looked at */
    int32_t was_missing; /* the topic was gone while it was read */
};

struct kafka_known {
    struct kafka_known *next;
    rd_kafka_topic_t *rkt;
    struct kafka_past *past; /* by partition */
    size_t past_room;
    uint64_t check_ms;  /* the brokers are to be asked of it then */
    uint32_t missing_n; /* so often in a row it was not there */
    char name[];
};

/* One run of a lane, from start() to stop(). */
struct kafka_lane {
    /* Under note_mutex. */
    struct kafka_lane *posted_next, *ready_next;
    int32_t is_posted, is_new, is_ended, is_last;
    int32_t is_ready; /* its queue has got something */
    uint64_t posted_credit, posted_done;

    /* Before it is posted, then the thread's. */
    uint32_t index;
    uint64_t run;
    char *name; /* of the topic */
    int32_t partition;
    uint64_t gen, since;
    uint64_t origin, next; /* of the record; origin 0: there is none */

    struct kafka_known *topic;
    enum kafka_reader_state state;
    uint64_t when_ms; /* DUE: begins; READING: the host may have room again */
    uint32_t failures;
    uint64_t credit, done;
    int32_t has_begun;
    int32_t trouble;         /* the last code told */
    int32_t is_down;         /* told because no broker is reached */
    int32_t is_headless;     /* told because there is no leader */
    rd_kafka_queue_t *queue; /* while READING */
    int64_t begin;           /* where the reader was set: an offset, or a name for one */
    int64_t word;            /* the group's offset that is followed; -1: none */
    int32_t is_word_gone;    /* it was, and lies outside the log */
    int32_t is_behind;       /* begin is the first message, since next was out of range */
    int64_t position;        /* the least that may be delivered */
    int32_t has_more;        /* the queue may have something */
    uint64_t streak, streak_bytes; /* taken since it was last empty */
    rd_kafka_message_t **kept;     /* taken and not delivered */
    size_t kept_n, kept_at;
    size_t chunk; /* delivered at once; 0: any number */
};

/* What the asker is asked, and what it found; all zero: nothing. */
struct kafka_question {
    rd_kafka_topic_partition_list_t *offsets; /* committed ones are filled in; or */
    struct kafka_known *topic;                /* what is to be known of it */
    const struct rd_kafka_metadata *metadata;
    rd_kafka_resp_err_t err;
    uint32_t cluster;    /* hash of its id; 0: not known */
    int32_t has_members; /* an offset is not Parti's, and the group has members */
};

/* A dead letter under way. */
struct kafka_letter {
    struct kafka_letter *next;
    uint32_t lane;
    uint64_t run, position;
    char *target, *key, *data;
    size_t key_n, data_n;
    rd_kafka_headers_t *headers;
    int32_t has_key, has_data;
};

struct kafka_consumer {
    const struct parti_host *host;
    const struct parti_inlet *inlet;
    char *brokers; /* for messages */
    char *group;
    enum kafka_start start;
    rd_kafka_conf_t *letter_conf; /* of the producer, made with the first letter */
    rd_kafka_t *rk, *producer;
    rd_kafka_queue_t *main_queue, *group_queue, *producer_queue, *answers;
    pthread_t thread, asker;
    int32_t has_thread, has_asker;
    uint64_t queued_messages, queued_bytes; /* librdkafka's limits for one partition */

    pthread_mutex_t note_mutex;
    pthread_cond_t note_cond;
    struct kafka_lane *posted, **posted_last;
    struct kafka_lane *ready, **ready_last;
    struct kafka_letter *written, **written_last;
    int32_t is_woken, is_ending;
    pthread_cond_t ask_cond;
    struct kafka_question question, answer;

    struct kafka_lane **held; /* the seq calls' alone: the run of each lane, or NULL */
    uint32_t held_room;

    /* The thread's alone. */
    struct kafka_lane **lane;
    uint32_t lane_room;
    struct kafka_known *topic;
    uint64_t look_ms;   /* lanes are to be looked at then */
    uint64_t commit_ms; /* no commit before */
    int32_t is_dirty;   /* something is to be committed */
    uint32_t commits_sent;
    rd_kafka_resp_err_t commit_fault; /* the last one told */
    int32_t has_members;              /* the group, when it was asked last */
    int32_t is_asking;
    int32_t is_down;            /* no broker is reached */
    uint32_t silent_n;          /* questions in a row that nobody answered */
    char down[KAFKA_TEXT_ROOM]; /* why */
    rd_kafka_resp_err_t group_fault;
    uint32_t cluster; /* hash of its id; 0: not known */
    rd_kafka_message_t *taken[KAFKA_BATCH_MAX];
    struct parti_consumer_message message[KAFKA_BATCH_MAX];
    char *bytes; /* of the headers of one delivery */
    size_t bytes_n, bytes_room;
    uint64_t *ends;
    size_t ends_n, ends_room;
};

uint64_t kafka_now_ms(void);

/* What the plugin answers to extension(). */
const void *kafka_extension(const char *id);

/* ---- kafka_section.c --------------------------------------------------------------- */

extern const struct parti_option kafka_section_options[];

/* Fills in what the section says, and the configuration of the handle that reads. */
int32_t kafka_section_read(struct kafka_consumer *c, const struct parti_conf *conf,
                           rd_kafka_conf_t **ret, struct parti_error *error);

/* ---- kafka_duty.c ------------------------------------------------------------------ */

void *kafka_duty(void *ctx);

/* The thread is to look.  Any thread, also librdkafka's. */
void kafka_duty_wake(struct kafka_consumer *c);

/* The lane's queue has got something.  Any thread. */
void kafka_duty_ready(struct kafka_consumer *c, struct kafka_lane *l);

/* Lanes are looked at no later than then. */
void kafka_duty_by(struct kafka_consumer *c, uint64_t when_ms);

uint32_t kafka_pause_ms(uint32_t failures);

/* ---- kafka_reader.c ---------------------------------------------------------------- */

/* The topic of that name, made if need be; NULL: no memory or no such name. */
struct kafka_known *kafka_topic_get(struct kafka_consumer *c, const char *name);

/* NULL: no memory. */
struct kafka_past *kafka_past_get(struct kafka_known *topic, int32_t partition);

/* Tells of trouble, or that it is over. */
void kafka_reader_tell(struct kafka_consumer *c, struct kafka_lane *l, int32_t code,
                       const char *text);

/* The group has committed that offset, or none (-1); 'is_ours': Parti did. */
void kafka_reader_begin(struct kafka_consumer *c, struct kafka_lane *l, int64_t committed,
                        int32_t is_ours);

/* The first thing the reader has lies at this offset.  Nonzero: it goes on. */
int32_t kafka_reader_begun(struct kafka_consumer *c, struct kafka_lane *l, int64_t first);

/* An event of its queue that is no message.  Nonzero: it goes on. */
int32_t kafka_reader_event(struct kafka_consumer *c, struct kafka_lane *l,
                           const rd_kafka_message_t *event);

/* What the brokers say of a topic; lanes that read it are told. */
void kafka_reader_metadata(struct kafka_consumer *c, struct kafka_known *topic,
                           const struct rd_kafka_metadata_topic *md);

/* Tried again later. */
void kafka_reader_later(struct kafka_consumer *c, struct kafka_lane *l, const char *text);

/* Not without somebody's help: until the host begins another run. */
void kafka_reader_give_up(struct kafka_consumer *c, struct kafka_lane *l,
                          const char *text);

/* This message is more than the host takes. */
void kafka_reader_unfit(struct kafka_consumer *c, struct kafka_lane *l, int64_t offset);

/* Ends the reading, and forgets what was read. */
void kafka_reader_end(struct kafka_consumer *c, struct kafka_lane *l);

/* ---- kafka_flow.c ------------------------------------------------------------------ */

/* Takes what there is and delivers it, up to the credit and one batch.  Nonzero: there
 * may be more. */
int32_t kafka_flow_serve(struct kafka_consumer *c, struct kafka_lane *l);

void kafka_flow_drop(struct kafka_lane *l);

/* ---- kafka_position.c -------------------------------------------------------------- */

/* Nonzero: Parti has committed this offset. */
int32_t kafka_position_is_ours(const rd_kafka_topic_partition_t *p);

/* Nonzero: the group has members, as far as is known, so its offsets are theirs. */
int32_t kafka_position_is_contested(const struct kafka_consumer *c);

/* The group's offsets, or why there are none. */
void kafka_position_offsets(struct kafka_consumer *c,
                            const rd_kafka_topic_partition_list_t *list,
                            rd_kafka_resp_err_t err);

/* Everything below l->done is done: it will be committed. */
void kafka_position_note(struct kafka_consumer *c, struct kafka_lane *l);

/* Commits what is due. */
void kafka_position_commit(struct kafka_consumer *c, uint64_t now_ms);

/* Takes what is told of commits and by the group's coordinator. */
void kafka_position_hear(struct kafka_consumer *c);

/* To a commit; the event is destroyed, NULL passed over. */
void kafka_position_answer(struct kafka_consumer *c, rd_kafka_event_t *event);

/* ---- kafka_asker.c ----------------------------------------------------------------- */

void *kafka_asker(void *ctx);

/* For the lanes that want to know where the group is.  No question is under way. */
void kafka_ask_offsets(struct kafka_consumer *c);

/* How a topic does.  Likewise. */
void kafka_ask_topic(struct kafka_consumer *c, struct kafka_known *topic);

/* Takes the answer, if there is one. */
void kafka_ask_hear(struct kafka_consumer *c);

void kafka_question_finish(struct kafka_question *q);

/* ---- kafka_letter.c ---------------------------------------------------------------- */

struct kafka_letter *kafka_letter_create(const struct parti_consumer_message *message,
                                         const char *target,
                                         const struct parti_strs *name,
                                         const struct parti_strs *value);
void kafka_letter_free(struct kafka_letter *letter); /* accepts NULL */
void kafka_letter_send(struct kafka_consumer *c, struct kafka_letter *letter);
void kafka_letters_serve(struct kafka_consumer *c);
void kafka_letters_end(struct kafka_consumer *c);

/* ---- kafka_close.c ----------------------------------------------------------------- */

/* Returns soon, also where librdkafka takes its time. */
void kafka_close(rd_kafka_t *rk);

#endif
