/* One plan, waited for. */
#include "host/strategy.h"

#include "base/status.h"
#include "host/threads.h"

#include <stdlib.h>
#include <string.h>

struct once {
    struct gate gate;
    bool is_done;
    bool is_nomem;
    struct plan_answer *answer;
};

static void on_done(void *ctx, const struct plan_result *r)
{
    struct once *once = ctx;
    struct plan_answer *a = once->answer;

    gate_lock(&once->gate);
    a->result = *r;
    (void)snprintf(a->text, sizeof a->text, "%s", r->text);
    a->result.text = a->text;
    a->result.owner = NULL;
    if (r->status == STATUS_OK) {
        a->owner = malloc(((size_t)r->n + 1) * sizeof *a->owner);
        once->is_nomem = a->owner == NULL;
        if (a->owner != NULL && r->n > 0)
            memcpy(a->owner, r->owner, r->n * sizeof *a->owner);
        a->result.owner = a->owner;
    }
    once->is_done = true;
    gate_tell(&once->gate);
    gate_unlock(&once->gate);
}

int strategy_plan_once(const struct strategy_setup *setup,
                       const struct plan_request *request, struct conf_errors *errors,
                       struct plan_answer *ret)
{
    struct strategy_setup own = *setup;
    struct strategy *s = NULL;
    struct once once = {.answer = ret};
    int status = gate_init(&once.gate);

    if (status != STATUS_OK)
        return status;
    memset(ret, 0, sizeof *ret);
    own.done = on_done;
    own.ctx = &once;
    status = strategy_create(&own, errors, &s);
    if (status == STATUS_OK)
        status = strategy_submit(s, request);
    if (status == STATUS_OK) {
        gate_lock(&once.gate);
        while (!once.is_done) /* the keeper answers in bounded time */
            (void)gate_wait(&once.gate, UINT64_MAX);
        gate_unlock(&once.gate);
        if (once.is_nomem)
            status = STATUS_NOMEM;
    }
    strategy_destroy(s);
    gate_finish(&once.gate);
    return status;
}

void plan_answer_finish(struct plan_answer *answer)
{
    free(answer->owner);
    answer->owner = NULL;
}
