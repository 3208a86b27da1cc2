/* Plugin 'kafka': the partitions of Kafka topics, each as the two keys topic and number;
 * and the messages of those partitions, which kafka_consumer.h has.
 *
 *     [source]
 *     plugin = kafka
 *     brokers = b1.example.org:9092, b2.example.org:9092
 *     topics = orders, returns
 *     topic_pattern = telemetry-.*
 *     rdkafka.security.protocol = SASL_SSL
 *
 * kafka_conf makes the configuration of librdkafka, kafka_link asks the brokers,
 * kafka_list makes partitions of their answers, kafka_measure counts messages, weigh and
 * kafka_rows make weights of the counts, kafka_watch decides when all this happens, on
 * its thread. No type of librdkafka leaves this plugin.
 */
#include "kafka_consumer.h"
#include "kafka_measure.h"
#include "kafka_watch.h"

#include "parti_connection.h"

struct kafka {
    const struct parti_host *host;
    struct kafka_wanted wanted;
    struct kafka_link *link;
    struct kafka_watch *watch;
    struct weigh *weigh;
    int32_t measure; /* KAFKA_MEASURE_* */
    uint64_t timeout_ms;

    /* Of the watch's thread. */
    struct kafka_list *last; /* for the measures that it has */
    int32_t is_warned;       /* that measures are not to be had */
};

/* ---- on the watch's thread
 * -------------------------------------------------------------
 */

static int32_t is_stopped(void *ctx)
{
    struct kafka *k = ctx;

    return kafka_watch_is_stopped(k->watch);
}

static void serve(void *ctx)
{
    struct kafka *k = ctx;

    kafka_link_serve(k->link);
}

static void rest(void *ctx)
{
    struct kafka *k = ctx;

    parti_log(k->host, PARTI_DEBUG,
              "nobody asks for the list: the brokers are left alone");
    kafka_link_close(k->link);
}

/* Weights are worth less than the list: without a measure the last one stays. */
static int32_t measure(struct kafka *k, struct kafka_list *list, uint64_t deadline_ms)
{
    char why[KAFKA_WHY_ROOM], text[KAFKA_WHY_ROOM + 160];
    size_t failed;
    int32_t code;

    kafka_list_inherit(list, k->last);
    code = kafka_measure(list, k->measure, k->link, deadline_ms, &failed, why);
    if (code != PARTI_OK)
        return code;
    if (failed > 0 && !k->is_warned) {
        (void)snprintf(text, sizeof text,
                       "how many messages %zu of %zu partitions have is not to be learnt "
                       "(%s); they weigh what they did",
                       failed, list->total, why);
        parti_log(k->host, PARTI_WARN, text);
    } else if (failed == 0 && k->is_warned) {
        parti_log(k->host, PARTI_INFO,
                  "how many messages partitions have is known again");
    }
    k->is_warned = failed > 0;
    return PARTI_OK;
}

static int32_t look(void *ctx, uint64_t deadline_ms, struct kafka_rows **ret,
                    struct parti_error *error)
{
    struct kafka *k = ctx;
    struct kafka_list *list = NULL;
    char why[KAFKA_WHY_ROOM];
    int32_t code;

    if (kafka_link_open(k->link, why) != 0)
        return parti_fail(error, PARTI_RETRY, "librdkafka does not start: %s", why);
    code = kafka_list_fetch(&k->wanted, k->link, deadline_ms, &list, error);
    if (code == PARTI_OK)
        code = measure(k, list, deadline_ms);
    if (code == PARTI_OK)
        code = kafka_rows_make(list, k->weigh, kafka_now_ms(), ret);
    if (code != PARTI_OK) {
        kafka_list_destroy(list);
        return code;
    }
    kafka_list_destroy(k->last);
    k->last = list;
    return PARTI_OK;
}

/* ---- what the host calls
 * ---------------------------------------------------------------
 */

