/* parti without a server: config, plugins, words and exit codes. */
#include "cli_rig.h"

#include <check.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

static const char nowhere[] = "nats://127.0.0.1:1"; /* tcpmux: nothing listens */

/* ---- config */

START_TEST(config_without_mistakes)
{
    const char *conf = cli_conf("a.ini", nowhere, "");
    const struct cli_run *run = CLI_EXPECT(0, "config", "check", conf);

    cli_has(run->out, "a.ini: no mistakes\n");
    ck_assert_str_eq(run->err, "");
}
END_TEST

static const char mistakes[] = "[parti]\n"
                               "groop = g\n"
                               "plugin_dir = relative\n"
                               "[nats]\n"
                               "url = nats://\n"
                               "[worker]\n"
                               "capacity = many\n"
                               "[strategy]\n"
                               "plugin = round_robin\n"
                               "[source]\n"
                               "plugin = static\n"
                               "[timing]\n"
                               "heartbeet = 150 ms\n"
                               "heartbeat_ttl = 12\n"
                               "[tiiming]\n";

START_TEST(config_tells_every_mistake_in_one_go)
{
    const struct cli_run *run =
        CLI_EXPECT(2, "config", "check", cli_file("bad.ini", mistakes), "--offline");

    ck_assert_str_eq(run->out, "");
    cli_has(run->err, "bad.ini:1: [parti] lacks 'group'");
    cli_has(run->err, "bad.ini:2: unknown key 'groop' in [parti]; did you mean 'group'?");
    cli_has(run->err, "bad.ini:5: url address 1 ('nats://') lacks");
    cli_has(run->err, "bad.ini:7: capacity = 'many' is no whole number");
    cli_has(run->err, "bad.ini:13: unknown key 'heartbeet' in [timing]; did you mean "
                      "'heartbeat_interval'?");
    cli_has(run->err, "bad.ini:14: heartbeat_ttl = '12' has no unit");
    cli_has(run->err, "bad.ini:15: unknown section [tiiming]; did you mean [timing]?");
    cli_has(run->err, "PARTI-E401 ");
}
END_TEST

START_TEST(config_asks_the_plugins_only_if_it_may)
{
    const char *conf = cli_conf("a.ini", nowhere,
                                "[source:more]\nplugin = static\npartitons = q\n"
                                "[source:other]\nplugin = statik\n");
    const struct cli_run *run = CLI_EXPECT(2, "config", "check", conf);

    cli_has(run->err, "unknown key 'partitons'");
    cli_has(run->err, "did you mean 'partitions'?");
    cli_has(run->err, "PARTI-E201 plugin \"statik\"");
    (void)CLI_EXPECT(0, "config", "check", conf, "--offline");
}
END_TEST

START_TEST(config_lists_the_sources)
{
    const char *conf =
        cli_conf("a.ini", nowhere, "[source:more]\nplugin = static\npartitions = p/3\n");

    cli_has(CLI_EXPECT(2, "config", "check", conf)->err, "PARTI-E503 ");
    (void)CLI_EXPECT(0, "config", "check", conf, "--offline");
}
END_TEST

/* Of what is listed, before a worker tries it. */
START_TEST(config_holds_the_subject_against_the_keys_of_the_partitions)
{
    const char *conf = cli_conf("a.ini", nowhere,
                                "[consume]\nplugin = jetstream\nstream = S\n"
                                "subject = orders.{2}.{3}\n");

    cli_has(CLI_EXPECT(2, "config", "check", conf)->err,
            ": consume jetstream: 32 of 32 partitions cannot be read, the first is p/0: "
            "this partition has no subject by 'orders.{2}.{3}': it has fewer keys than "
            "'subject' asks for; correct 'subject' in [consume]\n");
    conf = cli_conf("b.ini", nowhere,
                    "[consume]\nplugin = jetstream\nstream = S\n"
                    "subject = orders.{2}\n");
    (void)CLI_EXPECT(0, "config", "check", conf);
}
END_TEST

/* The file is sound, and what cannot be asked may be there tomorrow. */
START_TEST(config_tells_a_source_that_cannot_be_asked_from_a_mistake)
{
    static const char reason[] =
        "PARTI-E500 source:far evil_retry could not list its partitions: the far end is "
        "away";
    char section[2048], whole[4096];

    format(section, sizeof section,
           "[source:far]\nplugin = %s/tests/plugins/.libs/evil_retry.so\nwhile = %s\n",
           getenv("PARTI_BUILDDIR"), cli_file("away", ""));
    const char *conf = cli_conf("a.ini", nowhere, section);
    const struct cli_run *run = CLI_EXPECT(1, "config", "check", conf);

    format(whole, sizeof whole,
           "parti: %s: no mistakes, but its sources cannot be listed now: %s\n", conf,
           reason);
    ck_assert_str_eq(run->err, whole);
    ck_assert_str_eq(run->out, "");
    (void)CLI_EXPECT(0, "config", "check", conf, "--offline");
    run = CLI_EXPECT(1, "plan", "-c", conf, "--add", "worker-0");
    format(whole, sizeof whole, "parti: %s\n", reason);
    cli_has(run->err, whole);
}
END_TEST

