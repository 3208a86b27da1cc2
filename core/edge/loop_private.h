/* The inside of the loop, shared by loop.c and loop_perform.c. */
#ifndef PARTI_EDGE_LOOP_PRIVATE_H
#define PARTI_EDGE_LOOP_PRIVATE_H

#include "edge/loop.h"
#include "edge/mail.h"
#include "edge/nats_log.h"

#include <pthread.h>

enum {
    LOOP_OPEN_RETRY_MS = 500, /* after the log could not be opened */
    LOOP_OP_OPEN = 1,         /* the loop's own operation */
    LOOP_OP_BITS = 56,        /* of the node's numbers; the kind of the answer is above */
    LOOP_REFRESHERS_MAX = 16, /* requests for a listing that wait for their answer */
    LOOP_TEXT_ROOM = 1024,
    LOOP_CHUNK_MAX = 512 * 1024,
    TAG_BEACON = 1,
    TAG_INBOX = 2,
    TAG_CONTROL = 3,
    TAG_HEAD = 4,
    TAG_LOG = 5
};

struct loop {
    struct loop_options options;
    struct nats_child_options embedded;
    char *texts[16]; /* copies that the options point at */
    size_t texts_n;

    struct inbox *inbox; /* what the world tells */
    struct mail *mail;   /* what our own threads tell */
    struct nats_child *child;
    struct nats_link *link;
    struct nats_log *log;
    struct node *node; /* NULL until the log was open once */
    size_t node_bytes;
    struct actions actions;
    bool is_open;        /* log open, node told that it is up */
    uint64_t open_at_ms; /* try to open the log then; 0: not wanted */
    bool is_out;         /* an outage was told, its end was not */
    bool is_done;
    char beacon[96], inbox_subject[96], control[96];
    char refresher[LOOP_REFRESHERS_MAX][NATS_LINK_SUBJECT_MAX + 1];
    uint32_t refreshers;
    int problem_code; /* told last, so that it is told once */
    pthread_t thread;
    bool has_thread;
};

/* Performs everything the node just put out. */
void loop_perform(struct loop *l);

/* Answers everybody who asked for a refresh; "" is success. */
void loop_answer_refreshers(struct loop *l, const char *text);

/* Tells a problem unless it is the one told last. */
void loop_problem(struct loop *l, int code, const char *text);

#endif
