/* Messages through `parti run`: supervised commands get them as lines and answer. */
#include "config.h"

#include "cli_rig.h"
#include "field.h"
#include "hand_rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { STEP = 10 };

START_TEST(messages_go_to_the_command_and_its_answers_count)
{
    hand_begin(_i);
    field_put(0, 0, 50);
    field_put(1, 0, 50);
    hand_start(field_conf(2, ""));
    hand_await(100);
    hand_stop();
    /* What was acknowledged is in the record. */
    field_put(0, 50, 10);
    hand_start(field_conf(2, ""));
    hand_await(110);
    hand_stop();
    for (int p = 0; p < 2; p++) {
        int next = 0;

        for (size_t i = 0; i < hand.n; i++)
            if (hand.handled[i].part == p)
                ck_assert_int_eq((int)strtol(hand.handled[i].data, NULL, 10), next++);
        ck_assert_int_eq(next, p == 0 ? 60 : 50);
    }
    hand_end();
}
END_TEST

START_TEST(nak_term_progress_and_silence_mean_what_they_say)
{
    static const char *const lines[] = {"a",           "nak-it",  "term-it",
                                        "still-at-it", "hang-it", "b"};
    static const char *const wanted[] = {"a",           "nak-it",  "nak-it",  "term-it",
                                         "still-at-it", "hang-it", "hang-it", "b"};

    hand_begin(_i);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        field_put_line(0, lines[i]);
    hand_start(field_conf(1, "handle_timeout = 200 ms\nretry_first = 10 ms\n"
                             "dead_letter = graveyard\n"));
    hand_await(8);
    hand_stop();
    for (size_t i = 0; i < 8; i++)
        ck_assert_str_eq(hand.handled[i].data, wanted[i]);
    ck_assert_uint_eq(hand.handled[2].attempt, 2);
    ck_assert_uint_eq(hand.handled[6].attempt, 2);
    const char *dead = field_file("dead");
    cli_has(dead, "graveyard 20 ");
    cli_has(dead, " term-it\n");
    hand_end();
}
END_TEST

START_TEST(a_lone_message_waits_for_no_other)
{
    uint64_t begun_ms;

    hand_begin(_i);
    field_put(0, 0, 1);
    hand_start(field_conf(2, ""));
    hand_await(1);
    begun_ms = clock_boot_ms();
    for (int i = 1; i <= 20; i++) {
        field_put(0, i, 1);
        hand_await((size_t)i + 1);
    }
    /* Far less than any time after which somebody would look by himself. */
    ck_assert_uint_lt(clock_boot_ms() - begun_ms, 5000);
    hand_stop();
    hand_end();
}
END_TEST

START_TEST(raw_messages_come_with_their_length_and_any_bytes)
{
    hand_begin(_i);
    field_put_line(0, "@X610a62");
    field_put_line(0, "@Dplain");
    field_put_line(0, "@D");
    field_put_line(0, "@Dend");
    hand_start(field_conf(1, "format = raw\n"));
    /* The empty one shows no word, so it is not counted. */
    hand_await(3);
    hand_stop();
    ck_assert_str_eq(hand.handled[0].data, "a.b");
    ck_assert_str_eq(hand.handled[1].data, "plain");
    ck_assert_str_eq(hand.handled[2].data, "end");
    ck_assert_uint_eq(hand.handled[2].position, 3 * STEP);
    hand_end();
}
END_TEST

START_TEST(bytes_that_are_no_text_come_in_base64)
{
    hand_begin(_i);
    field_put_line(0, "@X00ff0a41");
    hand_start(field_conf(1, ""));
    hand_await(1);
    hand_stop();
    ck_assert_str_eq(hand.handled[0].data, "AP8KQQ==");
    hand_end();
}
END_TEST

START_TEST(a_command_that_dies_gets_what_it_had_again_and_only_the_culprit_counts)
{
    hand_begin(_i);
    field_put_line(0, "die-of-it");
    field_put(0, 1, 5);
    for (int p = 1; p < 4; p++)
        field_put(p, 0, 5);
    hand_start(field_conf(4, "attempts_max = 2\nretry_first = 10 ms\ndead_letter = d\n"));
    hand_await(1 + 4 * 5 + 1);
    hand_stop();
    ck_assert_str_eq(field_file("dead"), "");
    int next[4] = {0};
    int pid = 0;
    for (size_t i = 0; i < hand.n; i++) {
        const struct hand_handled *h = &hand.handled[i];

        if (strcmp(h->data, "die-of-it") == 0) {
            ck_assert_int_eq(next[0], 0);
            ck_assert(h->attempt == 1 || h->pid != pid);
            pid = h->pid;
            if (h->attempt == 2)
                next[0] = 1;
            continue;
        }
        /* Order of the partition, also over the death; once more at most is one whose
         * answer had not been read by then. */
        int number = (int)strtol(h->data, NULL, 10);
        ck_assert(number == next[h->part] ||
                  (number == next[h->part] - 1 && h->pid == pid));
        next[h->part] = number + 1;
    }
    hand_end();
}
END_TEST

