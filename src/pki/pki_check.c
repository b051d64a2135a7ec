/*
 * Whether the files of a node will work, before they are needed: the chain,
 * the name, the key, the modes, the time that is left. The errors say what to
 * do; the report is for people and for warnings.
 */
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "hawatch/clock.h"
#include "hawatch/pki.h"
#include "pki/pki_file.h"

#define PKI_REPLACE "make a new one with hactl pki"

static usec_t
pki_time(const ASN1_TIME *t)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return 0;
	return (usec_t)timegm(&tm) * USEC_SEC;
}

static void
pki_report(struct pki_report *out, X509 *ca, X509 *cert)
{
	usec_t first, now = clock_read(CLOCK_REALTIME);

	(void)X509_NAME_get_text_by_NID(X509_get_subject_name(cert),
	    NID_commonName, out->name, sizeof(out->name));
	out->not_after = pki_time(X509_get0_notAfter(cert));
	out->ca_not_after = pki_time(X509_get0_notAfter(ca));
	first = out->not_after < out->ca_not_after ? out->not_after :
						     out->ca_not_after;
	out->days_left = (int)((first - now) / (86400 * USEC_SEC));
	if (first < now)
		out->days_left--;
}

/* One purpose: as the server's, or as the client's certificate. */
static int
pki_verify(X509_STORE *store, X509 *cert, int purpose)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	int rc = X509_V_ERR_UNSPECIFIED;

	if (ctx != NULL && X509_STORE_CTX_init(ctx, store, cert, NULL) == 1 &&
	    X509_STORE_CTX_set_purpose(ctx, purpose) == 1)
		rc = X509_verify_cert(ctx) == 1 ? X509_V_OK :
						  X509_STORE_CTX_get_error(ctx);
	X509_STORE_CTX_free(ctx);
	return rc;
}

static int
pki_check_chain(
    const struct pki_files *files, X509 *ca, X509 *cert, struct error *err)
{
	static const int purpose[] = { X509_PURPOSE_SSL_SERVER,
		X509_PURPOSE_SSL_CLIENT };
	X509_STORE *store = X509_STORE_new();
	int why = X509_V_ERR_UNSPECIFIED;
	size_t i;

	if (store != NULL && X509_STORE_add_cert(store, ca) == 1)
		for (i = 0; i < 2; i++) {
			why = pki_verify(store, cert, purpose[i]);
			if (why != X509_V_OK)
				break;
		}
	X509_STORE_free(store);
	if (why == X509_V_OK)
		return 0;
	return error_set(err, ERR_CONFIG, "%s against %s: %s; " PKI_REPLACE,
	    files->cert, files->ca, X509_verify_cert_error_string(why));
}

static int
pki_check_key(const struct pki_files *files, X509 *cert, struct error *err)
{
	EVP_PKEY *key;
	struct stat st;
	int ok;

	if (stat(files->key, &st) == -1)
		return error_sys(err, "%s", files->key);
	if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		return error_set(err, ERR_CONFIG,
		    "%s can be read by others: chmod 600 %s", files->key,
		    files->key);
	key = pki_key_read(files->key, err);
	if (key == NULL)
		return -1;
	ok = X509_check_private_key(cert, key) == 1;
	EVP_PKEY_free(key);
	if (ok)
		return 0;
	return error_set(err, ERR_CONFIG,
	    "%s is not the key of %s; copy both from the same place",
	    files->key, files->cert);
}

static int
pki_check_name(const struct pki_files *files, X509 *cert, const char *name,
    const struct pki_report *report, struct error *err)
{
	if (name == NULL)
		return 0;
	if (strcmp(report->name, name) == 0 &&
	    X509_check_host(
		cert, name, 0, X509_CHECK_FLAG_NO_WILDCARDS, NULL) == 1)
		return 0;
	return error_set(err, ERR_CONFIG,
	    "%s is the certificate of \"%s\", not of \"%s\"; each node needs "
	    "its own",
	    files->cert, report->name, name);
}

int
pki_check(const struct pki_files *files, const char *name,
    struct pki_report *out, struct error *err)
{
	X509 *ca, *cert = NULL;
	int rc = -1;

	memset(out, 0, sizeof(*out));
	ca = pki_cert_read(files->ca, err);
	if (ca != NULL)
		cert = pki_cert_read(files->cert, err);
	if (cert != NULL) {
		pki_report(out, ca, cert);
		if (pki_check_chain(files, ca, cert, err) == 0 &&
		    pki_check_name(files, cert, name, out, err) == 0)
			rc = files->key == NULL ?
				 0 :
				 pki_check_key(files, cert, err);
	}
	X509_free(cert);
	X509_free(ca);
	return rc;
}
