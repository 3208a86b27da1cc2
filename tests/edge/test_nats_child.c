/* core/edge/nats_child: the embedded server is started, found, taken over and ended. */
#include "config.h"

#include "rig.h"

#include "base/errors.h"
#include "base/status.h"
#include "edge/clock.h"
#include "edge/nats_child.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT_ROOM = 1024, FILE_ROOM = SERVER_PATH_ROOM + 64 };

struct home {
    char dir[SERVER_PATH_ROOM], state[FILE_ROOM];
    struct inbox *inbox;
    struct nats_child_options options;
};

static void home_init(struct home *home, int i)
{
    const struct inbox_limits limits = {64, 1 << 16, 64};

    *home = (struct home){0};
    make_dir(home->dir);
    (void)snprintf(home->state, sizeof home->state, "%s/state", home->dir);
    ck_assert_int_eq(inbox_create(&home->inbox, &limits), STATUS_OK);
    home->options = (struct nats_child_options){.program = rig_program(i)->path,
                                                .state_dir = home->state};
}

static void home_finish(struct home *home)
{
    inbox_destroy(home->inbox);
    remove_tree(home->dir);
}

static struct nats_child *make(struct home *home, struct inbox *inbox)
{
    struct nats_child *child = NULL;
    char text[TEXT_ROOM] = "";
    int status = nats_child_create(&child, inbox, &home->options, text, sizeof text);

    ck_assert_msg(status == STATUS_OK, "%s", text);
    return child;
}

static void wait_up(struct nats_child *child, char url[NATS_CHILD_URL_ROOM])
{
    char text[TEXT_ROOM] = "";
    int code = 0;
    int status = nats_child_wait(child, url, &code, text, sizeof text);

    ck_assert_msg(status == STATUS_OK, "E%d %s", code, text);
}

static struct inbox_item *next(struct home *home, int kind)
{
    struct rig rig = {.inbox = home->inbox};
    struct inbox_item *item = rig_next(&rig, kind, 0);

    while (rig.first != NULL) {
        struct inbox_item *other = rig.first;
        rig.first = other->next;
        ck_assert_int_eq(inbox_put(home->inbox, other), STATUS_OK);
    }
    return item;
}

static void check_mode(struct home *home, const char *name, mode_t mode)
{
    char path[FILE_ROOM + 64];
    struct stat st;

    (void)snprintf(path, sizeof path, "%s%s", home->state, name);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, mode);
}

START_TEST(it_is_ready_when_it_says_so_and_hides_its_credentials)
{
    struct home home;
    struct rig rig;
    char url[NATS_CHILD_URL_ROOM], bare[64];
    int port = 0;

    home_init(&home, _i);
    uint64_t before = clock_boot_ms();
    struct nats_child *child = make(&home, home.inbox);
    wait_up(child, url);
    (void)printf("  embedded %s ready in %d ms\n", rig_program(_i)->version,
                 (int)(clock_boot_ms() - before));
    struct inbox_item *item = next(&home, INBOX_SERVER_UP);
    ck_assert_str_eq(item->data, url);
    ck_assert_int_eq(item->tag, 1);
    inbox_item_free(item);
    ck_assert_int_gt(nats_child_pid(child), 0);
    check_mode(&home, "", 0700);
    check_mode(&home, "/nats-server.conf", 0600);
    check_mode(&home, "/endpoint.json", 0600);

    rig_init(&rig, url);
    rig_log(&rig, "g", 1);
    ck_assert_int_eq(rig_write(&rig, "lease", 0, "x", NULL), STATUS_OK);
    rig_finish(&rig);

    ck_assert_int_eq(sscanf(strrchr(url, ':'), ":%d", &port), 1);
    (void)snprintf(bare, sizeof bare, "nats://parti:guess@127.0.0.1:%d", port);
    rig_init(&rig, bare);
    rig_expect_error(&rig, INBOX_LINK_ERROR, ERR_NATS_AUTH,
                     (const char *const[]){"refuses the credentials", NULL});
    rig_finish(&rig);
    nats_child_destroy(child);
    home_finish(&home);
}
END_TEST