static void kafka_destroy(void *ctx)
{
    struct kafka *k = ctx;

    kafka_watch_destroy(k->watch);
    kafka_link_destroy(k->link);
    kafka_list_destroy(k->last);
    kafka_wanted_finish(&k->wanted);
    weigh_destroy(k->weigh);
    free(k);
}

static int32_t kafka_list(void *ctx, struct parti_sink *sink, uint64_t budget_ms,
                          struct parti_error *error)
{
    struct kafka *k = ctx;
    struct kafka_rows *rows = NULL;
    uint64_t now = kafka_now_ms();
    uint64_t most = budget_ms - budget_ms / 5;
    uint64_t look_ms = k->timeout_ms < most ? k->timeout_ms : most;
    int32_t code = kafka_watch_ask(k->watch, now + look_ms,
                                   now + budget_ms - budget_ms / 10, &rows, error);

    if (code != PARTI_OK)
        return parti_code(k->host, code);
    code = kafka_rows_give(rows, sink);
    kafka_watch_release(k->watch, rows);
    return code;
}

static void kafka_cancel(void *ctx)
{
    struct kafka *k = ctx;

    kafka_watch_cancel(k->watch);
}

/* 'weight' and what it needs. */
static int32_t read_weight(struct kafka *k, const struct parti_conf *conf,
                           const char **ret_group, struct parti_error *error)
{
    const char *weight = parti_conf_text(conf, "weight");
    const char *group = parti_conf_text(conf, "group");
    struct weigh_rule rule;

    *ret_group = NULL;
    if (strcmp(weight, "size") == 0)
        k->measure = KAFKA_MEASURE_SIZE;
    if (strcmp(weight, "lag") == 0) {
        k->measure = KAFKA_MEASURE_LAG;
        *ret_group = group;
        if (group == NULL || *group == '\0') {
            error->line = parti_conf_line(conf, "weight");
            return parti_fail(error, PARTI_BADCONF,
                              "weight = lag needs 'group =', the group whose lag counts");
        }
    }
    rule = weigh_rule_read(conf, k->measure == KAFKA_MEASURE_NONE);
    k->weigh = weigh_create(&rule);
    return k->weigh != NULL ? PARTI_OK : PARTI_NOMEM;
}

static int32_t make_link(struct kafka *k, const struct parti_conf *conf,
                         const char *group, struct parti_error *error)
{
    struct kafka_link_setup setup = {.host = k->host,
                                     .name = (const char *const *)k->wanted.name,
                                     .name_n = k->wanted.name_n,
                                     .stop = is_stopped,
                                     .ctx = k};
    char why[KAFKA_WHY_ROOM];
    int32_t code = kafka_conf_brokers(conf, &setup.brokers, error);

    if (code != PARTI_OK)
        return code;
    code = kafka_conf_make(conf, group, NULL, &setup.conf, error);
    if (code != PARTI_OK) {
        free(setup.brokers);
        return code;
    }
    k->link = kafka_link_create(&setup);
    if (k->link == NULL)
        return PARTI_NOMEM;
    /* What librdkafka does not like it says now; it is opened again when somebody lists.
     */
    if (kafka_link_open(k->link, why) != 0)
        return kafka_conf_blame(conf, why, error);
    kafka_link_close(k->link);
    return PARTI_OK;
}

