/* `parti run` as a process, against a real server: exit codes, the hand-shake between
 * workers, signals, faults. */
#include "config.h"

#include "crew.h"

#include "edge/clock.h"

#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#define MS CLOCK_NS_PER_MS

/* Gives back when asked; its process id first. */
#define WORKER                                                              \
    "echo up $$\n"                                                          \
    "while read -r line; do case $line in\n"                                \
    "*'\"revoking\"'*) e=${line#*'\"epoch\":'}; echo \"{\\\"released\\\": " \
    "${e%%,*}}\";;\n"                                                       \
    "*'\"assigned\"'*) echo working;;\n"                                    \
    "esac; done; echo eof"

/* Never gives back, and does not mind the end of its input or of its output's reader. */
#define SILENT "echo up $$; exec tail -f /dev/null >/dev/null"

static struct server server;
static struct crew_worker a, b;

static struct crew_options options(const char *name, const char *script)
{
    return (struct crew_options){.url = server.url,
                                 .dir = server.dir,
                                 .name = name,
                                 .worker = "revoke_timeout = 500 ms",
                                 .script = script};
}

static void set_up(void)
{
    const struct server_program *programs;
    struct server_options o = {0};

    (void)server_programs(&programs);
    o.program = &programs[0];
    server_start(&server, &o);
}

static void tear_down(void)
{
    crew_finish(&a);
    crew_finish(&b);
    server_finish(&server);
}

/* Starts it and waits until it holds all four. */
static void start_alone(struct crew_worker *w, const struct crew_options *o)
{
    crew_start(w, o);
    json_t *event = crew_event(w, "assigned");
    ck_assert_uint_eq(crew_partitions(event), 4);
    json_decref(event);
}

/* The process id of the command, from its line "up PID". */
static int open_command(struct crew_worker *w)
{
    const char *line = crew_line(w, "up ");
    int fd = pidfd_open((pid_t)strtol(strstr(line, "up ") + 3, NULL, 10), 0);

    ck_assert_int_ge(fd, 0);
    return fd;
}

/* Event of that name, then freed; its boot_ns. */
static uint64_t pass(struct crew_worker *w, const char *name)
{
    json_t *event = crew_event(w, name);
    uint64_t boot_ns = crew_boot_ns(event);

    json_decref(event);
    return boot_ns;
}

/* ---- alone ------------------------------------------------------------------------ */

START_TEST(without_a_command_it_holds_and_term_drains)
{
    struct crew_options o = options("a", NULL);

    set_up();
    start_alone(&a, &o);
    ck_assert_int_eq(kill(a.pid, SIGHUP), 0); /* the list is the same: see test_sources */
    ck_assert_int_eq(kill(a.pid, SIGTERM), 0);
    (void)pass(&a, "revoking");
    json_t *event = crew_event(&a, "released");
    ck_assert_uint_eq(crew_partitions(event), 4);
    json_decref(event);
    (void)crew_line(&a, "\"to\":\"Shutdown\"");
    ck_assert_int_eq(crew_exit(&a), 0);
    tear_down();
}
END_TEST

START_TEST(term_waits_for_the_commands_word_and_closes_its_input)
{
    struct crew_options o = options("a", WORKER);

    set_up();
    start_alone(&a, &o);
    (void)crew_line(&a, "working");
    ck_assert_int_eq(kill(a.pid, SIGTERM), 0);
    (void)pass(&a, "released");
    (void)crew_line(&a, "eof");
    ck_assert_int_eq(crew_exit(&a), 0);
    tear_down();
}
END_TEST

START_TEST(on_term_restart_ends_in_order_too)
{
    struct crew_options o = options("a", WORKER);

    o.worker = "on_term = restart";
    set_up();
    start_alone(&a, &o);
    ck_assert_int_eq(kill(a.pid, SIGTERM), 0);
    (void)pass(&a, "released");
    ck_assert_int_eq(crew_exit(&a), 0);
    tear_down();
}
END_TEST

