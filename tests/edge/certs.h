/* Certificates for tests, made with the openssl program in a folder: ca.pem, and for
 * each name NAME.pem and NAME.key signed by it.  "server" names 127.0.0.1 and localhost,
 * "other" names elsewhere.invalid, "client" is a client's; "stranger.pem" is the
 * certificate of a CA that signed none of them.
 */
#ifndef PARTI_TESTS_EDGE_CERTS_H
#define PARTI_TESTS_EDGE_CERTS_H

void make_certs(const char *dir);

#endif
