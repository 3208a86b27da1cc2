/* parti config: checks a configuration, shows the values in force, lists every key. */
#include "cli/cli.h"

#include "base/status.h"
#include "cli/load.h"
#include "edge/nats_setup.h"
#include "host/consumer.h"
#include "host/instance.h"
#include "host/source.h"
#include "host/strategy.h"
#include "host/worker_setup.h"

#include <stdio.h>
#include <string.h>

enum { AWAY_ROOM = 1024 }; /* bytes of why a source could not be asked */

/* ---- check */

/* Credentials and certificates: can they be read, are they what they should be? */
static void check_files(struct conf *c)
{
    struct nats_link_options options = {.user = c->nats.user,
                                        .password = c->nats.password,
                                        .creds = c->nats.creds,
                                        .nkey = c->nats.nkey,
                                        .tls_ca = c->nats.tls_ca,
                                        .tls_cert = c->nats.tls_cert,
                                        .tls_key = c->nats.tls_key};
    struct nats_setup setup = {0};
    char text[512];

    nats_setup_init(&setup, NULL, &options);
    if (nats_setup_check(&setup, text, sizeof text) < 0) {
        text[strcspn(text, "\n")] = '\0';
        conf_errors_add(&c->errors, 0, "%s", text);
    }
    nats_setup_finish(&setup);
}

/* Where the file has mistakes already, plugins are asked only whether they know their
 * keys: what they would do with the rest means little. */
static void check_section(struct conf *c, const struct conf_plugin *p,
                          enum plugin_kind kind)
{
    const struct plugin *plugin = NULL;
    struct option_conf *options = NULL;

    if (p->plugin != NULL &&
        instance_load(p, c->plugin_dir, kind, &c->errors, &plugin, &options) == STATUS_OK)
        option_conf_free(options);
}

static void check_sections(struct conf *c)
{
    check_section(c, &c->strategy, PLUGIN_STRATEGY);
    for (size_t i = 0; i < c->source_n; i++)
        check_section(c, &c->source[i], PLUGIN_SOURCE);
    check_section(c, &c->consume.base, PLUGIN_CONSUMER);
}

/* 'away' gets why a source could not be asked. */
static void check_plugins(struct conf *c, char *away, size_t room)
{
    struct strategy_setup strategy = {.conf = &c->strategy, .plugin_dir = c->plugin_dir};
    struct sources_setup sources = {.source = c->source,
                                    .source_n = c->source_n,
                                    .plugin_dir = c->plugin_dir,
                                    .budget_ms = c->timing.operation_timeout_ms,
                                    .away = away,
                                    .away_room = room};
    struct strategy *s = NULL;
    struct listing *listing = NULL;
    int status = strategy_create(&strategy, &c->errors, &s);

    strategy_destroy(s);
    if (status == STATUS_NOMEM)
        conf_errors_add(&c->errors, 0, "out of memory");
    if (sources_list_once(&sources, &c->errors, &listing) == STATUS_OK &&
        listing->n > WORKER_PARTS_MAX)
        conf_errors_add(&c->errors, 0,
                        "the sources list %u partitions together; a group takes %d",
                        listing->n, WORKER_PARTS_MAX);
    if (c->consume.base.plugin != NULL)
        (void)consumer_check(c, c->plugin_dir, listing, &c->errors);
    listing_unref(listing);
}

static int check(const struct cli *cli, const char *file, const char *plugin_dir,
                 bool is_offline)
{
    struct conf c = {0};
    int status = conf_load(&c, file);
    char why[256], away[AWAY_ROOM] = "";

    if (status == STATUS_OK && cli->server != NULL &&
        conf_url_set(&c, cli->server, why, sizeof why) == STATUS_INVALID)
        conf_errors_add(&c.errors, 0, "--server: %s", why);
    if (plugin_dir != NULL)
        c.plugin_dir = plugin_dir;
    if (!is_offline && c.errors.unreadable == 0 && status != STATUS_NOMEM) {
        check_files(&c);
        if (status == STATUS_OK)
            check_plugins(&c, away, sizeof away);
        else
            check_sections(&c);
    }
    if (conf_errors_count(&c.errors) > 0 || c.errors.unreadable != 0) {
        conf_errors_print(&c.errors, stderr);
        if (away[0] != '\0')
            cli_say(0, "%s", away);
        status = CLI_USAGE;
    } else if (status != STATUS_OK) {
        cli_say(0, "%s: %s", file, status_text(status));
        status = CLI_FAILED;
    } else if (away[0] != '\0') {
        cli_say(0, "%s: no mistakes, but its sources cannot be listed now: %s", file,
                away);
        status = CLI_FAILED;
    } else {
        (void)printf("%s: no mistakes\n", file);
        status = CLI_OK;
    }
    conf_finish(&c);
    return status;
}

/* ---- show, keys */

static int show(const struct cli *cli, const char *file)
{
    struct conf c;
    int status = load_conf(cli, file, &c);

    if (status == CLI_OK)
        conf_show(&c, stdout);
    conf_finish(&c);
    return status;
}

static int keys(const struct cli *cli, bool is_sample)
{
    if (is_sample)
        conf_sample(stdout);
    else
        conf_describe(stdout, cli->output == CLI_JSON ? OPTION_JSON : OPTION_TEXT);
    return CLI_OK;
}

static int run(int argc, char **argv, struct cli *cli)
{
    const char *plugin_dir = NULL;
    bool is_offline = false, is_sample = false;
    const struct cli_option options[] = {
        {'\0', "offline", NULL, "check: the file alone; no plugin is opened",
         .flag = &is_offline},
        {'\0', "plugin-dir", "DIR",
         "check: look for plugins here, before the file's plugin_dir",
         .text = &plugin_dir},
        {'\0', "sample", NULL, "keys: as a file to start from", .flag = &is_sample},
        {0},
    };
    int words = 0;
    int status = cli_parse(cli, options, argc, argv, &words);
    const char *verb = words > 0 ? argv[1] : "";

    if (status != CLI_OK)
        return status < 0 ? CLI_OK : status;
    if (strcmp(verb, "check") == 0 && words == 2)
        status = check(cli, argv[2], plugin_dir, is_offline);
    else if (strcmp(verb, "show") == 0 && words == 2)
        status = show(cli, argv[2]);
    else if (strcmp(verb, "keys") == 0 && words == 1)
        status = keys(cli, is_sample);
    else if (strcmp(verb, "check") == 0 || strcmp(verb, "show") == 0)
        status = cli_misused(cli, "%s takes one file", verb);
    else
        status = cli_misused(cli, "config does check, show and keys");
    return load_finish_output(status);
}

const struct command cmd_config = {
    .name = "config",
    .summary = "checks a configuration, shows the values in force, lists every key",
    .usage = "config check FILE [--plugin-dir DIR] [--offline]\n"
             "config show FILE\n"
             "config keys [--sample] [-o json]",
    .run = run,
};
