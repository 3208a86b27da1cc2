/* The inside of the consumer role: messages of partitions, read from a stream.
 *
 *   jet_consumer.c  the section, the interface: seq calls put notes in a queue
 *   jet_duty.c      the thread: takes the notes, connects, makes readers, keeps time
 *   jet_look.c      what is known of the stream
 *   jet_outside.c   lanes of subjects that the stream does not take in
 *   jet_turns.c     which lanes have a reader, where there are more lanes than readers
 *   jet_queue.c     the queue for readers
 *   jet_vain.c      messages that are heard of and do not come
 *   jet_notice.c    which lanes without a reader have messages
 *   jet_whole.c     one reader of the whole stream for many lanes
 *   jet_carry.c     its messages, and the lanes that it carries
 *   jet_subjects.c  from the subject of a message to its lane
 *   jet_counts.c    how many messages and consumers the stream has
 *   jet_reader.c    one reader: how it is made, asked for messages, lost
 *   jet_heard.c     what comes from the server, on a thread of nats.c
 *   jet_acks.c      which messages of a lane are to be acknowledged, and how
 *   jet_sweep.c     readers that former holders left
 *   jet_letter.c    dead letters
 *
 * A *reader* is a pull consumer of the stream that one lane has for itself; its name is
 *
 *     parti_GROUP_HASH_GEN-SINCE_LANE-SERIAL
 *
 * HASH is of the partition's id, GEN-SINCE the fencing token, SERIAL another one for each
 * reader of this process; all in hexadecimal.  So whoever looks at the names of a stream
 * knows which readers are of one partition, and which of them is the later.  That of the
 * notifier is parti_GROUP_notice_PROCESS_LANE-SERIAL, that of the whole stream
 * parti_GROUP_whole_PROCESS_LANE-SERIAL.
 *
 *              limits            work queue          interest
 *   begins at  the next          all there is        the first that is not done
 *              position                              (durably), all where none is
 *   acks       none              by done()           by done()
 *   lives      in memory, goes   in memory, goes     durable, until a later holder
 *              with us           with us             has one
 *   a former   nobody's concern  deleted before      deleted when ours stands, so that
 *   holder's                     ours is made        interest never lapses
 *
 * What a reader gives and the lane has had already is skipped; what is below what is done
 * is acknowledged on the way.
 *
 * LOCKS  mutex guards lanes, letters and what is known of the stream; the thread lets go
 * of it while it waits for an answer.  note_mutex guards the queue alone, is held for
 * instants, and may be taken while mutex is held.  The link's own lock may be taken under
 * both, never the other way round.
 */
#ifndef PARTI_PLUGINS_JET_CONSUMER_H
#define PARTI_PLUGINS_JET_CONSUMER_H

#include "plugins/jetstream/jet_api.h"
#include "plugins/jetstream/jet_lane.h"
#include "plugins/jetstream/jet_pace.h"

#include "parti_consumer.h"
#include "parti_fits.h"

#include <pthread.h>

enum {
    JET_READER_SUBJECT_ROOM = 1280, /* of a request about a reader */
    JET_READER_GROUP_MAX = 64,
    JET_NOTICE_INDEX = 0x7fffffff, /* of no lane */
    JET_WHOLE_INDEX = 0x7ffffffe,
    JET_OVERREAD = 4, /* [consume] overread, where it is not given, */
    JET_OVERREAD_MAX = 64,
    JET_READERS = 128,      /* [consume] readers, where it is not given, */
    JET_READERS_MAX = 1000, /* and at most: nats-server lets a stream have so many */
    JET_READER_BATCH_MAX = 4096,
    JET_READER_EXPIRES_MS = 30000, /* a request for messages */
    JET_READER_BEAT_MS = 5000,     /* the server says so often that it is there */
    JET_READER_SILENT_MS = 2 * JET_READER_BEAT_MS + 1000,
    JET_READER_ANSWER_MS = 4000,  /* for any request, but for new readers: jet_pace.h */
    JET_READER_IDLE_MS = 60000,   /* after that the server lets go of a reader */
    JET_READER_ACK_MS = 86400000, /* the host keeps the time, not the server */
    JET_READER_UNHEARD_MAX = 8,   /* requests, with pauses from */
    JET_READER_UNHEARD_MS = 10,   /* this, doubled: 2.5 s in all */
    JET_READER_PAUSE_MS = 100,    /* after a failure, doubled up to */
    JET_READER_PAUSE_MAX_MS = 5000,
    JET_LETTER_MS = 8000,
    JET_WORD_MS = 60000, /* between two lines of the log about positions */
    JET_SHARED_TOLD = 16 /* subjects that two partitions share are told of; no more */
};

