#include "kafka_link.h"

#include <time.h>

enum {
    SHOWN_MAX = 56,  /* bytes of the brokers that a message repeats */
    WORDS_MAX = 156, /* of those and of librdkafka's words: the remedy must fit, too */
    SLICE_DOWN_MS = 200, /* of waiting for any broker to be there */
    SLICE_MS = 500,      /* of waiting for an answer; doubled when none came */
    ALL_DOWN_MS = 1000,  /* further patience when librdkafka says that all are down */
    LOG_LOUD = 2,        /* of syslog's levels: critical */
    LOG_MAX = 512
};

struct kafka_link {
    struct kafka_link_setup setup;
    rd_kafka_t *rk; /* NULL: closed */
    rd_kafka_topic_t **topic;
    /* What librdkafka complained of since the last answer; written by kafka_on_error(),
     * which only runs inside kafka_link_serve(). */
    rd_kafka_resp_err_t last;
    int32_t are_all_down;
    char words[136];
};

uint64_t kafka_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- what librdkafka tells ------------------------------------------------------------
 */

/* On any of librdkafka's threads.  A broker that is away is told by list(), in words that
 * help; what is left to say here are remarks about the configuration. */
static void on_log(const rd_kafka_t *rk, int level, const char *facility,
                   const char *words)
{
    const struct kafka_link *link = rd_kafka_opaque(rk);
    int32_t matters = level <= LOG_LOUD || strcmp(facility, "CONFWARN") == 0 ||
                      strcmp(facility, "AUTOCREATE") == 0;
    char text[LOG_MAX];

    (void)snprintf(text, sizeof text, "librdkafka: %s: %s", facility, words);
    parti_log(link->setup.host, matters ? PARTI_WARN : PARTI_DEBUG, text);
}

static void on_error(rd_kafka_t *rk, int code, const char *words, void *opaque)
{
    struct kafka_link *link = opaque;

    (void)rk;
    parti_log(link->setup.host, PARTI_DEBUG, words);
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        link->are_all_down = 1;
        return;
    }
    link->last = (rd_kafka_resp_err_t)code;
    /* "NAME: what happened (after 3ms in state CONNECT, ...)": without the times. */
    const char *end = strstr(words, " (after ");
    int n = end != NULL ? (int)(end - words) : (int)strcspn(words, "\n");
    (void)snprintf(link->words, sizeof link->words, "%.*s", n, words);
}

void kafka_link_serve(struct kafka_link *link)
{
    if (link->rk != NULL)
        (void)rd_kafka_poll(link->rk, 0);
}

/* ---- open and closed ------------------------------------------------------------------
 */

struct kafka_link *kafka_link_create(const struct kafka_link_setup *setup)
{
    struct kafka_link *link = calloc(1, sizeof *link);

    if (link != NULL)
        link->topic = calloc(setup->name_n + 1, sizeof *link->topic);
    if (link == NULL || link->topic == NULL) {
        rd_kafka_conf_destroy(setup->conf);
        free(setup->brokers);
        free(link);
        return NULL;
    }
    link->setup = *setup;
    rd_kafka_conf_set_log_cb(setup->conf, on_log);
    rd_kafka_conf_set_error_cb(setup->conf, on_error);
    rd_kafka_conf_set_opaque(setup->conf, link);
    return link;
}

int32_t kafka_link_open(struct kafka_link *link, char *why)
{
    rd_kafka_conf_t *conf;

    if (link->rk != NULL)
        return 0;
    conf = rd_kafka_conf_dup(link->setup.conf);
    link->rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, KAFKA_WHY_ROOM);
    if (link->rk == NULL) {
        rd_kafka_conf_destroy(conf);
        return -1;
    }
    for (size_t i = 0; i < link->setup.name_n; i++) {
        link->topic[i] = rd_kafka_topic_new(link->rk, link->setup.name[i], NULL);
        if (link->topic[i] == NULL) {
            (void)snprintf(why, KAFKA_WHY_ROOM, "topic '%s': %s", link->setup.name[i],
                           rd_kafka_err2str(rd_kafka_last_error()));
            kafka_link_close(link);
            return -1;
        }
    }
    link->last = RD_KAFKA_RESP_ERR_NO_ERROR;
    link->are_all_down = 0;
    return 0;
}

