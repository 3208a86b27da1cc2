/* Messages through libparti: a real server for the positions, a broker of files. */
#include "feed.h"

#include "base/errors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

START_TEST(messages_come_in_order_and_their_position_is_kept)
{
    feed_begin(_i);
    feed_put(0, 0, 100);
    feed_put(1, 0, 100);
    struct feed_app *app =
        feed_start(feed_conf(2, "commit_interval = 50 ms\n"), NULL, NULL);
    feed_await_calls(200);
    feed_await_settled(app, 0, 991);
    feed_await_settled(app, 1, 991);
    feed_leave(app);
    /* Another one goes on where this one stopped. */
    feed_put(0, 100, 50);
    feed_put(1, 100, 50);
    app = feed_start(feed_conf(2, ""), NULL, NULL);
    feed_await_calls(300);
    feed_leave(app);
    feed_check_order(2, 150);
    feed_end();
}
END_TEST

RIG_MAIN("consume", messages_come_in_order_and_their_position_is_kept)
