/*
 * An HTTP server for tests, on the test's own loop: mutual TLS 1.3 by a
 * certificate authority that is made for the test, or one of the ways of
 * other servers.
 */
#ifndef HTTPTEST_H
#define HTTPTEST_H

struct loop;
struct httptest;

/* A directory with ca.crt, and for each name NAME.crt and NAME.key; other.crt
 * and other.key, named prod-s2, are by another authority. */
void httptest_pki(char *dir, const char *const *names);
void httptest_pki_free(const char *dir);

/*
 * Paths: /echo answers with the body; /hold never answers; /later answers
 * after 150 ms; /big with a megabyte; /close closes instead; /stale answers
 * and closes its side 10 ms later; /noise answers what is no HTTP; /headers
 * never ends its headers; /half promises more than it sends; /404; /seen
 * answers with the head of the request; /moved with 302 to /seen; /json with an
 * object. A query is not looked at. Every answer has a field X-Test: yes.
 */
struct httptest *httptest_new(
    struct loop *loop, const char *dir, const char *name);
/* Plain HTTP, on a Unix socket or, with NULL, on a port. */
struct httptest *httptest_plain(struct loop *loop, const char *socket);
/* TLS without a certificate of the client's. */
struct httptest *httptest_public(
    struct loop *loop, const char *dir, const char *name);
void httptest_free(struct httptest *t);
/* From now on TLS 1.2 only. */
void httptest_old_tls(struct httptest *t);
int httptest_port(const struct httptest *t);
/* How many connections were accepted, requests understood, and how many
 * connections are open. */
int httptest_accepted(const struct httptest *t);
int httptest_requests(const struct httptest *t);
int httptest_open(const struct httptest *t);

#endif
