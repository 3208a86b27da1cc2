/* core/host/conf.c: the file becomes one struct, or every mistake is named. */
#include "conf_text.h"
#include "host/conf_keys.h"

#include "unit.h"

#include <jansson.h>
#include <unistd.h>

START_TEST(the_least_file_takes_every_default)
{
    struct conf c;
    struct conf_timing usual;

    must_load(&c, HEAD TAIL);
    ck_assert_str_eq(c.file, "t.ini");
    ck_assert_str_eq(c.dir, "/etc/parti");
    ck_assert_str_eq(c.group, "orders");
    ck_assert_uint_eq(c.ownership, CONF_STRICT);
    ck_assert_ptr_null(c.plugin_dir);
    ck_assert_str_eq(c.nats.url, "nats://127.0.0.1:4222");
    ck_assert(!c.nats.embedded);
    ck_assert_uint_eq(c.nats.replicas, 1);
    ck_assert_ptr_null(c.nats.password);
    ck_assert_ptr_null(c.worker.id);
    ck_assert_str_eq(c.worker.id_prefix, "worker");
    ck_assert_uint_eq(c.worker.id_max, 99);
    ck_assert_uint_eq(c.worker.capacity, 100);
    ck_assert_uint_eq(c.worker.revoke_timeout_ms, 10000);
    ck_assert_uint_eq(c.worker.on_revoke_timeout, CONF_REVOKE_KILL);
    ck_assert_uint_eq(c.worker.on_term, CONF_TERM_LEAVE);
    ck_assert_uint_eq(c.worker.restart_grace_ms, 30000);
    ck_assert_str_eq(c.strategy.plugin, "consistent_hash");
    ck_assert_uint_eq(c.strategy.time_limit_ms, 5000);
    ck_assert_uint_eq(c.strategy.isolation, CONF_ISOLATION_NONE);
    ck_assert_str_eq(c.strategy.section.name, "strategy");
    ck_assert_uint_eq(c.source_n, 1);
    ck_assert_str_eq(c.source[0].plugin, "static");
    ck_assert_uint_eq(c.source[0].plugin_line, 4);
    ck_assert_uint_eq(c.source[0].refresh_interval_ms, 30000);
    conf_timing_of(CONF_PROFILE_DEFAULT, &usual);
    ck_assert_mem_eq(&c.timing, &usual, sizeof usual);
    conf_finish(&c);
}
END_TEST

/* The figures of the Configuration page, one by one. */
START_TEST(the_default_profile_has_the_documented_times)
{
    struct conf_timing t;

    conf_timing_of(CONF_PROFILE_DEFAULT, &t);
    const uint64_t found[] = {t.heartbeat_interval_ms,
                              t.heartbeat_ttl_ms,
                              t.fence_margin_ms,
                              t.leader_authority_ms,
                              t.leader_renew_interval_ms,
                              t.election_timeout_ms,
                              t.clock_drift_ppm,
                              t.worker_id_ttl_ms,
                              t.cold_start_window_ms,
                              t.planned_scale_window_ms,
                              t.emergency_grace_ms,
                              t.restart_ratio_ppm,
                              t.min_rebalance_interval_ms,
                              t.min_rebalance_threshold_ppm,
                              t.operation_timeout_ms,
                              t.startup_timeout_ms,
                              t.shutdown_timeout_ms,
                              t.degraded_enter_ms,
                              t.degraded_exit_ms,
                              t.kv_error_threshold,
                              t.kv_error_window_ms,
                              t.recovery_grace_ms,
                              t.alert_info_ms,
                              t.alert_warn_ms,
                              t.alert_error_ms,
                              t.alert_critical_ms,
                              t.alert_interval_ms};
    const uint64_t expected[] = {150,   1200,  150,    1200,   300,    500,   1000,
                                 30000, 30000, 10000,  0,      500000, 10000, 150000,
                                 10000, 30000, 10000,  10000,  5000,   5,     30000,
                                 15000, 30000, 120000, 300000, 600000, 60000};
    ck_assert_uint_eq(sizeof found, sizeof expected);
    ck_assert_uint_eq(sizeof found + sizeof t.profile, sizeof t);
    for (size_t i = 0; i < sizeof found / sizeof *found; i++)
        ck_assert_msg(found[i] == expected[i], "figure %zu", i);
}
END_TEST

