#include "cli/watch.h"

#include "base/must.h"
#include "cli/print_json.h"
#include "cli/print_status.h"
#include "edge/clock.h"
#include "host/option_json.h"
#include "proto/life.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT_VERSION = 1, LINE_ROOM = 1024, CLOCK_FROM = 11, CLOCK_N = 12 };

/* ---- one line */

/* "time" and "event" first; more keys are the caller's to add. */
static json_t *event(const char *name)
{
    char time[CLOCK_TEXT_ROOM];
    json_t *o = json_object();

    must(o != NULL);
    clock_wall_text(time);
    json_object_set_new(o, "format_version", json_integer(FORMAT_VERSION));
    json_object_set_new(o, "time", json_string(time));
    json_object_set_new(o, "event", json_string(name));
    return o;
}

static void put(json_t *o)
{
    print_json_line(o, stdout);
}

static void put_number(json_t *o, const char *key, uint64_t value)
{
    json_object_set_new(o, key, json_integer((json_int_t)value));
}

/* "16:04:19.123  text" in UTC. */
__attribute__((format(printf, 3, 4))) static void say(const struct watch_out *out,
                                                      enum table_colour colour,
                                                      const char *format, ...)
{
    char time[CLOCK_TEXT_ROOM], line[LINE_ROOM];
    va_list args;

    clock_wall_text(time);
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    (void)printf("%.*s  ", CLOCK_N, time + CLOCK_FROM);
    table_text(line, colour, out->is_colour, stdout);
    (void)putchar('\n');
    (void)fflush(stdout);
}

bool watch_is_deaf(const struct watch_out *out)
{
    (void)out;
    return ferror(stdout) != 0;
}

/* ---- the group */

void watch_begin(struct watch_out *out, const struct state *s)
{
    if (!out->is_json) {
        say(out, TABLE_PLAIN,
            "group %s is %s, leader %s; epoch %" PRIu64 ", term %" PRIu64 ": %" PRIu32
            " workers, %" PRIu32 " partitions, %" PRIu32 " pending, %" PRIu32 " unowned",
            s->group, s->life, s->has_leader ? s->leader : "none", s->epoch, s->term,
            s->worker_n, s->part_n + s->unlisted, s->pending, s->unowned);
        return;
    }
    json_t *o = event("group");

    json_object_set_new(o, "group", option_json_text(s->group));
    json_object_set_new(o, "state", json_string(s->life));
    if (s->why[0] != '\0')
        json_object_set_new(o, "reason", option_json_text(s->why));
    json_object_set_new(o, "leader", option_json_text(s->has_leader ? s->leader : NULL));
    put_number(o, "term", s->term);
    put_number(o, "epoch", s->epoch);
    put_number(o, "workers", s->worker_n);
    put_number(o, "partitions", s->part_n + s->unlisted);
    put_number(o, "pending", s->pending);
    put_number(o, "unowned", s->unowned);
    put(o);
}

void watch_leader(struct watch_out *out, const char *leader, uint64_t term)
{
    if (!out->is_json) {
        if (leader == NULL)
            say(out, TABLE_BAD, "no leader since term %" PRIu64, term);
        else
            say(out, TABLE_BOLD, "leader %s, term %" PRIu64,
                leader[0] != '\0' ? leader : "(no id yet)", term);
        return;
    }
    json_t *o = event("leader");

    put_number(o, "term", term);
    json_object_set_new(o, "leader", option_json_text(leader));
    put(o);
}

void watch_life(struct watch_out *out, const char *from, const char *to, const char *why)
{
    if (!out->is_json) {
        say(out, print_life_colour(to), "state %s -> %s%s%s", from, to,
            why[0] != '\0' ? ": " : "", why);
        return;
    }
    json_t *o = event("state");

    json_object_set_new(o, "from", json_string(from));
    json_object_set_new(o, "to", json_string(to));
    if (why[0] != '\0')
        json_object_set_new(o, "reason", option_json_text(why));
    put(o);
}

void watch_unread(struct watch_out *out, const struct state *s)
{
    if (!out->is_json && s->unread == 0) {
        say(out, TABLE_GOOD, "all partitions are read");
    } else if (!out->is_json) {
        say(out, TABLE_BAD,
            "%" PRIu32 " partition(s) of %" PRIu32 " worker(s) are not read; %s: %s",
            s->unread, s->unread_workers, s->unread_id, s->unread_why);
    } else {
        json_t *o = event("unread");

        put_number(o, "partitions", s->unread);
        put_number(o, "workers", s->unread_workers);
        if (s->unread > 0) {
            json_object_set_new(o, "worker", option_json_text(s->unread_id));
            json_object_set_new(o, "reason", option_json_text(s->unread_why));
        }
        put(o);
    }
}

void watch_epoch(struct watch_out *out, const struct head *h)
{
    if (!out->is_json) {
        say(out, TABLE_PLAIN,
            "epoch %" PRIu64 " (%s), term %" PRIu64 ": %" PRIu32 " workers, %" PRIu32
            " partitions",
            h->stamp.epoch, cause_name(h->cause), h->term, h->n, h->set_count);
        return;
    }
    json_t *o = event("epoch");

    put_number(o, "gen", h->stamp.gen);
    put_number(o, "epoch", h->stamp.epoch);
    put_number(o, "term", h->term);
    json_object_set_new(o, "cause", json_string(cause_name(h->cause)));
    put_number(o, "workers", h->n);
    put_number(o, "partitions", h->set_count);
    put(o);
}

void watch_server(struct watch_out *out, bool is_up, const char *text)
{
    if (!out->is_json) {
        if (is_up)
            say(out, TABLE_GOOD, "connected to %s", text);
        else
            say(out, TABLE_BAD, "%s", text);
        return;
    }
    json_t *o = event("server");

    json_object_set_new(o, "up", json_boolean(is_up));
    json_object_set_new(o, "text", option_json_text(text));
    put(o);
}

