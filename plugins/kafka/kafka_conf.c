#include "kafka_conf.h"

enum { BROKERS_MAX = 256, SHOWN_MAX = 80 };

static const char prefix[] = "rdkafka.";

/* Properties that are ours, and what the user should do instead. */
static const struct kafka_conf_pair ours[] = {
    {"bootstrap.servers", "set brokers = instead"},
    {"metadata.broker.list", "set brokers = instead"},
    {"group.id", "set group = instead"},
    {"allow.auto.create.topics", "this plugin creates no topic"},
    {"enable.auto.commit", "positions are committed as messages are acknowledged"},
    {"enable.auto.offset.store", "positions are committed as messages are acknowledged"},
    {"partition.assignment.strategy", "Parti assigns the partitions"},
    {"group.instance.id", "Parti assigns the partitions"},
    {"plugin.library.paths", "what librdkafka loads by itself is checked by nobody"},
    {"log.queue", "the log goes to Parti's"},
    {"enabled_events", "events are handled here"},
    {"opaque", "it is for programs"},
    {NULL, NULL},
};

static const struct kafka_conf_pair fixed[] = {
    {"allow.auto.create.topics", "false"},
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {NULL, NULL},
};

static const struct kafka_conf_pair none[] = {{NULL, NULL}};

static int is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* [PROTOCOL://]HOST[:PORT] of n bytes: NULL, or what is wrong with it. */
static const char *broker_fault(const char *at, size_t n)
{
    const char *host = at, *end = at + n, *port = NULL;

    for (const char *c = at; c < end; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return "has a blank in it";
        if (*c == '/' && c > at && c[-1] == '/')
            host = c + 1;
    }
    for (const char *c = host; c < end && *host != '['; c++)
        if (*c == ':') {
            if (port != NULL)
                return "has several colons; put an IPv6 address in brackets";
            port = c + 1;
        }
    if (host < end && *host == '[') {
        const char *close = memchr(host, ']', (size_t)(end - host));

        if (close == NULL)
            return "has a bracket that is not closed";
        if (close + 1 < end && close[1] != ':')
            return "has something other than a port after the bracket";
        port = close + 1 < end ? close + 2 : NULL;
    }
    if (host == end || port == host + 1)
        return "names no host";
    if (port == NULL)
        return NULL;
    long number = 0;
    for (const char *c = port; c < end; c++) {
        if (*c < '0' || *c > '9')
            return "has a port that is no number";
        number = number * 10 + (*c - '0');
        if (number > 65535)
            return "has a port above 65535";
    }
    return number == 0 ? "has no port after the colon" : NULL;
}

int32_t kafka_conf_brokers(const struct parti_conf *conf, char **ret,
                           struct parti_error *error)
{
    const char *text = parti_conf_text(conf, "brokers");
    uint32_t line = parti_conf_line(conf, "brokers");
    char *out = malloc(strlen(text) + 1);
    size_t out_n = 0, count = 0;

    if (out == NULL)
        return PARTI_NOMEM;
    for (const char *at = text; *at != '\0';) {
        size_t n = strcspn(at, ",\n"), item_n = n;
        const char *item = at;
        const char *fault;

        while (item_n > 0 && is_blank(*item)) {
            item++;
            item_n--;
        }
        while (item_n > 0 && is_blank(item[item_n - 1]))
            item_n--;
        if (item_n > 0) {
            fault = broker_fault(item, item_n);
            if (fault == NULL && ++count > BROKERS_MAX)
                fault = "is one too many";
            if (fault != NULL) {
                error->line = line;
                free(out);
                return parti_fail(error, PARTI_BADCONF, "brokers: '%.*s' %s",
                                  item_n < SHOWN_MAX ? (int)item_n : SHOWN_MAX, item,
                                  fault);
            }
            if (out_n > 0)
                out[out_n++] = ',';
            memcpy(out + out_n, item, item_n);
            out_n += item_n;
        }
        line += at[n] == '\n';
        at += n + (at[n] != '\0');
    }
    out[out_n] = '\0';
    if (count == 0) {
        error->line = parti_conf_line(conf, "brokers");
        free(out);
        return parti_fail(error, PARTI_BADCONF, "brokers names none");
    }
    *ret = out;
    return PARTI_OK;
}

static int32_t is_secret(const char *name)
{
    return strstr(name, "password") != NULL || strstr(name, "secret") != NULL ||
           strcmp(name, "ssl.key.pem") == 0 ||
           strcmp(name, "sasl.oauthbearer.config") == 0;
}

static const char *find(const struct kafka_conf_pair *list, const char *name)
{
    for (; list->name != NULL; list++)
        if (strcmp(list->name, name) == 0)
            return list->value;
    return NULL;
}

/* One key of the section that begins with "rdkafka.". */
static int32_t set_property(rd_kafka_conf_t *to, const struct kafka_conf_rules *rules,
                            const char *key, const char *value, uint32_t line,
                            struct parti_error *error)
{
    const char *name = key + sizeof prefix - 1;
    const char *instead = find(ours, name);
    char why[KAFKA_WHY_ROOM];

    if (instead == NULL)
        instead = find(rules->refused, name);
    if (instead != NULL) {
        error->line = line;
        return parti_fail(error, PARTI_BADCONF, "%s cannot be set: %s", key, instead);
    }
    switch (rd_kafka_conf_set(to, name, value, why, sizeof why)) {
    case RD_KAFKA_CONF_OK: return PARTI_OK;
    case RD_KAFKA_CONF_UNKNOWN:
        error->line = line;
        return parti_fail(error, PARTI_BADCONF,
                          "%s: librdkafka %s has no property of that name", key,
                          rd_kafka_version_str());
    case RD_KAFKA_CONF_INVALID:
    default:
        error->line = line;
        /* The reason repeats the value. */
        return parti_fail(error, PARTI_BADCONF, "%s: %s", key,
                          is_secret(name) ? "librdkafka does not take this value" : why);
    }
}

static int32_t set_ours(rd_kafka_conf_t *to, const char *name, const char *value,
                        uint32_t line, struct parti_error *error)
{
    char why[KAFKA_WHY_ROOM];

    if (rd_kafka_conf_set(to, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
        return PARTI_OK;
    error->line = line;
    return parti_fail(error, PARTI_BADCONF, "%s", why);
}

static int32_t set_list(rd_kafka_conf_t *to, const struct kafka_conf_pair *list,
                        struct parti_error *error)
{
    int32_t code = PARTI_OK;

    for (; list->name != NULL && code == PARTI_OK; list++)
        code = set_ours(to, list->name, list->value, 0, error);
    return code;
}

int32_t kafka_conf_make(const struct parti_conf *conf, const char *group,
                        const struct kafka_conf_rules *rules, rd_kafka_conf_t **ret,
                        struct parti_error *error)
{
    static const struct kafka_conf_rules no_rules = {none, none, none};
    rd_kafka_conf_t *made;
    char *brokers = NULL;
    int32_t code = kafka_conf_brokers(conf, &brokers, error);

    if (code != PARTI_OK)
        return code;
    if (rules == NULL)
        rules = &no_rules;
    made = rd_kafka_conf_new();
    code = set_ours(made, "client.id", "parti", 0, error);
    if (code == PARTI_OK)
        code = set_list(made, rules->fallback, error);
    for (uint32_t i = 0; i < conf->n && code == PARTI_OK; i++)
        if (strncmp(conf->key[i], prefix, sizeof prefix - 1) == 0)
            code = set_property(made, rules, conf->key[i], conf->value[i], conf->line[i],
                                error);
    if (code == PARTI_OK)
        code = set_ours(made, "bootstrap.servers", brokers,
                        parti_conf_line(conf, "brokers"), error);
    if (code == PARTI_OK && group != NULL)
        code = set_ours(made, "group.id", group, parti_conf_line(conf, "group"), error);
    if (code == PARTI_OK)
        code = set_list(made, fixed, error);
    if (code == PARTI_OK)
        code = set_list(made, rules->fixed, error);
    free(brokers);
    if (code == PARTI_OK)
        *ret = made;
    else
        rd_kafka_conf_destroy(made);
    return code;
}

int32_t kafka_conf_blame(const struct parti_conf *conf, const char *why,
                         struct parti_error *error)
{
    size_t best = 0;

    for (uint32_t i = 0; i < conf->n; i++) {
        const char *name = conf->key[i];

        if (strncmp(name, prefix, sizeof prefix - 1) != 0)
            continue;
        name += sizeof prefix - 1;
        if (strlen(name) > best && strstr(why, name) != NULL) {
            best = strlen(name);
            error->line = conf->line[i];
        }
    }
    return parti_fail(error, PARTI_BADCONF, "librdkafka does not start: %s", why);
}
