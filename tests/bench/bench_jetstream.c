/* Messages a second through the consumer role of jetstream, against a bare pull loop of
 * nats.c in the same run: the same stream, the same window.
 *
 *     bench_jetstream [MESSAGES [WINDOW]]
 */
#include "config.h"

#include "jet_bench.h"
#include "jet_host.h"

#include <stdio.h>

static struct jet_bench b;
static struct jet_host host;

static void fill(int lanes, int n)
{
    char subject[32], data[128];

    memset(data, 'x', sizeof data);
    for (int i = 0; i < n; i++) {
        (void)snprintf(subject, sizeof subject, "p.%d", i % lanes);
        ck_assert_int_eq(natsConnection_Publish(b.nc, subject, data, sizeof data),
                         NATS_OK);
    }
    /* The last one is told of when all before it are in. */
    jet_api(&b, "$JS.API.STREAM.INFO.S", "");
    ck_assert_int_eq(natsConnection_Flush(b.nc), NATS_OK);
}

static double rate(int n, uint64_t begun_us)
{
    return (double)n * 1e6 / (double)(threads_now_us() - begun_us);
}

static double bare(int n, int room)
{
    jsCtx *js = NULL;
    natsSubscription *sub = NULL;
    jsSubOptions options;
    int had = 0;

    /* Without acks, as the role reads; nats.c would refuse to make such a one. */
    jet_api(&b, "$JS.API.CONSUMER.CREATE.S.bare.p.>",
            "{\"stream_name\":\"S\",\"config\":{\"name\":\"bare\",\"durable_name\":"
            "\"bare\",\"filter_subject\":\"p.>\",\"ack_policy\":\"none\","
            "\"mem_storage\":true,\"num_replicas\":1}}");
    ck_assert_int_eq(natsConnection_JetStream(&js, b.nc, NULL), NATS_OK);
    ck_assert_int_eq(jsSubOptions_Init(&options), NATS_OK);
    options.Stream = "S";
    options.Consumer = "bare";
    options.Config.MemoryStorage = true; /* it compares */
    uint64_t begun = threads_now_us();
    ck_assert_msg(js_PullSubscribe(&sub, js, "p.>", "bare", NULL, &options, NULL) ==
                      NATS_OK,
                  "%s", nats_GetLastError(NULL));
    while (had < n) {
        natsMsgList list;

        ck_assert_int_eq(natsSubscription_Fetch(&list, sub, room, 5000, NULL), NATS_OK);
        had += list.Count;
        natsMsgList_Destroy(&list);
    }
    double result = rate(n, begun);
    natsSubscription_Destroy(sub);
    jsCtx_Destroy(js);
    jet_api(&b, "$JS.API.CONSUMER.DELETE.S.bare", "");
    return result;
}

static double through(int lanes, int n, int room)
{
    const char *const pairs[] = {"url", b.url, "stream", "S", "subject", "p.{1}", NULL};

    host_start(&host, pairs);
    ck_assert_ptr_nonnull(host.self);
    host.is_counting = 1;
    host.target = (uint32_t)(n / lanes);
    host.window = (uint64_t)room;
    uint64_t begun = threads_now_us();
    for (int i = 0; i < lanes; i++) {
        char id[8];

        (void)snprintf(id, sizeof id, "%d", i);
        ck_assert_int_eq(host_run(&host, (uint32_t)i, id, 1, 0, 0, (uint64_t)room),
                         PARTI_OK);
    }
    for (int i = 0; i < lanes; i++)
        host_await(&host, (uint32_t)i, (uint32_t)(n / lanes));
    double result = rate(n, begun);
    host_finish(&host);
    return result;
}

static void compare(const struct server_program *program, int lanes, int n, int room)
{
    jet_start(&b, &(struct server_options){.program = program}, "");
    jet_api(&b, "$JS.API.STREAM.CREATE.S",
            "{\"name\":\"S\",\"subjects\":[\"p.>\"],\"storage\":\"memory\"}");
    fill(lanes, n);
    for (int i = 0; i < 3; i++) {
        double without = bare(n, room), with = through(lanes, n, room);

        (void)printf("%s, %d partitions: bare %.0f/s, role %.0f/s, %.2f\n",
                     program->version, lanes, without, with, with / without);
    }
    jet_finish(&b);
}

static int messages = 200000, window = 512;

START_TEST(bench)
{
    const struct server_program *programs;
    size_t programs_n = server_programs(&programs);

    for (size_t i = 0; i < programs_n; i++) {
        compare(&programs[i], 1, messages, window);
        compare(&programs[i], 4, messages, window);
        (void)fflush(stdout);
    }
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {bench}; /* the rig's checks need a frame */

    if (argc > 1)
        messages = (int)strtol(argv[1], NULL, 10);
    if (argc > 2)
        window = (int)strtol(argv[2], NULL, 10);
    return unit_run("bench_jetstream", tests, 1);
}
