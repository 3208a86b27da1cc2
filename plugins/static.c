/* Source 'static': partitions written down in the INI file or in a file beside it.
 *
 *     [source]
 *     plugin = static
 *     partitions = orders/0..31, returns/0..7 50
 *         invoices 400
 *     file = /etc/parti/partitions.txt
 *
 * Items stand between commas or on lines of their own; static_rows.h says what an item
 * is.  In the file there is one item a line (a comma is part of a name there), and a
 * '#' at the start of a line or after a blank begins a comment.  The file is read anew
 * at every listing; a change of it is told to the host.
 */
#include "static_rows.h"
#include "static_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    STATIC_FILE_MAX = 256 * 1024 * 1024, /* bytes of the file */
    STATIC_LINE_MAX = 4096               /* bytes of a line of it */
};

struct self {
    const struct parti_host *host;
    char *partitions; /* or NULL */
    uint32_t partitions_line;
    char *file; /* absolute, or NULL */
    struct static_watch *watch;
};

static void trim(const char **at, size_t *n)
{
    while (*n > 0 && (**at == ' ' || **at == '\t' || **at == '\r')) {
        (*at)++;
        (*n)--;
    }
    while (*n > 0 &&
           ((*at)[*n - 1] == ' ' || (*at)[*n - 1] == '\t' || (*at)[*n - 1] == '\r'))
        (*n)--;
}

/* Every item of 'partitions =' into the rows. */
static int32_t list_option(const struct self *self, struct static_rows *rows,
                           struct parti_error *error)
{
    uint32_t line = self->partitions_line;
    char why[STATIC_WHY_ROOM];

    for (const char *at = self->partitions; *at != '\0';) {
        size_t n = strcspn(at, ",\n");
        const char *item = at;
        size_t item_n = n;
        int32_t code = PARTI_OK;

        trim(&item, &item_n);
        if (item_n > 0)
            code = static_rows_item(rows, item, item_n, why);
        if (code == PARTI_BADCONF) {
            error->line = line;
            return parti_fail(error, code, "partitions: %s", why);
        }
        if (code != PARTI_OK)
            return code;
        line += at[n] == '\n';
        at += n + (at[n] != '\0');
    }
    return PARTI_OK;
}

/* One line of the file, without its newline. */
static int32_t list_line(struct static_rows *rows, const char *at, size_t n, char *why)
{
    if (n > STATIC_LINE_MAX) {
        (void)snprintf(why, STATIC_WHY_ROOM, "the line is longer than %d bytes",
                       STATIC_LINE_MAX);
        return PARTI_BADCONF;
    }
    for (size_t i = 0; i < n; i++)
        if (at[i] == '#' && (i == 0 || at[i - 1] == ' ' || at[i - 1] == '\t'))
            n = i;
    trim(&at, &n);
    return n == 0 ? PARTI_OK : static_rows_item(rows, at, n, why);
}

/* The text of the file.  What is wrong with a file may be put right while we run, so
 * every complaint about it is PARTI_RETRY: the last list stays. */
static int32_t list_text(const struct self *self, const char *text, size_t n,
                         struct static_rows *rows, struct parti_error *error)
{
    char why[STATIC_WHY_ROOM];
    uint64_t line = 1;
    size_t at = n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    for (; at < n; line++) {
        const char *newline = memchr(text + at, '\n', n - at);
        size_t length = newline != NULL ? (size_t)(newline - text) - at : n - at;
        int32_t code = list_line(rows, text + at, length, why);

        if (code == PARTI_BADCONF)
            return parti_fail(error, PARTI_RETRY, "%s:%llu: %s", self->file,
                              (unsigned long long)line, why);
        if (code != PARTI_OK)
            return code;
        at += length + (newline != NULL);
        if (line % 4096 == 0 && self->host->stop_wanted(self->host))
            return PARTI_CANCELED;
    }
    return PARTI_OK;
}

