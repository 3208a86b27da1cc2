/* core/edge/nats_positions against real servers: what a position record stands on. */
#include "rig.h"

#include "base/errors.h"
#include "base/status.h"
#include "edge/clock.h"

#include <stdio.h>
#include <string.h>

enum { WRITERS = 16, ROUNDS = 20, TAG = 9, MANY = 600 };

static void make(struct rig *rig, const char *group, int replicas)
{
    const struct nats_positions_options options = {group, replicas, TAG};

    ck_assert_int_eq(
        nats_positions_create(&rig->positions, rig->link, rig->inbox, &options),
        STATUS_OK);
    rig_expect(rig, INBOX_LINK_UP);
}

static struct inbox_item *open_once(struct rig *rig)
{
    ck_assert_int_eq(nats_positions_open(rig->positions, ++rig->op, 5000), STATUS_OK);
    return rig_next(rig, INBOX_LOG_ANSWER, rig->op);
}

static void open_it(struct rig *rig)
{
    uint64_t deadline = clock_boot_ms() + SERVER_META_MS;
    int status = STATUS_TIMEOUT;

    while (status != STATUS_OK) {
        ck_assert_msg(clock_boot_ms() < deadline, "the positions do not open");
        struct inbox_item *item = open_once(rig);
        status = item->status;
        if (status != STATUS_OK)
            (void)fprintf(stderr, "open: %s\n", item->data);
        inbox_item_free(item);
    }
}

static void start(struct server *server, struct rig *rig, int i)
{
    server_start(server, &(struct server_options){.program = rig_program(i)});
    rig_init(rig, server->url);
    make(rig, "g", 1);
    open_it(rig);
}

static void end(struct server *server, struct rig *rig)
{
    rig_finish(rig);
    server_finish(server);
}

static int write_record(struct rig *rig, struct bytes id, uint64_t version,
                        const char *text, uint64_t *ret_version)
{
    ck_assert_int_eq(nats_positions_write(rig->positions, ++rig->op, id, version, text,
                                          strlen(text), 5000),
                     STATUS_OK);
    struct inbox_item *item = rig_next(rig, INBOX_LOG_ANSWER, rig->op);
    int status = item->status;
    ck_assert_int_eq(item->tag, TAG);
    if (ret_version != NULL)
        *ret_version = item->seq;
    inbox_item_free(item);
    return status;
}

static int read_record(struct rig *rig, struct bytes id, uint64_t *ret_version,
                       char text[RIG_TEXT_ROOM])
{
    ck_assert_int_eq(nats_positions_read(rig->positions, ++rig->op, id, 5000), STATUS_OK);
    struct inbox_item *item = rig_next(rig, INBOX_LOG_ANSWER, rig->op);
    int status = item->status;
    (void)snprintf(text, RIG_TEXT_ROOM, "%s", item->data);
    *ret_version = item->seq;
    inbox_item_free(item);
    return status;
}

#define ID(text) ((struct bytes){text, sizeof text - 1})

START_TEST(a_record_is_read_back_with_its_version)
{
    struct server server;
    struct rig rig;
    uint64_t version = 9, written = 0;
    char text[RIG_TEXT_ROOM];

    start(&server, &rig, _i);
    ck_assert_int_eq(read_record(&rig, ID("orders\0003"), &version, text),
                     STATUS_NOTFOUND);
    ck_assert_uint_eq(version, 0);
    ck_assert_int_eq(write_record(&rig, ID("orders\0003"), 0, "one", &written),
                     STATUS_OK);
    ck_assert_int_eq(read_record(&rig, ID("orders\0003"), &version, text), STATUS_OK);
    ck_assert_uint_eq(version, written);
    ck_assert_str_eq(text, "one");
    ck_assert_str_eq(nats_positions_stream(rig.positions), "KV_parti_pos_g");
    end(&server, &rig);
}
END_TEST

START_TEST(the_condition_is_on_the_key_alone)
{
    struct server server;
    struct rig rig;
    uint64_t a = 0, b = 0;

    start(&server, &rig, _i);
    ck_assert_int_eq(write_record(&rig, ID("a"), 1, "x", NULL), STATUS_CONFLICT);
    ck_assert_int_eq(write_record(&rig, ID("a"), 0, "x", &a), STATUS_OK);
    ck_assert_int_eq(write_record(&rig, ID("a"), 0, "x", NULL), STATUS_CONFLICT);
    ck_assert_int_eq(write_record(&rig, ID("b"), a, "x", NULL), STATUS_CONFLICT);
    ck_assert_int_eq(write_record(&rig, ID("b"), 0, "x", &b), STATUS_OK);
    ck_assert_int_eq(write_record(&rig, ID("a"), a, "y", &a), STATUS_OK);
    ck_assert_int_eq(write_record(&rig, ID("b"), b, "y", &b), STATUS_OK);
    ck_assert_int_eq(write_record(&rig, ID("a"), b, "z", NULL), STATUS_CONFLICT);
    end(&server, &rig);
}
END_TEST

