/* A table of partitions named by letters, and seats named by digits, whose sessions are
 * 100 + number until they are reborn.  rig_plan("01-") wants the first listed partition
 * at 0, the second at 1, the third nowhere; it encodes what a leader would, commits, and
 * sweeps under the head that results.
 */
#ifndef PARTI_TESTS_TRANSFER_RIG_H
#define PARTI_TESTS_TRANSFER_RIG_H

#include "proto/transfer.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { RIG_PARTS = 32, RIG_SEATS = 5, RIG_GEN = 3 };

#define RIG_NOBODY NUM_NONE

static struct rig {
    struct transfer t;
    void *block;
    struct head_member member[RIG_SEATS]; /* by number; a session of 0 is gone */
    uint64_t next[RIG_SEATS];             /* sessions in the head to come */
    bool is_dropped[RIG_SEATS];
    uint32_t weight[256];
} rig;

static inline void rig_setup(void)
{
    size_t size = transfer_size(RIG_PARTS, RIG_SEATS);
    struct arena arena;

    memset(&rig, 0, sizeof rig);
    rig.block = calloc(1, size);
    arena_init(&arena, rig.block, size);
    ck_assert(transfer_init(&rig.t, &arena, RIG_PARTS, RIG_SEATS));
    transfer_clear(&rig.t);
    for (uint32_t num = 0; num < RIG_SEATS; num++) {
        rig.member[num] =
            (struct head_member){.num = num, .session = {0, 100 + num}, .released = 1};
        rig.next[num] = 100 + num;
    }
    for (int c = 0; c < 256; c++)
        rig.weight[c] = 100;
}

static inline void rig_teardown(void)
{
    free(rig.block);
}

/* The weight of a partition in listings from now on. */
static inline void rig_weigh(char id, uint32_t weight)
{
    rig.weight[(unsigned char)id] = weight;
}

static inline int rig_take(const char *ids, struct listing_change *change)
{
    static struct bytes id[64];
    static uint32_t weight[64];
    uint32_t n = 0;

    /* As sorted as a source's listing. */
    for (int c = 1; c < 128; c++) {
        const char *at = strchr(ids, c);

        if (at == NULL)
            continue;
        id[n] = (struct bytes){at, 1};
        weight[n++] = rig.weight[c];
    }
    return transfer_list(&rig.t, id, weight, n, change);
}

static inline int rig_list_status(const char *ids)
{
    struct listing_change change;

    return rig_take(ids, &change);
}

static inline struct listing_change rig_list(const char *ids)
{
    struct listing_change change = {0};

    ck_assert_int_eq(rig_take(ids, &change), 0);
    return change;
}

/* The head as it is. */
static inline void rig_sweep(void)
{
    struct head_member member[RIG_SEATS];
    struct head head = {.stamp = {RIG_GEN, 1}, .member = member};

    for (uint32_t num = 0; num < RIG_SEATS; num++)
        if (rig.member[num].session.lo != 0)
            member[head.n++] = rig.member[num];
    transfer_sweep(&rig.t, &head);
}

/* The member has released through this epoch, and a head says so. */
static inline void rig_release(uint32_t num, uint64_t epoch)
{
    rig.member[num].released = epoch;
    rig.t.seat[num].released = epoch;
    rig_sweep();
}

static inline void rig_leave(uint32_t num)
{
    rig.member[num].session.lo = 0;
    rig.next[num] = 0;
    rig.is_dropped[num] = false;
}

/* What the leader fills in for a plan. */
static inline void rig_fill(void)
{
    for (uint32_t num = 0; num < RIG_SEATS; num++) {
        struct seat *s = &rig.t.seat[num];

        s->session = rig.member[num].session;
        s->released = rig.member[num].released;
        s->is_dropped = rig.is_dropped[num];
        s->next_session = (struct session){0, rig.next[num]};
    }
}

/* Its session leaves with the next plan. */
static inline void rig_drop(uint32_t num)
{
    rig.is_dropped[num] = true;
    rig.next[num] = 0;
    rig_fill();
}

/* Another session takes its place with the next plan. */
static inline void rig_reborn(uint32_t num, uint64_t session)
{
    rig.is_dropped[num] = rig.member[num].session.lo != 0;
    rig.next[num] = session;
}

static inline void rig_desire(const char *where)
{
    struct plan_request q = {.prev_n = RIG_SEATS};
    uint32_t num[64];
    uint32_t n = (uint32_t)strlen(where);

    transfer_request(&rig.t, &q);
    ck_assert_uint_eq(q.part_n, n);
    for (uint32_t i = 0; i < n; i++)
        num[i] = where[i] == '-' ? NUM_NONE : (uint32_t)(where[i] - '0');
    transfer_desire(&rig.t, num, n);
}

/* Commits an open plan and sweeps under its head. */
static inline void rig_commit(uint64_t epoch)
{
    transfer_commit(&rig.t);
    for (uint32_t num = 0; num < RIG_SEATS; num++) {
        if (rig.next[num] != rig.member[num].session.lo) {
            rig.member[num].session.lo = rig.next[num];
            rig.member[num].born = rig.member[num].released = epoch;
        }
        rig.is_dropped[num] = false;
    }
}

/* A whole plan; demands stay as the plan wrote them until the next sweep, but what the
 * sweep counts is known. */
static inline void rig_plan(uint64_t epoch, const char *where)
{
    rig_desire(where);
    rig_fill();
    ck_assert(transfer_begin(&rig.t, epoch));
    /* The head of the plan still knows the sessions of before: as a leader that sweeps
     * before the drop would see it. */
    struct head_member was[RIG_SEATS];

    memcpy(was, rig.member, sizeof was);
    rig_commit(epoch);
    struct head head = {.stamp = {RIG_GEN, epoch}, .member = was};
    uint32_t n = 0;

    for (uint32_t num = 0; num < RIG_SEATS; num++)
        if (was[num].session.lo != 0)
            was[n++] = was[num];
    head.n = n;
    transfer_sweep(&rig.t, &head);
}

/* These, granted and released long ago: nothing pending. */
static inline void rig_granted(const char *ids, const char *where, uint64_t epoch)
{
    (void)rig_list(ids);
    rig_plan(epoch, where);
}

/* What the table says of a partition; session 0: no demand. */
static inline void rig_row(char id, uint32_t owner, uint64_t since, uint64_t session,
                           uint64_t epoch, bool is_parked)
{
    for (uint32_t i = 0; i < rig.t.now.n; i++) {
        const struct part *p = &rig.t.now.part[i];

        if (p->id_n != 1 || rig.t.now.text[p->id_at] != id)
            continue;
        ck_assert_uint_eq(p->owner, owner);
        ck_assert_uint_eq(p->since, since);
        ck_assert_uint_eq(p->from.session.lo, session);
        ck_assert_uint_eq(p->from.epoch, epoch);
        ck_assert_int_eq(p->is_parked, is_parked);
        return;
    }
    ck_abort_msg("%c is not in the table", id);
}

/* A record of this member that lists the letters in their order. */
static inline size_t rig_record(const char *ids, uint32_t num, uint8_t bytes[1024])
{
    static struct own_coder c;

    own_write_begin(&c, bytes, 1024, (struct stamp){RIG_GEN, 50},
                    (struct session){0, 100 + num});
    for (; *ids != '\0'; ids++)
        own_write(&c, &(struct own_item){{ids, 1}, 100, 10, {{0, 0}, 0}, false});
    return own_write_end(&c);
}

#endif
