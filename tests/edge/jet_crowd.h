/* Many lanes on one stream: the stream S of p.>, its messages, and what the server says
 * of its consumers meanwhile.  Fails the running Check test if something is not as it
 * must be.
 */
#ifndef PARTI_TESTS_EDGE_JET_CROWD_H
#define PARTI_TESTS_EDGE_JET_CROWD_H

#include "jet_bench.h"
#include "jet_host.h"

enum { CROWD_MS = 40000, CROWD_NAME_ROOM = 256 };

/* The stream S, with a limit of consumers or -1. */
void crowd_stream(struct jet_bench *b, const char *retention, const char *storage,
                  int max_consumers);

/* A host with that many readers, of partitions p.{1}; none reads the whole stream. */
void crowd_join(struct jet_bench *b, struct jet_host *h, const char *readers);

/* Message number i of each partition in [first, first + n), all of them in the stream
 * when it returns. */
void crowd_produce(struct jet_bench *b, int first, int n, int i);

/* The same for numbers from 'from' to 'to', in turns; 'more' ends each subject. */
void crowd_produce_to(struct jet_bench *b, int first, int n, int from, int to,
                      const char *more);

/* What the server tells of consumers from now on: also of one that is gone before anybody
 * looks.  To be destroyed before the bench is finished. */
natsSubscription *crowd_news(struct jet_bench *b);

/* The next word within so many ms that a consumer with 'mark' in its name is 'what',
 * CREATED or DELETED, and that name; zero: none. */
int crowd_next_news(natsSubscription *news, const char *what, const char *mark,
                    uint64_t ms, char name[CROWD_NAME_ROOM]);

/* Begins the runs of lanes [first, first + n), each of the partition of its number. */
void crowd_run(struct jet_host *h, int first, int n, uint64_t credit);

/* Waits until each of the lanes [first, first + n) has had 'messages', asks the server
 * all the time, and returns the most consumers that it had. */
json_int_t crowd_await(struct jet_bench *b, struct jet_host *h, int first, int n,
                       uint32_t messages);

/* Each of them has had 'messages', from number 0 on, in order. */
void crowd_expect(struct jet_host *h, int first, int n, uint32_t messages);

/* Tells that all that the lanes have had is done. */
void crowd_done(struct jet_host *h, int first, int n);

/* From the stream's state; await: until it is that. */
json_int_t crowd_state(struct jet_bench *b, const char *what);
void crowd_await_state(struct jet_bench *b, const char *what, json_int_t expected);

/* Requests of the API that the server has refused so far. */
json_int_t crowd_errors(struct jet_bench *b);

#endif
