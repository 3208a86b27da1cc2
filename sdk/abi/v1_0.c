/* The layout of plugin ABI 1.0, for ever.  Compiled in `make check` against today's
 * header and against the copy of the first one; never edited after its release.  Each
 * later minor gets a file of its own.
 *
 * A failure here means: a plugin that is out there would read or call something else than
 * its author meant.  Mend the header, not this file.
 *
 * Offsets and sizes are those of machines with 64-bit pointers.
 */
#include "parti_plugin.h"

#include "layout.h"

/* struct parti_error */
AT(parti_error, size, 0, 4);
IS(parti_error, size, uint32_t);
AT(parti_error, line, 4, 4);
IS(parti_error, line, uint32_t);
AT(parti_error, text, 8, 248);
IS(parti_error, text, char *);
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct parti_error) >= 256, "the size of parti_error");
_Static_assert(sizeof(struct parti_error) % 8 == 0, "parti_error has no hidden end");
#endif

/* struct parti_strs */
AT(parti_strs, bytes, 0, 8);
IS(parti_strs, bytes, const char *);
AT(parti_strs, end, 8, 8);
IS(parti_strs, end, const uint64_t *);
AT(parti_strs, n, 16, 8);
IS(parti_strs, n, uint64_t);
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct parti_strs) == 24, "the size of parti_strs");
#endif

/* struct parti_option */
AT(parti_option, name, 0, 8);
IS(parti_option, name, const char *);
AT(parti_option, fallback, 8, 8);
IS(parti_option, fallback, const char *);
AT(parti_option, help, 16, 8);
IS(parti_option, help, const char *);
AT(parti_option, choices, 24, 8);
IS(parti_option, choices, const char *);
AT(parti_option, min, 32, 8);
IS(parti_option, min, int64_t);
AT(parti_option, max, 40, 8);
IS(parti_option, max, int64_t);
AT(parti_option, type, 48, 4);
IS(parti_option, type, int32_t);
AT(parti_option, flags, 52, 4);
IS(parti_option, flags, int32_t);
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct parti_option) == 56, "the size of parti_option");
#endif

/* struct parti_conf */
AT(parti_conf, size, 0, 4);
IS(parti_conf, size, uint32_t);
AT(parti_conf, n, 4, 4);
IS(parti_conf, n, uint32_t);
AT(parti_conf, key, 8, 8);
IS(parti_conf, key, const char *const *);
AT(parti_conf, value, 16, 8);
IS(parti_conf, value, const char *const *);
AT(parti_conf, line, 24, 8);
IS(parti_conf, line, const uint32_t *);
AT(parti_conf, file, 32, 8);
IS(parti_conf, file, const char *);
AT(parti_conf, section, 40, 8);
IS(parti_conf, section, const char *);
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct parti_conf) >= 48, "the size of parti_conf");
_Static_assert(sizeof(struct parti_conf) % 8 == 0, "parti_conf has no hidden end");
#endif

/* struct parti_host */
AT(parti_host, size, 0, 4);
IS(parti_host, size, uint32_t);
AT(parti_host, abi_minor, 4, 4);
IS(parti_host, abi_minor, uint32_t);
AT(parti_host, ctx, 8, 8);
IS(parti_host, ctx, void *);
AT(parti_host, version, 16, 8);
IS(parti_host, version, const char *);
AT(parti_host, log_on, 24, 8);
IS(parti_host, log_on, int32_t (*)(const struct parti_host *, int32_t));
AT(parti_host, log, 32, 8);
IS(parti_host, log, void (*)(const struct parti_host *, int32_t, const char *, uint64_t));
AT(parti_host, changed, 40, 8);
IS(parti_host, changed, void (*)(const struct parti_host *));
AT(parti_host, stop_wanted, 48, 8);
IS(parti_host, stop_wanted, int32_t (*)(const struct parti_host *));
AT(parti_host, extension, 56, 8);
IS(parti_host, extension, const void *(*)(const struct parti_host *, const char *));
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct parti_host) >= 64, "the size of parti_host");
_Static_assert(sizeof(struct parti_host) % 8 == 0, "parti_host has no hidden end");
#endif

