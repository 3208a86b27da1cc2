/* A consumer over files, for the tests of consuming: a folder is the broker.
 *
 *   DIR/origin       a number, the life of the broker (no file: 1)
 *   DIR/first        a number: what lies below it was deleted by limits (no file: 0)
 *   DIR/q.PARTITION  one message a line, keys joined by '.'; line i is position 10 * i
 *   DIR/dead         written: "TARGET POSITION ATTEMPTS-HEADER DATA" a line
 *   DIR/log          written: what the host asked, "start PARTITION NEXT TOKEN" and so on
 *
 * A line that begins with '@' consists of fields with tabs between: Kkey, Hname:value,
 * Xhexdata, Ddata.  Any other line is the data.  One thread polls the files of the lanes
 * that are started.  'behave' names one rule to break, or is 'flood', 'gloomy' or 'mute'.
 */
#include "parti_consumer.h"
#include "parti_fits.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { LANES = 4096, LINE = 1 << 20, STEP = 10, BATCH = 64, FIELDS = 32 };

struct lane {
    uint64_t run; /* 0: not started */
    uint64_t token_gen, token_since;
    uint64_t next; /* position to deliver next */
    uint64_t credit;
    int32_t has_begun;
    long at; /* offset of line 'line' in the file */
    uint64_t line;
    char name[600];
};

struct broker {
    const struct parti_host *host;
    const struct parti_inlet *inlet;
    char dir[2048];
    char behave[32];
    pthread_mutex_t lock;
    pthread_t thread;
    atomic_int is_ending;
    int32_t has_broken; /* the rule, once */
    struct lane lane[LANES];
};

static int32_t does(const struct broker *b, const char *what)
{
    return strcmp(b->behave, what) == 0;
}

static void path_of(const struct broker *b, const char *name, char *to, size_t room)
{
    (void)snprintf(to, room, "%s/%s", b->dir, name);
}

static uint64_t number_in(const struct broker *b, const char *name, uint64_t otherwise)
{
    char path[4096];
    unsigned long long n = otherwise;
    FILE *in;

    path_of(b, name, path, sizeof path);
    in = fopen(path, "re");
    if (in == NULL)
        return otherwise;
    if (fscanf(in, "%llu", &n) != 1)
        n = otherwise;
    (void)fclose(in);
    return n;
}

/* One line in one write, so that several processes can share the file. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
note(const struct broker *b, const char *file, const char *format, ...)
{
    static _Thread_local char line[LINE];
    char path[4096];
    va_list args;
    int n, fd;

    va_start(args, format);
    n = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    if (n < 0 || n > LINE - 2)
        n = LINE - 2;
    line[n++] = '\n';
    path_of(b, file, path, sizeof path);
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)!write(fd, line, (size_t)n);
        (void)close(fd);
    }
}

/* ---- reading ----------------------------------------------------------------------- */

struct fields {
    char bytes[2][4096]; /* header names and values */
    uint64_t end[2][FIELDS];
    uint64_t n;
};

static size_t from_hex(char *text)
{
    size_t n = 0;
    unsigned byte;

    for (char *at = text; at[0] != '\0' && at[1] != '\0'; at += 2)
        if (sscanf(at, "%2x", &byte) == 1)
            text[n++] = (char)byte;
    return n;
}

static void put_field(struct fields *f, int column, const char *text, size_t n)
{
    uint64_t at = f->n > 0 ? f->end[column][f->n - 1] : 0;

    if (at + n > sizeof f->bytes[0])
        n = 0;
    memcpy(f->bytes[column] + at, text, n);
    f->end[column][f->n] = at + n;
}

/* The line becomes the message, in place. */
static void parse(char *line, struct parti_consumer_message *m, struct fields *f)
{
    f->n = 0;
    m->data = line;
    m->data_n = strlen(line);
    if (line[0] != '@')
        return;
    m->data_n = 0;
    for (char *at = line + 1, *end; at != NULL; at = end) {
        end = strchr(at, '\t');
        if (end != NULL)
            *end++ = '\0';
        if (at[0] == 'K') {
            m->key = at + 1;
            m->key_n = strlen(at + 1);
        } else if (at[0] == 'D' || at[0] == 'X') {
            m->data = at + 1;
            m->data_n = at[0] == 'D' ? strlen(at + 1) : from_hex(at + 1);
        } else if (at[0] == 'H' && strchr(at, ':') != NULL && f->n < FIELDS) {
            const char *colon = strchr(at, ':');

            put_field(f, 0, at + 1, (size_t)(colon - at) - 1);
            put_field(f, 1, colon + 1, strlen(colon + 1));
            f->n++;
        }
    }
    if (f->n > 0) {
        m->header_name = (struct parti_strs){f->bytes[0], f->end[0], f->n};
        m->header_value = (struct parti_strs){f->bytes[1], f->end[1], f->n};
    }
}

