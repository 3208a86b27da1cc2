/* Which section lends the address of the broker to which; the rule is that of
 * sdk/parti_connection.h. */
#include "host/conf_private.h"

#include <string.h>

/* [nats] with the url in force, wherever that came from.  A server of our own (embedded)
 * is for the group's records alone: its address and log-in are made at each start. */
static void fill_nats(struct conf *c)
{
    const struct conf_raw_section *s = conf_raw_find(&c->own->raw, "nats");
    const struct option_raw *url = conf_raw_key(s, "url");
    size_t n = s != NULL ? s->key_n : 0;
    struct option_section *o = &c->own->nats;

    *o = (struct option_section){.name = "nats", .file = c->file, .dir = c->dir};
    o->raw = conf_pool_take(&c->own->pool, (n + 1) * sizeof *o->raw);
    if (o->raw == NULL || c->nats.embedded)
        return;
    o->raw[o->raw_n++] = (struct option_raw){
        .key = "url",
        .value = c->nats.url,
        .line = url != NULL && strcmp(url->value, c->nats.url) == 0 ? url->line : 0,
        .lines = 1};
    for (size_t i = 0; i < n; i++)
        if (strcmp(s->key[i].key, "url") != 0)
            o->raw[o->raw_n++] = s->key[i];
}

/* Several of one plugin may be of several brokers: then nobody lends. */
static const struct option_section *lender_of_consume(const struct conf *c)
{
    const struct option_section *found = &c->own->nats;
    size_t same = 0;

    for (size_t i = 0; i < c->source_n; i++)
        if (c->source[i].plugin != NULL && c->consume.base.plugin != NULL &&
            strcmp(c->source[i].plugin, c->consume.base.plugin) == 0) {
            found = &c->source[i].section;
            same++;
        }
    return same <= 1 ? found : NULL;
}

void conf_lend(struct conf *c)
{
    fill_nats(c);
    for (size_t i = 0; i < c->source_n; i++)
        c->source[i].section.lender = &c->own->nats;
    c->consume.base.section.lender = lender_of_consume(c);
}