void kafka_link_close(struct kafka_link *link)
{
    if (link->rk == NULL)
        return;
    for (size_t i = 0; i < link->setup.name_n; i++)
        if (link->topic[i] != NULL) {
            rd_kafka_topic_destroy(link->topic[i]);
            link->topic[i] = NULL;
        }
    /* It is in no group, so there is nothing to leave. */
    rd_kafka_destroy_flags(link->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    link->rk = NULL;
}

void kafka_link_destroy(struct kafka_link *link)
{
    if (link == NULL)
        return;
    kafka_link_close(link);
    rd_kafka_conf_destroy(link->setup.conf);
    free(link->setup.brokers);
    free(link->topic);
    free(link);
}

rd_kafka_t *kafka_link_handle(struct kafka_link *link)
{
    return link->rk;
}

int32_t kafka_link_is_stopped(const struct kafka_link *link)
{
    return link->setup.stop(link->setup.ctx);
}

const char *kafka_link_brokers(const struct kafka_link *link)
{
    return link->setup.brokers;
}

/* ---- metadata -------------------------------------------------------------------------
 */

/* Why there is no answer, in words and as a code.  The same reason gives the same words,
 * since the host tells of a failure when its words are new. */
static int32_t no_answer(struct kafka_link *link, rd_kafka_resp_err_t err,
                         uint64_t allowed_ms, struct parti_error *error)
{
    const char *brokers = link->setup.brokers;
    size_t shown = strnlen(brokers, SHOWN_MAX);

    if (link->last == RD_KAFKA_RESP_ERR__AUTHENTICATION)
        return parti_fail(
            error, PARTI_DENIED,
            "the brokers %.*s refuse the log-in: %s. Correct rdkafka.sasl.*", SHOWN_MAX,
            brokers, link->words);
    if (err == RD_KAFKA_RESP_ERR__TIMED_OUT ||
        (err == RD_KAFKA_RESP_ERR__TRANSPORT && link->last == RD_KAFKA_RESP_ERR_NO_ERROR))
        return parti_fail(
            error, PARTI_TIMEOUT,
            "the brokers %.*s were silent for %llu ms. They are overloaded or "
            "cut off; if only slow, raise 'timeout'",
            SHOWN_MAX, brokers, (unsigned long long)(allowed_ms + 50) / 100 * 100);
    if (err == RD_KAFKA_RESP_ERR__TRANSPORT)
        return parti_fail(
            error, PARTI_RETRY, "no broker of %.*s is reached: %.*s. %s", SHOWN_MAX,
            brokers, (int)(WORDS_MAX - shown), link->words,
            link->last == RD_KAFKA_RESP_ERR__SSL
                ? "Correct rdkafka.ssl.*"
                : "Check host and port in brokers, and that a broker is up");
    return parti_fail(error, PARTI_RETRY,
                      "the brokers %.*s answer: %s. Look at their log", SHOWN_MAX,
                      brokers, rd_kafka_err2str(err));
}

int32_t kafka_link_metadata(struct kafka_link *link, int32_t all, uint64_t deadline_ms,
                            const struct rd_kafka_metadata **ret,
                            struct parti_error *error)
{
    uint64_t began = kafka_now_ms(), slice = SLICE_MS;

    for (;;) {
        uint64_t now = kafka_now_ms(), left, last;
        rd_kafka_resp_err_t err;

        if (kafka_link_is_stopped(link))
            return parti_fail(error, PARTI_CANCELED, "given up");
        left = deadline_ms > now ? deadline_ms - now : 0;
        /* Never without a name: that would ask for all, and allow to create. */
        err = rd_kafka_metadata(link->rk, all || link->setup.name_n == 0, NULL, ret,
                                (int)(left < slice ? left : slice));
        kafka_link_serve(link);
        if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            link->last = RD_KAFKA_RESP_ERR_NO_ERROR;
            link->are_all_down = 0;
            return PARTI_OK;
        }
        /* An answer that is late is lost, so the next slice is longer. */
        if (err == RD_KAFKA_RESP_ERR__TIMED_OUT)
            slice = slice < SLICE_MS ? SLICE_MS : slice * 2;
        else if (err == RD_KAFKA_RESP_ERR__TRANSPORT)
            slice = SLICE_DOWN_MS;
        now = kafka_now_ms();
        last = link->are_all_down && began + ALL_DOWN_MS < deadline_ms
                   ? began + ALL_DOWN_MS
                   : deadline_ms;
        if (now >= last || link->last == RD_KAFKA_RESP_ERR__AUTHENTICATION ||
            (err != RD_KAFKA_RESP_ERR__TIMED_OUT && err != RD_KAFKA_RESP_ERR__TRANSPORT))
            return no_answer(link, err, deadline_ms - began, error);
    }
}