/* behave = gloomy: a message "trouble WHY" or "fine" says so before it is delivered. */
static void complain(struct broker *b, uint32_t lane, const struct lane *l,
                     const struct parti_consumer_message *m)
{
    const struct parti_inlet *in = b->inlet;
    const char *text = m->data;

    if (strncmp(text, "trouble ", 8) == 0)
        in->trouble(in, lane, l->run, PARTI_RETRY, text + 8);
    else if (strcmp(text, "fine") == 0)
        in->trouble(in, lane, l->run, PARTI_OK, "");
}

/* Breaks the rule that 'behave' names, when there is a message to break it with. */
static void misbehave(struct broker *b, uint32_t lane, const struct lane *l,
                      const struct parti_consumer_message *m)
{
    const struct parti_inlet *in = b->inlet;
    struct parti_consumer_message bad = *m;

    if (does(b, "gloomy"))
        complain(b, lane, l, m);
    if (b->has_broken)
        return;
    b->has_broken = 1;
    if (does(b, "overrun")) {
        struct parti_consumer_message many[BATCH * 4];

        for (int i = 0; i < BATCH * 4; i++) {
            many[i] = *m;
            many[i].position += (uint64_t)i;
        }
        (void)in->deliver(in, lane, l->run, many, BATCH * 4);
    } else if (does(b, "descend")) {
        (void)in->deliver(in, lane, l->run, m, 1);
        (void)in->deliver(in, lane, l->run, m, 1);
    } else if (does(b, "lane")) {
        (void)in->deliver(in, 4000000000u, l->run, m, 1);
    } else if (does(b, "run")) {
        (void)in->deliver(in, lane, l->run + 7, m, 1);
    } else if (does(b, "twice")) {
        in->begun(in, lane, l->run, 1, 0);
    } else if (does(b, "bury")) {
        in->buried(in, lane, l->run, m->position, PARTI_OK, "");
    } else if (does(b, "unsound")) {
        bad.subject = NULL;
        (void)in->deliver(in, lane, l->run, &bad, 1);
    } else if (does(b, "hang")) {
        b->has_broken = 2; /* the next call of the host does not return */
    } else if (does(b, "trouble")) {
        in->trouble(in, lane, l->run, PARTI_RETRY, "the broker is having its lunch");
        in->trouble(in, lane, l->run, PARTI_OK, "");
    } else {
        b->has_broken = 0;
    }
}

/* behave = flood: messages from nowhere, as many as are allowed, several a call. */
static int32_t flood(struct broker *b, uint32_t lane)
{
    static const char data[100] = "a hundred bytes";
    struct parti_consumer_message m[BATCH];
    struct lane *l = &b->lane[lane];
    uint64_t n = l->credit < BATCH ? l->credit : BATCH;

    for (uint64_t i = 0; i < n; i++) {
        memset(&m[i], 0, sizeof m[i]);
        m[i].size = (uint32_t)sizeof m[i];
        m[i].position = l->next + i;
        m[i].subject = "flood";
        m[i].data = data;
        m[i].data_n = sizeof data;
    }
    if (n == 0 || b->inlet->deliver(b->inlet, lane, l->run, m, n) != PARTI_OK)
        return 0;
    l->credit -= n;
    l->next += n;
    return 1;
}