/* What is said in the log about where runs begin. */
enum jet_word { JET_WORD_GONE, JET_WORD_BEHIND, JET_WORD_BEYOND, JET_WORDS };

enum jet_retention { JET_LIMITS, JET_WORK_QUEUE, JET_INTEREST };

/* A place in the queue: of lane 'lane', unless that has another ticket by now. */
struct jet_place {
    uint64_t ticket;
    uint32_t lane;
};

/* Turns of all lanes; zero but for 'most'. */
struct jet_turns {
    uint32_t most;    /* readers at a time: the section's word, */
    uint32_t cap;     /* and the server's, as far as it is known; 0: it has not said no */
    uint32_t refused; /* so often since the last look */
    uint32_t pauses;  /* doublings of the time until 'cap' grows, */
    uint64_t grow_ms; /* which it does then */
    uint64_t shut_ms; /* nothing is asked for before */
    uint64_t door_ms; /* until then one reader fewer, for other processes */
    struct jet_pace pace;     /* how many are asked for at a time */
    uint32_t leaving;         /* readers deleted, the server's answer not heard, */
    uint64_t leaving_ms;      /* which is waited for until then */
    uint32_t waiting, parked; /* as the last look has left them */
    int32_t is_crowded, is_told;
    uint64_t tickets;        /* so far */
    struct jet_place *queue; /* a heap, the least ticket first */
    size_t queue_n, queue_room;
    uint32_t cursor; /* where the search for readers to be given up goes on */

    uint64_t watch;   /* the number of what watches lanes without a reader; 0: nothing */
    int32_t is_whole; /* of every subject the last message has been heard */
    int32_t is_wide;  /* the server does not take the filter: all subjects are heard */
    int32_t is_outgrown;    /* a lane has come that the filter does not cover */
    uint64_t first_n;       /* messages that tell of what was there before */
    struct jet_lane notice; /* the notifier, as if it were the reader of a lane */
    char pattern[JET_TEMPLATE_ROOM]; /* all lanes' subjects match it; "": no lane yet */
    struct jet_lane **table;         /* by subject, chained through turn.same */
    uint32_t table_room, table_n;
    uint64_t shared[JET_SHARED_TOLD]; /* subjects of two lanes that were told of */
    uint32_t shared_n;
    uint64_t look_ms, look_sent_ms, looks; /* at the stream: next; the one under way */
};

/* The reader of the whole stream. */
struct jet_whole {
    struct jet_lane reader; /* as if it were that of a lane */
    uint32_t overread;      /* the section's word; 0: there is never one */
    uint32_t pauses;        /* doublings of the time until the next one */
    uint64_t when_ms;       /* not to be made before */
    uint64_t origin;        /* of the stream it was asked for of */
    uint64_t at;            /* it has passed all up to here */
    uint64_t since_ms, busy_ms;
    uint64_t seen, carried; /* messages since the last judgement; of these, for a lane */
    uint64_t size;          /* of a message, a mean of the last ones, bytes */
};

