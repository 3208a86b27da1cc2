#include "host/conf_keys.h"

#include "host/option_value.h"

#include <inttypes.h>
#include <string.h>

/* Times in ms, for the limits below. */
enum { S = 1000, MIN = 60 * S, HOUR = 60 * MIN, DAY = 24 * HOUR };

#define AT(field)        offsetof(struct conf, field)
#define AT_PLUGIN(field) offsetof(struct conf_plugin, field)
#define SAME(text)       \
    {                    \
        text, text, text \
    }
#define NONE             \
    {                    \
        NULL, NULL, NULL \
    }
#define TIMING(field) "timing", #field, CONF_MSEC, 0, AT(timing.field##_ms)
#define BY(fast, usual, calm) \
    {                         \
        fast, usual, calm     \
    }

/* The order here is the order of every listing. */
const struct conf_key conf_keys[] = {
    {"parti", "group", CONF_NAME, CONF_REQUIRED, AT(group), 1, CONF_NAME_MAX, NONE, NULL,
     "The name that workers of one group share. It becomes part of the bucket's and the "
     "subjects' names: letters, digits, '_' and '-'."},
    {"parti", "ownership", CONF_CHOICE, 0, AT(ownership), 0, 0, SAME("strict"),
     "strict|available",
     "strict: never two holders of a partition, at the price of a wait after a crash. "
     "available: work goes on while NATS is away, and only one holder per token."},
    {"parti", "plugin_dir", CONF_PATH, 0, AT(plugin_dir), 0, 0, NONE, NULL,
     "Where plugins with a bare name are looked for. Default: the folder that Parti was "
     "built with."},

    {"nats", "url", CONF_TEXT, 0, AT(nats.url), 1, CONF_LINE_MAX,
     SAME("nats://127.0.0.1:4222"), NULL,
     "Servers with commas between, or 'embedded' for a private nats-server that Parti "
     "starts by itself. --server, PARTI_NATS_URL and NATS_URL go before it."},
    {"nats", "creds", CONF_PATH, 0, AT(nats.creds), 0, 0, NONE, NULL,
     "A credentials file (user JWT and seed)."},
    {"nats", "nkey", CONF_PATH, 0, AT(nats.nkey), 0, 0, NONE, NULL,
     "A file with the seed of an NKey."},
    {"nats", "user", CONF_TEXT, 0, AT(nats.user), 1, 256, NONE, NULL,
     "The user's name, together with password."},
    {"nats", "password", CONF_TEXT, CONF_SECRET, AT(nats.password), 0, 1024, NONE, NULL,
     "The user's password. Anybody who reads this file reads it, too."},
    {"nats", "tls_ca", CONF_PATH, 0, AT(nats.tls_ca), 0, 0, NONE, NULL,
     "The certificates to trust, PEM. With it the connection uses TLS."},
    {"nats", "tls_cert", CONF_PATH, 0, AT(nats.tls_cert), 0, 0, NONE, NULL,
     "Our own certificate, PEM, together with tls_key."},
    {"nats", "tls_key", CONF_PATH, 0, AT(nats.tls_key), 0, 0, NONE, NULL,
     "The key of our own certificate, PEM."},
    {"nats", "replicas", CONF_INT, 0, AT(nats.replicas), 1, 5, SAME("1"), NULL,
     "On how many servers the group's bucket is kept. Takes effect when the bucket is "
     "made; use 3 on a cluster."},
    {"nats", "store_dir", CONF_PATH, 0, AT(nats.store_dir), 0, 0, NONE, NULL,
     "Where the embedded server keeps its data. Default: a folder for this group below "
     "the user's state directory."},

    {"worker", "id", CONF_NAME, 0, AT(worker.id), 1, 48, NONE, NULL,
     "A wish, PREFIX-N. Default: the lowest free number."},
    {"worker", "id_prefix", CONF_NAME, 0, AT(worker.id_prefix), 1, CONF_NAME_MAX,
     SAME("worker"), NULL, "What stands before the number in the workers' ids."},
    {"worker", "id_max", CONF_INT, 0, AT(worker.id_max), 0, CONF_WORKER_IDS_MAX - 1,
     SAME("99"), NULL, "The greatest number; ids run from PREFIX-0 to PREFIX-id_max."},
    {"worker", "capacity", CONF_INT, 0, AT(worker.capacity), 1, 1000000, SAME("100"),
     NULL, "This worker's share in relation to the others'."},
    {"worker", "zone", CONF_NAME, 0, AT(worker.zone), 1, 64, NONE, NULL,
     "Where this worker runs, for strategies that look at zones."},
    {"worker", "revoke_timeout", CONF_MSEC, 0, AT(worker.revoke_timeout_ms), 10, HOUR,
     SAME("10 s"), NULL,
     "How long the supervised command may take to give partitions back."},
    {"worker", "on_revoke_timeout", CONF_CHOICE, 0, AT(worker.on_revoke_timeout), 0, 0,
     SAME("kill"), "kill|wait",
     "What happens then: kill ends the command with SIGKILL and releases; wait goes on "
     "waiting, and the partitions stay where they are."},
    {"worker", "restarts_max", CONF_INT, 0, AT(worker.restarts_max), 0, 1000, SAME("5"),
     NULL,
     "How often within a minute the supervised command may fail before parti leaves and "
     "exits with 1."},
    {"worker", "on_term", CONF_CHOICE, 0, AT(worker.on_term), 0, 0, SAME("leave"),
     "leave|restart",
     "What SIGTERM means: leave gives everything up for good; restart releases, too, but "
     "keeps the worker's place for restart_grace, for a worker that comes with the same "
     "id."},
    {"worker", "restart_grace", CONF_MSEC, 0, AT(worker.restart_grace_ms), 1 * S, HOUR,
     SAME("30 s"), NULL, "How long the place of a restarting worker is kept."},

    {"strategy", "plugin", CONF_PLUGIN, 0, AT_PLUGIN(plugin), 0, 0,
     SAME("consistent_hash"), NULL,
     "Which strategy places the partitions: a bare name or an absolute path."},
    {"strategy", "isolation", CONF_CHOICE, 0, AT_PLUGIN(isolation), 0, 0, SAME("none"),
     "none|process", "process runs the strategy in a child process with limits."},
    {"strategy", "time_limit", CONF_MSEC, 0, AT_PLUGIN(time_limit_ms), 10, 10 * MIN,
     SAME("5 s"), NULL,
     "How long the strategy may think before the last good assignment stays."},

    {"source", "plugin", CONF_PLUGIN, CONF_REQUIRED, AT_PLUGIN(plugin), 0, 0, NONE, NULL,
     "Which source lists the partitions: a bare name or an absolute path."},
    {"source", "refresh_interval", CONF_MSEC, 0, AT_PLUGIN(refresh_interval_ms), 0, DAY,
     SAME("30 s"), NULL,
     "How often the source lists again without being asked; 0: never."},

    {"consume", "plugin", CONF_PLUGIN, CONF_REQUIRED, AT(consume.base.plugin), 0, 0, NONE,
     NULL,
     "Which plugin reads the messages of the partitions: a bare name or an absolute "
     "path. "
     "'parti plugins list' shows which can."},
    {"consume", "handlers", CONF_INT, 0, AT(consume.handlers), 1, 256, SAME("4"), NULL,
     "How many threads call a C application's message handler; one partition is with one "
     "at a time."},
    {"consume", "children", CONF_INT, 0, AT(consume.children), 1, 64, SAME("1"), NULL,
     "How many commands 'parti run' supervises; each has its own partitions."},
    {"consume", "format", CONF_CHOICE, 0, AT(consume.format), 0, 0, SAME("json"),
     "json|raw",
     "How the supervised command gets a message: json, one line; raw, a line with its "
     "length, then the message as it is."},
    {"consume", "in_flight", CONF_INT, 0, AT(consume.in_flight), 1, 100000, SAME("64"),
     NULL, "How many messages of one partition may be in this process."},
    {"consume", "in_flight_total", CONF_INT, 0, AT(consume.in_flight_total), 1, 1000000,
     SAME("8192"), NULL,
     "How many messages of all partitions may be in this process, one of each aside."},
    {"consume", "deliver_max", CONF_INT, 0, AT(consume.deliver_max), 1, 100000, SAME("1"),
     NULL,
     "How many messages of one partition the handler may have unanswered. Above 1, those "
     "behind one that fails are handled again."},
    {"consume", "handle_timeout", CONF_MSEC, 0, AT(consume.handle_timeout_ms), 10, DAY,
     SAME("30 s"), NULL,
     "How long the handler may take for a message, or say that it is still at it, before "
     "that counts as a failure."},
    {"consume", "attempts_max", CONF_INT, 0, AT(consume.attempts_max), 0, 1000000,
     SAME("5"), NULL,
     "How often a message is tried before it goes to dead_letter; 0: for ever. Without "
     "dead_letter it is tried for ever, too."},
    {"consume", "retry_first", CONF_MSEC, 0, AT(consume.retry_first_ms), 1, DAY,
     SAME("100 ms"), NULL,
     "The pause after a first failure; it doubles with each further one."},
    {"consume", "retry_max", CONF_MSEC, 0, AT(consume.retry_max_ms), 1, DAY, SAME("30 s"),
     NULL, "The longest pause between two attempts."},
    {"consume", "dead_letter", CONF_TEXT, 0, AT(consume.dead_letter), 1, 255, NONE, NULL,
     "Where a message goes that cannot be handled: a subject or a topic, as the plugin "
     "understands it."},
    {"consume", "commit_interval", CONF_MSEC, 0, AT(consume.commit_interval_ms), 1, HOUR,
     SAME("500 ms"), NULL,
     "The longest time from the handling of a message until its position is recorded. "
     "What a crash finds unrecorded is handled again."},
    {"consume", "commit_messages", CONF_INT, 0, AT(consume.commit_messages), 1, 1000000,
     SAME("1000"), NULL,
     "The position is recorded earlier when so many messages of a partition are done."},

    {"timing", "profile", CONF_CHOICE, 0, AT(timing.profile), 0, 0, SAME("default"),
     "fast|default|calm",
     "Sets the defaults of all that follows: fast suits tests and demos, calm slow or "
     "crowded machines. The keys below go before it."},
    {TIMING(heartbeat_interval), 10, MIN, BY("100 ms", "150 ms", "450 ms"), NULL,
     "How often the leader's beacon and a worker's heartbeat are sent."},
    {TIMING(heartbeat_ttl), 50, 10 * MIN, BY("600 ms", "1200 ms", "3600 ms"), NULL,
     "The lease: how long a worker may hold partitions after its last confirmed "
     "heartbeat."},
    {TIMING(fence_margin), 1, MIN, BY("80 ms", "150 ms", "450 ms"), NULL,
     "How long before the lease ends the application is told to stop."},
    {TIMING(leader_authority), 50, 10 * MIN, BY("600 ms", "1200 ms", "3600 ms"), NULL,
     "How long a leader may lead after its last successful write."},
    {TIMING(leader_renew_interval), 10, MIN, BY("150 ms", "300 ms", "900 ms"), NULL,
     "How often the leader renews its record."},
    {TIMING(election_timeout), 20, MIN, BY("300 ms", "500 ms", "1500 ms"), NULL,
     "How long no beacon may come before a worker stands for leader."},
    {"timing", "clock_drift_ppm", CONF_INT, 0, AT(timing.clock_drift_ppm), 0, 100000,
     SAME("1000"), NULL,
     "By how much, in parts per million, two machines' clocks may run at different "
     "speeds."},
    {TIMING(worker_id_ttl), 100, DAY, SAME("30 s"), NULL,
     "How long a freed id waits for its former holder."},
    {TIMING(cold_start_window), 0, HOUR, BY("500 ms", "30 s", "30 s"), NULL,
     "How long workers are gathered after a cold start or a restart of the group."},
    {TIMING(planned_scale_window), 0, HOUR, BY("300 ms", "10 s", "10 s"), NULL,
     "How long changes are gathered when workers come or leave in order."},
    {TIMING(emergency_grace), 0, HOUR, SAME("0"), NULL,
     "How long to wait, after a lost worker's lease has ended, before its partitions "
     "are given away."},
    {"timing", "restart_ratio", CONF_RATIO, 0, AT(timing.restart_ratio_ppm), 1, 1000000,
     SAME("0.5"), NULL,
     "When more than this share of the workers goes at once, it is taken for a restart "
     "of the group."},
    {TIMING(min_rebalance_interval), 1, HOUR, BY("200 ms", "10 s", "10 s"), NULL,
     "The least time between two rebalances; an emergency does not wait."},
    {"timing", "min_rebalance_threshold", CONF_RATIO, 0,
     AT(timing.min_rebalance_threshold_ppm), 0, 1000000, SAME("0.15"), NULL,
     "Below this imbalance nothing is moved for balance alone."},
    {TIMING(operation_timeout), 100, 10 * MIN, SAME("10 s"), NULL,
     "How long a strategy or a source may take to answer."},
    {TIMING(startup_timeout), 100, HOUR, SAME("30 s"), NULL,
     "How long a worker may take from its start until its server is reached."},
    {TIMING(shutdown_timeout), 10, HOUR, SAME("10 s"), NULL,
     "How long a worker may take to hand everything over when it leaves."},
    {TIMING(degraded_enter), 10, HOUR, SAME("10 s"), NULL,
     "How long trouble must last before the state is Degraded."},
    {TIMING(degraded_exit), 0, HOUR, SAME("5 s"), NULL,
     "How long all must be well before the state is Degraded no more."},
    {"timing", "kv_error_threshold", CONF_INT, 0, AT(timing.kv_error_threshold), 1, 1000,
     SAME("5"), NULL, "How many failed writes within kv_error_window are trouble."},
    {TIMING(kv_error_window), 100, HOUR, SAME("30 s"), NULL,
     "The time in which failed writes are counted."},
    {TIMING(recovery_grace), 0, HOUR, SAME("15 s"), NULL,
     "How long, after the server came back, a missing worker is not yet given up."},
    {TIMING(alert_info), 1, DAY, SAME("30 s"), NULL,
     "After how long in Degraded a line of level info is logged."},
    {TIMING(alert_warn), 1, DAY, SAME("2 min"), NULL, "The same, level warn."},
    {TIMING(alert_error), 1, DAY, SAME("5 min"), NULL, "The same, level error."},
    {TIMING(alert_critical), 1, DAY, SAME("10 min"), NULL,
     "The same, level error, marked critical."},
    {TIMING(alert_interval), 10, DAY, SAME("1 min"), NULL,
     "The least time between two such lines."},
};

