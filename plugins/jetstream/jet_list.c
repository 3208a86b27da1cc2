/* Subjects of a stream, and consumers of one, by pages. */
#include "plugins/jetstream/jet_source.h"

int32_t jet_list_add(struct jet_source *s, const char *name, size_t n, uint64_t measure,
                     struct parti_error *error)
{
    char id[JET_KEYS_ID_MAX];
    size_t id_n = 0;
    enum jet_keys_result result = jet_keys_id(&s->keys, name, n, id, &id_n);

    if (result == JET_KEYS_OK) {
        int32_t code = weigh_add(s->weigh, id, id_n, measure);

        if (code == PARTI_BADINPUT)
            return parti_fail(error, code, "%.100s has more than %d partitions",
                              s->api.shown, WEIGH_ROWS_MAX);
        return code;
    }
    s->skipped.n++;
    s->skipped.why = result == JET_KEYS_SHORT ? "fewer tokens than the keys need"
                                              : "too many tokens or bytes for keys";
    (void)snprintf(s->skipped.example, sizeof s->skipped.example, "%.*s",
                   (int)(n < 100 ? n : 100), name);
    return PARTI_OK;
}

int32_t jet_list_state(struct jet_source *s, struct jet_task *task,
                       struct jet_state *state, struct parti_error *error)
{
    json_t *info = NULL;
    int32_t code = jet_api_ask(&s->api, "STREAM.INFO", NULL, NULL, task, &info, error);

    if (code == PARTI_OK)
        jet_api_state(info, state);
    json_decref(info);
    return code;
}

/* ---- subjects ------------------------------------------------------------------- */

/* A server gives 100,000 subjects at a time, in the order of their bytes, and knows
 * nothing of a listing that goes on: where a subject before the next page goes, all
 * behind it move up, and one that stands there all the time would be missed.  So pages
 * overlap, and one whose first subject is greater than the last one seen is asked for
 * again, from further in front.  What comes meanwhile may be missing: the next look at
 * the stream finds it. */
enum {
    OVERLAP = 1000,     /* subjects, doubled each time that it was too little */
    BACK_MAX = 12,      /* times, for one page */
    SUBJECT_ROOM = 4352 /* more than fits a line of the protocol */
};

struct pages {
    uint64_t offset; /* of the next page */
    uint64_t total;  /* by the server's word */
    int32_t back_n;  /* times that this page began too late */
    int32_t is_done;
    char last[SUBJECT_ROOM]; /* the greatest subject so far */
};

static int32_t take_subjects(struct jet_source *s, const json_t *subjects,
                             struct pages *p, struct parti_error *error)
{
    const char *name;
    json_t *count;

    json_object_foreach((json_t *)(uintptr_t)subjects, name, count)
    {
        size_t n = strlen(name);
        int32_t code = PARTI_OK;

        if (p->last[0] != '\0' && strcmp(name, p->last) <= 0)
            continue; /* the overlap */
        if (n > s->skip)
            code = jet_list_add(s, name + s->skip, n - s->skip,
                                (uint64_t)json_integer_value(count), error);
        if (code != PARTI_OK)
            return code;
        if (n < sizeof p->last)
            memcpy(p->last, name, n + 1);
    }
    return PARTI_OK;
}

/* Is the beginning of this page, in order as it is, known already? */
static int32_t joins(const struct pages *p, json_t *subjects)
{
    const char *first = json_object_iter_key(json_object_iter(subjects));

    return p->offset == 0 || (first != NULL && strcmp(first, p->last) <= 0);
}

static void go_back(struct pages *p)
{
    uint64_t by = (uint64_t)OVERLAP << p->back_n;

    p->offset = p->offset < p->total ? p->offset : p->total;
    p->offset = p->offset > by ? p->offset - by : 0;
}

static int32_t ask_page(struct jet_source *s, struct jet_task *task, struct pages *p,
                        struct parti_error *error)
{
    json_t *info = NULL;
    int32_t code = jet_api_ask(&s->api, "STREAM.INFO", NULL,
                               json_pack("{s:s, s:I}", "subjects_filter", s->filter,
                                         "offset", (json_int_t)p->offset),
                               task, &info, error);

    if (code != PARTI_OK)
        return code;
    json_t *subjects = json_object_get(json_object_get(info, "state"), "subjects");
    p->total = jet_api_number(info, "total");
    if (p->last[0] == '\0')
        jet_api_state(info, &s->state);
    if (joins(p, subjects)) {
        code = take_subjects(s, subjects, p, error);
        p->offset += json_object_size(subjects);
        p->is_done = p->offset >= p->total;
        p->back_n = 0;
        go_back(p);
    } else if (p->back_n == BACK_MAX) {
        code = parti_fail(error, PARTI_RETRY,
                          "the subjects of %.100s change faster than they can be listed",
                          s->api.shown);
    } else {
        p->back_n++;
        go_back(p);
    }
    json_decref(info);
    return code;
}

