#include "cli/look.h"

#include "base/errors.h"

#include <string.h>

int look_at_open_group(struct group *g, struct state *s, bool *ret_is_absent)
{
    struct group_view view = {0};
    int status = group_bind(g);

    if (status == CLI_OK)
        (void)group_listen(g); /* none may live: then the log alone speaks */
    if (status == CLI_OK)
        status = group_read(g, &view);
    if (status == CLI_OK && g->is_deserted)
        g->is_empty = group_await_silence(g);
    *ret_is_absent = status == CLI_FAILED && g->code == 0;
    if (status == CLI_OK && state_from_group(s, g, &view) < 0)
        status = group_fail(g, CLI_FAILED, ERR_LOG_LOST,
                            "the records of the group '%s' on %s contradict each other.",
                            g->conf->group, g->server);
    group_view_finish(&view);
    return status;
}

int look_at_group(struct state *s, const struct conf *conf, int *ret_code,
                  bool *ret_is_absent, char text[GROUP_TEXT_ROOM])
{
    struct group group;
    int status = group_open(&group, conf, -1);

    *ret_is_absent = false;
    if (status == CLI_OK)
        status = look_at_open_group(&group, s, ret_is_absent);
    *ret_code = group.code;
    memcpy(text, group.text, GROUP_TEXT_ROOM);
    group_close(&group);
    return status;
}
