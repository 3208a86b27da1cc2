/* core/host/consumer_inlet: answers on their way to the engine. */
#include "host/consumer_inlet.h"

#include "base/status.h"

#include "unit.h"

#include <stdlib.h>

enum { LANES = 4, STRETCH = 7 };

static struct message_pool pool;
static struct inlet in;
static struct answer *taken;
static size_t taken_n, taken_room;

static void begin(void)
{
    message_pool_init(&pool);
    ck_assert_int_eq(inlet_init(&in, LANES, 100, &pool), STATUS_OK);
}

static void end(void)
{
    inlet_finish(&in);
    message_pool_finish(&pool);
    free(taken);
    taken = NULL;
    taken_n = taken_room = 0;
}

static void answer(uint32_t lane, uint64_t position, enum consume_verdict verdict)
{
    const struct answer a = {.ticket = {.hold = {.slot = lane, .serial = 1},
                                        .run = 1,
                                        .stretch = STRETCH,
                                        .position = position,
                                        .attempt = 1},
                             .verdict = verdict};

    inlet_answer(&in, &a);
}

static void take(void)
{
    ck_assert_ptr_null(inlet_take(&in, &taken, &taken_n, &taken_room));
}

static void expect(size_t i, uint32_t lane, uint64_t position,
                   enum consume_verdict verdict)
{
    ck_assert_uint_lt(i, taken_n);
    ck_assert_uint_eq(taken[i].ticket.hold.slot, lane);
    ck_assert_uint_eq(taken[i].ticket.position, position);
    ck_assert_int_eq(taken[i].verdict, verdict);
}

START_TEST(acks_of_a_lane_are_told_as_one_until_they_are_taken)
{
    begin();
    answer(0, 1, VERDICT_ACK);
    answer(1, 1, VERDICT_ACK);
    answer(0, 2, VERDICT_ACK);
    answer(0, 3, VERDICT_ACK);
    take();
    ck_assert_uint_eq(taken_n, 2);
    expect(0, 0, 3, VERDICT_ACK);
    expect(1, 1, 1, VERDICT_ACK);
    answer(0, 4, VERDICT_ACK);
    take();
    ck_assert_uint_eq(taken_n, 1);
    expect(0, 0, 4, VERDICT_ACK);
    end();
}
END_TEST

/* An ack speaks for all of its stretch before it: before the refusal it would speak for
 * the message that is refused. */
START_TEST(an_ack_stays_behind_a_refusal_of_its_lane)
{
    const enum consume_verdict refusals[] = {VERDICT_NAK, VERDICT_TERM, VERDICT_RETURN};

    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        begin();
        answer(0, 1, VERDICT_ACK);
        answer(1, 1, VERDICT_ACK);
        answer(0, 2, refusals[i]);
        answer(0, 3, VERDICT_ACK);
        answer(1, 2, VERDICT_ACK);
        take();
        ck_assert_uint_eq(taken_n, 4);
        expect(0, 0, 1, VERDICT_ACK);
        expect(1, 1, 2, VERDICT_ACK);
        expect(2, 0, 2, refusals[i]);
        expect(3, 0, 3, VERDICT_ACK);
        end();
    }
}
END_TEST

START_TEST(an_ack_of_another_hold_run_or_stretch_stands_by_itself)
{
    struct answer a = {.ticket = {.hold = {.slot = 2, .serial = 1},
                                  .run = 1,
                                  .stretch = STRETCH,
                                  .position = 1,
                                  .attempt = 1},
                       .verdict = VERDICT_ACK};

    begin();
    inlet_answer(&in, &a);
    a.ticket.position++;
    a.ticket.stretch++;
    inlet_answer(&in, &a);
    a.ticket.position++;
    a.ticket.run++;
    inlet_answer(&in, &a);
    a.ticket.position++;
    a.ticket.hold.serial++;
    inlet_answer(&in, &a);
    take();
    ck_assert_uint_eq(taken_n, 4);
    end();
}
END_TEST

UNIT_MAIN("consumer_inlet", acks_of_a_lane_are_told_as_one_until_they_are_taken,
          an_ack_stays_behind_a_refusal_of_its_lane,
          an_ack_of_another_hold_run_or_stretch_stands_by_itself)
