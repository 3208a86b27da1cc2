/* sim: thousands of groups in virtual time, one per seed, each judged.
 *
 * Seeds run in child processes, so that an assertion that fails in the core is one more
 * finding; the parent gathers what they report.  The last line on stdout is JSON.
 */
#include "run.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JOBS_MAX = 64, SHOWN_MAX = 20, SEED_SECONDS_MAX = 120 };

struct options {
    uint64_t first, seeds, minutes, jobs, rebalances;
    int form;
    uint64_t seed; /* replay */
    bool is_replay, is_determinism, stops_at_first;
};

struct totals {
    uint64_t done, violations, steps, sim_us, settled_max_us, settled_sum_us, grants,
        writes, faults, fences, rebalances, shown;
};

struct job {
    pid_t pid;
    int fd;
    uint64_t next; /* the seed it is at */
};

static uint64_t wall_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static unsigned long long ull(uint64_t x)
{
    return (unsigned long long)x;
}

static void show_failure(const struct options *o, const struct run_result *r,
                         struct totals *t)
{
    t->violations++;
    if (t->shown++ >= SHOWN_MAX)
        return;
    printf(
        "seed %llu: %s at %llu ms: %s\n    replay: tests/sim/sim --minutes %llu --seed "
        "%llu\n",
        ull(r->seed), r->invariant, ull(r->failed_us / SIM_MS), r->failure,
        ull(o->minutes), ull(r->seed));
    fflush(stdout);
}

static void add(const struct options *o, const struct run_result *r, struct totals *t)
{
    t->done++;
    t->steps += r->steps;
    t->sim_us += r->sim_us;
    t->grants += r->grants;
    t->writes += r->writes;
    t->faults += r->faults;
    t->fences += r->fences;
    t->rebalances += r->rebalances;
    t->settled_sum_us += r->settled_us;
    if (r->settled_us > t->settled_max_us)
        t->settled_max_us = r->settled_us;
    if (r->invariant[0] != '\0')
        show_failure(o, r, t);
}

/* ---- children */

static struct run_order order_of(const struct options *o)
{
    return (struct run_order){.form = (enum sim_form)o->form,
                              .length_us = o->minutes * 60 * SIM_S,
                              .rebalances = o->rebalances,
                              .tells = o->is_replay};
}

static void child_main(const struct options *o, uint64_t seed, uint64_t end, int fd)
{
    struct run *r = calloc(1, sizeof *r);

    const struct run_order order = order_of(o);

    if (r == NULL)
        _exit(2);
    run_init(r);
    for (; seed < end; seed += o->jobs) {
        struct run_result res, again;
        alarm(SEED_SECONDS_MAX);
        run_seed(r, seed, &order, &res);
        if (o->is_determinism && res.invariant[0] == '\0') {
            run_seed(r, seed, &order, &again);
            if (again.trace_hash != res.trace_hash || again.steps != res.steps) {
                snprintf(res.invariant, sizeof res.invariant, "SAME");
                snprintf(res.failure, sizeof res.failure,
                         "a second run of the seed goes another way");
            }
        }
        if (write(fd, &res, sizeof res) != (ssize_t)sizeof res)
            _exit(2);
    }
    run_finish(r);
    free(r);
    _exit(0);
}

static void job_start(const struct options *o, struct job *job)
{
    int pipe_fd[2];

    job->fd = -1;
    job->pid = 0;
    if (job->next >= o->first + o->seeds)
        return;
    fflush(stdout);
    if (pipe(pipe_fd) != 0 || (job->pid = fork()) < 0) {
        perror("sim");
        exit(2);
    }
    if (job->pid == 0) {
        close(pipe_fd[0]);
        child_main(o, job->next, o->first + o->seeds, pipe_fd[1]);
    }
    close(pipe_fd[1]);
    job->fd = pipe_fd[0];
}

/* The child has ended: well, or at the seed it was at. */
static void job_ended(const struct options *o, struct job *job, struct totals *t)
{
    int status = 0;

    close(job->fd);
    while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        struct run_result r = {.seed = job->next};
        snprintf(r.invariant, sizeof r.invariant, "ABORT");
        snprintf(r.failure, sizeof r.failure, "the process ended with %s %d",
                 WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        add(o, &r, t);
        job->next += o->jobs;
    }
    job_start(o, job);
}

static void job_read(const struct options *o, struct job *job, struct totals *t)
{
    struct run_result r;
    ssize_t n = read(job->fd, &r, sizeof r);

    if (n != (ssize_t)sizeof r) {
        job_ended(o, job, t);
        return;
    }
    job->next = r.seed + o->jobs;
    add(o, &r, t);
}

static void progress(const struct options *o, const struct totals *t, uint64_t start_us)
{
    double wall_s = (double)(wall_us() - start_us) / SIM_S;

    fprintf(stderr, "sim: %llu of %llu seeds, %llu violations, %.0f times real time\n",
            ull(t->done), ull(o->seeds), ull(t->violations),
            wall_s > 0 ? (double)t->sim_us / SIM_S / wall_s : 0);
}

