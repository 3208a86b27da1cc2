/* plugins/static: the words of 'partitions =' and of the file, and changes of the file.
 *
 * The real .so through the loader and the source runner.
 */
#include "base/errors.h"
#include "base/partid.h"
#include "base/status.h"
#include "host/source.h"

#include "runner.h"

#include <fcntl.h>
#include <sys/stat.h>

/* ---- listing once ------------------------------------------------------------------ */

static int list_once(struct section *s, struct listing **ret)
{
    struct sources_setup setup = {.source = &s->conf,
                                  .source_n = 1,
                                  .plugin_dir = plugins_dir(),
                                  .budget_ms = 10000};

    return sources_list_once(&setup, &s->errors, ret);
}

/* "orders/0:100 orders/1:7 ..." */
static void shown(const struct listing *l, char *to, size_t room)
{
    size_t n = 0;

    to[0] = '\0';
    for (uint32_t i = 0; i < l->n && n < room; i++) {
        char id[PARTID_TEXT_ROOM];

        (void)partid_encode(l->id[i], id, sizeof id);
        n += (size_t)snprintf(to + n, room - n, "%s%s:%u", i > 0 ? " " : "", id,
                              (unsigned)l->weight[i]);
    }
}

static void gives(const char *partitions, const char *expected)
{
    struct section s;
    struct listing *l = NULL;
    char all[4096];

    section_init(&s, "source", "static");
    section_set(&s, "partitions", partitions);
    if (list_once(&s, &l) != STATUS_OK)
        conf_errors_print(&s.errors, stderr);
    ck_assert_ptr_nonnull(l);
    shown(l, all, sizeof all);
    ck_assert_str_eq(all, expected);
    listing_unref(l);
    section_finish(&s);
}

static void says(const char *partitions, uint32_t line, const char *text)
{
    struct section s;
    struct listing *l = NULL;

    section_init(&s, "source", "static");
    section_set(&s, "partitions", partitions);
    ck_assert_int_eq(list_once(&s, &l), STATUS_INVALID);
    section_says(&s, line, text);
    section_finish(&s);
}

START_TEST(lists_and_ranges_are_spelled_out)
{
    gives("orders/0..3", "orders/0:100 orders/1:100 orders/2:100 orders/3:100");
    gives("b, a ,c/d", "a:100 b:100 c/d:100");
    gives("a 5\nb/8..10 0\n  c", "a:5 b/10:0 b/8:0 b/9:0 c:100");
    gives("x/08..10", "x/08:100 x/09:100 x/10:100");
    gives("a/0..1/b/1..2", "a/0/b/1:100 a/0/b/2:100 a/1/b/1:100 a/1/b/2:100");
    gives("7..7", "7:100");
    gives("a 4294967295", "a:4294967295");
    gives("", "");
}
END_TEST

START_TEST(colons_and_encoded_bytes_belong_to_the_name)
{
    gives("a:b:7", "a:b:7:100");
    gives("a%2Fb/c%25", "a%2Fb/c%25:100");
    gives("with%20blank, with%2Ccomma", "with blank:100 with,comma:100");
    gives("0%2E.5", "0..5:100");
    gives("v1.5/a.b", "v1.5/a.b:100");
}
END_TEST

START_TEST(mistakes_are_told_with_line_value_and_remedy)
{
    says("orders/5..2", 12, "the range '5..2' runs backwards; write 2..5");
    says("a\nb//c", 13, "'b//c' has an empty key");
    says("a\n\nb/", 14, "'b/' has an empty key");
    says("a 12x", 12, "'12x' after 'a' is no weight from 0 to 4294967295");
    says("a 4294967296", 12, "is no weight");
    says("a 1 2", 12, "'1 2' after 'a' is no weight");
    says("a/x..y", 12, "'x..y' is no range such as 0..31");
    says("a..b", 12, "two dots that are part of a name are written %2E.");
    says("a%zz", 12, "'%zz' is not %XX");
    says("a%00", 12, "'%00' is not %XX");
    says("a%2", 12, "is not %XX");
    says("a\x01", 12, "byte 0x01 stands in a name; write it as %01");
    says("p/00..5", 12, "give both ends the same number of digits");
    says("orders/0..99999999", 12,
         "'orders/0..99999999' would make 1 x 100000000 partitions beside 0 others; at "
         "most 1000000 are taken");
    says("a/0..9999/0..999", 12, "would make 10000 x 1000 partitions");
    says("x, a/0..999999", 12, "beside 1 others");
}
END_TEST