START_TEST(calm_triples_the_timers_of_the_protocol_and_nothing_else)
{
    struct conf_timing usual, calm;

    conf_timing_of(CONF_PROFILE_DEFAULT, &usual);
    conf_timing_of(CONF_PROFILE_CALM, &calm);
    ck_assert_uint_eq(calm.profile, CONF_PROFILE_CALM);
    ck_assert_uint_eq(calm.heartbeat_interval_ms, 3 * usual.heartbeat_interval_ms);
    ck_assert_uint_eq(calm.heartbeat_ttl_ms, 3 * usual.heartbeat_ttl_ms);
    ck_assert_uint_eq(calm.fence_margin_ms, 3 * usual.fence_margin_ms);
    ck_assert_uint_eq(calm.leader_authority_ms, 3 * usual.leader_authority_ms);
    ck_assert_uint_eq(calm.leader_renew_interval_ms, 3 * usual.leader_renew_interval_ms);
    ck_assert_uint_eq(calm.election_timeout_ms, 3 * usual.election_timeout_ms);
    ck_assert_mem_eq((char *)&calm + offsetof(struct conf_timing, clock_drift_ppm),
                     (char *)&usual + offsetof(struct conf_timing, clock_drift_ppm),
                     sizeof calm - offsetof(struct conf_timing, clock_drift_ppm));
}
END_TEST

START_TEST(every_profile_passes_its_own_checks)
{
    static const char *const names[] = {"fast", "default", "calm"};

    for (int i = 0; i < 3; i++) {
        char text[256];
        struct conf_timing t;
        struct conf c;
        (void)snprintf(text, sizeof text, HEAD TAIL "[timing]\nprofile = %s\n", names[i]);
        must_load(&c, text);
        conf_timing_of((enum conf_profile)i, &t);
        ck_assert_mem_eq(&c.timing, &t, sizeof t);
        conf_finish(&c);
    }
}
END_TEST

START_TEST(a_key_goes_before_its_profile_wherever_it_stands)
{
    struct conf c;

    must_load(&c, HEAD TAIL "[timing]\nheartbeat_interval = 105 ms\nprofile = fast\n");
    ck_assert_uint_eq(c.timing.heartbeat_interval_ms, 105);
    ck_assert_uint_eq(c.timing.heartbeat_ttl_ms, 600);
    ck_assert_uint_eq(conf_line(&c, "timing", "heartbeat_interval"), 6);
    ck_assert_uint_eq(conf_line(&c, "timing", "heartbeat_ttl"), 0);
    ck_assert_uint_eq(conf_line(&c, "nothing", "heartbeat_ttl"), 0);
    conf_finish(&c);
}
END_TEST

