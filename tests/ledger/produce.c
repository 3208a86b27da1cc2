#include "config.h"

#include "produce.h"

#include "ledger_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool produce_options(struct produce_options *o, int argc, char **argv)
{
    *o = (struct produce_options){.retention = "limits", .partitions = 1, .servers = 1};
    for (int i = 1; i < argc; i++) {
        const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : "";

        if (strcmp(name, "--make") == 0)
            o->is_making = true;
        else if (strcmp(name, "--await-readers") == 0)
            o->is_awaiting_readers = true;
        else if (strcmp(name, "--look") == 0)
            o->is_looking = true;
        else if (strcmp(name, "--dead") == 0)
            o->is_reading_dead = true;
        else if (++i, strcmp(name, "--url") == 0)
            o->url = value;
        else if (strcmp(name, "--folder") == 0)
            o->folder = value;
        else if (strcmp(name, "--retention") == 0)
            o->retention = value;
        else if (strcmp(name, "--partitions") == 0)
            o->partitions = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(name, "--servers") == 0)
            o->servers = (uint32_t)strtoul(value, NULL, 10);
        else if (strcmp(name, "--messages") == 0)
            o->messages = strtoull(value, NULL, 10);
        else if (strcmp(name, "--rate") == 0)
            o->rate = strtoull(value, NULL, 10);
    }
    if (o->url == NULL || o->folder == NULL || o->partitions == 0 ||
        o->partitions > PRODUCE_PARTITIONS_MAX) {
        (void)fprintf(stderr, "produce: --url, --folder and --partitions are needed\n");
        return false;
    }
    return true;
}

uint64_t produce_quota(const struct produce_options *o, uint32_t partition)
{
    return o->messages / o->partitions + (partition < o->messages % o->partitions);
}

void produce_payload(char to[PRODUCE_SIZE], uint64_t number)
{
    int n = snprintf(to, PRODUCE_SIZE, "%llu %llu ", (unsigned long long)number,
                     (unsigned long long)ledger_now_ns());

    memset(to + n, ' ', PRODUCE_SIZE - (size_t)n);
}

uint64_t produce_allowed(const struct produce_options *o, uint64_t begun_ns)
{
    uint64_t ms = (ledger_now_ns() - begun_ns) / 1000000;

    return o->rate == 0 ? UINT64_MAX : ms * o->rate / 1000 + o->partitions;
}

FILE *produce_open(const struct produce_options *o, const char *name)
{
    char path[1024];

    (void)snprintf(path, sizeof path, "%s/%s", o->folder, name);
    return fopen(path, "we");
}

bool produce_write_dead(FILE *to, const char *partition, const char *data, size_t n)
{
    uint32_t number;
    uint64_t sent_ns;

    return partition != NULL && ledger_parse(data, n, &number, &sent_ns) &&
           fprintf(to, "%lu %lu\n", (unsigned long)ledger_partition(partition),
                   (unsigned long)number) > 0;
}

bool produce_write_counts(const struct produce_options *o)
{
    FILE *to = produce_open(o, "produced");

    if (to == NULL)
        return false;
    for (uint32_t p = 0; p < o->partitions; p++)
        (void)fprintf(to, "%llu\n", (unsigned long long)produce_quota(o, p));
    return fclose(to) == 0;
}