/* Delivers what is there and allowed of one lane; nonzero if there was anything. */
static int32_t serve(struct broker *b, uint32_t lane, char *line)
{
    struct lane *l = &b->lane[lane];
    char path[4096], name[700];
    int32_t any = 0;
    FILE *in;

    if (does(b, "mute")) /* as long as it is not reached */
        return 0;
    if (!l->has_begun) {
        uint64_t first = number_in(b, "first", 0), origin = number_in(b, "origin", 1);

        if (l->next < first)
            l->next = first;
        l->has_begun = 1;
        if (!does(b, "early"))
            b->inlet->begun(b->inlet, lane, l->run, origin,
                            does(b, "below") && l->next > 0 ? l->next - 1 : l->next);
        any = 1;
    }
    if (l->credit == 0)
        return any;
    if (does(b, "flood"))
        return flood(b, lane) | any;
    (void)snprintf(name, sizeof name, "q.%s", l->name);
    path_of(b, name, path, sizeof path);
    in = fopen(path, "re");
    if (in == NULL)
        return any;
    (void)fseek(in, l->at, SEEK_SET);
    while (l->credit > 0 && fgets(line, LINE, in) != NULL) {
        char subject[700];
        size_t n = strlen(line);
        struct parti_consumer_message m;
        struct fields f;

        if (n == 0 || line[n - 1] != '\n')
            break; /* being written */
        line[n - 1] = '\0';
        if (l->line * STEP >= l->next) {
            memset(&m, 0, sizeof m);
            (void)snprintf(subject, sizeof subject, "test.%s", l->name);
            m.size = (uint32_t)sizeof m;
            m.position = l->line * STEP;
            m.time_ms = 1700000000000;
            m.subject = subject;
            parse(line, &m, &f);
            misbehave(b, lane, l, &m);
            if (b->inlet->deliver(b->inlet, lane, l->run, &m, 1) != PARTI_OK)
                break; /* again later */
            l->credit--;
            l->next = m.position + 1;
            any = 1;
        }
        l->line++;
        l->at = ftell(in);
    }
    (void)fclose(in);
    return any;
}

static void *run(void *arg)
{
    struct broker *b = arg;
    char *line = malloc(LINE);

    while (line != NULL && !atomic_load(&b->is_ending)) {
        int32_t any = 0;

        for (uint32_t i = 0; i < LANES; i++) {
            (void)pthread_mutex_lock(&b->lock);
            if (b->lane[i].run != 0)
                any |= serve(b, i, line);
            (void)pthread_mutex_unlock(&b->lock);
        }
        if (!any)
            (void)poll(NULL, 0, 2);
    }
    free(line);
    return NULL;
}

/* ---- the interface ----------------------------------------------------------------- */

static int32_t create(void **self, const struct parti_host *host,
                      const struct parti_conf *conf, const struct parti_inlet *inlet,
                      struct parti_error *error)
{
    struct broker *b = calloc(1, sizeof *b);
    const char *behave = parti_conf_text(conf, "behave");
    const char *dir = parti_conf_text(conf, "dir");

    if (b == NULL)
        return parti_fail(error, PARTI_NOMEM, "out of memory");
    b->host = host;
    b->inlet = inlet;
    (void)snprintf(b->dir, sizeof b->dir, "%s", dir != NULL ? dir : ".");
    (void)snprintf(b->behave, sizeof b->behave, "%s", behave != NULL ? behave : "well");
    if (does(b, "badconf")) {
        free(b);
        error->line = parti_conf_line(conf, "behave");
        return parti_fail(error, PARTI_BADCONF, "such behaviour does not please");
    }
    (void)pthread_mutex_init(&b->lock, NULL);
    if (pthread_create(&b->thread, NULL, run, b) != 0) {
        free(b);
        return parti_fail(error, PARTI_NOMEM, "no thread");
    }
    *self = b;
    return PARTI_OK;
}

/* Does what a broken plugin may do to the host's thread. */
static void maybe_hang(const struct broker *b)
{
    while (does(b, "hang") && b->has_broken == 2 && !atomic_load(&b->is_ending))
        (void)poll(NULL, 0, 50);
}

static int32_t start(void *self, const struct parti_consumer_start *s,
                     struct parti_error *error)
{
    struct broker *b = self;
    struct lane *l;

    if (s->lane >= LANES)
        return parti_fail(error, PARTI_NOMEM, "more lanes than this broker has");
    l = &b->lane[s->lane];
    (void)pthread_mutex_lock(&b->lock);
    memset(l, 0, sizeof *l);
    for (uint64_t i = 0; i < s->id_n && i < sizeof l->name - 1; i++)
        l->name[i] = s->id[i] != '\0' ? s->id[i] : '.';
    l->run = s->run;
    l->token_gen = s->token_gen;
    l->token_since = s->token_since;
    l->next = s->origin == number_in(b, "origin", 1) ? s->next : 0;
    note(b, "log", "start %s %llu %llu-%llu", l->name, (unsigned long long)s->next,
         (unsigned long long)s->token_gen, (unsigned long long)s->token_since);
    if (does(b, "unfit")) {
        l->run = 0;
        (void)pthread_mutex_unlock(&b->lock);
        return parti_fail(error, PARTI_BADINPUT, "the partition has too few keys");
    }
    (void)pthread_mutex_unlock(&b->lock);
    return PARTI_OK;
}

