#include "config.h"

#include "judge.h"

#include "row.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const change_names[CHANGES] = {"join", "drain", "kill", "stop", "cont"};

static void *grow(void *at, size_t n, size_t *room, size_t size)
{
    if (n < *room)
        return at;
    *room = *room > 0 ? 2 * *room : 1024;
    at = realloc(at, *room * size);
    if (at == NULL) {
        (void)fprintf(stderr, "judge: no memory\n");
        exit(2);
    }
    return at;
}

static void mark(struct marks *m, const struct ledger_row *r, uint32_t worker, uint64_t a,
                 uint64_t b)
{
    m->at = grow(m->at, m->n, &m->room, sizeof *m->at);
    m->at[m->n++] = (struct mark){r->partition, worker, r->hold, r->end_ns, a, b};
}

static bool take(struct ledger *l, const struct ledger_row *r, uint32_t worker)
{
    uint64_t token = (uint64_t)r->gen << 32 | r->since;

    switch ((enum ledger_kind)r->kind) {
    case LEDGER_BORN: l->born++; return true;
    case LEDGER_REFUSED: l->refused++; return true;
    case LEDGER_FENCED: l->fenced++; return true;
    case LEDGER_SETTLED: mark(&l->settled, r, worker, r->position, 0); return true;
    case LEDGER_ASSIGNED: mark(&l->assigned, r, worker, token, 0); return true;
    case LEDGER_RELEASED: mark(&l->released, r, worker, token, r->number); return true;
    case LEDGER_LATE: mark(&l->late, r, worker, r->number, r->begin_ns); return true;
    case LEDGER_HANDLED:
    case LEDGER_NAKED:
    case LEDGER_HOPELESS:
    case LEDGER_TERMED:
    case LEDGER_SILENT:
        l->handling = grow(l->handling, l->n, &l->room, sizeof *l->handling);
        l->handling[l->n++] = (struct handling){
            r->partition,     r->number,   r->hold,   worker,     token,
            r->position,      r->begin_ns, r->end_ns, r->sent_ns, r->stretch,
            (uint8_t)r->kind, false,       false};
        return true;
    case LEDGER_NONE: break;
    }
    return false;
}

static bool read_rows(struct ledger *l, const char *path, uint32_t worker)
{
    struct ledger_row row[1024];
    bool is_good = true;
    size_t n, left = 0;
    FILE *in = fopen(path, "re");

    if (in == NULL)
        return false;
    while ((n = fread(row, 1, sizeof row, in)) > 0) {
        for (size_t i = 0; i < n / sizeof *row; i++)
            is_good =
                take(l, &row[i], worker) && row[i].partition < l->partitions && is_good;
        left = n % sizeof *row;
    }
    (void)fclose(in);
    if (left != 0 || !is_good)
        (void)fprintf(stderr, "judge: %s: no row of a ledger's\n", path);
    return left == 0 && is_good;
}

