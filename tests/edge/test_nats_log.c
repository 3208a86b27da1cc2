/* core/edge/nats_log against real servers: the facts the protocol stands on. */
#include "rig.h"

#include "base/status.h"
#include "edge/clock.h"

#include <stdio.h>
#include <string.h>

enum { WRITERS = 16, ROUNDS = 20 };

static void start(struct server *server, struct rig *rig, int i)
{
    server_start(server, &(struct server_options){.program = rig_program(i)});
    rig_init(rig, server->url);
    rig_log(rig, "g", 1);
}

START_TEST(reads_see_own_writes)
{
    struct server server;
    struct rig rig;
    uint64_t seq = 0, read_seq = 0;
    char text[RIG_TEXT_ROOM];

    start(&server, &rig, _i);
    ck_assert_uint_eq(rig_info(&rig), 0);
    ck_assert_int_eq(rig_read(&rig, "lease", NULL, text), STATUS_NOTFOUND);
    ck_assert_int_eq(rig_write(&rig, "lease", 0, "one", &seq), STATUS_OK);
    ck_assert_uint_eq(seq, 1);
    ck_assert_int_eq(rig_write(&rig, "own.worker-0.0", 1, "two", &seq), STATUS_OK);
    ck_assert_uint_eq(seq, 2);
    ck_assert_int_eq(rig_write(&rig, "lease", 2, "three", &seq), STATUS_OK);
    ck_assert_int_eq(rig_read(&rig, "lease", &read_seq, text), STATUS_OK);
    ck_assert_str_eq(text, "three");
    ck_assert_uint_eq(read_seq, 3);
    ck_assert_int_eq(rig_read(&rig, "own.worker-0.0", &read_seq, text), STATUS_OK);
    ck_assert_str_eq(text, "two");
    ck_assert_uint_eq(read_seq, 2);
    ck_assert_uint_eq(rig_info(&rig), 3);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(a_write_with_another_last_sequence_is_rejected)
{
    struct server server;
    struct rig rig;

    start(&server, &rig, _i);
    ck_assert_int_eq(rig_write(&rig, "lease", 5, "x", NULL), STATUS_CONFLICT);
    ck_assert_int_eq(rig_write(&rig, "lease", 0, "x", NULL), STATUS_OK);
    ck_assert_int_eq(rig_write(&rig, "lease", 0, "x", NULL), STATUS_CONFLICT);
    ck_assert_int_eq(rig_write(&rig, "other", 0, "x", NULL), STATUS_CONFLICT);
    ck_assert_int_eq(rig_write(&rig, "other", 1, "x", NULL), STATUS_OK);
    ck_assert_int_eq(rig_write(&rig, "lease", 1, "x", NULL), STATUS_CONFLICT);
    ck_assert_uint_eq(rig_info(&rig), 2);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(the_condition_on_the_key_counts_too)
{
    struct server server;
    struct rig rig;
    struct nats_log_write write = {
        .key = "lease", .expect_seq = 2, .has_key_seq = true, .data = "x", .n = 1};
    static const struct {
        uint64_t key_seq;
        int status;
    } cases[] = {{0, STATUS_CONFLICT}, {2, STATUS_CONFLICT}, {1, STATUS_OK}};

    start(&server, &rig, _i);
    ck_assert_int_eq(rig_write(&rig, "lease", 0, "x", NULL), STATUS_OK);
    ck_assert_int_eq(rig_write(&rig, "head", 1, "x", NULL), STATUS_OK);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        write.expect_key_seq = cases[c].key_seq;
        ck_assert_int_eq(nats_log_write(rig.log, ++rig.op, &write, 0), STATUS_OK);
        struct inbox_item *item = rig_next(&rig, INBOX_LOG_ANSWER, rig.op);
        ck_assert_int_eq(item->status, cases[c].status);
        inbox_item_free(item);
    }
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(any_bytes_come_back_as_they_were)
{
    struct server server;
    struct rig rig;
    static char data[300 * 1024];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 31 >> 3);
    start(&server, &rig, _i);
    for (size_t n = 0; n < 5; n++) {
        size_t size = n < 4 ? n : sizeof data;
        const struct nats_log_write write = {
            .key = "k", .expect_seq = n, .data = data, .n = size};
        ck_assert_int_eq(nats_log_write(rig.log, ++rig.op, &write, 5000), STATUS_OK);
        struct inbox_item *item = rig_next(&rig, INBOX_LOG_ANSWER, rig.op);
        ck_assert_int_eq(item->status, STATUS_OK);
        inbox_item_free(item);
        ck_assert_int_eq(nats_log_read(rig.log, ++rig.op, "k", 5000), STATUS_OK);
        item = rig_next(&rig, INBOX_LOG_ANSWER, rig.op);
        ck_assert_int_eq(item->status, STATUS_OK);
        ck_assert_uint_eq(item->n, size);
        ck_assert(size == 0 || memcmp(item->data, data, size) == 0);
        inbox_item_free(item);
    }
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(a_new_head_is_heard_at_once_with_its_sequence)
{
    struct server server;
    struct rig rig;
    uint64_t seq = 0;

    start(&server, &rig, _i);
    ck_assert_int_eq(
        nats_link_subscribe(rig.link, nats_log_head_subject(rig.log), INBOX_MESSAGE, 3),
        STATUS_OK);
    ck_assert_int_eq(rig_write(&rig, "lease", 0, "lease", NULL), STATUS_OK);
    ck_assert_int_eq(rig_write(&rig, "head", 1, "first head", &seq), STATUS_OK);
    struct inbox_item *item = rig_next(&rig, INBOX_MESSAGE, 0);
    ck_assert_int_eq(item->tag, 3);
    ck_assert_str_eq(item->subject, "parti.g.head");
    ck_assert_str_eq(item->data, "first head");
    ck_assert_uint_eq(item->seq, seq);
    inbox_item_free(item);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(opening_twice_keeps_what_is_there)
{
    struct server server;
    struct rig rig;

    start(&server, &rig, _i);
    ck_assert_int_eq(rig_write(&rig, "lease", 0, "x", NULL), STATUS_OK);
    ck_assert_int_eq(nats_log_open(rig.log, 999, 0), STATUS_OK);
    struct inbox_item *item = rig_next(&rig, INBOX_LOG_ANSWER, 999);
    ck_assert_int_eq(item->status, STATUS_OK);
    ck_assert_uint_eq(item->seq, 1);
    inbox_item_free(item);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(bad_names_are_refused_before_anything_is_sent)
{
    struct server server;
    struct rig rig;
    struct nats_log *log = NULL;
    static const char *const groups[] = {"", "a.b", "a b", "a*", "a/b", "\xc3\xa4"};
    static const char *const keys[] = {"", ".a", "a.", "a..b", "a b", "a>", "a\n", "\""};

    start(&server, &rig, _i);
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        const struct nats_log_options options = {.group = groups[i]};
        ck_assert_int_eq(nats_log_create(&log, rig.link, rig.inbox, &options),
                         STATUS_INVALID);
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        ck_assert_int_eq(nats_log_read(rig.log, 1, keys[i], 0), STATUS_INVALID);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(too_many_operations_at_once_are_refused)
{
    struct server server;
    struct rig rig;
    int taken = 0;

    start(&server, &rig, _i);
    server_freeze(&server);
    while (taken <= NATS_LOG_OPS_MAX && nats_log_info(rig.log, 1, 100) == STATUS_OK)
        taken++;
    ck_assert_int_eq(taken, NATS_LOG_OPS_MAX);
    for (int i = 0; i < taken; i++) {
        struct inbox_item *item = rig_next(&rig, INBOX_LOG_ANSWER, 0);
        ck_assert_int_eq(item->status, STATUS_TIMEOUT);
        inbox_item_free(item);
    }
    server_thaw(&server);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

/* Each round all writers expect one sequence; exactly one may win it. */
static void race(struct rig *rigs, int rounds)
{
    uint64_t seq = rig_info(&rigs[0]);

    for (int round = 0; round < rounds; round++) {
        int won = 0, refused = 0, unknown = 0;
        for (int w = 0; w < WRITERS; w++) {
            struct rig *rig = &rigs[w];
            const struct nats_log_write write = {
                .key = "lease", .expect_seq = seq, .data = &w, .n = sizeof w};
            ck_assert_int_eq(nats_log_write(rig->log, ++rig->op, &write, 5000),
                             STATUS_OK);
        }
        for (int w = 0; w < WRITERS; w++) {
            struct inbox_item *item = rig_next(&rigs[w], INBOX_LOG_ANSWER, rigs[w].op);
            won += item->status == STATUS_OK;
            refused += item->status == STATUS_CONFLICT;
            unknown += item->status == STATUS_TIMEOUT;
            ck_assert(item->status != STATUS_OK || item->seq == seq + 1);
            inbox_item_free(item);
        }
        ck_assert_int_eq(won + refused + unknown, WRITERS);
        ck_assert_msg(won == 1, "round %d: %d winners, %d refused, %d unknown", round,
                      won, refused, unknown);
        ck_assert_uint_eq(rig_info(&rigs[0]), ++seq);
    }
}

START_TEST(of_sixteen_writers_one_wins_each_sequence_on_one_server)
{
    struct server server;
    struct rig rigs[WRITERS];

    server_start(&server, &(struct server_options){.program = rig_program(_i)});
    for (int w = 0; w < WRITERS; w++) {
        rig_init(&rigs[w], server.url);
        rig_log(&rigs[w], "g", 1);
    }
    race(rigs, ROUNDS);
    for (int w = 0; w < WRITERS; w++)
        rig_finish(&rigs[w]);
    server_finish(&server);
}
END_TEST

START_TEST(of_sixteen_writers_one_wins_each_sequence_with_three_replicas)
{
    struct cluster cluster;
    struct rig rigs[WRITERS];

    cluster_start(&cluster, rig_program(_i));
    for (int w = 0; w < WRITERS; w++) {
        rig_init(&rigs[w], cluster.member[w % CLUSTER_SIZE].url);
        rig_log(&rigs[w], "g", 3);
    }
    race(rigs, ROUNDS);
    for (int w = 0; w < WRITERS; w++)
        rig_finish(&rigs[w]);
    cluster_finish(&cluster);
}
END_TEST

START_TEST(a_write_to_a_frozen_server_is_unknown_by_its_deadline)
{
    struct server server;
    struct rig rig;
    const struct nats_log_write write = {.key = "lease", .data = "x", .n = 1};
    uint64_t seq = 0;
    char text[RIG_TEXT_ROOM];

    start(&server, &rig, _i);
    server_freeze(&server);
    uint64_t before = clock_boot_ms();
    ck_assert_int_eq(nats_log_write(rig.log, 77, &write, 300), STATUS_OK);
    struct inbox_item *item = rig_next(&rig, INBOX_LOG_ANSWER, 77);
    uint64_t took = clock_boot_ms() - before;
    ck_assert_int_eq(item->status, STATUS_TIMEOUT);
    ck_assert_uint_ge(took, 299);
    ck_assert_uint_lt(took, 600);
    inbox_item_free(item);

    /* Unknown means unknown: this one lay in the server's socket and is done later.  Its
       late answer goes nowhere; the next operations get their own. */
    server_thaw(&server);
    while (seq == 0)
        (void)rig_read(&rig, "lease", &seq, text);
    ck_assert_uint_eq(seq, 1);
    ck_assert_int_eq(rig_write(&rig, "lease", 1, "y", &seq), STATUS_OK);
    ck_assert_ptr_null(rig_try(&rig, INBOX_LOG_ANSWER, 77, 0));
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(a_write_whose_connection_dies_is_unknown_at_once)
{
    struct server server;
    struct rig rig;
    const struct nats_log_write write = {.key = "lease", .data = "x", .n = 1};

    start(&server, &rig, _i);
    server_freeze(&server);
    ck_assert_int_eq(nats_log_write(rig.log, 77, &write, 60000), STATUS_OK);
    server_kill(&server);
    uint64_t before = clock_boot_ms();
    struct inbox_item *item = rig_next(&rig, INBOX_LOG_ANSWER, 77);
    ck_assert_int_eq(item->status, STATUS_TIMEOUT);
    ck_assert_uint_lt(clock_boot_ms() - before, 1000);
    inbox_item_free(item);
    ck_assert_int_eq(nats_log_write(rig.log, 78, &write, 0), STATUS_OFFLINE);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(records_survive_a_killed_server)
{
    struct server server;
    struct rig rig;
    char text[RIG_TEXT_ROOM];
    uint64_t seq = 0;

    start(&server, &rig, _i);
    ck_assert_int_eq(rig_write(&rig, "lease", 0, "one", NULL), STATUS_OK);
    ck_assert_int_eq(rig_write(&rig, "head", 1, "two", NULL), STATUS_OK);
    server_kill(&server);
    rig_expect(&rig, INBOX_LINK_DOWN);
    server_restart(&server);
    rig_expect(&rig, INBOX_LINK_UP);
    ck_assert_int_eq(rig_read(&rig, "head", &seq, text), STATUS_OK);
    ck_assert_str_eq(text, "two");
    ck_assert_uint_eq(seq, 2);
    ck_assert_int_eq(rig_write(&rig, "lease", 2, "three", &seq), STATUS_OK);
    ck_assert_uint_eq(seq, 3);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

START_TEST(fewer_replicas_than_wished_are_taken_with_a_note)
{
    struct cluster cluster;
    struct rig one, three;

    cluster_start(&cluster, rig_program(_i));
    rig_init(&one, cluster.url);
    rig_log(&one, "g", 1);
    rig_init(&three, cluster.url);
    rig_log(&three, "g", 3);
    struct inbox_item *item = rig_next(&three, INBOX_LOG_NOTE, 0);
    ck_assert_int_eq(item->code, 111);
    ck_assert_ptr_nonnull(strstr(item->data, "has 1 of the 3 replicas wished"));
    (void)printf("  PARTI-E%d %s\n", item->code, item->data);
    inbox_item_free(item);
    rig_finish(&one);
    rig_finish(&three);
    cluster_finish(&cluster);
}
END_TEST

START_TEST(a_key_deleted_by_a_tool_is_not_found)
{
    struct server server;
    struct rig rig;
    char text[RIG_TEXT_ROOM];
    static const struct nats_link_header mark[] = {{"KV-Operation", "DEL"}};
    int status = STATUS_OK;

    start(&server, &rig, _i);
    ck_assert_int_eq(rig_write(&rig, "lease", 0, "x", NULL), STATUS_OK);
    ck_assert_int_eq(
        nats_link_publish_headers(rig.link, "$KV.parti_g.lease", NULL, mark, 1, NULL, 0),
        STATUS_OK);
    /* Nobody answers such a message: a read may overtake its storing. */
    for (int i = 0; i < 1000 && status == STATUS_OK; i++)
        status = rig_read(&rig, "lease", NULL, text);
    ck_assert_int_eq(status, STATUS_NOTFOUND);
    /* And it broke the chain, as every foreign write does. */
    ck_assert_int_eq(rig_write(&rig, "lease", 1, "x", NULL), STATUS_CONFLICT);
    rig_finish(&rig);
    server_finish(&server);
}
END_TEST

RIG_MAIN("nats_log", reads_see_own_writes, a_write_with_another_last_sequence_is_rejected,
         the_condition_on_the_key_counts_too, any_bytes_come_back_as_they_were,
         a_new_head_is_heard_at_once_with_its_sequence, opening_twice_keeps_what_is_there,
         bad_names_are_refused_before_anything_is_sent,
         too_many_operations_at_once_are_refused,
         of_sixteen_writers_one_wins_each_sequence_on_one_server,
         of_sixteen_writers_one_wins_each_sequence_with_three_replicas,
         a_write_to_a_frozen_server_is_unknown_by_its_deadline,
         a_write_whose_connection_dies_is_unknown_at_once,
         records_survive_a_killed_server,
         fewer_replicas_than_wished_are_taken_with_a_note,
         a_key_deleted_by_a_tool_is_not_found)
