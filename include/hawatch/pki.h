/*
 * A small authority for one cluster: a CA and a certificate for each node, as
 * PEM files in one directory: ca.pem ca.key NAME.pem NAME.key. Keys are made
 * with mode 0600. Nothing that exists is ever overwritten.
 */
#ifndef HAWATCH_PKI_H
#define HAWATCH_PKI_H

#include "hawatch/error.h"
#include "hawatch/types.h"

#define PKI_CA_DAYS 3650
#define PKI_NODE_DAYS 730
/* A certificate that ends sooner than this deserves a warning. */
#define PKI_SOON_DAYS 30

/* Makes dir (0700) unless it exists, and the CA in it. */
int pki_init(
    const char *dir, const char *cluster, struct error *err) MUST_CHECK;
/* Makes name's key and certificate: common name and DNS name are name, the IP
 * address is address; for both ends of a connection. */
int pki_node(const char *dir, const char *name, const char *address,
    struct error *err) MUST_CHECK;

/* The same for a person who asks from another host: for the client's end only,
 * so that nobody with it can pass for a node. */
int pki_operator(
    const char *dir, const char *name, struct error *err) MUST_CHECK;

struct pki_files {
	const char *ca, *cert, *key; /* key NULL: not looked at */
};

struct pki_report {
	char name[NODE_NAME_MAX]; /* common name of the certificate */
	usec_t not_after;	  /* wall */
	usec_t ca_not_after;	  /* wall */
	int days_left;		  /* of whichever ends first; negative: over */
};

/* 0: the certificate is of this CA, valid now for both ends, for name (NULL:
 * any), and the key is its own and nobody else's to read. -1: err says what
 * is wrong and what to do. *out is filled as far as it could be read. */
int pki_check(const struct pki_files *files, const char *name,
    struct pki_report *out, struct error *err) MUST_CHECK;

#endif
