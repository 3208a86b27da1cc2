/* Where the embedded server is: one small file (0600) in its state directory, by which
 * processes of the same user find it.  For nats_child*.c.
 */
#ifndef PARTI_EDGE_NATS_ENDPOINT_H
#define PARTI_EDGE_NATS_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { NATS_ENDPOINT_PATH_ROOM = 512, NATS_ENDPOINT_PASSWORD_ROOM = 40 };

struct nats_endpoint {
    char password[NATS_ENDPOINT_PASSWORD_ROOM]; /* of the user "parti" */
    int port;                                   /* 0: not known yet */
    bool is_ready;                              /* the server greets there */
};

/* Makes the directory (0700) if it is missing.  STATUS_INVALID with a sentence in
 * text[room] if it belongs to somebody else or others may write to it.
 */
int nats_endpoint_prepare(const char *dir, char *text, size_t room);

/* STATUS_NOTFOUND: no such file.  STATUS_DENIED: not ours alone.  STATUS_CORRUPT. */
int nats_endpoint_load(const char *dir, struct nats_endpoint *endpoint);

/* Replaces the file in one step.  STATUS_IO with errno set. */
int nats_endpoint_save(const char *dir, const struct nats_endpoint *endpoint);

/* Writes a file of mode 0600 in one step: readers see the old or the new.  STATUS_IO
 * with errno set.
 */
int nats_endpoint_write(const char *dir, const char *name, const char *text, size_t n);

/* A fresh password, port 0. */
void nats_endpoint_init(struct nats_endpoint *endpoint);

/* nats://parti:password@127.0.0.1:port */
void nats_endpoint_url(const struct nats_endpoint *endpoint, char *to, size_t room);

#endif