START_TEST(a_million_partitions_are_taken)
{
    struct section s;
    struct listing *l = NULL;

    section_init(&s, "source", "static");
    section_set(&s, "partitions", "orders/000000..999999");
    ck_assert_int_eq(list_once(&s, &l), STATUS_OK);
    ck_assert_uint_eq(l->n, 1000000);
    ck_assert(bytes_equal(l->id[123456], (struct bytes){"orders\000123456", 13}));
    listing_unref(l);
    section_finish(&s);
}
END_TEST

START_TEST(twice_the_same_partition_is_refused)
{
    struct section s;
    struct listing *l = NULL;

    section_init(&s, "source", "static");
    section_set(&s, "partitions", "a/0..5, a/3");
    ck_assert_int_eq(list_once(&s, &l), STATUS_INVALID);
    section_says(&s, 0, "partition a/3 is in its list twice");
    section_finish(&s);
}
END_TEST

START_TEST(a_section_without_partitions_is_refused)
{
    struct section s;
    struct listing *l = NULL;

    section_init(&s, "source", "static");
    ck_assert_int_eq(list_once(&s, &l), STATUS_INVALID);
    section_says(&s, 10, "there is neither 'partitions =' nor 'file ='");
    section_finish(&s);
}
END_TEST

/* ---- the file ---------------------------------------------------------------------- */

enum { RESULTS = 32 };

struct fixture {
    struct section section;
    struct sources *sources;
    struct gate gate;
    uint32_t n;
    int status[RESULTS];
    char all[RESULTS][1024]; /* the listing, or the text of the failure */
    char folder[64], path[128], other[128];
};

static void on_done(void *ctx, const struct source_result *r)
{
    struct fixture *f = ctx;

    gate_lock(&f->gate);
    if (f->n < RESULTS) {
        f->status[f->n] = r->status;
        if (r->status == STATUS_OK)
            shown(r->listing, f->all[f->n], sizeof f->all[0]);
        else
            (void)snprintf(f->all[f->n], sizeof f->all[0], "%s", r->text);
        f->n++;
    }
    gate_tell(&f->gate);
    gate_unlock(&f->gate);
}

