#include "cli/run_pool.h"

#include "base/bytes.h"
#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"
#include "edge/clock.h"
#include "host/log.h"
#include "host/message_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_ROOM = 768, SLOTS_FIRST = 256 };

/* ---- what the children say --------------------------------------------------------- */

/* Released is what all that were told have answered. */
static void settle(struct run_pool *p)
{
    uint64_t epoch = p->asked;

    for (size_t i = 0; i < p->n; i++) {
        const struct run_keeper *k = &p->child[i].keeper;

        if (k->revokes > 0 && k->revoke[0].epoch <= epoch)
            epoch = k->revoke[0].epoch - 1;
    }
    if (epoch <= p->told)
        return;
    p->told = epoch;
    p->options.keeper.released(p->options.keeper.ctx, epoch);
}

static void on_released(void *ctx, uint64_t epoch)
{
    struct run_pool_child *c = ctx;

    (void)epoch;
    settle(c->pool);
}

static void on_output(void *ctx, const char *at, size_t n)
{
    const struct run_pool_child *c = ctx;

    c->pool->options.keeper.output(c->pool->options.keeper.ctx, at, n);
}

static void on_problem(void *ctx, int code, const char *text)
{
    const struct run_pool_child *c = ctx;
    const struct run_keeper_options *k = &c->pool->options.keeper;
    char numbered[TEXT_ROOM];

    if (c->pool->n == 1) {
        k->problem(k->ctx, code, text);
        return;
    }
    (void)snprintf(numbered, sizeof numbered, "child %zu of %zu: %s",
                   (size_t)(c - c->pool->child) + 1, c->pool->n, text);
    k->problem(k->ctx, code, numbered);
}

static void on_gave_up(void *ctx)
{
    const struct run_pool_child *c = ctx;

    c->pool->options.keeper.gave_up(c->pool->options.keeper.ctx);
}

static bool on_holds(void *ctx, const struct parti_partition *partition, size_t n)
{
    const struct run_pool_child *c = ctx;
    const struct run_keeper_options *k = &c->pool->options.keeper;

    return k->holds == NULL || k->holds(k->ctx, partition, n);
}

static bool on_answer_line(void *ctx, const char *line, size_t n)
{
    struct run_pool_child *c = ctx;

    return run_post_take(&c->post, line, n);
}

static void on_ended(void *ctx)
{
    struct run_pool_child *c = ctx;

    run_post_lost(&c->post);
}

static void on_answer(void *ctx, struct parti_ticket ticket, enum run_answer answer,
                      uint64_t delay_ms)
{
    const struct run_pool_child *c = ctx;

    c->pool->options.answer(c->pool->options.keeper.ctx, ticket, answer, delay_ms);
}

/* ---- begin and end ----------------------------------------------------------------- */

int run_pool_init(struct run_pool *p, const struct run_pool_options *options)
{
    struct run_keeper_options keeper = options->keeper;
    int status = STATUS_OK;

    must(options->children > 0 && options->children <= RUN_POOL_MAX);
    *p = (struct run_pool){.options = *options};
    p->child = calloc(options->children, sizeof *p->child);
    if (p->child == NULL)
        return STATUS_NOMEM;
    keeper.released = on_released;
    keeper.output = on_output;
    keeper.problem = on_problem;
    keeper.gave_up = on_gave_up;
    keeper.holds = on_holds;
    keeper.answer = options->speak_ms > 0 ? on_answer_line : NULL;
    keeper.ended = on_ended;
    while (p->n < options->children && status == STATUS_OK) {
        struct run_pool_child *c = &p->child[p->n];

        c->pool = p;
        keeper.ctx = c;
        run_post_init(&c->post, c, on_answer);
        c->post.is_stacked = options->is_stacked;
        status = run_keeper_init(&c->keeper, &keeper);
        p->n += status == STATUS_OK;
    }
    if (status != STATUS_OK)
        run_pool_finish(p);
    return status;
}

