/* The network: messages are delayed, lost, doubled and overtake each other. */
#include "sim.h"

#include "proto/wire.h"

static bool is_connected(const struct sim *s, const struct proc *p, uint32_t side)
{
    return proc_is_live(p) && p->link_up && (!s->is_split || p->side == side);
}

static uint64_t travel_us(struct sim *s)
{
    const struct sim_knobs *k = &s->knobs;
    uint64_t us = k->delay_us;

    if (k->jitter_us > 0)
        us += rand_below(&s->rand, k->jitter_us);
    if (sim_chance(&s->rand, k->tail_ppm))
        us += rand_below(&s->rand, k->tail_us + 1);
    return us;
}

/* A head as it is republished, or a record that a leader sends. */
static bool is_record(const struct blob *b)
{
    const uint8_t *at = (const uint8_t *)b->data;

    return wire_is_head(at, b->n) || (b->n > 2 && at[2] == MSG_RECORD);
}

static void deliver(struct sim *s, uint32_t from_slot, struct proc *to, uint64_t extra_us,
                    struct blob *b)
{
    const struct sim_knobs *k = &s->knobs;

    if (to->is_blind && is_record(b))
        return;
    if (to->cut_in || sim_chance(&s->rand, k->loss_ppm))
        return;
    int copies = sim_chance(&s->rand, k->dup_ppm) ? 2 : 1;
    for (int i = 0; i < copies; i++)
        sim_push(
            s, to, s->now_us + extra_us + travel_us(s),
            (struct sim_event){.kind = SIM_DELIVER, .a = from_slot, .blob = blob_ref(b)});
}

void sim_net_send(struct sim *s, struct proc *from, uint64_t addr, const void *data,
                  size_t n)
{
    if (!from->link_up || from->cut_out)
        return;
    struct blob *b = blob_copy(&s->heap, data, n);
    for (uint32_t i = 0; i < PROCS_MAX; i++) {
        struct proc *to = &s->proc[i];
        if (is_connected(s, to, from->side) && (addr == 0 || addr == to->conf.addr))
            deliver(s, from->slot, to, from->stall_us, b);
    }
    blob_unref(&s->heap, b);
}

void sim_net_republish(struct sim *s, struct blob *b)
{
    for (uint32_t i = 0; i < PROCS_MAX; i++)
        if (is_connected(s, &s->proc[i], 0))
            deliver(s, PROCS_MAX, &s->proc[i], 0, b);
}

bool sim_net_may_arrive(const struct sim *s, const struct proc *p, uint32_t from_slot)
{
    uint32_t side = from_slot < PROCS_MAX ? s->proc[from_slot].side : 0;

    return p->link_up && !p->cut_in && (!s->is_split || p->side == side);
}
