/* Kafka for the ledger test: starts the brokers, makes the topics, says where they are on
 * one line, and ends when its standard input does.
 *
 *     kafka_host BROKERS PARTITIONS
 */
#include "config.h"

#include "broker.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static struct brokers kafka;
    int n = argc == 3 ? (int)strtol(argv[1], NULL, 10) : 0;
    char end;

    if (n < 1 || n > BROKERS_MAX) {
        (void)fprintf(stderr, "usage: kafka_host BROKERS PARTITIONS\n");
        return 2;
    }
    if (brokers_missing() != NULL) {
        (void)fprintf(stderr, "%s\n", brokers_missing());
        return 77;
    }
    brokers_start(&kafka, n);
    brokers_topic(&kafka, "ledger", (int)strtol(argv[2], NULL, 10), n);
    brokers_topic(&kafka, "ledger-dead", 1, n);
    (void)printf("%s\n", kafka.list[BROKER_PLAIN]);
    (void)fflush(stdout);
    while (read(STDIN_FILENO, &end, 1) > 0)
        continue;
    brokers_finish(&kafka);
    return 0;
}