START_TEST(its_end_is_awaited_and_its_records_are_there_the_next_time)
{
    struct home home;
    struct rig rig;
    char url[NATS_CHILD_URL_ROOM], again[NATS_CHILD_URL_ROOM], text[RIG_TEXT_ROOM];

    home_init(&home, _i);
    struct nats_child *child = make(&home, NULL);
    wait_up(child, url);
    rig_init(&rig, url);
    rig_log(&rig, "g", 1);
    ck_assert_int_eq(rig_write(&rig, "lease", 0, "kept", NULL), STATUS_OK);
    pid_t pid = nats_child_pid(child);
    nats_child_destroy(child);
    ck_assert_int_eq(kill(pid, 0), -1);
    rig_expect(&rig, INBOX_LINK_DOWN);

    /* Same credentials and, as nobody took it, the same port: links simply come back. */
    child = make(&home, NULL);
    wait_up(child, again);
    ck_assert_str_eq(url, again);
    rig_expect(&rig, INBOX_LINK_UP);
    ck_assert_int_eq(rig_read(&rig, "lease", NULL, text), STATUS_OK);
    ck_assert_str_eq(text, "kept");
    rig_finish(&rig);
    nats_child_destroy(child);
    home_finish(&home);
}
END_TEST

START_TEST(a_killed_server_is_started_again)
{
    struct home home;
    char url[NATS_CHILD_URL_ROOM];

    home_init(&home, _i);
    struct nats_child *child = make(&home, home.inbox);
    wait_up(child, url);
    inbox_item_free(next(&home, INBOX_SERVER_UP));
    pid_t first = nats_child_pid(child);
    ck_assert_int_eq(kill(first, SIGKILL), 0);
    inbox_item_free(next(&home, INBOX_SERVER_DOWN));
    struct inbox_item *item = next(&home, INBOX_SERVER_UP);
    ck_assert_str_eq(item->data, url);
    inbox_item_free(item);
    ck_assert_int_ne(nats_child_pid(child), first);
    nats_child_destroy(child);
    home_finish(&home);
}
END_TEST

START_TEST(the_second_one_finds_it_and_takes_it_over)
{
    struct home home;
    char url[NATS_CHILD_URL_ROOM], found[NATS_CHILD_URL_ROOM];

    home_init(&home, _i);
    struct nats_child *owner = make(&home, NULL);
    wait_up(owner, url);
    struct nats_child *finder = make(&home, home.inbox);
    wait_up(finder, found);
    ck_assert_str_eq(url, found);
    ck_assert_int_eq(nats_child_pid(finder), 0);
    struct inbox_item *item = next(&home, INBOX_SERVER_UP);
    ck_assert_int_eq(item->tag, 0);
    inbox_item_free(item);

    nats_child_destroy(owner);
    inbox_item_free(next(&home, INBOX_SERVER_DOWN));
    item = next(&home, INBOX_SERVER_UP);
    ck_assert_int_eq(item->tag, 1);
    ck_assert_str_eq(item->data, url);
    inbox_item_free(item);
    ck_assert_int_gt(nats_child_pid(finder), 0);
    nats_child_destroy(finder);
    home_finish(&home);
}
END_TEST

/* A process that has the server, tells its process id, and then waits to be killed. */
static pid_t fork_owner(struct home *home, pid_t *ret_server)
{
    char url[NATS_CHILD_URL_ROOM];
    int fds[2];

    ck_assert_int_eq(pipe(fds), 0);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        struct nats_child *child = make(home, NULL);
        wait_up(child, url);
        pid_t server = nats_child_pid(child);
        (void)!write(fds[1], &server, sizeof server);
        for (;;)
            (void)pause();
    }
    ck_assert_int_eq(read(fds[0], ret_server, sizeof *ret_server), sizeof *ret_server);
    (void)close(fds[0]);
    (void)close(fds[1]);
    return pid;
}