START_TEST(int_cuts_the_time_to_shut_down_to_a_second)
{
    struct crew_options o = options("a", SILENT);

    o.worker = "revoke_timeout = 60 s";
    o.timing = "shutdown_timeout = 60 s";
    set_up();
    crew_start(&a, &o);
    int command = open_command(&a);
    (void)pass(&a, "assigned");
    uint64_t start_ns = clock_boot_ns();
    ck_assert_int_eq(kill(a.pid, SIGINT), 0);
    ck_assert_int_eq(crew_exit(&a), 124);
    uint64_t took_ns = clock_boot_ns() - start_ns;
    ck_assert_uint_ge(took_ns, 1000 * MS);
    ck_assert_uint_le(took_ns, 5000 * MS);
    (void)crew_end_of(command);
    (void)close(command);
    tear_down();
}
END_TEST

START_TEST(a_second_signal_ends_at_once)
{
    struct crew_options o = options("a", SILENT);

    o.worker = "revoke_timeout = 60 s";
    o.timing = "shutdown_timeout = 60 s";
    set_up();
    crew_start(&a, &o);
    int command = open_command(&a);
    (void)pass(&a, "assigned");
    ck_assert_int_eq(kill(a.pid, SIGTERM), 0);
    (void)pass(&a, "revoking");
    ck_assert_int_eq(kill(a.pid, SIGTERM), 0);
    ck_assert_int_eq(crew_exit(&a), 1);
    (void)crew_end_of(command);
    (void)close(command);
    tear_down();
}
END_TEST

START_TEST(a_command_that_keeps_failing_ends_it_with_1)
{
    struct crew_options o = options("a", "exit 7");

    o.worker = "restarts_max = 1";
    set_up();
    crew_start(&a, &o);
    (void)crew_line(&a, "'sh' ended unasked with exit code 7");
    (void)crew_line(&a, "\"code\":\"PARTI-E602\"");
    ck_assert_int_eq(crew_exit(&a), 1);
    tear_down();
}
END_TEST

START_TEST(a_flood_that_nobody_reads_does_not_stop_it_from_leaving)
{
    struct crew_options o = options("a", "yes; exit 1");

    o.has_events_file = true;
    set_up();
    crew_start(&a, &o);
    /* Its output stays unread.  The file is followed until it says so. */
    uint64_t until_ms = clock_boot_ms() + CREW_WAIT_MS;
    bool is_assigned = false;
    while (!is_assigned) {
        char bytes[16384] = "";
        int fd = open(a.events, O_RDONLY | O_CLOEXEC);

        ck_assert_uint_lt(clock_boot_ms(), until_ms);
        if (fd < 0)
            continue;
        (void)!read(fd, bytes, sizeof bytes - 1);
        (void)close(fd);
        is_assigned = strstr(bytes, "\"assigned\"") != NULL;
    }
    ck_assert_int_eq(kill(a.pid, SIGTERM), 0);
    /* 'yes' gives nothing back: killed after revoke_timeout, then all is in order. */
    ck_assert_int_eq(crew_exit(&a), 0);
    tear_down();
}
END_TEST

START_TEST(event_lines_in_a_file_are_whole_and_ascend)
{
    struct crew_options o = options("a", WORKER);
    uint64_t last_ns = 0;
    char line[65536];
    int lines = 0;

    o.has_events_file = true;
    set_up();
    crew_start(&a, &o);
    (void)crew_line(&a, "working");
    ck_assert_int_eq(kill(a.pid, SIGTERM), 0);
    (void)crew_line(&a, "eof");
    ck_assert_int_eq(crew_exit(&a), 0);
    FILE *in = fopen(a.events, "re");
    ck_assert_ptr_nonnull(in);
    while (fgets(line, sizeof line, in) != NULL) {
        json_t *event = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

        ck_assert_msg(event != NULL, "no JSON: %s", line);
        ck_assert_ptr_nonnull(json_object_get(event, "time"));
        ck_assert_ptr_nonnull(json_object_get(event, "worker"));
        ck_assert_uint_ge(crew_boot_ns(event), last_ns);
        last_ns = crew_boot_ns(event);
        lines++;
        json_decref(event);
    }
    (void)fclose(in);
    ck_assert_int_ge(lines, 6);
    tear_down();
}
END_TEST

/* ---- the examples --------------------------------------------------------------- */

