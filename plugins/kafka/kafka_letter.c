/* Dead letters: produced with headers, safe when all replicas in sync have them. */
#include "kafka_consumer.h"

/* ---- making ---------------------------------------------------------------------- */

static int32_t add_headers(rd_kafka_headers_t *to, const struct parti_strs *name,
                           const struct parti_strs *value)
{
    for (uint64_t i = 0; i < name->n; i++) {
        uint64_t key_n = 0, text_n = 0;
        const char *key = parti_str(name, i, &key_n);
        const char *text = parti_str(value, i, &text_n);

        if (rd_kafka_header_add(to, key, (ssize_t)key_n, text, (ssize_t)text_n) !=
            RD_KAFKA_RESP_ERR_NO_ERROR)
            return 0;
    }
    return 1;
}

static char *copy(const char *from, size_t n)
{
    char *to = malloc(n + 1);

    if (to != NULL && n > 0)
        memcpy(to, from, n);
    return to;
}

struct kafka_letter *kafka_letter_create(const struct parti_consumer_message *message,
                                         const char *target,
                                         const struct parti_strs *name,
                                         const struct parti_strs *value)
{
    struct kafka_letter *letter = calloc(1, sizeof *letter);

    if (letter == NULL)
        return NULL;
    letter->position = message->position;
    letter->has_key = message->key != NULL;
    letter->has_data = message->data != NULL;
    letter->key_n = message->key_n;
    letter->data_n = message->data_n;
    letter->target = strdup(target);
    letter->key = copy(message->key, message->key_n);
    letter->data = copy(message->data, message->data_n);
    letter->headers = rd_kafka_headers_new(message->header_name.n + name->n);
    if (letter->target != NULL && letter->key != NULL && letter->data != NULL &&
        add_headers(letter->headers, &message->header_name, &message->header_value) &&
        add_headers(letter->headers, name, value))
        return letter;
    kafka_letter_free(letter);
    return NULL;
}

void kafka_letter_free(struct kafka_letter *letter)
{
    if (letter == NULL)
        return;
    if (letter->headers != NULL)
        rd_kafka_headers_destroy(letter->headers);
    free(letter->target);
    free(letter->key);
    free(letter->data);
    free(letter);
}

/* ---- the answer ------------------------------------------------------------------ */

/* And frees it. */
static void answer(struct kafka_consumer *c, struct kafka_letter *letter, int32_t code,
                   const char *text)
{
    const struct kafka_lane *l =
        letter->lane < c->lane_room ? c->lane[letter->lane] : NULL;

    if (l != NULL && l->run == letter->run)
        c->inlet->buried(c->inlet, letter->lane, letter->run, letter->position, code,
                         text);
    kafka_letter_free(letter);
}

static void settle(struct kafka_consumer *c, struct kafka_letter *letter,
                   rd_kafka_resp_err_t err)
{
    char text[KAFKA_TEXT_ROOM] = "";
    int32_t code = PARTI_BADINPUT;

    switch ((int)err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR: code = PARTI_OK; break;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        (void)snprintf(text, sizeof text,
                       "topic '%.249s' for dead letters does not exist; create it",
                       letter->target);
        break;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        (void)snprintf(
            text, sizeof text,
            "this user may not write to topic '%.249s' for dead letters; allow "
            "it Write on the topic",
            letter->target);
        break;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        (void)snprintf(
            text, sizeof text,
            "the message is larger than topic '%.249s' for dead letters takes; "
            "raise its max.message.bytes",
            letter->target);
        break;
    default:
        code = PARTI_RETRY;
        (void)snprintf(text, sizeof text,
                       "topic '%.249s' has not confirmed a dead letter: %.200s",
                       letter->target, rd_kafka_err2str(err));
        break;
    }
    answer(c, letter, code, text);
}

/* Inside rd_kafka_poll(), so on our thread. */
static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    settle(opaque, message->_private, message->err);
}

/* ---- the producer ---------------------------------------------------------------- */

static void on_event(rd_kafka_t *rk, void *opaque)
{
    (void)rk;
    kafka_duty_wake(opaque);
}

static int32_t open_producer(struct kafka_consumer *c, char why[KAFKA_WHY_ROOM])
{
    if (c->producer != NULL)
        return 1;
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(c->letter_conf);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    c->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, KAFKA_WHY_ROOM);
    if (c->producer == NULL) {
        rd_kafka_conf_destroy(conf);
        return 0;
    }
    rd_kafka_set_log_queue(c->producer, NULL);
    c->producer_queue = rd_kafka_queue_get_main(c->producer);
    rd_kafka_queue_cb_event_enable(c->producer_queue, on_event, c);
    return 1;
}

void kafka_letters_end(struct kafka_consumer *c)
{
    if (c->producer == NULL)
        return;
    /* Those that are unanswered belong to runs that are over, or are told so. */
    (void)rd_kafka_purge(c->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                          RD_KAFKA_PURGE_F_NON_BLOCKING);
    (void)rd_kafka_flush(c->producer, KAFKA_FAREWELL_MS);
    rd_kafka_queue_cb_event_enable(c->producer_queue, NULL, NULL);
    rd_kafka_queue_destroy(c->producer_queue);
    kafka_close(c->producer);
    c->producer = NULL;
}

void kafka_letter_send(struct kafka_consumer *c, struct kafka_letter *letter)
{
    char why[KAFKA_WHY_ROOM], text[KAFKA_TEXT_ROOM];

    if (!open_producer(c, why)) {
        (void)snprintf(text, sizeof text, "librdkafka writes no dead letters: %.300s",
                       why);
        answer(c, letter, PARTI_BADINPUT, text);
        return;
    }
    void *key = letter->has_key ? letter->key : NULL;
    void *data = letter->has_data ? letter->data : NULL;
    rd_kafka_resp_err_t err = rd_kafka_producev(
        c->producer, RD_KAFKA_V_TOPIC(letter->target),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, letter->key_n),
        RD_KAFKA_V_VALUE(data, letter->data_n), RD_KAFKA_V_HEADERS(letter->headers),
        RD_KAFKA_V_OPAQUE(letter), RD_KAFKA_V_END);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        settle(c, letter, err);
        return;
    }
    letter->headers = NULL; /* librdkafka's now, as are copies of the rest */
    free(letter->key);
    free(letter->data);
    letter->key = letter->data = NULL;
}

void kafka_letters_serve(struct kafka_consumer *c)
{
    char why[KAFKA_WHY_ROOM];

    if (c->producer == NULL)
        return;
    (void)rd_kafka_poll(c->producer, 0);
    /* An idempotent producer that has lost count is of no use: the next letter has a new
     * one. */
    if (rd_kafka_fatal_error(c->producer, why, sizeof why) != 0) {
        parti_log(c->host, PARTI_WARN, why);
        kafka_letters_end(c);
    }
}
