/* The source jetstream says what is wrong, each in words of its own, and gets in with
 * each kind of credentials. */
#include "config.h"

#include "jet_bench.h"

#include "certs.h"
#include "jwt.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_ROOM = 4096, FILE_ROOM = 300 };

/* What it says when it is in: nobody made a stream there. */
#define IS_IN "there is no stream O on "

static struct jet_bench b;

/* Its code, by what it says. */
static const char *code_of(const char *part)
{
    if (strstr(part, "there is no ") != NULL || strstr(part, "create it") != NULL)
        return "PARTI-E506 source jetstream could not list its partitions:";
    if (strstr(part, "not permit") != NULL || strstr(part, "refuses the cred") != NULL)
        return "PARTI-E507 source jetstream could not list its partitions:";
    if (strstr(part, "not answer") != NULL)
        return "PARTI-E501 source jetstream could not list its partitions:";
    return "PARTI-E500 source jetstream could not list its partitions:";
}

static void says(const char *part)
{
    const char *text = jet_list(&b);

    ck_assert_says(text, part);
    ck_assert_says(text, code_of(part));
    (void)printf("  %s\n", text);
}

START_TEST(without_the_stream_or_the_bucket_it_says_so)
{
    jet_start(&b, &(struct server_options){.program = rig_program(_i)}, "");
    JET_SECTION(&b, "stream", "NONE");
    says("there is no stream NONE on nats://127.0.0.1:");
    says("; create it, or correct the name");
    JET_SECTION(&b, "stream", "NONE", "from", "consumers");
    says("there is no stream NONE on nats://127.0.0.1:");
    JET_SECTION(&b, "bucket", "none", "from", "keys");
    says("there is no bucket none on nats://127.0.0.1:");
    JET_SECTION(&b, "stream", "NONE", "domain", "leaf");
    says("nobody there answers for the domain of '$JS.leaf.API'; correct domain");
    jet_finish(&b);
}
END_TEST

START_TEST(without_jetstream_it_says_so)
{
    jet_start(&b,
              &(struct server_options){.program = rig_program(_i), .no_jetstream = true},
              "");
    JET_SECTION(&b, "stream", "O");
    says("JetStream is off there or for this account; add 'jetstream {}' to its");
    jet_finish(&b);
}
END_TEST

START_TEST(an_address_where_nobody_listens_is_told)
{
    jet_start(&b, &(struct server_options){.program = rig_program(_i)}, "");
    server_stop(&b.server);
    JET_SECTION(&b, "stream", "O");
    says("nothing answers at nats://127.0.0.1:");
    says("; start the server, or correct url");
    (void)snprintf(b.url, sizeof b.url, "nats://nowhere.invalid");
    JET_SECTION(&b, "stream", "O");
    says("the name 'nowhere.invalid' does not resolve; correct url");
    jet_finish(&b);
}
END_TEST

START_TEST(of_several_servers_one_is_enough)
{
    jet_start(&b, &(struct server_options){.program = rig_program(_i)}, "");
    (void)snprintf(b.url, sizeof b.url, "nats://127.0.0.1:1, %s", b.server.url);
    JET_SECTION(&b, "stream", "O");
    says(IS_IN);
    jet_finish(&b);
}
END_TEST

/* ---- users ---------------------------------------------------------------------- */

static const char users[] = "authorization {\n"
                            "  users: [\n"
                            "    {user: boss, password: x}\n"
                            "    {user: a, password: \"p@ss\"}\n"
                            "    {user: no_info, password: x, permissions: "
                            "{publish: {deny: [\"$JS.API.STREAM.INFO.>\"]}}}\n"
                            "    {user: no_create, password: x, permissions: "
                            "{publish: {deny: [\"$JS.API.CONSUMER.CREATE.>\"]}}}\n"
                            "    {user: no_inbox, password: x, permissions: "
                            "{subscribe: {deny: [\"_INBOX.>\"]}}}\n"
                            "    {user: no_advisory, password: x, permissions: "
                            "{subscribe: {deny: [\"$JS.EVENT.>\"]}}}\n"
                            "  ]\n"
                            "}\n";

START_TEST(what_a_user_may_not_do_is_told_at_once)
{
    static const char *const cases[][2] = {
        {"no_info", "does not permit this user to publish to '$JS.API.STREAM.INFO.KV_b'; "
                    "add the permission"},
        {"no_create", "does not permit this user to publish to "
                      "'$JS.API.CONSUMER.CREATE.KV_b'; add the permission"},
        {"no_inbox", "does not permit this user to subscribe to '_INBOX.>'"},
        {"nobody", "refuses the credentials; check user and password, creds or nkey"},
    };
    uint64_t begun = threads_now_ms();

    jet_start(&b, &(struct server_options){.program = rig_program(_i), .extra = users},
              "boss:x@");
    jet_api(&b, "$JS.API.STREAM.CREATE.KV_b",
            "{\"name\":\"KV_b\",\"subjects\":[\"$KV.b.>\"]}");
    jet_publish(&b, "$KV.b.k", 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)snprintf(b.url, sizeof b.url, "%s", b.server.url);
        JET_SECTION(&b, "bucket", "b", "from", "keys", "user", cases[i][0], "password",
                    "x");
        says(cases[i][1]);
    }
    JET_SECTION(&b, "bucket", "b", "from", "keys", "user", "no_advisory", "password",
                "x");
    JET_LISTS(&b, "k:100");
    JET_SECTION(&b, "bucket", "b", "from", "keys", "user", "a", "password", "p@ss");
    JET_LISTS(&b, "k:100");
    (void)snprintf(b.url, sizeof b.url, "nats://a:p%%40ss@127.0.0.1:%d", b.server.port);
    JET_SECTION(&b, "bucket", "b", "from", "keys");
    JET_LISTS(&b, "k:100");
    ck_assert_uint_lt(threads_now_ms() - begun, 8000); /* nothing waited for its time */
    jet_finish(&b);
}
END_TEST

