/* The partitions of the wanted topics: which topics are wanted, what the brokers say of
 * them, and what is wrong when they are not to be had.
 *
 * A list is made once and changes only in its measures.  One user at a time.
 */
#ifndef PARTI_PLUGINS_KAFKA_LIST_H
#define PARTI_PLUGINS_KAFKA_LIST_H

#include "kafka_link.h"

#include <regex.h>

enum {
    KAFKA_TOPIC_MAX = 249,     /* bytes of a topic's name; the brokers' own limit */
    KAFKA_TOPICS_MAX = 10000,  /* named in the section */
    KAFKA_PARTS_MAX = 1000000, /* partitions of one source */
    KAFKA_ID_MAX = KAFKA_TOPIC_MAX + 12
};

/* Which topics: 'topics' and 'topic_pattern' of the section. */
struct kafka_wanted {
    char **name; /* ascending bytewise, each once */
    size_t name_n;
    int32_t has_pattern;
    regex_t pattern;
    char *pattern_text;
};

/* PARTI_OK, PARTI_BADCONF with the line, PARTI_NOMEM.  finish accepts a zeroed one. */
int32_t kafka_wanted_init(struct kafka_wanted *wanted, const struct parti_conf *conf,
                          struct parti_error *error);
void kafka_wanted_finish(struct kafka_wanted *wanted);

struct kafka_part {
    int32_t number;
    int32_t leader;  /* a broker, or -1: none at present */
    int64_t measure; /* messages, by the rule of the source; -1: not known yet */
};

struct kafka_topic {
    char *name;
    struct kafka_part *part; /* ascending by number */
    size_t part_n;
};

struct kafka_list {
    struct kafka_topic *topic; /* ascending bytewise by name */
    size_t topic_n;
    size_t total; /* partitions of all topics */
};

/* Asks the brokers.  PARTI_OK and *ret; PARTI_MISSING or PARTI_DENIED for a topic;
 * PARTI_BADINPUT (too many); PARTI_NOMEM; or what kafka_link_metadata() says. */
int32_t kafka_list_fetch(const struct kafka_wanted *wanted, struct kafka_link *link,
                         uint64_t deadline_ms, struct kafka_list **ret,
                         struct parti_error *error);

/* Accepts NULL. */
void kafka_list_destroy(struct kafka_list *list);

/* Takes over the measures of partitions that an older list has, too; it may be NULL. */
void kafka_list_inherit(struct kafka_list *list, const struct kafka_list *older);

/* "topic NUL number" of a partition into id[KAFKA_ID_MAX]; returns its length. */
size_t kafka_list_id(const struct kafka_topic *topic, const struct kafka_part *part,
                     char *id);

#endif
