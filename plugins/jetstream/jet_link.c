#include "plugins/jetstream/jet_session.h"

#include <errno.h>
#include <time.h>

uint64_t jet_now_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* With the lock: until something happens or the time comes. */
static void wait_until(struct jet_link *link, uint64_t when_ms)
{
    struct timespec t = {.tv_sec = (time_t)(when_ms / 1000),
                         .tv_nsec = (long)(when_ms % 1000) * 1000000};

    (void)pthread_cond_timedwait(&link->cond, &link->mutex, &t);
}

static int32_t is_up(const struct jet_link *link)
{
    return link->session != NULL && !link->session->is_closed && !link->is_resting;
}

/* ---- the keeper ----------------------------------------------------------------- */

/* Tries every server once, nothing locked; of several reasons the one that people can
 * mend is told. */
static struct jet_session *connect_round(struct jet_link *link, size_t first,
                                         char why[200], int32_t *ret_code)
{
    int32_t has_told = 0;

    for (size_t i = 0; i < link->url_n; i++) {
        struct jet_session *session = NULL;
        char text[200] = "out of memory";
        int32_t is_plain = 1;

        int32_t code = jet_session_create(
            &session, link, &link->url[(first + i) % link->url_n], text, &is_plain);
        if (code == PARTI_OK)
            return session;
        if (!has_told) {
            memcpy(why, text, sizeof text);
            *ret_code = code;
        }
        has_told = has_told || !is_plain;
    }
    return NULL;
}

static void *keep(void *ctx)
{
    struct jet_link *link = ctx;
    char why[200] = "";
    int32_t code = PARTI_RETRY;
    size_t first = 0;

    (void)pthread_mutex_lock(&link->mutex);
    while (!link->is_ending) {
        struct jet_session *session = link->session;

        if (session != NULL && !is_up(link)) {
            link->session = NULL;
            (void)pthread_mutex_unlock(&link->mutex);
            jet_session_destroy(session);
            (void)pthread_mutex_lock(&link->mutex);
        } else if (session == NULL && link->is_wanted) {
            link->is_wanted = link->is_resting = 0;
            (void)pthread_mutex_unlock(&link->mutex);
            session = connect_round(link, first++, why, &code);
            (void)pthread_mutex_lock(&link->mutex);
            link->session = session;
            if (session != NULL) {
                memcpy(link->server, session->server, sizeof link->server);
            } else {
                memcpy(link->why, why, sizeof why);
                link->why_code = code;
                link->rounds++;
            }
            (void)pthread_cond_broadcast(&link->cond);
        } else {
            (void)pthread_cond_wait(&link->cond, &link->mutex);
        }
    }
    struct jet_session *last = link->session;
    link->session = NULL;
    (void)pthread_mutex_unlock(&link->mutex);
    jet_session_destroy(last);
    nats_ReleaseThreadMemory();
    return NULL;
}

/* ---- making and ending ---------------------------------------------------------- */

static int32_t bad(const struct parti_conf *conf, const char *key, const char *why,
                   struct parti_error *error)
{
    error->line = parti_conf_line(conf, key);
    return parti_fail(error, PARTI_BADCONF, "%s: %s", key, why);
}

static int32_t read_options(struct jet_link *link, const struct parti_conf *conf,
                            struct parti_error *error)
{
    const struct {
        const char *key;
        char **to;
    } texts[] = {{"creds", &link->creds},    {"nkey", &link->nkey},
                 {"user", &link->user},      {"password", &link->password},
                 {"tls_ca", &link->tls_ca},  {"tls_cert", &link->tls_cert},
                 {"tls_key", &link->tls_key}};
    const char *url = parti_conf_text(conf, "url");
    const char *why;

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *text = parti_conf_text(conf, texts[i].key);

        if (text == NULL || text[0] == '\0')
            continue;
        *texts[i].to = strdup(text);
        if (*texts[i].to == NULL)
            return PARTI_NOMEM;
    }
    why = jet_url_parse(url != NULL ? url : "", link->url, &link->url_n);
    if (why != NULL)
        return bad(conf, "url", why, error);
    if ((link->tls_cert != NULL) != (link->tls_key != NULL))
        return bad(conf, link->tls_cert != NULL ? "tls_cert" : "tls_key",
                   "tls_cert and tls_key go together", error);
    if (link->password != NULL && link->user == NULL)
        return bad(conf, "password", "it goes together with user", error);
    if ((link->creds != NULL) + (link->nkey != NULL) + (link->user != NULL) > 1)
        return bad(conf, link->nkey != NULL ? "nkey" : "creds",
                   "give one of creds, nkey and user", error);
    if (link->nkey != NULL) {
        why = jet_nkey_public(link->nkey, link->nkey_public);
        if (why != NULL)
            return bad(conf, "nkey", why, error);
    }
    return PARTI_OK;
}

/* Wipes what may be a secret. */
static void free_text(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    free(text);
}