/* A dead letter under way. */
struct jet_letter {
    struct jet_letter *next;
    uint32_t lane;
    uint64_t run, position, number;
    uint64_t session; /* it was sent over; 0: not yet */
    uint64_t deadline_ms;
    natsMsg *msg; /* without a subject to answer to */
};

/* A reader of this group's found on the stream. */
struct jet_found {
    char *name;
    uint64_t hash, gen, since, serial;
};

struct jet_consumer {
    const struct parti_host *host;
    const struct parti_inlet *inlet;
    struct jet_link *link;
    struct jet_api api;
    char template[JET_TEMPLATE_ROOM];
    char group[JET_READER_GROUP_MAX + 1];
    int32_t has_group;
    pthread_t thread;
    int32_t has_thread;

    pthread_mutex_t note_mutex;
    pthread_cond_t note_cond;
    struct jet_lane *posted, **posted_last;
    struct jet_letter *written, **written_last; /* not yet seen by the thread */
    int32_t is_woken, is_ending;
    struct jet_task task;   /* of the thread's waiting calls */
    struct jet_lane **held; /* the seq calls' alone: the run of each lane, or NULL */
    uint32_t held_room;

    pthread_mutex_t mutex;
    struct jet_lane **lane;
    uint32_t lane_room;
    uint64_t serials;
    struct jet_letter *letter;
    uint64_t letters; /* so far */
    uint64_t session; /* the link's; 0: none */
    char hearing[JET_LINK_HEARING_ROOM];
    uint64_t retry_ms; /* no connecting before */
    uint32_t failures;
    struct jet_turns turns;
    struct jet_whole whole;
    int32_t is_stale; /* the stream is to be asked before the next reader is made */
    int32_t is_known; /* over this connection the stream has answered */
    uint64_t looks, looks_answered; /* those that were not waited for */
    uint64_t origin, first_seq, last_seq, subject_n;
    char
        sole[JET_TEMPLATE_ROOM]; /* the one subject of its messages; "": it has several */
    json_t *subjects;            /* all that it takes in; NULL: that cannot be said */
    uint64_t outside_ms;         /* not asked for these again before */
    uint64_t word_ms[JET_WORDS]; /* none like that before */
    enum jet_retention retention;
    char *bytes; /* of headers, while one message is delivered */
    size_t bytes_room;
    uint64_t *ends;
    size_t ends_room;

    /* The thread's alone. */
    uint64_t next_ms; /* when it looks again, whoever wakes it */
    struct jet_found *found;
    size_t found_n, found_room;
};

/* ---- jet_duty.c ------------------------------------------------------------------ */

void *jet_duty(void *ctx);

/* The thread is to look. */
void jet_duty_wake(struct jet_consumer *c);

uint32_t jet_pause_ms(uint32_t failures);

/* ---- jet_look.c ------------------------------------------------------------------ */

/* Asks the stream and waits.  The thread, nothing locked; as jet_api_ask(). */
int32_t jet_look(struct jet_consumer *c, struct parti_error *error);

/* With the mutex.  Asks the stream and does not wait: readers made from now on begin when
 * jet_look_answered() finds that they may.  0: it must be waited for. */
int32_t jet_look_meanwhile(struct jet_consumer *c);
uint64_t jet_look_ask(struct jet_consumer *c); /* the same whatever is due: its number */
void jet_look_answered(struct jet_consumer *c, uint64_t number, natsMsg *msg);

/* ---- jet_outside.c: with the mutex ----------------------------------------------- */

/* What the stream takes in, from its configuration. */
void jet_outside_learn(struct jet_consumer *c, const json_t *config);

/* The word to the host about a lane that is well: PARTI_OK, or that there is nothing to
 * be read. */
void jet_outside_tell(struct jet_consumer *c, struct jet_lane *l);

/* While there are such lanes the stream is asked again and again. */
void jet_outside_keep(struct jet_consumer *c, uint64_t now_ms);

