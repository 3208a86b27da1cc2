/* Which topics the section asks for. */
#include "kafka_list.h"

static int is_name_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '_' || c == '-';
}

/* A name that no broker would take; NULL: it is sound. */
static const char *name_fault(const char *at, size_t n)
{
    if (n > KAFKA_TOPIC_MAX)
        return "is longer than 249 bytes";
    if ((n == 1 && at[0] == '.') || (n == 2 && at[0] == '.' && at[1] == '.'))
        return "is no name";
    for (size_t i = 0; i < n; i++)
        if (!is_name_byte(at[i]))
            return "has other bytes than letters, digits, '.', '_' and '-'; patterns go "
                   "into topic_pattern";
    return NULL;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Ascending, each once. */
static void sort_names(struct kafka_wanted *w)
{
    size_t kept = 0;

    qsort(w->name, w->name_n, sizeof *w->name, by_bytes);
    for (size_t i = 0; i < w->name_n; i++) {
        if (kept > 0 && strcmp(w->name[kept - 1], w->name[i]) == 0)
            free(w->name[i]);
        else
            w->name[kept++] = w->name[i];
    }
    w->name_n = kept;
}

static int32_t read_names(struct kafka_wanted *w, const struct parti_conf *conf,
                          const char *text, struct parti_error *error)
{
    uint32_t line = parti_conf_line(conf, "topics");
    size_t most = 1;

    for (const char *at = text; *at != '\0'; at++)
        most += *at == ',' || *at == '\n' || *at == ' ' || *at == '\t';
    w->name = calloc(most, sizeof *w->name);
    if (w->name == NULL)
        return PARTI_NOMEM;
    for (const char *at = text; *at != '\0';) {
        size_t n = strcspn(at, ", \t\r\n");

        if (n > 0) {
            const char *fault = name_fault(at, n);

            if (fault == NULL && w->name_n == KAFKA_TOPICS_MAX)
                fault = "is one too many; use topic_pattern";
            if (fault != NULL) {
                error->line = line;
                return parti_fail(error, PARTI_BADCONF, "topics: '%.*s' %s",
                                  n < 60 ? (int)n : 60, at, fault);
            }
            w->name[w->name_n] = strndup(at, n);
            if (w->name[w->name_n] == NULL)
                return PARTI_NOMEM;
            w->name_n++;
        }
        line += at[n] == '\n';
        at += n + (at[n] != '\0');
    }
    sort_names(w);
    return PARTI_OK;
}

/* The pattern stands for whole names, so it is put between anchors. */
static int32_t read_pattern(struct kafka_wanted *w, const struct parti_conf *conf,
                            const char *text, struct parti_error *error)
{
    size_t room = strlen(text) + 5;
    char *whole = malloc(room), why[160];
    int failed;

    w->pattern_text = strdup(text);
    if (whole == NULL || w->pattern_text == NULL) {
        free(whole);
        return PARTI_NOMEM;
    }
    (void)snprintf(whole, room, "^(%s)$", text);
    failed = regcomp(&w->pattern, whole, REG_EXTENDED | REG_NOSUB);
    free(whole);
    if (failed == 0) {
        w->has_pattern = 1;
        return PARTI_OK;
    }
    (void)regerror(failed, &w->pattern, why, sizeof why);
    error->line = parti_conf_line(conf, "topic_pattern");
    return parti_fail(error, PARTI_BADCONF, "topic_pattern: %s", why);
}

int32_t kafka_wanted_init(struct kafka_wanted *w, const struct parti_conf *conf,
                          struct parti_error *error)
{
    const char *topics = parti_conf_text(conf, "topics");
    const char *pattern = parti_conf_text(conf, "topic_pattern");
    int32_t code = PARTI_OK;

    *w = (struct kafka_wanted){0};
    if (topics != NULL)
        code = read_names(w, conf, topics, error);
    if (code == PARTI_OK && pattern != NULL && *pattern != '\0')
        code = read_pattern(w, conf, pattern, error);
    if (code == PARTI_OK && w->name_n == 0 && !w->has_pattern)
        code = parti_fail(error, PARTI_BADCONF,
                          "there is neither 'topics =' nor 'topic_pattern ='; give one, "
                          "for example topics = orders");
    if (code != PARTI_OK)
        kafka_wanted_finish(w);
    return code;
}

void kafka_wanted_finish(struct kafka_wanted *w)
{
    for (size_t i = 0; i < w->name_n; i++)
        free(w->name[i]);
    free(w->name);
    if (w->has_pattern)
        regfree(&w->pattern);
    free(w->pattern_text);
    *w = (struct kafka_wanted){0};
}