static void put(const char *path, const char *text, int flags)
{
    int fd = open(path, O_WRONLY | flags, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    ck_assert_int_eq(close(fd), 0);
}

/* A watched source of the file; 'text' NULL: it is not there yet. */
static void fixture_init(struct fixture *f, const char *text)
{
    struct sources_setup setup = {.source = &f->section.conf,
                                  .source_n = 1,
                                  .plugin_dir = plugins_dir(),
                                  .budget_ms = 10000,
                                  .done = on_done,
                                  .ctx = f};

    memset(f, 0, sizeof *f);
    ck_assert_int_eq(gate_init(&f->gate), 0);
    (void)snprintf(f->folder, sizeof f->folder, "/tmp/parti-static-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(f->folder));
    (void)snprintf(f->path, sizeof f->path, "%s/parts.txt", f->folder);
    (void)snprintf(f->other, sizeof f->other, "%s/other.txt", f->folder);
    if (text != NULL)
        put(f->path, text, O_CREAT);
    section_init(&f->section, "source", "static");
    section_set(&f->section, "file", f->path);
    int status = sources_create(&setup, &f->section.errors, &f->sources);
    if (status != STATUS_OK)
        conf_errors_print(&f->section.errors, stderr);
    ck_assert_int_eq(status, STATUS_OK);
    sources_watch(f->sources, true);
    sources_ask(f->sources, false);
}

static void fixture_finish(struct fixture *f)
{
    sources_destroy(f->sources);
    gate_finish(&f->gate);
    section_finish(&f->section);
    (void)unlink(f->path);
    (void)unlink(f->other);
    ck_assert_int_eq(rmdir(f->folder), 0);
}

/* Waits until a result from number 'from' on has this status and this text in it;
 * returns the number after it. */
static uint32_t await(struct fixture *f, uint32_t from, int status, const char *text)
{
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;

    gate_lock(&f->gate);
    while (threads_now_ms() < deadline) {
        for (uint32_t i = from; i < f->n; i++)
            if (f->status[i] == status && strstr(f->all[i], text) != NULL) {
                gate_unlock(&f->gate);
                return i + 1;
            }
        (void)gate_wait(&f->gate, deadline);
    }
    ck_abort_msg("'%s' did not come; the last of %u results: %s", text, f->n,
                 f->n > 0 ? f->all[f->n - 1] : "none");
}

START_TEST(the_file_has_one_item_a_line_and_comments)
{
    struct fixture f;

    fixture_init(&f, "\xef\xbb\xbf# ours\norders/0..1\t7 # heavy\r\n\n  a,b#c 0\nz");
    (void)await(&f, 0, STATUS_OK, "a,b#c:0 orders/0:7 orders/1:7 z:100");
    fixture_finish(&f);
}
END_TEST

START_TEST(writing_in_place_and_renaming_over_are_noticed)
{
    struct fixture f;
    uint32_t n;

    fixture_init(&f, "a\n");
    n = await(&f, 0, STATUS_OK, "a:100");
    put(f.path, "b\n", O_APPEND);
    n = await(&f, n, STATUS_OK, "a:100 b:100");
    put(f.path, "c\n", O_TRUNC);
    n = await(&f, n, STATUS_OK, "c:100");
    put(f.other, "d\n", O_CREAT);
    ck_assert_int_eq(rename(f.other, f.path), 0);
    n = await(&f, n, STATUS_OK, "d:100");
    /* The new file is watched as the old one was. */
    put(f.path, "e\n", O_APPEND);
    (void)await(&f, n, STATUS_OK, "d:100 e:100");
    fixture_finish(&f);
}
END_TEST

START_TEST(the_last_list_stays_when_the_file_vanishes_or_is_wrong)
{
    struct fixture f;
    uint32_t n;

    fixture_init(&f, "a\n");
    n = await(&f, 0, STATUS_OK, "a:100");
    ck_assert_int_eq(unlink(f.path), 0);
    n = await(&f, n, STATUS_IO, "parts.txt: No such file or directory");
    put(f.path, "a\nb\n", O_CREAT);
    n = await(&f, n, STATUS_OK, "a:100 b:100");
    put(f.other, "a\nb\nc//d\n", O_CREAT);
    ck_assert_int_eq(rename(f.other, f.path), 0);
    n = await(&f, n, STATUS_IO, "parts.txt:3: 'c//d' has an empty key");
    put(f.path, "a\nb\nc/d\n", O_TRUNC);
    (void)await(&f, n, STATUS_OK, "a:100 b:100 c/d:100");
    fixture_finish(&f);
}
END_TEST

START_TEST(a_file_that_comes_later_is_taken)
{
    struct fixture f;
    uint32_t n;

    fixture_init(&f, NULL);
    n = await(&f, 0, STATUS_IO, "No such file or directory");
    put(f.path, "a\n", O_CREAT);
    (void)await(&f, n, STATUS_OK, "a:100");
    fixture_finish(&f);
}
END_TEST

START_TEST(a_link_that_leads_elsewhere_is_followed)
{
    struct fixture f;
    char link[128], target[2][128];
    uint32_t n;

    fixture_init(&f, NULL);
    n = await(&f, 0, STATUS_IO, "No such file or directory");
    for (int i = 0; i < 2; i++) {
        (void)snprintf(target[i], sizeof target[i], "%s/target-%d", f.folder, i);
        put(target[i], i == 0 ? "zero\n" : "one\n", O_CREAT);
    }
    ck_assert_int_eq(symlink(target[0], f.path), 0);
    n = await(&f, n, STATUS_OK, "zero:100");
    (void)snprintf(link, sizeof link, "%s/link", f.folder);
    ck_assert_int_eq(symlink(target[1], link), 0);
    ck_assert_int_eq(rename(link, f.path), 0);
    n = await(&f, n, STATUS_OK, "one:100");
    put(target[1], "more\n", O_APPEND);
    (void)await(&f, n, STATUS_OK, "more:100 one:100");
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(unlink(target[i]), 0);
    fixture_finish(&f);
}
END_TEST

START_TEST(what_is_no_readable_file_is_told)
{
    struct fixture f;
    uint32_t n;

    fixture_init(&f, NULL);
    n = await(&f, 0, STATUS_IO, "No such file or directory");
    ck_assert_int_eq(mkfifo(f.path, 0600), 0);
    n = await(&f, n, STATUS_IO, "parts.txt is not a regular file");
    put(f.other, "bytes\n", O_CREAT);
    ck_assert_int_eq(rename(f.other, f.path), 0);
    (void)await(&f, n, STATUS_OK, "bytes:100");
    fixture_finish(&f);
}
END_TEST

UNIT_MAIN("static", lists_and_ranges_are_spelled_out,
          colons_and_encoded_bytes_belong_to_the_name,
          mistakes_are_told_with_line_value_and_remedy, a_million_partitions_are_taken,
          twice_the_same_partition_is_refused, a_section_without_partitions_is_refused,
          the_file_has_one_item_a_line_and_comments,
          writing_in_place_and_renaming_over_are_noticed,
          the_last_list_stays_when_the_file_vanishes_or_is_wrong,
          a_file_that_comes_later_is_taken, a_link_that_leads_elsewhere_is_followed,
          what_is_no_readable_file_is_told)
