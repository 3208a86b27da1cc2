/* core/edge/child: pipes, answers, ends. */
#include "config.h"

#include "bench.h"

#include "base/status.h"

#include "unit.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct bench bench;

START_TEST(lines_go_in_and_answers_come_out)
{
    bench_start(
        &bench,
        "while read -r line; do echo \"got $line\"; echo '{\"released\": 7}'; done", 0);
    bench_tell(&bench, "{\"event\":\"revoking\"}\n");
    bench_until_answers(&bench, 1);
    ck_assert_uint_eq(bench.released, 7);
    ck_assert_str_eq(bench.out, "got {\"event\":\"revoking\"}\n");
    bench_finish(&bench);
}
END_TEST

START_TEST(only_the_very_answer_is_taken_all_else_passes)
{
    static const char others[] = "{\"released\": 7, \"x\": 1}\n"
                                 "{\"released\": \"7\"}\n"
                                 "{\"released\": 7.5}\n"
                                 "{\"released\": -7}\n"
                                 "{\"released\": 7} and more\n"
                                 "{\"released\": 7\n"
                                 "{\"Released\": 7}\n"
                                 "[{\"released\": 7}]\n"
                                 "{}\n"
                                 "\n"
                                 "released\n"
                                 "{\"released\": 18446744073709551616}\n";
    char script[1024];

    (void)snprintf(script, sizeof script,
                   "cat <<'END'\n%sEND\n"
                   "echo '  { \"released\" : 18446744073709551615 }  '",
                   others);
    bench_start(&bench, script, 0);
    bench_until_ended(&bench);
    ck_assert_str_eq(bench.out, others);
    ck_assert_int_eq(bench.answers, 1);
    ck_assert_uint_eq(bench.released, UINT64_MAX);
    bench_finish(&bench);
}
END_TEST

START_TEST(a_line_beyond_the_limit_passes_whole_and_is_no_answer)
{
    enum { LONG = CHILD_LINE_MAX };

    bench_start(&bench,
                "head -c 65536 /dev/zero | tr '\\0' x; echo '{\"released\": 1}'\n"
                "head -c 131072 /dev/zero | tr '\\0' y; echo; echo '{\"released\": 2}'",
                0);
    bench_until_ended(&bench);
    ck_assert_int_eq(bench.answers, 1);
    ck_assert_uint_eq(bench.released, 2);
    ck_assert_uint_eq(bench.out_n, LONG + strlen("{\"released\": 1}\n") + 2 * LONG + 1);
    ck_assert_uint_eq(strspn(bench.out, "x"), LONG);
    ck_assert_uint_eq(strncmp(bench.out + LONG, "{\"released\": 1}\nyy", 18), 0);
    bench_finish(&bench);
}
END_TEST

START_TEST(the_last_line_gets_the_newline_it_lacks)
{
    bench_start(&bench, "printf 'no end'", 0);
    bench_until_ended(&bench);
    ck_assert_str_eq(bench.out, "no end\n");
    bench_finish(&bench);
    /* Cut exactly where a piece ends. */
    bench_start(&bench, "head -c 65536 /dev/zero | tr '\\0' x", 0);
    bench_until_ended(&bench);
    ck_assert_uint_eq(bench.out_n, CHILD_LINE_MAX + 1);
    ck_assert_int_eq(bench.out[CHILD_LINE_MAX], '\n');
    bench_finish(&bench);
}
END_TEST

START_TEST(an_answer_may_come_split_at_any_byte_and_with_others)
{
    static const char whole[] = "{\"released\": 5}";
    char script[512];

    for (int at = 1; at < (int)sizeof whole; at++) {
        /* What stands before the cut arrives with the line that is waited for. */
        (void)snprintf(script, sizeof script,
                       "printf 'one\\n%%s' '%.*s'; read -r line; printf '%%s\\n' '%s'; "
                       "printf 'two\\n{\"released\": 6}\\n{\"released\": 7}\\nthree'",
                       at, whole, whole + at);
        bench_start(&bench, script, 0);
        bench_until_output(&bench, "one\n");
        ck_assert_int_eq(bench.answers, 0);
        bench_tell(&bench, "go\n");
        bench_until_ended(&bench);
        ck_assert_int_eq(bench.answers, 3);
        ck_assert_uint_eq(bench.released, 7);
        ck_assert_str_eq(bench.out, "one\ntwo\nthree\n");
        bench_finish(&bench);
    }
}
END_TEST

START_TEST(lines_that_were_put_go_with_the_next_flush_or_when_they_are_many)
{
    char line[1000];
    size_t n = 0;

    bench_start(&bench, "cat", 0);
    ck_assert(child_put(bench.child, "one\n", 4));
    ck_assert(child_put(bench.child, "two\n", 4));
    ck_assert_uint_eq(child_queued(bench.child), 8);
    child_flush(bench.child);
    ck_assert_uint_eq(child_queued(bench.child), 0);
    bench_until_output(&bench, "one\ntwo\n");
    ck_assert(child_put(bench.child, "three\n", 6));
    bench_tell(&bench, "four\n"); /* a line that is told takes along what was put */
    ck_assert_uint_eq(child_queued(bench.child), 0);
    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    do {
        ck_assert(child_put(bench.child, line, sizeof line));
        n++;
    } while (child_queued(bench.child) > 0 && n < 1000);
    ck_assert_uint_gt(n, 1);
    ck_assert_uint_lt(n, 100);
    child_hang_up(bench.child);
    bench_until_ended(&bench);
    ck_assert_uint_eq(bench.out_n, strlen("one\ntwo\nthree\nfour\n") + n * sizeof line);
    bench_finish(&bench);
}
END_TEST

