/* Source 'jetstream': partitions from the subjects of a stream, from its consumers, or
 * from the keys of a bucket.
 *
 *     [source]
 *     plugin = jetstream
 *     url = nats://127.0.0.1:4222
 *     stream = TELEMETRY
 *     subject = telemetry.*.*.>
 *     depth = 2                 ; telemetry.eu.7.temperature -> telemetry/eu/7
 *     weight = messages
 *
 * It speaks the JetStream API over a connection of its own; see README.md.
 */
#include "plugins/jetstream/jet_parts.h"
#include "plugins/jetstream/jet_source.h"

#include "parti_connection.h"
#include "parti_fits.h"

static const struct parti_option options[] = {
    JET_LINK_OPTIONS,
    {.name = "domain",
     .help = "The JetStream domain, where it is not the server's own.",
     .type = PARTI_STR},
    {.name = "from",
     .fallback = "subjects",
     .choices = "subjects|consumers|keys",
     .help = "What the partitions are: the subjects of a stream, its consumers, or the "
             "keys of a bucket.",
     .type = PARTI_STR},
    {.name = "stream",
     .help = "The stream, where from = subjects or consumers.",
     .type = PARTI_STR},
    {.name = "bucket",
     .help = "The key-value bucket, where from = keys.",
     .type = PARTI_STR},
    {.name = "subject",
     .fallback = ">",
     .help = "Which subjects count, or which keys of the bucket; '*' and '>' as in NATS.",
     .type = PARTI_STR},
    {.name = "consumer",
     .fallback = "*",
     .help = "Which consumers count; '*' stands for any characters.",
     .type = PARTI_STR},
    {.name = "ephemeral",
     .fallback = "no",
     .help = "Do consumers that are not durable count, too?",
     .type = PARTI_BOOL},
    {.name = "keys",
     .help = "A template of the keys, such as orders/{2}: {N} is token N of the subject, "
             "counted from 1, {N>} that and all behind it. Subjects that give the same "
             "keys are one partition.",
     .type = PARTI_STR},
    {.name = "depth",
     .fallback = "0",
     .help = "Without a template each token is a key; so many tokens count behind the "
             "fixed beginning of 'subject'. 0: all.",
     .max = 63,
     .type = PARTI_INT},
    {.name = "split",
     .fallback = ".",
     .help = "The character between tokens.",
     .type = PARTI_STR},
    {.name = "weight",
     .fallback = "fixed",
     .choices = "fixed|messages|pending",
     .help = "What a partition weighs: all the same, by the messages in the stream (from "
             "= subjects), or by those its consumer has not had yet (from = consumers).",
     .type = PARTI_STR},
    WEIGH_OPTIONS("messages", "100"),
    {.name = "poll_interval",
     .fallback = "2 s",
     .help = "How often to look whether something changed, which is cheap; 0: never.",
     .max = 3600 * INT64_C(1000),
     .type = PARTI_MSEC},
    {.name = NULL},
};

/* ---- the section ---------------------------------------------------------------- */

static int32_t bad(const struct parti_conf *conf, const char *key, const char *why,
                   struct parti_error *error)
{
    error->line = parti_conf_line(conf, key);
    return parti_fail(error, PARTI_BADCONF, "%s: %s", key, why);
}

/* A token of a subject, as names of streams and buckets must be. */
const char *jet_name_fault(const char *name)
{
    if (name[0] == '\0' || strlen(name) > 240)
        return "a name has from 1 to 240 bytes";
    for (const char *at = name; *at != '\0'; at++)
        if ((unsigned char)*at <= ' ' || *at == 127 || strchr(".*>/\\", *at) != NULL)
            return "a name holds no blank and none of . * > / and backslash";
    return NULL;
}

/* Which stream, and how it is called in texts. */
static int32_t read_stream(struct jet_source *s, const struct parti_conf *conf,
                           int32_t is_bucket, struct parti_error *error)
{
    const char *key = is_bucket ? "bucket" : "stream";
    const char *other = is_bucket ? "stream" : "bucket";
    const char *name = parti_conf_text(conf, key);
    const char *domain = parti_conf_text(conf, "domain");
    const char *why;

    if (parti_conf_text(conf, other) != NULL)
        return bad(conf, other,
                   is_bucket ? "from = keys needs 'bucket', and no stream"
                             : "it goes with from = keys; give 'stream' instead",
                   error);
    if (name == NULL)
        return bad(conf, "from",
                   is_bucket ? "from = keys needs 'bucket = NAME'"
                             : "subjects and consumers need 'stream = NAME'",
                   error);
    why = jet_name_fault(name);
    if (why != NULL)
        return bad(conf, key, why, error);
    why = domain != NULL ? jet_name_fault(domain) : NULL;
    if (why != NULL)
        return bad(conf, "domain", why, error);
    (void)snprintf(s->api.prefix, sizeof s->api.prefix, "$JS%s%s.API",
                   domain != NULL ? "." : "", domain != NULL ? domain : "");
    (void)snprintf(s->api.stream, sizeof s->api.stream, "%s%s", is_bucket ? "KV_" : "",
                   name);
    (void)snprintf(s->api.shown, sizeof s->api.shown, "%s %s", key, name);
    return PARTI_OK;
}

