/* story FILE...: runs stories and compares what is told with what is expected.
 * story --update FILE...: where they differ, writes what is told into the file.
 */
#include "story.h"

#include "sim_mood.h"

#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void tell(void *data, const char *line)
{
    struct story *st = data;
    const char *name = strchr(line, ']');
    unsigned slot;

    must(name != NULL);
    if (st->is_quiet && strstr(line, "] judge >") == NULL)
        return;
    if (st->only != 0 && sscanf(name, "] w%u >", &slot) == 1 &&
        (slot >= PROCS_MAX || (st->only >> slot & 1) == 0))
        return;
    for (unsigned i = 0; i < st->hide_n; i++)
        if (strstr(line, st->hide[i]) != NULL)
            return;
    if (st->told_n == STORY_LINES_MAX) {
        st->mistake = "the story is too long";
        return;
    }
    snprintf(st->told[st->told_n++], STORY_LINE_ROOM, "%s", line);
}

void story_begin(struct story *st, const char *file)
{
    struct sim *s = &st->sim;

    st->file = file;
    st->line = 0;
    st->mistake = NULL;
    st->is_quiet = false;
    st->hide_n = 0;
    st->only = 0;
    st->told_n = 0;
    sim_begin(s, 1);
    judge_begin(&st->judge);
    s->judge = &st->judge;
    s->tell = tell;
    s->tell_data = st;
    s->tells_leases = false;
    sim_mood_timing(&s->timing, "default");
    s->timing.clock_drift_ppm = 0;
    s->knobs = (struct sim_knobs){.delay_us = SIM_MS,
                                  .log_delay_us = SIM_MS,
                                  .log_timeout_us = SIM_S,
                                  .list_us = 0,
                                  .plan_us = 0};
}

/* A line that differs, or NULL; "..." matches any number of told lines. */
static const char *compare(const struct story *st, char **want, unsigned want_n,
                           unsigned *ret_told)
{
    unsigned at = 0;
    bool skips = false;

    for (unsigned w = 0; w < want_n; w++) {
        if (strcmp(want[w], "...") == 0) {
            skips = true;
            continue;
        }
        while (skips && at < st->told_n && strcmp(st->told[at], want[w]) != 0)
            at++;
        skips = false;
        *ret_told = at;
        if (at == st->told_n || strcmp(st->told[at], want[w]) != 0)
            return want[w];
        at++;
    }
    *ret_told = at;
    return at < st->told_n && !skips ? "(the end)" : NULL;
}

static char *read_file(const char *name)
{
    FILE *f = fopen(name, "r");
    size_t n = 0, room = 1 << 20;
    char *text = malloc(room);

    if (f == NULL || text == NULL) {
        perror(name);
        exit(2);
    }
    n = fread(text, 1, room - 1, f);
    fclose(f);
    text[n] = '\0';
    return text;
}

static int update(const struct story *st, const char *head, size_t head_n)
{
    FILE *f = fopen(st->file, "w");

    if (f == NULL) {
        perror(st->file);
        return 2;
    }
    fwrite(head, 1, head_n, f);
    for (unsigned i = 0; i < st->told_n; i++)
        fprintf(f, "%s\n", st->told[i]);
    if (fclose(f) != 0) {
        perror(st->file);
        return 2;
    }
    printf("%s: rewritten\n", st->file);
    return 0;
}

static void show(const struct story *st, const char *missing, unsigned told)
{
    printf("%s: told is not what is expected\n  expected: %s\n", st->file, missing);
    unsigned first = told > 5 ? told - 5 : 0;
    for (unsigned i = first; i < st->told_n && i < told + 10; i++)
        printf("  %s %s\n", i == told ? "told ---->" : "          ", st->told[i]);
    if (told >= st->told_n)
        printf("  told ----> (the end)\n");
}

/* Runs the scenario, gathers the expectation in want[]. */
static unsigned play(struct story *st, char *text, char **want)
{
    unsigned want_n = 0;
    bool is_expecting = false;
    char *line = text;

    while (*line != '\0' && st->mistake == NULL) {
        char *end = line + strcspn(line, "\n");
        bool is_last = *end == '\0';
        *end = '\0';
        st->line++;
        if (is_expecting) {
            must(want_n < STORY_LINES_MAX);
            want[want_n++] = line;
        } else if (strcmp(line, "expect:") == 0) {
            is_expecting = true;
        } else {
            story_command(st, line);
        }
        line = is_last ? end : end + 1;
    }
    if (st->mistake == NULL && !is_expecting)
        st->mistake = "the line 'expect:' is missing";
    return want_n;
}

static int run_file(struct story *st, const char *file, bool updates)
{
    static char *want[STORY_LINES_MAX];
    char *text = read_file(file);
    char *kept = strdup(text);
    unsigned told = 0;
    int result = 0;

    must(kept != NULL);
    story_begin(st, file);
    unsigned want_n = play(st, text, want);
    if (st->mistake != NULL) {
        printf("%s:%u: %s\n", file, st->line, st->mistake);
        result = 2;
    } else {
        const char *missing = compare(st, want, want_n, &told);
        if (missing == NULL && !st->sim.is_failed) {
            printf("%s: as expected\n", file);
        } else if (updates) {
            const char *mark = strstr(kept, "\nexpect:\n");
            must(mark != NULL);
            result = update(st, kept, (size_t)(mark - kept) + strlen("\nexpect:\n"));
        } else {
            show(st, missing != NULL ? missing : "no violation", told);
            result = 1;
        }
    }
    sim_end(&st->sim);
    free(text);
    free(kept);
    return result;
}

int main(int argc, char **argv)
{
    struct story *st = calloc(1, sizeof *st);
    int first = 1, result = 0;
    bool updates = argc > 1 && strcmp(argv[1], "--update") == 0;

    if (updates)
        first++;
    if (st == NULL || argc <= first) {
        fprintf(stderr, "usage: story [--update] FILE...\n");
        free(st);
        return 2;
    }
    sim_init(&st->sim);
    for (int i = first; i < argc; i++) {
        int r = run_file(st, argv[i], updates);
        result = r > result ? r : result;
    }
    sim_finish(&st->sim);
    free(st);
    return result;
}
