/* The host as one plugin instance sees it: its struct parti_host and what backs it.
 *
 * Used for strategies and sources, in this process and in the process of an isolated
 * strategy.  The table stays where it is while the plugin may use it: do not move or
 * copy a struct instance once it is initialised.
 */
#ifndef PARTI_HOST_INSTANCE_H
#define PARTI_HOST_INSTANCE_H

#include "host/conf_errors.h"
#include "host/conf.h"
#include "host/plugin.h"

#include <stdatomic.h>

enum { INSTANCE_NAME_ROOM = 128 };

struct instance {
    struct parti_host table;
    char name[INSTANCE_NAME_ROOM]; /* "strategy acme", "source:NAME acme" */
    atomic_bool stop;
    atomic_uint_least64_t deadline_ms; /* threads_now_ms() terms; UINT64_MAX: none */
    void (*changed)(void *ctx);        /* NULL: not listened to; any thread */
    void *changed_ctx;
};

/* 'section' and 'plugin' are copied into the name. */
void instance_init(struct instance *in, const char *section, const char *plugin,
                   void (*changed)(void *ctx), void *ctx);

/* What stop_wanted() answers: yes when told so here, or from the deadline on.  Any
 * thread. */
void instance_stop(struct instance *in, bool is_wanted);
void instance_deadline(struct instance *in, uint64_t deadline_ms);

/* Loads the plugin that a section names and checks the section against its options:
 * *ret_options is the caller's to free.  0 or a code; then 'errors' says all. */
int instance_load(const struct conf_plugin *conf, const char *plugin_dir,
                  enum plugin_kind kind, struct conf_errors *errors,
                  const struct plugin **ret_plugin, struct option_conf **ret_options);

/* An empty error record to hand to a plugin, and its text made safe to read. */
void instance_error_init(struct parti_error *error);
const char *instance_error_text(struct parti_error *error);

/* "RETRY" and so on; "an unknown code" for what the header does not name. */
const char *instance_code_name(int32_t code);

/* Reports that create() answered 'code' (not PARTI_OK) to 'errors'.  Returns
 * STATUS_INVALID for PARTI_BADCONF, else a code of the world. */
int instance_refused(const struct instance *in, const struct conf_plugin *conf,
                     int32_t code, struct parti_error *error, struct conf_errors *errors);

#endif
