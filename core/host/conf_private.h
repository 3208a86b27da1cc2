/* What struct conf keeps for itself; private to conf*.c. */
#ifndef PARTI_HOST_CONF_PRIVATE_H
#define PARTI_HOST_CONF_PRIVATE_H

#include "host/conf.h"
#include "host/conf_keys.h"
#include "host/conf_pool.h"
#include "host/conf_raw.h"

struct conf_private {
    struct conf_pool pool;
    struct conf_raw raw;
    struct option_section nats; /* [nats], as it lends to plugins: the url in force first;
                                   empty where that is a server of our own */
};

/* Letters, digits, '_' and '-' alone? */
bool conf_name_good(const char *text);

/* Is the text an address that [nats] url may hold?  0, or STATUS_INVALID with a phrase
 * that names no password. */
int conf_url_check(const char *url, char *why, size_t room);

/* After all is read, and after each change of nats.url. */
void conf_lend(struct conf *c);

/* The values against each other; mistakes go to c->errors, each at the line of the key
 * that was given last. */
void conf_check(struct conf *c);

#endif