START_TEST(several_commands_have_their_own_partitions_each)
{
    enum { PARTS = 6, EACH = 10 };
    int pid_of[PARTS] = {0}, pids[3] = {0}, n = 0;

    hand_begin(_i);
    for (int p = 0; p < PARTS; p++)
        field_put(p, 0, EACH);
    hand_start(field_conf(PARTS, "children = 3\n"));
    hand_await(PARTS * EACH);
    hand_stop();
    for (size_t i = 0; i < hand.n; i++) {
        const struct hand_handled *h = &hand.handled[i];
        int at = 0;

        ck_assert(pid_of[h->part] == 0 || pid_of[h->part] == h->pid);
        pid_of[h->part] = h->pid;
        while (at < n && pids[at] != h->pid)
            at++;
        ck_assert_int_lt(at, 3);
        if (at == n)
            pids[n++] = h->pid;
    }
    ck_assert_int_eq(n, 3);
    for (int i = 0; i < n; i++) {
        int held = 0;

        for (int p = 0; p < PARTS; p++)
            held += pid_of[p] == pids[i];
        ck_assert_int_eq(held, PARTS / 3);
    }
    hand_end();
}
END_TEST

/* Which process got the word; 0: none yet. */
static int deaf_pid(void)
{
    for (size_t i = 0; i < hand.n; i++)
        if (strcmp(hand.handled[i].data, "deaf") == 0)
            return hand.handled[i].pid;
    return 0;
}

START_TEST(a_command_that_does_not_read_holds_up_only_itself)
{
    hand_begin(_i);
    field_put_line(0, "deaf");
    for (int p = 0; p < 4; p++)
        field_put(p, 1, 20);
    hand_start(field_conf(4, "children = 2\nhandle_timeout = 10 s\n"));
    /* All of the other one's two partitions; this one's stand. */
    for (size_t others = 0; others < 2 * 20;) {
        hand_await(hand.n + 1);
        others = 0;
        for (size_t i = 0; i < hand.n && deaf_pid() != 0; i++)
            others += hand.handled[i].pid != deaf_pid();
    }
    ck_assert_uint_lt(hand.n, 1 + 4 * 20);
    field_write("wake", "");
    hand_await(1 + 4 * 20);
    hand_stop();
    hand_end();
}
END_TEST

/* The other worker's lines; those of the first stand in hand.hand. */
static bool seen[4][200];
static int seen_n, next_of[4];

static void mark_seen(const struct hand_handled *h)
{
    long number = strtol(h->data, NULL, 10);

    seen_n += !seen[h->part][number];
    seen[h->part][number] = true;
}

static void note_seen(const char *line)
{
    struct hand_handled h;

    if (hand_read(line, &h))
        mark_seen(&h);
}

static bool see(const char *line, void *ctx)
{
    struct hand_handled h;

    (void)ctx;
    if (!hand_read(line, &h))
        return false;
    int number = (int)strtol(h.data, NULL, 10);
    ck_assert(next_of[h.part] < 0 || number == next_of[h.part]);
    next_of[h.part] = number + 1;
    mark_seen(&h);
    return seen_n == 4 * 200;
}

START_TEST(after_a_killed_worker_another_one_goes_on_without_a_gap)
{
    static struct cli_live first;
    const char *conf;

    hand_begin(_i);
    for (int p = 0; p < 4; p++) {
        field_put(p, 0, 100);
        next_of[p] = -1;
    }
    conf = field_conf(4, "commit_interval = 20 ms\n");
    hand_start(conf);
    hand_await(50);
    first = hand.live;
    hand_start(conf); /* lives in hand.live; takes half of them */
    ck_assert_int_eq(kill(first.pid, SIGKILL), 0);
    ck_assert_int_eq(waitpid(first.pid, NULL, 0), first.pid);
    for (int p = 0; p < 4; p++)
        field_put(p, 100, 100);
    for (size_t i = 0; i < hand.n; i++)
        mark_seen(&hand.handled[i]);
    /* What the first one handled and nobody has read yet is in its pipe. */
    ssize_t got =
        read(first.out, first.buffer + first.n, sizeof first.buffer - first.n - 1);
    first.buffer[first.n + (got > 0 ? (size_t)got : 0)] = '\0';
    for (char *line = first.buffer + first.taken, *end; line != NULL; line = end) {
        end = strchr(line, '\n');
        if (end != NULL)
            *end++ = '\0';
        note_seen(line);
    }
    cli_line(&hand.live, see, NULL);
    (void)close(first.out);
    hand_stop();
    hand_end();
}
END_TEST

