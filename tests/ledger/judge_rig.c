#include "config.h"

#include "judge_rig.h"

#include "program.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

struct rig rig;

static struct ledger_row *put(int worker, enum ledger_kind kind)
{
    struct ledger_row *row = &rig.row[worker][rig.n[worker]++];

    ck_assert_uint_le(rig.n[worker], RIG_ROWS_MAX);
    *row = (struct ledger_row){.kind = (uint16_t)kind,
                               .hold = (uint32_t)worker,
                               .gen = 7,
                               .since = (uint32_t)worker,
                               .attempt = 1};
    return row;
}

struct ledger_row *rig_handle(int worker, uint32_t number, uint64_t begin_ms)
{
    struct ledger_row *row = put(worker, LEDGER_HANDLED);

    row->number = number;
    row->position = 100 + number;
    row->begin_ns = MS(begin_ms);
    row->end_ns = MS(begin_ms + 10);
    row->sent_ns = MS(1);
    return row;
}

struct ledger_row *rig_note(int worker, enum ledger_kind kind, uint64_t at_ms)
{
    struct ledger_row *row = put(worker, kind);

    row->end_ns = MS(at_ms);
    return row;
}

uint64_t rig_second_ms(uint32_t number)
{
    return 1000 + 10 * number + 30;
}

void rig_clear(void)
{
    memset(&rig, 0, sizeof rig);
    rig.changes = "1 join 1\n2 join 2\n";
    rig.produced = "20\n";
    rig.dead = "";
    rig.deliver_max = 1;
    (void)rig_note(1, LEDGER_BORN, 1);
    (void)rig_note(2, LEDGER_BORN, 2);
}

void rig_fill(void)
{
    rig_clear();
    for (uint32_t i = 0; i < RIG_HALF; i++)
        (void)rig_handle(1, i, 1000 + 10 * i);
    for (uint32_t i = RIG_HALF; i < RIG_NUMBERS; i++)
        (void)rig_handle(2, i, rig_second_ms(i));
}

/* They are behind LEDGER_BORN. */
struct ledger_row *rig_row(uint32_t number)
{
    return number < RIG_HALF ? &rig.row[1][1 + number]
                             : &rig.row[2][1 + number - RIG_HALF];
}

static void write_file(const char *dir, const char *name, const void *data, size_t n)
{
    char path[SERVER_PATH_ROOM + 32];

    format(path, sizeof path, "%s/%s", dir, name);
    FILE *to = fopen(path, "we");
    ck_assert_ptr_nonnull(to);
    ck_assert_uint_eq(fwrite(data, 1, n, to), n);
    ck_assert_int_eq(fclose(to), 0);
}

bool rig_judge(void)
{
    const struct judge_options o = {.repeats_max = RIG_BOUND,
                                    .deliver_max = rig.deliver_max,
                                    .timeout_ns = MS(rig.timeout_ms)};
    char dir[SERVER_PATH_ROOM];
    struct ledger l;

    make_dir(dir);
    write_file(dir, "w1.rows", rig.row[1], rig.n[1] * sizeof rig.row[1][0]);
    write_file(dir, "w2.rows", rig.row[2], rig.n[2] * sizeof rig.row[2][0] - rig.cut);
    write_file(dir, "changes", rig.changes, strlen(rig.changes));
    write_file(dir, "produced", rig.produced, strlen(rig.produced));
    write_file(dir, "dead", rig.dead, strlen(rig.dead));
    memset(&rig.verdict, 0, sizeof rig.verdict);
    rig.is_read = ledger_read(&l, dir);
    if (rig.is_read) {
        judge_rows(&l, &o, &rig.verdict);
        judge_gaps(&l, &rig.verdict);
        ledger_free(&l);
    }
    remove_tree(dir);
    return rig.is_read && verdict_holds(&rig.verdict);
}
