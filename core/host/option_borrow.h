/* The keys of a plugin's section that stand in another one: sdk/parti_connection.h has
 * the rule, conf.c says who lends to whom.  Any thread, one user at a time. */
#ifndef PARTI_HOST_OPTION_BORROW_H
#define PARTI_HOST_OPTION_BORROW_H

#include "host/option.h"
#include "parti_connection.h"

/* '*ret' becomes 'own' and what it borrows; 'table' is that of its role.  What
 * ret->raw holds is freed by option_borrow_free(); the texts stay the sections'.
 * 0, STATUS_NOMEM. */
int option_borrow(const struct option_section *own, const struct parti_option *table,
                  const struct parti_connection *connection, struct option_section *ret);

/* 'borrowed' as option_borrow() left it, 'own' as it was given. */
void option_borrow_free(const struct option_section *own,
                        struct option_section *borrowed);

#endif
