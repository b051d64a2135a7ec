/*
 * What one host tells the others about itself, and its JSON. Foreign bytes:
 * what cannot be read is no report at all.
 */
#ifndef HAWATCH_ENGINE_REPORT_H
#define HAWATCH_ENGINE_REPORT_H

#include <jansson.h>

#include "hawatch/conf.h"
#include "hawatch/error.h"
#include "hawatch/types.h"

/* Checks are known by their index in the configuration, which all hosts share;
 * a name that this host does not know is passed over. */
typedef uint32_t checkset_t;
#define CHECK_BIT(i) ((checkset_t)1 << (i))

struct host_report {
	uint64_t
	    seq; /* the sender's clock: tells an older one that comes late */
	uint64_t site_epoch; /* it was brought to its role for that epoch */
	checkset_t passes;   /* shared checks */
	uint32_t age_ms[CONF_CHECKS_MAX]; /* of these: since the start of the
					     probe that passed */
	checkset_t fails;		  /* all checks */
	int drift;	     /* items that are not as they should be */
	enum answer traffic; /* the balancers that it steers are as wanted */
	bool healthy;	     /* its /health says 200 */
	bool stale;	     /* its applications are not as its role demands */
	enum answer automatic; /* its mode is auto */
	enum answer room;      /* its PostgreSQL has room to write */
	/* Digests of its configuration; "": it does not say. */
	char config[CONF_DIGEST_MAX], vital[CONF_DIGEST_MAX];
};

/* Caller json_decref()s. */
json_t *report_json(const struct host_report *rep, const struct conf *conf);
int report_parse(struct host_report *rep, const json_t *obj,
    const struct conf *conf, struct error *err) MUST_CHECK;
/* The configuration alone: what a witness says of itself, and takes from any
 * report. */
void report_put_config(json_t *obj, const struct conf *conf);
int report_config(
    struct host_report *rep, const json_t *obj, struct error *err) MUST_CHECK;
/* The same, but for seq and ages. */
bool report_same(const struct host_report *a, const struct host_report *b);
/* Names of the checks of that set. */
json_t *report_checks(checkset_t set, const struct conf *conf);

#endif
