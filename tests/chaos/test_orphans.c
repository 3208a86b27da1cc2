/* parti run whose guardian somebody kills: what the command leaves behind is collected.
 */
#include "config.h"

#include "crew.h"

#include "edge/clock.h"

#include "unit.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

/* Beside the command something that has left its group; it tells its own number and the
 * guardian's. */
#define OUTSIDE                                                                   \
    "G=$PPID setsid sh -c 'echo out $$ $G; exec tail -f /dev/null >/dev/null' & " \
    "exec tail -f /dev/null >/dev/null"

START_TEST(what_outlives_a_killed_guardian_is_collected_when_it_ends)
{
    const struct server_program *programs;
    size_t n = server_programs(&programs);
    struct server server;
    struct crew_worker a;
    char *rest;

    server_start(&server, &(struct server_options){.program = &programs[n - 1]});
    struct crew_options o = {
        .url = server.url, .dir = server.dir, .name = "a", .script = OUTSIDE};
    crew_start(&a, &o);
    const char *line = strstr(crew_line(&a, "out "), "out ");
    pid_t outside = (pid_t)strtol(line + 4, &rest, 10);
    pid_t guardian = (pid_t)strtol(rest, NULL, 10);
    int fd = pidfd_open(outside, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(kill(guardian, SIGKILL), 0);
    (void)crew_line(&a, "died with its guardian");
    ck_assert_int_eq(kill(outside, SIGKILL), 0);
    (void)crew_end_of(fd);
    (void)close(fd);
    /* Dead; its number is free as soon as it has been waited for. */
    uint64_t until_ms = clock_boot_ms() + CREW_WAIT_MS;
    while (kill(outside, 0) == 0)
        ck_assert_msg(clock_boot_ms() < until_ms, "nobody waits for it");
    (void)crew_line(&a,
                    "out "); /* the next run; its guardian ends it when 'a' is killed */
    crew_finish(&a);
    server_finish(&server);
}
END_TEST

UNIT_MAIN("orphans", what_outlives_a_killed_guardian_is_collected_when_it_ends)