static int32_t kafka_create(void **ret, const struct parti_host *host,
                            const struct parti_conf *conf, struct parti_error *error)
{
    struct kafka_watch_setup watch = {
        .host = host, .look = look, .serve = serve, .rest = rest};
    struct kafka *k = calloc(1, sizeof *k);
    const char *group = NULL;
    int32_t code;

    if (k == NULL)
        return PARTI_NOMEM;
    k->host = host;
    k->timeout_ms = (uint64_t)parti_conf_int(conf, "timeout", 0);
    watch.timeout_ms = k->timeout_ms;
    watch.poll_ms = (uint64_t)parti_conf_int(conf, "poll_interval", 0);
    if (watch.poll_ms != 0 && watch.poll_ms < KAFKA_POLL_MIN_MS)
        watch.poll_ms = KAFKA_POLL_MIN_MS;
    watch.rest_ms = 2 * watch.poll_ms > KAFKA_REST_MS ? 2 * watch.poll_ms : KAFKA_REST_MS;
    watch.ctx = k;
    code = kafka_wanted_init(&k->wanted, conf, error);
    if (code == PARTI_OK)
        code = read_weight(k, conf, &group, error);
    if (code == PARTI_OK)
        code = make_link(k, conf, group, error);
    if (code == PARTI_OK) {
        k->watch = kafka_watch_create(&watch);
        code = k->watch != NULL ? PARTI_OK : PARTI_NOMEM;
    }
    if (code == PARTI_OK)
        *ret = k;
    else
        kafka_destroy(k);
    return code;
}

static const struct parti_option kafka_option[] = {
    KAFKA_OPTION_BROKERS,
    {.name = "topics",
     .help = "Topics by name, between commas or on lines of their own.",
     .type = PARTI_STR,
     .flags = PARTI_LIST},
    {.name = "topic_pattern",
     .help =
         "Every topic whose whole name this POSIX extended regular expression matches, "
         "but for names that begin with two underscores.",
     .type = PARTI_STR},
    {.name = "poll_interval",
     .fallback = "10 s",
     .help = "How often the brokers are asked whether something has changed, while this "
             "process leads the group; 0: only as refresh_interval says.",
     .max = 24 * 3600 * INT64_C(1000),
     .type = PARTI_MSEC},
    {.name = "timeout",
     .fallback = "5 s",
     .help = "How long the brokers may take; never longer than four fifths of [timing] "
             "operation_timeout.",
     .min = 100,
     .max = 300 * 1000,
     .type = PARTI_MSEC},
    {.name = "weight",
     .fallback = "fixed",
     .help =
         "What a partition weighs: the same as all, by the messages that it keeps, or by "
         "those that 'group' has not handled yet.",
     .choices = "fixed|size|lag",
     .type = PARTI_STR},
    {.name = "group",
     .help = "The consumer group whose lag counts where weight = lag.",
     .type = PARTI_STR},
    WEIGH_OPTIONS("messages", "1000"),
    KAFKA_OPTIONS_RDKAFKA,
    {.name = NULL},
};

static const struct parti_source kafka_source = {
    .size = sizeof kafka_source,
    .create = kafka_create,
    .list = kafka_list,
    .cancel = kafka_cancel,
    .destroy = kafka_destroy,
};

/* What [consume] takes from the [source], where it names no brokers itself. */
static const char *const connection_names[] = {"brokers",
                                               "rdkafka.*",
                                               "rdkafka.sasl.password",
                                               "rdkafka.sasl.oauthbearer.client.secret",
                                               "rdkafka.sasl.oauthbearer.config",
                                               "rdkafka.ssl.key.password",
                                               "rdkafka.ssl.key.pem",
                                               "rdkafka.ssl.keystore.password"};

static const struct parti_connection connection = {
    .size = sizeof connection,
    .n = sizeof connection_names / sizeof *connection_names,
    .name = connection_names,
};

static const void *extension(const char *id)
{
    return strcmp(id, PARTI_CONNECTION_ID) == 0 ? &connection : kafka_extension(id);
}

static const struct parti_plugin kafka_plugin = {
    .size = sizeof kafka_plugin,
    .abi_minor = PARTI_ABI_MINOR,
    .needs_minor = 0,
    .id = "org.parti.kafka",
    .version = PLUGIN_VERSION,
    .vendor = "Parti",
    .license = "Apache-2.0",
    .summary = "Partitions of Kafka topics, and their messages.",
    .source_option = kafka_option,
    .source = &kafka_source,
    .extension = extension,
};

PARTI_PLUGIN_ENTRY(kafka_plugin)
