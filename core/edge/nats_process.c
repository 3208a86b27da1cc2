#include "config.h"

#include "edge/nats_process.h"

#include "base/bytes.h"
#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"
#include "edge/clock.h"
#include "edge/nats_probe.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONFIG_ROOM = 4096, PROGRAM_DIRS_MAX = 64, PORTS_FILE_MAX = 4096 };

/* ---- the program and its configuration */

static bool is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

static int find_program(const struct nats_process_plan *plan,
                        char path[NATS_ENDPOINT_PATH_ROOM], struct nats_error *e)
{
    static const char usual[] =
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    const char *env = getenv("PATH");
    char places[CONFIG_ROOM];

    if (plan->program != NULL) {
        (void)snprintf(path, NATS_ENDPOINT_PATH_ROOM, "%s", plan->program);
        if (is_program(path))
            return STATUS_OK;
        nats_error_set(e, STATUS_NOTFOUND, ERR_SERVER_MISSING,
                       "'%s' is no program that can be run. Correct the path, or install "
                       "the server: apt install nats-server.",
                       path);
        return e->status;
    }
    (void)snprintf(places, sizeof places, "%s:%s", env != NULL ? env : "", usual);
    const char *at = places;
    for (int i = 0; i < PROGRAM_DIRS_MAX && *at != '\0'; i++) {
        size_t n = strcspn(at, ":");
        if (n > 0 && at[0] == '/') {
            int whole =
                snprintf(path, NATS_ENDPOINT_PATH_ROOM, "%.*s/nats-server", (int)n, at);
            if (whole < NATS_ENDPOINT_PATH_ROOM && is_program(path))
                return STATUS_OK;
        }
        at += n + (at[n] == ':');
    }
    nats_error_set(e, STATUS_NOTFOUND, ERR_SERVER_MISSING,
                   "the program nats-server is not installed: it is neither in PATH nor "
                   "in %s. Install it: apt install nats-server; or set [nats] url to a "
                   "server that runs.",
                   usual);
    return e->status;
}

static int fail_io(struct nats_error *e, const char *what, const char *path)
{
    nats_error_set(e, STATUS_IO, ERR_SERVER_START, "cannot %s '%s': %s.", what, path,
                   strerror(errno));
    return e->status;
}

/* One setting a line: 2.9.10 cannot parse maps that stand on one. */
static int write_config(const struct nats_process_plan *plan,
                        const struct nats_endpoint *endpoint, struct nats_error *e)
{
    char text[CONFIG_ROOM];

    int n = snprintf(text, sizeof text,
                     "# Written by parti at each start.\n"
                     "server_name: \"parti-embedded\"\n"
                     "host: \"127.0.0.1\"\n"
                     "port: %d\n"
                     "ports_file_dir: \"%s/ports\"\n"
                     "authorization {\n"
                     "    user: \"parti\"\n"
                     "    password: \"%s\"\n"
                     "}\n"
                     "jetstream {\n"
                     "    store_dir: \"%s/store\"\n"
                     "    max_memory_store: 16777216\n"
                     "    max_file_store: %" PRIu64 "\n"
                     "}\n",
                     endpoint->port > 0 ? endpoint->port : -1, plan->dir,
                     endpoint->password, plan->dir, plan->store_max);
    must(n > 0 && n < (int)sizeof text);
    int status = nats_endpoint_write(plan->dir, "nats-server.conf", text, (size_t)n);
    int error = errno;
    explicit_bzero(text, sizeof text);
    errno = error;
    return status == STATUS_OK ? STATUS_OK
                               : fail_io(e, "write nats-server.conf in", plan->dir);
}

/* An empty folder that only the server writes to. */
static int prepare_ports(const char *path, struct nats_error *e)
{
    const struct dirent *entry;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return fail_io(e, "make", path);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return fail_io(e, "read", path);
    while ((entry = readdir(dir)) != NULL)
        (void)unlinkat(dirfd(dir), entry->d_name, 0); /* . and .. refuse */
    (void)closedir(dir);
    return STATUS_OK;
}

/* ---- its words */

static void keep_tail(struct nats_process *process, const char *text, size_t n)
{
    if (n > sizeof process->tail) {
        text += n - sizeof process->tail;
        n = sizeof process->tail;
    }
    if (process->tail_n + n > sizeof process->tail) {
        size_t drop = process->tail_n + n - sizeof process->tail;
        memmove(process->tail, process->tail + drop, process->tail_n - drop);
        process->tail_n -= drop;
    }
    memcpy(process->tail + process->tail_n, text, n);
    process->tail_n += n;
}

