/*
 * Reading and writing PEM files. A key is private from its first byte on: the
 * file is made with mode 0600, not changed to it.
 */
#include "pki/pki_file.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hawatch/file.h"

#define PKI_FILE_MAX ((size_t)64 * 1024)

int
pki_ssl_error(struct error *err, const char *what, const char *path)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return error_set(err, ERR_PROTOCOL, "%s%s%s: %s", what,
	    path[0] == '\0' ? "" : " ", path, why == NULL ? "unusable" : why);
}

/* Takes bio, which holds the whole content. */
static int
pki_bio_write(const char *path, BIO *bio, mode_t mode, struct error *err)
{
	char *data = NULL;
	long len = BIO_get_mem_data(bio, &data);
	int fd, rc;

	fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd == -1 && errno == EEXIST) {
		BIO_free(bio);
		return error_set(err, ERR_REFUSED,
		    "%s exists and is not overwritten; move it away first",
		    path);
	}
	if (fd == -1) {
		BIO_free(bio);
		return error_sys(err, "create %s", path);
	}
	rc = file_write(fd, data, (size_t)len);
	if (rc == 0)
		rc = fsync(fd);
	if (rc == -1) {
		error_sys(err, "write %s", path);
		(void)unlink(path);
	}
	close(fd);
	BIO_free(bio);
	return rc == -1 ? -1 : file_sync_dir(path, err);
}

int
pki_key_write(const char *path, const EVP_PKEY *key, struct error *err)
{
	BIO *bio = BIO_new(BIO_s_secmem());

	if (bio == NULL || PEM_write_bio_PrivateKey(
			       bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
		BIO_free(bio);
		return pki_ssl_error(err, "render the key for", path);
	}
	return pki_bio_write(path, bio, 0600, err);
}

int
pki_cert_write(const char *path, X509 *cert, struct error *err)
{
	BIO *bio = BIO_new(BIO_s_mem());

	if (bio == NULL || PEM_write_bio_X509(bio, cert) != 1) {
		BIO_free(bio);
		return pki_ssl_error(err, "render the certificate for", path);
	}
	return pki_bio_write(path, bio, 0644, err);
}

static BIO *
pki_bio_read(const char *path, char **text, struct error *err)
{
	size_t len;
	BIO *bio;

	*text = file_read(path, PKI_FILE_MAX, &len, err);
	if (*text == NULL)
		return NULL;
	bio = BIO_new_mem_buf(*text, (int)len);
	if (bio == NULL)
		abort();
	return bio;
}

/* An encrypted key would ask at the terminal. */
static int
pki_no_password_cb(char *buf, int size, int rwflag, void *arg)
{
	return -1;
}

EVP_PKEY *
pki_key_read(const char *path, struct error *err)
{
	EVP_PKEY *key;
	char *text;
	BIO *bio = pki_bio_read(path, &text, err);

	if (bio == NULL)
		return NULL;
	key = PEM_read_bio_PrivateKey(bio, NULL, pki_no_password_cb, NULL);
	if (key == NULL)
		pki_ssl_error(err, "key", path);
	BIO_free(bio);
	free(text);
	return key;
}

X509 *
pki_cert_read(const char *path, struct error *err)
{
	X509 *cert;
	char *text;
	BIO *bio = pki_bio_read(path, &text, err);

	if (bio == NULL)
		return NULL;
	cert = PEM_read_bio_X509(bio, NULL, pki_no_password_cb, NULL);
	if (cert == NULL)
		pki_ssl_error(err, "certificate", path);
	BIO_free(bio);
	free(text);
	return cert;
}
