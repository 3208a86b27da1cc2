/* A worker's own list for the tests of hold: partitions are letters, "ab" are two. */
#ifndef PARTI_TESTS_HOLD_RIG_H
#define PARTI_TESTS_HOLD_RIG_H

#include "proto/hold.h"

#include "base/status.h"

#include "unit.h"

#include <string.h>

enum { PARTS_MAX = 6, GEN = 9 };

static const struct session self = {1, 1}, other = {2, 2};

static struct hold h;
static struct actions out;
static struct head_member member[2];
static struct head head;
static uint8_t record[64 * 1024];
static size_t record_n;
static struct own_coder coder;
static void *block;

static inline void setup(void)
{
    struct arena arena;

    block = calloc(1, hold_size(PARTS_MAX));
    arena_init(&arena, block, hold_size(PARTS_MAX));
    h = (struct hold){0};
    ck_assert(hold_init(&h, &arena, PARTS_MAX));
    member[0] = (struct head_member){.num = 0, .session = self};
    member[1] = (struct head_member){.num = 1, .session = other};
    head = (struct head){.stamp = {GEN, 10}, .n = 2, .member = member};
    out.n = 0;
    hold_begin_step(&h);
}

static inline void teardown(void)
{
    free(block);
}

static inline void list_begin(void)
{
    /* Its epoch does not matter here, only that no grant is younger. */
    own_write_begin(&coder, record, sizeof record, (struct stamp){head.stamp.gen, 1000},
                    self);
}

static inline void list_add(char id, uint64_t since, struct own_from from, bool is_parked)
{
    struct own_item item = {{&id, 1}, 100, since, from, is_parked};

    own_write(&coder, &item);
}

static inline void list_end(void)
{
    record_n = own_write_end(&coder);
    ck_assert_uint_gt(record_n, 0);
}

/* A record that lists each letter, granted at 'since' without a demand. */
static inline void list(const char *ids, uint64_t since)
{
    list_begin();
    for (const char *c = ids; *c != '\0'; c++)
        list_add(*c, since, (struct own_from){0}, false);
    list_end();
}

/* A step that applies the record under head 'epoch'. */
static inline void apply(uint64_t epoch)
{
    uint64_t before = head.stamp.epoch;

    out.n = 0;
    hold_begin_step(&h);
    head.stamp.epoch = epoch;
    ck_assert_int_eq(hold_load(&h, record, record_n), 0);
    hold_judge(&h, &head, false, before, &out);
}

static inline void grant(void)
{
    hold_grant(&h, head.stamp.epoch, &out);
}

static inline void release(uint64_t epoch)
{
    out.n = 0;
    hold_begin_step(&h);
    hold_released(&h, epoch, &out);
}

/* The newest step said this and nothing else; "" for nothing at all. */
static inline void said(enum action_type type, uint64_t epoch, const char *ids)
{
    if (*ids == '\0') {
        ck_assert_uint_eq(out.n, 0);
        return;
    }
    ck_assert_uint_eq(out.n, 1);
    ck_assert_int_eq(out.v[0].type, type);
    ck_assert_uint_eq(out.v[0].parts.epoch, epoch);
    ck_assert_uint_eq(out.v[0].parts.n, strlen(ids));
    for (uint32_t i = 0; i < out.v[0].parts.n; i++) {
        const struct part_view *v = &out.v[0].parts.part[i];

        ck_assert_uint_eq(v->id.n, 1);
        ck_assert_int_eq(v->id.at[0], ids[i]);
        ck_assert_uint_eq(v->gen, GEN);
        ck_assert_uint_eq(v->weight, 100);
    }
    out.n = 0;
}

/* Holds exactly these, listed at epoch 10, and has said so. */
static inline void hold_these(const char *ids)
{
    list(ids, 10);
    apply(10);
    grant();
    said(ACT_GRANTED, 10, ids);
}

#endif