START_TEST(it_dies_with_a_killed_parent_and_another_process_takes_over)
{
    struct home home;
    char url[NATS_CHILD_URL_ROOM];
    pid_t server = 0;

    home_init(&home, _i);
    pid_t owner = fork_owner(&home, &server);
    struct nats_child *finder = make(&home, home.inbox);
    wait_up(finder, url);
    inbox_item_free(next(&home, INBOX_SERVER_UP));
    ck_assert_int_eq(kill(owner, SIGKILL), 0);
    ck_assert_int_eq(waitpid(owner, NULL, 0), owner);
    inbox_item_free(next(&home, INBOX_SERVER_DOWN));
    struct inbox_item *item = next(&home, INBOX_SERVER_UP);
    ck_assert_int_eq(item->tag, 1);
    inbox_item_free(item);
    /* The lock is the server's as well: that it could be taken proves the old one dead.
     */
    ck_assert_int_ne(nats_child_pid(finder), server);
    nats_child_destroy(finder);
    home_finish(&home);
}
END_TEST

START_TEST(of_processes_that_start_at_once_one_has_the_server)
{
    enum { PROCESSES = 6 };
    struct home home;
    struct report {
        pid_t server;
        char url[NATS_CHILD_URL_ROOM];
    } reports[PROCESSES];
    pid_t pids[PROCESSES];
    int fds[2], owners = 0;

    home_init(&home, _i);
    ck_assert_int_eq(pipe(fds), 0);
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        ck_assert_int_ge(pids[i], 0);
        if (pids[i] == 0) {
            struct report mine = {0};
            struct nats_child *child = make(&home, NULL);
            wait_up(child, mine.url);
            mine.server = nats_child_pid(child);
            (void)!write(fds[1], &mine, sizeof mine);
            for (;;)
                (void)pause();
        }
    }
    for (int i = 0; i < PROCESSES; i++)
        ck_assert_int_eq(read(fds[0], &reports[i], sizeof reports[i]), sizeof reports[i]);
    for (int i = 0; i < PROCESSES; i++) {
        ck_assert_str_eq(reports[i].url, reports[0].url);
        owners += reports[i].server != 0;
    }
    ck_assert_int_eq(owners, 1);
    for (int i = 0; i < PROCESSES; i++)
        ck_assert_int_eq(kill(pids[i], SIGKILL), 0);
    for (int i = 0; i < PROCESSES; i++)
        ck_assert_int_eq(waitpid(pids[i], NULL, 0), pids[i]);
    (void)close(fds[0]);
    (void)close(fds[1]);
    home_finish(&home);
}
END_TEST

/* ---- what goes wrong */

static void wait_fails(struct home *home, int code, const char *words)
{
    char url[NATS_CHILD_URL_ROOM], text[TEXT_ROOM] = "";
    int is = 0;
    struct nats_child *child = make(home, home->inbox);

    ck_assert_int_ne(nats_child_wait(child, url, &is, text, sizeof text), STATUS_OK);
    ck_assert_msg(is == code && strstr(text, words) != NULL, "E%d %s", is, text);
    (void)printf("  PARTI-E%d %s\n", is, text);
    struct inbox_item *item = next(home, INBOX_SERVER_ERROR);
    ck_assert_int_eq(item->code, code);
    ck_assert_str_eq(item->data, text);
    inbox_item_free(item);
    ck_assert_int_eq(nats_child_pid(child), 0);
    nats_child_destroy(child);
}

START_TEST(a_missing_program)
{
    struct home home;

    home_init(&home, _i);
    home.options.program = "/nowhere/nats-server";
    wait_fails(&home, ERR_SERVER_MISSING, "apt install nats-server");
    home_finish(&home);
}
END_TEST

static void write_script(struct home *home, char path[FILE_ROOM], const char *text)
{
    (void)snprintf(path, FILE_ROOM, "%s/nats-server", home->dir);
    FILE *f = fopen(path, "we");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(chmod(path, 0700), 0);
    home->options.program = path;
}

START_TEST(a_server_that_ends_while_starting_is_quoted)
{
    struct home home;
    char path[FILE_ROOM];

    home_init(&home, _i);
    write_script(&home, path,
                 "#!/bin/sh\necho '[1] 2026/01/01 00:00:00.1 [FTL] no such moon' >&2\n"
                 "echo more\nexit 1\n");
    wait_fails(&home, ERR_SERVER_START, "ended while starting: no such moon");
    home_finish(&home);
}
END_TEST