bool nats_process_drain(struct nats_process *process)
{
    char text[4096];
    ssize_t n = read(process->out, text, sizeof text);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n == 0)
        return false;
    keep_tail(process, text, (size_t)n);
    if (process->log_n + (size_t)n > NATS_PROCESS_LOG_MAX &&
        ftruncate(process->log, 0) == 0)
        process->log_n = 0;
    if (write(process->log, text, (size_t)n) == n)
        process->log_n += (size_t)n;
    return true;
}

/* Its last line that tells of an error, else its last line, without the time stamp. */
static void last_words(const struct nats_process *process, char *to, size_t room)
{
    struct bytes rest = {process->tail, process->tail_n};
    struct bytes said = {"it said nothing", strlen("it said nothing")};
    bool is_error = false;

    while (rest.n > 0) {
        const char *end = memchr(rest.at, '\n', rest.n);
        size_t n = end != NULL ? (size_t)(end - rest.at) : rest.n;
        const char *fatal = memmem(rest.at, n, "[FTL] ", 6);
        const char *error = memmem(rest.at, n, "[ERR] ", 6);
        const char *mark = fatal != NULL ? fatal : error;
        if (mark != NULL) {
            said = (struct bytes){mark + 6, n - (size_t)(mark + 6 - rest.at)};
            is_error = true;
        } else if (!is_error && n > 0) {
            said = (struct bytes){rest.at, n};
        }
        rest.at += n + (end != NULL);
        rest.n -= n + (end != NULL);
    }
    bytes_to_text(said, to, room);
}

/* ---- starting */

/* In the child: only what is safe after fork in a process with threads. */
static _Noreturn void become_server(const struct nats_process_plan *plan, pid_t parent,
                                    int out, int failed, char *const argv[])
{
    sigset_t none;
    int null = open("/dev/null", O_RDONLY);

    /* A group of its own: Ctrl-C at the terminal is for us, not for it. */
    (void)setpgid(0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(127); /* we ended before it could know */
    (void)sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        dup2(out, STDERR_FILENO) >= 0 && fcntl(plan->lock_fd, F_SETFD, 0) == 0)
        (void)execv(argv[0], argv);
    int error = errno;
    (void)!write(failed, &error, sizeof error);
    _exit(127);
}

static int spawn(struct nats_process *process, const struct nats_process_plan *plan,
                 char *program, struct nats_error *e)
{
    char config[NATS_ENDPOINT_PATH_ROOM], flag[] = "-c";
    char *const argv[] = {program, flag, config, NULL};
    int out[2], failed[2], error = 0;

    must(snprintf(config, sizeof config, "%s/nats-server.conf", plan->dir) <
         (int)sizeof config);
    if (pipe2(out, O_CLOEXEC) != 0)
        return fail_io(e, "make a pipe for", program);
    if (pipe2(failed, O_CLOEXEC) != 0) {
        (void)close(out[0]);
        (void)close(out[1]);
        return fail_io(e, "make a pipe for", program);
    }
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become_server(plan, parent, out[1], failed[1], argv);
    (void)close(out[1]);
    (void)close(failed[1]);
    if (pid < 0)
        error = errno;
    else if (read(failed[0], &error, sizeof error) != (ssize_t)sizeof error)
        error = 0; /* closed by a successful exec */
    (void)close(failed[0]);
    if (error != 0) {
        if (pid > 0)
            (void)waitpid(pid, NULL, 0);
        (void)close(out[0]);
        errno = error;
        return fail_io(e, "run", program);
    }
    process->pid = pid;
    process->out = out[0];
    must(fcntl(process->out, F_SETFL, O_NONBLOCK) == 0);
    return STATUS_OK;
}

/* The port in the server's ports file: {"nats":["nats://127.0.0.1:PORT"], ...}; 0 while
 * it is not complete.
 */
static int read_port(const struct nats_process_plan *plan, const char *program,
                     const struct nats_process *process)
{
    char path[NATS_ENDPOINT_PATH_ROOM * 2], text[PORTS_FILE_MAX];
    const char *slash = strrchr(program, '/');
    struct nats_url url;
    size_t urls_n = 0;
    int port = 0;

    must(snprintf(path, sizeof path, "%s/ports/%s_%d.ports", plan->dir,
                  slash != NULL ? slash + 1 : program,
                  (int)process->pid) < (int)sizeof path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof text);
    (void)close(fd);
    json_t *root = n > 0 ? json_loadb(text, (size_t)n, 0, NULL) : NULL;
    const char *first =
        json_string_value(json_array_get(json_object_get(root, "nats"), 0));
    if (first != NULL &&
        nats_url_parse(first, &url, 1, &urls_n, path, sizeof path) == STATUS_OK)
        port = url.port;
    json_decref(root);
    return port;
}