int32_t jet_list_subjects(struct jet_source *s, struct jet_task *task,
                          struct parti_error *error)
{
    struct pages p = {.offset = 0};
    int32_t code = weigh_begin(s->weigh);

    memset(&s->skipped, 0, sizeof s->skipped);
    for (int page = 0; page < JET_PAGES_MAX && code == PARTI_OK && !p.is_done; page++)
        code = ask_page(s, task, &p, error);
    return code;
}

/* ---- consumers ------------------------------------------------------------------ */

static int32_t take_consumer(struct jet_source *s, const json_t *item,
                             struct parti_error *error)
{
    const json_t *config = json_object_get(item, "config");
    const char *name = json_string_value(item);
    uint64_t pending = 0;

    if (name == NULL) {
        name = json_string_value(json_object_get(item, "name"));
        pending = jet_api_number(item, "num_pending");
        if (!s->ephemeral && json_object_get(config, "durable_name") == NULL)
            return PARTI_OK;
    }
    if (name == NULL || !jet_keys_match(s->consumer, name))
        return PARTI_OK;
    return jet_list_add(s, name, strlen(name), pending, error);
}

/* In a cluster a server may not have said in time what its consumers do. */
static int32_t judge_page(const struct jet_source *s, const json_t *page,
                          struct parti_error *error)
{
    size_t missing = json_array_size(json_object_get(page, "missing"));

    if (missing == 0)
        return PARTI_OK;
    return parti_fail(error, PARTI_RETRY,
                      "%d consumers of %.100s cannot be asked at present; a server of "
                      "the cluster is down",
                      (int)missing, s->api.shown);
}

/* One pass over the pages. */
struct pass {
    uint64_t offset, total;
    uint64_t marks; /* of all names, in any order */
    int32_t page_n;
};

/* FNV-1a of the name, and its length. */
static uint64_t mark_of(const json_t *item)
{
    const char *name = json_string_value(item);
    uint64_t mark = UINT64_C(0xcbf29ce484222325);

    if (name == NULL)
        name = json_string_value(json_object_get(item, "name"));
    for (; name != NULL && *name != '\0'; name++)
        mark = (mark ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return mark;
}

static int32_t ask_consumers(struct jet_source *s, struct jet_task *task,
                             struct pass *pass, struct parti_error *error)
{
    /* Names are cheaper, but do not tell durable ones from others. */
    int32_t by_name = !s->by_pending && s->ephemeral;
    json_t *answer = NULL;
    int32_t code = jet_api_ask(
        &s->api, by_name ? "CONSUMER.NAMES" : "CONSUMER.LIST", NULL,
        json_pack("{s:I}", "offset", (json_int_t)pass->offset), task, &answer, error);

    if (code != PARTI_OK)
        return code;
    const json_t *list = json_object_get(answer, "consumers");
    size_t n = json_array_size(list);
    code = judge_page(s, answer, error);
    for (size_t i = 0; i < n && code == PARTI_OK; i++) {
        const json_t *item = json_array_get(list, i);

        pass->marks += mark_of(item);
        code = take_consumer(s, item, error);
    }
    pass->offset += n;
    pass->total = n > 0 ? jet_api_number(answer, "total") : pass->offset;
    pass->page_n++;
    json_decref(answer);
    return code;
}

/* One page is of one moment.  Between several of them consumers may come and go, and
 * shift others from page to page: then two passes must have seen the same. */
int32_t jet_list_consumers(struct jet_source *s, struct jet_task *task,
                           struct parti_error *error)
{
    uint64_t marks = 0;
    int32_t code = jet_list_state(s, task, &s->state, error);

    for (int passes = 0; passes < JET_PASSES_MAX && code == PARTI_OK; passes++) {
        struct pass pass = {.total = 1};

        code = weigh_begin(s->weigh);
        memset(&s->skipped, 0, sizeof s->skipped);
        while (pass.page_n < JET_PAGES_MAX && pass.offset < pass.total &&
               code == PARTI_OK)
            code = ask_consumers(s, task, &pass, error);
        if (code != PARTI_OK || pass.page_n == 1 || (passes > 0 && pass.marks == marks))
            return code;
        marks = pass.marks;
    }
    return code != PARTI_OK
               ? code
               : parti_fail(error, PARTI_RETRY,
                            "the consumers of %.100s change faster than they can be "
                            "listed",
                            s->api.shown);
}
