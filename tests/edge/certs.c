#include "certs.h"

#include "server.h"

#include "base/must.h"

#include <stdio.h>

enum { PATH_ROOM = SERVER_PATH_ROOM + 32 };

static void path_of(char to[PATH_ROOM], const char *dir, const char *name,
                    const char *ending)
{
    must(snprintf(to, PATH_ROOM, "%s/%s.%s", dir, name, ending) < PATH_ROOM);
}

static void make_ca(const char *dir, const char *name)
{
    char key[PATH_ROOM], pem[PATH_ROOM];

    path_of(key, dir, name, "key");
    path_of(pem, dir, name, "pem");
    run_program((const char *const[]){"openssl", "req", "-x509", "-newkey", "ec",
                                      "-pkeyopt", "ec_paramgen_curve:prime256v1",
                                      "-nodes", "-days", "2", "-subj", "/CN=Test CA",
                                      "-keyout", key, "-out", pem, NULL});
}

static void make_cert(const char *dir, const char *name, const char *names)
{
    char key[PATH_ROOM], pem[PATH_ROOM], ca[PATH_ROOM], ca_key[PATH_ROOM];

    path_of(key, dir, name, "key");
    path_of(pem, dir, name, "pem");
    path_of(ca, dir, "ca", "pem");
    path_of(ca_key, dir, "ca", "key");
    run_program((const char *const[]){"openssl",
                                      "req",
                                      "-x509",
                                      "-CA",
                                      ca,
                                      "-CAkey",
                                      ca_key,
                                      "-newkey",
                                      "ec",
                                      "-pkeyopt",
                                      "ec_paramgen_curve:prime256v1",
                                      "-nodes",
                                      "-days",
                                      "2",
                                      "-subj",
                                      "/CN=Test",
                                      "-addext",
                                      names,
                                      "-addext",
                                      "basicConstraints=critical,CA:FALSE",
                                      "-keyout",
                                      key,
                                      "-out",
                                      pem,
                                      NULL});
}

void make_certs(const char *dir)
{
    make_ca(dir, "ca");
    make_ca(dir, "stranger");
    make_cert(dir, "server", "subjectAltName=IP:127.0.0.1,DNS:localhost");
    make_cert(dir, "other", "subjectAltName=DNS:elsewhere.invalid");
    make_cert(dir, "client", "subjectAltName=DNS:client.invalid");
}