START_TEST(every_key_is_taken)
{
    struct conf c;

    must_load(&c,
              "[parti]\ngroup = g-1_A\nownership = available\nplugin_dir = mine\n"
              "[nats]\nurl = nats://a:4222, tls://b\nuser = u\npassword = p w\n"
              "tls_ca = /ca\ntls_cert = cert.pem\ntls_key = ../key.pem\nreplicas = 3\n"
              "[worker]\nid = box-7\nid_prefix = box\nid_max = 7\ncapacity = 250\n"
              "zone = eu-1a\nrevoke_timeout = 2 min\non_revoke_timeout = wait\n"
              "restarts_max = 0\non_term = restart\nrestart_grace = 45 s\n"
              "[strategy]\nplugin = /opt/x.so\nisolation = process\ntime_limit = 250 ms\n"
              "own = 1\n"
              "[source]\nplugin = a\nrefresh_interval = 0\n"
              "[source:more]\nplugin = b\nrefresh_interval = 2 h\nlist = x\n y\n"
              "[timing]\nclock_drift_ppm = 500\nrestart_ratio = 1\n"
              "min_rebalance_threshold = 0.000001\nkv_error_threshold = 9\n");
    ck_assert_str_eq(c.group, "g-1_A");
    ck_assert_uint_eq(c.ownership, CONF_AVAILABLE);
    ck_assert_str_eq(c.plugin_dir, "/etc/parti/mine");
    ck_assert_str_eq(c.nats.url, "nats://a:4222, tls://b");
    ck_assert_str_eq(c.nats.user, "u");
    ck_assert_str_eq(c.nats.password, "p w");
    ck_assert_str_eq(c.nats.tls_ca, "/ca");
    ck_assert_str_eq(c.nats.tls_cert, "/etc/parti/cert.pem");
    ck_assert_str_eq(c.nats.tls_key, "/etc/parti/../key.pem");
    ck_assert_uint_eq(c.nats.replicas, 3);
    ck_assert_str_eq(c.worker.id, "box-7");
    ck_assert_uint_eq(c.worker.id_number, 7);
    ck_assert_uint_eq(c.worker.capacity, 250);
    ck_assert_str_eq(c.worker.zone, "eu-1a");
    ck_assert_uint_eq(c.worker.revoke_timeout_ms, 120000);
    ck_assert_uint_eq(c.worker.on_revoke_timeout, CONF_REVOKE_WAIT);
    ck_assert_uint_eq(c.worker.restarts_max, 0);
    ck_assert_uint_eq(c.worker.on_term, CONF_TERM_RESTART);
    ck_assert_uint_eq(c.worker.restart_grace_ms, 45000);
    ck_assert_str_eq(c.strategy.plugin, "/opt/x.so");
    ck_assert_uint_eq(c.strategy.isolation, CONF_ISOLATION_PROCESS);
    ck_assert_uint_eq(c.strategy.time_limit_ms, 250);
    ck_assert_uint_eq(c.strategy.section.raw_n, 1);
    ck_assert_str_eq(c.strategy.section.raw[0].key, "own");
    ck_assert_uint_eq(c.source_n, 2);
    ck_assert_str_eq(c.source[0].name, "");
    ck_assert_uint_eq(c.source[0].refresh_interval_ms, 0);
    ck_assert_str_eq(c.source[1].name, "more");
    ck_assert_str_eq(c.source[1].section.name, "source:more");
    ck_assert_uint_eq(c.source[1].refresh_interval_ms, 7200000);
    ck_assert_str_eq(c.source[1].section.raw[0].value, "x\ny");
    ck_assert_uint_eq(c.source[1].section.raw[0].lines, 2);
    ck_assert_uint_eq(c.timing.clock_drift_ppm, 500);
    ck_assert_uint_eq(c.timing.restart_ratio_ppm, 1000000);
    ck_assert_uint_eq(c.timing.min_rebalance_threshold_ppm, 1);
    ck_assert_uint_eq(c.timing.kv_error_threshold, 9);
    conf_finish(&c);
}
END_TEST

START_TEST(all_mistakes_come_in_one_go_in_order_of_lines)
{
    struct conf c;
    char *said;

    ck_assert_int_ne(
        load_text(&c, "early = 1\n[parti]\ngruop = orders\n[timing]\nheartbeet = 5 s\n"
                      "heartbeat_ttl = 1200\nelection_timeout = 5 sec\n[wroker]\n[nats]\n"
                      "capacity = 5\nurl = http://x\n[timing]\nfence_margin = 1.5 s\n"),
        0);
    said = printed_errors(&c.errors);
    ck_assert_str_eq(
        said,
        "t.ini: there is no [source] section, so there is nothing to divide\n"
        "t.ini:1: 'early' stands before the first [section]\n"
        "t.ini:2: [parti] lacks 'group'\n"
        "t.ini:3: unknown key 'gruop' in [parti]; did you mean 'group'?\n"
        "t.ini:5: unknown key 'heartbeet' in [timing]; did you mean "
        "'heartbeat_interval'?\n"
        "t.ini:6: heartbeat_ttl = '1200' has no unit, so nobody can tell seconds from "
        "milliseconds; write it like '250 ms', '10 s' or '5 min'\n"
        "t.ini:7: election_timeout = '5 sec' has a unit that is not known here; the "
        "units "
        "are ms, s, min and h\n"
        "t.ini:8: unknown section [wroker]; did you mean [worker]?\n"
        "t.ini:10: unknown key 'capacity' in [nats]; it belongs into [worker]\n"
        "t.ini:11: url address 1 ('http://x') begins with something other than nats:// "
        "or "
        "tls://; addresses look like nats://host:4222, with commas between them, or the "
        "word embedded\n"
        "t.ini:12: section [timing] is given twice; the first is in line 4\n"
        "t.ini:13: fence_margin = '1.5 s' is no duration; write a whole number with a "
        "unit: '250 ms', '10 s', '5 min' or '2 h'\n"
        "PARTI-E401 t.ini has 12 mistakes. 'parti config check t.ini' tells when it is "
        "good.\n");
    free(said);
    conf_finish(&c);
}
END_TEST

