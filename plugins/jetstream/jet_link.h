/* A connection of this plugin's own to NATS: connects when somebody asks, carries
 * requests and what is sent to inboxes, hears standing subscriptions.
 *
 * It belongs to one instance, and every role of the plugin may use it: the source for its
 * listings, others for what they need.  A thread of its own connects, so that whoever
 * waits can be told to stop at any time.  nats.c's own reconnecting is not used: a
 * connection that is lost stays lost until the next call asks for one.
 *
 * All functions: any thread, unless said otherwise; what may wait takes a task, which
 * says how long and by which somebody else may end the wait.  Codes are the plugin
 * interface's; 'error' gets a sentence with the server's address, never a secret.
 */
#ifndef PARTI_PLUGINS_JET_LINK_H
#define PARTI_PLUGINS_JET_LINK_H

#include "parti_plugin.h"

#include <nats/nats.h>

enum {
    JET_LINK_CONNECT_MS = 900,      /* one attempt at one server, */
    JET_LINK_CONNECT_TLS_MS = 2000, /* the same with TLS */
    JET_LINK_PING_MS = 2000,        /* a dead server is given up after the third, */
    JET_LINK_PINGS = 2,             /* or after more than these, where it is known to */
    JET_LINK_PINGS_MAX = 30,        /* be silent at times: jet_link_bear() */
    JET_LINK_WRITE_MS = 500,        /* longest time that a request may take to be sent */
    JET_LINK_STANDING_MAX = 8,
    JET_LINK_SUBJECT_MAX = 511,
    JET_LINK_HEARING_ROOM = 64,
    JET_LINK_WAITING_MAX = 2000000,        /* messages taken in, not yet looked at, */
    JET_LINK_WAITING_BYTES_MAX = 512 << 20 /* and their bytes; more are dropped */
};

/* The options that say where and as whom: rows for a table of struct parti_option. */
#define JET_LINK_OPTIONS                                                             \
    {.name = "url",                                                                  \
     .help = "The NATS servers that have the stream, with commas between: "          \
             "nats://host:4222 or tls://host:4222. Without it those of the "         \
             "[source] with this plugin, else of [nats].",                           \
     .type = PARTI_STR,                                                              \
     .flags = PARTI_REQUIRED | PARTI_SECRET},                                        \
        {.name = "creds",                                                            \
         .help = "A credentials file (user JWT and seed).",                          \
         .type = PARTI_PATH},                                                        \
        {.name = "nkey",                                                             \
         .help = "A file with the seed of an NKey.",                                 \
         .type = PARTI_PATH},                                                        \
        {.name = "user",                                                             \
         .help = "The user's name, together with password.",                         \
         .type = PARTI_STR},                                                         \
        {.name = "password",                                                         \
         .help = "The user's password.",                                             \
         .type = PARTI_STR,                                                          \
         .flags = PARTI_SECRET},                                                     \
        {.name = "tls_ca",                                                           \
         .help = "The certificates to trust, PEM. With it the connection uses TLS.", \
         .type = PARTI_PATH},                                                        \
        {.name = "tls_cert",                                                         \
         .help = "Our own certificate, PEM, together with tls_key.",                 \
         .type = PARTI_PATH},                                                        \
    {                                                                                \
        .name = "tls_key", .help = "The key of our own certificate, PEM.",           \
        .type = PARTI_PATH                                                           \
    }

struct jet_link;

/* Something that may wait.  The caller's memory; zero but for the deadline. */
struct jet_task {
    uint64_t deadline_ms; /* of jet_now_ms() */
    int32_t is_stopped;   /* set by jet_link_stop() */
};

/* What a take() answers: bits. */
enum { JET_TAKE_DONE = 1, JET_TAKE_KEPT = 2 };

/* Where messages come in.  The caller's memory, zeroed, until it is closed. */
struct jet_inbox {
    struct jet_inbox *next; /* this and the next two: the link's */
    uint64_t number;
    uint64_t session;
    char subject[64]; /* to be given to whoever is to send here */
    char asked[JET_LINK_SUBJECT_MAX + 1];
    /* Called on a thread of nats.c, the link locked, one message at a time, until it says
     * JET_TAKE_DONE.  The message is destroyed afterwards, unless it is kept. */
    int32_t (*take)(void *ctx, natsMsg *msg);
    void *ctx;
    int32_t is_feed; /* what comes here keeps another subject: messages of a stream */
    int32_t is_done;
    int32_t code; /* what hinders, with its text */
    char text[200];
};

