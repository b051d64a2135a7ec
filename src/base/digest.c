/*
 * SHA-256 of texts, by libcrypto. That it cannot be computed is like memory
 * that is not there: nobody could go on.
 */
#include "hawatch/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "hawatch/mem.h"
#include "hawatch/str.h"

struct digest {
	EVP_MD_CTX *ctx;
};

struct digest *
digest_new(void)
{
	struct digest *d = xcalloc(1, sizeof(*d));

	d->ctx = EVP_MD_CTX_new();
	if (d->ctx == NULL ||
	    EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1)
		abort();
	return d;
}

void
digest_text(struct digest *d, const char *text)
{
	if (EVP_DigestUpdate(d->ctx, text, strlen(text) + 1) != 1)
		abort();
}

void
digest_end(struct digest *d, char *hex, size_t size)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned len;

	if (EVP_DigestFinal_ex(d->ctx, md, &len) != 1)
		abort();
	if (len > (size - 1) / 2)
		len = (unsigned)((size - 1) / 2);
	if (str_hex(hex, size, md, len) == -1)
		abort();
	EVP_MD_CTX_free(d->ctx);
	free(d);
}
