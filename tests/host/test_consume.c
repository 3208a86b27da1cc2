/* Messages through libparti: a real server for the positions, a broker of files. */
#include "field.h"

#include "base/errors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(messages_come_in_order_and_their_position_is_kept)
{
    field_begin(_i);
    field_put(0, 0, 100);
    field_put(1, 0, 100);
    struct field_app *app =
        field_start(field_conf(2, "commit_interval = 50 ms\n"), NULL, NULL);
    field_await_calls(200);
    field_await_settled(app, 0, 991);
    field_await_settled(app, 1, 991);
    field_leave(app);
    /* Another one goes on where this one stopped. */
    field_put(0, 100, 50);
    field_put(1, 100, 50);
    app = field_start(field_conf(2, ""), NULL, NULL);
    field_await_calls(300);
    field_leave(app);
    field_check_order(2, 150);
    field_end();
}
END_TEST

RIG_MAIN("consume", messages_come_in_order_and_their_position_is_kept)