static bool read_all_rows(struct ledger *l, const char *folder)
{
    struct dirent *entry;
    DIR *dir = opendir(folder);
    bool is_good = dir != NULL;

    while (is_good && (entry = readdir(dir)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');
        char path[1024];

        if (entry->d_name[0] != 'w' || dot == NULL || strcmp(dot, ".rows") != 0)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        is_good = read_rows(l, path, (uint32_t)strtoul(entry->d_name + 1, NULL, 10));
    }
    if (dir != NULL)
        (void)closedir(dir);
    return is_good;
}

static FILE *open_in(const char *folder, const char *name)
{
    char path[1024];

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *in = fopen(path, "re");
    if (in == NULL)
        (void)fprintf(stderr, "judge: %s: %s\n", path, strerror(errno));
    return in;
}

static bool read_produced(struct ledger *l, const char *folder)
{
    FILE *in = open_in(folder, "produced");
    size_t room = 0;
    char line[64], *end;

    if (in == NULL)
        return false;
    while (fgets(line, sizeof line, in) != NULL) {
        l->produced = grow(l->produced, l->partitions, &room, sizeof *l->produced);
        l->produced[l->partitions++] = strtoull(line, &end, 10);
        if (end == line || *end != '\n')
            l->partitions = 0;
    }
    (void)fclose(in);
    return l->partitions > 0;
}

static bool read_changes(struct ledger *l, const char *folder)
{
    FILE *in = open_in(folder, "changes");
    size_t room = 0;
    char line[128];
    bool is_good = in != NULL;

    while (is_good && fgets(line, sizeof line, in) != NULL) {
        char *at, *name, *rest = line;
        struct change_done c = {.kind = CHANGES};

        at = strsep(&rest, " \n");
        name = strsep(&rest, " \n");
        c.at_ns = strtoull(at, NULL, 10);
        for (int i = 0; name != NULL && i < CHANGES; i++)
            if (strcmp(name, change_names[i]) == 0)
                c.kind = (enum change)i;
        is_good = rest != NULL && c.kind != CHANGES;
        if (!is_good)
            break;
        c.worker = (uint32_t)strtoul(rest, NULL, 10);
        l->change = grow(l->change, l->changes, &room, sizeof *l->change);
        l->change[l->changes++] = c;
    }
    if (in != NULL)
        (void)fclose(in);
    if (!is_good)
        (void)fprintf(stderr, "judge: changes cannot be read\n");
    return is_good;
}

/* No file: no dead letters. */
static bool read_dead(struct ledger *l, const char *folder)
{
    char path[1024], line[64], *end;
    size_t room = 0;
    bool is_good = true;

    (void)snprintf(path, sizeof path, "%s/dead", folder);
    FILE *in = fopen(path, "re");
    if (in == NULL)
        return errno == ENOENT;
    while (is_good && fgets(line, sizeof line, in) != NULL) {
        struct letter letter = {.partition = (uint32_t)strtoul(line, &end, 10)};

        is_good = end != line && *end == ' ';
        letter.number = (uint32_t)strtoul(end, &end, 10);
        is_good = is_good && *end == '\n' && letter.partition < l->partitions;
        l->letter = grow(l->letter, l->letters, &room, sizeof *l->letter);
        l->letter[l->letters++] = letter;
    }
    (void)fclose(in);
    if (!is_good)
        (void)fprintf(stderr, "judge: %s cannot be read\n", path);
    return is_good;
}

static int by_place(const void *x, const void *y)
{
    const struct letter *a = x, *b = y;

    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number;
}

static int by_begin(const void *x, const void *y)
{
    const struct handling *a = x, *b = y;

    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    if (a->begin_ns != b->begin_ns)
        return a->begin_ns < b->begin_ns ? -1 : 1;
    return a->end_ns < b->end_ns ? -1 : a->end_ns > b->end_ns;
}

static int by_time(const void *x, const void *y)
{
    const struct mark *a = x, *b = y;

    if (a->partition != b->partition)
        return a->partition < b->partition ? -1 : 1;
    return a->at_ns < b->at_ns ? -1 : a->at_ns > b->at_ns;
}

static void sort_marks(struct marks *m)
{
    if (m->n > 0)
        qsort(m->at, m->n, sizeof *m->at, by_time);
}

bool ledger_read(struct ledger *l, const char *folder)
{
    *l = (struct ledger){0};
    if (!read_produced(l, folder) || !read_changes(l, folder) ||
        !read_all_rows(l, folder) || !read_dead(l, folder)) {
        ledger_free(l);
        return false;
    }
    if (l->n > 0)
        qsort(l->handling, l->n, sizeof *l->handling, by_begin);
    if (l->letters > 0)
        qsort(l->letter, l->letters, sizeof *l->letter, by_place);
    sort_marks(&l->settled);
    sort_marks(&l->released);
    sort_marks(&l->assigned);
    sort_marks(&l->late);
    return true;
}

void ledger_free(struct ledger *l)
{
    free(l->handling);
    free(l->settled.at);
    free(l->released.at);
    free(l->assigned.at);
    free(l->late.at);
    free(l->produced);
    free(l->change);
    free(l->letter);
    *l = (struct ledger){0};
}

const struct change_done *change_before(const struct ledger *l, uint32_t worker,
                                        unsigned kinds, uint64_t from_ns, uint64_t at_ns)
{
    for (size_t i = l->changes; i-- > 0;) {
        const struct change_done *c = &l->change[i];

        if (c->worker == worker && c->at_ns <= at_ns && c->at_ns >= from_ns &&
            (kinds & 1U << c->kind) != 0)
            return c;
    }
    return NULL;
}

size_t marks_find(const struct marks *m, uint32_t partition)
{
    size_t low = 0, high = m->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (m->at[middle].partition < partition)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
