/* Every error of the log, provoked for real, with its words. */
#include "config.h"

#include "rig.h"

#include "base/errors.h"
#include "base/status.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

enum { TEXT_ROOM = 4096 };

/* ---- opening the log */

/* Opens the log of group g once and checks how that fails. */
static void open_fails(struct rig *rig, int replicas, int status, int code,
                       const char *const words[])
{
    const struct nats_log_options options = {
        .group = "g", .replicas = replicas, .tag = 1};

    if (rig->log == NULL) {
        ck_assert_int_eq(nats_log_create(&rig->log, rig->link, rig->inbox, &options),
                         STATUS_OK);
        rig_expect(rig, INBOX_LINK_UP);
    }
    ck_assert_int_eq(nats_log_open(rig->log, 1, 0), STATUS_OK);
    struct inbox_item *item = rig_try(rig, INBOX_LOG_ANSWER, 1, RIG_WAIT_MS);
    ck_assert_ptr_nonnull(item);
    ck_assert_msg(item->status == status && item->code == code, "status %d code %d: %s",
                  item->status, item->code, item->data);
    for (int i = 0; words[i] != NULL; i++)
        ck_assert_msg(strstr(item->data, words[i]) != NULL, "'%s' is not in: %s",
                      words[i], item->data);
    (void)printf("  PARTI-E%d %s\n", item->code, item->data);
    inbox_item_free(item);
}

