/* Every error of the link and the log, provoked for real, with its words. */
#include "certs.h"
#include "rig.h"

#include "base/errors.h"
#include "base/status.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

enum { TEXT_ROOM = 4096, FILE_ROOM = SERVER_PATH_ROOM + 32 };

/* ---- reaching a server */

START_TEST(a_name_that_does_not_resolve)
{
    struct rig rig;

    (void)_i;
    rig_init(&rig, "nats://somebody:secret@nats.invalid:4222");
    rig_expect_error(&rig, INBOX_LINK_ERROR, ERR_NATS_NAME,
                     WORDS("the name 'nats.invalid' does not resolve", "[nats] url"));
    rig_finish(&rig);
}
END_TEST

START_TEST(nothing_listens_there)
{
    struct rig rig;

    (void)_i;
    rig_init(&rig, "nats://somebody:secret@localhost:1");
    rig_expect_error(&rig, INBOX_LINK_ERROR, ERR_NATS_REFUSED,
                     WORDS("nothing listens on ", ":1 (localhost)", "Start nats-server"));
    rig_finish(&rig);
}
END_TEST

/* A socket that listens and says what it is told, or nothing. */
static int listener(int *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, n), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&address, &n), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

START_TEST(somebody_accepts_and_never_answers)
{
    struct rig rig;
    char url[64];
    int port;
    int fd = listener(&port);

    (void)_i;
    (void)snprintf(url, sizeof url, "nats://127.0.0.1:%d", port);
    rig_init(&rig, url);
    rig_expect_error(&rig, INBOX_LINK_ERROR, ERR_NATS_TIMEOUT,
                     WORDS("127.0.0.1:", "does not answer within 1000 ms"));
    rig_finish(&rig);
    (void)close(fd);
}
END_TEST

START_TEST(something_else_listens_there)
{
    struct rig rig;
    char url[64];
    int port;
    int fd = listener(&port);
    static const char hello[] = "SSH-2.0-OpenSSH_9.2\r\n";

    (void)_i;
    (void)snprintf(url, sizeof url, "nats://127.0.0.1:%d", port);
    rig_init(&rig, url);
    for (int i = 0; i < 2; i++) { /* the library's attempt and our own look */
        int peer = accept(fd, NULL, NULL);
        ck_assert_int_eq(send(peer, hello, sizeof hello - 1, MSG_NOSIGNAL),
                         sizeof hello - 1);
        (void)close(peer);
    }
    rig_expect_error(&rig, INBOX_LINK_ERROR, ERR_NATS_FAILED,
                     WORDS("something listens on 127.0.0.1:", "not greet as a NATS"));
    (void)close(fd);
    rig_finish(&rig);
}
END_TEST