START_TEST(what_is_given_twice_is_a_mistake)
{
    must_say(HEAD TAIL "plugin = other\n",
             "t.ini:5: 'plugin' is given twice in [source]; the first is in line 4");
    must_say(HEAD TAIL "[source]\nrefresh_interval = 1 s\n",
             "t.ini:5: section [source] is given twice; the first is in line 3");
    must_say(HEAD TAIL "[source:a]\nplugin = x\n[source:a]\n",
             "t.ini:7: section [source:a] is given twice; the first is in line 5");
}
END_TEST

START_TEST(a_key_of_one_line_does_not_go_on)
{
    must_say("[parti]\ngroup = orders\n  ownership = strict\n" TAIL,
             "t.ini:3: group takes one value; an indented line continues the key above "
             "it, so start a new key at the left margin");
}
END_TEST

START_TEST(values_of_the_wrong_kind_are_named)
{
    must_say(HEAD "ownership = loose\n" TAIL,
             "t.ini:3: ownership = 'loose' is none of strict|available");
    must_say("[parti]\ngroup = a.b\n" TAIL,
             "t.ini:2: group = 'a.b' may hold only letters, digits, '_' and '-'");
    must_say("[parti]\ngroup = abcdefghijklmnopqrstuvwxyz1234567\n" TAIL,
             "t.ini:2: group has 33 bytes; 32 is the most");
    must_say("[parti]\ngroup =\n" TAIL,
             "t.ini:2: group has no value; leave the line out for the default");
    must_say(HEAD TAIL "[worker]\ncapacity = many\n",
             "t.ini:6: capacity = 'many' is no whole number");
    must_say(HEAD TAIL "[worker]\ncapacity = 0\n",
             "t.ini:6: capacity = '0' is outside 1 .. 1000000");
    must_say(HEAD TAIL "[worker]\ncapacity = 99999999999999999999\n",
             "t.ini:6: capacity = '99999999999999999999' is no whole number");
    must_say(HEAD TAIL "[timing]\nmin_rebalance_interval = 0\n",
             "t.ini:6: min_rebalance_interval = '0' is outside 1 ms .. 1 h");
    must_say(HEAD TAIL "[timing]\nrestart_ratio = 1.5\n",
             "t.ini:6: restart_ratio = '1.5' is outside 1e-06 .. 1");
    must_say(HEAD TAIL "[timing]\nrestart_ratio = half\n",
             "t.ini:6: restart_ratio = 'half' is no ratio; write a decimal fraction such "
             "as 0.15, with up to six places");
    must_say(HEAD TAIL "[timing]\nprofile = quick\n",
             "t.ini:6: profile = 'quick' is none of fast|default|calm");
    must_say(HEAD "[source]\nplugin = ./mine.so\n",
             "t.ini:4: plugin = './mine.so' is a relative path; give a bare name or an "
             "absolute path");
    must_say(HEAD "[source]\nx = 1\n",
             "t.ini:3: [source] lacks 'plugin', the name of the source");
    must_say(
        HEAD TAIL "[source:a b]\nplugin = x\n",
        "t.ini:5: [source:a b]: a source's name has 1 to 32 letters, digits, '_' and "
        "'-'");
    must_say(HEAD TAIL "[sorcery]\nx = 1\n",
             "t.ini:5: unknown section [sorcery]; there are [parti], [nats], [worker], "
             "[strategy], [source], [source:NAME] and [timing]");
}
END_TEST

