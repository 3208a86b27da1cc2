/* The layout of the extension parti.consumer/1, for ever.  Compiled in `make check`;
 * never edited after its release.  As v1_0.c has it: mend the header, not this file. */
#include "parti_consumer.h"

#include "layout.h"

/* struct parti_consumer_message */
AT(parti_consumer_message, size, 0, 4);
IS(parti_consumer_message, size, uint32_t);
AT(parti_consumer_message, redelivered, 4, 4);
IS(parti_consumer_message, redelivered, uint32_t);
AT(parti_consumer_message, position, 8, 8);
IS(parti_consumer_message, position, uint64_t);
AT(parti_consumer_message, time_ms, 16, 8);
IS(parti_consumer_message, time_ms, int64_t);
AT(parti_consumer_message, subject, 24, 8);
IS(parti_consumer_message, subject, const char *);
AT(parti_consumer_message, key, 32, 8);
IS(parti_consumer_message, key, const char *);
AT(parti_consumer_message, key_n, 40, 8);
IS(parti_consumer_message, key_n, uint64_t);
AT(parti_consumer_message, data, 48, 8);
IS(parti_consumer_message, data, const char *);
AT(parti_consumer_message, data_n, 56, 8);
IS(parti_consumer_message, data_n, uint64_t);
AT(parti_consumer_message, header_name, 64, 24);
IS(parti_consumer_message, header_name, struct parti_strs);
AT(parti_consumer_message, header_value, 88, 24);
IS(parti_consumer_message, header_value, struct parti_strs);
WHOLE(parti_consumer_message, 112);

/* struct parti_inlet */
AT(parti_inlet, size, 0, 4);
IS(parti_inlet, size, uint32_t);
AT(parti_inlet, reserved, 4, 4);
IS(parti_inlet, reserved, uint32_t);
AT(parti_inlet, ctx, 8, 8);
IS(parti_inlet, ctx, void *);
AT(parti_inlet, begun, 16, 8);
IS(parti_inlet, begun,
   void (*)(const struct parti_inlet *, uint32_t, uint64_t, uint64_t, uint64_t));
AT(parti_inlet, deliver, 24, 8);
IS(parti_inlet, deliver,
   int32_t (*)(const struct parti_inlet *, uint32_t, uint64_t,
               const struct parti_consumer_message *, uint64_t));
AT(parti_inlet, buried, 32, 8);
IS(parti_inlet, buried,
   void (*)(const struct parti_inlet *, uint32_t, uint64_t, uint64_t, int32_t,
            const char *));
AT(parti_inlet, trouble, 40, 8);
IS(parti_inlet, trouble,
   void (*)(const struct parti_inlet *, uint32_t, uint64_t, int32_t, const char *));
WHOLE(parti_inlet, 48);

/* struct parti_consumer_start */
AT(parti_consumer_start, size, 0, 4);
IS(parti_consumer_start, size, uint32_t);
AT(parti_consumer_start, lane, 4, 4);
IS(parti_consumer_start, lane, uint32_t);
AT(parti_consumer_start, run, 8, 8);
IS(parti_consumer_start, run, uint64_t);
AT(parti_consumer_start, id, 16, 8);
IS(parti_consumer_start, id, const char *);
AT(parti_consumer_start, id_n, 24, 8);
IS(parti_consumer_start, id_n, uint64_t);
AT(parti_consumer_start, token_gen, 32, 8);
IS(parti_consumer_start, token_gen, uint64_t);
AT(parti_consumer_start, token_since, 40, 8);
IS(parti_consumer_start, token_since, uint64_t);
AT(parti_consumer_start, origin, 48, 8);
IS(parti_consumer_start, origin, uint64_t);
AT(parti_consumer_start, next, 56, 8);
IS(parti_consumer_start, next, uint64_t);
WHOLE(parti_consumer_start, 64);

/* struct parti_consumer */
AT(parti_consumer, size, 0, 4);
IS(parti_consumer, size, uint32_t);
AT(parti_consumer, caps, 4, 4);
IS(parti_consumer, caps, uint32_t);
AT(parti_consumer, option, 8, 8);
IS(parti_consumer, option, const struct parti_option *);
AT(parti_consumer, create, 16, 8);
IS(parti_consumer, create,
   int32_t (*)(void **, const struct parti_host *, const struct parti_conf *,
               const struct parti_inlet *, struct parti_error *));
AT(parti_consumer, start, 24, 8);
IS(parti_consumer, start,
   int32_t (*)(void *, const struct parti_consumer_start *, struct parti_error *));
AT(parti_consumer, credit, 32, 8);
IS(parti_consumer, credit, void (*)(void *, uint32_t, uint64_t));
AT(parti_consumer, done, 40, 8);
IS(parti_consumer, done, void (*)(void *, uint32_t, uint64_t));
AT(parti_consumer, bury, 48, 8);
IS(parti_consumer, bury,
   void (*)(void *, uint32_t, const struct parti_consumer_message *, const char *,
            const struct parti_strs *, const struct parti_strs *));
AT(parti_consumer, stop, 56, 8);
IS(parti_consumer, stop, void (*)(void *, uint32_t, uint32_t));
AT(parti_consumer, destroy, 64, 8);
IS(parti_consumer, destroy, void (*)(void *));
WHOLE(parti_consumer, 72);
