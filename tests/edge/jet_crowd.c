#include "config.h"

#include "jet_crowd.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

/* Newer servers drop what comes when 10,000 messages lie before a stream. */
enum { AT_ONCE = 8000, LOOK_MS = 5 };

/* Between two looks: the server has better things to do than to tell of itself. */
static void look_away(void)
{
    (void)poll(NULL, 0, LOOK_MS);
}

void crowd_stream(struct jet_bench *b, const char *retention, const char *storage,
                  int max_consumers)
{
    char body[512];

    (void)snprintf(body, sizeof body,
                   "{\"name\":\"S\",\"subjects\":[\"p.>\"],\"storage\":\"%s\","
                   "\"retention\":\"%s\",\"max_consumers\":%d}",
                   storage, retention, max_consumers);
    jet_api(b, "$JS.API.STREAM.CREATE.S", body);
}

void crowd_join(struct jet_bench *b, struct jet_host *h, const char *readers)
{
    const char *const pairs[] = {"url",      b->url, "stream", "S",       "subject",
                                 "p.{1}",    "name", "test",   "readers", readers,
                                 "overread", "0",    NULL};

    host_start(h, pairs);
    ck_assert_msg(h->self != NULL, "%s", h->error.text);
}

json_int_t crowd_state(struct jet_bench *b, const char *what)
{
    json_t *o = jet_ask(b, "$JS.API.STREAM.INFO.S", "");
    json_int_t n = json_integer_value(json_object_get(json_object_get(o, "state"), what));

    json_decref(o);
    return n;
}

void crowd_await_state(struct jet_bench *b, const char *what, json_int_t expected)
{
    uint64_t deadline = threads_now_ms() + CROWD_MS;
    json_int_t n = crowd_state(b, what);

    while (n != expected && threads_now_ms() < deadline) {
        look_away();
        n = crowd_state(b, what);
    }
    ck_assert_msg(n == expected, "%s is %lld, not %lld", what, (long long)n,
                  (long long)expected);
}

json_int_t crowd_errors(struct jet_bench *b)
{
    json_t *o = jet_ask(b, "$JS.API.INFO", "");
    json_int_t n =
        json_integer_value(json_object_get(json_object_get(o, "api"), "errors"));

    json_decref(o);
    return n;
}

void crowd_produce_to(struct jet_bench *b, int first, int n, int from, int to,
                      const char *more)
{
    json_int_t before = crowd_state(b, "last_seq"), sent = 0, seen = 0;
    char subject[32], text[32];

    for (int i = from; i < to; i++) {
        if (sent - seen + n > AT_ONCE) {
            crowd_await_state(b, "last_seq", before + sent);
            seen = sent;
        }
        sent += n;
        (void)snprintf(text, sizeof text, "%d", i);
        for (int k = 0; k < n; k++) {
            (void)snprintf(subject, sizeof subject, "p.%d%s", first + k, more);
            ck_assert_int_eq(natsConnection_PublishString(b->nc, subject, text), NATS_OK);
        }
    }
    ck_assert_int_eq(natsConnection_Flush(b->nc), NATS_OK);
    crowd_await_state(b, "last_seq", before + sent);
}

void crowd_produce(struct jet_bench *b, int first, int n, int i)
{
    crowd_produce_to(b, first, n, i, i + 1, "");
}

natsSubscription *crowd_news(struct jet_bench *b)
{
    natsSubscription *news = NULL;

    ck_assert_int_eq(
        natsConnection_SubscribeSync(&news, b->nc, "$JS.EVENT.ADVISORY.CONSUMER.*.S.*"),
        NATS_OK);
    return news;
}

int crowd_next_news(natsSubscription *news, const char *what, const char *mark,
                    uint64_t ms, char name[CROWD_NAME_ROOM])
{
    uint64_t deadline = threads_now_ms() + ms;
    char told[32];
    natsMsg *msg;

    (void)snprintf(told, sizeof told, ".%s.", what);
    for (name[0] = '\0'; name[0] == '\0'; natsMsg_Destroy(msg)) {
        uint64_t now = threads_now_ms();
        int64_t left = now < deadline ? (int64_t)(deadline - now) : 0;

        if (natsSubscription_NextMsg(&msg, news, left) != NATS_OK)
            return 0;
        const char *subject = natsMsg_GetSubject(msg);
        if (strstr(subject, told) != NULL && strstr(subject, mark) != NULL)
            (void)snprintf(name, CROWD_NAME_ROOM, "%s", strrchr(subject, '.') + 1);
    }
    return 1;
}

void crowd_run(struct jet_host *h, int first, int n, uint64_t credit)
{
    char id[16];

    for (int lane = first; lane < first + n; lane++) {
        (void)snprintf(id, sizeof id, "%d", lane);
        ck_assert_int_eq(host_run(h, (uint32_t)lane, id, 1, 0, 0, credit), PARTI_OK);
    }
}

/* The first lane from 'lane' on that has not had so many. */
static int behind(struct jet_host *h, int lane, int end, uint32_t messages)
{
    gate_lock(&h->gate);
    while (lane < end && h->lane[lane].n >= messages)
        lane++;
    gate_unlock(&h->gate);
    return lane;
}

json_int_t crowd_await(struct jet_bench *b, struct jet_host *h, int first, int n,
                       uint32_t messages)
{
    uint64_t deadline = threads_now_ms() + CROWD_MS;
    json_int_t most = 0;
    int lane = first;

    while ((lane = behind(h, lane, first + n, messages)) < first + n) {
        json_int_t now = crowd_state(b, "consumer_count");

        most = now > most ? now : most;
        ck_assert_msg(threads_now_ms() < deadline,
                      "lane %d has %u messages, not %u; begun %d times, trouble %d '%s'; "
                      "%lld consumers",
                      lane, h->lane[lane].n, messages, h->lane[lane].begun_n,
                      (int)h->lane[lane].code, h->lane[lane].text, (long long)now);
        look_away();
    }
    return most;
}

void crowd_expect(struct jet_host *h, int first, int n, uint32_t messages)
{
    for (int lane = first; lane < first + n; lane++)
        host_expect(h, (uint32_t)lane, messages, 0);
}

void crowd_done(struct jet_host *h, int first, int n)
{
    for (int lane = first; lane < first + n; lane++) {
        const struct host_lane *l = &h->lane[lane];

        host_done(h, (uint32_t)lane, l->position[l->n - 1] + 1);
    }
}