START_TEST(an_answer_is_heard_in_a_flood)
{
    bench_start(&bench,
                "yes 'a line of a flood' &\n"
                "while read -r line; do echo '{\"released\": 3}'; done",
                0);
    bench_until_output(&bench, "a line of a flood\n");
    bench_tell(&bench, "x\n");
    bench_until_answers(&bench, 1);
    ck_assert_uint_eq(bench.released, 3);
    child_kill(bench.child);
    bench_until_ended(&bench);
    ck_assert_int_eq(bench.how, CHILD_KILLED);
    bench_finish(&bench);
}
END_TEST

START_TEST(fifty_megabytes_of_output_come_through)
{
    bench_start(&bench, "yes 123456789 | head -n 5000000; exit 3", 0);
    bench_until_ended(&bench);
    ck_assert_uint_eq(bench.out_n, 50000000);
    ck_assert_int_eq(bench.how, CHILD_EXITED);
    ck_assert_int_eq(bench.number, 3);
    bench_finish(&bench);
}
END_TEST

START_TEST(with_is_full_nothing_is_read_and_the_end_is_seen)
{
    bench_start(&bench, "echo first; read -r line; echo second", 0);
    bench_until_output(&bench, "first\n");
    bench_tell(&bench, "go\n");
    uint64_t until_ms = clock_boot_ms() + BENCH_WAIT_MS;
    while (!bench.has_ended && clock_boot_ms() < until_ms) {
        ck_assert_str_eq(bench.out, "first\n");
        bench_turn(&bench, true, BENCH_WAIT_MS);
    }
    ck_assert_str_eq(bench.out, "first\nsecond\n");
    bench_finish(&bench);
}
END_TEST

START_TEST(a_command_that_never_reads_blocks_nobody)
{
    enum { QUEUE = 300000 };
    char line[1000];
    size_t told = 0;

    memset(line, 'x', sizeof line);
    line[sizeof line - 1] = '\n';
    bench_start(&bench, "echo up; exec tail -f /dev/null", QUEUE);
    bench_until_output(&bench, "up\n");
    uint64_t start_ms = clock_boot_ms();
    while (child_tell(bench.child, line, sizeof line)) {
        told += sizeof line;
        ck_assert_uint_lt(told, 10 * QUEUE);
    }
    /* What the pipe holds (64 KiB) and the queue. */
    ck_assert_uint_gt(told, QUEUE);
    ck_assert_uint_lt(clock_boot_ms() - start_ms, 5000);
    child_kill(bench.child);
    bench_until_ended(&bench);
    ck_assert_int_eq(bench.how, CHILD_KILLED);
    bench_finish(&bench);
}
END_TEST

START_TEST(a_large_line_arrives_whole)
{
    enum { LARGE = 5000000 };
    char *line = malloc(LARGE);

    ck_assert_ptr_nonnull(line);
    memset(line, 'x', LARGE);
    line[LARGE - 1] = '\n';
    bench_start(&bench, "head -n 1 | wc -c", 0);
    ck_assert(child_tell(bench.child, line, LARGE));
    bench_until_ended(&bench);
    ck_assert_str_eq(bench.out, "5000000\n");
    free(line);
    bench_finish(&bench);
}
END_TEST

START_TEST(a_command_that_closes_its_input_is_told_nothing)
{
    bench_start(&bench, "exec <&-; echo closed; exec tail -f /dev/null", 1000);
    bench_until_output(&bench, "closed\n");
    for (int i = 0; i < 10000; i++)
        bench_tell(&bench, "a line\n");
    bench_finish(&bench);
}
END_TEST

START_TEST(hanging_up_is_the_end_of_file_after_what_is_queued)
{
    bench_start(&bench, "cat; echo over; exit 5", 0);
    bench_tell(&bench, "last words\n");
    child_hang_up(bench.child);
    bench_until_ended(&bench);
    ck_assert_str_eq(bench.out, "last words\nover\n");
    ck_assert_int_eq(bench.how, CHILD_EXITED);
    ck_assert_int_eq(bench.number, 5);
    bench_finish(&bench);
}
END_TEST

START_TEST(a_death_by_signal_is_told_from_an_exit)
{
    bench_start(&bench, "kill -SEGV $$", 0);
    bench_until_ended(&bench);
    ck_assert_int_eq(bench.how, CHILD_SIGNALED);
    ck_assert_int_eq(bench.number, SIGSEGV);
    bench_finish(&bench);
}
END_TEST

