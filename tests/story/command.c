/* The words of a story, one table entry each. */
#include "story.h"

#include "sim_mood.h"

#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 8 };

struct command {
    const char *name;
    int words_min, words_max; /* the name included */
    void (*run)(struct story *st, int n, char **word);
};

static void mistake(struct story *st, const char *what)
{
    if (st->mistake == NULL)
        st->mistake = what;
}

static uint64_t number(struct story *st, const char *word)
{
    char *end = NULL;
    unsigned long long value = strtoull(word, &end, 10);

    if (end == word || *end != '\0')
        mistake(st, "a number is needed");
    return value;
}

static struct proc *worker(struct story *st, const char *word, bool is_live)
{
    uint64_t slot = word[0] == 'w' ? number(st, word + 1) : PROCS_MAX;

    if (slot >= PROCS_MAX) {
        mistake(st, "a worker w0 to w15 is needed");
        slot = 0;
    }
    struct proc *p = &st->sim.proc[slot];
    if (proc_is_live(p) != is_live)
        mistake(st, is_live ? "this worker is not there" : "this worker is there");
    return st->mistake == NULL ? p : NULL;
}

static void join(struct story *st, uint32_t slot, int64_t wish)
{
    char name[16];

    snprintf(name, sizeof name, "w%u", (unsigned)slot);
    proc_start(&st->sim, slot, wish, name);
}

static void cmd_profile(struct story *st, int n, char **word)
{
    (void)n;
    sim_mood_timing(&st->sim.timing, word[1]);
    st->sim.timing.clock_drift_ppm = 0;
}

static void cmd_set(struct story *st, int n, char **word)
{
    struct node_timing *t = &st->sim.timing;
    const struct {
        const char *name;
        uint64_t *value;
    } keys[] = {
        {"heartbeat_interval", &t->heartbeat_interval},
        {"heartbeat_ttl", &t->heartbeat_ttl},
        {"fence_margin", &t->fence_margin},
        {"leader_authority", &t->leader_authority},
        {"leader_renew_interval", &t->leader_renew_interval},
        {"election_timeout", &t->election_timeout},
        {"clock_drift_ppm", &t->clock_drift_ppm},
        {"worker_id_ttl", &t->worker_id_ttl},
        {"restart_grace", &t->restart_grace},
        {"cold_start_window", &t->cold_start_window},
        {"planned_scale_window", &t->planned_scale_window},
        {"emergency_grace", &t->emergency_grace},
        {"restart_ratio_ppm", &t->restart_ratio_ppm},
        {"min_rebalance_interval", &t->min_rebalance_interval},
        {"min_rebalance_threshold_ppm", &t->min_rebalance_threshold_ppm},
        {"operation_timeout", &t->operation_timeout},
        {"degraded_enter", &t->degraded_enter},
        {"degraded_exit", &t->degraded_exit},
        {"kv_error_threshold", &t->kv_error_threshold},
        {"kv_error_window", &t->kv_error_window},
        {"recovery_grace", &t->recovery_grace},
    };

    (void)n;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i].name, word[1]) == 0) {
            *keys[i].value = number(st, word[2]);
            return;
        }
    mistake(st, "no such key of the timing");
}

static void cmd_ownership(struct story *st, int n, char **word)
{
    (void)n;
    if (strcmp(word[1], "available") != 0)
        mistake(st, "ownership available");
    st->sim.ownership = OWNERSHIP_AVAILABLE;
}

/* Whoever lives hears of a changed list by itself. */
static void announce(struct story *st)
{
    for (uint32_t i = 0; i < PROCS_MAX; i++)
        if (proc_is_live(&st->sim.proc[i]))
            sim_push(&st->sim, &st->sim.proc[i], st->sim.now_us,
                     (struct sim_event){.kind = SIM_LISTED});
}

static void cmd_partitions(struct story *st, int n, char **word)
{
    uint64_t listed = number(st, word[1]);

    (void)n;
    for (uint32_t i = 0; i < SIM_PARTS_MAX; i++)
        st->sim.part_present[sim_part_numbered(i)] = i < listed;
    announce(st);
}

static void cmd_add(struct story *st, int n, char **word)
{
    for (int i = 1; i < n; i++) {
        uint64_t part = number(st, word[i]);
        if (part >= SIM_PARTS_MAX)
            mistake(st, "a partition 0 to 63 is needed");
        else
            st->sim.part_present[sim_part_numbered((uint32_t)part)] =
                strcmp(word[0], "add") == 0;
    }
    announce(st);
}

static void cmd_workers(struct story *st, int n, char **word)
{
    uint64_t count = number(st, word[1]);

    (void)n;
    for (uint32_t i = 0; i < count && i < PROCS_MAX; i++)
        if (!proc_is_live(&st->sim.proc[i]))
            join(st, i, i);
}

