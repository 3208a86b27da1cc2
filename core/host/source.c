#include "host/source_set.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/status.h"
#include "host/log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

static int add_source(struct sources *s, const struct conf_plugin *conf,
                      const char *plugin_dir, struct conf_errors *errors)
{
    struct slot *slot = &s->slot[s->slot_n];
    struct option_conf *options = NULL;
    const struct plugin *plugin = NULL;
    int status =
        instance_load(conf, plugin_dir, PLUGIN_SOURCE, errors, &plugin, &options);

    if (status != STATUS_OK)
        return status;
    slot->interval_ms = conf->refresh_interval_ms;
    slot->pause_ms = SOURCE_RETRY_MIN_MS;
    slot->plugin_line = conf->plugin_line;
    slot->section_line = conf->section.line;
    status = feed_create(s->hub, plugin, options, &slot->feed);
    if (status != STATUS_OK) {
        conf_errors_add(errors, conf->plugin_line, "%s: %s", plugin->name,
                        status_text(status));
        return status;
    }
    s->slot_n++;
    gate_lock(&s->hub->gate);
    feed_begin(slot->feed, false, s->budget_ms);
    gate_unlock(&s->hub->gate);
    return STATUS_OK;
}

/* How create() went; one that may succeed later is no error. */
static int await_create(struct sources *s, struct slot *slot, uint64_t deadline_ms,
                        struct conf_errors *errors)
{
    int status = STATUS_OK;

    gate_lock(&s->hub->gate);
    while (feed_is_busy(slot->feed) && threads_now_ms() < deadline_ms)
        (void)gate_wait(&s->hub->gate, deadline_ms);
    if (feed_is_busy(slot->feed)) {
        char text[SOURCE_TEXT_ROOM];

        (void)snprintf(text, sizeof text,
                       "PARTI-E%d %s did not come back from create() within %" PRIu64
                       " ms; it is listed when it does. Find out what it waits for, or "
                       "raise [timing] operation_timeout",
                       ERR_SOURCE_TIMEOUT, feed_name(slot->feed), s->budget_ms);
        source_slot_fail(s, slot, STATUS_TIMEOUT, ERR_SOURCE_TIMEOUT, text,
                         threads_now_ms());
        if (!s->is_quiet)
            log_warn("%s", text);
        slot->is_running = slot->is_stuck = true;
        gate_unlock(&s->hub->gate);
        return STATUS_OK;
    }
    struct feed_result *r = feed_result(slot->feed);
    if (r->code == PARTI_BADCONF) {
        uint32_t line = r->said.line != 0 ? r->said.line : slot->section_line;

        conf_errors_add(errors, line, "%s: %s", feed_name(slot->feed),
                        instance_error_text(&r->said));
        status = STATUS_INVALID;
    } else if (r->is_broken) {
        conf_errors_add(errors, slot->plugin_line, "%s", r->text);
        status = STATUS_BUG;
    } else if (r->code != PARTI_OK && !s->is_quiet) {
        log_warn("%s; this is tried again", r->text);
    }
    gate_unlock(&s->hub->gate);
    return status;
}

int sources_create(const struct sources_setup *setup, struct conf_errors *errors,
                   struct sources **ret)
{
    struct sources *s = calloc(1, sizeof *s + setup->source_n * sizeof s->slot[0]);
    uint64_t entropy[4] = {0};
    int status = STATUS_NOMEM, first = STATUS_OK;

    if (s == NULL || feed_hub_create(&s->hub) != STATUS_OK) {
        conf_errors_add(errors, 0, "%s", status_text(status));
        free(s);
        return status;
    }
    s->done = setup->done;
    s->ctx = setup->ctx;
    s->budget_ms = setup->budget_ms;
    s->is_quiet = setup->is_quiet;
    must(getentropy(entropy, sizeof entropy) == 0);
    rand_seed_wide(&s->random, entropy);
    /* Every mistake of every section is reported, so none ends the loop. */
    for (size_t i = 0; i < setup->source_n; i++) {
        status = add_source(s, &setup->source[i], setup->plugin_dir, errors);
        if (first == STATUS_OK)
            first = status;
    }
    uint64_t deadline = threads_now_ms() + s->budget_ms;
    for (size_t i = 0; i < s->slot_n; i++) {
        status = await_create(s, &s->slot[i], deadline, errors);
        if (first == STATUS_OK)
            first = status;
    }
    if (first == STATUS_OK) {
        first = threads_start(&s->keeper, source_keep, s);
        s->has_keeper = first == STATUS_OK;
        if (!s->has_keeper)
            conf_errors_add(errors, 0, "no thread can be started");
    }
    if (first != STATUS_OK) {
        sources_destroy(s);
        return first;
    }
    *ret = s;
    return STATUS_OK;
}

void sources_ask(struct sources *s, bool commanded)
{
    gate_lock(&s->hub->gate);
    s->asked++;
    if (commanded) {
        s->commanded_last = s->asked;
        if (s->commanded_first == 0)
            s->commanded_first = s->asked;
    }
    gate_tell(&s->hub->gate);
    gate_unlock(&s->hub->gate);
}

void sources_watch(struct sources *s, bool is_on)
{
    gate_lock(&s->hub->gate);
    s->is_forgetting = s->is_watching && !is_on;
    s->is_watching = is_on;
    gate_tell(&s->hub->gate);
    gate_unlock(&s->hub->gate);
}

void sources_destroy(struct sources *s)
{
    if (s == NULL)
        return;
    gate_lock(&s->hub->gate);
    s->is_ending = true;
    gate_tell(&s->hub->gate);
    gate_unlock(&s->hub->gate);
    if (s->has_keeper)
        (void)pthread_join(s->keeper, NULL);
    gate_lock(&s->hub->gate);
    for (size_t i = 0; i < s->slot_n; i++) {
        feed_end(s->slot[i].feed);
        feed_cancel(s->slot[i].feed);
    }
    uint64_t deadline = threads_now_ms() + SOURCE_GRACE_MS;
    for (size_t i = 0; i < s->slot_n; i++)
        feed_wait_end(s->slot[i].feed, deadline);
    gate_unlock(&s->hub->gate);
    for (size_t i = 0; i < s->slot_n; i++) {
        feed_release(s->slot[i].feed);
        source_rows_finish(&s->slot[i].rows);
    }
    listing_unref(s->last);
    feed_hub_release(s->hub);
    free(s);
}