static int fail_ended(struct nats_process *process, struct nats_error *e)
{
    char said[512];

    last_words(process, said, sizeof said);
    nats_error_set(e, STATUS_IO, ERR_SERVER_START,
                   "the embedded nats-server ended while starting: %s", said);
    return e->status;
}

/* Waits for the ports file by inotify, for the process's end, or for the stop. */
static int await_port(struct nats_process *process, const struct nats_process_plan *plan,
                      const char *program, int watch, uint64_t deadline_ms, int *ret_port,
                      struct nats_error *e)
{
    char ignored[4096];
    struct pollfd fds[] = {{.fd = plan->stop_fd, .events = POLLIN},
                           {.fd = process->out, .events = POLLIN},
                           {.fd = watch, .events = POLLIN}};

    for (;;) {
        uint64_t left = sat_sub(deadline_ms, clock_boot_ms());
        int n = poll(fds, 3, (int)left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0) {
            nats_error_set(e, STATUS_TIMEOUT, ERR_SERVER_START,
                           "the embedded nats-server is not ready after %" PRIu64
                           " ms. See nats-server.log in '%s'.",
                           plan->start_ms, plan->dir);
            return e->status;
        }
        if (fds[0].revents != 0)
            return STATUS_CANCELED;
        if (fds[1].revents != 0 && !nats_process_drain(process))
            return fail_ended(process, e);
        if (fds[2].revents != 0)
            (void)!read(watch, ignored, sizeof ignored);
        *ret_port = read_port(plan, program, process);
        if (*ret_port > 0)
            return STATUS_OK;
    }
}

static int start_watched(struct nats_process *process,
                         const struct nats_process_plan *plan, char *program, int watch,
                         struct nats_endpoint *endpoint, struct nats_error *e)
{
    uint64_t deadline_ms = sat_add(clock_boot_ms(), plan->start_ms);
    struct nats_url url = {.host = "127.0.0.1"};

    int status = spawn(process, plan, program, e);
    if (status == STATUS_OK)
        status = await_port(process, plan, program, watch, deadline_ms, &url.port, e);
    if (status != STATUS_OK)
        return status;
    endpoint->port = url.port;
    uint64_t left = sat_sub(deadline_ms, clock_boot_ms());
    status = nats_probe(&url, left < 100 ? 100 : (int)left, NULL, e);
    e->code = status == STATUS_OK ? 0 : ERR_SERVER_START;
    return status;
}

int nats_process_start(struct nats_process *process, const struct nats_process_plan *plan,
                       struct nats_endpoint *endpoint, struct nats_error *e)
{
    char program[NATS_ENDPOINT_PATH_ROOM], path[NATS_ENDPOINT_PATH_ROOM];

    *process = (struct nats_process){.out = -1, .log = -1};
    int status = find_program(plan, program, e);
    if (status == STATUS_OK)
        status = write_config(plan, endpoint, e);
    must(snprintf(path, sizeof path, "%s/ports", plan->dir) < (int)sizeof path);
    if (status == STATUS_OK)
        status = prepare_ports(path, e);
    if (status != STATUS_OK)
        return status;

    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch < 0 || inotify_add_watch(watch, path, IN_CLOSE_WRITE | IN_MOVED_TO) < 0) {
        status = fail_io(e, "watch", path);
        goto out;
    }
    must(snprintf(path, sizeof path, "%s/nats-server.log", plan->dir) < (int)sizeof path);
    process->log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (process->log < 0) {
        status = fail_io(e, "write", path);
        goto out;
    }
    status = start_watched(process, plan, program, watch, endpoint, e);
    if (status != STATUS_OK)
        nats_process_stop(process, 0);
out:
    if (watch >= 0)
        (void)close(watch);
    return status;
}

/* ---- stopping */

void nats_process_stop(struct nats_process *process, uint64_t stop_ms)
{
    struct pollfd out = {.fd = process->out, .events = POLLIN};
    uint64_t deadline_ms = sat_add(clock_boot_ms(), stop_ms);

    if (process->pid > 0) {
        (void)kill(process->pid, stop_ms > 0 ? SIGTERM : SIGKILL);
        for (uint64_t left = stop_ms; left > 0;
             left = sat_sub(deadline_ms, clock_boot_ms())) {
            if (poll(&out, 1, (int)left) == 1 && !nats_process_drain(process))
                break;
        }
        /* Not collected yet, so the number is still its own. */
        (void)kill(process->pid, SIGKILL);
        while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    }
    if (process->out >= 0)
        (void)close(process->out);
    if (process->log >= 0)
        (void)close(process->log);
    *process = (struct nats_process){.out = -1, .log = -1};
}
