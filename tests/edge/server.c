#include "config.h"

#include "server.h"

#include "edge/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <nats/nats.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- one server */

static void write_config(const struct server *server)
{
    const struct server_options *o = &server->options;
    char path[SERVER_PATH_ROOM + 16];

    format(path, sizeof path, "%s/server.conf", server->dir);
    FILE *f = fopen(path, "we");
    if (f == NULL)
        die("open %s: %s", path, strerror(errno));
    (void)fprintf(f, "host: \"127.0.0.1\"\nport: %d\nports_file_dir: \"%s\"\n",
                  server->port > 0 ? server->port : -1, server->dir);
    if (server->name[0] != '\0')
        (void)fprintf(f, "server_name: \"%s\"\n", server->name);
    if (!o->no_jetstream)
        (void)fprintf(f, "jetstream {\n  store_dir: \"%s\"\n%s}\n", server->store_dir,
                      server->js_extra);
    if (o->cluster_port > 0) {
        (void)fprintf(f,
                      "cluster {\n  name: \"test\"\n  listen: \"127.0.0.1:%d\"\n"
                      "  routes: [\n",
                      o->cluster_port);
        for (int i = 0; i < CLUSTER_SIZE && o->routes[i] > 0; i++)
            (void)fprintf(f, "    \"nats-route://127.0.0.1:%d\"\n", o->routes[i]);
        (void)fprintf(f, "  ]\n}\n");
    }
    (void)fprintf(f, "%s", server->extra);
    if (fclose(f) != 0)
        die("write %s: %s", path, strerror(errno));
}

/* 0 until the ports file is complete. */
static int read_port(const struct server *server, char path[SERVER_PATH_ROOM])
{
    const char *slash = strrchr(server->options.program->path, '/');
    int port = 0;

    format(path, SERVER_PATH_ROOM, "%s/%s_%d.ports", server->dir,
           slash != NULL ? slash + 1 : server->options.program->path, (int)server->pid);
    json_t *root = json_load_file(path, 0, NULL);
    const char *url = json_string_value(json_array_get(json_object_get(root, "nats"), 0));
    const char *colon = url != NULL ? strrchr(url, ':') : NULL;
    if (colon != NULL)
        port = (int)strtol(colon + 1, NULL, 10);
    json_decref(root);
    return port;
}

static void dump_log(const struct server *server)
{
    char path[SERVER_PATH_ROOM + 16], text[4096];

    format(path, sizeof path, "%s/log", server->dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text) : -1;
    if (n > 0)
        (void)fprintf(stderr, "%.*s\n", (int)n, text);
    if (fd >= 0)
        (void)close(fd);
}

/* Waits for the ports file by inotify, with the process's end noticed each 100 ms. */
static bool await_ports(struct server *server, int watch)
{
    uint64_t deadline = clock_boot_ms() + SERVER_START_MS;
    char ignored[4096], path[SERVER_PATH_ROOM];

    while (clock_boot_ms() < deadline) {
        struct pollfd event = {.fd = watch, .events = POLLIN};
        if (poll(&event, 1, 100) == 1)
            (void)!read(watch, ignored, sizeof ignored);
        server->port = read_port(server, path);
        if (server->port > 0) {
            (void)unlink(path);
            return true;
        }
        if (waitpid(server->pid, NULL, WNOHANG) == server->pid) {
            server->pid = 0;
            return false;
        }
    }
    return false;
}

static bool try_start(struct server *server)
{
    char config[SERVER_PATH_ROOM + 16], log[SERVER_PATH_ROOM + 16];
    const char *const argv[] = {server->options.program->path, "-c", config, NULL};
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (watch < 0 || inotify_add_watch(watch, server->dir, IN_CLOSE_WRITE) < 0)
        die("inotify: %s", strerror(errno));
    write_config(server);
    format(config, sizeof config, "%s/server.conf", server->dir);
    format(log, sizeof log, "%s/log", server->dir);
    int out = open_output(log);
    server->pid = launch(argv, out);
    (void)close(out);
    bool up = await_ports(server, watch);
    (void)close(watch);
    if (up)
        format(server->url, sizeof server->url, "nats://127.0.0.1:%d", server->port);
    return up;
}