static void cmd_join(struct story *st, int n, char **word)
{
    struct proc *p = worker(st, word[1], false);
    int64_t wish = p != NULL ? (int64_t)p->slot : -1;

    if (n == 4 && strcmp(word[2], "wish") == 0)
        wish = strcmp(word[3], "none") == 0 ? -1 : (int64_t)number(st, word[3]);
    else if (n != 2)
        mistake(st, "join wX [wish N]");
    if (p != NULL)
        join(st, p->slot, wish);
}

static void cmd_crash(struct story *st, int n, char **word)
{
    struct proc *p = worker(st, word[1], true);

    (void)n;
    if (p != NULL)
        proc_crash(&st->sim, p);
}

static void cmd_pause(struct story *st, int n, char **word)
{
    struct proc *p = worker(st, word[1], true);
    uint64_t ms = number(st, word[2]);

    (void)n;
    if (p != NULL)
        proc_pause(&st->sim, p, ms * SIM_MS, false);
}

static void cmd_stop(struct story *st, int n, char **word)
{
    struct proc *p = worker(st, word[1], true);

    if (p != NULL)
        proc_stop(&st->sim, p, n == 3 && strcmp(word[2], "restart") == 0);
}

static void cmd_refresh(struct story *st, int n, char **word)
{
    struct proc *p = worker(st, word[1], true);

    (void)n;
    if (p != NULL)
        sim_push(&st->sim, p, st->sim.now_us, (struct sim_event){.kind = SIM_REFRESH});
}

static void cmd_cut(struct story *st, int n, char **word)
{
    struct proc *p = worker(st, word[1], true);
    bool is_heal = strcmp(word[0], "heal") == 0;

    if (p == NULL)
        return;
    if (n == 2 || strcmp(word[2], "in") == 0)
        p->cut_in = !is_heal;
    if (n == 2 || strcmp(word[2], "out") == 0)
        p->cut_out = !is_heal;
}

static void cmd_blind(struct story *st, int n, char **word)
{
    struct proc *p = worker(st, word[1], true);

    (void)n;
    if (p != NULL)
        p->is_blind = strcmp(word[0], "blind") == 0;
}

static void cmd_plug(struct story *st, int n, char **word)
{
    struct proc *p = worker(st, word[1], true);

    (void)n;
    if (p != NULL)
        proc_link(&st->sim, p, strcmp(word[0], "plug") == 0);
}

static void cmd_log(struct story *st, int n, char **word)
{
    (void)n;
    if (strcmp(word[1], "keep") == 0)
        sim_log_keep(&st->sim);
    else if (strcmp(word[1], "back") == 0)
        sim_log_back(&st->sim);
    else if (strcmp(word[1], "lost") == 0)
        sim_log_lose(&st->sim);
    else if (strcmp(word[1], "down") == 0 || strcmp(word[1], "up") == 0)
        st->sim.log.is_down = word[1][0] == 'd';
    else
        mistake(st, "log down|up|keep|back|lost");
}

static void cmd_next(struct story *st, int n, char **word)
{
    (void)n;
    if (strcmp(word[1], "lost") == 0)
        st->sim.log.next = LOG_NEXT_LOST;
    else if (strcmp(word[1], "late") == 0)
        st->sim.log.next = LOG_NEXT_LATE;
    else if (strcmp(word[1], "spurious") == 0)
        st->sim.log.next = LOG_NEXT_SPURIOUS;
    else if (strcmp(word[1], "slow") == 0)
        st->sim.log.next = LOG_NEXT_SLOW;
    else
        mistake(st, "next lost|late|spurious|slow");
}

static void cmd_stale(struct story *st, int n, char **word)
{
    (void)n;
    if (strlen(word[1]) >= sizeof st->sim.log.stale_key)
        mistake(st, "no such key");
    else
        snprintf(st->sim.log.stale_key, sizeof st->sim.log.stale_key, "%s", word[1]);
}

static void cmd_drain(struct story *st, int n, char **word)
{
    uint64_t us = number(st, word[n - 1]) * SIM_MS;
    struct proc *p = n == 3 ? worker(st, word[1], true) : NULL;

    if (p != NULL)
        p->app.drain_us = us;
    for (uint32_t i = 0; n == 2 && i < PROCS_MAX; i++)
        st->sim.proc[i].app.drain_us = us;
}

static void cmd_delay(struct story *st, int n, char **word)
{
    (void)n;
    st->sim.knobs.delay_us = number(st, word[1]) * SIM_MS;
}

static void cmd_show(struct story *st, int n, char **word)
{
    (void)n;
    if (strcmp(word[1], "leases") != 0)
        mistake(st, "show leases");
    st->sim.tells_leases = true;
}