void run_pool_end(struct run_pool *p)
{
    for (size_t i = 0; i < p->n; i++)
        run_keeper_end(&p->child[i].keeper);
}

void run_pool_finish(struct run_pool *p)
{
    for (size_t i = 0; i < p->n; i++) {
        run_keeper_finish(&p->child[i].keeper);
        run_post_finish(&p->child[i].post);
    }
    free(p->child);
    free(p->whose);
    free(p->part);
    event_line_finish(&p->line);
    event_line_finish(&p->message);
    *p = (struct run_pool){0};
}

int run_pool_start(struct run_pool *p, char *text, size_t room)
{
    int status = STATUS_OK;

    for (size_t i = 0; i < p->n && status == STATUS_OK; i++)
        status = run_keeper_start(&p->child[i].keeper, text, room);
    return status;
}

/* ---- whose a partition is ---------------------------------------------------------- */

static struct run_pool_child *child_of(const struct run_pool *p, uint32_t slot)
{
    if (slot >= p->slots || p->whose[slot] == 0)
        return NULL;
    return &p->child[p->whose[slot] - 1];
}

static struct run_pool_child *fewest(const struct run_pool *p)
{
    struct run_pool_child *best = &p->child[0];

    for (size_t i = 1; i < p->n; i++)
        if (p->child[i].held < best->held)
            best = &p->child[i];
    return best;
}

static void give_to_child(struct run_pool *p, uint32_t slot)
{
    struct run_pool_child *c = child_of(p, slot);

    if (slot >= p->slots) {
        uint32_t n = (slot / SLOTS_FIRST + 2) * SLOTS_FIRST;
        uint8_t *more = realloc(p->whose, n);

        must(more != NULL);
        memset(more + p->slots, 0, n - p->slots);
        p->whose = more;
        p->slots = n;
    }
    if (c != NULL)
        c->held--; /* a grant of old that was fenced */
    c = fewest(p);
    c->held++;
    p->whose[slot] = (uint8_t)(c - p->child + 1);
}

static void take_from_child(struct run_pool *p, uint32_t slot)
{
    struct run_pool_child *c = child_of(p, slot);

    if (c == NULL)
        return;
    c->held--;
    p->whose[slot] = 0;
}

/* Those of the child, into p->part; their number. */
static size_t pick(struct run_pool *p, const struct run_pool_child *c,
                   const struct parti_partition *partition, size_t n)
{
    size_t picked = 0;

    if (n > p->part_room) {
        struct parti_partition *more = realloc(p->part, n * sizeof *more);

        must(more != NULL);
        p->part = more;
        p->part_room = n;
    }
    for (size_t i = 0; i < n; i++)
        if (child_of(p, partition[i].hold.slot) == c)
            p->part[picked++] = partition[i];
    return picked;
}

/* ---- what happens ------------------------------------------------------------------ */

void run_pool_worker(struct run_pool *p, const char *id)
{
    for (size_t i = 0; i < p->n; i++)
        run_keeper_worker(&p->child[i].keeper, id);
}

void run_pool_tell(struct run_pool *p, const struct event_line *line)
{
    for (size_t i = 0; i < p->n; i++)
        run_keeper_tell(&p->child[i].keeper, line);
}

/* The line for these partitions alone: the given one where they are all. */
static const struct event_line *line_of(struct run_pool *p, size_t picked, size_t n,
                                        int status, const struct event_line *line)
{
    if (picked == n)
        return line;
    must(status == STATUS_OK); /* it is shorter than one that there was memory for */
    return &p->line;
}

void run_pool_assigned(struct run_pool *p, const struct event_stamp *stamp,
                       uint64_t epoch, const struct parti_partition *partition, size_t n,
                       const struct event_line *line)
{
    for (size_t i = 0; i < n; i++)
        give_to_child(p, partition[i].hold.slot);
    for (size_t i = 0; i < p->n; i++) {
        size_t picked = pick(p, &p->child[i], partition, n);

        if (picked == 0)
            continue;
        int status = event_line_assigned(&p->line, stamp, epoch, p->part, picked);
        run_keeper_assigned(&p->child[i].keeper, epoch, p->part, picked,
                            line_of(p, picked, n, status, line));
    }
}