const size_t conf_keys_n = sizeof conf_keys / sizeof *conf_keys;

bool conf_key_of_plugin(const struct conf_key *key)
{
    return strcmp(key->section, "strategy") == 0 || strcmp(key->section, "source") == 0;
}

const struct conf_key *conf_key_find(const char *section, const char *name)
{
    for (size_t i = 0; i < conf_keys_n; i++)
        if (strcmp(conf_keys[i].section, section) == 0 &&
            strcmp(conf_keys[i].name, name) == 0)
            return &conf_keys[i];
    return NULL;
}

const char *conf_key_type(const struct conf_key *key)
{
    switch (key->type) {
    case CONF_TEXT: return "text";
    case CONF_NAME: return "name";
    case CONF_PATH: return "path";
    case CONF_PLUGIN: return "plugin";
    case CONF_INT: return "number";
    case CONF_MSEC: return "duration";
    case CONF_RATIO: return "ratio";
    case CONF_CHOICE: return "choice";
    }
    return "";
}

void conf_key_limits(const struct conf_key *key, char *to, size_t room)
{
    char min[32], max[32];

    to[0] = '\0';
    if (key->type == CONF_CHOICE) {
        (void)snprintf(to, room, "%s", key->choices);
    } else if (key->type == CONF_MSEC) {
        option_value_show_msec(key->min, min, sizeof min);
        option_value_show_msec(key->max, max, sizeof max);
        (void)snprintf(to, room, "%s .. %s", min, max);
    } else if (key->type == CONF_INT) {
        (void)snprintf(to, room, "%" PRIu64 " .. %" PRIu64, key->min, key->max);
    } else if (key->type == CONF_RATIO) {
        (void)snprintf(to, room, "%g .. %g", (double)key->min / 1e6,
                       (double)key->max / 1e6);
    } else if (key->type == CONF_NAME) {
        (void)snprintf(to, room, "%" PRIu64 " .. %" PRIu64 " bytes", key->min, key->max);
    }
}