static void finish(struct jet_link *link)
{
    (void)pthread_cond_destroy(&link->cond);
    (void)pthread_mutex_destroy(&link->mutex);
    char *texts[] = {link->name,     link->creds,  link->nkey,     link->user,
                     link->password, link->tls_ca, link->tls_cert, link->tls_key};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        free_text(texts[i]);
    explicit_bzero(link->url, sizeof link->url);
    free(link);
}

int32_t jet_link_create(struct jet_link **ret, const struct parti_conf *conf,
                        const char *name, struct parti_error *error)
{
    struct jet_link *link = calloc(1, sizeof *link);
    pthread_condattr_t clock;

    if (link == NULL)
        return PARTI_NOMEM;
    (void)pthread_mutex_init(&link->mutex, NULL);
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&link->cond, &clock);
    (void)pthread_condattr_destroy(&clock);
    int32_t code = read_options(link, conf, error);
    if (code == PARTI_OK && (link->name = strdup(name)) == NULL)
        code = PARTI_NOMEM;
    if (code == PARTI_OK) {
        jet_url_text(&link->url[0], link->server);
        if (pthread_create(&link->keeper, NULL, keep, link) != 0)
            code = parti_fail(error, PARTI_NOMEM, "no thread can be started");
    }
    if (code != PARTI_OK) {
        finish(link);
        return code;
    }
    *ret = link;
    return PARTI_OK;
}

void jet_link_destroy(struct jet_link *link)
{
    if (link == NULL)
        return;
    (void)pthread_mutex_lock(&link->mutex);
    link->is_ending = 1;
    (void)pthread_cond_broadcast(&link->cond);
    (void)pthread_mutex_unlock(&link->mutex);
    (void)pthread_join(link->keeper, NULL);
    finish(link);
}

int32_t jet_link_stand(struct jet_link *link, const char *subject,
                       int32_t (*heard)(void *ctx, natsMsg *msg), void *ctx)
{
    if (link->standing_n == JET_LINK_STANDING_MAX ||
        strlen(subject) > JET_LINK_SUBJECT_MAX)
        return PARTI_BADCONF;
    struct jet_standing *s = &link->standing[link->standing_n++];
    memcpy(s->subject, subject, strlen(subject) + 1);
    s->heard = heard;
    s->ctx = ctx;
    return PARTI_OK;
}

void jet_link_hear(struct jet_link *link, int32_t (*heard)(void *ctx, natsMsg *msg),
                   void (*denied)(void *ctx, const char *subject), void *ctx)
{
    link->hearing.heard = heard;
    link->denied = denied;
    link->hearing.ctx = ctx;
}

/* ---- asking --------------------------------------------------------------------- */

int32_t jet_link_open(struct jet_link *link, struct jet_task *task,
                      struct parti_error *error)
{
    int32_t code = PARTI_OK;

    (void)pthread_mutex_lock(&link->mutex);
    uint64_t rounds = link->rounds;
    while (!is_up(link) && code == PARTI_OK) {
        if (link->rounds != rounds)
            code = parti_fail(error, link->why_code, "%s", link->why);
        else if (task->is_stopped)
            code = PARTI_CANCELED;
        else if (jet_now_ms() >= task->deadline_ms)
            code = parti_fail(error, PARTI_TIMEOUT, "%s does not answer in time",
                              link->server);
        if (code != PARTI_OK)
            break;
        link->is_wanted = 1;
        (void)pthread_cond_broadcast(&link->cond);
        wait_until(link, task->deadline_ms);
    }
    (void)pthread_mutex_unlock(&link->mutex);
    return code;
}

void jet_link_bear(struct jet_link *link, uint64_t silence_ms)
{
    uint64_t pings = silence_ms / JET_LINK_PING_MS;

    (void)pthread_mutex_lock(&link->mutex);
    link->pings = pings < JET_LINK_PINGS       ? JET_LINK_PINGS
                  : pings < JET_LINK_PINGS_MAX ? (int)pings
                                               : JET_LINK_PINGS_MAX;
    (void)pthread_mutex_unlock(&link->mutex);
}

void jet_link_rest(struct jet_link *link)
{
    (void)pthread_mutex_lock(&link->mutex);
    link->is_resting = link->session != NULL;
    (void)pthread_cond_broadcast(&link->cond);
    (void)pthread_mutex_unlock(&link->mutex);
}

uint64_t jet_link_session(struct jet_link *link)
{
    (void)pthread_mutex_lock(&link->mutex);
    uint64_t number = is_up(link) ? link->session->number : 0;
    (void)pthread_mutex_unlock(&link->mutex);
    return number;
}

void jet_link_stop(struct jet_link *link, struct jet_task *task)
{
    (void)pthread_mutex_lock(&link->mutex);
    task->is_stopped = 1;
    (void)pthread_cond_broadcast(&link->cond);
    (void)pthread_mutex_unlock(&link->mutex);
}