void run_pool_revoking(struct run_pool *p, const struct event_stamp *stamp,
                       uint64_t epoch, const struct parti_partition *partition, size_t n,
                       uint64_t deadline_ms, const struct event_line *line)
{
    p->asked = epoch > p->asked ? epoch : p->asked;
    for (size_t i = 0; i < p->n; i++) {
        struct run_pool_child *c = &p->child[i];
        size_t picked = pick(p, c, partition, n);

        if (picked == 0)
            continue;
        for (size_t j = 0; j < picked; j++)
            run_post_revoke(&c->post, p->part[j].hold);
        int status =
            event_line_revoking(&p->line, stamp, epoch, p->part, picked, deadline_ms);
        run_keeper_revoking(&c->keeper, epoch, p->part, picked, deadline_ms,
                            line_of(p, picked, n, status, line));
    }
    settle(p);
}

void run_pool_released(struct run_pool *p, const struct event_stamp *stamp,
                       uint64_t epoch, const struct parti_partition *partition, size_t n,
                       const struct event_line *line)
{
    for (size_t i = 0; i < p->n; i++) {
        struct run_pool_child *c = &p->child[i];
        size_t picked = pick(p, c, partition, n);

        if (picked == 0)
            continue;
        for (size_t j = 0; j < picked; j++)
            run_post_forget(&c->post, p->part[j].hold.slot);
        int status = event_line_released(&p->line, stamp, epoch, p->part, picked);
        run_keeper_tell(&c->keeper, line_of(p, picked, n, status, line));
    }
    for (size_t i = 0; i < n; i++)
        take_from_child(p, partition[i].hold.slot);
}

void run_pool_fenced(struct run_pool *p, uint64_t deadline_ns,
                     const struct event_line *line)
{
    for (size_t i = 0; i < p->n; i++) {
        run_post_forget_all(&p->child[i].post);
        run_keeper_fenced(&p->child[i].keeper, deadline_ns, line);
        p->child[i].held = 0;
    }
    if (p->slots > 0)
        memset(p->whose, 0, p->slots);
}

void run_pool_lease(struct run_pool *p, uint64_t deadline_ns)
{
    for (size_t i = 0; i < p->n; i++)
        run_keeper_lease(&p->child[i].keeper, deadline_ns);
}

/* ---- messages ---------------------------------------------------------------------- */

void run_pool_message(struct run_pool *p, struct run_letter *letter)
{
    struct run_pool_child *c = child_of(p, letter->kept.message.ticket.hold.slot);

    if (c != NULL)
        run_post_add(&c->post, letter);
    else
        run_letter_destroy(letter); /* fenced meanwhile: nobody's */
}

void run_pool_forget(struct run_pool *p)
{
    for (size_t i = 0; i < p->n; i++)
        run_post_forget_all(&p->child[i].post);
}

/* Of a message: behind what may be queued before it, it still fits. */
static size_t line_max(const struct run_pool *p)
{
    size_t queue_max = p->options.keeper.queue_max;

    return (queue_max > 0 ? queue_max : CHILD_QUEUE_MAX) - RUN_POOL_QUEUE;
}

/* It will be as long at every attempt. */
static void refuse_long(struct run_pool_child *c, const struct parti_message *m)
{
    char text[TEXT_ROOM];

    (void)snprintf(text, sizeof text,
                   "partition %.200s: The message at position %" PRIu64
                   " makes a line of more than %zu bytes, more than a command can be "
                   "given, and is refused for good. [consume] format = raw leaves data "
                   "as they are.",
                   m->partition->id, m->position, line_max(c->pool));
    on_problem(c, ERR_MESSAGE_SPENT, text);
    run_post_refuse(&c->post, RUN_ANSWER_TERM);
}

