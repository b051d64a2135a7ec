/* The authority and its certificates: made, checked, never overwritten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "hawatch/pki.h"

static char dir[64], other[80];

static int
setup(void **state)
{
	struct error err;

	strcpy(dir, "/tmp/hawatch-pki-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(other, sizeof(other), "%s/other", dir);
	if (pki_init(dir, "test", &err) == -1 ||
	    pki_node(dir, "s1", "192.0.2.1", &err) == -1 ||
	    pki_node(dir, "s2", "2001:db8::2", &err) == -1 ||
	    pki_init(other, "other", &err) == -1) {
		fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	return 0;
}

static int
teardown(void **state)
{
	char cmd[128];

	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", dir);
	return system(cmd);
}

static const char *
in(const char *where, const char *file)
{
	static char path[8][128];
	static int i;

	i = (i + 1) % 8;
	(void)snprintf(path[i], sizeof(path[i]), "%s/%s", where, file);
	return path[i];
}

static bool PRINTF_LIKE(1, 2) run(const char *fmt, ...)
{
	char cmd[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	return system(cmd) == 0;
}

static void
test_modes(void **state)
{
	struct stat st;

	assert_int_equal(stat(in(dir, "ca.key"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(in(dir, "s1.key"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(other, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

/* What another implementation thinks of them. */
static void
test_openssl_agrees(void **state)
{
	assert_true(run("openssl verify -x509_strict -purpose sslserver "
			"-verify_hostname s1 -verify_ip 192.0.2.1 "
			"-CAfile %s/ca.pem %s/s1.pem >/dev/null",
	    dir, dir));
	assert_true(run("openssl verify -x509_strict -purpose sslclient "
			"-verify_ip 2001:db8::2 -CAfile %s/ca.pem %s/s2.pem "
			">/dev/null",
	    dir, dir));
	assert_false(run("openssl verify -CAfile %s/ca.pem %s/s1.pem "
			 ">/dev/null 2>&1",
	    other, dir));
}

static void
test_never_overwrites(void **state)
{
	struct error err;

	assert_int_equal(pki_init(dir, "test", &err), -1);
	assert_non_null(strstr(err.msg, "is not overwritten"));
	assert_int_equal(pki_node(dir, "s1", "192.0.2.1", &err), -1);
	assert_non_null(strstr(err.msg, "s1.key"));
	/* Nor is a half of a pair made. */
	assert_true(run("touch %s/s3.pem", dir));
	assert_int_equal(pki_node(dir, "s3", "192.0.2.3", &err), -1);
	assert_int_equal(access(in(dir, "s3.key"), F_OK), -1);
}

static void
test_bad_names(void **state)
{
	char longest[NODE_NAME_MAX + 1];
	const char *names[] = { "", "ca", "../x", "a/b", ".x", "-x", "A", "a b",
		"a,DNS:evil", longest };
	struct error err;
	size_t i;

	memset(longest, 'a', NODE_NAME_MAX);
	longest[NODE_NAME_MAX] = '\0';
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(
		    pki_node(dir, names[i], "192.0.2.9", &err), -1);
	assert_int_equal(pki_node(dir, "s9", "host.example", &err), -1);
	assert_int_equal(pki_node(dir, "s9", "192.0.2.9,DNS:x", &err), -1);
	assert_int_equal(pki_node(in(dir, "none"), "s9", "::1", &err), -1);
}

static void
test_check(void **state)
{
	struct pki_files f = { in(dir, "ca.pem"), in(dir, "s1.pem"),
		in(dir, "s1.key") };
	struct pki_report r;
	struct error err;

	assert_int_equal(pki_check(&f, "s1", &r, &err), 0);
	assert_string_equal(r.name, "s1");
	assert_in_range(r.days_left, PKI_NODE_DAYS - 2, PKI_NODE_DAYS);
	assert_in_range((r.ca_not_after / USEC_SEC - time(NULL)) / 86400,
	    PKI_CA_DAYS - 2, PKI_CA_DAYS);
	assert_int_equal(pki_check(&f, "s2", &r, &err), -1);
	assert_non_null(strstr(err.msg, "certificate of \"s1\", not of"));
	f.key = in(dir, "s2.key");
	assert_int_equal(pki_check(&f, "s1", &r, &err), -1);
	assert_non_null(strstr(err.msg, "is not the key of"));
	f.key = in(dir, "s1.key");
	f.ca = in(other, "ca.pem");
	assert_int_equal(pki_check(&f, "s1", &r, &err), -1);
	f.ca = in(dir, "none.pem");
	assert_int_equal(pki_check(&f, "s1", &r, &err), -1);
	f.ca = in(dir, "ca.pem");
	assert_int_equal(chmod(f.key, 0640), 0);
	assert_int_equal(pki_check(&f, "s1", &r, &err), -1);
	assert_non_null(strstr(err.msg, "chmod 600"));
	assert_int_equal(chmod(f.key, 0600), 0);
}

/* s1's certificate, as it would be two days after its end. */
static void
make_expired(void)
{
	FILE *in_file = fopen(in(dir, "s1.pem"), "r");
	FILE *key_file = fopen(in(dir, "ca.key"), "r");
	FILE *out_file = fopen(in(dir, "old.pem"), "w");
	X509 *cert = PEM_read_X509(in_file, NULL, NULL, NULL);
	EVP_PKEY *key = PEM_read_PrivateKey(key_file, NULL, NULL, NULL);

	assert_non_null(
	    X509_gmtime_adj(X509_getm_notBefore(cert), -800L * 86400));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), -2L * 86400));
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509(out_file, cert), 1);
	fclose(in_file);
	fclose(key_file);
	fclose(out_file);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void
test_check_expired(void **state)
{
	struct pki_files f = { in(dir, "ca.pem"), in(dir, "old.pem"), NULL };
	struct pki_report r;
	struct error err;

	make_expired();
	assert_int_equal(pki_check(&f, NULL, &r, &err), -1);
	assert_non_null(strstr(err.msg, "expired"));
	assert_true(r.days_left < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_openssl_agrees),
		cmocka_unit_test(test_never_overwrites),
		cmocka_unit_test(test_bad_names),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_check_expired),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