START_TEST(a_deleted_record_leaves_the_version_to_expect)
{
    struct server server;
    struct rig rig;
    uint64_t version = 0, left = 0;
    char text[RIG_TEXT_ROOM];
    const struct nats_link_header mark[] = {{"KV-Operation", "DEL"}};
    int status = STATUS_OK;

    start(&server, &rig, _i);
    ck_assert_int_eq(write_record(&rig, ID("a"), 0, "x", &version), STATUS_OK);
    /* What `nats kv del` does. */
    ck_assert_int_eq(
        nats_link_publish_headers(rig.link, "$KV.parti_pos_g.a", NULL, mark, 1, NULL, 0),
        STATUS_OK);
    /* Nobody answers such a message: a read may overtake its storing. */
    for (int i = 0; i < 1000 && status == STATUS_OK; i++)
        status = read_record(&rig, ID("a"), &left, text);
    ck_assert_int_eq(status, STATUS_NOTFOUND);
    ck_assert_uint_gt(left, version);
    ck_assert_int_eq(write_record(&rig, ID("a"), 0, "y", NULL), STATUS_CONFLICT);
    ck_assert_int_eq(write_record(&rig, ID("a"), left, "y", NULL), STATUS_OK);
    end(&server, &rig);
}
END_TEST

START_TEST(any_partition_has_a_key_of_its_own)
{
    struct server server;
    struct rig rig;
    char longest[PARTID_BYTES_MAX], key[NATS_POSITIONS_KEY_ROOM], text[RIG_TEXT_ROOM];
    const struct bytes ids[] = {ID("a"),        ID("a\0b"), ID("a.b"),
                                ID("a=00b"),    ID("*"),    ID(">"),
                                ID("\xff\x01"), ID("a b"),  {longest, sizeof longest}};
    enum { IDS = sizeof ids / sizeof *ids };
    uint64_t version = 0;

    memset(longest, '>', sizeof longest);
    start(&server, &rig, _i);
    nats_positions_key(ids[2], key);
    ck_assert_str_eq(key, "a=2Eb");
    nats_positions_key(ids[1], key);
    ck_assert_str_eq(key, "a.b");
    for (int i = 0; i < IDS; i++) {
        char mine[8] = {(char)('0' + i)};
        ck_assert_int_eq(write_record(&rig, ids[i], 0, mine, NULL), STATUS_OK);
    }
    for (int i = 0; i < IDS; i++) {
        ck_assert_int_eq(read_record(&rig, ids[i], &version, text), STATUS_OK);
        ck_assert_int_eq(text[0], '0' + i);
    }
    end(&server, &rig);
}
END_TEST

START_TEST(hundreds_are_answered_at_once_each_once)
{
    struct server server;
    struct rig rig;
    bool seen[MANY] = {false};
    char id[16];

    start(&server, &rig, _i);
    uint64_t first = rig.op + 1;
    for (int i = 0; i < MANY; i++) {
        int n = snprintf(id, sizeof id, "p%c%d", 0, i);
        ck_assert_int_eq(nats_positions_write(rig.positions, ++rig.op,
                                              (struct bytes){id, (size_t)n}, 0, "x", 1,
                                              5000),
                         STATUS_OK);
    }
    for (int i = 0; i < MANY; i++) {
        struct inbox_item *item = rig_next(&rig, INBOX_LOG_ANSWER, 0);
        ck_assert_int_eq(item->status, STATUS_OK);
        ck_assert(item->op >= first && !seen[item->op - first]);
        seen[item->op - first] = true;
        inbox_item_free(item);
    }
    ck_assert_ptr_null(rig_try(&rig, INBOX_LOG_ANSWER, 0, 50));
    end(&server, &rig);
}
END_TEST

START_TEST(a_frozen_server_is_answered_for_by_the_deadline)
{
    struct server server;
    struct rig rig;
    int taken = 0;

    start(&server, &rig, _i);
    server_freeze(&server);
    while (taken <= NATS_POSITIONS_OPS_MAX &&
           nats_positions_read(rig.positions, 1, ID("a"), 200) == STATUS_OK)
        taken++;
    ck_assert_int_eq(taken, NATS_POSITIONS_OPS_MAX);
    for (int i = 0; i < taken; i++) {
        struct inbox_item *item = rig_next(&rig, INBOX_LOG_ANSWER, 1);
        ck_assert_int_eq(item->status, STATUS_TIMEOUT);
        inbox_item_free(item);
    }
    server_thaw(&server);
    end(&server, &rig);
}
END_TEST

