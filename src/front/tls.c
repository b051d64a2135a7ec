/*
 * TLS of the peer port: version 1.3 only, both sides with a certificate of
 * the cluster's own authority, and the name in it must be a node's or that of
 * an operator of the configuration. No resumption: every connection proves the
 * certificate anew.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "front/front.h"

#define TLS_CHAIN_MAX ((long)16 * 1024)

static int tls_verify_cb(int ok, X509_STORE_CTX *store);

static int
tls_error(struct error *err, const char *what, const char *file)
{
	unsigned long code = ERR_peek_last_error();
	const char *why = ERR_reason_error_string(code);

	ERR_clear_error();
	return error_set(err, ERR_CONFIG, "%s %s: %s", what, file,
	    why == NULL ? "unusable" : why);
}

static int
tls_load(SSL_CTX *ctx, const struct front_conf *conf, struct error *err)
{
	if (SSL_CTX_load_verify_file(ctx, conf->ca) != 1)
		return tls_error(err, "authority", conf->ca);
	if (SSL_CTX_use_certificate_chain_file(ctx, conf->cert) != 1)
		return tls_error(err, "certificate", conf->cert);
	if (SSL_CTX_use_PrivateKey_file(ctx, conf->key, SSL_FILETYPE_PEM) != 1)
		return tls_error(err, "key", conf->key);
	if (SSL_CTX_check_private_key(ctx) != 1)
		return tls_error(err, "key of another certificate", conf->key);
	return 0;
}

SSL_CTX *
tls_new(const struct front_conf *conf, struct error *err)
{
	SSL_CTX *ctx;

	/* The host's openssl.cnf must not be able to weaken or break this. */
	if (OPENSSL_init_ssl(
		OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ADD_ALL_CIPHERS,
		NULL) != 1 ||
	    (ctx = SSL_CTX_new(TLS_server_method())) == NULL) {
		tls_error(err, "OpenSSL", "library");
		return NULL;
	}
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set1_groups_list(ctx, "X25519:P-256") != 1 ||
	    SSL_CTX_set_num_tickets(ctx, 0) != 1) {
		tls_error(err, "OpenSSL", "TLS 1.3");
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_max_cert_list(ctx, TLS_CHAIN_MAX);
	SSL_CTX_set_verify_depth(ctx, 2);
	SSL_CTX_set_verify(ctx,
	    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, tls_verify_cb);
	/* The names are needed in the callback, which gets no argument. */
	SSL_CTX_set_app_data(ctx, (void *)(uintptr_t)conf);
	if (tls_load(ctx, conf, err) == -1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

/* The one common name; NULL: none, or several. */
static const ASN1_STRING *
tls_common(X509 *cert)
{
	const X509_NAME *subject = X509_get_subject_name(cert);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	if (at < 0 ||
	    X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
		return NULL;
	return X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
}

/* Confirmed by the alternative names where there are any. */
static bool
tls_is(X509 *cert, const ASN1_STRING *cn, const char *name)
{
	size_t len = (size_t)ASN1_STRING_length(cn);

	return strlen(name) == len &&
	       memcmp(name, ASN1_STRING_get0_data(cn), len) == 0 &&
	       X509_check_host(
		   cert, name, len, X509_CHECK_FLAG_NO_WILDCARDS, NULL) == 1;
}

/* A name is a node's or an operator's, never both: the engine sees to it. */
static const char *
tls_name(X509 *cert, const struct front_conf *conf, bool *is_operator)
{
	const ASN1_STRING *cn = tls_common(cert);
	int i;

	*is_operator = false;
	for (i = 0; cn != NULL && i < conf->node_count; i++)
		if (tls_is(cert, cn, conf->node[i].name))
			return conf->node[i].name;
	*is_operator = true;
	for (i = 0; cn != NULL && i < conf->operator_count; i++)
		if (tls_is(cert, cn, conf->operator[i]))
			return conf->operator[i];
	*is_operator = false;
	return NULL;
}

/* For the log only: whoever is refused may have written anything there. */
static void
tls_claim(char *claimed, X509 *cert)
{
	const ASN1_STRING *cn = cert == NULL ? NULL : tls_common(cert);
	const unsigned char *text;
	size_t i, len;

	if (claimed == NULL || cn == NULL)
		return;
	text = ASN1_STRING_get0_data(cn);
	len = (size_t)ASN1_STRING_length(cn);
	for (i = 0; i < len && i + 1 < FRONT_CLAIMED; i++)
		claimed[i] =
		    (char)(text[i] > ' ' && text[i] < 0x7f ? text[i] : '?');
	claimed[i] = '\0';
}

void
tls_claimed(SSL *ssl, char *claimed)
{
	SSL_set_app_data(ssl, claimed);
}

static int
tls_verify_cb(int ok, X509_STORE_CTX *store)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(
	    store, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct front_conf *conf =
	    SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	X509 *cert = X509_STORE_CTX_get0_cert(store);
	bool is_operator;

	if (ok && (X509_STORE_CTX_get_error_depth(store) != 0 ||
		      tls_name(cert, conf, &is_operator) != NULL))
		return 1;
	tls_claim(SSL_get_app_data(ssl), cert);
	if (!ok)
		return 0;
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}

const char *
tls_peer(const SSL *ssl, const struct front_conf *conf, bool *is_operator)
{
	X509 *cert = SSL_get0_peer_certificate(ssl);

	*is_operator = false;
	if (cert == NULL || SSL_get_verify_result(ssl) != X509_V_OK)
		return NULL;
	return tls_name(cert, conf, is_operator);
}

bool
tls_foreign(const SSL *ssl)
{
	return SSL_get_verify_result(ssl) ==
	       X509_V_ERR_APPLICATION_VERIFICATION;
}

const char *
tls_reason(const SSL *ssl, unsigned long code, char *buf, size_t size)
{
	long verify = SSL_get_verify_result(ssl);
	const char *why = ERR_reason_error_string(code);
	const char *claimed = SSL_get_app_data(ssl);

	if (tls_foreign(ssl))
		why = "name of no node and no operator";
	else if (verify != X509_V_OK)
		why = X509_verify_cert_error_string(verify);
	else if (why == NULL)
		why = "closed during the handshake";
	if (verify == X509_V_OK || claimed == NULL || claimed[0] == '\0')
		(void)snprintf(buf, size, "%s", why);
	else
		(void)snprintf(buf, size, "%s: %s", why, claimed);
	return buf;
}
