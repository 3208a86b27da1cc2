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

/* ---- subjects ------------------------------------------------------------------------
 */

/* One pass over the pages. */
struct pass {
    uint64_t offset;  /* subjects seen */
    uint64_t doubles; /* of them seen before, at the end of the page before */
    uint64_t total;   /* by the server's word, in the last page */
    struct jet_state first, now;
    int32_t has_lost; /* messages have gone between two pages, perhaps subjects, too */
    char last[512];   /* the greatest subject so far */
};

/* Pages come in order, so a subject that has moved to the next page comes again at once.
 */
static int32_t take_page(struct jet_source *s, json_t *info, struct pass *pass,
                         struct parti_error *error)
{
    json_t *subjects = json_object_get(json_object_get(info, "state"), "subjects");
    char last[sizeof pass->last];
    const char *name;
    json_t *count;

    memcpy(last, pass->last, sizeof last);
    json_object_foreach(subjects, name, count)
    {
        size_t n = strlen(name);
        int32_t code = PARTI_OK;

        if (pass->offset > 0 && strcmp(name, last) <= 0) {
            pass->doubles++;
            continue;
        }
        if (n < sizeof pass->last && strcmp(name, pass->last) > 0)
            memcpy(pass->last, name, n + 1);
        if (n > s->skip)
            code = jet_list_add(s, name + s->skip, n - s->skip,
                                (uint64_t)json_integer_value(count), error);
        if (code != PARTI_OK)
            return code;
    }
    pass->offset += json_object_size(subjects);
    return PARTI_OK;
}

static int32_t ask_page(struct jet_source *s, struct jet_task *task, struct pass *pass,
                        int32_t *ret_is_last, struct parti_error *error)
{
    json_t *info = NULL;
    uint64_t before = pass->offset;
    int32_t code = jet_api_ask(&s->api, "STREAM.INFO", NULL,
                               json_pack("{s:s, s:I}", "subjects_filter", s->filter,
                                         "offset", (json_int_t)pass->offset),
                               task, &info, error);

    if (code != PARTI_OK)
        return code;
    jet_api_state(info, &pass->now);
    if (before == 0)
        pass->first = pass->now;
    uint64_t total = jet_api_number(info, "total");
    if (pass->now.first_seq != pass->first.first_seq ||
        pass->now.deleted_n != pass->first.deleted_n || total < pass->total)
        pass->has_lost = 1;
    pass->total = total;
    code = take_page(s, info, pass, error);
    json_decref(info);
    *ret_is_last = pass->offset == before || pass->offset >= total;
    return code;
}

int32_t jet_list_subjects(struct jet_source *s, struct jet_task *task,
                          struct parti_error *error)
{
    for (int passes = 0; passes < JET_PASSES_MAX; passes++) {
        struct pass pass = {.offset = 0};
        int32_t is_last = 0;
        int32_t code = weigh_begin(s->weigh);

        memset(&s->skipped, 0, sizeof s->skipped);
        for (int page = 0; page < JET_PAGES_MAX && code == PARTI_OK && !is_last; page++)
            code = ask_page(s, task, &pass, &is_last, error);
        if (code != PARTI_OK)
            return code;
        /* What was added meanwhile may be missing: the next look at the stream finds
         * it.  What stands there all the time must not be. */
        if (is_last && (!pass.has_lost || pass.offset - pass.doubles == pass.total)) {
            s->state = pass.first;
            return PARTI_OK;
        }
    }
    return parti_fail(error, PARTI_RETRY,
                      "the subjects of %.100s change faster than they can be listed",
                      s->api.shown);
}

/* ---- consumers -----------------------------------------------------------------------
 */

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

static int32_t read_consumers(struct jet_source *s, struct jet_task *task,
                              uint64_t *ret_total, struct parti_error *error)
{
    /* Names are cheaper, but do not tell durable ones from others. */
    int32_t by_name = !s->by_pending && s->ephemeral;
    uint64_t offset = 0, total = 1;

    for (int page = 0; page < JET_PAGES_MAX && offset < total; page++) {
        json_t *answer = NULL;
        int32_t code = jet_api_ask(&s->api, by_name ? "CONSUMER.NAMES" : "CONSUMER.LIST",
                                   NULL, json_pack("{s:I}", "offset", (json_int_t)offset),
                                   task, &answer, error);

        if (code != PARTI_OK)
            return code;
        const json_t *list = json_object_get(answer, "consumers");
        size_t n = json_array_size(list);
        total = jet_api_number(answer, "total");
        code = judge_page(s, answer, error);
        for (size_t i = 0; i < n && code == PARTI_OK; i++)
            code = take_consumer(s, json_array_get(list, i), error);
        json_decref(answer);
        if (code != PARTI_OK)
            return code;
        if (n == 0)
            break;
        offset += n;
    }
    *ret_total = total;
    return PARTI_OK;
}

int32_t jet_list_consumers(struct jet_source *s, struct jet_task *task,
                           struct parti_error *error)
{
    for (int passes = 0; passes < JET_PASSES_MAX; passes++) {
        struct jet_state before, after;
        uint64_t total = 0;
        int32_t code = jet_list_state(s, task, &before, error);

        if (code == PARTI_OK)
            code = weigh_begin(s->weigh);
        memset(&s->skipped, 0, sizeof s->skipped);
        if (code == PARTI_OK)
            code = read_consumers(s, task, &total, error);
        if (code == PARTI_OK)
            code = jet_list_state(s, task, &after, error);
        if (code != PARTI_OK)
            return code;
        /* One that came or went meanwhile shifts the others from page to page. */
        if (before.consumer_n == after.consumer_n && total == after.consumer_n) {
            s->state = before;
            return PARTI_OK;
        }
    }
    return parti_fail(error, PARTI_RETRY,
                      "the consumers of %.100s change faster than they can be listed",
                      s->api.shown);
}
