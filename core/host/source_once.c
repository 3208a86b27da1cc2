/* One listing, waited for. */
#include "host/source.h"

#include "base/errors.h"
#include "base/status.h"
#include "host/threads.h"

struct once {
    struct gate gate;
    bool is_done;
    int status;
    struct listing *listing;
    struct conf_errors *errors;
    const struct sources_setup *setup;
};

/* What the far end has or has not; the file may be without a mistake. */
static bool is_away(const struct source_result *r)
{
    if (r->status == STATUS_INVALID || r->status == STATUS_NOMEM)
        return false;
    return r->code == ERR_SOURCE_FAILED || r->code == ERR_SOURCE_TIMEOUT ||
           r->code == ERR_SOURCE_MISSING || r->code == ERR_SOURCE_DENIED;
}

static void on_done(void *ctx, const struct source_result *r)
{
    struct once *once = ctx;

    gate_lock(&once->gate);
    once->status = r->status;
    if (r->status == STATUS_OK)
        once->listing = listing_ref(r->listing);
    else if (once->setup->away != NULL && is_away(r))
        (void)snprintf(once->setup->away, once->setup->away_room, "%s", r->text);
    else
        conf_errors_add(once->errors, 0, "%s", r->text);
    once->is_done = true;
    gate_tell(&once->gate);
    gate_unlock(&once->gate);
}

int sources_list_once(const struct sources_setup *setup, struct conf_errors *errors,
                      struct listing **ret)
{
    struct sources_setup own = *setup;
    struct once once = {.errors = errors, .setup = setup};
    struct sources *s = NULL;
    int status = gate_init(&once.gate);

    if (status != STATUS_OK)
        return status;
    if (setup->away != NULL)
        setup->away[0] = '\0';
    own.is_quiet = true;
    own.done = on_done;
    own.ctx = &once;
    status = sources_create(&own, errors, &s);
    if (status == STATUS_OK) {
        sources_ask(s, true);
        gate_lock(&once.gate);
        while (!once.is_done) /* an ask is answered in bounded time */
            (void)gate_wait(&once.gate, UINT64_MAX);
        gate_unlock(&once.gate);
        status = once.status;
    }
    sources_destroy(s);
    gate_finish(&once.gate);
    if (status == STATUS_OK)
        *ret = once.listing;
    else
        listing_unref(once.listing);
    return status;
}