/* ---- jet_reader.c: with the mutex ------------------------------------------------ */

/* Asks the server for a reader; the stream has been looked at. */
void jet_reader_make(struct jet_consumer *c, struct jet_lane *l);

/* Sends that request, the name and the serial are set: the answer comes by when_ms.  0:
 * no memory. */
int32_t jet_reader_ask(struct jet_consumer *c, struct jet_lane *l);

/* The answer. */
void jet_reader_made(struct jet_consumer *c, struct jet_lane *l, natsMsg *msg);

/* It stands, and so does what is known of the stream. */
void jet_reader_begin(struct jet_consumer *c, struct jet_lane *l);

/* Asks for as many messages as there is credit for. */
void jet_reader_pull(struct jet_consumer *c, struct jet_lane *l);

/* It is gone or not to be trusted: made anew, at once or after a pause.  'text' NULL:
 * nothing that anybody need know. */
void jet_reader_lost(struct jet_consumer *c, struct jet_lane *l, int32_t at_once,
                     const char *text);

/* Waits until then for what all lanes need. */
void jet_reader_hindered(struct jet_consumer *c, struct jet_lane *l, uint64_t until_ms,
                         const char *text);

/* Cannot be made; tried again. */
void jet_reader_failed(struct jet_consumer *c, struct jet_lane *l, const char *text);

/* Nobody listens to its requests yet, or no more: asks again soon, some times. */
void jet_reader_unheard(struct jet_consumer *c, struct jet_lane *l);
/* No answer to the request for a reader, or no sign of life. */
void jet_reader_silent(struct jet_consumer *c, struct jet_lane *l);
/* The user may not publish to that subject: if it is one of this reader's, says why. */
void jet_reader_denied(struct jet_consumer *c, struct jet_lane *l, const char *subject,
                       const char *why);

/* Forgets it, whatever the server does. */
void jet_reader_forget(struct jet_lane *l);

/* The host's word about a lane; PARTI_OK is said where trouble was. */
void jet_reader_tell(struct jet_consumer *c, struct jet_lane *l, int32_t code,
                     const char *text);

/* Nonzero: the lane's run is of this life of the stream.  Else it is over. */
int32_t jet_reader_fits(struct jet_consumer *c, struct jet_lane *l);

/* Tells the host where the run begins, once. */
void jet_reader_begin_run(struct jet_consumer *c, struct jet_lane *l);

/* Asks the server to delete it; the answer is counted and nobody waits for it. */
void jet_reader_delete(struct jet_consumer *c, const char *name);

/* The end of a run. */
void jet_reader_stop(struct jet_consumer *c, struct jet_lane *l, int32_t is_last);

/* ---- jet_turns.c: with the mutex ------------------------------------------------- */

/* Gives readers to lanes that are due, takes them from others: the connection stands and
 * the stream has been looked at. */
void jet_turns_take(struct jet_consumer *c);

/* Nonzero: there is something for jet_turns_take(). */
int32_t jet_turns_is_due(const struct jet_consumer *c, uint64_t now_ms);

/* When to look again, at the latest. */
uint64_t jet_turns_next_ms(const struct jet_consumer *c, uint64_t now_ms);

/* A reader is asked for; it stands or has brought a message, and so many more are
 * there for it; the server has no room for it (10026). */
void jet_turns_asked(struct jet_consumer *c, struct jet_lane *l);
void jet_turns_told(struct jet_consumer *c, struct jet_lane *l, uint64_t pending);
void jet_turns_refused(struct jet_consumer *c, struct jet_lane *l);

/* One was deleted; the server says so. */
void jet_turns_leave(struct jet_consumer *c);
void jet_turns_left(struct jet_consumer *c);

/* Credit has been given, or messages are done, or messages were heard of: a parked lane
 * that needs a reader by now is due. */
void jet_turns_stir(struct jet_consumer *c, struct jet_lane *l);

