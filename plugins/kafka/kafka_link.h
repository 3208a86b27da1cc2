/* One handle of librdkafka and what is asked of it: metadata, in slices that can be given
 * up, and why there is none.
 *
 * A link is open or closed.  While open it has threads and connections of librdkafka's;
 * what librdkafka logs goes to the host.  One user at a time, but for the log.
 */
#ifndef PARTI_PLUGINS_KAFKA_LINK_H
#define PARTI_PLUGINS_KAFKA_LINK_H

#include "kafka_conf.h"

struct kafka_link_setup {
    const struct parti_host *host;
    rd_kafka_conf_t *conf;   /* taken over, also on failure */
    char *brokers;           /* for messages; taken over likewise */
    const char *const *name; /* topics that are asked for by name; borrowed for ever */
    size_t name_n;
    /* Is what runs to be given up?  [any] */
    int32_t (*stop)(void *ctx);
    void *ctx;
};

struct kafka_link;

/* Closed at first.  NULL when there is no memory. */
struct kafka_link *kafka_link_create(const struct kafka_link_setup *setup);

/* Closes it.  Accepts NULL. */
void kafka_link_destroy(struct kafka_link *link);

/* Nothing to do when it is open.  Waits for no network.  0, or -1 with librdkafka's
 * words in why[KAFKA_WHY_ROOM]. */
int32_t kafka_link_open(struct kafka_link *link, char *why);
void kafka_link_close(struct kafka_link *link);

/* The handle of an open link. */
rd_kafka_t *kafka_link_handle(struct kafka_link *link);

/* What the brokers say of the named topics, or of all that there are.  'deadline_ms' is
 * one of kafka_now_ms().  On PARTI_OK rd_kafka_metadata_destroy(*ret); else
 * PARTI_TIMEOUT (a broker is there, but silent), PARTI_DENIED (the log-in fails),
 * PARTI_RETRY (no broker is reached, or any other reason), PARTI_CANCELED. */
int32_t kafka_link_metadata(struct kafka_link *link, int32_t all, uint64_t deadline_ms,
                            const struct rd_kafka_metadata **ret,
                            struct parti_error *error);

/* Is what runs to be given up?  As the setup says. */
int32_t kafka_link_is_stopped(const struct kafka_link *link);

/* The brokers as messages name them. */
const char *kafka_link_brokers(const struct kafka_link *link);

/* Lets librdkafka tell what it has gathered; to be called now and then. */
void kafka_link_serve(struct kafka_link *link);

uint64_t kafka_now_ms(void);

#endif
