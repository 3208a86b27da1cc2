#include "edge/nats_link.h"

#include "base/errors.h"
#include "base/must.h"
#include "base/rand.h"
#include "base/status.h"
#include "edge/clock.h"
#include "edge/nats_session.h"
#include "edge/nats_setup.h"
#include "edge/thread.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

struct link_sub {
    int kind, tag;
    char subject[NATS_LINK_SUBJECT_MAX + 1]; /* "": the place is free */
};

struct nats_link {
    struct nats_setup setup; /* its mutex guards all below */
    struct nats_url servers[NATS_LINK_SERVERS_MAX];
    size_t servers_n;
    size_t next; /* server to try next */
    struct link_sub subs[NATS_LINK_SUBSCRIPTIONS_MAX];
    struct nats_session *session; /* NULL while not connected */
    bool is_ending, is_forced;
    uint64_t connects;
    size_t max_payload;
    char server[NATS_URL_TEXT_ROOM];

    pthread_t keeper; /* the rest is the keeper's alone */
    struct rand_state rand;
    struct nats_error round;    /* weightiest failure of this round of the list */
    struct nats_error reported; /* last one told, until a connect */
};

static void lock(struct nats_link *link)
{
    must(pthread_mutex_lock(&link->setup.mutex) == 0);
}

static void unlock(struct nats_link *link)
{
    must(pthread_mutex_unlock(&link->setup.mutex) == 0);
}

/* ---- the keeper */

static void put_event(struct nats_link *link, int kind, const struct nats_error *e)
{
    struct inbox_item *item =
        inbox_item_create(kind, NULL, NULL, e->text, strlen(e->text));

    if (item != NULL) {
        item->status = e->status;
        item->code = e->code;
    }
    (void)inbox_put(link->setup.inbox, item);
}

/* Of several servers' failures people need the one that they can mend. */
static int weight(int code)
{
    static const int order[] = {ERR_NATS_AUTH, ERR_NATS_TLS,     ERR_NATS_FAILED,
                                ERR_NATS_NAME, ERR_NATS_TIMEOUT, ERR_NATS_REFUSED};

    for (int i = 0; i < (int)(sizeof order / sizeof *order); i++) {
        if (order[i] == code)
            return (int)(sizeof order / sizeof *order) - i;
    }
    return 0;
}

/* Tells about failures once per reason, when the whole list has been tried. */
static void note_failure(struct nats_link *link, const struct nats_error *e,
                         bool round_ends)
{
    if (link->round.code == 0 || weight(e->code) > weight(link->round.code))
        link->round = *e;
    if (!round_ends)
        return;
    if (link->reported.code != link->round.code ||
        strcmp(link->reported.text, link->round.text) != 0)
        put_event(link, INBOX_LINK_ERROR, &link->round);
    link->reported = link->round;
    link->round = (struct nats_error){0};
}

static void keeper_pause(struct nats_link *link)
{
    uint64_t ms =
        NATS_LINK_RETRY_MIN_MS +
        rand_below(&link->rand, NATS_LINK_RETRY_MAX_MS - NATS_LINK_RETRY_MIN_MS + 1);

    if (link->reported.code == ERR_NATS_AUTH)
        ms += NATS_LINK_RETRY_AUTH_MS;
    struct timespec until = clock_after_ms(ms);
    lock(link);
    while (!link->is_ending) {
        int error = pthread_cond_timedwait(&link->setup.cond, &link->setup.mutex, &until);
        if (error == ETIMEDOUT)
            break;
        must(error == 0);
    }
    unlock(link);
}

/* Registers what is subscribed and makes the session the present one, in one go, so
 * that no subscription falls between.
 */
static int adopt(struct nats_link *link, struct nats_session *session)
{
    int status = STATUS_OK;

    lock(link);
    for (int i = 0; i < NATS_LINK_SUBSCRIPTIONS_MAX && status == STATUS_OK; i++) {
        const struct link_sub *sub = &link->subs[i];
        if (sub->subject[0] != '\0')
            status = nats_session_subscribe(session, sub->subject, sub->kind, sub->tag);
    }
    if (status == STATUS_OK) {
        link->session = session;
        link->is_forced = false;
        link->connects++;
        link->max_payload = session->max_payload;
        (void)snprintf(link->server, sizeof link->server, "%s", session->server);
    }
    unlock(link);
    return status;
}

