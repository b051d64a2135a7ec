/*
 * Making the cluster's authority and the nodes' certificates. For operators
 * through hactl; the daemon only reads the files. Elliptic curve P-256: small,
 * fast and in every library.
 */
#include "hawatch/pki.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/pki_file.h"

#define PKI_DAY (24L * 60 * 60)
/* The other hosts' clocks may be behind this one's. */
#define PKI_EARLY (60L * 60)
#define PKI_SERIAL 16

struct pki_ext {
	int nid;
	const char *value;
};

static int
pki_path(char *path, const char *dir, const char *name, const char *end,
    struct error *err)
{
	int n = snprintf(path, PATH_MAX, "%s/%s.%s", dir, name, end);

	if (n < 0 || n >= PATH_MAX)
		return error_set(err, ERR_LIMIT, "%s: path too long", dir);
	return 0;
}

/* What is safe in a file's name, a certificate and a configuration. */
static int
pki_name_ok(const char *name, struct error *err)
{
	size_t i, len = strlen(name);

	for (i = 0; i < len; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789-.", name[i]) ==
		    NULL)
			break;
	if (len == 0 || len >= NODE_NAME_MAX || i < len || name[0] == '.' ||
	    name[0] == '-')
		return error_set(err, ERR_CONFIG,
		    "\"%.80s\" is no name: use a-z 0-9 - . and at most "
		    "%d of them",
		    name, NODE_NAME_MAX - 1);
	if (strcmp(name, "ca") == 0)
		return error_set(
		    err, ERR_CONFIG, "\"ca\" is the authority's own name");
	return 0;
}

/* Before a key is written, so that no half pair is left behind. */
static int
pki_free_path(const char *path, struct error *err)
{
	struct stat st;

	if (lstat(path, &st) == 0)
		return error_set(err, ERR_REFUSED,
		    "%s exists and is not overwritten; move it away first",
		    path);
	return errno == ENOENT ? 0 : error_sys(err, "%s", path);
}

static int
pki_serial(X509 *cert)
{
	unsigned char raw[PKI_SERIAL];
	BIGNUM *bn;
	int ok;

	if (RAND_bytes(raw, sizeof(raw)) != 1)
		return 0;
	raw[0] = (unsigned char)((raw[0] & 0x7f) | 0x40);
	bn = BN_bin2bn(raw, sizeof(raw), NULL);
	ok = bn != NULL &&
	     BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert)) != NULL;
	BN_free(bn);
	return ok;
}

static int
pki_extend(X509 *cert, X509 *issuer, const struct pki_ext *ext)
{
	X509V3_CTX ctx;
	X509_EXTENSION *x;
	int ok = 1;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	for (; ok && ext->value != NULL; ext++) {
		x = X509V3_EXT_conf_nid(NULL, &ctx, ext->nid, ext->value);
		ok = x != NULL && X509_add_ext(cert, x, -1) == 1;
		X509_EXTENSION_free(x);
	}
	return ok;
}

/* issuer NULL: signs itself. Caller frees; NULL: OpenSSL knows why. */
static X509 *
pki_make(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
    long days, const struct pki_ext *ext)
{
	X509 *cert = X509_new();
	X509_NAME *subject;

	if (cert == NULL)
		return NULL;
	subject = X509_get_subject_name(cert);
	if (X509_set_version(cert, X509_VERSION_3) != 1 || !pki_serial(cert) ||
	    X509_gmtime_adj(X509_getm_notBefore(cert), -PKI_EARLY) == NULL ||
	    X509_gmtime_adj(X509_getm_notAfter(cert), days * PKI_DAY) == NULL ||
	    X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
		(const unsigned char *)name, -1, -1, 0) != 1 ||
	    X509_set_issuer_name(cert,
		issuer == NULL ? subject : X509_get_subject_name(issuer)) !=
		1 ||
	    X509_set_pubkey(cert, key) != 1 ||
	    !pki_extend(cert, issuer == NULL ? cert : issuer, ext) ||
	    X509_sign(cert, issuer_key, EVP_sha256()) == 0) {
		X509_free(cert);
		return NULL;
	}
	return cert;
}

/* Both or neither. */
static int
pki_pair_write(const char *key_path, const EVP_PKEY *key, const char *cert_path,
    X509 *cert, struct error *err)
{
	if (pki_key_write(key_path, key, err) == -1)
		return -1;
	if (pki_cert_write(cert_path, cert, err) == 0)
		return 0;
	(void)unlink(key_path);
	return -1;
}

