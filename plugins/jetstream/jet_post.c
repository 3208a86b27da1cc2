/* What goes out over a connection without anybody waiting for it. */
#include "plugins/jetstream/jet_session.h"

/* With the lock. */
static int32_t is_this(const struct jet_link *link, uint64_t session)
{
    return link->session != NULL && !link->session->is_closed && !link->is_resting &&
           link->session->number == session;
}

uint64_t jet_link_hearing(struct jet_link *link, char to[JET_LINK_HEARING_ROOM])
{
    uint64_t number = 0;

    (void)pthread_mutex_lock(&link->mutex);
    if (link->session != NULL && is_this(link, link->session->number)) {
        number = link->session->number;
        (void)snprintf(to, JET_LINK_HEARING_ROOM, "%sread.", link->session->prefix);
    }
    (void)pthread_mutex_unlock(&link->mutex);
    return number;
}

int32_t jet_link_post(struct jet_link *link, uint64_t session, const char *subject,
                      const char *reply, const char *data, size_t n)
{
    natsStatus s = NATS_CONNECTION_CLOSED;

    (void)pthread_mutex_lock(&link->mutex);
    if (is_this(link, session) && reply != NULL)
        s = natsConnection_PublishRequest(link->session->nc, subject, reply, data,
                                          (int)n);
    else if (is_this(link, session))
        s = natsConnection_Publish(link->session->nc, subject, data, (int)n);
    (void)pthread_mutex_unlock(&link->mutex);
    return s == NATS_OK ? PARTI_OK : PARTI_RETRY;
}

int32_t jet_link_post_msg(struct jet_link *link, uint64_t session, natsMsg *msg)
{
    natsStatus s = NATS_CONNECTION_CLOSED;

    (void)pthread_mutex_lock(&link->mutex);
    if (is_this(link, session))
        s = natsConnection_PublishMsg(link->session->nc, msg);
    (void)pthread_mutex_unlock(&link->mutex);
    return s == NATS_OK ? PARTI_OK : PARTI_RETRY;
}