static int32_t read_all(int fd, char *to, size_t size, size_t *ret_n)
{
    size_t n = 0;

    while (n < size) {
        ssize_t got = read(fd, to + n, size - n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return 0;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    *ret_n = n;
    return 1;
}

static int32_t list_file(const struct self *self, struct static_rows *rows,
                         struct parti_error *error)
{
    /* Without O_NONBLOCK a FIFO put in the file's place would hold us for ever. */
    int fd = open(self->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int32_t code = PARTI_RETRY;
    char *text = NULL;
    struct stat st;
    size_t n = 0;

    if (fd < 0)
        return parti_fail(error, PARTI_RETRY, "%s: %s", self->file, strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)parti_fail(error, code, "%s is not a regular file", self->file);
    } else if (st.st_size > STATIC_FILE_MAX) {
        (void)parti_fail(error, code, "%s has %lld bytes; at most %d are read",
                         self->file, (long long)st.st_size, STATIC_FILE_MAX);
    } else if ((text = malloc((size_t)st.st_size + 1)) == NULL) {
        code = PARTI_NOMEM;
    } else if (!read_all(fd, text, (size_t)st.st_size + 1, &n)) {
        (void)parti_fail(error, code, "%s: %s", self->file, strerror(errno));
    } else if (n != (size_t)st.st_size) {
        (void)parti_fail(error, code, "%s changes while it is read", self->file);
    } else {
        code = list_text(self, text, n, rows, error);
    }
    free(text);
    (void)close(fd);
    return code;
}

static int32_t static_list(void *ctx, struct parti_sink *sink, uint64_t budget_ms,
                           struct parti_error *error)
{
    struct self *self = ctx;
    struct static_rows *rows = static_rows_create(sink);
    int32_t code = PARTI_OK;

    (void)budget_ms; /* the longest list takes milliseconds */
    if (rows == NULL)
        return PARTI_NOMEM;
    if (self->partitions != NULL)
        code = list_option(self, rows, error);
    if (code == PARTI_OK && self->file != NULL)
        code = list_file(self, rows, error);
    if (code == PARTI_OK)
        code = static_rows_flush(rows);
    static_rows_destroy(rows);
    return code;
}

/* A listing looks at stop_wanted() by itself. */
static void static_cancel(void *ctx)
{
    (void)ctx;
}

static void static_destroy(void *ctx)
{
    struct self *self = ctx;

    if (self == NULL)
        return;
    static_watch_destroy(self->watch);
    free(self->partitions);
    free(self->file);
    free(self);
}

/* The option is checked now, the file at every listing. */
static int32_t check_option(const struct self *self, struct parti_error *error)
{
    struct static_rows *rows = static_rows_create(NULL);
    int32_t code;

    if (rows == NULL)
        return PARTI_NOMEM;
    code = list_option(self, rows, error);
    static_rows_destroy(rows);
    return code;
}

static void watch_file(struct self *self)
{
    char text[256];

    self->watch = static_watch_create(self->file, self->host);
    if (self->watch != NULL)
        return;
    (void)snprintf(text, sizeof text,
                   "changes of %.100s are not noticed (%s); it is read again on SIGHUP, "
                   "'parti refresh' and refresh_interval",
                   self->file, strerror(errno));
    parti_log(self->host, PARTI_WARN, text);
}

static int32_t static_create(void **ret, const struct parti_host *host,
                             const struct parti_conf *conf, struct parti_error *error)
{
    const char *partitions = parti_conf_text(conf, "partitions");
    const char *file = parti_conf_text(conf, "file");
    struct self *self;
    int32_t code = PARTI_NOMEM;

    if (partitions == NULL && file == NULL)
        return parti_fail(error, PARTI_BADCONF,
                          "there is neither 'partitions =' nor 'file ='; give one, for "
                          "example partitions = orders/0..31");
    self = calloc(1, sizeof *self);
    if (self == NULL)
        return PARTI_NOMEM;
    self->host = host;
    if (partitions != NULL) {
        self->partitions_line = parti_conf_line(conf, "partitions");
        self->partitions = strdup(partitions);
        if (self->partitions == NULL)
            goto fail;
        code = check_option(self, error);
        if (code != PARTI_OK)
            goto fail;
    }
    if (file != NULL) {
        code = PARTI_NOMEM;
        self->file = strdup(file);
        if (self->file == NULL)
            goto fail;
        watch_file(self);
    }
    *ret = self;
    return PARTI_OK;
fail:
    static_destroy(self);
    return code;
}

static const struct parti_option static_option[] = {
    {.name = "partitions",
     .help = "The partitions: items between commas or on lines of their own, keys joined "
             "with '/', ranges such as orders/0..31, an optional weight after a blank.",
     .type = PARTI_STR,
     .flags = PARTI_LIST},
    {.name = "file",
     .help = "A file with one such item a line; read again when it changes.",
     .type = PARTI_PATH},
    {.name = NULL},
};

static const struct parti_source static_source = {
    .size = sizeof static_source,
    .create = static_create,
    .list = static_list,
    .cancel = static_cancel,
    .destroy = static_destroy,
};

static const struct parti_plugin static_plugin = {
    .size = sizeof static_plugin,
    .abi_minor = PARTI_ABI_MINOR,
    .needs_minor = 0,
    .id = "org.parti.static",
    .version = "1.0.0",
    .vendor = "Parti",
    .license = "Apache-2.0",
    .summary = "Partitions from the configuration or from a file.",
    .source_option = static_option,
    .source = &static_source,
};

PARTI_PLUGIN_ENTRY(static_plugin)