/* Works on all four, gives two to another worker, and leaves in order. */
static void example_works(const char *script)
{
    struct crew_options o = options("a", script), p = options("b", NULL);

    set_up();
    crew_start(&a, &o);
    for (int i = 0; i < 4; i++)
        (void)crew_line(&a, "begin orders/");
    crew_start(&b, &p);
    /* The work has ended before the release is told. */
    (void)crew_line(&a, "end orders/");
    (void)crew_line(&a, "end orders/");
    json_t *released = crew_event(&a, "released");
    ck_assert_uint_eq(crew_partitions(released), 2);
    json_decref(released);
    ck_assert_int_eq(kill(a.pid, SIGTERM), 0);
    (void)crew_line(&a, "end orders/");
    (void)crew_line(&a, "end orders/");
    ck_assert_int_eq(crew_exit(&a), 0);
    tear_down();
}

START_TEST(the_example_in_shell_works)
{
    example_works("exec sh \"$PARTI_SRCDIR/conf/examples/worker.sh\"");
}
END_TEST

START_TEST(the_example_in_python_works)
{
    if (access("/usr/bin/python3", X_OK) != 0) {
        (void)fprintf(stderr, "no /usr/bin/python3: worker.py is not tried\n");
        return;
    }
    example_works("exec /usr/bin/python3 \"$PARTI_SRCDIR/conf/examples/worker.py\"");
}
END_TEST

/* ---- mistakes --------------------------------------------------------------------- */

START_TEST(mistakes_of_use_end_with_2)
{
    char text[4096];
    struct crew_options o = options("a", NULL);
    const char *none[] = {"run", NULL};
    const char *option[] = {"run", "--evnts", "-", NULL};
    const char *missing[] = {"run", "-c", "/nonexistent.ini", NULL};
    const char *command[] = {"runn", NULL};

    ck_assert_int_eq(crew_parti(text, sizeof text, none), 2);
    ck_assert_ptr_nonnull(strstr(text, "-c FILE"));
    ck_assert_int_eq(crew_parti(text, sizeof text, option), 2);
    ck_assert_ptr_nonnull(strstr(text, "did you mean --events?"));
    ck_assert_int_eq(crew_parti(text, sizeof text, missing), 2);
    ck_assert_ptr_nonnull(strstr(text, "PARTI-E400"));
    ck_assert_int_eq(crew_parti(text, sizeof text, command), 2);
    ck_assert_ptr_nonnull(strstr(text, "did you mean 'run'?"));

    set_up();
    crew_start(&a, &o); /* for its file */
    const char *nothing[] = {"run",
                             "-c",
                             a.ini,
                             "--plugin-dir",
                             getenv("PARTI_PLUGIN_DIR"),
                             "/nonexistent/worker",
                             NULL};
    ck_assert_int_eq(crew_parti(text, sizeof text, nothing), 2);
    ck_assert_ptr_nonnull(strstr(text, "PARTI-E600 /nonexistent/worker: No such file"));
    const char *events[] = {"run", "-c", a.ini, "--events", "/nonexistent/events", NULL};
    ck_assert_int_eq(crew_parti(text, sizeof text, events), 2);
    ck_assert_ptr_nonnull(
        strstr(text, "PARTI-E606 --events /nonexistent/events: No such"));
    tear_down();
}
END_TEST

START_TEST(no_server_within_startup_timeout_ends_with_4)
{
    struct crew_options o = options("a", SILENT);

    set_up();
    o.url = "nats://127.0.0.1:1";
    o.timing = "startup_timeout = 1 s";
    crew_start(&a, &o);
    int command = open_command(&a);
    ck_assert_int_eq(crew_exit(&a), 4);
    (void)crew_end_of(command);
    (void)close(command);
    tear_down();
}
END_TEST

/* ---- two workers ------------------------------------------------------------------ */

START_TEST(a_partition_moves_after_the_commands_word)
{
    struct crew_options o = options("a", WORKER), p = options("b", WORKER);

    set_up();
    start_alone(&a, &o);
    crew_start(&b, &p);
    json_t *revoking = crew_event(&a, "revoking");
    json_t *released = crew_event(&a, "released");
    json_t *assigned = crew_event(&b, "assigned");
    ck_assert_uint_eq(crew_partitions(revoking), 2);
    ck_assert(json_equal(json_object_get(revoking, "partitions"),
                         json_object_get(released, "partitions")));
    ck_assert_uint_eq(crew_partitions(assigned), 2);
    for (size_t i = 0; i < 2; i++)
        ck_assert(crew_lists(
            released,
            json_string_value(json_object_get(
                json_array_get(json_object_get(assigned, "partitions"), i), "id"))));
    ck_assert_uint_ge(crew_boot_ns(released), crew_boot_ns(revoking));
    ck_assert_uint_ge(crew_boot_ns(assigned), crew_boot_ns(revoking));
    json_decref(revoking);
    json_decref(released);
    json_decref(assigned);
    tear_down();
}
END_TEST

