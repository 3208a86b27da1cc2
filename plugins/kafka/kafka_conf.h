/* From a section of the INI file to a configuration of librdkafka, for every role that
 * this plugin plays: the brokers, the keys that begin with "rdkafka.", and the few things
 * that no key may change.
 *
 *     brokers = b1.example.org:9092, b2.example.org:9092
 *     rdkafka.security.protocol = SASL_SSL
 *
 * Nothing here waits for a network.  Any thread.
 */
#ifndef PARTI_PLUGINS_KAFKA_CONF_H
#define PARTI_PLUGINS_KAFKA_CONF_H

#include "parti_plugin.h"

#include <librdkafka/rdkafka.h>

#if RD_KAFKA_VERSION < 0x020000ff
#error "librdkafka 2.0.0 or later is needed"
#endif

enum { KAFKA_WHY_ROOM = 512 };

/* The rows of an option table that kafka_conf_make() reads, to be put into the table of
 * each role.  Secrets have rows of their own, so that they are never shown. */
#define KAFKA_OPTION_BROKERS                                                       \
    {                                                                              \
        .name = "brokers",                                                         \
        .help = "Brokers to begin with, HOST:PORT, between commas or on lines of " \
                "their own; the others are learnt from them.",                     \
        .type = PARTI_STR, .flags = PARTI_REQUIRED | PARTI_LIST                    \
    }
#define KAFKA_OPTION_SECRET(property)                                                    \
    {                                                                                    \
        .name = "rdkafka." property, .help = "The property " property " of librdkafka.", \
        .type = PARTI_STR, .flags = PARTI_SECRET                                         \
    }
#define KAFKA_OPTIONS_RDKAFKA                                                        \
    {.name = "rdkafka.*",                                                            \
     .help = "Any property of librdkafka, such as rdkafka.security.protocol, "       \
             "rdkafka.ssl.ca.location or rdkafka.sasl.username.",                    \
     .type = PARTI_STR},                                                             \
        KAFKA_OPTION_SECRET("sasl.password"),                                        \
        KAFKA_OPTION_SECRET("sasl.oauthbearer.client.secret"),                       \
        KAFKA_OPTION_SECRET("sasl.oauthbearer.config"),                              \
        KAFKA_OPTION_SECRET("ssl.key.password"), KAFKA_OPTION_SECRET("ssl.key.pem"), \
        KAFKA_OPTION_SECRET("ssl.keystore.password")

/* 'brokers' as librdkafka wants them, between commas; free() it.  PARTI_OK,
 * PARTI_BADCONF with the line in *error, PARTI_NOMEM. */
int32_t kafka_conf_brokers(const struct parti_conf *conf, char **ret,
                           struct parti_error *error);

/* What a role adds, each list ended by a NULL name. */
struct kafka_conf_pair {
    const char *name, *value;
};

struct kafka_conf_rules {
    const struct kafka_conf_pair *refused;  /* 'value' says what to do instead */
    const struct kafka_conf_pair *fallback; /* the section's word goes before these */
    const struct kafka_conf_pair *fixed;
};

/* A configuration with everything that the section says; 'group' is its group.id, or
 * NULL; so may 'rules' be.  Topics are never created by what is asked with it.  The
 * caller adds callbacks and gives it to rd_kafka_new() or rd_kafka_conf_destroy().  Codes
 * as above. */
int32_t kafka_conf_make(const struct parti_conf *conf, const char *group,
                        const struct kafka_conf_rules *rules, rd_kafka_conf_t **ret,
                        struct parti_error *error);

/* What rd_kafka_new() complained of, as PARTI_BADCONF with the line of the property that
 * it names, if it names one. */
int32_t kafka_conf_blame(const struct parti_conf *conf, const char *why,
                         struct parti_error *error);

#endif
