/* core/host/plugin*.c: what is sound is loaded, all else is refused in words. */
#include "base/errors.h"
#include "base/status.h"
#include "host/plugin.h"

#include "unit.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where the test plugins are built, and a private folder for copies of them. */
static char built[PATH_MAX], own[] = "/tmp/parti-plugin-XXXXXX";

static void setup(void)
{
    const char *dir = getenv("PARTI_BUILDDIR");

    ck_assert_msg(dir != NULL, "PARTI_BUILDDIR is not set: run by make check");
    (void)snprintf(built, sizeof built, "%s/tests/plugins/.libs", dir);
    (void)snprintf(own, sizeof own, "/tmp/parti-plugin-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(own));
}

static const char *in_own(const char *name)
{
    static char path[2][PATH_MAX];
    static int turn;

    turn = !turn;
    (void)snprintf(path[turn], PATH_MAX, "%s/%s", own, name);
    return path[turn];
}

static void teardown(void)
{
    static const char *const names[] = {"acme.so", "link.so", "sub/acme.so", "sub"};

    (void)chmod(in_own("sub"), 0700);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        (void)remove(in_own(names[i]));
    (void)rmdir(own);
}

static void write_file(const char *path, const void *bytes, size_t n)
{
    FILE *to = fopen(path, "w");

    ck_assert_ptr_nonnull(to);
    ck_assert_uint_eq(fwrite(bytes, 1, n, to), n);
    ck_assert_int_eq(fclose(to), 0);
    ck_assert_int_eq(chmod(path, 0644), 0);
}

/* The first bytes of a built plugin, for spoiling; returns how many. */
static size_t read_plugin(const char *name, char *bytes, size_t room)
{
    char path[PATH_MAX];
    FILE *from;
    size_t n;

    (void)snprintf(path, sizeof path, "%.3000s/%s.so", built, name);
    from = fopen(path, "r");
    ck_assert_msg(from != NULL, "%s is not built", path);
    n = fread(bytes, 1, room, from);
    ck_assert_int_eq(fclose(from), 0);
    return n;
}

static void copy_plugin(const char *name, const char *to)
{
    static char bytes[1 << 20];
    size_t n = read_plugin(name, bytes, sizeof bytes);

    ck_assert_uint_lt(n, sizeof bytes);
    write_file(to, bytes, n);
}

/* plugin_load() must refuse with this code, and each of the phrases must be said. */
#define refuses(name, dir, kind, code, ...) \
    refuses_all(name, dir, kind, code, (const char *const[]){__VA_ARGS__, NULL})

static void refuses_all(const char *name, const char *dir, enum plugin_kind kind,
                        int code, const char *const *phrases)
{
    const struct plugin *p = NULL;
    struct plugin_error error = {0};
    char head[PATH_MAX];

    ck_assert_int_lt(plugin_load(name, dir, kind, &p, &error), 0);
    ck_assert_ptr_null(p);
    ck_assert_msg(error.code == code, "%s", error.text);
    (void)snprintf(head, sizeof head, "PARTI-E%d plugin \"%.3000s\": ", code, name);
    ck_assert_msg(strncmp(error.text, head, strlen(head)) == 0, "%s", error.text);
    for (; *phrases != NULL; phrases++)
        ck_assert_msg(strstr(error.text, *phrases) != NULL, "%s\nlacks: %s", error.text,
                      *phrases);
    /* Found, then what to do: two lines, each a sentence. */
    ck_assert_ptr_nonnull(strchr(error.text, '\n'));
    ck_assert_ptr_null(strchr(strchr(error.text, '\n') + 1, '\n'));
    ck_assert_int_eq(error.text[strlen(error.text) - 1] == '.' ||
                         strstr(error.text, "tell its vendor.") != NULL,
                     1);
}

static const struct plugin *loads(const char *name, const char *dir,
                                  enum plugin_kind kind)
{
    const struct plugin *p = NULL;
    struct plugin_error error = {0};
    int result = plugin_load(name, dir, kind, &p, &error);

    ck_assert_msg(result == 0, "%s", error.text);
    return p;
}

START_TEST(good_plugins_load_by_name_and_by_path)
{
    const struct plugin *p = loads("good_strategy", built, PLUGIN_STRATEGY), *q;
    char path[PATH_MAX];

    ck_assert_str_eq(p->name, "good_strategy");
    ck_assert_str_eq(p->about.id, "org.example.test");
    ck_assert_ptr_nonnull(p->strategy.assign);
    ck_assert_ptr_null(p->source.list);
    (void)snprintf(path, sizeof path, "%.3000s/good_source.so", built);
    q = loads(path, NULL, PLUGIN_SOURCE);
    ck_assert_str_eq(q->name, "good_source");
    ck_assert_ptr_nonnull(q->source.list);
    loads("good_two_majors", built, PLUGIN_STRATEGY);
}
END_TEST

START_TEST(one_file_is_one_module_whatever_it_is_called)
{
    const struct plugin *p = loads("good_strategy", built, PLUGIN_ANY);
    char path[PATH_MAX];

    (void)snprintf(path, sizeof path, "%.3000s/good_strategy.so", built);
    ck_assert_ptr_eq(loads("good_strategy", built, PLUGIN_STRATEGY), p);
    ck_assert_ptr_eq(loads(path, NULL, PLUGIN_STRATEGY), p);
    ck_assert_int_eq(symlink(path, in_own("link.so")), 0);
    ck_assert_ptr_eq(loads("link", own, PLUGIN_STRATEGY), p);
    copy_plugin("good_strategy", in_own("acme.so"));
    ck_assert_ptr_ne(loads("acme", own, PLUGIN_STRATEGY), p);
}
END_TEST

START_TEST(a_plugin_of_a_newer_sdk_loads_if_it_needs_no_more)
{
    const struct plugin *p = loads("good_newer", built, PLUGIN_STRATEGY);

    ck_assert_uint_eq(p->about.abi_minor, 7);
    ck_assert_uint_eq(p->about.size, sizeof p->about);
    ck_assert_uint_eq(p->strategy.size, sizeof p->strategy);
    ck_assert(PARTI_HAS(strategy, &p->strategy, destroy));
}
END_TEST

static int32_t golden_add(struct parti_sink *sink, const struct parti_rows *rows)
{
    uint64_t *sum = sink->ctx;

    for (uint64_t i = 0; i < rows->id.n; i++)
        *sum += rows->weight[i];
    return PARTI_OK;
}

static int32_t golden_log_on(const struct parti_host *host, int32_t level)
{
    (void)host;
    return level >= PARTI_INFO;
}

static void golden_log(const struct parti_host *host, int32_t level, const char *text,
                       uint64_t n)
{
    (void)level;
    ck_assert_uint_eq(n, strlen("golden 1.0"));
    ck_assert_mem_eq(text, "golden 1.0", n);
    ++*(int *)host->ctx;
}

/* The golden plugin of ABI 1.0 is called as a host calls it. */
START_TEST(golden_plugins_load_and_run)
{
    const struct plugin *p = loads("golden_1_0", built, PLUGIN_ANY);
    const char *key = "level", *value = "7";
    uint32_t line = 0, owner[3] = {9, 9, 9};
    const uint64_t hash[3] = {4, 5, 6};
    uint64_t sum = 0;
    int logged = 0;
    void *self = &logged;
    struct parti_conf conf = {
        .size = sizeof conf, .n = 1, .key = &key, .value = &value, .line = &line};
    struct parti_host host = {
        .size = sizeof host, .ctx = &logged, .log = golden_log, .log_on = golden_log_on};
    struct parti_world world = {
        .size = sizeof world, .part_n = 3, .part_hash = hash, .worker_n = 2};
    struct parti_sink sink = {.size = sizeof sink, .ctx = &sum, .add = golden_add};
    struct parti_error error = {.size = sizeof error};

    ck_assert_int_eq(p->strategy.create(&self, &host, &conf, &error), PARTI_OK);
    ck_assert_int_eq(p->strategy.assign(self, &world, owner, &error), PARTI_OK);
    ck_assert(owner[0] == 0 && owner[1] == 1 && owner[2] == 0);
    p->strategy.destroy(self);
    ck_assert_int_eq(p->source.create(&self, &host, &conf, &error), PARTI_OK);
    ck_assert_int_eq(p->source.list(self, &sink, 1000, &error), PARTI_OK);
    ck_assert_uint_eq(sum, 350);
    p->source.cancel(self);
    p->source.destroy(self);
    ck_assert_int_eq(logged, 2);
}
END_TEST

START_TEST(names_that_are_none_are_refused)
{
    static char endless[PATH_MAX + 1];

    refuses("", built, PLUGIN_ANY, ERR_PLUGIN_NAME, "the name is empty");
    refuses("./good_strategy.so", built, PLUGIN_ANY, ERR_PLUGIN_NAME, "relative path",
            "bare name");
    refuses("sub/good", built, PLUGIN_ANY, ERR_PLUGIN_NAME, "relative path");
    refuses("good_strategy", "tests/plugins", PLUGIN_ANY, ERR_PLUGIN_NAME,
            "the plugin directory tests/plugins is a relative path");
    memset(endless, 'x', PATH_MAX);
    endless[0] = '/';
    struct plugin_error error;
    char path[PATH_MAX];
    ck_assert_int_lt(plugin_find(endless, NULL, path, &error), 0);
    ck_assert_int_eq(error.code, ERR_PLUGIN_NAME);
    ck_assert_ptr_nonnull(strstr(error.text, "more than 4095 bytes"));
    ck_assert_int_eq(plugin_find("acme", NULL, path, &error), 0);
    ck_assert_int_eq(strncmp(path, plugin_dir_default(), strlen(plugin_dir_default())),
                     0);
    ck_assert_str_eq(path + strlen(plugin_dir_default()), "/acme.so");
}
END_TEST

START_TEST(no_environment_variable_names_the_folder)
{
    ck_assert_int_eq(setenv("PARTI_PLUGIN_DIR", built, 1), 0);
    ck_assert_str_ne(plugin_dir_default(), built);
    refuses("good_strategy", NULL, PLUGIN_ANY, ERR_PLUGIN_MISSING, "there is no file");
}
END_TEST

START_TEST(a_missing_plugin_gets_a_hint)
{
    refuses("good_stratgy", built, PLUGIN_ANY, ERR_PLUGIN_MISSING,
            "good_stratgy.so; did you mean \"good_strategy\"?", "parti plugins list");
    refuses("good_strategy.so", built, PLUGIN_ANY, ERR_PLUGIN_MISSING,
            "without its \".so\"");
    refuses("zebra", built, PLUGIN_ANY, ERR_PLUGIN_MISSING, "there is no file",
            "[parti] plugin_dir");
    refuses("zebra", "/nowhere/at/all", PLUGIN_ANY, ERR_PLUGIN_MISSING,
            "/nowhere/at/all/zebra.so");
    refuses("/nowhere/x.so", NULL, PLUGIN_ANY, ERR_PLUGIN_MISSING, "/nowhere/x.so");
}
END_TEST

START_TEST(only_regular_files_are_loaded)
{
    ck_assert_int_eq(mkdir(in_own("acme.so"), 0755), 0);
    refuses("acme", own, PLUGIN_ANY, ERR_PLUGIN_FILE, "is a directory",
            "a plugin is a regular file");
    ck_assert_int_eq(rmdir(in_own("acme.so")), 0);
    ck_assert_int_eq(mkfifo(in_own("acme.so"), 0644), 0);
    refuses("acme", own, PLUGIN_ANY, ERR_PLUGIN_FILE, "is a named pipe");
    refuses("/dev/null", NULL, PLUGIN_ANY, ERR_PLUGIN_FILE, "is a device");
}
END_TEST

START_TEST(what_others_can_write_is_refused)
{
    copy_plugin("good_strategy", in_own("acme.so"));
    ck_assert_int_eq(chmod(in_own("acme.so"), 0646), 0);
    refuses("acme", own, PLUGIN_ANY, ERR_PLUGIN_UNSAFE, "can be written by anyone",
            "(mode 0646)", "chmod go-w");
    ck_assert_int_eq(chmod(in_own("acme.so"), 0664), 0);
    refuses("acme", own, PLUGIN_ANY, ERR_PLUGIN_UNSAFE, "can be written by its group");
    /* Sticky says something of folders, nothing of files. */
    ck_assert_int_eq(chmod(in_own("acme.so"), 01646), 0);
    refuses("acme", own, PLUGIN_ANY, ERR_PLUGIN_UNSAFE, "(mode 1646)");
    ck_assert_int_eq(chmod(in_own("acme.so"), 0644), 0);
    loads("acme", own, PLUGIN_ANY);
    ck_assert_int_eq(chmod(in_own("acme.so"), 0666), 0);
    refuses("acme", own, PLUGIN_ANY, ERR_PLUGIN_UNSAFE, "can be written by anyone");
}
END_TEST

START_TEST(folders_above_count_unless_they_are_sticky)
{
    ck_assert_int_eq(mkdir(in_own("sub"), 0755), 0);
    copy_plugin("good_strategy", in_own("sub/acme.so"));
    ck_assert_int_eq(chmod(own, 0777), 0);
    refuses("acme", in_own("sub"), PLUGIN_ANY, ERR_PLUGIN_UNSAFE,
            ", a folder above the plugin, can be written by anyone (mode 0777)");
    ck_assert_int_eq(chmod(own, 0770), 0);
    refuses("acme", in_own("sub"), PLUGIN_ANY, ERR_PLUGIN_UNSAFE,
            "a folder above the plugin, can be written by its group");
    ck_assert_int_eq(chmod(own, 01777), 0);
    loads("acme", in_own("sub"), PLUGIN_ANY);
    ck_assert_int_eq(chmod(in_own("sub"), 0777), 0);
    refuses("acme", in_own("sub"), PLUGIN_ANY, ERR_PLUGIN_UNSAFE, "sub, a folder above");
}
END_TEST

START_TEST(a_link_does_not_hide_where_the_file_lies)
{
    ck_assert_int_eq(mkdir(in_own("sub"), 0777), 0);
    ck_assert_int_eq(chmod(in_own("sub"), 0777), 0);
    copy_plugin("good_strategy", in_own("sub/acme.so"));
    ck_assert_int_eq(symlink("sub/acme.so", in_own("link.so")), 0);
    refuses("link", own, PLUGIN_ANY, ERR_PLUGIN_UNSAFE, "sub, a folder above");
}
END_TEST

/* Only root can give a file away; make check as root runs this one in full. */
START_TEST(a_strangers_file_or_folder_is_refused)
{
    if (geteuid() != 0) {
        fprintf(stderr, "skipped: a_strangers_file_or_folder_is_refused needs root\n");
        return;
    }
    copy_plugin("good_strategy", in_own("acme.so"));
    ck_assert_int_eq(chown(in_own("acme.so"), 4242, 4242), 0);
    refuses("acme", own, PLUGIN_ANY, ERR_PLUGIN_UNSAFE,
            "belongs to user 4242 (unknown), who could change the plugin", "(0)",
            "chown root");
    ck_assert_int_eq(chown(in_own("acme.so"), 0, 0), 0);
    ck_assert_int_eq(chown(own, 4242, 4242), 0);
    refuses("acme", own, PLUGIN_ANY, ERR_PLUGIN_UNSAFE,
            "a folder above the plugin, belongs to user 4242");
    ck_assert_int_eq(chown(own, 0, 0), 0);
    loads("acme", own, PLUGIN_ANY);
}
END_TEST

START_TEST(files_that_are_no_plugin_for_this_machine_are_refused)
{
    static char bytes[1 << 20];
    size_t n = read_plugin("good_strategy", bytes, sizeof bytes);

    write_file(in_own("acme.so"), "#!/bin/sh\necho I am a plugin, honestly; believe me\n",
               52);
    refuses("acme", own, PLUGIN_ANY, ERR_PLUGIN_FOREIGN, "is no shared object");
    write_file(in_own("acme.so"), "", 0);
    refuses("acme", own, PLUGIN_ANY, ERR_PLUGIN_FOREIGN, "is no shared object");
    write_file(in_own("acme.so"), bytes, 40);
    refuses("acme", own, PLUGIN_ANY, ERR_PLUGIN_FOREIGN, "is no shared object");
    bytes[18] = (char)0xf3; /* e_machine: RISC-V */
    bytes[19] = 0;
    write_file(in_own("acme.so"), bytes, n);
    refuses("acme", own, PLUGIN_ANY, ERR_PLUGIN_FOREIGN, "is built for riscv (64 bits)");
    n = read_plugin("good_strategy", bytes, sizeof bytes);
    bytes[16] = 2; /* e_type: ET_EXEC */
    write_file(in_own("acme.so"), bytes, n);
    refuses("acme", own, PLUGIN_ANY, ERR_PLUGIN_FOREIGN, "but no shared object (type 2");
    (void)read_plugin("good_strategy", bytes, sizeof bytes);
    write_file(in_own("acme.so"), bytes, 64 + 56);
    refuses("acme", own, PLUGIN_ANY, ERR_PLUGIN_LINK, "the dynamic linker refuses it");
}
END_TEST

START_TEST(evil_plugins_are_refused_each_for_its_own_sin)
{
    refuses("evil_unresolved", built, PLUGIN_ANY, ERR_PLUGIN_LINK,
            "undefined symbol: parti_host_secret_function", "ldd -r");
    refuses("evil_no_entry", built, PLUGIN_ANY, ERR_PLUGIN_SYMBOL,
            "has no entry parti_plugin_v1", "PARTI_PLUGIN_ENTRY");
    refuses("evil_other_major", built, PLUGIN_ANY, ERR_PLUGIN_SYMBOL,
            "has parti_plugin_v2, parti_plugin_v3, but not parti_plugin_v1");
    refuses("evil_needs_newer", built, PLUGIN_ANY, ERR_PLUGIN_NEWER,
            "needs plugin ABI 1.999, this host (Parti ", "offers 1.1", "Upgrade Parti",
            "needs_minor <= 1");
    refuses("evil_null", built, PLUGIN_ANY, ERR_PLUGIN_BROKEN, "its entry returned NULL");
    refuses("evil_small", built, PLUGIN_ANY, ERR_PLUGIN_BROKEN,
            "struct parti_plugin has 48 bytes; ABI 1.0 has 96");
    refuses("evil_odd", built, PLUGIN_ANY, ERR_PLUGIN_BROKEN,
            "struct parti_strategy has 36 bytes; ABI 1.0 has 32");
    refuses("evil_no_assign", built, PLUGIN_ANY, ERR_PLUGIN_BROKEN,
            "leaves strategy.assign empty");
    refuses("evil_no_cancel", built, PLUGIN_ANY, ERR_PLUGIN_BROKEN,
            "leaves source.cancel empty");
    refuses("evil_no_id", built, PLUGIN_ANY, ERR_PLUGIN_BROKEN, "leaves id empty");
    refuses("evil_no_kind", built, PLUGIN_ANY, ERR_PLUGIN_BROKEN,
            "leaves both strategy and source empty");
    refuses("evil_options", built, PLUGIN_ANY, ERR_PLUGIN_BROKEN,
            "declares its strategy options wrongly: option 2 ('pause') has a fallback "
            "that is no value of its type");
    refuses("evil_connection", built, PLUGIN_ANY, ERR_PLUGIN_BROKEN,
            "names 'passwort' as an option of its connection, but has no such");
}
END_TEST

START_TEST(a_plugin_of_the_other_kind_is_refused)
{
    refuses("good_source", built, PLUGIN_STRATEGY, ERR_PLUGIN_KIND,
            "is a source, not a strategy", "Name it under [source]");
    refuses("good_strategy", built, PLUGIN_SOURCE, ERR_PLUGIN_KIND,
            "is a strategy, not a source", "Name it under [strategy]");
}
END_TEST

START_TEST(plugins_describe_themselves)
{
    const struct plugin *p = loads("good_strategy", built, PLUGIN_ANY);
    char *said = NULL;
    size_t n;
    FILE *to = open_memstream(&said, &n);
    json_t *o;

    plugin_describe(p, OPTION_TEXT, to);
    ck_assert_int_eq(fclose(to), 0);
    ck_assert_ptr_nonnull(strstr(said, "good_strategy: index modulo workers\n"));
    ck_assert_ptr_nonnull(
        strstr(said, "built for ABI 1.1, needs 1.0; this host speaks 1.1"));
    ck_assert_ptr_nonnull(strstr(said, "keys in [strategy]\n  mode (text"));
    free(said);
    to = open_memstream(&said, &n);
    plugin_describe(p, OPTION_JSON, to);
    ck_assert_int_eq(fclose(to), 0);
    o = json_loads(said, 0, NULL);
    ck_assert_int_eq(json_integer_value(json_object_get(o, "format_version")), 1);
    ck_assert_uint_eq(
        json_array_size(json_object_get(json_object_get(o, "strategy"), "options")), 7);
    json_decref(o);
    free(said);
}
END_TEST

START_TEST(a_folder_is_listed_with_its_refusals)
{
    char *said = NULL;
    size_t n;
    FILE *to = open_memstream(&said, &n);
    json_t *o, *list;

    copy_plugin("good_strategy", in_own("acme.so"));
    copy_plugin("evil_null", in_own("link.so"));
    ck_assert_int_eq(plugin_list(own, OPTION_TEXT, to), 0);
    ck_assert_int_eq(fclose(to), 0);
    ck_assert_ptr_nonnull(strstr(said, "\nacme                 strategy  1.0.0"));
    ck_assert_ptr_nonnull(strstr(said, "\nlink                 refused\n  PARTI-E208 "));
    free(said);
    to = open_memstream(&said, &n);
    ck_assert_int_eq(plugin_list(own, OPTION_JSON, to), 0);
    ck_assert_int_eq(fclose(to), 0);
    o = json_loads(said, 0, NULL);
    list = json_object_get(o, "plugins");
    ck_assert_uint_eq(json_array_size(list), 2);
    ck_assert_ptr_nonnull(json_object_get(json_array_get(list, 1), "error"));
    json_decref(o);
    free(said);
    ck_assert_int_eq(plugin_list("/nowhere", OPTION_JSON, stderr), STATUS_IO);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {good_plugins_load_by_name_and_by_path,
                                  one_file_is_one_module_whatever_it_is_called,
                                  a_plugin_of_a_newer_sdk_loads_if_it_needs_no_more,
                                  golden_plugins_load_and_run,
                                  names_that_are_none_are_refused,
                                  no_environment_variable_names_the_folder,
                                  a_missing_plugin_gets_a_hint,
                                  only_regular_files_are_loaded,
                                  what_others_can_write_is_refused,
                                  folders_above_count_unless_they_are_sticky,
                                  a_link_does_not_hide_where_the_file_lies,
                                  a_strangers_file_or_folder_is_refused,
                                  files_that_are_no_plugin_for_this_machine_are_refused,
                                  evil_plugins_are_refused_each_for_its_own_sin,
                                  a_plugin_of_the_other_kind_is_refused,
                                  plugins_describe_themselves,
                                  a_folder_is_listed_with_its_refusals};
    Suite *suite = suite_create("plugin");
    TCase *tcase = tcase_create("plugin");

    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
        tcase_add_test(tcase, tests[i]);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
