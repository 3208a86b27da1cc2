/* One reader of the whole stream for many lanes: when there is one, and that no message
 * is missed, doubled or out of order by it. */
#include "config.h"

#include "jet_crowd.h"

#include <stdio.h>
#include <string.h>

/* FIRST of the backlog is read before the rest of the credit is given. */
enum { LANES = 64, BACKLOG = 2500, FIRST = 1500, SOON_MS = 10000 };

static struct jet_bench b;
static struct jet_host one;
/* What the server tells of consumers: also of one that nobody would find by looking. */
static natsSubscription *news;

static void begin_with(int i, const char *storage)
{
    jet_start(&b, &(struct server_options){.program = rig_program(i)}, "");
    crowd_stream(&b, "limits", storage, -1);
    news = crowd_news(&b);
}

static void begin(int i)
{
    begin_with(i, "memory");
}

static void end(void)
{
    host_finish(&one);
    natsSubscription_Destroy(news);
    jet_finish(&b);
}

static void await_whole(char name[CROWD_NAME_ROOM])
{
    ck_assert_msg(crowd_next_news(news, "CREATED", "_whole_", SOON_MS, name),
                  "there is no whole reader");
}

/* Nobody has had one so far. */
static void expect_no_whole(void)
{
    char name[CROWD_NAME_ROOM];

    ck_assert_int_eq(natsConnection_Flush(b.nc), NATS_OK);
    ck_assert_msg(!crowd_next_news(news, "CREATED", "_whole_", 0, name), "there was %s",
                  name);
}

static void join_with(const char *overread, const char *subject, const char *readers)
{
    const char *const pairs[] = {"url",     b.url,   "stream", "S",        "subject",
                                 subject,   "name",  "test",   "overread", overread,
                                 "readers", readers, NULL};

    host_start(&one, pairs);
    ck_assert_msg(one.self != NULL, "%s", one.error.text);
}

static void join(const char *overread)
{
    join_with(overread, "p.{1}", "128");
}

static void produce(int first, int n, int from, int to)
{
    crowd_produce_to(&b, first, n, from, to, "");
}

/* The name of the whole reader, "": there is none. */
static void whole_name(char to[256])
{
    json_t *o = jet_ask(&b, "$JS.API.CONSUMER.NAMES.S", "");
    json_t *names = json_object_get(o, "consumers"), *name;
    size_t i;

    to[0] = '\0';
    json_array_foreach(names, i, name)
    {
        if (strstr(json_string_value(name), "_whole_") != NULL)
            (void)snprintf(to, 256, "%s", json_string_value(name));
    }
    json_decref(o);
}

/* As anybody may; it may have gone by itself. */
static void delete_reader(const char *name)
{
    char subject[320];

    (void)snprintf(subject, sizeof subject, "$JS.API.CONSUMER.DELETE.S.%s", name);
    json_decref(jet_ask(&b, subject, ""));
}

/* Runs begin while the server stands, and wait for it: so when it goes on all of them are
 * behind, however quick it is, and there is a whole reader at the first look. */
static void hold_up(void)
{
    server_freeze(&b.server);
}

static void thaw(int n)
{
    for (int lane = 0; lane < n; lane++)
        host_await_trouble(&one, (uint32_t)lane, PARTI_RETRY, "");
    server_thaw(&b.server);
}

static void let_go(int n, char name[CROWD_NAME_ROOM])
{
    thaw(n);
    await_whole(name);
}

/* LANES lanes with a backlog and so much credit each; there is a whole reader now. */
static void read_whole(uint64_t credit, char name[CROWD_NAME_ROOM])
{
    produce(0, LANES, 0, BACKLOG);
    hold_up();
    join("4");
    crowd_run(&one, 0, LANES, credit);
    let_go(LANES, name);
}

START_TEST(many_lanes_with_much_to_read_are_read_by_one_consumer)
{
    char name[CROWD_NAME_ROOM];

    begin(_i);
    read_whole(4000, name);
    crowd_await(&b, &one, 0, LANES, BACKLOG);
    crowd_await_state(&b, "consumer_count", 1);
    /* And what comes from now on comes through it. */
    produce(0, LANES, BACKLOG, BACKLOG + 10);
    ck_assert_int_le(crowd_await(&b, &one, 0, LANES, BACKLOG + 10), 1);
    crowd_expect(&one, 0, LANES, BACKLOG + 10);
    end();
}
END_TEST

/* n lanes that are all far behind at the first look, and nobody ever has a whole reader.
 */
static void read_each(const char *overread, int n)
{
    hold_up();
    join(overread);
    crowd_run(&one, 0, n, 4000);
    thaw(n);
    crowd_await(&b, &one, 0, n, BACKLOG);
    crowd_expect(&one, 0, n, BACKLOG);
    expect_no_whole();
    host_finish(&one);
}

