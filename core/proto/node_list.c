/* What the source lists: taken over by the leader when nothing is being carried out,
 * asked for again when it came at a bad time or failed.
 */
#include "proto/node_state.h"

#include "base/status.h"

void list_failed(struct node *n, const char *why)
{
    const char *usual = "the source has no list";

    if (!lead_is_heading(n))
        return;
    node_tell(n, "%s", usual);
    trouble_failed(&n->lead.source, why != NULL ? why : usual, n->now_ms);
    /* The last list stays, the host says why; it is asked again before long (L9). */
    n->lead.is_list_commanded = false;
    n->lead.wants_list = true;
    n->lead.list_at_ms = n->now_ms + LIST_RETRY_MS;
}

void list_taken(struct node *n, const struct event *ev)
{
    struct lead *l = &n->lead;
    const char *too_many =
        "the source lists more partitions than this host was built for";
    struct listing_change change;

    if (!lead_is_heading(n))
        return;
    if (!l->is_loaded || l->is_lost || n->plan.state != PLAN_NONE) {
        l->wants_list = true;
        l->is_list_commanded = l->is_list_commanded || ev->listed.commanded;
        return;
    }
    if (transfer_list(&n->transfer, ev->listed.id, ev->listed.weight, ev->listed.n,
                      &change) < 0) {
        node_error(n, ERR_TOO_MANY_PARTITIONS, too_many);
        trouble_failed(&l->source, too_many, n->now_ms);
        return;
    }
    trouble_answered(&l->source, n->now_ms);
    if (ev->listed.commanded)
        l->is_list_commanded = false;
    l->wants_list =
        l->is_list_commanded; /* who commanded one still waits for its answer */
    transfer_sweep(&n->transfer, &l->head);
    l->set_hash = transfer_set_hash(&n->transfer);
    node_tell(n, "listed %u: %u added, %u removed, %u reweighted", ev->listed.n,
              change.added, change.removed, change.reweighted);
    if (change.added + change.removed > 0) {
        window_set_changed(&n->window, ev->listed.commanded);
    } else if (change.reweighted > 0) {
        uint32_t active = 0;

        for (uint32_t num = 0; num < n->roster.n; num++)
            if (plan_is_active(n, num))
                n->plan.load[active++] = num;
        if (transfer_imbalance_ppm(&n->transfer, n->plan.load, active) >
            n->conf.timing.min_rebalance_threshold_ppm)
            window_set_changed(&n->window, ev->listed.commanded);
    }
    if (ev->listed.commanded && n->window.wants_set)
        window_set_changed(&n->window, true); /* a change that waits need not any more */
    l->is_listed = true;
    if (ev->listed.commanded)
        emit(n->out, ACT_REFRESHED);
}
