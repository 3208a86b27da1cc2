#include "edge/nats_setup.h"

#include "base/must.h"
#include "base/status.h"
#include "edge/nats_nkey.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *copy_text(const char *text)
{
    if (text == NULL || text[0] == '\0')
        return NULL;
    char *copy = strdup(text);
    must(copy != NULL);
    return copy;
}

void nats_setup_finish(struct nats_setup *setup)
{
    char **const texts[] = {&setup->user,        &setup->password, &setup->creds,
                            &setup->nkey,        &setup->tls_ca,   &setup->tls_cert,
                            &setup->nkey_public, &setup->tls_key,  &setup->name};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (*texts[i] != NULL)
            explicit_bzero(*texts[i], strlen(*texts[i]));
        free(*texts[i]);
    }
    must(pthread_cond_destroy(&setup->cond) == 0);
    must(pthread_mutex_destroy(&setup->mutex) == 0);
}

void nats_setup_init(struct nats_setup *setup, struct inbox *inbox,
                     const struct nats_link_options *options)
{
    pthread_condattr_t attr;

    setup->inbox = inbox;
    setup->user = copy_text(options->user);
    setup->password = copy_text(options->password);
    setup->creds = copy_text(options->creds);
    setup->nkey = copy_text(options->nkey);
    setup->tls_ca = copy_text(options->tls_ca);
    setup->tls_cert = copy_text(options->tls_cert);
    setup->tls_key = copy_text(options->tls_key);
    setup->name = copy_text(options->name);
    must(pthread_mutex_init(&setup->mutex, NULL) == 0);
    must(pthread_condattr_init(&attr) == 0);
    must(pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0);
    must(pthread_cond_init(&setup->cond, &attr) == 0);
    must(pthread_condattr_destroy(&attr) == 0);
}

/* Files that cannot be read and keys without the other half: better said at once. */
static int check_files(struct nats_setup *setup, char *text, size_t room)
{
    const struct {
        const char *key, *path;
    } files[] = {{"creds", setup->creds},
                 {"nkey", setup->nkey},
                 {"tls_ca", setup->tls_ca},
                 {"tls_cert", setup->tls_cert},
                 {"tls_key", setup->tls_key}};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (files[i].path == NULL || access(files[i].path, R_OK) == 0)
            continue;
        (void)snprintf(text, room, "[nats] %s: '%s' cannot be read: %s.", files[i].key,
                       files[i].path, strerror(errno));
        return STATUS_INVALID;
    }
    if ((setup->tls_cert == NULL) != (setup->tls_key == NULL)) {
        (void)snprintf(text, room,
                       "[nats] tls_cert and tls_key need each other: %s is "
                       "missing.",
                       setup->tls_cert == NULL ? "tls_cert" : "tls_key");
        return STATUS_INVALID;
    }
    if (setup->creds != NULL && setup->nkey != NULL) {
        (void)snprintf(text, room, "[nats] creds and nkey exclude each other: give one.");
        return STATUS_INVALID;
    }
    return STATUS_OK;
}

static int load_nkey(struct nats_setup *setup, char *text, size_t room)
{
    char public[NATS_NKEY_PUBLIC_ROOM];

    if (setup->nkey == NULL)
        return STATUS_OK;
    int status = nats_nkey_public(setup->nkey, public);
    if (status == STATUS_OK) {
        setup->nkey_public = copy_text(public);
        return STATUS_OK;
    }
    if (status == STATUS_UNSUPPORTED)
        (void)snprintf(text, room,
                       "[nats] nkey: this parti was built without libcrypto. "
                       "Use [nats] creds, or rebuild with libssl-dev.");
    else
        (void)snprintf(text, room,
                       "[nats] nkey: '%s' holds no user seed (a line that "
                       "begins with SU).",
                       setup->nkey);
    return STATUS_INVALID;
}

int nats_setup_check(struct nats_setup *setup, char *text, size_t room)
{
    int status = check_files(setup, text, room);

    return status == STATUS_OK ? load_nkey(setup, text, room) : status;
}
