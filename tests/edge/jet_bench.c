#include "config.h"

#include "jet_bench.h"

#include "base/partid.h"
#include "base/status.h"

#include <stdio.h>
#include <string.h>

enum { ASK_MS = 10000 };

/* ---- the server's side ---------------------------------------------------------- */

static void connect_to(struct jet_bench *b)
{
    natsConnection_Destroy(b->nc);
    b->nc = NULL;
    ck_assert_int_eq(natsConnection_ConnectTo(&b->nc, b->url), NATS_OK);
}

void jet_stop(struct jet_bench *b)
{
    natsConnection_Destroy(b->nc);
    b->nc = NULL;
    server_stop(&b->server);
}

void jet_restart(struct jet_bench *b)
{
    server_restart(&b->server);
    connect_to(b);
}

void jet_start(struct jet_bench *b, const struct server_options *options,
               const char *login)
{
    memset(b, 0, sizeof *b);
    ck_assert_int_eq(gate_init(&b->gate), 0);
    server_start(&b->server, options);
    (void)snprintf(b->url, sizeof b->url, "nats://%s127.0.0.1:%d",
                   login != NULL ? login : "", b->server.port);
    if (login != NULL)
        connect_to(b);
}

void jet_finish(struct jet_bench *b)
{
    sources_destroy(b->sources);
    section_finish(&b->section);
    natsConnection_Destroy(b->nc);
    gate_finish(&b->gate);
    server_finish(&b->server);
}

json_t *jet_ask(struct jet_bench *b, const char *subject, const char *body)
{
    natsMsg *msg = NULL;

    natsStatus s = natsConnection_RequestString(&msg, b->nc, subject, body, ASK_MS);
    ck_assert_msg(s == NATS_OK, "%s: %s", subject, natsStatus_GetText(s));
    json_t *o =
        json_loadb(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg), 0, NULL);
    ck_assert_ptr_nonnull(o);
    natsMsg_Destroy(msg);
    return o;
}

void jet_api(struct jet_bench *b, const char *subject, const char *body)
{
    json_t *o = jet_ask(b, subject, body);
    const json_t *error = json_object_get(o, "error");

    ck_assert_msg(error == NULL, "%s: %s", subject,
                  json_string_value(json_object_get(error, "description")));
    json_decref(o);
}

void jet_publish(struct jet_bench *b, const char *subject, int n)
{
    for (int i = 1; i < n; i++)
        ck_assert_int_eq(natsConnection_Publish(b->nc, subject, NULL, 0), NATS_OK);
    jet_api(b, subject, "");
}

void jet_mark(struct jet_bench *b, const char *subject, const char *header,
              const char *value)
{
    natsMsg *msg = NULL, *reply = NULL;

    ck_assert_int_eq(natsMsg_Create(&msg, subject, NULL, NULL, 0), NATS_OK);
    ck_assert_int_eq(natsMsgHeader_Set(msg, header, value), NATS_OK);
    ck_assert_int_eq(natsConnection_RequestMsg(&reply, b->nc, msg, ASK_MS), NATS_OK);
    natsMsg_Destroy(msg);
    natsMsg_Destroy(reply);
}

/* ---- the host's side ------------------------------------------------------------ */

void jet_section(struct jet_bench *b)
{
    if (b->section.conf.plugin != NULL)
        section_finish(&b->section);
    section_init(&b->section, "source", "jetstream");
    section_set(&b->section, "url", b->url);
}

void jet_set(struct jet_bench *b, const char *key, const char *value)
{
    section_set(&b->section, key, value);
}

void jet_section_of(struct jet_bench *b, const char *const pairs[])
{
    jet_section(b);
    for (; pairs[0] != NULL; pairs += 2)
        jet_set(b, pairs[0], pairs[1]);
}