START_TEST(a_token_is_enough)
{
    jet_start(&b,
              &(struct server_options){.program = rig_program(_i),
                                       .extra = "authorization {\n  token: t0k\n}\n"},
              NULL);
    JET_SECTION(&b, "stream", "O");
    says("refuses the credentials");
    (void)snprintf(b.url, sizeof b.url, "nats://t0k@127.0.0.1:%d", b.server.port);
    JET_SECTION(&b, "stream", "O");
    says(IS_IN);
    jet_finish(&b);
}
END_TEST

static const char *file_in(const char *dir, const char *name, const char *text)
{
    static char path[FILE_ROOM];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(close(fd), 0);
    return path;
}

/* The pair of NATS' own documentation. */
static const char nkey_seed[] =
    "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY";
static const char nkey_public[] =
    "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4";

START_TEST(an_nkey_is_enough)
{
    char extra[TEXT_ROOM];

    (void)snprintf(extra, sizeof extra,
                   "authorization {\n  users: [\n    {nkey: %s}\n  ]\n}\n", nkey_public);
    jet_start(&b, &(struct server_options){.program = rig_program(_i), .extra = extra},
              NULL);
    JET_SECTION(&b, "stream", "O", "nkey", file_in(b.server.dir, "seed.nk", nkey_seed));
    says(IS_IN);
    JET_SECTION(&b, "stream", "O", "nkey", file_in(b.server.dir, "seed.nk", "SUnot\n"));
    ck_assert_says(jet_list(&b), "nkey: it has no line that begins with SU");
    jet_finish(&b);
}
END_TEST

START_TEST(a_credentials_file_is_enough)
{
    char extra[TEXT_ROOM], creds[TEXT_ROOM];

    (void)snprintf(extra, sizeof extra,
                   "operator: %s\nresolver: MEMORY\nresolver_preload {\n  %s: %s\n}\n",
                   jwt_operator, jwt_account_key, jwt_account);
    (void)snprintf(creds, sizeof creds,
                   "-----BEGIN NATS USER JWT-----\n%s\n------END NATS USER JWT------\n\n"
                   "-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------\n",
                   jwt_user, jwt_user_seed);
    jet_start(&b,
              &(struct server_options){
                  .program = rig_program(_i), .extra = extra, .no_jetstream = true},
              NULL);
    JET_SECTION(&b, "stream", "O", "creds", file_in(b.server.dir, "user.creds", creds));
    says("JetStream is off there or for this account"); /* so it is in */
    jet_finish(&b);
}
END_TEST

/* ---- TLS ------------------------------------------------------------------------ */

START_TEST(tls_checks_the_server_and_shows_our_own_certificate)
{
    char dir[SERVER_PATH_ROOM], extra[TEXT_ROOM], ca[FILE_ROOM], stranger[FILE_ROOM];
    char cert[FILE_ROOM], key[FILE_ROOM];

    make_dir(dir);
    make_certs(dir);
    (void)snprintf(ca, sizeof ca, "%s/ca.pem", dir);
    (void)snprintf(stranger, sizeof stranger, "%s/stranger.pem", dir);
    (void)snprintf(cert, sizeof cert, "%s/client.pem", dir);
    (void)snprintf(key, sizeof key, "%s/client.key", dir);
    (void)snprintf(extra, sizeof extra,
                   "tls {\n  cert_file: \"%s/server.pem\"\n  key_file: "
                   "\"%s/server.key\"\n  ca_file: \"%s\"\n  verify: true\n}\n",
                   dir, dir, ca);
    jet_start(&b, &(struct server_options){.program = rig_program(_i), .extra = extra},
              NULL);
    (void)snprintf(b.url, sizeof b.url, "tls://127.0.0.1:%d", b.server.port);
    JET_SECTION(&b, "stream", "O", "tls_ca", ca, "tls_cert", cert, "tls_key", key);
    says(IS_IN);
    JET_SECTION(&b, "stream", "O", "tls_ca", stranger);
    says("; check tls_ca, tls_cert and tls_key");
    JET_SECTION(&b, "stream", "O", "tls_ca", "/nowhere/ca.pem");
    says("; check tls_ca, tls_cert and tls_key");
    jet_finish(&b);
    remove_tree(dir);
}
END_TEST

START_TEST(tls_that_the_server_does_not_offer_is_told)
{
    jet_start(&b, &(struct server_options){.program = rig_program(_i)}, "");
    (void)snprintf(b.url, sizeof b.url, "tls://127.0.0.1:%d", b.server.port);
    JET_SECTION(&b, "stream", "O");
    says("does not offer TLS, which tls:// or a tls_ key asks for");
    jet_finish(&b);
}
END_TEST

RIG_MAIN("jetstream refused", without_the_stream_or_the_bucket_it_says_so,
         without_jetstream_it_says_so, an_address_where_nobody_listens_is_told,
         of_several_servers_one_is_enough, what_a_user_may_not_do_is_told_at_once,
         a_token_is_enough, an_nkey_is_enough, a_credentials_file_is_enough,
         tls_checks_the_server_and_shows_our_own_certificate,
         tls_that_the_server_does_not_offer_is_told)