START_TEST(few_lanes_or_a_small_part_of_the_stream_or_none_wished_have_readers_each)
{
    begin(_i);
    produce(0, LANES, 0, BACKLOG);
    read_each("0", LANES);
    read_each("64", 40);
    /* Others have five times as many subjects. */
    produce(LANES, 5 * LANES, 0, 1);
    read_each("4", LANES);
    natsSubscription_Destroy(news);
    jet_finish(&b);
}
END_TEST

START_TEST(a_lane_that_gives_no_credit_has_a_reader_of_its_own_and_holds_up_nobody)
{
    char name[CROWD_NAME_ROOM];

    begin(_i);
    produce(0, LANES, 0, BACKLOG);
    hold_up();
    join("4");
    crowd_run(&one, 0, 1, FIRST);
    crowd_run(&one, 1, LANES - 1, 4000);
    let_go(LANES, name);
    crowd_await(&b, &one, 1, LANES - 1, BACKLOG);
    crowd_await_state(&b, "consumer_count", 2);
    host_expect(&one, 0, FIRST, 0);
    /* With credit it catches up, and goes back to the others in the end. */
    host_credit(&one, 0, 2000);
    crowd_await(&b, &one, 0, 1, BACKLOG);
    produce(0, LANES, BACKLOG, BACKLOG + 10);
    crowd_await(&b, &one, 0, LANES, BACKLOG + 10);
    crowd_await_state(&b, "consumer_count", 1);
    produce(0, LANES, BACKLOG + 10, BACKLOG + 20);
    crowd_await(&b, &one, 0, LANES, BACKLOG + 20);
    crowd_expect(&one, 0, LANES, BACKLOG + 20);
    end();
}
END_TEST

START_TEST(lanes_come_and_go_while_it_reads)
{
    char name[CROWD_NAME_ROOM];

    begin(_i);
    produce(0, 2 * LANES, 0, BACKLOG);
    hold_up();
    join("4");
    crowd_run(&one, 0, LANES, 4000);
    let_go(LANES, name);
    crowd_await(&b, &one, 0, LANES, BACKLOG);
    /* These begin far behind it, and end where it is. */
    crowd_run(&one, LANES, LANES, 4000);
    for (uint32_t lane = 0; lane < 8; lane++)
        host_stop(&one, lane, 0);
    crowd_await(&b, &one, LANES, LANES, BACKLOG);
    produce(0, 2 * LANES, BACKLOG, BACKLOG + 50);
    crowd_await(&b, &one, 8, 2 * LANES - 8, BACKLOG + 50);
    crowd_await_state(&b, "consumer_count", 1);
    for (uint32_t lane = 0; lane < 8; lane++) {
        const struct host_lane *l = &one.lane[lane];
        char id[16];

        (void)snprintf(id, sizeof id, "%u", (unsigned)lane);
        ck_assert_int_eq(
            host_run(&one, lane, id, 2, l->origin, l->position[l->n - 1] + 1, 2000),
            PARTI_OK);
    }
    crowd_await(&b, &one, 0, 8, BACKLOG + 50);
    crowd_expect(&one, 0, 2 * LANES, BACKLOG + 50);
    end();
}
END_TEST

START_TEST(deleted_behind_our_back_it_costs_no_message)
{
    char name[CROWD_NAME_ROOM];

    begin(_i);
    read_whole(FIRST, name);
    delete_reader(name);
    for (uint32_t lane = 0; lane < LANES; lane++)
        host_credit(&one, lane, 2000);
    crowd_await(&b, &one, 0, LANES, BACKLOG);
    produce(0, LANES, BACKLOG, BACKLOG + 10);
    crowd_await(&b, &one, 0, LANES, BACKLOG + 10);
    crowd_expect(&one, 0, LANES, BACKLOG + 10);
    end();
}
END_TEST

START_TEST(a_server_that_restarts_costs_no_message)
{
    char name[CROWD_NAME_ROOM];

    begin_with(_i, "file");
    read_whole(FIRST, name);
    crowd_await(&b, &one, 0, LANES, FIRST);
    gate_lock(&one.gate);
    one.lane[0].trouble = PARTI_OK;
    gate_unlock(&one.gate);
    jet_stop(&b);
    host_await_trouble(&one, 0, PARTI_RETRY, "");
    jet_restart(&b);
    for (uint32_t lane = 0; lane < LANES; lane++)
        host_credit(&one, lane, 2000);
    crowd_await(&b, &one, 0, LANES, BACKLOG);
    host_await_trouble(&one, 0, PARTI_OK, "");
    crowd_expect(&one, 0, LANES, BACKLOG);
    end();
}
END_TEST

