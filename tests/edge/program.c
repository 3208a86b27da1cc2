#include "config.h"

#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

_Noreturn void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)fprintf(stderr, "tests/edge/server: ");
    (void)vfprintf(stderr, format, args);
    (void)fprintf(stderr, "\n");
    va_end(args);
    abort();
}

void format(char *to, size_t room, const char *template, ...)
{
    va_list args;

    va_start(args, template);
    int n = vsnprintf(to, room, template, args);
    va_end(args);
    if (n < 0 || (size_t)n >= room)
        die("text of %d bytes for %zu", n, room);
}

/* ---- folders and programs */

void make_dir(char path[SERVER_PATH_ROOM])
{
    const char *tmp = getenv("TMPDIR");

    format(path, SERVER_PATH_ROOM, "%s/parti-test-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(path) == NULL)
        die("mkdtemp %s: %s", path, strerror(errno));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    (void)remove(path);
    return 0;
}

void remove_tree(const char *path)
{
    if (path[0] != '\0')
        (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Forks; in the child, bound to us, with output going to 'out', runs argv. */
pid_t launch(const char *const argv[], int out)
{
    pid_t parent = getpid();
    pid_t pid = fork();

    if (pid < 0)
        die("fork: %s", strerror(errno));
    if (pid > 0)
        return pid;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent ||
        dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0)
        _exit(127);
    (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

int open_output(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0)
        die("open %s: %s", path, strerror(errno));
    return fd;
}

void run_program(const char *const argv[])
{
    int status = -1;
    int out = open_output("/dev/null");
    pid_t pid = launch(argv, out);

    (void)close(out);
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
        die("%s %s failed", argv[0], argv[1] != NULL ? argv[1] : "");
}

int free_port(void)
{
    for (int tries = 0; tries < 100; tries++) {
        uint16_t random = 0;
        if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
            die("getrandom: %s", strerror(errno));
        int port = 20000 + random % 10000;
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)port),
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int done = bind(fd, (const struct sockaddr *)&address, sizeof address);
        (void)close(fd);
        if (done == 0)
            return port;
    }
    die("no free port");
}

static bool ask_version(struct server_program *program)
{
    const char *const argv[] = {program->path, "--version", NULL};
    char text[256] = "";
    int fds[2], status = -1;

    if (pipe2(fds, O_CLOEXEC) != 0)
        die("pipe: %s", strerror(errno));
    pid_t pid = launch(argv, fds[1]);
    (void)close(fds[1]);
    ssize_t n = read(fds[0], text, sizeof text - 1);
    (void)close(fds[0]);
    if (waitpid(pid, &status, 0) != pid || n <= 0)
        return false;
    return sscanf(text, "nats-server: v%31[0-9.]", program->version) == 1;
}

static struct server_program programs[SERVER_PROGRAMS_MAX];
static size_t programs_n;

static void add_program(const char *path, size_t n)
{
    struct server_program *program = &programs[programs_n];

    if (programs_n == SERVER_PROGRAMS_MAX || n == 0)
        return;
    format(program->path, sizeof program->path, "%.*s", (int)n, path);
    if (access(program->path, X_OK) != 0)
        return;
    for (size_t i = 0; i < programs_n; i++) {
        if (strcmp(programs[i].path, program->path) == 0)
            return;
    }
    if (!ask_version(program))
        die("%s does not tell its version", program->path);
    programs_n++;
}

/* The first nats-server of PATH and /usr/sbin. */
static void add_installed(void)
{
    const char *env = getenv("PATH");
    char places[4096], path[SERVER_PATH_ROOM];

    format(places, sizeof places, "%s:/usr/sbin:/usr/local/sbin", env != NULL ? env : "");
    for (const char *at = places; *at != '\0' && programs_n == 0;) {
        size_t n = strcspn(at, ":");
        if (n > 0 && n < sizeof path - 16) {
            format(path, sizeof path, "%.*s/nats-server", (int)n, at);
            add_program(path, strlen(path));
        }
        at += n + (at[n] == ':');
    }
}

static void add_fetched(void)
{
    const char *build = getenv("PARTI_BUILDDIR");
    char pattern[SERVER_PATH_ROOM];
    glob_t found;

    format(pattern, sizeof pattern, "%s/servers/*/nats-server",
           build != NULL ? build : ".");
    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            add_program(found.gl_pathv[i], strlen(found.gl_pathv[i]));
        globfree(&found);
    }
}

size_t server_programs(const struct server_program **ret_programs)
{
    const char *list = getenv("PARTI_NATS_SERVERS");

    if (programs_n == 0 && list != NULL && list[0] != '\0') {
        for (const char *at = list; *at != '\0';) {
            size_t n = strcspn(at, ":");
            add_program(at, n);
            at += n + (at[n] == ':');
        }
    } else if (programs_n == 0) {
        add_installed();
        add_fetched();
    }
    if (programs_n == 0)
        die("no nats-server found: apt install nats-server, or set PARTI_NATS_SERVERS");
    *ret_programs = programs;
    return programs_n;
}

bool server_is_at_least(const struct server_program *program, int major, int minor)
{
    int is_major = 0, is_minor = 0;

    if (sscanf(program->version, "%d.%d", &is_major, &is_minor) != 2)
        die("version '%s'", program->version);
    return is_major > major || (is_major == major && is_minor >= minor);
}
