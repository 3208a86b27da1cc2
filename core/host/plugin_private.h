/* What the parts of the loader share; private to plugin*.c. */
#ifndef PARTI_HOST_PLUGIN_PRIVATE_H
#define PARTI_HOST_PLUGIN_PRIVATE_H

#include "host/plugin.h"

#include <sys/stat.h>

/* Fills *error with "PARTI-E<code> plugin "<name>": ..." and returns 'status'. */
__attribute__((format(printf, 5, 6))) int plugin_refuse(struct plugin_error *error,
                                                        int status, int code,
                                                        const char *name,
                                                        const char *format, ...);

/* Everything that can be known of the file without running it.  'path' is from
 * plugin_find(); real[] gets it with symbolic links resolved, *ret_stat its status. */
int plugin_file_check(const char *name, const char *path, char real[PATH_MAX],
                      struct stat *ret_stat, struct plugin_error *error);

/* Checks what the entry function gave and copies it into *p. */
int plugin_take(const char *name, const char *path, const struct parti_plugin *given,
                struct plugin *p, struct plugin_error *error);

#endif