/* The first partitions of it; what does not fit is left out. */
static void show(const struct listing *l, char *to, size_t room)
{
    size_t n = 0;

    to[0] = '\0';
    for (uint32_t i = 0; i < l->n && n + PARTID_TEXT_ROOM + 16 < room; i++) {
        char id[PARTID_TEXT_ROOM];

        (void)partid_encode(l->id[i], id, sizeof id);
        n += (size_t)snprintf(to + n, room - n, "%s%s:%u", i > 0 ? " " : "", id,
                              l->weight[i]);
    }
}

static struct sources_setup setup_of(struct jet_bench *b, uint64_t budget_ms)
{
    return (struct sources_setup){.source = &b->section.conf,
                                  .source_n = 1,
                                  .plugin_dir = plugins_dir(),
                                  .budget_ms = budget_ms,
                                  .ctx = b};
}

const char *jet_list(struct jet_bench *b)
{
    static char text[JET_SHOWN_ROOM];
    struct sources_setup setup = setup_of(b, 10000);
    struct listing *listing = NULL;

    if (sources_list_once(&setup, &b->section.errors, &listing) == STATUS_OK) {
        show(listing, text, sizeof text);
        listing_unref(listing);
    } else {
        ck_assert_uint_ge(conf_errors_count(&b->section.errors), 1);
        (void)snprintf(text, sizeof text, "%s", b->section.errors.at[0].text);
    }
    return text;
}

static uint32_t count_prefix(const struct listing *l, const char *prefix)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < l->n; i++)
        n += l->id[i].n >= strlen(prefix) &&
             memcmp(l->id[i].at, prefix, strlen(prefix)) == 0;
    return n;
}

static void on_done(void *ctx, const struct source_result *r)
{
    struct jet_bench *b = ctx;

    gate_lock(&b->gate);
    if (b->n < JET_RESULTS) {
        b->status[b->n] = r->status;
        b->count[b->n] = r->status == STATUS_OK ? r->listing->n : 0;
        if (r->status == STATUS_OK && b->prefix != NULL)
            b->with_prefix[b->n] = count_prefix(r->listing, b->prefix);
        if (r->status == STATUS_OK)
            show(r->listing, b->shown[b->n], sizeof b->shown[0]);
        else
            (void)snprintf(b->shown[b->n], sizeof b->shown[0], "%s", r->text);
        b->n++;
    }
    gate_tell(&b->gate);
    gate_unlock(&b->gate);
}

void jet_listen(struct jet_bench *b, uint64_t budget_ms)
{
    struct sources_setup setup = setup_of(b, budget_ms);

    setup.done = on_done;
    int status = sources_create(&setup, &b->section.errors, &b->sources);
    if (status != STATUS_OK)
        conf_errors_print(&b->section.errors, stderr);
    ck_assert_int_eq(status, STATUS_OK);
    sources_watch(b->sources, true);
    sources_ask(b->sources, false);
}

uint32_t jet_await(struct jet_bench *b, uint32_t from, int status, const char *text)
{
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;

    gate_lock(&b->gate);
    while (threads_now_ms() < deadline) {
        for (uint32_t i = from; i < b->n; i++)
            if (b->status[i] == status && strstr(b->shown[i], text) != NULL) {
                gate_unlock(&b->gate);
                return i + 1;
            }
        (void)gate_wait(&b->gate, deadline);
    }
    ck_abort_msg("'%s' did not come; the last of %u results: %s", text, b->n,
                 b->n > 0 ? b->shown[b->n - 1] : "none");
}

uint32_t jet_refresh(struct jet_bench *b)
{
    uint64_t deadline = threads_now_ms() + DEADLINE_MS;

    gate_lock(&b->gate);
    uint32_t before = b->n;
    gate_unlock(&b->gate);
    sources_ask(b->sources, true);
    gate_lock(&b->gate);
    while (b->n == before && threads_now_ms() < deadline)
        (void)gate_wait(&b->gate, deadline);
    uint32_t n = b->n;
    gate_unlock(&b->gate);
    ck_assert_uint_gt(n, before);
    return n - 1;
}
