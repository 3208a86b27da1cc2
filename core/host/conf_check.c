/* The values of a configuration against each other, each with its reason in words. */
#include "host/conf_private.h"

#include "base/status.h"
#include "host/option_value.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Does a mistake stand in this line already?  Then its value is not in force, and a
 * comparison with the default in its place would only confuse. */
static bool faulty(const struct conf *c, uint32_t line)
{
    for (size_t i = 0; line > 0 && i < c->errors.n; i++)
        if (c->errors.at[i].line == line)
            return true;
    return false;
}

/* The line to blame when two to four keys of a section contradict each other: the last
 * one given.  0: a given one is faulty, say nothing. */
static bool blame(const struct conf *c, const char *section, const char *const *keys,
                  uint32_t *ret)
{
    uint32_t last = 0;

    for (; *keys != NULL; keys++) {
        uint32_t line = conf_line(c, section, *keys);
        if (faulty(c, line))
            return false;
        last = line > last ? line : last;
    }
    *ret = last;
    return true;
}

#define KEYS(...) ((const char *const[]){__VA_ARGS__, NULL})

struct shown {
    char text[24];
};

static struct shown ms(uint64_t value)
{
    struct shown s;

    option_value_show_msec(value, s.text, sizeof s.text);
    return s;
}

static void check_lease(struct conf *c)
{
    const struct conf_timing *t = &c->timing;
    uint32_t line;

    if (t->heartbeat_ttl_ms < 2 * t->heartbeat_interval_ms &&
        blame(c, "timing", KEYS("heartbeat_ttl", "heartbeat_interval"), &line)) {
        conf_errors_add(&c->errors, line,
                        "heartbeat_ttl (%s) is less than two heartbeat_intervals (2 x "
                        "%s): one late heartbeat would end every lease",
                        ms(t->heartbeat_ttl_ms).text, ms(t->heartbeat_interval_ms).text);
        return;
    }
    if (t->fence_margin_ms >= t->heartbeat_ttl_ms &&
        blame(c, "timing", KEYS("fence_margin", "heartbeat_ttl"), &line)) {
        conf_errors_add(&c->errors, line,
                        "fence_margin (%s) is not below heartbeat_ttl (%s): a worker "
                        "would be told to stop before its lease begins",
                        ms(t->fence_margin_ms).text, ms(t->heartbeat_ttl_ms).text);
        return;
    }
    /* reliability 4.7: workers outlive a change of leader without stopping. */
    if (t->heartbeat_ttl_ms - t->fence_margin_ms <=
            t->election_timeout_ms + 2 * t->heartbeat_interval_ms &&
        blame(c, "timing",
              KEYS("heartbeat_ttl", "fence_margin", "election_timeout",
                   "heartbeat_interval"),
              &line))
        conf_errors_add(&c->errors, line,
                        "heartbeat_ttl - fence_margin (%s) is not above election_timeout "
                        "+ 2 x heartbeat_interval (%s): each change of leader would stop "
                        "every worker",
                        ms(t->heartbeat_ttl_ms - t->fence_margin_ms).text,
                        ms(t->election_timeout_ms + 2 * t->heartbeat_interval_ms).text);
}

