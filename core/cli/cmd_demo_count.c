/* parti demo-count STATUS RESULT: the worker that the demo supervises.  Counts the
 * packages of every section it is given and appends "section count token" to RESULT; says
 * released when something is taken.  What any worker under `parti run` does, in one page.
 */
#include "base/status.h"
#include "cli/cli.h"
#include "cli/demo_input.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int count_partitions(const json_t *event, const char *status_file, FILE *result)
{
    const json_t *p;
    size_t i;

    json_array_foreach(json_object_get(event, "partitions"), i, p)
    {
        static struct demo_input input; /* large */
        const char *id = json_string_value(json_object_get(p, "id"));
        const char *token = json_string_value(json_object_get(p, "token"));

        if (id == NULL || token == NULL || demo_input_read(&input, status_file, id) < 0)
            return CLI_FAILED;
        (void)fprintf(result, "%s %llu %s\n", id, (unsigned long long)input.packages,
                      token);
    }
    return fflush(result) == 0 ? CLI_OK : CLI_FAILED;
}

static int run(int argc, char **argv, struct cli *cli)
{
    char *line = NULL;
    size_t room = 0;
    int code = CLI_OK;
    FILE *result;

    if (argc != 3)
        return cli_misused(cli, "two files are needed");
    result = fopen(argv[2], "ae");
    if (result == NULL)
        return CLI_FAILED;
    while (code == CLI_OK && getline(&line, &room, stdin) > 0) {
        json_t *event = json_loads(line, 0, NULL);
        const char *kind = json_string_value(json_object_get(event, "event"));

        if (kind != NULL && strcmp(kind, "assigned") == 0) {
            code = count_partitions(event, argv[1], result);
        } else if (kind != NULL && strcmp(kind, "revoking") == 0) {
            (void)printf("{\"released\": %lld}\n",
                         (long long)json_integer_value(json_object_get(event, "epoch")));
            (void)fflush(stdout);
        }
        json_decref(event);
    }
    free(line);
    (void)fclose(result);
    return code;
}

const struct command cmd_demo_count = {
    .name = "demo-count",
    .summary = "the worker of the demo",
    .usage = "demo-count STATUS RESULT",
    .is_hidden = true,
    .run = run,
};