/* Nothing watches any more: every parked lane waits. */
void jet_turns_wake_all(struct jet_consumer *c);

/* The connection is lost. */
void jet_turns_lose(struct jet_consumer *c);
void jet_turns_finish(struct jet_consumer *c);

/* ---- jet_vain.c: with the mutex -------------------------------------------------- */

/* What is heard of has been asked for and is not there: after some time it is gone. */
void jet_vain(struct jet_turn *t, uint64_t now_ms);

/* Nonzero: what was gone is looked for again. */
int32_t jet_vain_is_over(struct jet_turn *t, uint64_t now_ms);

/* ---- jet_queue.c: with the mutex ------------------------------------------------- */

/* Lanes that wait, by their tickets.  0: no memory.  NULL: nobody waits. */
int32_t jet_queue_push(struct jet_consumer *c, struct jet_lane *l);
struct jet_lane *jet_queue_pop(struct jet_consumer *c);

/* ---- jet_subjects.c: with the mutex ---------------------------------------------- */

/* A lane that is heard of from now on, or not any more.  0: no memory. */
int32_t jet_subjects_add(struct jet_consumer *c, struct jet_lane *l);
void jet_subjects_drop(struct jet_consumer *c, struct jet_lane *l);

/* FNV-1a. */
uint64_t jet_hash(const char *bytes, uint64_t n);

/* Whose a message's subject is: its key in 'key', and a chain of lanes through turn.same
 * of which those with that subject are meant.  NULL: nobody's. */
struct jet_lane *jet_subjects_find(const struct jet_consumer *c, const char *subject,
                                   char key[JET_TEMPLATE_ROOM]);

/* ---- jet_counts.c: with the mutex ------------------------------------------------ */

/* Asks for the state of the stream when it is time, and takes the answer. */
void jet_counts_keep(struct jet_consumer *c, uint64_t now_ms);
void jet_counts_answered(struct jet_consumer *c, const char *what, natsMsg *msg);

/* ---- jet_notice.c: with the mutex ------------------------------------------------ */

/* Makes, mends or ends what watches: 'is_wanted' whether lanes are without readers,
 * 'has_room' whether the server may have a place for one more consumer, 'unknown' how
 * many lanes wait of which nothing is known. */
void jet_notice_keep(struct jet_consumer *c, int32_t is_wanted, int32_t has_room,
                     uint32_t unknown, uint64_t now_ms);
void jet_notice_made(struct jet_consumer *c, natsMsg *msg);
void jet_notice_heard(struct jet_consumer *c, const char *subject,
                      const struct jet_reply *reply);
void jet_notice_lost(struct jet_consumer *c);
/* It ends; the server is told. */
void jet_notice_end(struct jet_consumer *c);

/* ---- jet_whole.c: with the mutex ------------------------------------------------- */

/* Makes it where it is worth while, keeps its time, ends it where it is not. */
void jet_whole_keep(struct jet_consumer *c, uint64_t now_ms);
uint64_t jet_whole_next_ms(const struct jet_consumer *c, uint64_t now_ms);

/* A lane begins; what the server answers; what the stream says. */
void jet_whole_added(struct jet_consumer *c, struct jet_lane *l);
void jet_whole_made(struct jet_consumer *c, natsMsg *msg);
void jet_whole_proved(struct jet_consumer *c);

/* It is gone or not to be trusted; the connection is lost; it ends, the server is told.
 */
void jet_whole_lost(struct jet_consumer *c);
void jet_whole_lose(struct jet_consumer *c);
void jet_whole_end(struct jet_consumer *c);

/* ---- jet_carry.c: with the mutex ------------------------------------------------- */

/* Nonzero: it may be carried, if it is in step.  Accepts NULL. */
int32_t jet_carry_is_willing(const struct jet_lane *l, uint64_t now_ms);

/* A lane's next position, as it is once its run has begun. */
uint64_t jet_carry_next(const struct jet_consumer *c, const struct jet_lane *l);