START_TEST(of_a_stream_made_anew_nothing_is_given_to_runs_of_the_old_one)
{
    char name[CROWD_NAME_ROOM];

    begin(_i);
    read_whole(4000, name);
    crowd_await(&b, &one, 0, LANES, BACKLOG);
    jet_api(&b, "$JS.API.STREAM.DELETE.S", "");
    crowd_stream(&b, "limits", "memory", -1);
    produce(0, LANES, 0, BACKLOG + 20);
    for (uint32_t lane = 0; lane < LANES; lane++)
        host_await_trouble(&one, lane, PARTI_BADINPUT, "made anew");
    crowd_expect(&one, 0, LANES, BACKLOG);
    end();
}
END_TEST

START_TEST(a_lane_with_a_little_credit_now_and_then_holds_up_nobody)
{
    char name[CROWD_NAME_ROOM];
    json_int_t readers = 0;

    begin(_i);
    produce(0, LANES, 0, 2 * BACKLOG);
    hold_up();
    join("4");
    one.is_counting = 1;
    one.window = 16;
    crowd_run(&one, 0, LANES, 16);
    let_go(LANES, name);
    crowd_await_state(&b, "consumer_count", 1);
    /* The others have back at once what they take, this one a twentieth of that, and not
     * nothing where they wait for it. */
    uint64_t now = threads_now_ms(), deadline = now + SOON_MS, given_ms = 0;
    for (uint32_t given_at = 0; readers < 2; now = threads_now_ms()) {
        ck_assert_msg(now < deadline, "it is not put out");
        gate_lock(&one.gate);
        one.used[0] = 0;
        uint32_t at = one.lane[1].n;
        gate_unlock(&one.gate);
        if (at >= given_at + 20 || now - given_ms >= 100) {
            host_credit(&one, 0, 1);
            given_at = at;
            given_ms = now;
        }
        readers = crowd_state(&b, "consumer_count");
    }
    crowd_await(&b, &one, 1, LANES - 1, 2 * BACKLOG);
    end();
}
END_TEST

START_TEST(records_of_another_life_of_the_stream_are_no_reason_to_begin_there)
{
    char name[CROWD_NAME_ROOM], later[CROWD_NAME_ROOM], id[16];

    begin(_i);
    produce(0, LANES, 0, BACKLOG);
    hold_up();
    join_with("4", "p.{1}", "4");
    for (uint32_t lane = 0; lane < LANES; lane++) {
        (void)snprintf(id, sizeof id, "%u", (unsigned)lane);
        ck_assert_int_eq(host_run(&one, lane, id, 1, 12345, 1000000, 4000), PARTI_OK);
    }
    let_go(LANES, name);
    crowd_await(&b, &one, 0, LANES, BACKLOG);
    crowd_await_state(&b, "consumer_count", 1);
    whole_name(later);
    ck_assert_str_eq(name, later);
    crowd_expect(&one, 0, LANES, BACKLOG);
    end();
}
END_TEST

START_TEST(what_the_host_has_no_memory_for_is_given_again)
{
    char name[CROWD_NAME_ROOM];

    begin(_i);
    read_whole(FIRST, name);
    crowd_await(&b, &one, 0, LANES, FIRST);
    gate_lock(&one.gate);
    one.refuses = 20;
    gate_unlock(&one.gate);
    for (uint32_t lane = 0; lane < LANES; lane++)
        host_credit(&one, lane, 2000);
    crowd_await(&b, &one, 0, LANES, BACKLOG);
    crowd_expect(&one, 0, LANES, BACKLOG);
    end();
}
END_TEST

START_TEST(a_reader_that_drops_nearly_all_that_comes_is_given_up)
{
    char name[CROWD_NAME_ROOM];

    begin(_i);
    for (int i = 0; i < 100; i++) {
        produce(0, LANES, i, i + 1);
        produce(LANES, 1, 12 * LANES * i, 12 * LANES * (i + 1));
    }
    hold_up();
    join_with("4", "p.{1}", "4");
    crowd_run(&one, 0, LANES, 4000);
    let_go(LANES, name);
    crowd_await(&b, &one, 0, LANES, 100);
    ck_assert_msg(crowd_next_news(news, "DELETED", "_whole_", SOON_MS, name), "it stays");
    crowd_expect(&one, 0, LANES, 100);
    end();
}
END_TEST