/* Connected until the callback, the loop, or the end says otherwise. */
static void keep(struct nats_link *link, struct nats_session *session)
{
    struct nats_error up = {.status = STATUS_OK};
    struct nats_error why = {.status = STATUS_CANCELED};

    if (nats_session_flush(session, &why) == STATUS_OK) {
        link->reported = link->round = (struct nats_error){0};
        (void)snprintf(up.text, sizeof up.text, "%s", session->server);
        put_event(link, INBOX_LINK_UP, &up);
        lock(link);
        while (!session->closed && !link->is_forced && !link->is_ending)
            must(pthread_cond_wait(&link->setup.cond, &link->setup.mutex) == 0);
        if (session->closed)
            why = session->why;
        else
            nats_error_set(&why, STATUS_CANCELED, 0,
                           "the connection to %s is given up. Connecting again.",
                           session->server);
        link->session = NULL;
        unlock(link);
        put_event(link, INBOX_LINK_DOWN, &why);
    } else {
        lock(link);
        link->session = NULL;
        unlock(link);
        note_failure(link, &why, true);
    }
    nats_session_destroy(session);
}

/* One attempt at the next server; stays in it while the connection lasts. */
static void keeper_step(struct nats_link *link)
{
    struct nats_session *session = NULL;
    struct nats_error e = {0};

    lock(link);
    const struct nats_url url = link->servers[link->next % link->servers_n];
    link->next = (link->next + 1) % link->servers_n;
    bool round_ends = link->next == 0;
    unlock(link);

    if (nats_session_create(&session, &link->setup, &url, &e) != STATUS_OK)
        note_failure(link, &e, round_ends);
    else if (adopt(link, session) == STATUS_OK)
        keep(link, session);
    else
        nats_session_destroy(session); /* lost at once: simply again */
}

static bool is_ending(struct nats_link *link)
{
    lock(link);
    bool ending = link->is_ending;
    unlock(link);
    return ending;
}

static void *keeper_main(void *arg)
{
    struct nats_link *link = arg;

    while (!is_ending(link)) {
        keeper_step(link);
        keeper_pause(link);
    }
    nats_ReleaseThreadMemory();
    return NULL;
}

/* ---- making and ending */

int nats_link_create(struct nats_link **ret_link, struct inbox *inbox,
                     const struct nats_link_options *options, char *text, size_t room)
{
    struct nats_link *link = calloc(1, sizeof *link);
    uint64_t entropy[4];

    if (link == NULL)
        return STATUS_NOMEM;
    nats_setup_init(&link->setup, inbox, options);
    int status = nats_url_parse(options->url != NULL ? options->url : "", link->servers,
                                NATS_LINK_SERVERS_MAX, &link->servers_n, text, room);
    if (status == STATUS_OK)
        status = nats_setup_check(&link->setup, text, room);
    if (status != STATUS_OK) {
        nats_setup_finish(&link->setup);
        free(link);
        return STATUS_INVALID;
    }
    nats_url_text(&link->servers[0], link->server);
    must(getrandom(entropy, sizeof entropy, 0) == (ssize_t)sizeof entropy);
    rand_seed_wide(&link->rand, entropy);
    if (thread_start(&link->keeper, keeper_main, link) != STATUS_OK) {
        nats_setup_finish(&link->setup);
        free(link);
        return STATUS_NOMEM;
    }
    *ret_link = link;
    return STATUS_OK;
}

void nats_link_destroy(struct nats_link *link)
{
    if (link == NULL)
        return;
    lock(link);
    link->is_ending = true;
    must(pthread_cond_broadcast(&link->setup.cond) == 0);
    unlock(link);
    must(pthread_join(link->keeper, NULL) == 0);
    nats_setup_finish(&link->setup);
    explicit_bzero(link->servers, sizeof link->servers);
    free(link);
}

int nats_link_set_url(struct nats_link *link, const char *url, char *text, size_t room)
{
    struct nats_url *servers = calloc(NATS_LINK_SERVERS_MAX, sizeof *servers);
    size_t n = 0;

    if (servers == NULL)
        return STATUS_NOMEM;
    int status = nats_url_parse(url, servers, NATS_LINK_SERVERS_MAX, &n, text, room);
    if (status == STATUS_OK) {
        lock(link);
        memcpy(link->servers, servers, n * sizeof *servers);
        link->servers_n = n;
        link->next = 0;
        unlock(link);
    }
    explicit_bzero(servers, NATS_LINK_SERVERS_MAX * sizeof *servers);
    free(servers);
    return status == STATUS_OK ? STATUS_OK : STATUS_INVALID;
}

/* ---- subscribing and publishing */

