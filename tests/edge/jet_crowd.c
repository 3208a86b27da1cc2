#include "config.h"

#include "jet_crowd.h"

#include <stdio.h>

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

    while (n != expected && threads_now_ms() < deadline)
        n = crowd_state(b, what);
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

void crowd_produce(struct jet_bench *b, int first, int n, int i)
{
    json_int_t before = crowd_state(b, "last_seq");
    char subject[32], text[32];

    (void)snprintf(text, sizeof text, "%d", i);
    for (int k = 0; k < n; k++) {
        (void)snprintf(subject, sizeof subject, "p.%d", first + k);
        ck_assert_int_eq(natsConnection_PublishString(b->nc, subject, text), NATS_OK);
    }
    ck_assert_int_eq(natsConnection_Flush(b->nc), NATS_OK);
    crowd_await_state(b, "last_seq", before + n);
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