START_TEST(jetstream_is_off)
{
    struct server server;
    struct rig rig;

    server_start(&server, &(struct server_options){.program = rig_program(_i),
                                                   .no_jetstream = true});
    rig_init(&rig, server.url);
    open_fails(&rig, 1, STATUS_UNSUPPORTED, ERR_NATS_NO_JETSTREAM,
               WORDS(server.url, " answers, but JetStream is off.", "'jetstream {}'",
                     "url = embedded."));
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

static const char accounts[] =
    "accounts {\n"
    "  A {\n"
    "    users: [\n"
    "      {user: a, password: a}\n"
    "      {user: no_api, password: x, permissions: "
    "{publish: {deny: [\"$JS.API.>\"]}}}\n"
    "      {user: no_write, password: x, permissions: "
    "{publish: {deny: [\"$KV.>\"]}}}\n"
    "      {user: no_inbox, password: x, permissions: "
    "{subscribe: {deny: [\"_INBOX.>\"]}}}\n"
    "    ]\n"
    "    jetstream: {\n      max_file: 20000\n      max_streams: 1\n    }\n"
    "  }\n"
    "  B {\n"
    "    users: [\n      {user: b, password: b}\n    ]\n"
    "  }\n"
    "}\n";

static void start_account(struct server *server, struct rig *rig, int i, const char *user,
                          const char *password)
{
    server_start(server,
                 &(struct server_options){.program = rig_program(i), .extra = accounts});
    rig_init_options(rig, &(struct nats_link_options){
                              .url = server->url, .user = user, .password = password});
}

START_TEST(jetstream_is_off_for_the_account)
{
    struct server server;
    struct rig rig;

    start_account(&server, &rig, _i, "b", "b");
    open_fails(&rig, 1, STATUS_UNSUPPORTED, ERR_NATS_NO_JETSTREAM,
               WORDS(server.url, "JetStream is off for this account"));
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(the_api_is_not_permitted)
{
    struct server server;
    struct rig rig;

    start_account(&server, &rig, _i, "no_api", "x");
    open_fails(&rig, 1, STATUS_DENIED, ERR_NATS_DENIED,
               WORDS(server.url, "publish to '$JS.API.STREAM.INFO.KV_parti_g'",
                     "Add the permission"));
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(hearing_replies_is_not_permitted)
{
    struct server server;
    struct rig rig;

    start_account(&server, &rig, _i, "no_inbox", "x");
    open_fails(&rig, 1, STATUS_DENIED, ERR_NATS_DENIED,
               WORDS(server.url, "subscribe to '_INBOX."));
    /* What could not be heard of is not written in the first place. */
    const struct nats_log_write write = {.key = "lease", .data = "x", .n = 1};
    ck_assert_int_eq(nats_log_write(rig.log, 5, &write, 60000), STATUS_OK);
    struct inbox_item *item = rig_next(&rig, INBOX_LOG_ANSWER, 5);
    ck_assert_int_eq(item->status, STATUS_DENIED);
    ck_assert_int_eq(item->code, ERR_NATS_DENIED);
    inbox_item_free(item);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(writing_is_not_permitted)
{
    struct server server;
    struct rig rig;

    start_account(&server, &rig, _i, "no_write", "x");
    rig_log(&rig, "g", 1);
    const struct nats_log_write write = {.key = "lease", .data = "x", .n = 1};
    ck_assert_int_eq(nats_log_write(rig.log, 55, &write, 5000), STATUS_OK);
    struct inbox_item *item = rig_next(&rig, INBOX_LOG_ANSWER, 55);
    ck_assert_int_eq(item->status, STATUS_DENIED);
    ck_assert_int_eq(item->code, ERR_NATS_DENIED);
    ck_assert_ptr_nonnull(strstr(item->data, "publish to '$KV.parti_g.lease'"));
    inbox_item_free(item);
    rig_expect_error(&rig, INBOX_LINK_DENIED, ERR_NATS_DENIED,
                     WORDS("publish to '$KV.parti_g.lease'"));
    /* Two at once: which of them the server meant it does not say. */
    ck_assert_int_eq(nats_log_write(rig.log, 56, &write, 5000), STATUS_OK);
    ck_assert_int_eq(nats_log_write(rig.log, 57, &write, 5000), STATUS_OK);
    for (uint64_t op = 56; op <= 57; op++) {
        item = rig_next(&rig, INBOX_LOG_ANSWER, op);
        ck_assert_int_eq(item->status, STATUS_TIMEOUT);
        inbox_item_free(item);
    }
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(the_account_may_have_no_further_stream)
{
    struct server server;
    struct rig rig, other;

    start_account(&server, &rig, _i, "a", "a");
    rig_log(&rig, "other", 1);
    rig_init_options(&other, &(struct nats_link_options){
                                 .url = server.url, .user = "a", .password = "a"});
    open_fails(
        &other, 1, STATUS_LIMIT, ERR_NATS_STORAGE,
        WORDS(server.url, "refuses to make the stream KV_parti_g", "limit of streams"));
    rig_finish(&other);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

/* Writes until the server has no room, checks the words, returns the last good seq. */
static uint64_t fill(struct rig *rig, size_t size, const char *words)
{
    static char data[256 * 1024];
    struct nats_log_write write = {.data = data, .n = size};
    char key[16];
    uint64_t seq = rig_info(rig);

    for (int i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof key, "k%d", i);
        write.key = key;
        write.expect_seq = seq;
        ck_assert_int_eq(nats_log_write(rig->log, ++rig->op, &write, 5000), STATUS_OK);
        struct inbox_item *item = rig_next(rig, INBOX_LOG_ANSWER, rig->op);
        if (item->status == STATUS_OK) {
            ck_assert_uint_eq(item->seq, ++seq);
            inbox_item_free(item);
            continue;
        }
        ck_assert_msg(item->status == STATUS_LIMIT && item->code == ERR_NATS_STORAGE &&
                          strstr(item->data, words) != NULL,
                      "write %d: status %d code %d: %s", i, item->status, item->code,
                      item->data);
        (void)printf("  PARTI-E%d %s\n", item->code, item->data);
        inbox_item_free(item);
        return seq;
    }
    ck_abort_msg("the server takes everything");
    return 0;
}

START_TEST(the_accounts_storage_is_full)
{
    struct server server;
    struct rig rig;
    char text[RIG_TEXT_ROOM];

    start_account(&server, &rig, _i, "a", "a");
    rig_log(&rig, "g", 1);
    ck_assert_int_eq(rig_write(&rig, "head", 0, "the head", NULL), STATUS_OK);
    uint64_t seq = fill(&rig, 3000, "account's JetStream limits");
    bool is_old = !server_is_at_least(rig_program(_i), 2, 10);
    ck_assert_uint_eq(rig_info(&rig), seq + is_old);
    /* What nats_log.h says of 2.9.10: it stores first, and takes away too much again. */
    static const char large[3000];
    const struct nats_log_write write = {
        .key = "head", .expect_seq = seq + is_old, .data = large, .n = sizeof large};
    ck_assert_int_eq(nats_log_write(rig.log, ++rig.op, &write, 0), STATUS_OK);
    struct inbox_item *item = rig_next(&rig, INBOX_LOG_ANSWER, rig.op);
    ck_assert_int_eq(item->status, STATUS_LIMIT);
    inbox_item_free(item);
    ck_assert_int_eq(rig_read(&rig, "head", NULL, text),
                     is_old ? STATUS_NOTFOUND : STATUS_OK);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(the_servers_storage_is_full)
{
    struct server server;
    struct rig rig;

    server_start(&server,
                 &(struct server_options){.program = rig_program(_i),
                                          .js_extra = "  max_file_store: 50000\n"});
    rig_init(&rig, server.url);
    rig_log(&rig, "g", 1);
    ck_assert_uint_gt(fill(&rig, 5000, "max_file_store"), 0);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

/* Neither server answers a write once its disk is full; the third one is told so. */
static void fill_disk(struct rig *rig)
{
    static char data[200 * 1024];
    struct nats_log_write write = {.data = data, .n = sizeof data};
    char key[16];
    int late = 0;

    for (int i = 0; late < 3; i++) {
        ck_assert_int_lt(i, 100);
        (void)snprintf(key, sizeof key, "k%d", late > 0 ? 99 : i);
        write.key = key;
        int status = nats_log_write(rig->log, ++rig->op, &write, 500);
        if (status == STATUS_OFFLINE) {
            rig_expect(rig, INBOX_LINK_UP);
            continue;
        }
        ck_assert_int_eq(status, STATUS_OK);
        struct inbox_item *item = rig_next(rig, INBOX_LOG_ANSWER, rig->op);
        if (item->status == STATUS_OK) {
            ck_assert_int_eq(late, 0);
            write.expect_seq = item->seq;
        } else {
            ck_assert_msg(item->status == STATUS_TIMEOUT, "%d %s", item->status,
                          item->data);
            ck_assert_int_eq(item->code,
                             ++late == 3 ? ERR_NATS_STORAGE : ERR_NATS_TIMEOUT);
        }
        if (late == 3) {
            ck_assert_ptr_nonnull(strstr(item->data, "'no space left on device'"));
            (void)printf("  PARTI-E%d %s\n", item->code, item->data);
        }
        inbox_item_free(item);
    }
}

START_TEST(the_disk_is_full)
{
    struct server server;
    struct rig rig;
    char disk[SERVER_PATH_ROOM];

    make_dir(disk);
    /* In a mount namespace of this test, so that nothing stays behind if it fails. */
    if (unshare(CLONE_NEWNS) != 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", disk, "tmpfs", 0, "size=4m") != 0) {
        (void)printf("SKIPPED: the_disk_is_full: mounting a tmpfs: %s\n",
                     strerror(errno));
        remove_tree(disk);
        return;
    }
    server_start(&server,
                 &(struct server_options){.program = rig_program(_i),
                                          .store_dir = disk,
                                          .js_extra = "  max_file_store: 1073741824\n"});
    rig_init(&rig, server.url);
    rig_log(&rig, "g", 1);
    fill_disk(&rig);
    rig_finish(&rig);
    server_finish(&server);
    ck_assert_int_eq(umount2(disk, MNT_DETACH), 0);
    remove_tree(disk);
}
END_TEST

START_TEST(replicas_need_a_cluster)
{
    struct server server;
    struct rig rig;

    server_start(&server, &(struct server_options){.program = rig_program(_i)});
    rig_init(&rig, server.url);
    open_fails(&rig, 3, STATUS_LIMIT, ERR_NATS_REPLICAS,
               WORDS(server.url, "refuses to make the stream", "[nats] replicas = 1"));
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

/* ---- a stream that is there already */

static void create_stream(const struct server *server, const char *config)
{
    char reply[TEXT_ROOM];

    ck_assert(server_request(server->url, "$JS.API.STREAM.CREATE.KV_parti_g", config,
                             reply, sizeof reply, 2000));
    ck_assert_msg(strstr(reply, "\"error\"") == NULL, "%s", reply);
}

START_TEST(a_stream_of_the_name_that_is_not_ours_is_refused)
{
    static const struct {
        const char *config, *words;
    } cases[] = {
        {"\"storage\":\"memory\"", "stores in memory"},
        {"\"storage\":\"file\",\"max_age\":60000000000", "records expire (max_age)"},
        {"\"storage\":\"file\",\"retention\":\"workqueue\"", "retention is not 'limits'"},
        {"\"storage\":\"file\",\"max_msgs_per_subject\":5", "exactly one record a key"},
        {"\"storage\":\"file\",\"max_msgs_per_subject\":1", "drop old records when full"},
    };
    char config[512], reply[TEXT_ROOM];
    struct server server;
    struct rig rig;

    server_start(&server, &(struct server_options){.program = rig_program(_i)});
    rig_init(&rig, server.url);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)snprintf(config, sizeof config,
                       "{\"name\":\"KV_parti_g\",\"subjects\":[\"$KV.parti_g.>\"],%s}",
                       cases[i].config);
        create_stream(&server, config);
        open_fails(&rig, 1, STATUS_INVALID, ERR_NATS_STREAM,
                   WORDS("the stream KV_parti_g on ", cases[i].words));
        ck_assert(server_request(server.url, "$JS.API.STREAM.DELETE.KV_parti_g", "",
                                 reply, sizeof reply, 2000));
    }
    create_stream(&server, "{\"name\":\"KV_parti_g\",\"subjects\":[\"x\"],"
                           "\"storage\":\"file\"}");
    open_fails(&rig, 1, STATUS_INVALID, ERR_NATS_STREAM,
               WORDS("does not listen to exactly the group's subjects"));
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(a_stream_without_republish_gets_it_or_is_refused)
{
    struct server server;
    struct rig rig;

    server_start(&server, &(struct server_options){.program = rig_program(_i)});
    create_stream(&server, "{\"name\":\"KV_parti_g\",\"subjects\":[\"$KV.parti_g.>\"],"
                           "\"storage\":\"file\",\"discard\":\"new\","
                           "\"max_msgs_per_subject\":1,\"description\":\"kept\"}");
    rig_init(&rig, server.url);
    if (server_is_at_least(rig_program(_i), 2, 10)) {
        char reply[TEXT_ROOM];
        rig_log(&rig, "g", 1);
        ck_assert(server_request(server.url, "$JS.API.STREAM.INFO.KV_parti_g", "", reply,
                                 sizeof reply, 2000));
        ck_assert_ptr_nonnull(strstr(reply, "\"dest\":\"parti.g.head\""));
        ck_assert_ptr_nonnull(strstr(reply, "\"description\":\"kept\""));
    } else {
        open_fails(&rig, 1, STATUS_UNSUPPORTED, ERR_NATS_FEATURE,
                   WORDS("does not republish '$KV.parti_g.head'", "can not change"));
    }
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(a_frozen_server_does_not_open)
{
    struct server server;
    struct rig rig;

    server_start(&server, &(struct server_options){.program = rig_program(_i)});
    rig_init(&rig, server.url);
    rig_expect(&rig, INBOX_LINK_UP);
    const struct nats_log_options options = {.group = "g", .replicas = 1, .tag = 1};
    ck_assert_int_eq(nats_log_create(&rig.log, rig.link, rig.inbox, &options), STATUS_OK);
    server_freeze(&server);
    ck_assert_int_eq(nats_log_open(rig.log, 1, 200), STATUS_OK);
    struct inbox_item *item = rig_next(&rig, INBOX_LOG_ANSWER, 1);
    ck_assert_int_eq(item->status, STATUS_TIMEOUT);
    ck_assert_int_eq(item->code, ERR_NATS_TIMEOUT);
    ck_assert_ptr_nonnull(strstr(item->data, "within 200 ms"));
    (void)printf("  PARTI-E%d %s\n", item->code, item->data);
    inbox_item_free(item);
    server_thaw(&server);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

RIG_MAIN("nats_refused", jetstream_is_off, jetstream_is_off_for_the_account,
         the_api_is_not_permitted, hearing_replies_is_not_permitted,
         writing_is_not_permitted, the_account_may_have_no_further_stream,
         the_accounts_storage_is_full, the_servers_storage_is_full, the_disk_is_full,
         replicas_need_a_cluster, a_stream_of_the_name_that_is_not_ours_is_refused,
         a_stream_without_republish_gets_it_or_is_refused, a_frozen_server_does_not_open)
