/*
 * TLS 1.3 of an operator's machine: both sides with certificates of the
 * cluster's own authority, and the host's must be of the name, or the address,
 * that was asked for. It never waits; who calls it does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hactl/way.h"

static int
tls_error(struct error *err, const char *what, const char *file)
{
	unsigned long code = ERR_peek_error();
	const char *why = ERR_reason_error_string(code);

	if (ERR_SYSTEM_ERROR(code))
		why = strerror(
		    ERR_GET_REASON(code)); /* NOLINT(concurrency-mt-unsafe) */
	ERR_clear_error();
	return error_set(err, ERR_CONFIG, "%s %s: %s", what, file,
	    why == NULL ? "unusable" : why);
}

static int
tls_files(SSL_CTX *ctx, const char *ca, const char *cert, const char *key,
    struct error *err)
{
	struct stat st;

	if (SSL_CTX_load_verify_file(ctx, ca) != 1)
		return tls_error(err, "authority", ca);
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1)
		return tls_error(err, "certificate", cert);
	if (stat(key, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return error_set(
		    err, ERR_REFUSED, "key %s: it can be read by others", key);
	if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
		return tls_error(err, "key", key);
	if (SSL_CTX_check_private_key(ctx) != 1)
		return tls_error(err, "key of another certificate", key);
	return 0;
}

struct ssl_ctx_st *
remote_tls(const char *ca, const char *cert, const char *key, struct error *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL ||
	    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1) {
		tls_error(err, "OpenSSL", "TLS 1.3");
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	if (tls_files(ctx, ca, cert, key, err) == -1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

void
remote_tls_free(struct ssl_ctx_st *ctx)
{
	SSL_CTX_free(ctx);
}

/* What a host says when it refuses the certificate that it was shown. */
static const char *
tls_refused(int reason)
{
	static const struct {
		int reason;
		const char *text;
	} table[] = {
		{ SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
		    "it refuses your certificate, which has expired" },
		{ SSL_R_TLSV1_ALERT_UNKNOWN_CA,
		    "it refuses your certificate, which is of another "
		    "authority" },
		{ SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
		    "it refuses your certificate: its name has to be in "
		    "operators of hawatch.conf there, read at a start of "
		    "hawatchd" },
		{ SSL_R_TLSV1_ALERT_PROTOCOL_VERSION,
		    "it does not speak TLS 1.3" },
		{ SSL_R_WRONG_VERSION_NUMBER, "it does not speak TLS" },
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].reason == reason)
			return table[i].text;
	return NULL;
}

/* -1 wait for *what, 0 the end, -2 err. */
static int
tls_outcome(SSL *ssl, int rc, short *what, struct error *err)
{
	long verify = SSL_get_verify_result(ssl);
	unsigned long code;
	const char *why;

	switch (SSL_get_error(ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		*what = POLLIN;
		return -1;
	case SSL_ERROR_WANT_WRITE:
		*what = POLLOUT;
		return -1;
	case SSL_ERROR_ZERO_RETURN:
		return 0;
	case SSL_ERROR_SYSCALL:
		if (errno == ECONNRESET || errno == EPIPE || errno == 0)
			error_set(err, ERR_PROTOCOL,
			    "it broke the connection off, as it does with a "
			    "certificate that it refuses; its log says "
			    "front.refused then");
		else
			error_sys(err, "TLS");
		return -2;
	default:
		break;
	}
	code = ERR_peek_last_error();
	if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
		ERR_clear_error();
		return 0;
	}
	why = tls_refused(ERR_GET_REASON(code));
	if (verify != X509_V_OK)
		error_set(err, ERR_REFUSED, "its certificate: %s",
		    X509_verify_cert_error_string(verify));
	else if (why != NULL)
		error_set(err, ERR_REFUSED, "%s", why);
	else
		error_set(err, ERR_PROTOCOL, "TLS: %s",
		    ERR_reason_error_string(code) == NULL ?
			"it failed" :
			ERR_reason_error_string(code));
	ERR_clear_error();
	return -2;
}

static int
tls_expect(SSL *ssl, const struct remote_host *host, struct error *err)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
	unsigned char bin[sizeof(struct in6_addr)];
	const char *name = host->name[0] == '\0' ? host->address : host->name;
	int ok;

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_WILDCARDS);
	if (inet_pton(AF_INET, name, bin) == 1 ||
	    inet_pton(AF_INET6, name, bin) == 1)
		ok = X509_VERIFY_PARAM_set1_ip_asc(param, name);
	else
		ok = X509_VERIFY_PARAM_set1_host(param, name, 0);
	if (ok != 1)
		return error_set(
		    err, ERR_CONFIG, "\"%.60s\" is no host's name", name);
	return 0;
}

int
remote_tls_open(struct ssl_ctx_st *ctx, int fd, const struct remote_host *host,
    struct way *w, usec_t until, struct error *err)
{
	SSL *ssl = SSL_new(ctx);
	short what;
	int rc;

	w->fd = fd;
	w->ssl = ssl;
	if (ssl == NULL || SSL_set_fd(ssl, fd) != 1)
		return tls_error(err, "OpenSSL", "connection");
	if (tls_expect(ssl, host, err) == -1)
		return -1;
	for (;;) {
		errno = 0;
		ERR_clear_error();
		rc = SSL_connect(ssl);
		if (rc == 1)
			return 0;
		rc = tls_outcome(ssl, rc, &what, err);
		if (rc == 0)
			return error_set(err, ERR_PROTOCOL,
			    "it closed the connection during the handshake");
		if (rc == -2 || way_wait(fd, what, until, err) == -1)
			return -1;
	}
}

int
remote_tls_send(
    struct way *w, const char *data, size_t len, short *what, struct error *err)
{
	char c;
	int n;

	errno = 0;
	ERR_clear_error();
	n = SSL_write(w->ssl, data, (int)len);
	/* Who refuses closes; his last words may be there to be read. */
	if (n <= 0 && SSL_get_error(w->ssl, n) == SSL_ERROR_SYSCALL)
		n = SSL_read(w->ssl, &c, 1) > 0 ? 0 : -1;
	return n > 0 ? n : tls_outcome(w->ssl, n, what, err);
}

ssize_t
remote_tls_recv(
    struct way *w, char *buf, size_t size, short *what, struct error *err)
{
	int n;

	errno = 0;
	ERR_clear_error();
	n = SSL_read(w->ssl, buf, (int)size);
	return n > 0 ? n : tls_outcome(w->ssl, n, what, err);
}

void
remote_tls_close(struct ssl_st *ssl)
{
	SSL_free(ssl);
}
