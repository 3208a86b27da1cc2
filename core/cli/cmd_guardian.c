/* parti guardian: started by `parti run` only; see edge/child.h. */
#include "cli/cli.h"

#include "edge/child.h"

static int run(int argc, char **argv, struct cli *cli)
{
    (void)cli;
    return child_guardian(argc, argv);
}

const struct command cmd_guardian = {
    .name = "guardian",
    .usage = "guardian COMMAND [ARGUMENT ...]",
    .is_hidden = true,
    .run = run,
};