int
pki_init(const char *dir, const char *cluster, struct error *err)
{
	static const struct pki_ext ext[] = {
		{ NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
		{ NID_key_usage, "critical,keyCertSign,cRLSign" },
		{ NID_subject_key_identifier, "hash" },
		{ 0, NULL },
	};
	char cert_path[PATH_MAX], key_path[PATH_MAX], name[64];
	EVP_PKEY *key;
	X509 *cert;
	int rc = -1;

	/* A common name has room for 64 characters. */
	if ((size_t)snprintf(name, sizeof(name), "hawatch CA %s", cluster) >=
	    sizeof(name))
		return error_set(err, ERR_LIMIT,
		    "cluster name \"%.80s\" is longer than 52 characters",
		    cluster);
	if (pki_path(cert_path, dir, "ca", "pem", err) == -1 ||
	    pki_path(key_path, dir, "ca", "key", err) == -1)
		return -1;
	if (mkdir(dir, 0700) == -1 && errno != EEXIST)
		return error_sys(err, "mkdir %s", dir);
	if (pki_free_path(key_path, err) == -1 ||
	    pki_free_path(cert_path, err) == -1)
		return -1;
	key = EVP_EC_gen("P-256");
	cert = key == NULL ? NULL :
			     pki_make(name, key, NULL, key, PKI_CA_DAYS, ext);
	if (cert == NULL)
		pki_ssl_error(err, "make the CA", "");
	else
		rc = pki_pair_write(key_path, key, cert_path, cert, err);
	X509_free(cert);
	EVP_PKEY_free(key);
	return rc;
}

/* address NULL: of an operator, who serves nothing. */
static X509 *
pki_node_cert(const char *name, const char *address, EVP_PKEY *key, X509 *ca,
    EVP_PKEY *ca_key)
{
	char alt[NODE_NAME_MAX + 96];
	const struct pki_ext ext[] = {
		{ NID_basic_constraints, "critical,CA:FALSE" },
		{ NID_key_usage, "critical,digitalSignature" },
		{ NID_ext_key_usage,
		    address == NULL ? "clientAuth" : "serverAuth,clientAuth" },
		{ NID_subject_key_identifier, "hash" },
		{ NID_authority_key_identifier, "keyid" },
		{ NID_subject_alt_name, alt },
		{ 0, NULL },
	};

	(void)snprintf(alt, sizeof(alt), "DNS:%s%s%s", name,
	    address == NULL ? "" : ",IP:", address == NULL ? "" : address);
	return pki_make(name, key, ca, ca_key, PKI_NODE_DAYS, ext);
}

static int
pki_ca_read(const char *dir, X509 **ca, EVP_PKEY **key, struct error *err)
{
	char path[PATH_MAX];

	if (pki_path(path, dir, "ca", "pem", err) == -1)
		return -1;
	*ca = pki_cert_read(path, err);
	if (*ca == NULL || pki_path(path, dir, "ca", "key", err) == -1)
		return -1;
	*key = pki_key_read(path, err);
	if (*key == NULL)
		return -1;
	if (X509_check_private_key(*ca, *key) != 1) {
		pki_ssl_error(err, "key of another certificate:", path);
		return -1;
	}
	return 0;
}

static int
pki_pair(
    const char *dir, const char *name, const char *address, struct error *err)
{
	char cert_path[PATH_MAX], key_path[PATH_MAX];
	EVP_PKEY *ca_key = NULL, *key = NULL;
	X509 *ca = NULL, *cert = NULL;
	int rc = -1;

	if (pki_name_ok(name, err) == -1)
		return -1;
	if (pki_path(cert_path, dir, name, "pem", err) == -1 ||
	    pki_path(key_path, dir, name, "key", err) == -1 ||
	    pki_free_path(key_path, err) == -1 ||
	    pki_free_path(cert_path, err) == -1)
		return -1;
	if (pki_ca_read(dir, &ca, &ca_key, err) == -1)
		goto out;
	key = EVP_EC_gen("P-256");
	if (key != NULL)
		cert = pki_node_cert(name, address, key, ca, ca_key);
	if (cert == NULL)
		pki_ssl_error(err, "make the certificate of", name);
	else
		rc = pki_pair_write(key_path, key, cert_path, cert, err);
out:
	X509_free(cert);
	X509_free(ca);
	EVP_PKEY_free(key);
	EVP_PKEY_free(ca_key);
	return rc;
}

int
pki_node(
    const char *dir, const char *name, const char *address, struct error *err)
{
	unsigned char bin[sizeof(struct in6_addr)];

	if (inet_pton(AF_INET, address, bin) != 1 &&
	    inet_pton(AF_INET6, address, bin) != 1)
		return error_set(err, ERR_CONFIG,
		    "\"%.80s\" is no numeric address", address);
	return pki_pair(dir, name, address, err);
}

int
pki_operator(const char *dir, const char *name, struct error *err)
{
	return pki_pair(dir, name, NULL, err);
}