/* Carried from now on, if it may be; all that may be. */
void jet_carry(struct jet_consumer *c, struct jet_lane *l);
void jet_carry_all(struct jet_consumer *c);
uint32_t jet_carry_n(const struct jet_consumer *c); /* lanes that are */

/* A message of the whole reader.  Nonzero: it is kept. */
int32_t jet_carry_heard(struct jet_consumer *c, natsMsg *msg,
                        const struct jet_reply *reply);

/* What is kept: as much as there is credit for is given; all is dropped; lanes that have
 * had no credit for it for too long are not carried any more. */
void jet_carry_feed(struct jet_consumer *c, struct jet_lane *l);
void jet_carry_drop(struct jet_lane *l);
void jet_carry_put_slow_out(struct jet_consumer *c, uint64_t now_ms);

/* Asks for as much as all of them have credit for. */
void jet_carry_pull(struct jet_consumer *c);

/* ---- jet_heard.c ------------------------------------------------------------------ */

/* With the mutex: gives a message to its lane, which has credit for it. */
void jet_deliver(struct jet_consumer *c, struct jet_lane *l, natsMsg *msg,
                 const struct jet_reply *reply);

int32_t jet_heard(void *ctx, natsMsg *msg);
/* Also on a thread of nats.c: the user may not publish to that subject. */
void jet_denied(void *ctx, const char *subject);

/* ---- jet_acks.c: with the mutex ---------------------------------------------------- */

/* What the subject for the ack of a message says: $JS.ACK.STREAM.CONSUMER.GIVEN.SEQ.
 * NUMBER.TIME.PENDING, in newer servers with a domain and an account before the stream
 * and something at the end. */
struct jet_reply {
    size_t head_n; /* bytes before GIVEN */
    const char *consumer;
    size_t consumer_n;
    uint64_t given, position, number, time_ns, pending;
    int32_t has_more;
};

/* Nonzero: it is one. */
int32_t jet_reply_read(const char *reply, struct jet_reply *ret);

/* Remembers a message until it is done; 0: no memory. */
int32_t jet_acks_keep(struct jet_lane *l, const struct jet_reply *reply);
void jet_acks_send(struct jet_consumer *c, struct jet_lane *l, const struct jet_ack *ack);
/* All below l->done. */
void jet_acks_settle(struct jet_consumer *c, struct jet_lane *l);

/* ---- jet_sweep.c: the thread, nothing locked ----------------------------------------
 */

/* Lists the readers of this group.  As jet_api_ask(). */
int32_t jet_sweep_list(struct jet_consumer *c, struct parti_error *error);

/* What it found for a lane; the mutex is let go of in between.  Work queue: deletes what
 * former holders left, and lets the reader be made again.  Interest: the same after ours
 * stands; where a later holder's stands ours goes. */
void jet_sweep_lane(struct jet_consumer *c, uint32_t lane);
void jet_sweep_finish(struct jet_consumer *c);

/* ---- jet_letter.c: with the mutex, except the first ---------------------------------
 */

struct jet_letter *jet_letter_create(const struct parti_consumer_message *message,
                                     const char *target, const struct parti_strs *name,
                                     const struct parti_strs *value);
void jet_letter_free(struct jet_letter *letter); /* accepts NULL */
/* Sends those that are not sent over this connection. */
void jet_letters_send(struct jet_consumer *c);
/* The stream's answer to number 'number'. */
void jet_letter_answered(struct jet_consumer *c, uint64_t number, natsMsg *msg);
/* Those whose time is over, with a reason; of one lane all, without a word. */
void jet_letters_denied(struct jet_consumer *c, const char *subject, const char *why);
void jet_letters_expire(struct jet_consumer *c, uint64_t now_ms, const char *why);
void jet_letters_drop(struct jet_consumer *c, uint32_t lane);

#endif