void watch_problem(struct watch_out *out, int code, const char *text)
{
    char name[16] = "";

    if (code != 0)
        (void)snprintf(name, sizeof name, "PARTI-E%03d", code);
    if (!out->is_json) {
        say(out, TABLE_BAD, "%s%s%s", name, code != 0 ? " " : "", text);
        return;
    }
    json_t *o = event("error");

    json_object_set_new(o, "code", code != 0 ? json_string(name) : json_null());
    json_object_set_new(o, "text", option_json_text(text));
    put(o);
}

/* ---- the workers */

enum change { CAME, WENT, CHANGED };

static void tell_worker(const struct watch_out *out, enum change change,
                        const struct state_worker *w)
{
    static const char *const name[] = {"joined", "left", "state"};

    if (!out->is_json) {
        if (change == CHANGED)
            say(out, TABLE_BUSY, "%s is %s", w->id, state_worker_name(w));
        else
            say(out, TABLE_BUSY, "%s %s", w->id, name[change]);
        return;
    }
    json_t *o = event("worker");

    json_object_set_new(o, "worker", option_json_text(w->id));
    json_object_set_new(o, "change", json_string(name[change]));
    json_object_set_new(o, "state", json_string(state_worker_name(w)));
    json_object_set_new(o, "host", option_json_text(w->host));
    put(o);
}

static void tell_change(const struct watch_out *out, const struct state_worker *before,
                        const struct state_worker *now)
{
    if (before->has_left != now->has_left)
        tell_worker(out, now->has_left ? WENT : CAME, now);
    else if (before->state != now->state)
        tell_worker(out, CHANGED, now);
}

/* What one worker has gained and lost. */
struct tally {
    uint32_t gained, lost;
};

static void tell_tally(const struct watch_out *out, const char *id, const struct tally *t,
                       uint32_t placed)
{
    if (!out->is_json) {
        say(out, TABLE_PLAIN, "%s +%" PRIu32 " -%" PRIu32 " = %" PRIu32, id, t->gained,
            t->lost, placed);
        return;
    }
    json_t *o = event("partitions");

    json_object_set_new(o, "worker", option_json_text(id));
    put_number(o, "added", t->gained);
    put_number(o, "removed", t->lost);
    put_number(o, "partitions", placed);
    put(o);
}

static uint32_t holder(const struct state_part *p)
{
    return p->is_pending ? STATE_NOBODY : p->owner;
}

/* Merges the two ascending lists of partitions; 'same' leads from workers before to
 * workers now. */
static void tally_parts(const struct state *before, const struct state *now,
                        const uint32_t *same, struct tally *was, struct tally *is)
{
    uint32_t i = 0, k = 0;

    while (i < before->part_n || k < now->part_n) {
        int order = i == before->part_n ? 1
                    : k == now->part_n
                        ? -1
                        : bytes_compare(before->part[i].id, now->part[k].id);
        uint32_t old = order <= 0 ? holder(&before->part[i]) : STATE_NOBODY;
        uint32_t new = order >= 0 ? holder(&now->part[k]) : STATE_NOBODY;
        bool stays = old != STATE_NOBODY && new != STATE_NOBODY &&same[old] == new;

        if (old != STATE_NOBODY && !stays)
            was[old].lost++;
        if (new != STATE_NOBODY && !stays)
            is[new].gained++;
        i += order <= 0;
        k += order >= 0;
    }
}

static void tell_settled(const struct watch_out *out, const struct state *now)
{
    if (!out->is_json) {
        say(out, TABLE_GOOD,
            "settled at epoch %" PRIu64 ": nothing is pending or unowned", now->epoch);
        return;
    }
    json_t *o = event("settled");

    put_number(o, "epoch", now->epoch);
    put(o);
}

void watch_changes(struct watch_out *out, const struct state *before,
                   const struct state *now)
{
    uint32_t *same = calloc((size_t)before->worker_n + 1, sizeof *same);
    struct tally *was = calloc((size_t)before->worker_n + 1, sizeof *was);
    struct tally *is = calloc((size_t)now->worker_n + 1, sizeof *is);
    bool *known = calloc((size_t)now->worker_n + 1, sizeof *known);

    must(same != NULL && was != NULL && is != NULL && known != NULL);
    for (uint32_t i = 0; i < before->worker_n; i++) {
        same[i] = state_find(now, before->worker[i].id);
        if (same[i] != STATE_NOBODY)
            known[same[i]] = true;
    }
    for (uint32_t i = 0; i < now->worker_n; i++)
        if (!known[i])
            tell_worker(out, CAME, &now->worker[i]);
    tally_parts(before, now, same, was, is);
    for (uint32_t i = 0; i < before->worker_n; i++) {
        if (same[i] == STATE_NOBODY) {
            if (was[i].lost > 0)
                tell_tally(out, before->worker[i].id, &was[i], 0);
            if (!before->worker[i].has_left)
                tell_worker(out, WENT, &before->worker[i]);
            continue;
        }
        is[same[i]].lost = was[i].lost;
        tell_change(out, &before->worker[i], &now->worker[same[i]]);
    }
    bool has_moved = before->pending > 0;

    for (uint32_t i = 0; i < now->worker_n; i++) {
        if (is[i].gained == 0 && is[i].lost == 0)
            continue;
        tell_tally(out, now->worker[i].id, &is[i], now->worker[i].placed);
        has_moved = true;
    }
    if (has_moved && now->pending == 0 && now->unowned == 0)
        tell_settled(out, now);
    free(same);
    free(was);
    free(is);
    free(known);
}
