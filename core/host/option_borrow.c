#include "host/option_borrow.h"

#include "base/status.h"

#include <stdlib.h>
#include <string.h>

static bool has_key(const struct option_section *s, const char *key)
{
    for (size_t i = 0; i < s->raw_n; i++)
        if (strcmp(s->raw[i].key, key) == 0)
            return true;
    return false;
}

static bool is_of_connection(const struct parti_connection *c, const char *row)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (strcmp(c->name[i], row) == 0)
            return true;
    return false;
}

static bool may_borrow(const struct option_section *own, const struct parti_option *table,
                       const struct parti_connection *c, const char *key)
{
    const struct parti_option *row = option_row(table, key);

    return row != NULL && is_of_connection(c, row->name) && !has_key(own, key);
}

/* The nearest section that has the address; NULL: none. */
static const struct option_section *lender_of(const struct option_section *own,
                                              const struct parti_connection *c)
{
    const struct option_section *s = own;

    while (s != NULL && !has_key(s, c->name[0]))
        s = s->lender;
    return s != own ? s : NULL;
}

int option_borrow(const struct option_section *own, const struct parti_option *table,
                  const struct parti_connection *connection, struct option_section *ret)
{
    const struct option_section *lender =
        connection->n > 0 ? lender_of(own, connection) : NULL;

    *ret = *own;
    if (lender == NULL)
        return STATUS_OK;
    ret->raw = calloc(own->raw_n + lender->raw_n, sizeof *ret->raw);
    if (ret->raw == NULL)
        return STATUS_NOMEM;
    for (size_t i = 0; i < own->raw_n; i++)
        ret->raw[i] = own->raw[i];
    for (size_t i = 0; i < lender->raw_n; i++)
        if (may_borrow(own, table, connection, lender->raw[i].key))
            ret->raw[ret->raw_n++] = lender->raw[i];
    return STATUS_OK;
}

void option_borrow_free(const struct option_section *own, struct option_section *borrowed)
{
    if (borrowed->raw != own->raw)
        free(borrowed->raw);
    *borrowed = (struct option_section){0};
}
