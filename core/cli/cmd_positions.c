/* parti positions: where each partition's messages go on, and setting that by hand. */
#include "cli/cli.h"

#include "base/must.h"
#include "base/status.h"
#include "cli/load.h"
#include "cli/look.h"
#include "cli/positions.h"
#include "cli/print_json.h"
#include "cli/table.h"
#include "host/option_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is shown: the partitions of the words, or all. */
struct shown {
    const struct state *state;
    struct bytes *id;
    uint32_t *part; /* index in the state */
    struct position *at;
    size_t n;
};

static const char *standing(const struct state_part *part, const struct position *at)
{
    if (!at->exists)
        return "not begun";
    if (at->record.is_released)
        return "released";
    return part->owner != STATE_NOBODY && !part->is_pending ? "held" : "not released";
}

static void print_table(const struct shown *s, bool is_colour)
{
    struct table t = {0};

    table_column(&t, "partition", false);
    table_column(&t, "worker", false);
    table_column(&t, "next", true);
    table_column(&t, "tried", true);
    table_column(&t, "token", false);
    table_column(&t, "record", false);
    for (size_t i = 0; i < s->n; i++) {
        const struct state_part *part = &s->state->part[s->part[i]];
        const struct position *at = &s->at[i];
        const struct consume_record *r = &at->record;
        char name[PARTID_TEXT_ROOM];

        (void)partid_encode(part->id, name, sizeof name);
        table_cell(&t, TABLE_PLAIN, "%s", name);
        table_cell(&t, part->owner == STATE_NOBODY ? TABLE_BAD : TABLE_PLAIN, "%s",
                   part->owner == STATE_NOBODY ? "nobody"
                                               : s->state->worker[part->owner].id);
        if (at->exists) {
            table_cell(&t, TABLE_PLAIN, "%" PRIu64, r->next);
            table_cell(&t, r->attempts > 0 ? TABLE_BUSY : TABLE_PLAIN,
                       r->attempts == CONSUME_TERMED ? "for good" : "%" PRIu32,
                       r->attempts);
            table_cell(&t, TABLE_PLAIN, "%" PRIu64 "-%" PRIu64, r->token.gen,
                       r->token.since);
        } else {
            table_cell(&t, TABLE_PLAIN, "-");
            table_cell(&t, TABLE_PLAIN, "-");
            table_cell(&t, TABLE_PLAIN, "-");
        }
        table_cell(&t, TABLE_PLAIN, "%s", standing(part, at));
    }
    table_print(&t, is_colour, stdout);
    table_finish(&t);
}

static json_t *position_json(const struct state *state, const struct state_part *part,
                             const struct position *at)
{
    const struct consume_record *r = &at->record;
    char name[PARTID_TEXT_ROOM], token[48], origin[24];
    json_t *o = json_object();

    (void)partid_encode(part->id, name, sizeof name);
    (void)snprintf(token, sizeof token, "%" PRIu64 "-%" PRIu64, r->token.gen,
                   r->token.since);
    (void)snprintf(origin, sizeof origin, "%016" PRIx64, r->origin);
    json_object_set_new(o, "partition", json_string(name));
    json_object_set_new(o, "worker",
                        part->owner == STATE_NOBODY
                            ? json_null()
                            : json_string(state->worker[part->owner].id));
    json_object_set_new(o, "record", json_string(standing(part, at)));
    if (!at->exists)
        return o;
    json_object_set_new(o, "next", json_integer((json_int_t)r->next));
    json_object_set_new(o, "origin", json_string(origin));
    json_object_set_new(o, "token", json_string(token));
    json_object_set_new(o, "at", json_integer((json_int_t)r->at));
    json_object_set_new(o, "is_refused", json_boolean(r->attempts == CONSUME_TERMED));
    json_object_set_new(o, "attempts",
                        json_integer(r->attempts == CONSUME_TERMED ? 0 : r->attempts));
    json_object_set_new(o, "is_begun", json_boolean(r->is_begun));
    json_object_set_new(o, "is_suspect", json_boolean(r->is_suspect));
    json_object_set_new(o, "version", json_integer((json_int_t)at->version));
    return o;
}

static void print_document(const struct shown *s)
{
    json_t *o = json_object(), *list = json_array();

    json_object_set_new(o, "format_version", json_integer(1));
    json_object_set_new(o, "group", json_string(s->state->group));
    for (size_t i = 0; i < s->n; i++)
        json_array_append_new(
            list, position_json(s->state, &s->state->part[s->part[i]], &s->at[i]));
    json_object_set_new(o, "positions", list);
    print_json(o, stdout);
}

/* The partition of a word; STATE_NOBODY: there is none. */
static uint32_t find_part(const struct state *s, const char *word)
{
    char id[PARTID_BYTES_MAX];
    size_t n;

    if (partid_decode(bytes_of(word), id, sizeof id, &n) < 0)
        return STATE_NOBODY;
    for (uint32_t i = 0; i < s->part_n; i++)
        if (bytes_equal(s->part[i].id, (struct bytes){id, n}))
            return i;
    return STATE_NOBODY;
}

