/* What went wrong with NATS, in the words of Parti.  For core/edge.  Any thread.
 *
 * A text is one or two sentences: what failed with its value, why, what to do.  It does
 * not repeat the code; whoever prints it writes "PARTI-E102 " before it.
 */
#ifndef PARTI_EDGE_NATS_ERROR_H
#define PARTI_EDGE_NATS_ERROR_H

#include <stddef.h>

enum { NATS_ERROR_ROOM = 768 };

struct nats_error {
    int status; /* status.h */
    int code;   /* errors.h */
    char text[NATS_ERROR_ROOM];
};

/* Fills all three; a text that is too long is cut. */
void nats_error_set(struct nats_error *e, int status, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The error that JetStream itself answered: its number (err_code) and description.
 * 'server' is the URL without credentials, 'what' the thing asked for ("stream X").
 */
void nats_error_from_jetstream(struct nats_error *e, const char *server, const char *what,
                               long err_code, const char *description);

/* Nobody answers for JetStream on this server at all. */
void nats_error_no_jetstream(struct nats_error *e, const char *server);

#endif