START_TEST(a_command_that_is_not_there_is_said_so)
{
    char missing[] = "/nonexistent/worker", folder[] = "/", text[256];
    char *argv[] = {missing, NULL}, *argv_folder[] = {folder, NULL};
    struct child_options options = {.argv = argv};
    struct child *child = NULL;

    ck_assert_int_eq(child_guard_create(&options.guard), 0);
    ck_assert_int_eq(child_create(&child, &options, text, sizeof text), STATUS_NOTFOUND);
    ck_assert_str_eq(text, "/nonexistent/worker: No such file or directory");
    options.argv = argv_folder;
    ck_assert_int_eq(child_create(&child, &options, text, sizeof text), STATUS_DENIED);
    ck_assert_str_eq(text, "/: Permission denied");
    ck_assert_ptr_null(child);
    child_guard_destroy(options.guard);
}
END_TEST

START_TEST(the_command_has_usual_signals_and_no_foreign_descriptors)
{
    /* posix_spawn() of glibc leaves its two internal signals ignored; whatever program
     * has threads sets them anew. */
    const unsigned long long internal = 3ull << 31;
    unsigned long long blocked, ignored;
    char open_fds[32];

    bench_start(&bench,
                "grep -E '^Sig(Blk|Ign)' /proc/self/status | cut -f2\n"
                "ls /proc/self/fd | tr '\\n' ' '; echo",
                0);
    bench_until_ended(&bench);
    ck_assert_int_eq(
        sscanf(bench.out, "%llx %llx %31[0-9 ]", &blocked, &ignored, open_fds), 3);
    ck_assert_uint_eq(blocked, 0);
    ck_assert_uint_eq(ignored & ~internal, 0);
    ck_assert_str_eq(open_fds, "0 1 2 3 "); /* ls opens one itself */
    bench_finish(&bench);
}
END_TEST

START_TEST(what_is_left_of_a_command_dies_with_it)
{
    /* In its group, and out of it in a session of its own, twice removed. */
    bench_start(&bench,
                "tail -f /dev/null & echo $!\n"
                "setsid sh -c 'tail -f /dev/null & echo $!; exec >&-' \n"
                "exit 4",
                0);
    bench_until_ended(&bench);
    ck_assert_int_eq(bench.how, CHILD_EXITED);
    ck_assert_int_eq(bench.number, 4);
    ck_assert(bench_is_gone(bench_number(&bench, 0)));
    ck_assert(bench_is_gone(bench_number(&bench, 1)));
    bench_finish(&bench);
}
END_TEST

START_TEST(a_kill_takes_all_generations)
{
    bench_start(&bench,
                "tail -f /dev/null & echo $!\n"
                "setsid sh -c 'tail -f /dev/null & echo $!; echo $$; echo up;"
                " exec tail -f /dev/null' &\n"
                "exec tail -f /dev/null",
                0);
    bench_until_output(&bench, "up\n");
    child_kill(bench.child);
    bench_until_ended(&bench);
    ck_assert_int_eq(bench.how, CHILD_KILLED);
    ck_assert(bench_is_gone(child_pid(bench.child)));
    ck_assert(bench_is_gone(bench_number(&bench, 0)));
    ck_assert(bench_is_gone(bench_number(&bench, 1)));
    ck_assert(bench_is_gone(bench_number(&bench, 2)));
    bench_finish(&bench);
}
END_TEST

START_TEST(destroying_a_running_one_leaves_nothing)
{
    bench_start(&bench, "tail -f /dev/null & echo $!; exec tail -f /dev/null", 0);
    bench_until_output(&bench, "\n");
    pid_t command = child_pid(bench.child);
    bench_finish(&bench);
    ck_assert(!bench.has_ended);
    ck_assert(bench_is_gone(command));
    ck_assert(bench_is_gone(bench_number(&bench, 0)));
}
END_TEST

int main(int argc, char **argv)
{
    const TTest *const tests[] = {
        lines_go_in_and_answers_come_out,
        only_the_very_answer_is_taken_all_else_passes,
        a_line_beyond_the_limit_passes_whole_and_is_no_answer,
        the_last_line_gets_the_newline_it_lacks,
        an_answer_may_come_split_at_any_byte_and_with_others,
        lines_that_were_put_go_with_the_next_flush_or_when_they_are_many,
        an_answer_is_heard_in_a_flood,
        fifty_megabytes_of_output_come_through,
        with_is_full_nothing_is_read_and_the_end_is_seen,
        a_command_that_never_reads_blocks_nobody,
        a_large_line_arrives_whole,
        a_command_that_closes_its_input_is_told_nothing,
        hanging_up_is_the_end_of_file_after_what_is_queued,
        a_death_by_signal_is_told_from_an_exit,
        a_command_that_is_not_there_is_said_so,
        the_command_has_usual_signals_and_no_foreign_descriptors,
        what_is_left_of_a_command_dies_with_it,
        a_kill_takes_all_generations,
        destroying_a_running_one_leaves_nothing,
    };

    if (argc > 1 && strcmp(argv[1], "guardian") == 0)
        return child_guardian(argc - 1, argv + 1);
    return unit_run("child", tests, sizeof tests / sizeof *tests);
}