static int choose(struct shown *s, struct group *g, int words, char **word)
{
    size_t n = words > 0 ? (size_t)words : s->state->part_n;

    s->id = calloc(n + 1, sizeof *s->id);
    s->part = calloc(n + 1, sizeof *s->part);
    s->at = calloc(n + 1, sizeof *s->at);
    if (s->id == NULL || s->part == NULL || s->at == NULL)
        return group_fail(g, CLI_FAILED, 0, "out of memory");
    for (s->n = 0; s->n < n; s->n++) {
        uint32_t part = words > 0 ? find_part(s->state, word[s->n]) : (uint32_t)s->n;

        if (part == STATE_NOBODY)
            return group_fail(g, CLI_USAGE, 0,
                              "the group '%s' has no partition '%s'; 'parti positions' "
                              "without it lists all.",
                              s->state->group, word[s->n]);
        s->part[s->n] = part;
        s->id[s->n] = s->state->part[part].id;
    }
    return CLI_OK;
}

/* What comes of it, both numbers at hand: the store takes any. */
static void tell_set(const char *name, uint64_t was, uint64_t next)
{
    char between[128] = "";

    if (next < was)
        (void)snprintf(between, sizeof between,
                       ", and what was done from %" PRIu64 " to %" PRIu64
                       " is done again",
                       next, was - 1);
    else if (next > was)
        (void)snprintf(between, sizeof between,
                       ", and what is not done from %" PRIu64 " to %" PRIu64
                       " is left out",
                       was, next - 1);
    cli_say(0,
            "%s goes on at %" PRIu64 " (was %" PRIu64
            "). Its next holder begins there%s. "
            "No broker was asked whether it has that position: parti(1) says what comes "
            "of one beyond the end; --set %" PRIu64 " puts the old one back.",
            name, next, was, between, was);
}

static int set(struct positions *p, const struct shown *s, uint64_t next)
{
    struct group *g = p->group;
    const struct position *old = &s->at[0];
    char name[PARTID_TEXT_ROOM];
    int status;

    (void)partid_encode(s->id[0], name, sizeof name);
    if (g->has_beacon)
        return group_fail(g, CLI_FAILED, 0,
                          "the group '%s' is at work (leader %s). Stop its workers, set "
                          "the position, start them again.",
                          g->conf->group, g->beacon.id[0] != '\0' ? g->beacon.id : "new");
    /* A record of no origin was claimed and its reading never began: whoever holds the
     * partition next begins where the broker says, whatever 'next' is. */
    if (!old->exists || old->record.origin == 0)
        return group_fail(
            g, CLI_FAILED, 0,
            "%s has no position yet that could be set. Let a worker hold it "
            "for a moment (parti run -- sleep 60), stop it, then set.",
            name);
    status = positions_set(p, s->id[0], old, next);
    if (status == CLI_OK)
        tell_set(name, old->record.next, next);
    return status;
}

/* 'next': where to set the one word's partition, or NULL. */
static int work(struct group *g, const struct cli *cli, const uint64_t *next, int words,
                char **word)
{
    struct state state = {0};
    struct shown shown = {.state = &state};
    struct positions positions = {0};
    bool is_absent;
    int status = look_at_open_group(g, &state, &is_absent);

    if (status == CLI_OK)
        status = choose(&shown, g, words, word);
    if (status == CLI_OK)
        status = positions_open(&positions, g);
    if (status == CLI_OK)
        status = positions_read(&positions, shown.id, shown.n, shown.at);
    if (status == CLI_OK && next != NULL)
        status = set(&positions, &shown, *next);
    else if (status == CLI_OK && cli->output == CLI_JSON)
        print_document(&shown);
    else if (status == CLI_OK)
        print_table(&shown, cli->is_colour);
    positions_close(&positions);
    free(shown.id);
    free(shown.part);
    free(shown.at);
    state_finish(&state);
    return status;
}

static int run(int argc, char **argv, struct cli *cli)
{
    const char *file = NULL, *text = NULL, *why = "is no position";
    const struct cli_option options[] = {
        {'c', "config", "FILE", "the configuration", .text = &file},
        {'\0', "set", "NEXT", "go on at this position; the group must be stopped",
         .text = &text},
        {0},
    };
    struct group group = {0};
    struct conf conf = {0};
    int64_t number = 0;
    uint64_t next;
    int words = 0;
    int status = cli_parse(cli, options, argc, argv, &words);

    if (status != CLI_OK)
        return status < 0 ? CLI_OK : status;
    if (text != NULL && (option_value_int(text, &number, &why) < 0 || number < 0))
        return cli_misused(cli, "--set '%s' %s", text, number < 0 ? "is negative" : why);
    if (text != NULL && words != 1)
        return cli_misused(cli, "--set goes with one partition");
    next = (uint64_t)number;
    status = load_conf(cli, file, &conf);
    if (status == CLI_OK && conf.consume.base.plugin == NULL) {
        cli_say(0, "%s has no [consume]: this group divides partitions only.", file);
        status = CLI_USAGE;
    }
    if (status == CLI_OK) {
        status = group_open(&group, &conf, -1);
        if (status == CLI_OK)
            status = work(&group, cli, text != NULL ? &next : NULL, words, argv + 1);
        if (status != CLI_OK)
            cli_say(group.code, "%s", group.text);
        group_close(&group);
    }
    conf_finish(&conf);
    return load_finish_output(status);
}

const struct command cmd_positions = {
    .name = "positions",
    .summary = "shows or sets where each partition's messages go on",
    .usage = "positions -c FILE [-o table|json] [PARTITION ...]\n"
             "positions -c FILE --set NEXT PARTITION",
    .run = run,
};
