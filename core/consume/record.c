#include "consume/record.h"

#include "base/json.h"
#include "base/partid.h"
#include "base/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { VERSION = 1, FLAG_BEGUN = 1, FLAG_RELEASED = 2, FLAG_SUSPECT = 4 };

/* The keys of a record, each needed and each but once. */
enum field {
    FIELD_PARTI,
    FIELD_VERSION,
    FIELD_PARTITION,
    FIELD_GEN,
    FIELD_SINCE,
    FIELD_ORIGIN,
    FIELD_NEXT,
    FIELD_AT,
    FIELD_ATTEMPTS,
    FIELD_FLAGS,
    FIELDS
};

static const char *const name[FIELDS] = {
    [FIELD_PARTI] = "parti", [FIELD_VERSION] = "version", [FIELD_PARTITION] = "partition",
    [FIELD_GEN] = "gen",     [FIELD_SINCE] = "since",     [FIELD_ORIGIN] = "origin",
    [FIELD_NEXT] = "next",   [FIELD_AT] = "at",           [FIELD_ATTEMPTS] = "attempts",
    [FIELD_FLAGS] = "flags"};

struct fields {
    uint64_t number[FIELDS];
    char parti[16];
    char partition[PARTID_TEXT_ROOM];
    uint32_t seen; /* a bit each */
};

size_t record_encode(const struct consume_record *r, struct bytes id, void *buffer,
                     size_t room)
{
    char partition[PARTID_TEXT_ROOM];
    struct json_out o;

    (void)partid_encode(id, partition, sizeof partition);
    json_out_init(&o, buffer, room);
    json_open(&o, NULL, '{');
    json_put_text(&o, name[FIELD_PARTI], "position");
    json_put_u64(&o, name[FIELD_VERSION], VERSION);
    json_put_text(&o, name[FIELD_PARTITION], partition);
    json_put_u64(&o, name[FIELD_GEN], r->token.gen);
    json_put_u64(&o, name[FIELD_SINCE], r->token.since);
    json_put_hex(&o, name[FIELD_ORIGIN], 0, r->origin, false);
    json_put_u64(&o, name[FIELD_NEXT], r->next);
    json_put_u64(&o, name[FIELD_AT], r->at);
    json_put_u64(&o, name[FIELD_ATTEMPTS], r->attempts);
    json_put_u64(&o, name[FIELD_FLAGS],
                 (r->is_begun ? FLAG_BEGUN : 0u) | (r->is_released ? FLAG_RELEASED : 0u) |
                     (r->is_suspect ? FLAG_SUSPECT : 0u));
    json_close(&o, '}');
    return o.is_over ? 0 : o.n;
}

static void read_field(struct json_in *in, enum field f, struct fields *v)
{
    uint64_t hi = 0;

    if ((v->seen & 1u << f) != 0)
        in->is_bad = true;
    v->seen |= 1u << f;
    if (f == FIELD_PARTI) {
        json_get_text(in, v->parti, sizeof v->parti);
    } else if (f == FIELD_PARTITION) {
        json_get_text(in, v->partition, sizeof v->partition);
    } else if (f == FIELD_ORIGIN) {
        json_get_hex(in, &hi, &v->number[f]);
        in->is_bad = in->is_bad || hi != 0;
    } else {
        v->number[f] = json_get_u64(in);
    }
}

static bool read_fields(const void *data, size_t n, struct fields *v)
{
    struct json_in in;
    struct bytes key;

    json_in_init(&in, data, n);
    json_enter(&in, '{');
    while (!in.is_bad && json_next_key(&in, &key)) {
        uint32_t f = 0;

        while (f < FIELDS && !bytes_equal(key, bytes_of(name[f])))
            f++;
        if (f == FIELDS)
            json_skip(&in);
        else
            read_field(&in, (enum field)f, v);
    }
    return !in.is_bad && in.at == in.end && strcmp(v->parti, "position") == 0 &&
           (v->seen & 1u << FIELD_VERSION) != 0;
}

int record_decode(struct consume_record *ret, struct bytes id, const void *data, size_t n)
{
    struct fields v = {.seen = 0};
    char partition[PARTID_TEXT_ROOM];

    if (!read_fields(data, n, &v))
        return STATUS_CORRUPT;
    if (v.number[FIELD_VERSION] > VERSION)
        return STATUS_UNSUPPORTED;
    if (v.number[FIELD_VERSION] != VERSION || v.seen != (1u << FIELDS) - 1 ||
        v.number[FIELD_ATTEMPTS] > UINT32_MAX ||
        v.number[FIELD_FLAGS] > (FLAG_BEGUN | FLAG_RELEASED | FLAG_SUSPECT))
        return STATUS_CORRUPT;
    (void)partid_encode(id, partition, sizeof partition);
    if (strcmp(partition, v.partition) != 0)
        return STATUS_INVALID;
    *ret = (struct consume_record){
        .token = {v.number[FIELD_GEN], v.number[FIELD_SINCE]},
        .origin = v.number[FIELD_ORIGIN],
        .next = v.number[FIELD_NEXT],
        .at = v.number[FIELD_AT],
        .attempts = (uint32_t)v.number[FIELD_ATTEMPTS],
        .is_begun = (v.number[FIELD_FLAGS] & FLAG_BEGUN) != 0,
        .is_released = (v.number[FIELD_FLAGS] & FLAG_RELEASED) != 0,
        .is_suspect = (v.number[FIELD_FLAGS] & FLAG_SUSPECT) != 0};
    return STATUS_OK;
}