void jet_link_server(struct jet_link *link, char *to, size_t room)
{
    (void)pthread_mutex_lock(&link->mutex);
    (void)snprintf(to, room, "%s", link->server);
    (void)pthread_mutex_unlock(&link->mutex);
}

int32_t jet_inbox_open(struct jet_link *link, struct jet_inbox *inbox,
                       struct parti_error *error)
{
    int32_t code = PARTI_OK;

    (void)pthread_mutex_lock(&link->mutex);
    if (is_up(link)) {
        inbox->number = ++link->inboxes;
        inbox->session = link->session->number;
        /* One token more than answers have: these must not hear it, too. */
        (void)snprintf(inbox->subject, sizeof inbox->subject, "%s%s%llu",
                       link->session->prefix, inbox->is_feed ? "feed." : "",
                       (unsigned long long)inbox->number);
        inbox->next = link->inbox;
        link->inbox = inbox;
        if (link->session->is_deaf)
            jet_session_deaf(link->session, inbox);
        if (inbox->is_feed)
            code = jet_session_feed(link->session, inbox);
        if (code != PARTI_OK)
            link->inbox = inbox->next;
    } else {
        code = PARTI_RETRY;
    }
    if (code == PARTI_RETRY)
        (void)parti_fail(error, code, "the connection to %s is lost", link->server);
    (void)pthread_mutex_unlock(&link->mutex);
    return code;
}

void jet_inbox_close(struct jet_link *link, struct jet_inbox *inbox)
{
    (void)pthread_mutex_lock(&link->mutex);
    for (struct jet_inbox **at = &link->inbox; *at != NULL; at = &(*at)->next) {
        if (*at != inbox)
            continue;
        *at = inbox->next;
        break;
    }
    if (inbox->is_feed && link->session != NULL &&
        link->session->number == inbox->session)
        jet_session_shut(link->session, inbox);
    (void)pthread_mutex_unlock(&link->mutex);
}

int32_t jet_inbox_wait(struct jet_link *link, struct jet_inbox *inbox,
                       struct jet_task *task, struct parti_error *error)
{
    int32_t code = PARTI_OK;

    (void)pthread_mutex_lock(&link->mutex);
    while (!inbox->is_done && code == PARTI_OK) {
        if (inbox->code != PARTI_OK)
            code = parti_fail(error, inbox->code, "%s", inbox->text);
        else if (task->is_stopped)
            code = PARTI_CANCELED;
        else if (jet_now_ms() >= task->deadline_ms)
            code = parti_fail(error, PARTI_TIMEOUT,
                              "%s does not answer '%.100s' in time; it is stopped or "
                              "overloaded",
                              link->server, inbox->asked);
        else
            wait_until(link, task->deadline_ms);
    }
    (void)pthread_mutex_unlock(&link->mutex);
    return code;
}

static int32_t take_answer(void *ctx, natsMsg *msg)
{
    natsMsg **to = ctx;

    *to = msg;
    return JET_TAKE_DONE | JET_TAKE_KEPT;
}

void jet_inbox_answer(struct jet_link *link, const char *subject)
{
    if (link->session != NULL)
        (void)natsConnection_Publish(link->session->nc, subject, NULL, 0);
}

int32_t jet_inbox_send(struct jet_link *link, struct jet_inbox *inbox,
                       const char *subject, const char *body, struct parti_error *error)
{
    size_t n = strlen(subject);
    int32_t code = PARTI_OK;

    if (n > JET_LINK_SUBJECT_MAX)
        return parti_fail(error, PARTI_BADCONF, "the subject '%.60s...' is too long",
                          subject);
    (void)pthread_mutex_lock(&link->mutex);
    memcpy(inbox->asked, subject, n + 1);
    natsStatus s = is_up(link) && link->session->number == inbox->session
                       ? natsConnection_PublishRequestString(link->session->nc, subject,
                                                             inbox->subject, body)
                       : NATS_CONNECTION_CLOSED;
    if (s != NATS_OK)
        code = parti_fail(error, PARTI_RETRY, "the connection to %s is lost (%s)",
                          link->server, natsStatus_GetText(s));
    (void)pthread_mutex_unlock(&link->mutex);
    return code;
}

int32_t jet_link_ask(struct jet_link *link, const char *subject, const char *body,
                     struct jet_task *task, natsMsg **ret, struct parti_error *error)
{
    natsMsg *answer = NULL;
    struct jet_inbox inbox = {.take = take_answer, .ctx = &answer};
    int32_t code = jet_link_open(link, task, error);

    if (code != PARTI_OK)
        return code;
    code = jet_inbox_open(link, &inbox, error);
    if (code != PARTI_OK)
        return code;
    code = jet_inbox_send(link, &inbox, subject, body, error);
    if (code == PARTI_OK)
        code = jet_inbox_wait(link, &inbox, task, error);
    jet_inbox_close(link, &inbox);
    if (code == PARTI_OK)
        *ret = answer;
    else
        natsMsg_Destroy(answer);
    return code;
}
