/* Every error of the link, provoked for real, with its words; and every way to log in. */
#include "certs.h"
#include "jwt.h"
#include "rig.h"

#include "base/errors.h"
#include "base/status.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
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
                     WORDS("takes connections but does not answer"));
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

START_TEST(a_credentials_file_is_enough_to_connect)
{
    struct server server;
    struct rig rig;
    char extra[TEXT_ROOM], creds[TEXT_ROOM], path[FILE_ROOM];

    (void)snprintf(extra, sizeof extra,
                   "operator: %s\nresolver: MEMORY\nresolver_preload {\n  %s: %s\n}\n",
                   jwt_operator, jwt_account_key, jwt_account);
    (void)snprintf(creds, sizeof creds,
                   "-----BEGIN NATS USER JWT-----\n%s\n------END NATS USER JWT------\n\n"
                   "-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------\n",
                   jwt_user, jwt_user_seed);
    server_start(&server, &(struct server_options){.program = rig_program(_i),
                                                   .no_jetstream = true,
                                                   .extra = extra});
    write_file(path, server.dir, "user.creds", creds);
    rig_init_options(&rig, &(struct nats_link_options){.url = server.url, .creds = path});
    rig_expect(&rig, INBOX_LINK_UP);
    rig_finish(&rig);
    rig_init(&rig, server.url);
    rig_expect_error(&rig, INBOX_LINK_ERROR, ERR_NATS_AUTH, WORDS("[nats] creds"));
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

RIG_MAIN("nats_connect", a_name_that_does_not_resolve, nothing_listens_there,
         somebody_accepts_and_never_answers, something_else_listens_there,
         of_several_servers_the_failure_one_can_mend_is_told, a_wrong_password,
         an_nkey_is_enough_to_connect, a_credentials_file_is_enough_to_connect,
         settings_that_cannot_work, tls_with_a_known_ca_and_the_right_name,
         tls_fails_for_a_ca_that_is_not_known,
         tls_fails_for_a_certificate_of_another_host, tls_with_a_client_certificate,
         tls_asked_of_a_server_without_it)
