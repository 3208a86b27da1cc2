/* Consumer 'kafka': its section, and what librdkafka is told.
 *
 *     [consume]
 *     plugin = kafka
 *     brokers = b1.example.org:9092
 *     group = billing
 */
#include "kafka_consumer.h"

const struct parti_option kafka_section_options[] = {
    KAFKA_OPTION_BROKERS,
    {.name = "group",
     .help =
         "The consumer group whose committed offsets follow the positions, for Kafka's "
         "own tools; where Parti has no position yet, an offset that somebody else "
         "committed there is where it begins.",
     .type = PARTI_STR,
     .flags = PARTI_REQUIRED},
    {.name = "start",
     .fallback = "earliest",
     .help = "Where a partition begins that has neither a position nor such an offset: "
             "earliest, the first message there is; latest, what comes from then on; "
             "committed, an offset that Parti itself committed, else earliest.",
     .choices = "earliest|latest|committed",
     .type = PARTI_STR},
    KAFKA_OPTIONS_RDKAFKA,
    {.name = NULL},
};

/* ---- the section ----------------------------------------------------------------- */

static const char positions[] = "Parti's positions lead, and offsets follow them";
static const char letters[] = "a dead letter is safe or it is not one";
static const char handled[] = "events are handled here";

static const struct kafka_conf_pair refused[] = {
    {"auto.offset.reset", "set start = instead"},
    {"auto.commit.enable", positions},
    {"auto.commit.interval.ms", positions},
    {"offset.store.method", positions},
    {"offset.store.path", positions},
    {"offset.store.sync.interval.ms", positions},
    {"enable.partition.eof", handled},
    {"delivery.report.only.error", handled},
    {"consume.callback.max.messages", handled},
    {"acks", letters},
    {"request.required.acks", letters},
    {"enable.idempotence", letters},
    {"transactional.id", "dead letters are written one by one"},
    {NULL, NULL},
};

/* A partition that is not emptied keeps a MiB here and what one fetch brings.  One fetch
 * of a broker is under way at a time, so one that waits for idle partitions must not keep
 * a busy one waiting for long. */
static const struct kafka_conf_pair fallback[] = {
    {"queued.max.messages.kbytes", "1024"},
    {"fetch.message.max.bytes", "524288"},
    {"fetch.wait.max.ms", "100"},
    {"reconnect.backoff.max.ms", "2000"},
    {"topic.metadata.propagation.max.ms", "5000"},
    {NULL, NULL},
};

static const struct kafka_conf_pair fixed[] = {
    {"auto.offset.reset", "error"},
    {"enable.partition.eof", "true"},
    {"log.queue", "true"},
    {NULL, NULL},
};

/* What the brokers took once they take again, whatever its size. */
static const struct kafka_conf_pair letter_fallback[] = {
    {"message.max.bytes", "1000000000"},
    {"message.timeout.ms", "8000"},
    {"topic.metadata.propagation.max.ms", "3000"},
    {"reconnect.backoff.max.ms", "2000"},
    {NULL, NULL},
};

static const struct kafka_conf_pair letter_fixed[] = {
    {"acks", "all"},
    {"enable.idempotence", "true"},
    {"log.queue", "true"},
    {NULL, NULL},
};

static const struct kafka_conf_rules rules = {refused, fallback, fixed};
static const struct kafka_conf_rules letter_rules = {refused, letter_fallback,
                                                     letter_fixed};

int32_t kafka_section_read(struct kafka_consumer *c, const struct parti_conf *conf,
                           rd_kafka_conf_t **ret, struct parti_error *error)
{
    const char *group = parti_conf_text(conf, "group");
    const char *start = parti_conf_text(conf, "start");
    int32_t code = kafka_conf_brokers(conf, &c->brokers, error);

    if (code != PARTI_OK)
        return code;
    if (group == NULL || *group == '\0') {
        error->line = parti_conf_line(conf, "group");
        return parti_fail(error, PARTI_BADCONF, "group names none");
    }
    c->start = strcmp(start, "latest") == 0      ? KAFKA_START_LATEST
               : strcmp(start, "committed") == 0 ? KAFKA_START_COMMITTED
                                                 : KAFKA_START_EARLIEST;
    c->group = strdup(group);
    if (c->group == NULL)
        return PARTI_NOMEM;
    code = kafka_conf_make(conf, NULL, &letter_rules, &c->letter_conf, error);
    if (code == PARTI_OK)
        code = kafka_conf_make(conf, group, &rules, ret, error);
    return code;
}
