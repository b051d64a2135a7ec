/* Keys and certificates as PEM files, for the files of src/pki. */
#ifndef PKI_PKI_FILE_H
#define PKI_PKI_FILE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "hawatch/error.h"

/* Fills err with text and OpenSSL's last reason, returns -1. */
int pki_ssl_error(struct error *err, const char *what, const char *path);

/* Refuses to overwrite; on the disk when it returns 0. */
int pki_key_write(
    const char *path, const EVP_PKEY *key, struct error *err) MUST_CHECK;
int pki_cert_write(const char *path, X509 *cert, struct error *err) MUST_CHECK;
/* Caller frees; NULL with err. */
EVP_PKEY *pki_key_read(const char *path, struct error *err) MUST_CHECK;
X509 *pki_cert_read(const char *path, struct error *err) MUST_CHECK;

#endif
