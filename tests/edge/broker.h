/* Real Apache Kafka for tests: one broker or three in KRaft mode, on loopback, from the
 * jars that tools/fetch-kafka.sh has put into the build tree, each in a folder of its own
 * under TMPDIR, started, frozen, stopped and restarted by its process id.
 *
 * Each broker has three listeners: one where everybody is the administrator, one with
 * names and passwords (SASL, users 'alice' and 'bob' who have no rights but what a test
 * gives them), one with TLS.  Topics would be made by whoever asks for them, so a test
 * can show that nobody did.
 *
 * Where a broker cannot be had as asked the process ends with a sentence (abort).  Every
 * broker dies with the thread that started it.
 */
#ifndef PARTI_TESTS_EDGE_BROKER_H
#define PARTI_TESTS_EDGE_BROKER_H

#include "program.h"

#include <librdkafka/rdkafka.h>
#include <stdint.h>

enum {
    BROKERS_MAX = 3,
    BROKER_START_MS = 90000, /* answers by then; a tenth of it on an idle machine */
    BROKER_WAIT_MS = 30000   /* for what a test asks of it */
};

enum broker_listener { BROKER_PLAIN, BROKER_SASL, BROKER_TLS, BROKER_LISTENERS };

struct broker {
    pid_t pid; /* 0: not running */
    int port[BROKER_LISTENERS];
    int controller_port;
    char dir[SERVER_PATH_ROOM];
};

struct brokers {
    int n;
    struct broker at[BROKERS_MAX];
    char certs[SERVER_PATH_ROOM];     /* ca.pem and what else certs.h makes */
    char list[BROKER_LISTENERS][128]; /* "127.0.0.1:1,127.0.0.1:2" */
    rd_kafka_t *admin;
};

/* Why there is no Kafka to test with, as a sentence; NULL: there is. */
const char *brokers_missing(void);

/* Starts n brokers and waits until all know each other. */
void brokers_start(struct brokers *b, int n);
void brokers_finish(struct brokers *b);

void broker_kill(struct broker *broker);       /* SIGKILL, and waits */
void broker_restart(struct brokers *b, int i); /* after broker_kill() */
void broker_freeze(struct broker *broker);     /* SIGSTOP, and waits */
void broker_thaw(struct broker *broker);       /* SIGCONT */
void brokers_await(struct brokers *b, int n);  /* so many are there */

/* What an administrator does; each waits until the brokers say so. */
void brokers_topic(struct brokers *b, const char *name, int partitions, int replicas);
void brokers_grow(struct brokers *b, const char *name, int partitions);
void brokers_remove(struct brokers *b, const char *name);
void brokers_allow(struct brokers *b, const char *user, const char *topic);
void brokers_allow_read(struct brokers *b, const char *user, const char *topic,
                        const char *group);
void brokers_trim(struct brokers *b, const char *topic, int32_t partition,
                  int64_t before); /* deletes what lies before */
bool brokers_has_topic(struct brokers *b, const char *name);

/* A quiet client by the plain listener; 'group' may be NULL. */
rd_kafka_t *brokers_client(struct brokers *b, rd_kafka_type_t type, const char *group);

/* So many messages to a partition, acknowledged. */
void brokers_produce(struct brokers *b, const char *topic, int32_t partition, uint32_t n);

/* Numbered ones, from 'first' on: the number is what is in them. */
void brokers_number(struct brokers *b, const char *topic, int32_t partition, int first,
                    int n);

/* The offset that a group has committed, -1 for none, and what it is marked with. */
int64_t brokers_committed(struct brokers *b, const char *group, const char *topic,
                          int32_t partition, char *mark, size_t room);

/* Deletes a group, and with it all that it has committed. */
void brokers_forget(struct brokers *b, const char *group);

/* The position of a group in a partition. */
void brokers_commit(struct brokers *b, const char *group, const char *topic,
                    int32_t partition, int64_t offset);

#endif
