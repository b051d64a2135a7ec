/*
 * TLS clients for tests of the front's peer port: with whatever certificate,
 * authority and version a test wants to see accepted or refused.
 */
#include <openssl/ssl.h>
#include <stdio.h>
#include <unistd.h>

#include "front_harness.h"

static SSL_CTX *
fh_tls_ctx(const char *ca_dir, const char *cert, int max)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	char pem[256], key[256];

	SSL_CTX_set_max_proto_version(ctx, max);
	if (cert == NULL)
		return ctx;
	(void)snprintf(pem, sizeof(pem), "%s/%s.pem", ca_dir, cert);
	(void)snprintf(key, sizeof(key), "%s/%s.key", ca_dir, cert);
	fh_must(
	    SSL_CTX_use_certificate_file(ctx, pem, SSL_FILETYPE_PEM) == 1 &&
		SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1,
	    "client certificate");
	return ctx;
}

struct ssl_st *
fh_tls(struct front_harness *h, const char *ca_dir, const char *cert, int max)
{
	SSL_CTX *ctx = fh_tls_ctx(ca_dir, cert, max);
	SSL *ssl = SSL_new(ctx);

	SSL_CTX_free(ctx);
	SSL_set_fd(ssl, fh_connect(h->peer_port, NULL));
	if (SSL_connect(ssl) == 1)
		return ssl;
	fh_tls_close(ssl);
	return NULL;
}

void
fh_tls_close(struct ssl_st *ssl)
{
	int fd = SSL_get_fd(ssl);

	SSL_free(ssl);
	close(fd);
}

bool
fh_tls_write(struct ssl_st *ssl, const char *data, size_t len)
{
	return SSL_write(ssl, data, (int)len) == (int)len;
}

int
fh_tls_answer(struct ssl_st *ssl, char *buf, size_t size)
{
	size_t len = 0;
	int n;

	buf[0] = '\0';
	while (len + 1 < size && !fh_whole(buf, len)) {
		n = SSL_read(ssl, buf + len, (int)(size - len - 1));
		if (n <= 0)
			break;
		len += (size_t)n;
		buf[len] = '\0';
	}
	return fh_status(buf);
}

bool
fh_tls_post(struct ssl_st *ssl, const char *path, const char *body, size_t len)
{
	char head[256];
	int n = snprintf(head, sizeof(head),
	    "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", path,
	    len);

	return fh_tls_write(ssl, head, (size_t)n) &&
	       (len == 0 || fh_tls_write(ssl, body, len));
}
