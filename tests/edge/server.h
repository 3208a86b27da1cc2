/* Real nats-servers for tests: single ones and clusters, on loopback, in folders of
 * their own under TMPDIR, started, frozen, killed and restarted by their process id.
 *
 * Nothing here is part of Parti.  Where a server cannot be had as asked the process
 * ends with a sentence (abort), since no test can go on then.  Every server dies with
 * the thread that started it (PR_SET_PDEATHSIG), so a crashed test leaves none behind.
 */
#ifndef PARTI_TESTS_EDGE_SERVER_H
#define PARTI_TESTS_EDGE_SERVER_H

#include "program.h"

#include <stdint.h>

enum {
    SERVER_CONFIG_ROOM = 4096,
    SERVER_START_MS = 10000, /* greets by then */
    SERVER_META_MS = 20000   /* a cluster has chosen its meta leader by then */
};

struct server_options {
    const struct server_program *program;
    bool no_jetstream;
    const char *extra;     /* further configuration, whole lines */
    const char *js_extra;  /* further lines inside jetstream { } */
    const char *store_dir; /* instead of one of its own */
    const char *name;      /* server_name; cluster members need one */
    int cluster_port;      /* 0: stands alone */
    int routes[3];         /* cluster ports of all members, 0 for none */
};

struct server {
    struct server_options options;
    pid_t pid; /* 0: not running */
    int port;
    char dir[SERVER_PATH_ROOM];
    char url[64]; /* nats://127.0.0.1:port */
    char extra[SERVER_CONFIG_ROOM], js_extra[512], store_dir[SERVER_PATH_ROOM], name[16];
};

/* Starts it at a port that the kernel chooses and waits until it greets. */
void server_start(struct server *server, const struct server_options *options);

/* The same folder and port once more, after server_stop() or server_kill(). */
void server_restart(struct server *server);

void server_stop(struct server *server);   /* SIGTERM, and waits */
void server_kill(struct server *server);   /* SIGKILL, and waits */
void server_freeze(struct server *server); /* SIGSTOP, and waits until it stands */
void server_thaw(struct server *server);   /* SIGCONT */

/* Kills it if it runs and removes its folder. */
void server_finish(struct server *server);

enum { CLUSTER_SIZE = 3 };

struct cluster {
    struct server member[CLUSTER_SIZE];
    char url[256]; /* all members */
};

/* Starts the members and waits until JetStream of the cluster answers: polls an API
 * request until it does, at most SERVER_META_MS.
 */
void cluster_start(struct cluster *cluster, const struct server_program *program);
void cluster_finish(struct cluster *cluster);

/* A request and its reply over a connection of its own, for looking at a server behind
 * the back of what is tested.  url may hold credentials.  False: no reply in time.
 */
bool server_request(const char *url, const char *subject, const char *body, char *reply,
                    size_t room, int64_t timeout_ms);

#endif