/* nats.c 3.4.1 sends whatever it is given; a blank or line end would be protocol. */
static bool subject_is_plain(const char *subject, size_t max)
{
    size_t n = 0;

    for (; subject[n] != '\0'; n++) {
        if ((unsigned char)subject[n] <= ' ' || subject[n] == 127)
            return false;
    }
    return n > 0 && n <= max;
}

int nats_link_subscribe(struct nats_link *link, const char *subject, int kind, int tag)
{
    size_t n = strlen(subject);
    int status = STATUS_LIMIT;

    if (!subject_is_plain(subject, NATS_LINK_SUBJECT_MAX))
        return STATUS_INVALID;
    lock(link);
    for (int i = 0; i < NATS_LINK_SUBSCRIPTIONS_MAX && status != STATUS_OK; i++) {
        struct link_sub *sub = &link->subs[i];
        if (sub->subject[0] != '\0')
            continue;
        sub->kind = kind;
        sub->tag = tag;
        memcpy(sub->subject, subject, n + 1);
        status = STATUS_OK;
    }
    /* If this fails the connection is lost, and the next one gets it from the table. */
    if (status == STATUS_OK && link->session != NULL)
        (void)nats_session_subscribe(link->session, subject, kind, tag);
    unlock(link);
    return status;
}

void nats_link_unsubscribe(struct nats_link *link, const char *subject, int tag)
{
    lock(link);
    for (int i = 0; i < NATS_LINK_SUBSCRIPTIONS_MAX; i++) {
        struct link_sub *sub = &link->subs[i];
        if (sub->tag == tag && strcmp(sub->subject, subject) == 0)
            *sub = (struct link_sub){0};
    }
    if (link->session != NULL)
        nats_session_unsubscribe(link->session, subject, tag);
    unlock(link);
}

/* Under the mutex.  Once bytes may be on their way nothing is certain any more, and
 * what is left of them in the library's buffer must not follow later than it must.
 */
static int publish(struct nats_link *link, natsMsg *msg)
{
    if (link->session == NULL || link->session->closed)
        return STATUS_OFFLINE;
    natsStatus s = natsConnection_PublishMsg(link->session->nc, msg);
    if (s == NATS_OK)
        return STATUS_OK;
    if (s == NATS_CONNECTION_CLOSED)
        return STATUS_OFFLINE;
    if (s == NATS_MAX_PAYLOAD)
        return STATUS_LIMIT;
    link->is_forced = true;
    must(pthread_cond_broadcast(&link->setup.cond) == 0);
    return STATUS_TIMEOUT;
}

int nats_link_publish_headers(struct nats_link *link, const char *subject,
                              const char *reply, const struct nats_link_header *headers,
                              size_t headers_n, const void *data, size_t n)
{
    natsMsg *msg = NULL;
    int status = STATUS_NOMEM;

    if (!subject_is_plain(subject, NATS_LINK_PUBLISH_MAX) ||
        (reply != NULL && !subject_is_plain(reply, NATS_LINK_PUBLISH_MAX)))
        return STATUS_INVALID;
    if (n > INT32_MAX)
        return STATUS_LIMIT;
    natsStatus s = natsMsg_Create(&msg, subject, reply, data, (int)n);
    for (size_t i = 0; i < headers_n && s == NATS_OK; i++)
        s = natsMsgHeader_Set(msg, headers[i].name, headers[i].value);
    if (s == NATS_OK) {
        lock(link);
        status = publish(link, msg);
        unlock(link);
    }
    natsMsg_Destroy(msg);
    return status;
}

int nats_link_publish(struct nats_link *link, const char *subject, const char *reply,
                      const void *data, size_t n)
{
    return nats_link_publish_headers(link, subject, reply, NULL, 0, data, n);
}

/* ---- asking */

void nats_link_force_reconnect(struct nats_link *link)
{
    lock(link);
    link->is_forced = link->session != NULL;
    must(pthread_cond_broadcast(&link->setup.cond) == 0);
    unlock(link);
}

bool nats_link_is_up(struct nats_link *link)
{
    lock(link);
    bool up = link->session != NULL && !link->session->closed;
    unlock(link);
    return up;
}

size_t nats_link_max_payload(struct nats_link *link)
{
    lock(link);
    size_t n = link->max_payload;
    unlock(link);
    return n;
}

uint64_t nats_link_connects(struct nats_link *link)
{
    lock(link);
    uint64_t n = link->connects;
    unlock(link);
    return n;
}

void nats_link_server(struct nats_link *link, char *to, size_t room)
{
    lock(link);
    (void)snprintf(to, room, "%s", link->server);
    unlock(link);
}