static void cmd_plan(struct story *st, int n, char **word)
{
    (void)n;
    st->sim.knobs.plan_fail_ppm = strcmp(word[1], "fail") == 0 ? 1000000 : 0;
    st->sim.knobs.plan_keep_ppm = strcmp(word[1], "keep") == 0 ? 1000000 : 0;
}

static void cmd_list(struct story *st, int n, char **word)
{
    (void)n;
    st->sim.knobs.list_fail_ppm = strcmp(word[1], "fail") == 0 ? 1000000 : 0;
}

static void cmd_room(struct story *st, int n, char **word)
{
    struct proc *p = worker(st, word[1], false);
    uint64_t room = number(st, word[3]);

    (void)n;
    if (p == NULL)
        return;
    if (strcmp(word[2], "members") == 0)
        st->sim.id_room[p->slot] = (uint32_t)room;
    else if (strcmp(word[2], "partitions") == 0)
        st->sim.part_room[p->slot] = (uint32_t)room;
    else
        mistake(st, "room wX members|partitions N");
}

static void cmd_hide(struct story *st, int n, char **word)
{
    if (st->hide_n == STORY_HIDES_MAX) {
        mistake(st, "too many hidden words");
        return;
    }
    char *to = st->hide[st->hide_n++];
    size_t used = 0;
    for (int i = 1; i < n; i++)
        used += (size_t)snprintf(to + used, sizeof st->hide[0] - used, "%s%s",
                                 i > 1 ? " " : "", word[i]);
}

static void cmd_only(struct story *st, int n, char **word)
{
    st->only = 0;
    for (int i = 1; i < n; i++) {
        uint64_t slot = word[i][0] == 'w' ? number(st, word[i] + 1) : PROCS_MAX;
        if (slot >= PROCS_MAX)
            mistake(st, "a worker w0 to w15 is needed");
        else
            st->only |= UINT32_C(1) << slot;
    }
}

static void cmd_quiet(struct story *st, int n, char **word)
{
    (void)n;
    st->is_quiet = strcmp(word[0], "quiet") == 0;
}

static void cmd_time(struct story *st, int n, char **word)
{
    uint64_t us = number(st, word[1]) * SIM_MS;

    (void)n;
    if (strcmp(word[0], "run") == 0)
        us += st->sim.now_us;
    if (us < st->sim.now_us)
        mistake(st, "that time has passed");
    else
        sim_run(&st->sim, us);
}

static const struct command commands[] = {
    {"add", 2, WORDS_MAX, cmd_add},
    {"at", 2, 2, cmd_time},
    {"blind", 2, 2, cmd_blind},
    {"crash", 2, 2, cmd_crash},
    {"cut", 2, 3, cmd_cut},
    {"delay", 2, 2, cmd_delay},
    {"drain", 2, 3, cmd_drain},
    {"heal", 2, 3, cmd_cut},
    {"hide", 2, WORDS_MAX, cmd_hide},
    {"join", 2, 4, cmd_join},
    {"list", 2, 2, cmd_list},
    {"log", 2, 2, cmd_log},
    {"next", 2, 2, cmd_next},
    {"only", 2, WORDS_MAX, cmd_only},
    {"ownership", 2, 2, cmd_ownership},
    {"partitions", 2, 2, cmd_partitions},
    {"pause", 3, 3, cmd_pause},
    {"plan", 2, 2, cmd_plan},
    {"plug", 2, 2, cmd_plug},
    {"profile", 2, 2, cmd_profile},
    {"quiet", 1, 1, cmd_quiet},
    {"refresh", 2, 2, cmd_refresh},
    {"remove", 2, WORDS_MAX, cmd_add},
    {"room", 4, 4, cmd_room},
    {"run", 2, 2, cmd_time},
    {"set", 3, 3, cmd_set},
    {"show", 2, 2, cmd_show},
    {"stale", 2, 2, cmd_stale},
    {"stop", 2, 3, cmd_stop},
    {"tell", 1, 1, cmd_quiet},
    {"unblind", 2, 2, cmd_blind},
    {"unplug", 2, 2, cmd_plug},
    {"workers", 2, 2, cmd_workers},
};

void story_command(struct story *st, char *line)
{
    char *word[WORDS_MAX];
    int n = 0;
    char *rest = line;

    for (;;) {
        rest += strspn(rest, " \t");
        if (*rest == '\0' || *rest == '#')
            break;
        if (n == WORDS_MAX) {
            mistake(st, "too many words");
            return;
        }
        word[n++] = rest;
        rest += strcspn(rest, " \t");
        if (*rest != '\0')
            *rest++ = '\0';
    }
    if (n == 0)
        return;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const struct command *c = &commands[i];
        if (strcmp(c->name, word[0]) != 0)
            continue;
        if (n < c->words_min || n > c->words_max)
            mistake(st, "too few or too many words");
        else
            c->run(st, n, word);
        return;
    }
    mistake(st, "no such command");
}