START_TEST(secrets_are_in_no_message_and_no_listing)
{
    static const char text[] =
        "[parti]\ngroup = g\n[nats]\nurl = nats://joe:sesame@a:bad,nats://b\n"
        "user = u\npassword = sesame\n sesame\n" TAIL "secret_key = sesame\n";
    static const char good[] = "[parti]\ngroup = g\n[nats]\nurl = "
                               "nats://joe:sesame@a:4222,tls://b\nuser = u\n"
                               "password = sesame\n" TAIL "secret_key = sesame\n";
    struct conf c;
    char *said = NULL;
    size_t n;
    FILE *to;

    ck_assert_int_ne(load_text(&c, text), 0);
    said = printed_errors(&c.errors);
    ck_assert_uint_eq(conf_errors_count(&c.errors), 2);
    ck_assert_msg(strstr(said, "sesame") == NULL, "%s", said);
    free(said);
    conf_finish(&c);

    must_load(&c, good);
    to = open_memstream(&said, &n);
    conf_show(&c, to);
    ck_assert_int_eq(fclose(to), 0);
    ck_assert_msg(strstr(said, "sesame") == NULL, "%s", said);
    ck_assert_ptr_nonnull(strstr(said, "url = nats://***@a:4222,tls://b\n"));
    ck_assert_ptr_nonnull(strstr(said, "password = ***\n"));
    ck_assert_ptr_nonnull(strstr(said, "; secret_key is given to the plugin\n"));
    free(said);
    conf_finish(&c);
}
END_TEST

/* conf_show() and conf_load() agree: what is shown loads to the same timing. */
START_TEST(what_is_shown_can_be_read_again)
{
    struct conf a, b;
    char *said = NULL;
    size_t n;
    FILE *to = open_memstream(&said, &n);

    must_load(&a, HEAD TAIL "[timing]\nprofile = calm\nrestart_ratio = 0.123456\n"
                            "alert_info = 90 s\nemergency_grace = 1001 ms\n");
    conf_show(&a, to);
    ck_assert_int_eq(fclose(to), 0);
    must_load(&b, said);
    ck_assert_mem_eq(&a.timing, &b.timing, sizeof a.timing);
    ck_assert_uint_eq(b.timing.restart_ratio_ppm, 123456);
    ck_assert_mem_eq(&a.worker.revoke_timeout_ms, &b.worker.revoke_timeout_ms,
                     sizeof(uint64_t));
    free(said);
    conf_finish(&a);
    conf_finish(&b);
}
END_TEST

START_TEST(the_key_table_is_sound_and_describes_itself)
{
    char *said = NULL;
    size_t n;
    FILE *to = open_memstream(&said, &n);
    json_t *o, *keys;

    conf_describe(to, OPTION_JSON);
    ck_assert_int_eq(fclose(to), 0);
    o = json_loads(said, 0, NULL);
    ck_assert_ptr_nonnull(o);
    keys = json_object_get(o, "keys");
    ck_assert_uint_eq(json_array_size(keys), conf_keys_n);
    json_decref(o);
    free(said);
    to = open_memstream(&said, &n);
    conf_describe(to, OPTION_TEXT);
    ck_assert_int_eq(fclose(to), 0);
    for (size_t i = 0; i < conf_keys_n; i++) {
        const struct conf_key *key = &conf_keys[i];
        size_t help_n = strlen(key->help);
        ck_assert_msg(key->help[help_n - 1] == '.', "%s", key->name);
        ck_assert_ptr_nonnull(strstr(said, key->help));
        ck_assert_ptr_eq(conf_key_find(key->section, key->name), key);
        for (size_t j = 0; j < i; j++)
            ck_assert_msg(conf_key_of_plugin(key) || conf_key_of_plugin(&conf_keys[j]) ||
                              key->at != conf_keys[j].at,
                          "%s and %s share a field", key->name, conf_keys[j].name);
        if (conf_key_of_plugin(key)) {
            bool reserved = false;
            for (const char *const *h = option_host_keys(); *h != NULL; h++)
                reserved = reserved || strcmp(*h, key->name) == 0;
            ck_assert_msg(reserved, "%s", key->name);
        }
    }
    free(said);
}
END_TEST