static void run_all(const struct options *o, struct totals *t, uint64_t start_us)
{
    struct job job[JOBS_MAX];
    uint64_t shown_us = start_us;
    uint64_t step_us = isatty(2) ? SIM_S : 10 * SIM_S;

    for (uint64_t i = 0; i < o->jobs; i++) {
        job[i].next = o->first + i;
        job_start(o, &job[i]);
    }
    for (;;) {
        struct pollfd fds[JOBS_MAX];
        uint64_t n = 0;
        for (uint64_t i = 0; i < o->jobs; i++) {
            fds[i] = (struct pollfd){.fd = job[i].fd, .events = POLLIN};
            n += job[i].fd >= 0 ? 1 : 0;
        }
        if (n == 0 || (o->stops_at_first && t->violations > 0))
            break;
        if (poll(fds, (nfds_t)o->jobs, 1000) > 0)
            for (uint64_t i = 0; i < o->jobs; i++)
                if (fds[i].fd >= 0 && fds[i].revents != 0)
                    job_read(o, &job[i], t);
        if (wall_us() - shown_us > step_us) {
            progress(o, t, start_us);
            shown_us = wall_us();
        }
    }
    for (uint64_t i = 0; i < o->jobs; i++)
        if (job[i].fd >= 0) {
            kill(job[i].pid, SIGKILL);
            waitpid(job[i].pid, NULL, 0);
        }
}

static int replay(const struct options *o)
{
    struct run *r = calloc(1, sizeof *r);
    struct run_result res;
    struct totals t = {0};

    if (r == NULL)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 1 << 16);
    run_init(r);
    const struct run_order order = order_of(o);
    run_seed(r, o->seed, &order, &res);
    printf("seed %llu: profile %s, %s, %llu faults, %llu grants, %llu writes, at rest "
           "%.1f s "
           "after the last fault, trace %016llx\n",
           ull(o->seed), r->scenario.profile,
           r->sim.ownership == OWNERSHIP_STRICT ? "strict" : "available", ull(res.faults),
           ull(res.grants), ull(res.writes), (double)res.settled_us / SIM_S,
           ull(res.trace_hash));
    add(o, &res, &t);
    run_finish(r);
    free(r);
    return t.violations == 0 ? 0 : 1;
}

static int parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"seeds", required_argument, NULL, 'n'},
        {"minutes", required_argument, NULL, 'm'},
        {"first-seed", required_argument, NULL, 'f'},
        {"seed", required_argument, NULL, 's'},
        {"jobs", required_argument, NULL, 'j'},
        {"check-determinism", no_argument, NULL, 'd'},
        {"stop-at-first", no_argument, NULL, '1'},
        {"form", required_argument, NULL, 'F'},
        {"rebalances", required_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        char *end = NULL;
        if (c == 'F') {
            o->form = sim_form_find(optarg);
            continue;
        }
        uint64_t value = optarg != NULL ? strtoull(optarg, &end, 10) : 0;
        if (c == '?' || (end != NULL && (*end != '\0' || end == optarg)))
            return -1;
        switch (c) {
        case 'n': o->seeds = value; break;
        case 'm': o->minutes = value; break;
        case 'f': o->first = value; break;
        case 's':
            o->seed = value;
            o->is_replay = true;
            break;
        case 'j': o->jobs = value; break;
        case 'r': o->rebalances = value; break;
        case 'd': o->is_determinism = true; break;
        case '1': o->stops_at_first = true; break;
        default: return -1;
        }
    }
    return optind == argc && o->form >= 0 && o->jobs >= 1 && o->jobs <= JOBS_MAX &&
                   o->minutes >= 10
               ? 0
               : -1;
}

int main(int argc, char **argv)
{
    struct options o = {
        .first = 1, .seeds = 100, .minutes = 10, .jobs = 1, .rebalances = 10000};
    struct totals t = {0};
    uint64_t start_us = wall_us();

    if (parse(argc, argv, &o) != 0) {
        fprintf(stderr,
                "usage: sim [--seeds N] [--minutes M] [--first-seed S] [--jobs J] "
                "[--check-determinism] [--stop-at-first] [--form faults|answers|"
                "rebalances [--rebalances N]|slow] | --seed S\n"
                "minutes are 10 or more, jobs 1 to %d\n",
                JOBS_MAX);
        return 2;
    }
    if (o.is_replay)
        return replay(&o);
    run_all(&o, &t, start_us);
    double wall_s = (double)(wall_us() - start_us) / SIM_S;
    double sim_s = (double)t.sim_us / SIM_S;
    uint64_t done = t.done > 0 ? t.done : 1;
    printf("%llu seeds, %.1f simulated hours, %llu steps, %llu faults, %llu rebalances, "
           "%llu grants, %llu fences, %llu writes in %.1f s\n",
           ull(t.done), sim_s / 3600, ull(t.steps), ull(t.faults), ull(t.rebalances),
           ull(t.grants), ull(t.fences), ull(t.writes), wall_s);
    printf("at rest after the last fault: %.1f s on average, %.1f s at most\n",
           (double)t.settled_sum_us / (double)done / SIM_S,
           (double)t.settled_max_us / SIM_S);
    printf("%llu violations\n", ull(t.violations));
    printf("{\"target\":\"sim\",\"seeds\":%llu,\"sim_hours\":%.1f,\"violations\":%llu,"
           "\"speed\":%.0f,\"steps\":%llu,\"wall_seconds\":%.1f}\n",
           ull(t.done), sim_s / 3600, ull(t.violations), sim_s / wall_s, ull(t.steps),
           wall_s);
    return t.violations == 0 && t.done == o.seeds ? 0 : 1;
}