static int32_t read_filter(struct jet_source *s, const struct parti_conf *conf,
                           int32_t is_bucket, struct parti_error *error)
{
    const char *filter = parti_conf_text(conf, "subject");
    const char *why = jet_keys_filter_fault(filter);
    size_t room = strlen(filter) + sizeof s->api.stream + 8;

    if (why != NULL)
        return bad(conf, "subject", why, error);
    s->filter = malloc(room);
    s->consumer = strdup(parti_conf_text(conf, "consumer"));
    if (s->filter == NULL || s->consumer == NULL)
        return PARTI_NOMEM;
    /* A bucket B is the stream KV_B, a key K of it the subject $KV.B.K. */
    if (is_bucket)
        (void)snprintf(s->filter, room, "$KV.%s.%s", s->api.stream + 3, filter);
    else
        (void)snprintf(s->filter, room, "%s", filter);
    s->skip = strlen(s->filter) - strlen(filter);
    return PARTI_OK;
}

static int32_t read_keys(struct jet_source *s, const struct parti_conf *conf,
                         int32_t is_consumers, struct parti_error *error)
{
    const char *template = parti_conf_text(conf, "keys");
    const char *split = parti_conf_text(conf, "split");
    uint32_t depth = (uint32_t)parti_conf_int(conf, "depth", 0);

    if (strlen(split) != 1)
        return bad(conf, "split", "it is one character", error);
    if (template != NULL && depth != 0)
        return bad(conf, "depth", "it goes without 'keys', which says all", error);
    if (depth != 0 && !is_consumers)
        depth += jet_keys_fixed(parti_conf_text(conf, "subject"));
    const char *why = jet_keys_init(&s->keys, template, depth, split[0]);
    return why == NULL ? PARTI_OK : bad(conf, "keys", why, error);
}

static int32_t read_weight(struct jet_source *s, const struct parti_conf *conf,
                           const char *from, struct parti_error *error)
{
    const char *weight = parti_conf_text(conf, "weight");

    s->by_pending = strcmp(weight, "pending") == 0;
    if (s->by_pending && strcmp(from, "consumers") != 0)
        return bad(conf, "weight", "pending goes with from = consumers", error);
    if (strcmp(weight, "messages") == 0 && strcmp(from, "subjects") != 0)
        return bad(conf, "weight", "messages goes with from = subjects", error);
    struct weigh_rule rule = weigh_rule_read(conf, strcmp(weight, "fixed") == 0);
    s->weigh = weigh_create(&rule);
    return s->weigh != NULL ? PARTI_OK : PARTI_NOMEM;
}

static int32_t read_section(struct jet_source *s, const struct parti_conf *conf,
                            enum jet_watch_kind *ret_kind, struct parti_error *error)
{
    const char *from = parti_conf_text(conf, "from");
    int32_t is_bucket = strcmp(from, "keys") == 0;
    int32_t is_consumers = strcmp(from, "consumers") == 0;
    int32_t code = read_stream(s, conf, is_bucket, error);

    s->ephemeral = (int32_t)parti_conf_int(conf, "ephemeral", 0);
    if (code == PARTI_OK)
        code = read_filter(s, conf, is_bucket, error);
    if (code == PARTI_OK)
        code = read_keys(s, conf, is_consumers, error);
    if (code == PARTI_OK)
        code = read_weight(s, conf, from, error);
    s->list = is_bucket      ? jet_list_keys
              : is_consumers ? jet_list_consumers
                             : jet_list_subjects;
    *ret_kind = is_bucket      ? JET_WATCH_KEYS
                : is_consumers ? JET_WATCH_CONSUMERS
                               : JET_WATCH_SUBJECTS;
    return code;
}

/* ---- the source ----------------------------------------------------------------- */

static void source_destroy(void *self)
{
    struct jet_source *s = self;

    if (s == NULL)
        return;
    jet_watch_stop(s->watch);
    jet_link_destroy(s->link);
    jet_watch_destroy(s->watch);
    weigh_destroy(s->weigh);
    (void)pthread_mutex_destroy(&s->mutex);
    free(s->filter);
    free(s->consumer);
    free(s);
    nats_ReleaseThreadMemory();
}

