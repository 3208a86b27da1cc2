/* Readers that former holders left: found by their names, deleted. */
#include "plugins/jetstream/jet_consumer.h"

enum { SWEEP_PAGES_MAX = 4096, SWEEP_MS = 8000 };

void jet_sweep_finish(struct jet_consumer *c)
{
    for (size_t i = 0; i < c->found_n; i++)
        free(c->found[i].name);
    free(c->found);
    c->found = NULL;
    c->found_n = c->found_room = 0;
}

/* One hexadecimal number and the character behind it. */
static int32_t read_hex(const char **at, char behind, uint64_t *ret)
{
    char *end = NULL;

    if (**at == '-' || **at == '+' || **at == ' ')
        return 0;
    *ret = strtoull(*at, &end, 16);
    if (end == *at || *end != behind)
        return 0;
    *at = end + (behind != '\0');
    return 1;
}

static int32_t read_name(const struct jet_consumer *c, const char *name,
                         struct jet_found *ret)
{
    char prefix[JET_READER_GROUP_MAX + 16];
    int n = snprintf(prefix, sizeof prefix, "parti_%s_", c->group);
    uint64_t lane = 0;

    if (strncmp(name, prefix, (size_t)n) != 0)
        return 0;
    const char *at = name + n;
    return strlen(at) > 16 && at[16] == '_' && read_hex(&at, '_', &ret->hash) &&
           read_hex(&at, '-', &ret->gen) && read_hex(&at, '_', &ret->since) &&
           read_hex(&at, '-', &lane) && read_hex(&at, '\0', &ret->serial);
}

static int32_t keep(struct jet_consumer *c, const char *name)
{
    struct jet_found found = {.hash = 0};

    if (!read_name(c, name, &found))
        return 1;
    if (c->found_n == c->found_room) {
        size_t room = c->found_room > 0 ? 2 * c->found_room : 64;
        struct jet_found *more = realloc(c->found, room * sizeof *more);

        if (more == NULL)
            return 0;
        c->found = more;
        c->found_room = room;
    }
    found.name = strdup(name);
    if (found.name == NULL)
        return 0;
    c->found[c->found_n++] = found;
    return 1;
}

int32_t jet_sweep_list(struct jet_consumer *c, struct parti_error *error)
{
    uint64_t offset = 0, total = 1;
    int32_t code = PARTI_OK;

    jet_sweep_finish(c);
    c->task.deadline_ms = jet_now_ms() + SWEEP_MS;
    for (uint32_t page = 0; page < SWEEP_PAGES_MAX && offset < total; page++) {
        json_t *answer = NULL, *name = NULL;
        size_t i;

        code = jet_api_ask(&c->api, "CONSUMER.NAMES", NULL,
                           json_pack("{s:I}", "offset", (json_int_t)offset), &c->task,
                           &answer, error);
        if (code != PARTI_OK)
            return code;
        json_t *names = json_object_get(answer, "consumers");
        json_array_foreach(names, i, name)
        {
            if (json_is_string(name) && !keep(c, json_string_value(name)))
                code = PARTI_NOMEM;
        }
        offset += json_array_size(names);
        total = json_array_size(names) > 0 ? jet_api_number(answer, "total") : 0;
        json_decref(answer);
        if (code != PARTI_OK)
            return code;
    }
    return PARTI_OK;
}

/* < 0: of an earlier holder, or an earlier one of ours; > 0: of a later holder; 0: ours,
 * 'serial', or one after it. */
static int compare(const struct jet_found *f, const struct jet_lane *l, uint64_t serial)
{
    if (f->gen != l->gen)
        return f->gen < l->gen ? -1 : 1;
    if (f->since != l->since)
        return f->since < l->since ? -1 : 1;
    return serial == 0 || f->serial < serial ? -1 : 0;
}

static void end_sweep(struct jet_consumer *c, struct jet_lane *l, uint32_t deleted,
                      int32_t has_later)
{
    char why[320];

    if (has_later) {
        if (l->serial != 0)
            jet_reader_delete(c, l->name);
        jet_reader_failed(c, l, "a later holder reads this partition");
    } else if (c->retention == JET_WORK_QUEUE && deleted > 0) {
        l->state = JET_READER_DUE;
        l->when_ms = 0;
        jet_duty_wake(c);
    } else if (c->retention == JET_WORK_QUEUE) {
        (void)snprintf(
            why, sizeof why,
            "another consumer of %.60s covers '%.100s', which a work queue does "
            "not allow; delete it",
            c->api.shown, l->subject);
        jet_reader_failed(c, l, why);
    }
}

/* Is this still what is_sweeping was set for?  A reader of a work queue is not made
 * before; where interest counts ours must stand, or it would lapse.  With the mutex. */
static int32_t may_sweep(struct jet_consumer *c, struct jet_lane *l)
{
    int32_t may =
        l->is_sweeping &&
        (c->retention == JET_INTEREST ? l->state == JET_READER_READING : l->serial == 0);

    l->is_sweeping = 0;
    return may;
}

void jet_sweep_lane(struct jet_consumer *c, uint32_t lane)
{
    struct parti_error error = {.size = sizeof error};
    struct jet_lane *l = c->lane[lane]; /* put there and taken out by this thread alone */
    uint32_t deleted = 0;
    int32_t has_later = 0;

    (void)pthread_mutex_lock(&c->mutex);
    int32_t may = may_sweep(c, l);
    uint64_t serial = l->serial;
    (void)pthread_mutex_unlock(&c->mutex);
    for (size_t i = 0; i < c->found_n && may; i++) {
        const struct jet_found *f = &c->found[i];
        int order = f->hash == l->hash ? compare(f, l, serial) : 0;
        json_t *answer = NULL;

        has_later |= order > 0;
        if (order >= 0)
            continue;
        c->task.deadline_ms = jet_now_ms() + JET_READER_ANSWER_MS;
        if (jet_api_ask(&c->api, "CONSUMER.DELETE", f->name, NULL, &c->task, &answer,
                        &error) == PARTI_OK)
            deleted++;
        json_decref(answer);
    }
    (void)pthread_mutex_lock(&c->mutex);
    if (may && l->serial == serial)
        end_sweep(c, l, deleted, has_later);
    (void)pthread_mutex_unlock(&c->mutex);
}