START_TEST(config_reads_the_files_it_names)
{
    char url[512];

    format(url, sizeof url, "%s\ncreds = /nonexistent/user.creds", nowhere);
    const char *conf = cli_conf("a.ini", url, "");

    cli_has(CLI_EXPECT(2, "config", "check", conf)->err,
            "creds: '/nonexistent/user.creds' cannot be read");
}
END_TEST

/* The folder of the words goes before the file's, as with run. */
START_TEST(config_and_plan_look_for_plugins_where_they_are_told_to)
{
    static const char text[] = "[parti]\ngroup = g\nplugin_dir = /nonexistent\n"
                               "[nats]\nurl = nats://127.0.0.1:1\n"
                               "[source]\nplugin = static\npartitions = p/0..31\n";
    const char *conf = cli_file("a.ini", text);
    char dir[512];

    format(dir, sizeof dir, "%s/plugins/.libs", getenv("PARTI_BUILDDIR"));
    cli_has(CLI_EXPECT(2, "config", "check", conf)->err, "PARTI-E201 ");
    cli_has(CLI_EXPECT(0, "config", "check", conf, "--plugin-dir", dir)->out,
            "a.ini: no mistakes\n");
    cli_has(CLI_EXPECT(2, "plan", "-c", conf, "--add", "worker-0")->err, "PARTI-E201 ");
    cli_has(
        CLI_EXPECT(0, "plan", "-c", conf, "--add", "worker-0", "--plugin-dir", dir)->out,
        "worker-0");
    cli_has(CLI_EXPECT(2, "config", "check", conf, "--plugin-dir", "plugins")->err,
            "the plugin directory plugins is a relative path");
}
END_TEST

START_TEST(config_that_is_not_there)
{
    cli_has(CLI_EXPECT(2, "config", "check", "/nonexistent/a.ini")->err, "PARTI-E400 ");
    cli_has(CLI_EXPECT(2, "status", "-c", "/nonexistent/a.ini")->err, "PARTI-E400 ");
}
END_TEST

START_TEST(config_shows_the_values_in_force)
{
    const char *conf =
        cli_conf("a.ini", "nats://127.0.0.1:4222\nuser = u\npassword = verysecret", "");
    const struct cli_run *run = CLI_EXPECT(0, "config", "show", conf);

    cli_has(run->out, "heartbeat_ttl = 1200 ms\n");
    cli_has(run->out, "cold_start_window = 300 ms\n");
    cli_lacks(run->out, "verysecret");
}
END_TEST

START_TEST(config_lists_every_key)
{
    json_t *o = cli_json(CLI_EXPECT(0, "config", "keys", "-o", "json"));

    ck_assert_uint_gt(json_array_size(json_object_get(o, "keys")), 40);
    json_decref(o);
    cli_has(CLI_EXPECT(0, "config", "keys", "--sample")->out, "\ngroup = orders\n");
}
END_TEST

/* ---- plugins */

START_TEST(plugins_are_listed_and_described)
{
    char dir[512];

    format(dir, sizeof dir, "%s/plugins/.libs", getenv("PARTI_BUILDDIR"));
    const struct cli_run *run = CLI_EXPECT(0, "plugins", "--plugin-dir", dir);

    cli_has(run->out, "; this host speaks ABI 1.1\n");
    cli_has(run->out, "round_robin          strategy  0.1.0     for ABI 1.1  ");
    cli_has(CLI_EXPECT(0, "plugins", "describe", "static", "--plugin-dir", dir)->out,
            "partitions (text list)");
    json_t *o =
        cli_json(CLI_EXPECT(0, "plugins", "list", "--plugin-dir", dir, "-o", "json"));

    ck_assert_uint_ge(json_array_size(json_object_get(o, "plugins")), 2);
    json_decref(o);
    cli_has(CLI_EXPECT(1, "plugins", "describe", "statik", "--plugin-dir", dir)->err,
            "PARTI-E201 ");
}
END_TEST

/* What may stand in another section is not said to be needed here. */
START_TEST(plugins_say_which_keys_may_be_borrowed)
{
    char dir[512];

    format(dir, sizeof dir, "%s/plugins/.libs", getenv("PARTI_BUILDDIR"));
    const struct cli_run *run =
        CLI_EXPECT(0, "plugins", "describe", "jetstream", "--plugin-dir", dir);

    cli_has(run->out, "  url (text, secret, required, here or in [nats])\n");
    cli_has(run->out, "  creds (path, borrowed with url)\n");
    cli_has(run->out, "  url (text, secret, required, here or in the [source] with this "
                      "plugin, else in [nats])\n");
    json_t *o = cli_json(CLI_EXPECT(0, "plugins", "describe", "jetstream", "--plugin-dir",
                                    dir, "-o", "json"));
    json_t *url =
        json_array_get(json_object_get(json_object_get(o, "source"), "options"), 0);

    ck_assert_str_eq(cli_text(url, "name"), "url");
    ck_assert_str_eq(cli_text(url, "borrowed_from"), "in [nats]");
    json_decref(o);
    run = CLI_EXPECT(0, "plugins", "describe", "static", "--plugin-dir", dir);
    cli_lacks(run->out, "borrowed");
}
END_TEST

