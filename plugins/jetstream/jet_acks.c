/* Which messages of a lane the server waits for, and how it is told. */
#include "plugins/jetstream/jet_consumer.h"

int32_t jet_reply_read(const char *reply, struct jet_reply *ret)
{
    const char *token[16] = {reply};
    size_t n = 1;

    if (reply == NULL || strncmp(reply, "$JS.ACK.", 8) != 0)
        return 0;
    for (const char *dot = strchr(reply, '.'); dot != NULL && n < 16; n++) {
        token[n] = dot + 1;
        dot = strchr(dot + 1, '.');
    }
    if (n < 9)
        return 0;
    size_t shift = n > 9 ? 2 : 0;
    *ret = (struct jet_reply){.head_n = (size_t)(token[4 + shift] - reply),
                              .consumer = token[3 + shift],
                              .given = strtoull(token[4 + shift], NULL, 10),
                              .position = strtoull(token[5 + shift], NULL, 10),
                              .number = strtoull(token[6 + shift], NULL, 10),
                              .time_ns = strtoull(token[7 + shift], NULL, 10),
                              .pending = strtoull(token[8 + shift], NULL, 10),
                              .has_more = n > 11};
    ret->consumer_n = (size_t)(token[4 + shift] - ret->consumer) - 1;
    return 1;
}

int32_t jet_acks_keep(struct jet_lane *l, const struct jet_reply *reply)
{
    if (l->ack_n == l->ack_room) {
        size_t room = l->ack_room > 0 ? 2 * l->ack_room : 64;
        struct jet_ack *more = malloc(room * sizeof *more);

        if (more == NULL)
            return 0;
        for (size_t i = 0; i < l->ack_n; i++)
            more[i] = l->ack[(l->ack_first + i) % l->ack_room];
        free(l->ack);
        l->ack = more;
        l->ack_first = 0;
        l->ack_room = room;
    }
    l->ack[(l->ack_first + l->ack_n++) % l->ack_room] = (struct jet_ack){
        .position = reply->position, .number = reply->number, .given = reply->given};
    return 1;
}

/* Time and what is pending are of no interest to the server. */
void jet_acks_send(struct jet_consumer *c, struct jet_lane *l, const struct jet_ack *ack)
{
    char subject[JET_ACK_HEAD_ROOM + 80];

    l->turn.acked++;
    l->turn.acked_ms = jet_now_ms();

    (void)snprintf(subject, sizeof subject, "%s%llu.%llu.%llu.0.0%s", l->ack_head,
                   (unsigned long long)ack->given, (unsigned long long)ack->position,
                   (unsigned long long)ack->number, l->ack_has_more ? ".0" : "");
    (void)jet_link_post(c->link, c->session, subject, NULL, "+ACK", 4);
}

void jet_acks_settle(struct jet_consumer *c, struct jet_lane *l)
{
    while (l->ack_n > 0 && l->ack[l->ack_first].position < l->done) {
        jet_acks_send(c, l, &l->ack[l->ack_first]);
        l->ack_first = (l->ack_first + 1) % l->ack_room;
        l->ack_n--;
    }
}
