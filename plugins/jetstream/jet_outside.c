/* Lanes of a subject that the stream does not take in.  Servers up to 2.9 refuse a reader
 * of it; later ones make it, and it waits for ever without a word.  It stays and is said
 * to be in trouble, until the stream takes the subject in.
 */
#include "plugins/jetstream/jet_consumer.h"
#include "plugins/jetstream/jet_keys.h"

enum { AGAIN_MS = 5000, SHOWN_ROOM = 160 };

/* Where messages come from elsewhere, too, or under other subjects than they are
 * published with, the list of subjects says nothing. */
static int32_t is_list_all(const json_t *config)
{
    return json_array_size(json_object_get(config, "subjects")) > 0 &&
           !json_object_get(config, "mirror") &&
           !json_object_get(config, "subject_transform") &&
           json_array_size(json_object_get(config, "sources")) == 0;
}

static int32_t is_outside(const struct jet_consumer *c, const struct jet_lane *l)
{
    const json_t *subject;
    size_t i;

    json_array_foreach(c->subjects, i, subject)
    {
        if (json_is_string(subject) &&
            jet_keys_overlap(json_string_value(subject), l->subject))
            return 0;
    }
    return c->subjects != NULL;
}

void jet_outside_learn(struct jet_consumer *c, const json_t *config)
{
    json_decref(c->subjects);
    c->subjects =
        is_list_all(config) ? json_incref(json_object_get(config, "subjects")) : NULL;
    for (uint32_t i = 0; i < c->lane_room; i++) {
        struct jet_lane *l = c->lane[i];

        if (l != NULL && l->is_outside && !is_outside(c, l))
            jet_reader_tell(c, l, PARTI_OK, "");
    }
}

void jet_outside_keep(struct jet_consumer *c, uint64_t now_ms)
{
    int32_t is_any = 0;

    for (uint32_t i = 0; i < c->lane_room && !is_any; i++)
        is_any = c->lane[i] != NULL && c->lane[i]->is_outside;
    if (!is_any || now_ms < c->outside_ms)
        return;
    c->outside_ms = now_ms + AGAIN_MS;
    (void)jet_look_ask(c);
}

/* Where many partitions have this trouble the host tells it once, for the text is the
 * same. */
static void tell(struct jet_consumer *c, struct jet_lane *l)
{
    char list[SHOWN_ROOM] = "", why[2 * SHOWN_ROOM + JET_TEMPLATE_ROOM];
    const json_t *subject;
    size_t i, n = 0;

    json_array_foreach(c->subjects, i, subject)
    {
        n += (size_t)snprintf(list + n, sizeof list - n, "%s'%s'", i > 0 ? ", " : "",
                              json_string_value(subject));
        if (n >= sizeof list) {
            memcpy(list + sizeof list - 4, "...", 4);
            break;
        }
    }
    (void)snprintf(why, sizeof why,
                   "%.60s takes in %s and nothing else, so no message comes to this "
                   "partition's subject by '%s'; correct 'subject' in [consume], or give "
                   "the stream that subject",
                   c->api.shown, list, c->template);
    jet_reader_tell(c, l, PARTI_RETRY, why);
    l->is_outside = 1;
}

void jet_outside_tell(struct jet_consumer *c, struct jet_lane *l)
{
    /* What is left of a time when it was taken in comes first. */
    if (l->turn.pending == 0 && is_outside(c, l))
        tell(c, l);
    else
        jet_reader_tell(c, l, PARTI_OK, "");
}
