/*
 * Two hosts and a witness with the real code, what they tell each other about
 * themselves, a network of any delay between them, and a fault that both share.
 */
#ifndef REPORTSTEST_H
#define REPORTSTEST_H

#include "engine/engine.h"
#include "engine/health.h"
#include "engine/reports.h"
#include "hawatch/check.h"

#define A 0
#define B 1
#define W 2
#define FLIGHTS 4096

enum { SHARED, OWN, QUIET, CHECKS }; /* the checks of the configuration */

struct flight {
	int to, from;
	usec_t at;    /* it arrives then; 0: free */
	usec_t asked; /* an answer: when its question left */
	bool answer;  /* a question is answered at once */
	json_t *host;
};

struct rt_host {
	struct engine e;
	struct check_state check[CHECKS];
	usec_t next, start, end; /* of the probe of the shared check */
	uint64_t record;	 /* its epoch */
	enum site_role role;
	int failed, threshold; /* of its last probes */
	enum pg_state pg;
	bool stale, full;
	uint64_t heard_epoch;
	int heard, sent;
	char digest[CONF_DIGEST_MAX], vital[CONF_DIGEST_MAX];
	enum answer said; /* of its configuration, by the last that was heard */
	enum answer room; /* likewise */
};

struct reportstest {
	struct rt_host host[3];
	struct conf conf;
	struct flight flight[FLIGHTS];
	usec_t delay_max;
	unsigned seed;
	struct now at;
	bool cut;     /* nothing arrives */
	usec_t fault; /* what both use is gone from then on; 0: not so */
};

extern struct reportstest rt;

int rt_setup(void **state);
int rt_teardown(void **state);
/* 0 to n - 1. */
int rt_dice(int n);
/* How a check of a host is from now on. */
void rt_set(int i, int c, enum answer up);
/* One millisecond of the world. */
void rt_step(void);
void rt_steps(int ms);

#endif