START_TEST(plugins_that_are_broken_are_listed_with_the_reason)
{
    char dir[512];

    format(dir, sizeof dir, "%s/tests/plugins/.libs", getenv("PARTI_BUILDDIR"));
    const struct cli_run *run = CLI_EXPECT(0, "plugins", "list", "--plugin-dir", dir);

    cli_has(run->out, "evil_no_entry        refused\n  PARTI-E206 ");
    cli_has(run->out, "evil_needs_newer     refused\n  PARTI-E207 ");
    cli_has(run->out, "good_strategy ");
}
END_TEST

START_TEST(plugins_of_a_folder_that_is_none)
{
    cli_has(CLI_EXPECT(1, "plugins", "--plugin-dir", "/nonexistent")->err,
            "'/nonexistent' cannot be read: No such file");
}
END_TEST

/* ---- words */

START_TEST(misuse_ends_with_2_and_says_how)
{
    cli_has(CLI_EXPECT(2, "status")->err, "Give -c FILE");
    cli_has(CLI_EXPECT(2, "status", "extra")->err, "'extra' is one word too many");
    cli_has(CLI_EXPECT(2, "status", "--confg", "x")->err, "did you mean --config?");
    cli_has(CLI_EXPECT(2, "plugins", "descr")->err, "neither list nor describe");
    cli_has(CLI_EXPECT(2, "config")->err, "config does check, show and keys");
    cli_has(CLI_EXPECT(2, "statsu")->err, "did you mean 'status'?");
    cli_has(CLI_EXPECT(2, "status", "-c", cli_conf("a.ini", nowhere, ""), "--server",
                       "http://x")
                ->err,
            "the server 'http://x'");
}
END_TEST

START_TEST(help_goes_to_standard_output)
{
    static const char *const commands[] = {"status",  "watch",  "plan",
                                           "refresh", "config", "plugins"};

    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const struct cli_run *run = CLI_EXPECT(0, commands[i], "--help");

        cli_has(run->out, "Usage: parti ");
        ck_assert_str_eq(run->err, "");
        cli_has(CLI_EXPECT(0, "--help")->out, commands[i]);
    }
}
END_TEST

START_TEST(no_server_ends_with_4)
{
    const char *conf = cli_conf("a.ini", nowhere, "");

    cli_has(CLI_EXPECT(4, "status", "-c", conf)->err, "PARTI-E101 ");
    cli_has(CLI_EXPECT(4, "watch", "-c", conf)->err, "PARTI-E101 ");
    cli_has(CLI_EXPECT(4, "refresh", "-c", conf)->err, "PARTI-E101 ");
}
END_TEST

START_TEST(an_embedded_server_is_not_started_to_look)
{
    const char *conf = cli_conf("a.ini", "embedded", "");

    cli_has(CLI_EXPECT(4, "status", "-c", conf)->err,
            "PARTI-E101 no embedded nats-server runs in '");
}
END_TEST

START_TEST(full_output_is_a_failure)
{
    char words[1024];

    format(words, sizeof words, "exec %s/parti config keys >/dev/full",
           getenv("PARTI_BUILDDIR"));
    const char *const argv[] = {"sh", "-c", words, NULL};
    int out = open_output(cli_path("out"));
    pid_t pid = launch(argv, out);
    int status = 0;

    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(WEXITSTATUS(status), 1);
}
END_TEST

CLI_MAIN("cli_files", config_without_mistakes, config_tells_every_mistake_in_one_go,
         config_asks_the_plugins_only_if_it_may, config_lists_the_sources,
         config_holds_the_subject_against_the_keys_of_the_partitions,
         config_tells_a_source_that_cannot_be_asked_from_a_mistake,
         config_reads_the_files_it_names,
         config_and_plan_look_for_plugins_where_they_are_told_to,
         config_that_is_not_there, config_shows_the_values_in_force,
         config_lists_every_key, plugins_are_listed_and_described,
         plugins_say_which_keys_may_be_borrowed,
         plugins_that_are_broken_are_listed_with_the_reason,
         plugins_of_a_folder_that_is_none, misuse_ends_with_2_and_says_how,
         help_goes_to_standard_output, no_server_ends_with_4,
         an_embedded_server_is_not_started_to_look, full_output_is_a_failure)