static void check_leader(struct conf *c)
{
    const struct conf_timing *t = &c->timing;
    uint32_t line;

    if (t->leader_authority_ms < 3 * t->leader_renew_interval_ms &&
        blame(c, "timing", KEYS("leader_authority", "leader_renew_interval"), &line))
        conf_errors_add(&c->errors, line,
                        "leader_authority (%s) is less than three leader_renew_intervals "
                        "(3 x %s): two slow writes would depose the leader",
                        ms(t->leader_authority_ms).text,
                        ms(t->leader_renew_interval_ms).text);
    if (t->election_timeout_ms < 2 * t->heartbeat_interval_ms &&
        blame(c, "timing", KEYS("election_timeout", "heartbeat_interval"), &line))
        conf_errors_add(&c->errors, line,
                        "election_timeout (%s) is less than two heartbeat_intervals (2 x "
                        "%s): one lost beacon would start an election",
                        ms(t->election_timeout_ms).text,
                        ms(t->heartbeat_interval_ms).text);
    if (t->worker_id_ttl_ms < t->heartbeat_ttl_ms &&
        blame(c, "timing", KEYS("worker_id_ttl", "heartbeat_ttl"), &line))
        conf_errors_add(&c->errors, line,
                        "worker_id_ttl (%s) is below heartbeat_ttl (%s): an id may not "
                        "be free before its former holder's lease has ended",
                        ms(t->worker_id_ttl_ms).text, ms(t->heartbeat_ttl_ms).text);
    if (t->startup_timeout_ms <= t->election_timeout_ms + t->heartbeat_ttl_ms &&
        blame(c, "timing", KEYS("startup_timeout", "election_timeout", "heartbeat_ttl"),
              &line))
        conf_errors_add(&c->errors, line,
                        "startup_timeout (%s) is not above election_timeout + "
                        "heartbeat_ttl (%s): a first start takes that long",
                        ms(t->startup_timeout_ms).text,
                        ms(t->election_timeout_ms + t->heartbeat_ttl_ms).text);
}

static void check_windows(struct conf *c)
{
    const struct conf_timing *t = &c->timing;
    uint32_t line;

    if (t->cold_start_window_ms < t->planned_scale_window_ms &&
        blame(c, "timing", KEYS("cold_start_window", "planned_scale_window"), &line))
        conf_errors_add(&c->errors, line,
                        "cold_start_window (%s) is below planned_scale_window (%s): a "
                        "cold start gathers more workers, so it cannot wait less",
                        ms(t->cold_start_window_ms).text,
                        ms(t->planned_scale_window_ms).text);
    if (!(t->alert_info_ms < t->alert_warn_ms && t->alert_warn_ms < t->alert_error_ms &&
          t->alert_error_ms < t->alert_critical_ms) &&
        blame(c, "timing",
              KEYS("alert_info", "alert_warn", "alert_error", "alert_critical"), &line))
        conf_errors_add(&c->errors, line,
                        "alert_info (%s), alert_warn (%s), alert_error (%s) and "
                        "alert_critical (%s) do not ascend",
                        ms(t->alert_info_ms).text, ms(t->alert_warn_ms).text,
                        ms(t->alert_error_ms).text, ms(t->alert_critical_ms).text);
}

/* Two keys of [nats] that only work together, or not together. */
static void check_pair(struct conf *c, const char *a, const char *b, bool together)
{
    uint32_t line_a = conf_line(c, "nats", a), line_b = conf_line(c, "nats", b);

    if (together && (line_a > 0) != (line_b > 0))
        conf_errors_add(&c->errors, line_a + line_b, "%s needs %s beside it",
                        line_a > 0 ? a : b, line_a > 0 ? b : a);
    if (!together && line_a > 0 && line_b > 0)
        conf_errors_add(&c->errors, line_a > line_b ? line_a : line_b,
                        "%s and %s exclude each other: use one way to log in", a, b);
}

static void check_nats(struct conf *c)
{
    static const char *const foreign[] = {"creds",  "nkey",     "user",   "password",
                                          "tls_ca", "tls_cert", "tls_key"};
    uint32_t url = conf_line(c, "nats", "url"), line;
    char why[256];

    check_pair(c, "user", "password", true);
    check_pair(c, "tls_cert", "tls_key", true);
    check_pair(c, "creds", "nkey", false);
    check_pair(c, "creds", "user", false);
    check_pair(c, "nkey", "user", false);
    if (!faulty(c, url) && conf_url_check(c->nats.url, why, sizeof why) < 0)
        conf_errors_add(&c->errors, url, "url %s", why);
    line = conf_line(c, "nats", "store_dir");
    if (!c->nats.embedded && line > 0)
        conf_errors_add(&c->errors, line,
                        "store_dir is for url = embedded; another server keeps its data "
                        "where its own configuration says");
    for (size_t i = 0; c->nats.embedded && i < sizeof foreign / sizeof *foreign; i++) {
        line = conf_line(c, "nats", foreign[i]);
        if (line > 0)
            conf_errors_add(&c->errors, line,
                            "%s does not go with url = embedded, whose credentials are "
                            "made for each start",
                            foreign[i]);
    }
    line = conf_line(c, "nats", "replicas");
    if (c->nats.embedded && c->nats.replicas > 1 && !faulty(c, line))
        conf_errors_add(&c->errors, line,
                        "replicas = %" PRIu64
                        " does not go with url = embedded, which is "
                        "one server",
                        c->nats.replicas);
}