static void credit(void *self, uint32_t lane, uint64_t n)
{
    struct broker *b = self;

    maybe_hang(b);
    (void)pthread_mutex_lock(&b->lock);
    b->lane[lane].credit += n;
    (void)pthread_mutex_unlock(&b->lock);
    note(b, "log", "credit %s %llu", b->lane[lane].name, (unsigned long long)n);
}

static void done(void *self, uint32_t lane, uint64_t next)
{
    struct broker *b = self;

    note(b, "log", "done %s %llu", b->lane[lane].name, (unsigned long long)next);
}

static void bury(void *self, uint32_t lane, const struct parti_consumer_message *m,
                 const char *target, const struct parti_strs *name,
                 const struct parti_strs *value)
{
    struct broker *b = self;
    char headers[2048] = "";
    size_t n = 0;

    for (uint64_t i = 0; i < name->n; i++) {
        uint64_t name_n, value_n;
        const char *name_at = parti_str(name, i, &name_n);
        const char *value_at = parti_str(value, i, &value_n);

        n += (size_t)snprintf(headers + n, sizeof headers - n, "%s%.*s=%.*s",
                              i > 0 ? ";" : "", (int)name_n, name_at, (int)value_n,
                              value_at);
        if (n >= sizeof headers)
            break;
    }
    if (does(b, "nobury") && b->has_broken++ < 2) {
        b->inlet->buried(b->inlet, lane, b->lane[lane].run, m->position, PARTI_RETRY,
                         "the graveyard is closed");
        return;
    }
    note(b, "dead", "%s %llu %s %.*s", target, (unsigned long long)m->position, headers,
         (int)m->data_n, m->data);
    b->inlet->buried(b->inlet, lane, b->lane[lane].run, m->position, PARTI_OK, "");
}

static void stop(void *self, uint32_t lane, uint32_t is_last)
{
    struct broker *b = self;

    (void)pthread_mutex_lock(&b->lock);
    b->lane[lane].run = 0;
    (void)pthread_mutex_unlock(&b->lock);
    note(b, "log", "stop %s %u", b->lane[lane].name, is_last);
}

static void destroy(void *self)
{
    struct broker *b = self;

    atomic_store(&b->is_ending, 1);
    (void)pthread_join(b->thread, NULL);
    (void)pthread_mutex_destroy(&b->lock);
    free(b);
}

static const struct parti_option options[] = {
    {.name = "dir",
     .help = "The folder that is the broker.",
     .type = PARTI_PATH,
     .flags = PARTI_REQUIRED},
    {.name = "behave", .help = "Which rule to break.", .fallback = "well"},
    {.name = NULL},
};

static const struct parti_consumer consumer = {.size = sizeof consumer,
                                               .option = options,
                                               .create = create,
                                               .start = start,
                                               .credit = credit,
                                               .done = done,
                                               .bury = bury,
                                               .stop = stop,
                                               .destroy = destroy};

/* behave = unfit: of no partition, before it is to be read. */
static int32_t fits_id(void *self, const char *id, uint64_t id_n,
                       struct parti_error *error)
{
    (void)id, (void)id_n;
    return !does(self, "unfit")
               ? PARTI_OK
               : parti_fail(error, PARTI_BADINPUT, "the partition has too few keys");
}

static const struct parti_fits fits = {.size = sizeof fits, .fits = fits_id};

static const void *extension(const char *id)
{
    if (strcmp(id, PARTI_FITS_ID) == 0)
        return &fits;
    return strcmp(id, PARTI_CONSUMER_ID) == 0 ? &consumer : NULL;
}

static const struct parti_plugin about = {.size = sizeof about,
                                          .abi_minor = PARTI_ABI_MINOR,
                                          .id = "org.example.broker",
                                          .version = "1",
                                          .summary = "messages from files, for tests",
                                          .extension = extension};
PARTI_PLUGIN_ENTRY(about)
