#include "host/worker_setup.h"

#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

char *worker_state_dir(const struct conf *conf)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    char path[4096];
    int n;

    if (conf->nats.store_dir != NULL)
        return strdup(conf->nats.store_dir);
    if (state != NULL && state[0] == '/')
        n = snprintf(path, sizeof path, "%s/parti/%s", state, conf->group);
    else if (geteuid() == 0)
        n = snprintf(path, sizeof path, "/var/lib/parti/%s", conf->group);
    else if (home != NULL && home[0] == '/')
        n = snprintf(path, sizeof path, "%s/.local/state/parti/%s", home, conf->group);
    else
        return NULL;
    return n > 0 && (size_t)n < sizeof path ? strdup(path) : NULL;
}

static void fill_timing(const struct conf_timing *c, const struct conf_worker *w,
                        struct node_timing *t)
{
    *t = (struct node_timing){
        .heartbeat_interval = c->heartbeat_interval_ms,
        .heartbeat_ttl = c->heartbeat_ttl_ms,
        .fence_margin = c->fence_margin_ms,
        .leader_authority = c->leader_authority_ms,
        .leader_renew_interval = c->leader_renew_interval_ms,
        .election_timeout = c->election_timeout_ms,
        .clock_drift_ppm = c->clock_drift_ppm,
        .worker_id_ttl = c->worker_id_ttl_ms,
        .restart_grace = w->restart_grace_ms,
        .cold_start_window = c->cold_start_window_ms,
        .planned_scale_window = c->planned_scale_window_ms,
        .emergency_grace = c->emergency_grace_ms,
        .restart_ratio_ppm = c->restart_ratio_ppm,
        .min_rebalance_interval = c->min_rebalance_interval_ms,
        .min_rebalance_threshold_ppm = c->min_rebalance_threshold_ppm,
        .operation_timeout = c->operation_timeout_ms,
        .degraded_enter = c->degraded_enter_ms,
        .degraded_exit = c->degraded_exit_ms,
        .kv_error_threshold = c->kv_error_threshold,
        .kv_error_window = c->kv_error_window_ms,
        .recovery_grace = c->recovery_grace_ms,
    };
}

static int fill_node(const struct conf *c, const char *strategy, struct worker_setup *s,
                     struct node_conf *n)
{
    fill_timing(&c->timing, &c->worker, &n->timing);
    n->ownership =
        c->ownership == CONF_AVAILABLE ? OWNERSHIP_AVAILABLE : OWNERSHIP_STRICT;
    n->id_prefix = c->worker.id_prefix;
    n->id_max = (uint32_t)c->worker.id_max;
    n->id_wish = c->worker.id != NULL ? (int64_t)c->worker.id_number : -1;
    n->host = s->host;
    n->pid = (uint32_t)getpid();
    n->capacity = (uint32_t)c->worker.capacity;
    n->zone = c->worker.zone != NULL ? c->worker.zone : "";
    n->strategy = strategy;
    n->members_max = n->id_max + 1;
    n->parts_max = WORKER_PARTS_MAX;
    n->record_max = WORKER_RECORD_MAX;
    n->is_traced = getenv("PARTI_TRACE") != NULL;
    if (getrandom(n->entropy, sizeof n->entropy, 0) != (ssize_t)sizeof n->entropy ||
        getrandom(&n->addr, sizeof n->addr, 0) != (ssize_t)sizeof n->addr)
        return STATUS_IO;
    n->addr |= 1; /* never 0 */
    return 0;
}

int worker_loop_options(const struct conf *c, const char *strategy,
                        struct worker_setup *s, struct loop_options *o, char *text,
                        size_t room)
{
    if (gethostname(s->host, sizeof s->host) != 0)
        (void)snprintf(s->host, sizeof s->host, "unknown");
    s->host[sizeof s->host - 1] = '\0';
    (void)snprintf(s->name, sizeof s->name, "parti %s %s %d", c->group, s->host,
                   (int)getpid());
    (void)snprintf(s->positions_name, sizeof s->positions_name,
                   "parti %s positions %s %d", c->group, s->host, (int)getpid());
    if (fill_node(c, strategy, s, &o->node) < 0) {
        (void)snprintf(text, room, "the kernel gives no random bytes");
        return STATUS_IO;
    }
    o->group = c->group;
    o->replicas = (int)c->nats.replicas;
    o->nats = (struct nats_link_options){.url = c->nats.url,
                                         .user = c->nats.user,
                                         .password = c->nats.password,
                                         .creds = c->nats.creds,
                                         .nkey = c->nats.nkey,
                                         .tls_ca = c->nats.tls_ca,
                                         .tls_cert = c->nats.tls_cert,
                                         .tls_key = c->nats.tls_key,
                                         .name = s->name};
    if (!c->nats.embedded)
        return 0;
    s->state_dir = worker_state_dir(c);
    if (s->state_dir == NULL) {
        (void)snprintf(text, room,
                       "no folder for the embedded server: HOME is not set. Set [nats] "
                       "store_dir.");
        return STATUS_IO;
    }
    s->embedded = (struct nats_child_options){.state_dir = s->state_dir};
    o->embedded = &s->embedded;
    return 0;
}

void worker_setup_finish(struct worker_setup *s)
{
    free(s->state_dir);
    s->state_dir = NULL;
}

void worker_errors_text(struct conf *conf, char *text, size_t room)
{
    FILE *to = fmemopen(text, room, "w");

    if (to == NULL)
        return;
    conf_errors_print(&conf->errors, to);
    (void)fclose(to);
    text[room - 1] = '\0';
}

void worker_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &attr);
    (void)pthread_condattr_destroy(&attr);
}

_Atomic uint64_t *worker_words_map(void)
{
    void *words = mmap(NULL, WORKER_PARTS_MAX * sizeof(uint64_t), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return words != MAP_FAILED ? words : NULL;
}

void worker_words_unmap(_Atomic uint64_t *words)
{
    if (words != NULL)
        (void)munmap((void *)(uintptr_t)words, WORKER_PARTS_MAX * sizeof(uint64_t));
}