START_TEST(the_log_of_a_group_named_alike_is_refused)
{
    static const char *const words[] = {"KV_parti_pos_g", "another name", NULL};
    struct server server;
    struct rig rig;

    server_start(&server, &(struct server_options){.program = rig_program(_i)});
    rig_init(&rig, server.url);
    rig_log(&rig, "pos_g", 1);
    const struct nats_positions_options options = {"g", 1, TAG};
    ck_assert_int_eq(nats_positions_create(&rig.positions, rig.link, rig.inbox, &options),
                     STATUS_OK);
    ck_assert_int_eq(nats_positions_open(rig.positions, 99, 5000), STATUS_OK);
    rig_expect_error(&rig, INBOX_LOG_ANSWER, ERR_NATS_STREAM, words);
    end(&server, &rig);
}
END_TEST

/* Each round all writers expect one version; exactly one may win it. */
static void race(struct rig *rigs)
{
    uint64_t version = 0, won_version = 0;

    for (int round = 0; round < ROUNDS; round++) {
        int won = 0, refused = 0;
        for (int w = 0; w < WRITERS; w++)
            ck_assert_int_eq(nats_positions_write(rigs[w].positions, ++rigs[w].op,
                                                  ID("p"), version, "x", 1, 5000),
                             STATUS_OK);
        for (int w = 0; w < WRITERS; w++) {
            struct inbox_item *item = rig_next(&rigs[w], INBOX_LOG_ANSWER, rigs[w].op);
            won += item->status == STATUS_OK;
            refused += item->status == STATUS_CONFLICT;
            if (item->status == STATUS_OK)
                won_version = item->seq;
            inbox_item_free(item);
        }
        ck_assert_msg(won == 1 && refused == WRITERS - 1, "round %d: %d won, %d refused",
                      round, won, refused);
        version = won_version;
    }
}

START_TEST(of_sixteen_writers_one_wins_each_version_on_one_server)
{
    struct server server;
    struct rig rigs[WRITERS];

    server_start(&server, &(struct server_options){.program = rig_program(_i)});
    for (int w = 0; w < WRITERS; w++) {
        rig_init(&rigs[w], server.url);
        make(&rigs[w], "g", 1);
        open_it(&rigs[w]);
    }
    race(rigs);
    for (int w = 0; w < WRITERS; w++)
        rig_finish(&rigs[w]);
    server_finish(&server);
}
END_TEST

START_TEST(with_three_replicas_one_wins_or_the_server_is_too_old)
{
    static const char *const words[] = {"3 replicas", "2.10", "replicas = 1", NULL};
    bool is_new = server_is_at_least(rig_program(_i), 2, 10);
    struct cluster cluster;
    struct rig rigs[WRITERS];
    int n = is_new ? WRITERS : 1;

    cluster_start(&cluster, rig_program(_i));
    for (int w = 0; w < n; w++) {
        rig_init(&rigs[w], cluster.member[w % CLUSTER_SIZE].url);
        make(&rigs[w], "g", 3);
        if (is_new)
            open_it(&rigs[w]);
    }
    if (is_new) {
        race(rigs);
    } else {
        /* Until the cluster is ready for a stream of three. */
        struct inbox_item *item = open_once(&rigs[0]);
        while (item->code != ERR_NATS_FEATURE && item->status != STATUS_OK) {
            inbox_item_free(item);
            item = open_once(&rigs[0]);
        }
        inbox_item_free(item);
        ck_assert_int_eq(nats_positions_open(rigs[0].positions, 99, 5000), STATUS_OK);
        rig_expect_error(&rigs[0], INBOX_LOG_ANSWER, ERR_NATS_FEATURE, words);
    }
    for (int w = 0; w < n; w++)
        rig_finish(&rigs[w]);
    cluster_finish(&cluster);
}
END_TEST

RIG_MAIN("nats_positions", a_record_is_read_back_with_its_version,
         the_condition_is_on_the_key_alone, a_deleted_record_leaves_the_version_to_expect,
         any_partition_has_a_key_of_its_own, hundreds_are_answered_at_once_each_once,
         a_frozen_server_is_answered_for_by_the_deadline,
         the_log_of_a_group_named_alike_is_refused,
         of_sixteen_writers_one_wins_each_version_on_one_server,
         with_three_replicas_one_wins_or_the_server_is_too_old)