static void prepare(struct server *server, const struct server_options *options)
{
    *server = (struct server){.options = *options};
    make_dir(server->dir);
    format(server->extra, sizeof server->extra, "%s",
           options->extra != NULL ? options->extra : "");
    format(server->js_extra, sizeof server->js_extra, "%s",
           options->js_extra != NULL ? options->js_extra : "");
    format(server->name, sizeof server->name, "%s",
           options->name != NULL ? options->name : "");
    if (options->store_dir != NULL)
        format(server->store_dir, sizeof server->store_dir, "%s", options->store_dir);
    else
        format(server->store_dir, sizeof server->store_dir, "%.200s/js", server->dir);
}

void server_start(struct server *server, const struct server_options *options)
{
    prepare(server, options);
    if (!try_start(server)) {
        dump_log(server);
        die("%s does not start in %s", options->program->path, server->dir);
    }
}

void server_restart(struct server *server)
{
    if (server->pid != 0)
        die("restart of a server that runs");
    if (!try_start(server)) {
        dump_log(server);
        die("%s does not start again in %s", server->options.program->path, server->dir);
    }
}

static void end_with(struct server *server, int signal_number)
{
    if (server->pid == 0)
        return;
    (void)kill(server->pid, signal_number);
    while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    server->pid = 0;
}

void server_stop(struct server *server)
{
    end_with(server, SIGTERM);
}

void server_kill(struct server *server)
{
    end_with(server, SIGKILL);
}

void server_freeze(struct server *server)
{
    int status = 0;

    if (kill(server->pid, SIGSTOP) != 0 ||
        waitpid(server->pid, &status, WUNTRACED) != server->pid || !WIFSTOPPED(status))
        die("the server cannot be frozen");
}

void server_thaw(struct server *server)
{
    if (kill(server->pid, SIGCONT) != 0)
        die("the server cannot be thawed: %s", strerror(errno));
}

void server_finish(struct server *server)
{
    server_kill(server);
    remove_tree(server->dir);
}

/* ---- clusters */

static bool try_cluster(struct cluster *cluster, const struct server_program *program)
{
    static const char *const names[CLUSTER_SIZE] = {"a", "b", "c"};
    struct server_options options = {.program = program};

    *cluster = (struct cluster){0};
    for (int i = 0; i < CLUSTER_SIZE; i++)
        options.routes[i] = free_port();
    for (int i = 0; i < CLUSTER_SIZE; i++) {
        options.name = names[i];
        options.cluster_port = options.routes[i];
        prepare(&cluster->member[i], &options);
        if (!try_start(&cluster->member[i]))
            return false;
    }
    return true;
}

void cluster_start(struct cluster *cluster, const struct server_program *program)
{
    char reply[4096];

    for (int tries = 0; !try_cluster(cluster, program); tries++) {
        cluster_finish(cluster);
        if (tries == 3)
            die("no cluster of %s to be had", program->path);
    }
    const struct server *m = cluster->member;
    format(cluster->url, sizeof cluster->url, "%s,%s,%s", m[0].url, m[1].url, m[2].url);
    /* Names of streams are answered by the meta leader alone; before there is one,
       nobody answers or an error does. */
    uint64_t deadline = clock_boot_ms() + SERVER_META_MS;
    while (
        !server_request(m[0].url, "$JS.API.STREAM.NAMES", "", reply, sizeof reply, 250) ||
        strstr(reply, "\"error\"") != NULL) {
        if (clock_boot_ms() > deadline)
            die("the cluster of %s has no leader", program->path);
    }
}

void cluster_finish(struct cluster *cluster)
{
    for (int i = 0; i < CLUSTER_SIZE; i++)
        server_finish(&cluster->member[i]);
}

bool server_request(const char *url, const char *subject, const char *body, char *reply,
                    size_t room, int64_t timeout_ms)
{
    natsConnection *nc = NULL;
    natsMsg *msg = NULL;
    bool got = false;

    if (natsConnection_ConnectTo(&nc, url) == NATS_OK &&
        natsConnection_RequestString(&msg, nc, subject, body, timeout_ms) == NATS_OK) {
        format(reply, room, "%.*s", natsMsg_GetDataLength(msg), natsMsg_GetData(msg));
        got = true;
    }
    natsMsg_Destroy(msg);
    natsConnection_Destroy(nc);
    return got;
}
