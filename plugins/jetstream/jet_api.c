#include "plugins/jetstream/jet_api.h"

/* Numbers of JetStream's own errors, from the server's list (nats-io/nats-server,
 * server/errors.json). */
enum {
    STREAM_NOT_FOUND = 10059,
    NOT_ENABLED_FOR_ACCOUNT = 10039,
    NOT_ENABLED = 10076,
    NOT_AVAILABLE = 10008 /* no leader at present */
};

uint64_t jet_api_number(const json_t *object, const char *key)
{
    json_int_t n = json_integer_value(json_object_get(object, key));

    return n > 0 ? (uint64_t)n : 0;
}

static int32_t js_is_off(const struct jet_api *api, struct parti_error *error)
{
    char server[128];

    jet_link_server(api->link, server, sizeof server);
    if (strcmp(api->prefix, "$JS.API") != 0)
        return parti_fail(error, PARTI_RETRY,
                          "%s answers, but nobody there answers for the domain of '%s'; "
                          "correct domain",
                          server, api->prefix);
    return parti_fail(error, PARTI_RETRY,
                      "%s answers, but JetStream is off there or for this account; add "
                      "'jetstream {}' to its configuration and restart it",
                      server);
}

int32_t jet_api_judge(const struct jet_api *api, const json_t *answer,
                      struct parti_error *error)
{
    const json_t *fault = json_object_get(answer, "error");
    const char *text = json_string_value(json_object_get(fault, "description"));
    char server[128];

    if (!json_is_object(fault))
        return PARTI_OK;
    jet_link_server(api->link, server, sizeof server);
    switch (jet_api_number(fault, "err_code")) {
    case STREAM_NOT_FOUND:
        return parti_fail(error, PARTI_MISSING,
                          "there is no %.100s on %.80s; create it, or correct the name",
                          api->shown, server);
    case NOT_ENABLED:
    case NOT_ENABLED_FOR_ACCOUNT: return js_is_off(api, error);
    case NOT_AVAILABLE:
        return parti_fail(error, PARTI_RETRY,
                          "JetStream on %.80s is not ready: %s has no leader at present",
                          server, api->shown);
    default:
        return parti_fail(error, PARTI_RETRY, "%.80s refuses to list %.60s: %.80s (%d)",
                          server, api->shown, text != NULL ? text : "no reason given",
                          (int)jet_api_number(fault, "err_code"));
    }
}

static int32_t read_answer(const struct jet_api *api, natsMsg *msg, json_t **ret,
                           struct parti_error *error)
{
    if (natsMsg_IsNoResponders(msg))
        return js_is_off(api, error);
    json_t *answer = json_loadb(natsMsg_GetData(msg), (size_t)natsMsg_GetDataLength(msg),
                                JSON_ALLOW_NUL, NULL);
    if (!json_is_object(answer)) {
        json_decref(answer);
        return parti_fail(error, PARTI_RETRY, "what is said of %s is no JSON object",
                          api->shown);
    }
    int32_t code = jet_api_judge(api, answer, error);
    if (code == PARTI_OK)
        *ret = answer;
    else
        json_decref(answer);
    return code;
}

int32_t jet_api_ask(const struct jet_api *api, const char *verb, const char *name,
                    json_t *body, struct jet_task *task, json_t **ret,
                    struct parti_error *error)
{
    char subject[JET_LINK_SUBJECT_MAX + 1];
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    natsMsg *msg = NULL;
    int n = snprintf(subject, sizeof subject, "%s.%s.%s%s%s", api->prefix, verb,
                     api->stream, name != NULL ? "." : "", name != NULL ? name : "");
    int32_t code = PARTI_NOMEM;

    if (n < 0 || (size_t)n >= sizeof subject)
        code = parti_fail(error, PARTI_BADCONF, "the name of %.100s is too long",
                          api->shown);
    else if (text != NULL || body == NULL)
        code =
            jet_link_ask(api->link, subject, text != NULL ? text : "", task, &msg, error);
    if (code == PARTI_OK)
        code = read_answer(api, msg, ret, error);
    natsMsg_Destroy(msg);
    free(text);
    json_decref(body);
    return code;
}

void jet_api_state(const json_t *info, struct jet_state *state)
{
    const json_t *s = json_object_get(info, "state");
    const char *created = json_string_value(json_object_get(info, "created"));

    *state = (struct jet_state){
        .messages = jet_api_number(s, "messages"),
        .first_seq = jet_api_number(s, "first_seq"),
        .last_seq = jet_api_number(s, "last_seq"),
        .deleted_n = jet_api_number(s, "num_deleted"),
        .subject_n = jet_api_number(s, "num_subjects"),
        .consumer_n = jet_api_number(s, "consumer_count"),
    };
    (void)snprintf(state->created, sizeof state->created, "%s",
                   created != NULL ? created : "");
}