static void check_worker(struct conf *c)
{
    struct conf_worker *w = &c->worker;
    uint32_t line = conf_line(c, "worker", "id");
    size_t n = strlen(w->id_prefix);
    const char *digits;
    int64_t number;
    const char *why;

    if (w->id == NULL || faulty(c, line) ||
        faulty(c, conf_line(c, "worker", "id_prefix")))
        return;
    if (strncmp(w->id, w->id_prefix, n) != 0 || w->id[n] != '-') {
        conf_errors_add(&c->errors, line,
                        "id = '%s' is not of the form %s-N; give the number behind "
                        "id_prefix and '-', or set id_prefix",
                        w->id, w->id_prefix);
        return;
    }
    digits = w->id + n + 1;
    if (!isdigit((unsigned char)digits[0]) || (digits[0] == '0' && digits[1] != '\0') ||
        option_value_int(digits, &number, &why) < 0) {
        conf_errors_add(&c->errors, line,
                        "id = '%s' does not end in a plain number such as %s-3", w->id,
                        w->id_prefix);
        return;
    }
    if ((uint64_t)number > w->id_max) {
        if (!faulty(c, conf_line(c, "worker", "id_max")))
            conf_errors_add(&c->errors, line,
                            "id = '%s' is beyond id_max = %" PRIu64
                            "; choose a lower number or raise id_max",
                            w->id, w->id_max);
        return;
    }
    w->id_number = (uint64_t)number;
}

/* The positions of group G lie in the bucket parti_pos_G: no group may be called so. */
static void check_group(struct conf *c)
{
    uint32_t line = conf_line(c, "parti", "group");

    if (c->group != NULL && !faulty(c, line) && strncmp(c->group, "pos_", 4) == 0)
        conf_errors_add(
            &c->errors, line,
            "group = '%s' begins with 'pos_', which is kept for the positions "
            "of the group '%s'; choose another name",
            c->group, c->group + 4);
}

static void check_consume(struct conf *c)
{
    const struct conf_consume *o = &c->consume;
    uint32_t line;

    if (o->in_flight > o->in_flight_total &&
        blame(c, "consume", KEYS("in_flight", "in_flight_total"), &line))
        conf_errors_add(&c->errors, line,
                        "in_flight (%" PRIu64 ") is above in_flight_total (%" PRIu64
                        "): one partition cannot have more than all",
                        o->in_flight, o->in_flight_total);
    if (o->deliver_max > o->in_flight &&
        blame(c, "consume", KEYS("deliver_max", "in_flight"), &line))
        conf_errors_add(&c->errors, line,
                        "deliver_max (%" PRIu64 ") is above in_flight (%" PRIu64
                        "): what the handler has is in flight, too",
                        o->deliver_max, o->in_flight);
    if (o->retry_first_ms > o->retry_max_ms &&
        blame(c, "consume", KEYS("retry_first", "retry_max"), &line))
        conf_errors_add(&c->errors, line,
                        "retry_first (%s) is above retry_max (%s): the first pause is "
                        "the shortest",
                        ms(o->retry_first_ms).text, ms(o->retry_max_ms).text);
}

void conf_check(struct conf *c)
{
    check_group(c);
    check_consume(c);
    check_lease(c);
    check_leader(c);
    check_windows(c);
    check_nats(c);
    check_worker(c);
}