uint64_t jet_now_ms(void);

/* Reads the options; connects to nothing yet.  'name' is shown by the server's
 * monitoring.  PARTI_BADCONF with the line, PARTI_NOMEM. */
int32_t jet_link_create(struct jet_link **ret, const struct parti_conf *conf,
                        const char *name, struct parti_error *error);

/* After it no thread of the link is left.  Nobody may be waiting.  Accepts NULL. */
void jet_link_destroy(struct jet_link *link);

/* A subscription that every connection makes.  'heard' is called on a thread of nats.c,
 * nothing locked; nonzero: the message is its own now, else it is destroyed.  Before the
 * first jet_link_open(), at most JET_LINK_STANDING_MAX; PARTI_BADCONF where the subject
 * is too long. */
int32_t jet_link_stand(struct jet_link *link, const char *subject,
                       int32_t (*heard)(void *ctx, natsMsg *msg), void *ctx);

/* What is sent to subjects that begin with what jet_link_hearing() says, and, as a NULL,
 * that a connection has ended.  'heard' is called on threads of nats.c, nothing locked;
 * as above.  'denied', the same way: the server did not permit us to publish to that
 * subject.  Before the first jet_link_open(). */
void jet_link_hear(struct jet_link *link, int32_t (*heard)(void *ctx, natsMsg *msg),
                   void (*denied)(void *ctx, const char *subject), void *ctx);

/* The beginning of those subjects, one token more makes a whole one, and the number of
 * the connection they hold for; 0: there is none. */
uint64_t jet_link_hearing(struct jet_link *link, char to[JET_LINK_HEARING_ROOM]);

/* Connects unless there is a connection.  PARTI_OK; PARTI_RETRY when no server of the
 * list takes us, PARTI_DENIED where it is for the credentials, PARTI_TIMEOUT;
 * PARTI_CANCELED. */
int32_t jet_link_open(struct jet_link *link, struct jet_task *task,
                      struct parti_error *error);

/* Connections made from now on outlive a silence of the server of so long, a minute at
 * most: one that does long work for us hears no ping meanwhile. */
void jet_link_bear(struct jet_link *link, uint64_t silence_ms);

/* Gives the connection up until somebody asks for one. */
void jet_link_rest(struct jet_link *link);

/* The number of the present connection, from 1; 0: there is none. */
uint64_t jet_link_session(struct jet_link *link);

/* Ends the waits of a task, now and later. */
void jet_link_stop(struct jet_link *link, struct jet_task *task);

/* A request and its answer, which the caller destroys.  Connects if needed.
 * PARTI_RETRY: no connection; PARTI_DENIED; PARTI_TIMEOUT; PARTI_CANCELED.  Where
 * nobody is there to answer, that is an answer, too: natsMsg_IsNoResponders(). */
int32_t jet_link_ask(struct jet_link *link, const char *subject, const char *body,
                     struct jet_task *task, natsMsg **ret, struct parti_error *error);

/* Sends over the connection of that number, waiting for nothing; 'reply' may be NULL.
 * PARTI_RETRY: it is gone. */
int32_t jet_link_post(struct jet_link *link, uint64_t session, const char *subject,
                      const char *reply, const char *data, size_t n);

/* The same with headers: a message made by natsMsg_Create(), which stays the caller's. */
int32_t jet_link_post_msg(struct jet_link *link, uint64_t session, natsMsg *msg);

/* An inbox of the present connection.  PARTI_RETRY without one. */
int32_t jet_inbox_open(struct jet_link *link, struct jet_inbox *inbox,
                       struct parti_error *error);

/* An empty message, from within take() alone. */
void jet_inbox_answer(struct jet_link *link, const char *subject);

/* A request whose answers go to the inbox. */
int32_t jet_inbox_send(struct jet_link *link, struct jet_inbox *inbox,
                       const char *subject, const char *body, struct parti_error *error);

/* Waits until take() has said that all has come. */
int32_t jet_inbox_wait(struct jet_link *link, struct jet_inbox *inbox,
                       struct jet_task *task, struct parti_error *error);

/* After it take() is not called any more. */
void jet_inbox_close(struct jet_link *link, struct jet_inbox *inbox);

/* The server's address for texts, of the present or the last connection. */
void jet_link_server(struct jet_link *link, char *to, size_t room);

#endif