/* struct parti_world */
AT(parti_world, size, 0, 4);
IS(parti_world, size, uint32_t);
AT(parti_world, event, 4, 4);
IS(parti_world, event, uint32_t);
AT(parti_world, epoch, 8, 8);
IS(parti_world, epoch, uint64_t);
AT(parti_world, seed, 16, 8);
IS(parti_world, seed, uint64_t);
AT(parti_world, part_n, 24, 8);
IS(parti_world, part_n, uint64_t);
AT(parti_world, part_id, 32, 24);
IS(parti_world, part_id, struct parti_strs);
AT(parti_world, part_hash, 56, 8);
IS(parti_world, part_hash, const uint64_t *);
AT(parti_world, part_weight, 64, 8);
IS(parti_world, part_weight, const uint32_t *);
AT(parti_world, part_prev, 72, 8);
IS(parti_world, part_prev, const uint32_t *);
AT(parti_world, part_zone, 80, 8);
IS(parti_world, part_zone, const uint32_t *);
AT(parti_world, worker_n, 88, 4);
IS(parti_world, worker_n, uint32_t);
AT(parti_world, prev_n, 92, 4);
IS(parti_world, prev_n, uint32_t);
AT(parti_world, worker_id, 96, 24);
IS(parti_world, worker_id, struct parti_strs);
AT(parti_world, worker_slot, 120, 8);
IS(parti_world, worker_slot, const uint32_t *);
AT(parti_world, worker_hash, 128, 8);
IS(parti_world, worker_hash, const uint64_t *);
AT(parti_world, worker_capacity, 136, 8);
IS(parti_world, worker_capacity, const uint32_t *);
AT(parti_world, worker_zone, 144, 8);
IS(parti_world, worker_zone, const uint32_t *);
AT(parti_world, worker_flags, 152, 8);
IS(parti_world, worker_flags, const uint32_t *);
AT(parti_world, prev_to_now, 160, 8);
IS(parti_world, prev_to_now, const uint32_t *);
AT(parti_world, zone, 168, 24);
IS(parti_world, zone, struct parti_strs);
AT(parti_world, tolerance_ppm, 192, 4);
IS(parti_world, tolerance_ppm, uint32_t);
AT(parti_world, reserved, 196, 4);
IS(parti_world, reserved, uint32_t);
AT(parti_world, moves_max, 200, 8);
IS(parti_world, moves_max, uint64_t);
AT(parti_world, work_max, 208, 8);
IS(parti_world, work_max, uint64_t);
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct parti_world) >= 216, "the size of parti_world");
_Static_assert(sizeof(struct parti_world) % 8 == 0, "parti_world has no hidden end");
#endif

/* struct parti_strategy */
AT(parti_strategy, size, 0, 4);
IS(parti_strategy, size, uint32_t);
AT(parti_strategy, caps, 4, 4);
IS(parti_strategy, caps, uint32_t);
AT(parti_strategy, create, 8, 8);
IS(parti_strategy, create,
   int32_t (*)(void **, const struct parti_host *, const struct parti_conf *,
               struct parti_error *));
AT(parti_strategy, assign, 16, 8);
IS(parti_strategy, assign,
   int32_t (*)(void *, const struct parti_world *, uint32_t *, struct parti_error *));
AT(parti_strategy, destroy, 24, 8);
IS(parti_strategy, destroy, void (*)(void *));
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct parti_strategy) >= 32, "the size of parti_strategy");
_Static_assert(sizeof(struct parti_strategy) % 8 == 0,
               "parti_strategy has no hidden end");
#endif

/* struct parti_rows */
AT(parti_rows, size, 0, 4);
IS(parti_rows, size, uint32_t);
AT(parti_rows, reserved, 4, 4);
IS(parti_rows, reserved, uint32_t);
AT(parti_rows, id, 8, 24);
IS(parti_rows, id, struct parti_strs);
AT(parti_rows, weight, 32, 8);
IS(parti_rows, weight, const uint32_t *);
AT(parti_rows, zone, 40, 24);
IS(parti_rows, zone, struct parti_strs);
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct parti_rows) >= 64, "the size of parti_rows");
_Static_assert(sizeof(struct parti_rows) % 8 == 0, "parti_rows has no hidden end");
#endif

/* struct parti_sink */
AT(parti_sink, size, 0, 4);
IS(parti_sink, size, uint32_t);
AT(parti_sink, reserved, 4, 4);
IS(parti_sink, reserved, uint32_t);
AT(parti_sink, ctx, 8, 8);
IS(parti_sink, ctx, void *);
AT(parti_sink, add, 16, 8);
IS(parti_sink, add, int32_t (*)(struct parti_sink *, const struct parti_rows *));
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct parti_sink) >= 24, "the size of parti_sink");
_Static_assert(sizeof(struct parti_sink) % 8 == 0, "parti_sink has no hidden end");
#endif