START_TEST(files_are_read_from_their_own_folder)
{
    char dir[] = "/tmp/parti-conf-XXXXXX", path[64];
    struct conf c;
    FILE *out;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/a.ini", dir);
    out = fopen(path, "w");
    (void)fprintf(out, HEAD "plugin_dir = sub\n" TAIL);
    ck_assert_int_eq(fclose(out), 0);
    ck_assert_int_eq(conf_load(&c, path), 0);
    ck_assert_int_eq(strncmp(c.plugin_dir, dir, strlen(dir)), 0);
    ck_assert_str_eq(c.plugin_dir + strlen(dir), "/sub");
    conf_finish(&c);
    ck_assert_int_eq(chdir(dir), 0);
    ck_assert_int_eq(conf_load(&c, "a.ini"), 0);
    ck_assert_str_eq(c.dir, dir);
    conf_finish(&c);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(conf_load(&c, "a.ini"), -12 /* STATUS_IO */);
    char *said = printed_errors(&c.errors);
    ck_assert_str_eq(said,
                     "PARTI-E400 a.ini cannot be read: No such file or directory. "
                     "Name the configuration file (with -c FILE where the command takes "
                     "it), and let this user "
                     "read it.\n");
    free(said);
    conf_finish(&c);
    ck_assert_int_eq(conf_load(&c, dir), -12);
    said = printed_errors(&c.errors);
    ck_assert_ptr_nonnull(strstr(said, "Is a directory"));
    free(said);
    conf_finish(&c);
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

START_TEST(another_server_can_take_the_files_place)
{
    struct conf c;
    char why[300], shown[100];

    must_load(&c, HEAD TAIL);
    ck_assert_int_eq(conf_url_set(&c, "embedded", why, sizeof why), 0);
    ck_assert(c.nats.embedded);
    ck_assert_int_eq(conf_url_set(&c, "tls://u:p@[::1]:4443/", why, sizeof why), 0);
    ck_assert(!c.nats.embedded);
    ck_assert_int_ne(conf_url_set(&c, "nats://a:70000", why, sizeof why), 0);
    ck_assert_ptr_nonnull(strstr(why, "('nats://a:70000') has a port that is no number"));
    ck_assert_int_ne(conf_url_set(&c, "a,,b", why, sizeof why), 0);
    ck_assert_ptr_nonnull(strstr(why, "address 2 ('') is empty"));
    ck_assert_int_ne(conf_url_set(&c, "nats://:4222", why, sizeof why), 0);
    ck_assert_int_ne(conf_url_set(&c, "", why, sizeof why), 0);
    ck_assert_str_eq(c.nats.url, "tls://u:p@[::1]:4443/");
    conf_url_shown(c.nats.url, shown, sizeof shown);
    ck_assert_str_eq(shown, "tls://***@[::1]:4443/");
    conf_url_shown("a, token@b", shown, sizeof shown);
    ck_assert_str_eq(shown, "a,***@b");
    conf_url_shown("nats://secret@host", shown, 9);
    ck_assert_str_eq(shown, "nats://*");
    conf_finish(&c);
}
END_TEST

START_TEST(an_empty_configuration_can_be_finished)
{
    struct conf c = {0};

    conf_finish(&c);
    conf_finish(&c);
}
END_TEST

UNIT_MAIN("conf", the_least_file_takes_every_default,
          the_default_profile_has_the_documented_times,
          calm_triples_the_timers_of_the_protocol_and_nothing_else,
          every_profile_passes_its_own_checks,
          a_key_goes_before_its_profile_wherever_it_stands, every_key_is_taken,
          all_mistakes_come_in_one_go_in_order_of_lines, what_is_given_twice_is_a_mistake,
          a_key_of_one_line_does_not_go_on, values_of_the_wrong_kind_are_named,
          secrets_are_in_no_message_and_no_listing, what_is_shown_can_be_read_again,
          the_key_table_is_sound_and_describes_itself,
          files_are_read_from_their_own_folder, another_server_can_take_the_files_place,
          an_empty_configuration_can_be_finished)