START_TEST(a_server_that_is_never_ready_is_killed_at_the_deadline)
{
    struct home home;
    char path[FILE_ROOM], pid_path[FILE_ROOM], script[FILE_ROOM * 2];
    int pid = 0;

    home_init(&home, _i);
    (void)snprintf(pid_path, sizeof pid_path, "%s/pid", home.dir);
    (void)snprintf(script, sizeof script, "#!/bin/sh\necho $$ >%s\nexec sleep 1000\n",
                   pid_path);
    write_script(&home, path, script);
    home.options.start_ms = 300;
    wait_fails(&home, ERR_SERVER_START, "not ready after 300 ms");
    FILE *f = fopen(pid_path, "re");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fscanf(f, "%d", &pid), 1);
    (void)fclose(f);
    ck_assert_int_eq(kill(pid, 0), -1);
    home_finish(&home);
}
END_TEST

START_TEST(a_taken_port_is_left_for_another)
{
    struct home home;
    struct server squatter;
    char url[NATS_CHILD_URL_ROOM], path[FILE_ROOM + 64];

    home_init(&home, _i);
    server_start(&squatter, &(struct server_options){.program = rig_program(_i),
                                                     .no_jetstream = true});
    ck_assert_int_eq(mkdir(home.state, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/endpoint.json", home.state);
    FILE *f = fopen(path, "we");
    ck_assert_ptr_nonnull(f);
    (void)fprintf(f, "{\"password\":\"p\",\"port\":%d,\"ready\":true}", squatter.port);
    ck_assert_int_eq(fclose(f), 0);
    ck_assert_int_eq(chmod(path, 0600), 0);
    struct nats_child *child = make(&home, NULL);
    wait_up(child, url);
    ck_assert_int_ne(strtol(strrchr(url, ':') + 1, NULL, 10), squatter.port);
    nats_child_destroy(child);
    server_finish(&squatter);
    home_finish(&home);
}
END_TEST

START_TEST(a_state_directory_is_made_with_those_above_it)
{
    struct home home;
    char deep[FILE_ROOM];
    struct stat st;

    home_init(&home, _i);
    (void)snprintf(deep, sizeof deep, "%s/state/parti/group", home.dir);
    home.options.state_dir = deep;
    struct nats_child *child = make(&home, home.inbox);
    ck_assert_int_eq(stat(deep, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0700);
    nats_child_destroy(child);
    home_finish(&home);
}
END_TEST

START_TEST(state_directories_that_cannot_do_are_refused)
{
    struct home home;
    struct nats_child *child = NULL;
    char text[TEXT_ROOM], open_dir[FILE_ROOM];

    home_init(&home, _i);
    (void)snprintf(open_dir, sizeof open_dir, "%s/open", home.dir);
    ck_assert_int_eq(mkdir(open_dir, 0700), 0);
    ck_assert_int_eq(chmod(open_dir, 0777), 0);
    const struct {
        const char *dir, *words;
    } cases[] = {{open_dir, "others may write to it"},
                 {"relative", "must be an absolute path"},
                 {"/tmp/a\"b", "must be an absolute path"},
                 {"/proc/nothing/here", "cannot be made"},
                 {"/dev/null", "is no directory"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        home.options.state_dir = cases[i].dir;
        ck_assert_int_eq(
            nats_child_create(&child, NULL, &home.options, text, sizeof text),
            STATUS_INVALID);
        ck_assert_msg(strstr(text, cases[i].words) != NULL, "%s", text);
    }
    home_finish(&home);
}
END_TEST

RIG_MAIN("nats_child", it_is_ready_when_it_says_so_and_hides_its_credentials,
         its_end_is_awaited_and_its_records_are_there_the_next_time,
         a_killed_server_is_started_again, the_second_one_finds_it_and_takes_it_over,
         it_dies_with_a_killed_parent_and_another_process_takes_over,
         of_processes_that_start_at_once_one_has_the_server, a_missing_program,
         a_server_that_ends_while_starting_is_quoted,
         a_server_that_is_never_ready_is_killed_at_the_deadline,
         a_taken_port_is_left_for_another, a_state_directory_is_made_with_those_above_it,
         state_directories_that_cannot_do_are_refused)