/* struct parti_source */
AT(parti_source, size, 0, 4);
IS(parti_source, size, uint32_t);
AT(parti_source, caps, 4, 4);
IS(parti_source, caps, uint32_t);
AT(parti_source, create, 8, 8);
IS(parti_source, create,
   int32_t (*)(void **, const struct parti_host *, const struct parti_conf *,
               struct parti_error *));
AT(parti_source, list, 16, 8);
IS(parti_source, list,
   int32_t (*)(void *, struct parti_sink *, uint64_t, struct parti_error *));
AT(parti_source, cancel, 24, 8);
IS(parti_source, cancel, void (*)(void *));
AT(parti_source, destroy, 32, 8);
IS(parti_source, destroy, void (*)(void *));
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct parti_source) >= 40, "the size of parti_source");
_Static_assert(sizeof(struct parti_source) % 8 == 0, "parti_source has no hidden end");
#endif

/* struct parti_plugin */
AT(parti_plugin, size, 0, 4);
IS(parti_plugin, size, uint32_t);
AT(parti_plugin, abi_minor, 4, 4);
IS(parti_plugin, abi_minor, uint32_t);
AT(parti_plugin, needs_minor, 8, 4);
IS(parti_plugin, needs_minor, uint32_t);
AT(parti_plugin, reserved, 12, 4);
IS(parti_plugin, reserved, uint32_t);
AT(parti_plugin, id, 16, 8);
IS(parti_plugin, id, const char *);
AT(parti_plugin, version, 24, 8);
IS(parti_plugin, version, const char *);
AT(parti_plugin, vendor, 32, 8);
IS(parti_plugin, vendor, const char *);
AT(parti_plugin, license, 40, 8);
IS(parti_plugin, license, const char *);
AT(parti_plugin, summary, 48, 8);
IS(parti_plugin, summary, const char *);
AT(parti_plugin, strategy_option, 56, 8);
IS(parti_plugin, strategy_option, const struct parti_option *);
AT(parti_plugin, source_option, 64, 8);
IS(parti_plugin, source_option, const struct parti_option *);
AT(parti_plugin, strategy, 72, 8);
IS(parti_plugin, strategy, const struct parti_strategy *);
AT(parti_plugin, source, 80, 8);
IS(parti_plugin, source, const struct parti_source *);
AT(parti_plugin, extension, 88, 8);
IS(parti_plugin, extension, const void *(*)(const char *));
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct parti_plugin) >= 96, "the size of parti_plugin");
_Static_assert(sizeof(struct parti_plugin) % 8 == 0, "parti_plugin has no hidden end");
#endif

/* the entry */
_Static_assert(_Generic((parti_plugin_entry)0,
                        const struct parti_plugin *(*)(const struct parti_host *) : 1,
                        default : 0),
               "the type of the entry");
_Static_assert(PARTI_ABI_MAJOR == 1, "the major in the entry's name");

/* the meaning of numbers */
VALUE(PARTI_OK, 0);
VALUE(PARTI_RETRY, 1);
VALUE(PARTI_BADCONF, 2);
VALUE(PARTI_BADINPUT, 3);
VALUE(PARTI_NOMEM, 4);
VALUE(PARTI_CANCELED, 5);
VALUE(PARTI_UNSUPPORTED, 6);
VALUE(PARTI_BUG, 7);
VALUE(PARTI_KEEP, 8);
VALUE(PARTI_STR, 0);
VALUE(PARTI_INT, 1);
VALUE(PARTI_BOOL, 2);
VALUE(PARTI_MSEC, 3);
VALUE(PARTI_PATH, 4);
VALUE(PARTI_REQUIRED, 1);
VALUE(PARTI_SECRET, 2);
VALUE(PARTI_LIST, 4);
VALUE(PARTI_DEBUG, 0);
VALUE(PARTI_INFO, 1);
VALUE(PARTI_WARN, 2);
VALUE(PARTI_ERROR, 3);
VALUE(PARTI_EVENT_COLD, 0);
VALUE(PARTI_EVENT_SCALE, 1);
VALUE(PARTI_EVENT_EMERGENCY, 2);
VALUE(PARTI_EVENT_REFRESH, 3);
VALUE(PARTI_WORKER_NEW, 1);
VALUE(PARTI_WORKER_DRAINING, 2);
VALUE(PARTI_WORKER_CORDONED, 4);
VALUE(PARTI_STRATEGY_WEIGHTS, 1);
VALUE(PARTI_STRATEGY_STICKY, 2);
VALUE(PARTI_STRATEGY_ZONES, 4);
