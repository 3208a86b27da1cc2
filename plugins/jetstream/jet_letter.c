/* Dead letters: sent with headers, safe when a stream has said so. */
#include "plugins/jetstream/jet_consumer.h"

/* ---- making ---------------------------------------------------------------------- */

/* Without what would tell the stream there how to take it: expected sequences, ids
 * against doubles, lives, roll-ups were meant for the first stream. */
static int32_t is_order(const char *name)
{
    return strncmp(name, "Nats-", 5) == 0;
}

static natsStatus add_headers(natsMsg *msg, const struct parti_strs *name,
                              const struct parti_strs *value)
{
    natsStatus s = NATS_OK;

    for (uint64_t i = 0; i < name->n && s == NATS_OK; i++) {
        uint64_t key_n = 0, text_n = 0;
        const char *key = parti_str(name, i, &key_n);
        const char *text = parti_str(value, i, &text_n);
        char *k = strndup(key, key_n), *t = strndup(text, text_n);

        if (k == NULL || t == NULL)
            s = NATS_NO_MEMORY;
        else if (!is_order(k))
            s = natsMsgHeader_Add(msg, k, t);
        free(k);
        free(t);
    }
    return s;
}

struct jet_letter *jet_letter_create(const struct parti_consumer_message *message,
                                     const char *target, const struct parti_strs *name,
                                     const struct parti_strs *value)
{
    struct jet_letter *letter = calloc(1, sizeof *letter);

    if (letter == NULL)
        return NULL;
    natsStatus s = message->data_n <= INT32_MAX
                       ? natsMsg_Create(&letter->msg, target, NULL, message->data,
                                        (int)message->data_n)
                       : NATS_INVALID_ARG;
    if (s == NATS_OK)
        s = add_headers(letter->msg, &message->header_name, &message->header_value);
    if (s == NATS_OK)
        s = add_headers(letter->msg, name, value);
    if (s != NATS_OK) {
        jet_letter_free(letter);
        return NULL;
    }
    letter->position = message->position;
    return letter;
}

void jet_letter_free(struct jet_letter *letter)
{
    if (letter == NULL)
        return;
    natsMsg_Destroy(letter->msg);
    free(letter);
}

/* ---- sending --------------------------------------------------------------------- */

static natsStatus copy_headers(natsMsg *to, natsMsg *from)
{
    const char **keys = NULL;
    int keys_n = 0;

    if (natsMsgHeader_Keys(from, &keys, &keys_n) != NATS_OK)
        return NATS_OK;
    natsStatus s = NATS_OK;
    for (int i = 0; i < keys_n && s == NATS_OK; i++) {
        const char **value = NULL;
        int n = 0;

        s = natsMsgHeader_Values(from, keys[i], &value, &n);
        for (int k = 0; s == NATS_OK && k < n; k++)
            s = natsMsgHeader_Add(to, keys[i], value[k]);
        free((void *)value);
    }
    free((void *)keys);
    return s;
}

static void send_one(struct jet_consumer *c, struct jet_letter *letter)
{
    const struct jet_lane *l = letter->lane < c->lane_room ? c->lane[letter->lane] : NULL;
    char reply[JET_LINK_HEARING_ROOM + 24], id[64];
    natsMsg *msg = NULL;

    if (l == NULL)
        return;
    (void)snprintf(reply, sizeof reply, "%sb%llx", c->hearing,
                   (unsigned long long)letter->number);
    /* Sent twice because the answer was lost, it is kept once. */
    (void)snprintf(id, sizeof id, "parti-%llx-%llu", (unsigned long long)l->origin,
                   (unsigned long long)letter->position);
    natsStatus s =
        natsMsg_Create(&msg, natsMsg_GetSubject(letter->msg), reply,
                       natsMsg_GetData(letter->msg), natsMsg_GetDataLength(letter->msg));
    if (s == NATS_OK)
        s = copy_headers(msg, letter->msg);
    if (s == NATS_OK)
        s = natsMsgHeader_Set(msg, "Nats-Msg-Id", id);
    if (s == NATS_OK && jet_link_post_msg(c->link, c->session, msg) == PARTI_OK)
        letter->session = c->session;
    natsMsg_Destroy(msg);
}

void jet_letters_send(struct jet_consumer *c)
{
    for (struct jet_letter *at = c->letter; at != NULL && c->session != 0; at = at->next)
        if (at->session != c->session)
            send_one(c, at);
}

/* ---- the answers ----------------------------------------------------------------- */

static void settle(struct jet_consumer *c, struct jet_letter **at, int32_t code,
                   const char *text)
{
    struct jet_letter *letter = *at;

    *at = letter->next;
    c->inlet->buried(c->inlet, letter->lane, letter->run, letter->position, code, text);
    jet_letter_free(letter);
}

void jet_letter_answered(struct jet_consumer *c, uint64_t number, natsMsg *msg)
{
    char why[320] = "";
    struct jet_letter **at = &c->letter;

    while (*at != NULL && (*at)->number != number)
        at = &(*at)->next;
    if (*at == NULL)
        return;
    const char *target = natsMsg_GetSubject((*at)->msg);
    if (natsMsg_IsNoResponders(msg)) {
        (void)snprintf(
            why, sizeof why,
            "no stream takes '%.120s', the subject for dead letters; create one", target);
        settle(c, at, PARTI_RETRY, why);
        return;
    }
    json_t *answer = json_loadb(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg),
                                JSON_ALLOW_NUL, NULL);
    const json_t *fault = json_object_get(answer, "error");
    const char *text = json_string_value(json_object_get(fault, "description"));
    if (json_is_object(fault))
        (void)snprintf(why, sizeof why,
                       "the stream of '%.120s' refuses a dead letter: %.80s", target,
                       text != NULL ? text : "no reason given");
    else if (json_string_value(json_object_get(answer, "stream")) == NULL)
        (void)snprintf(why, sizeof why, "what answers at '%.120s' is no stream", target);
    settle(c, at, why[0] == '\0' ? PARTI_OK : PARTI_RETRY, why);
    json_decref(answer);
}

void jet_letters_expire(struct jet_consumer *c, uint64_t now_ms, const char *why)
{
    for (struct jet_letter **at = &c->letter; *at != NULL;)
        if (now_ms >= (*at)->deadline_ms)
            settle(c, at, PARTI_RETRY, why);
        else
            at = &(*at)->next;
}

void jet_letters_denied(struct jet_consumer *c, const char *subject, const char *why)
{
    for (struct jet_letter **at = &c->letter; *at != NULL;)
        if (strcmp(natsMsg_GetSubject((*at)->msg), subject) == 0)
            settle(c, at, PARTI_RETRY, why);
        else
            at = &(*at)->next;
}

void jet_letters_drop(struct jet_consumer *c, uint32_t lane)
{
    for (struct jet_letter **at = &c->letter; *at != NULL;) {
        struct jet_letter *letter = *at;

        if (letter->lane != lane) {
            at = &letter->next;
            continue;
        }
        *at = letter->next;
        jet_letter_free(letter);
    }
}