START_TEST(without_a_command_consuming_is_refused)
{
    hand_begin(_i);
    const char *conf = field_conf(1, "");
    cli_has(CLI_EXPECT(2, "run", "-c", conf)->err,
            "[consume] is there, but this application takes no messages");
    hand_end();
}
END_TEST

START_TEST(the_consumers_section_is_checked_and_shown)
{
    char build[512], plugins[600];

    hand_begin(_i);
    const char *conf = field_conf(1, "");
    CLI_EXPECT(0, "config", "check", conf);
    cli_has(CLI_EXPECT(0, "config", "show", conf)->out, "[consume]\nplugin = ");
    conf = field_conf(1, "handlrs = 3\n");
    cli_has(CLI_EXPECT(2, "config", "check", conf)->err,
            "unknown key 'handlrs' in [consume]; did you mean 'handlers'?");
    conf = field_conf(1, "behave = badconf\n");
    cli_has(CLI_EXPECT(2, "config", "check", conf)->err,
            "parti.ini:16: consume broker: such behaviour does not please");
    conf = field_conf(3, "behave = unfit\n");
    cli_has(CLI_EXPECT(2, "config", "check", conf)->err,
            ": consume broker: 3 of 3 partitions cannot be read, the first is p/0: the "
            "partition has too few keys\n");
    conf = field_conf(1, "in_flight = 9\nin_flight_total = 8\n");
    cli_has(CLI_EXPECT(2, "config", "check", "--offline", conf)->err,
            "in_flight (9) is above in_flight_total (8)");
    conf = field_conf(1, "deliver_max = 65\n");
    cli_has(CLI_EXPECT(2, "config", "check", "--offline", conf)->err,
            "deliver_max (65) is above in_flight (64)");
    conf = field_conf(1, "retry_first = 1 min\n");
    cli_has(CLI_EXPECT(2, "config", "check", "--offline", conf)->err,
            "retry_first (1 min) is above retry_max (30 s)");
    char wrong[1024];
    format(wrong, sizeof wrong,
           "[parti]\ngroup = g\nplugin_dir = %s/plugins/.libs\n[source]\n"
           "plugin = static\npartitions = p/0\n[consume]\nplugin = static\n",
           getenv("PARTI_BUILDDIR"));
    conf = cli_file("wrong.ini", wrong);
    cli_has(CLI_EXPECT(2, "config", "check", conf)->err, "wrong.ini:8: PARTI-E209");
    cli_has(CLI_EXPECT(2, "config", "check", conf)->err,
            "is a source, not a consumer of messages");
    format(build, sizeof build, "%s", getenv("PARTI_BUILDDIR"));
    format(plugins, sizeof plugins, "%s/tests/plugins/.libs/broker.so", build);
    const char *out = CLI_EXPECT(0, "plugins", "describe", plugins)->out;
    cli_has(out, "is       consumer\n");
    cli_has(out, "keys in [consume]\n");
    json_t *o = cli_json(CLI_EXPECT(0, "plugins", "describe", plugins, "-o", "json"));
    ck_assert_uint_eq(
        json_array_size(json_object_get(json_object_get(o, "consumer"), "options")), 2);
    json_decref(o);
    hand_end();
}
END_TEST

FIELD_MAIN("run_consume", messages_go_to_the_command_and_its_answers_count,
           nak_term_progress_and_silence_mean_what_they_say,
           a_lone_message_waits_for_no_other,
           raw_messages_come_with_their_length_and_any_bytes,
           bytes_that_are_no_text_come_in_base64,
           a_command_that_dies_gets_what_it_had_again_and_only_the_culprit_counts,
           several_commands_have_their_own_partitions_each,
           a_command_that_does_not_read_holds_up_only_itself,
           after_a_killed_worker_another_one_goes_on_without_a_gap,
           without_a_command_consuming_is_refused,
           the_consumers_section_is_checked_and_shown)
