/* Silence and naks of the commands of `parti run`: what they mean for the message that
 * they concern, and nothing for any other. */
#include "config.h"

#include "cli_rig.h"
#include "field.h"
#include "hand_rig.h"

#include <stdio.h>
#include <string.h>

enum { STEP = 10 };

#define BURIES                                    \
    "handle_timeout = 1 s\nretry_first = 10 ms\n" \
    "attempts_max = 2\ndead_letter = graveyard\n"

/* Nothing but the messages' own times runs out. */
static void begin(int program)
{
    hand_begin(program);
    field.timing = "heartbeat_ttl = 10 s\nleader_authority = 10 s\n";
}

static void mute_is_buried_alone(void)
{
    const char *dead = field_file("dead");

    cli_has(dead, "graveyard 0 ");
    cli_has(dead, " mute\n");
    ck_assert_msg(strchr(dead, '\n')[1] == '\0', "%s", dead);
}

START_TEST(what_lay_ready_behind_silence_comes_after_it_and_once)
{
    begin(_i);
    field_put_line(0, "hang");
    field_put(0, 1, 40);
    hand_start(field_conf(1, "handle_timeout = 300 ms\nretry_first = 10 ms\n"));
    hand_await(42); /* one of them twice */
    for (size_t i = 0; i < hand.n; i++) {
        ck_assert_uint_eq(hand.handled[i].position,
                          hand.handled[0].position + (i > 0 ? i - 1 : 0) * STEP);
        ck_assert_uint_eq(hand.handled[i].attempt, i == 1 ? 2 : 1);
    }
    hand_stop();
    hand_end();
}
END_TEST

START_TEST(what_lies_behind_silence_at_every_attempt_is_handled_in_its_turn)
{
    begin(_i);
    field_put_line(0, "mute");
    field_put_line(0, "a");
    hand_start(field_conf(1, BURIES));
    hand_await_attempt("a", 1);
    hand_stop();
    hand_is(hand.n - 2, "mute", 2);
    mute_is_buried_alone();
    hand_end();
}
END_TEST

START_TEST(time_runs_for_others_when_that_of_a_silent_message_is_over)
{
    static const char *const more[] = {BURIES, BURIES "deliver_max = 8\n"};

    for (int i = 0; i < 2; i++) {
        begin(_i);
        field_put_line(0, "mute");
        hand_start(field_conf(2, more[i]));
        hand_await_attempt("mute", 2); /* the last: it is never given again */
        field_put_line(1, "hang");
        hand_await_attempt("hang", 2);
        field_put_line(0, "a");
        hand_await_attempt("a", 1);
        hand_stop();
        mute_is_buried_alone();
        hand_end();
    }
}
END_TEST

START_TEST(acks_behind_a_nak_do_not_speak_for_what_it_named)
{
    static const char *const wanted[] = {"later-a", "later-nak-it", "b", "later-nak-it",
                                         "b"};

    begin(_i);
    for (int i = 0; i < 3; i++)
        field_put_line(0, wanted[i]);
    hand_start(field_conf(1, "deliver_max = 8\n"));
    hand_await(5);
    hand_stop();
    for (size_t i = 0; i < 5; i++)
        hand_is(i, wanted[i], i < 3 ? 1 : 2);
    hand_end();
}
END_TEST

FIELD_CREW("run_silence", what_lay_ready_behind_silence_comes_after_it_and_once,
           what_lies_behind_silence_at_every_attempt_is_handled_in_its_turn,
           time_runs_for_others_when_that_of_a_silent_message_is_over,
           acks_behind_a_nak_do_not_speak_for_what_it_named)