START_TEST(of_several_servers_the_failure_one_can_mend_is_told)
{
    struct server server;
    struct rig rig;
    char url[160];

    server_start(&server, &(struct server_options){
                              .program = rig_program(_i),
                              .extra = "authorization {\n  token: \"right\"\n}\n"});
    (void)snprintf(url, sizeof url,
                   "nats://127.0.0.1:1,nats://wrong@127.0.0.1:%d,nats://127.0.0.1:2",
                   server.port);
    rig_init(&rig, url);
    rig_expect_error(&rig, INBOX_LINK_ERROR, ERR_NATS_AUTH,
                     WORDS(server.url, "refuses the credentials"));
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

/* ---- credentials */

START_TEST(a_wrong_password)
{
    struct server server;
    struct rig rig;
    char url[160];

    server_start(
        &server,
        &(struct server_options){
            .program = rig_program(_i),
            .extra = "authorization {\n  user: \"u\"\n  password: \"p@ss/w\"\n}\n"});
    (void)snprintf(url, sizeof url, "nats://u:secret@127.0.0.1:%d", server.port);
    rig_init(&rig, url);
    struct inbox_item *item = rig_next(&rig, INBOX_LINK_ERROR, 0);
    ck_assert_int_eq(item->code, ERR_NATS_AUTH);
    ck_assert_int_eq(item->status, STATUS_DENIED);
    ck_assert_ptr_nonnull(strstr(item->data, "refuses the credentials"));
    ck_assert_ptr_null(strstr(item->data, "secret"));
    (void)printf("  PARTI-E%d %s\n", item->code, item->data);
    inbox_item_free(item);
    /* The right one, percent-encoded in the URL, later: it has not given up. */
    char text[256];
    (void)snprintf(url, sizeof url, "nats://u:p%%40ss%%2Fw@127.0.0.1:%d", server.port);
    ck_assert_int_eq(nats_link_set_url(rig.link, url, text, sizeof text), STATUS_OK);
    item = rig_next(&rig, INBOX_LINK_UP, 0);
    ck_assert_str_eq(item->data, server.url);
    inbox_item_free(item);
    rig_finish(&rig);

    rig_init_options(&rig, &(struct nats_link_options){
                               .url = server.url, .user = "u", .password = "p@ss/w"});
    rig_expect(&rig, INBOX_LINK_UP);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

/* The pair of NATS' own documentation. */
static const char nkey_seed[] =
    "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
static const char nkey_public[] =
    "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

static void write_file(char path[FILE_ROOM], const char *dir, const char *name,
                       const char *text)
{
    ck_assert_int_lt(snprintf(path, FILE_ROOM, "%s/%s", dir, name), FILE_ROOM);
    FILE *f = fopen(path, "we");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_ge(fputs(text, f), 0);
    ck_assert_int_eq(fclose(f), 0);
}

START_TEST(an_nkey_is_enough_to_connect)
{
    struct server server;
    struct rig rig;
    char extra[256], path[FILE_ROOM];

    (void)snprintf(extra, sizeof extra,
                   "authorization {\n  users: [\n    {nkey: %s}\n  ]\n}\n", nkey_public);
    server_start(&server,
                 &(struct server_options){.program = rig_program(_i), .extra = extra});
    write_file(path, server.dir, "seed.nk", nkey_seed);
    rig_init_options(&rig, &(struct nats_link_options){.url = server.url, .nkey = path});
    rig_expect(&rig, INBOX_LINK_UP);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

/* What cannot work whatever the server does is said at once. */
START_TEST(settings_that_cannot_work)
{
    char dir[SERVER_PATH_ROOM], seed[FILE_ROOM], text[RIG_TEXT_ROOM];
    struct nats_link *link = NULL;
    struct inbox *inbox = NULL;
    const struct inbox_limits limits = {8, 1024, 8};

    (void)_i;
    make_dir(dir);
    write_file(seed, dir, "seed.nk", "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXI\n");
    const struct {
        struct nats_link_options options;
        const char *words;
    } cases[] = {
        {{.url = ""}, "[nats] url, server 1: the host name is missing"},
        {{.url = "http://a"}, "scheme must be nats:// or tls://"},
        {{.url = "nats://u:secret@a:99999"}, "port is not a number from 1 to 65535"},
        {{.url = "nats://a,nats://u:sec%zzret@b"}, "server 2: user or password is"},
        {{.url = "a", .creds = "/nowhere/x"}, "creds: '/nowhere/x' cannot be read"},
        {{.url = "a", .tls_ca = "/nowhere/x"}, "tls_ca: '/nowhere/x' cannot be read"},
        {{.url = "a", .nkey = seed}, "holds no user seed"},
        {{.url = "a", .tls_cert = seed}, "need each other: tls_key is missing"},
        {{.url = "a", .creds = seed, .nkey = seed}, "exclude each other"},
    };
    ck_assert_int_eq(inbox_create(&inbox, &limits), STATUS_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int status = nats_link_create(&link, inbox, &cases[i].options, text, sizeof text);
        ck_assert_int_eq(status, STATUS_INVALID);
        ck_assert_msg(strstr(text, cases[i].words) != NULL, "'%s' is not in: %s",
                      cases[i].words, text);
        ck_assert_ptr_null(strstr(text, "sec"));
    }
    inbox_destroy(inbox);
    remove_tree(dir);
}
END_TEST

/* ---- TLS */

struct tls {
    struct server server;
    char dir[SERVER_PATH_ROOM], ca[FILE_ROOM], stranger[FILE_ROOM];
    char cert[FILE_ROOM], key[FILE_ROOM], url[64], extra[TEXT_ROOM];
};

static void start_tls(struct tls *tls, int i, const char *name, bool verify)
{
    make_dir(tls->dir);
    make_certs(tls->dir);
    (void)snprintf(tls->ca, FILE_ROOM, "%s/ca.pem", tls->dir);
    (void)snprintf(tls->stranger, FILE_ROOM, "%s/stranger.pem", tls->dir);
    (void)snprintf(tls->cert, FILE_ROOM, "%s/client.pem", tls->dir);
    (void)snprintf(tls->key, FILE_ROOM, "%s/client.key", tls->dir);
    (void)snprintf(tls->extra, sizeof tls->extra,
                   "tls {\n  cert_file: \"%s/%s.pem\"\n  key_file: \"%s/%s.key\"\n"
                   "  ca_file: \"%s\"\n  verify: %s\n}\n",
                   tls->dir, name, tls->dir, name, tls->ca, verify ? "true" : "false");
    server_start(&tls->server, &(struct server_options){.program = rig_program(i),
                                                        .extra = tls->extra});
    (void)snprintf(tls->url, sizeof tls->url, "tls://127.0.0.1:%d", tls->server.port);
}

static void finish_tls(struct tls *tls)
{
    server_finish(&tls->server);
    remove_tree(tls->dir);
}

START_TEST(tls_with_a_known_ca_and_the_right_name)
{
    struct tls tls;
    struct rig rig;
    char url[64];

    start_tls(&tls, _i, "server", false);
    rig_init_options(&rig, &(struct nats_link_options){.url = tls.url, .tls_ca = tls.ca});
    rig_expect(&rig, INBOX_LINK_UP);
    rig_finish(&rig);
    (void)snprintf(url, sizeof url, "nats://localhost:%d", tls.server.port);
    rig_init_options(&rig, &(struct nats_link_options){.url = url, .tls_ca = tls.ca});
    rig_expect(&rig, INBOX_LINK_UP);
    rig_finish(&rig);
    finish_tls(&tls);
}
END_TEST

START_TEST(tls_fails_for_a_ca_that_is_not_known)
{
    struct tls tls;
    struct rig rig;

    start_tls(&tls, _i, "server", false);
    rig_init_options(&rig,
                     &(struct nats_link_options){.url = tls.url, .tls_ca = tls.stranger});
    rig_expect_error(&rig, INBOX_LINK_ERROR, ERR_NATS_TLS,
                     WORDS("TLS with tls://127.0.0.1:", "not signed by [nats] tls_ca"));
    rig_finish(&rig);
    /* Also where nothing asks for TLS but the server. */
    rig_init(&rig, tls.server.url);
    rig_expect_error(&rig, INBOX_LINK_ERROR, ERR_NATS_TLS, WORDS("TLS with nats://127"));
    rig_finish(&rig);
    finish_tls(&tls);
}
END_TEST

START_TEST(tls_fails_for_a_certificate_of_another_host)
{
    struct tls tls;
    struct rig rig;

    start_tls(&tls, _i, "other", false);
    rig_init_options(&rig, &(struct nats_link_options){.url = tls.url, .tls_ca = tls.ca});
    rig_expect_error(&rig, INBOX_LINK_ERROR, ERR_NATS_TLS,
                     WORDS("TLS with tls://127.0.0.1:", "names another host"));
    rig_finish(&rig);
    finish_tls(&tls);
}
END_TEST

START_TEST(tls_with_a_client_certificate)
{
    struct tls tls;
    struct rig rig;

    start_tls(&tls, _i, "server", true);
    rig_init_options(&rig, &(struct nats_link_options){.url = tls.url,
                                                       .tls_ca = tls.ca,
                                                       .tls_cert = tls.cert,
                                                       .tls_key = tls.key});
    rig_expect(&rig, INBOX_LINK_UP);
    rig_finish(&rig);
    rig_init_options(&rig, &(struct nats_link_options){.url = tls.url, .tls_ca = tls.ca});
    rig_expect_error(
        &rig, INBOX_LINK_ERROR, ERR_NATS_TLS,
        WORDS("TLS with tls://127.0.0.1:", "wants a client certificate", "tls_cert"));
    rig_finish(&rig);
    finish_tls(&tls);
}
END_TEST

START_TEST(tls_asked_of_a_server_without_it)
{
    struct server server;
    struct rig rig;
    char url[64];

    server_start(&server, &(struct server_options){.program = rig_program(_i)});
    (void)snprintf(url, sizeof url, "tls://127.0.0.1:%d", server.port);
    rig_init(&rig, url);
    rig_expect_error(&rig, INBOX_LINK_ERROR, ERR_NATS_TLS,
                     WORDS(url, "does not offer TLS"));
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

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
    if (mount("tmpfs", disk, "tmpfs", 0, "size=4m") != 0) {
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

RIG_MAIN("nats_errors", a_name_that_does_not_resolve, nothing_listens_there,
         somebody_accepts_and_never_answers, something_else_listens_there,
         of_several_servers_the_failure_one_can_mend_is_told, a_wrong_password,
         an_nkey_is_enough_to_connect, settings_that_cannot_work,
         tls_with_a_known_ca_and_the_right_name, tls_fails_for_a_ca_that_is_not_known,
         tls_fails_for_a_certificate_of_another_host, tls_with_a_client_certificate,
         tls_asked_of_a_server_without_it, jetstream_is_off,
         jetstream_is_off_for_the_account, the_api_is_not_permitted,
         hearing_replies_is_not_permitted, writing_is_not_permitted,
         the_account_may_have_no_further_stream, the_accounts_storage_is_full,
         the_servers_storage_is_full, the_disk_is_full, replicas_need_a_cluster,
         a_stream_of_the_name_that_is_not_ours_is_refused,
         a_stream_without_republish_gets_it_or_is_refused, a_frozen_server_does_not_open)
