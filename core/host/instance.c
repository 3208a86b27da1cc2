#include "host/instance.h"

#include "base/errors.h"
#include "base/status.h"
#include "host/log.h"
#include "host/option_borrow.h"
#include "host/threads.h"

#include "config.h"

#include <string.h>

static int32_t on_log_on(const struct parti_host *host, int32_t level)
{
    (void)host;
    if (level < PARTI_DEBUG || level > PARTI_ERROR)
        level = PARTI_ERROR;
    return log_on((enum log_level)level);
}

static void on_log(const struct parti_host *host, int32_t level, const char *text,
                   uint64_t length)
{
    const struct instance *in = host->ctx;

    if (level < PARTI_DEBUG || level > PARTI_ERROR)
        level = PARTI_ERROR;
    if (text != NULL)
        log_write((enum log_level)level, in->name, text, (size_t)length);
}

static void on_changed(const struct parti_host *host)
{
    const struct instance *in = host->ctx;

    if (in->changed != NULL)
        in->changed(in->changed_ctx);
}

static int32_t on_stop_wanted(const struct parti_host *host)
{
    struct instance *in = host->ctx;
    uint64_t deadline = atomic_load(&in->deadline_ms);

    return atomic_load(&in->stop) ||
           (deadline != UINT64_MAX && threads_now_ms() >= deadline);
}

static const void *on_extension(const struct parti_host *host, const char *id)
{
    (void)host;
    (void)id;
    return NULL; /* ABI 1.0 has none */
}

void instance_init(struct instance *in, const char *section, const char *plugin,
                   void (*changed)(void *ctx), void *ctx)
{
    *in = (struct instance){0};
    (void)snprintf(in->name, sizeof in->name, "%s %s", section, plugin);
    atomic_init(&in->stop, false);
    atomic_init(&in->deadline_ms, UINT64_MAX);
    in->changed = changed;
    in->changed_ctx = ctx;
    in->table = (struct parti_host){
        .size = sizeof in->table,
        .abi_minor = PARTI_ABI_MINOR,
        .ctx = in,
        .version = PACKAGE_VERSION,
        .log_on = on_log_on,
        .log = on_log,
        .changed = on_changed,
        .stop_wanted = on_stop_wanted,
        .extension = on_extension,
    };
}

void instance_stop(struct instance *in, bool is_wanted)
{
    atomic_store(&in->stop, is_wanted);
}

void instance_deadline(struct instance *in, uint64_t deadline_ms)
{
    atomic_store(&in->deadline_ms, deadline_ms);
}

int instance_load(const struct conf_plugin *conf, const char *plugin_dir,
                  enum plugin_kind kind, struct conf_errors *errors,
                  const struct plugin **ret_plugin, struct option_conf **ret_options)
{
    const struct plugin *plugin = NULL;
    struct option_conf *options = NULL;
    struct option_section section;
    struct plugin_error why;
    int status = plugin_load(conf->plugin, plugin_dir, kind, &plugin, &why);

    if (status != STATUS_OK) {
        conf_errors_add(errors, conf->plugin_line, "%s", why.text);
        return status;
    }
    status = option_borrow(&conf->section, plugin_options(plugin, kind),
                           &plugin->connection, &section);
    if (status != STATUS_OK)
        return status;
    status = option_build(&section, plugin_options(plugin, kind), plugin->name, errors,
                          &options);
    option_borrow_free(&conf->section, &section);
    if (status != STATUS_OK)
        return status;
    *ret_plugin = plugin;
    *ret_options = options;
    return STATUS_OK;
}

void instance_error_init(struct parti_error *error)
{
    *error = (struct parti_error){.size = sizeof *error};
}

const char *instance_error_text(struct parti_error *error)
{
    error->text[sizeof error->text - 1] = '\0';
    if (error->text[0] == '\0')
        (void)parti_fail(error, 0, "it gave no reason");
    return error->text;
}

const char *instance_code_name(int32_t code)
{
    static const char *const name[] = {
        [PARTI_OK] = "OK",
        [PARTI_RETRY] = "RETRY",
        [PARTI_BADCONF] = "BADCONF",
        [PARTI_BADINPUT] = "BADINPUT",
        [PARTI_NOMEM] = "NOMEM",
        [PARTI_CANCELED] = "CANCELED",
        [PARTI_UNSUPPORTED] = "UNSUPPORTED",
        [PARTI_BUG] = "BUG",
        [PARTI_KEEP] = "KEEP",
        [PARTI_MISSING] = "MISSING",
        [PARTI_DENIED] = "DENIED",
        [PARTI_TIMEOUT] = "TIMEOUT",
    };

    if (code < 0 || (size_t)code >= sizeof name / sizeof *name)
        return "an unknown code";
    return name[code];
}

int instance_refused(const struct instance *in, const struct conf_plugin *conf,
                     int32_t code, struct parti_error *error, struct conf_errors *errors)
{
    if (code == PARTI_BADCONF) {
        uint32_t line = error->line != 0 ? error->line : conf->section.line;

        conf_errors_add(errors, line, "%s: %s", in->name, instance_error_text(error));
        return STATUS_INVALID;
    }
    conf_errors_add(errors, conf->plugin_line,
                    "PARTI-E%d %s cannot start (%s): %s; see what it says above, or "
                    "ask its vendor",
                    ERR_PLUGIN_START, in->name, instance_code_name(code),
                    instance_error_text(error));
    return code == PARTI_NOMEM ? STATUS_NOMEM
           : code == PARTI_BUG ? STATUS_BUG
                               : STATUS_IO;
}