START_TEST(a_silent_command_is_killed_before_its_partitions_go_on)
{
    struct crew_options o = options("a", SILENT), p = options("b", WORKER);

    set_up();
    crew_start(&a, &o);
    int command = open_command(&a);
    (void)pass(&a, "assigned");
    crew_start(&b, &p);
    uint64_t revoking_ns = pass(&a, "revoking");
    uint64_t ended_ns = crew_end_of(command);
    ck_assert_uint_ge(ended_ns, revoking_ns + 500 * MS);
    (void)crew_line(&a, "\"code\":\"PARTI-E603\"");
    (void)pass(&a, "released");
    ck_assert_uint_gt(pass(&b, "assigned"), revoking_ns + 500 * MS);
    (void)crew_line(&a, "up "); /* and it is started again */
    (void)close(command);
    tear_down();
}
END_TEST

/* Does this to the worker that holds all; its command must have ended when another is
 * given the partitions, and that must happen. */
static void strike(int signal_number)
{
    struct crew_options o = options("a", SILENT), p = options("b", NULL);

    set_up();
    crew_start(&a, &o);
    int command = open_command(&a);
    (void)pass(&a, "assigned");
    /* The next event comes after the command was told, too: only what was told that it
     * holds something ends at the deadline. */
    (void)pass(&a, "state");
    ck_assert_int_eq(kill(a.pid, signal_number), 0);
    crew_start(&b, &p);
    uint64_t ended_ns = crew_end_of(command);
    json_t *assigned = crew_event(&b, "assigned");
    ck_assert_uint_ge(crew_boot_ns(assigned), ended_ns);
    ck_assert_uint_eq(crew_partitions(assigned), 4);
    json_decref(assigned);
    (void)close(command);
}

START_TEST(a_killed_parti_takes_its_command_along_before_others_hold)
{
    strike(SIGKILL);
    ck_assert_int_eq(crew_exit(&a), 128 + SIGKILL);
    tear_down();
}
END_TEST

START_TEST(a_stopped_partis_command_ends_before_others_hold)
{
    strike(SIGSTOP);
    /* When it goes on, it says so and starts its command again. */
    ck_assert_int_eq(kill(a.pid, SIGCONT), 0);
    (void)pass(&a, "fenced");
    (void)crew_line(&a, "up ");
    tear_down();
}
END_TEST

START_TEST(without_the_server_the_command_ends_at_the_deadline)
{
    struct crew_options o = options("a", SILENT);

    set_up();
    crew_start(&a, &o);
    int command = open_command(&a);
    (void)pass(&a, "assigned");
    server_freeze(&server);
    uint64_t fenced_ns = pass(&a, "fenced"); /* told before it comes */
    ck_assert_uint_lt(clock_boot_ns(), fenced_ns);
    uint64_t ended_ns = crew_end_of(command);
    ck_assert_uint_ge(ended_ns, fenced_ns);
    ck_assert_uint_le(ended_ns, fenced_ns + 50 * MS);
    (void)crew_line(&a, "\"code\":\"PARTI-E605\"");
    (void)crew_line(&a, "up ");
    server_thaw(&server);
    (void)pass(&a, "assigned");
    (void)close(command);
    tear_down();
}
END_TEST

UNIT_MAIN("run", without_a_command_it_holds_and_term_drains,
          term_waits_for_the_commands_word_and_closes_its_input,
          on_term_restart_ends_in_order_too, int_cuts_the_time_to_shut_down_to_a_second,
          a_second_signal_ends_at_once, a_command_that_keeps_failing_ends_it_with_1,
          a_flood_that_nobody_reads_does_not_stop_it_from_leaving,
          event_lines_in_a_file_are_whole_and_ascend, the_example_in_shell_works,
          the_example_in_python_works, mistakes_of_use_end_with_2,
          no_server_within_startup_timeout_ends_with_4,
          a_partition_moves_after_the_commands_word,
          a_silent_command_is_killed_before_its_partitions_go_on,
          a_killed_parti_takes_its_command_along_before_others_hold,
          a_stopped_partis_command_ends_before_others_hold,
          without_the_server_the_command_ends_at_the_deadline)
