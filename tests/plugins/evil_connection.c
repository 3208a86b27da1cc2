/* An option of its connection that it does not have. */
#include "plain.h"

#include "parti_connection.h"

#include <string.h>

static const char *const names[] = {"url", "passwort"};
static const struct parti_connection connection = {sizeof connection, 2, names};

static const void *extension(const char *id)
{
    return strcmp(id, PARTI_CONNECTION_ID) == 0 ? &connection : NULL;
}

static const struct parti_option options[] = {
    {.name = "url", .help = "Where.", .flags = PARTI_REQUIRED},
    {.name = "password", .help = "As whom.", .flags = PARTI_SECRET},
    {.name = NULL},
};
static const struct parti_source source = PLAIN_SOURCE(plain_list);
static const struct parti_plugin about = {PLAIN_ABOUT, .source_option = options,
                                          .source = &source, .extension = extension};
PARTI_PLUGIN_ENTRY(about)