START_TEST(wildcards_and_a_subject_of_two_lanes_are_no_trouble)
{
    char name[CROWD_NAME_ROOM];

    begin(_i);
    crowd_produce_to(&b, 0, LANES, 0, BACKLOG / 2, ".a");
    crowd_produce_to(&b, 0, LANES, BACKLOG / 2, BACKLOG, ".b.c");
    hold_up();
    join_with("4", "p.{1}.>", "128");
    crowd_run(&one, 0, LANES, 4000);
    ck_assert_int_eq(host_run(&one, LANES, "0/x", 1, 0, 0, FIRST), PARTI_OK);
    let_go(LANES + 1, name);
    crowd_await(&b, &one, 0, LANES, BACKLOG);
    crowd_await(&b, &one, LANES, 1, FIRST);
    host_credit(&one, LANES, 2000);
    crowd_await(&b, &one, LANES, 1, BACKLOG);
    crowd_expect(&one, 0, LANES + 1, BACKLOG);
    end();
}
END_TEST

/* Numbers that look random and are the same in each run. */
static uint32_t draw(uint64_t *state, uint32_t n)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33) % n;
}

static void run_on(uint32_t lane, uint64_t gen, uint64_t credit)
{
    const struct host_lane *l = &one.lane[lane];
    char id[16];

    (void)snprintf(id, sizeof id, "%u", (unsigned)lane);
    ck_assert_int_eq(host_run(&one, lane, id, gen, l->origin,
                              l->n > 0 ? l->position[l->n - 1] + 1 : 0, credit),
                     PARTI_OK);
}

/* Stops lanes, begins them anew where they were, gives little or much credit, deletes the
 * whole reader, and produces for few or many: each lane has each of its messages once and
 * in order. */
START_TEST(whatever_lanes_do_each_has_its_messages_once_and_in_order)
{
    enum { ALL = 96, STEPS = 300, MOST = 3500 };
    int produced[ALL];
    uint64_t state = 1 + (uint64_t)_i;
    char name[CROWD_NAME_ROOM];
    uint32_t seen = 0, deleted = 0;

    begin(_i);
    produce(0, ALL, 0, 1500);
    for (int lane = 0; lane < ALL; lane++)
        produced[lane] = 1500;
    hold_up();
    join("4");
    crowd_run(&one, 0, ALL, 1000);
    let_go(ALL, name);
    for (uint64_t step = 0; step < STEPS; step++) {
        uint32_t lane = draw(&state, ALL), what = draw(&state, 11);
        int n = 1 + (int)draw(&state, 60), few = 1 + (int)draw(&state, ALL - lane);

        if (what < 2 && one.lane[lane].run != 0) {
            host_stop(&one, lane, 0);
        } else if (what < 5 && one.lane[lane].run == 0) {
            run_on(lane, 2 + step, draw(&state, 200));
        } else if (what < 6) {
            for (int k = (int)lane; k < (int)lane + few; k++)
                if (produced[k] != produced[lane] || produced[k] + n > MOST)
                    few = k - (int)lane;
            produce((int)lane, few, produced[lane], produced[lane] + n);
            for (int k = (int)lane; k < (int)lane + few; k++)
                produced[k] += n;
        } else if (what == 10) {
            if (step > STEPS / 2 && deleted++ < 3 && name[0] != '\0')
                delete_reader(name);
        } else {
            for (uint32_t k = 0; k < ALL; k += 1 + draw(&state, 2))
                if (one.lane[k].run != 0)
                    host_credit(&one, k, draw(&state, 60));
        }
        whole_name(name);
        seen += name[0] != '\0';
    }
    for (uint32_t lane = 0; lane < ALL; lane++) {
        if (one.lane[lane].run == 0)
            run_on(lane, 2 + STEPS, 0);
        host_credit(&one, lane, HOST_MESSAGES);
    }
    for (int lane = 0; lane < ALL; lane++)
        crowd_await(&b, &one, lane, 1, (uint32_t)produced[lane]);
    for (int lane = 0; lane < ALL; lane++)
        host_expect(&one, (uint32_t)lane, (uint32_t)produced[lane], 0);
    (void)printf("  a whole reader in %u of %d steps\n", seen, STEPS);
    ck_assert_uint_gt(seen, STEPS / 8);
    end();
}
END_TEST

RIG_CREW("jet_whole", many_lanes_with_much_to_read_are_read_by_one_consumer,
         few_lanes_or_a_small_part_of_the_stream_or_none_wished_have_readers_each,
         a_lane_that_gives_no_credit_has_a_reader_of_its_own_and_holds_up_nobody,
         a_lane_with_a_little_credit_now_and_then_holds_up_nobody,
         records_of_another_life_of_the_stream_are_no_reason_to_begin_there,
         what_the_host_has_no_memory_for_is_given_again,
         a_reader_that_drops_nearly_all_that_comes_is_given_up,
         wildcards_and_a_subject_of_two_lanes_are_no_trouble,
         lanes_come_and_go_while_it_reads, deleted_behind_our_back_it_costs_no_message,
         a_server_that_restarts_costs_no_message,
         of_a_stream_made_anew_nothing_is_given_to_runs_of_the_old_one,
         whatever_lanes_do_each_has_its_messages_once_and_in_order)