static void refuse_for_now(struct run_pool_child *c)
{
    log_error("no memory for a message; it is tried again");
    run_post_refuse(&c->post, RUN_ANSWER_NAK);
}

static void write_letter(struct run_pool_child *c, const struct run_letter *l,
                         uint64_t number)
{
    struct run_pool *p = c->pool;
    const struct parti_message *m = &l->kept.message;

    /* Whoever lost the lease must not begin anything: the fence is about to be told. */
    if (!p->options.may_begin(p->options.keeper.ctx, &m->ticket)) {
        run_post_refuse(&c->post, RUN_ANSWER_RETURN);
        return;
    }
    int status = message_line_make(&p->message, m, number, p->options.is_raw);
    if (status == STATUS_LIMIT || p->message.n > line_max(p)) {
        refuse_long(c, m);
        return;
    }
    if (status < 0 || !run_keeper_put(&c->keeper, p->message.at, p->message.n)) {
        refuse_for_now(c);
        return;
    }
    if (!run_post_sent(&c->post)) {
        /* No memory, and it has what nobody knows of, so it cannot go on. */
        child_kill(c->keeper.child);
        c->keeper.is_doomed = true;
    }
}

/* As much as the command's pipe takes. */
static void write_post(struct run_pool_child *c)
{
    const struct run_letter *l;
    uint64_t number;

    while (run_keeper_is_running(&c->keeper) && !c->keeper.is_doomed &&
           run_keeper_queued(&c->keeper) < RUN_POOL_QUEUE &&
           (l = run_post_next(&c->post, &number)) != NULL)
        write_letter(c, l, number);
    run_keeper_flush(&c->keeper);
}

size_t run_pool_fds(const struct run_pool *p, struct pollfd *fds, bool is_full)
{
    for (size_t i = 0; i < p->n; i++)
        run_keeper_fds(&p->child[i].keeper, fds + i * CHILD_FDS, is_full);
    return p->n * CHILD_FDS;
}

uint64_t run_pool_due_ns(const struct run_pool *p)
{
    uint64_t due_ns = p->options.speak_ms > 0 ? p->speak_ns : UINT64_MAX;

    for (size_t i = 0; i < p->n; i++) {
        uint64_t child_ns = run_keeper_due_ns(&p->child[i].keeper);

        due_ns = child_ns < due_ns ? child_ns : due_ns;
    }
    return due_ns;
}

void run_pool_ready(struct run_pool *p, const struct pollfd *fds)
{
    uint64_t now_ns = clock_boot_ns();
    bool must_speak = p->options.speak_ms > 0 && now_ns >= p->speak_ns;

    if (must_speak)
        p->speak_ns = sat_add(now_ns, p->options.speak_ms * CLOCK_NS_PER_MS);
    for (size_t i = 0; i < p->n; i++) {
        run_keeper_ready(&p->child[i].keeper, fds + i * CHILD_FDS);
        run_post_settle(&p->child[i].post);
        write_post(&p->child[i]);
        if (must_speak)
            run_post_speak(&p->child[i].post);
    }
}

void run_pool_reap(const struct run_pool *p)
{
    const struct child *running[RUN_POOL_MAX];

    for (size_t i = 0; i < p->n; i++)
        running[i] = p->child[i].keeper.child;
    child_reap_adopted(running, p->n);
}

void run_pool_drain(struct run_pool *p)
{
    for (size_t i = 0; i < p->n; i++)
        run_keeper_drain(&p->child[i].keeper);
}

void run_pool_hang_up(struct run_pool *p)
{
    for (size_t i = 0; i < p->n; i++)
        run_keeper_hang_up(&p->child[i].keeper);
}

void run_pool_kill(struct run_pool *p)
{
    for (size_t i = 0; i < p->n; i++)
        run_keeper_kill(&p->child[i].keeper);
}

bool run_pool_is_running(const struct run_pool *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (run_keeper_is_running(&p->child[i].keeper))
            return true;
    return false;
}