static int32_t source_create(void **self, const struct parti_host *host,
                             const struct parti_conf *conf, struct parti_error *error)
{
    struct jet_source *s = calloc(1, sizeof *s);
    enum jet_watch_kind kind;
    char name[96];

    if (s == NULL)
        return PARTI_NOMEM;
    s->host = host;
    (void)pthread_mutex_init(&s->mutex, NULL);
    (void)snprintf(name, sizeof name, "parti %.60s", conf->section);
    int32_t code = read_section(s, conf, &kind, error);
    if (code == PARTI_OK)
        code = jet_link_create(&s->link, conf, name, error);
    s->api.link = s->link;
    if (code == PARTI_OK)
        code =
            jet_watch_create(&s->watch, &s->api, kind,
                             (uint64_t)parti_conf_int(conf, "poll_interval", 2000), host);
    if (code != PARTI_OK) {
        source_destroy(s);
        return code;
    }
    *self = s;
    return PARTI_OK;
}

/* Names without a partition are no failure, but nobody would find out. */
static void tell_skipped(struct jet_source *s)
{
    const struct jet_skipped *skipped = &s->skipped;
    char text[640];

    if (skipped->n != 0 && s->told_n == 0) {
        (void)snprintf(text, sizeof text,
                       "%llu names of %s give no partition and are left out, '%s' among "
                       "them: %s",
                       (unsigned long long)skipped->n, s->api.shown, skipped->example,
                       skipped->why);
        parti_log(s->host, PARTI_WARN, text);
    }
    s->told_n = skipped->n;
}

static void tell_listed(struct jet_source *s, uint64_t took_ms)
{
    char text[640];

    (void)snprintf(text, sizeof text, "%s: %u partitions listed in %llu ms", s->api.shown,
                   weigh_count(s->weigh), (unsigned long long)took_ms);
    parti_log(s->host, PARTI_DEBUG, text);
}

static void set_task(struct jet_source *s, struct jet_task *task)
{
    (void)pthread_mutex_lock(&s->mutex);
    s->task = task;
    (void)pthread_mutex_unlock(&s->mutex);
}

static int32_t source_list(void *self, struct parti_sink *sink, uint64_t budget_ms,
                           struct parti_error *error)
{
    struct jet_source *s = self;
    uint64_t begun = jet_now_ms();
    /* Some is left over, so that what is told is our reason and not that we are late. */
    uint64_t margin = budget_ms / 10 < 500 ? budget_ms / 10 : 500;
    struct jet_task task = {.deadline_ms = begun + budget_ms - margin};

    jet_watch_listing(s->watch);
    set_task(s, &task);
    int32_t code = s->list(s, &task, error);
    set_task(s, NULL);
    if (code != PARTI_OK) {
        jet_watch_listed(s->watch, NULL, 0);
        return parti_code(s->host, code);
    }
    uint64_t took = jet_now_ms() - begun;
    weigh_end(s->weigh, jet_now_ms());
    jet_watch_listed(s->watch, &s->state, took);
    tell_skipped(s);
    tell_listed(s, took);
    return weigh_give(s->weigh, sink);
}

static void source_cancel(void *self)
{
    struct jet_source *s = self;

    (void)pthread_mutex_lock(&s->mutex);
    if (s->task != NULL)
        jet_link_stop(s->link, s->task);
    (void)pthread_mutex_unlock(&s->mutex);
}

static const struct parti_source source = {
    .size = sizeof source,
    .create = source_create,
    .list = source_list,
    .cancel = source_cancel,
    .destroy = source_destroy,
};

static const char *const connection_names[] = {"url",      "creds",    "nkey",
                                               "user",     "password", "tls_ca",
                                               "tls_cert", "tls_key",  "domain"};

static const struct parti_connection connection = {
    .size = sizeof connection,
    .n = sizeof connection_names / sizeof *connection_names,
    .name = connection_names,
};

static const void *extension(const char *id)
{
    if (strcmp(id, PARTI_CONSUMER_ID) == 0)
        return jet_consumer_role();
    if (strcmp(id, PARTI_FITS_ID) == 0)
        return jet_consumer_fits();
    return strcmp(id, PARTI_CONNECTION_ID) == 0 ? &connection : NULL;
}

static const struct parti_plugin about = {
    .size = sizeof about,
    .abi_minor = PARTI_ABI_MINOR,
    .needs_minor = 0,
    .id = "org.parti.jetstream",
    .version = PLUGIN_VERSION,
    .vendor = "Parti",
    .license = "Apache-2.0",
    .summary =
        "Partitions from a stream or a bucket; messages of partitions from a stream.",
    .source_option = options,
    .source = &source,
    .extension = extension,
};

PARTI_PLUGIN_ENTRY(about)
