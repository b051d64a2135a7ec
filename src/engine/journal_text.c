/*
 * struct durable as JSON and back. The file is for people too: names, not
 * numbers.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/journal.h"
#include "engine/wire.h"
#include "hawatch/json.h"

static void
put_claim(json_t *obj, const struct durable *d, const struct names *names)
{
	char *text;

	json_put_bool(obj, "claim", d->claim);
	if (!d->claim)
		return;
	json_put_u64(obj, "claim_revision", d->claim_revision);
	json_put_string(obj, "claim_instance", d->claim_instance);
	json_put_string(obj, "claim_nonce", d->claim_nonce);
	text = record_str(&d->claim_rec, names);
	json_put_string(obj, "claim_record", text);
	free(text);
}

static void
put_handed(json_t *obj, const struct durable *d, const struct names *names)
{
	bool handed = d->handed_epoch != 0 && d->handed_to >= 0 &&
		      d->handed_to < names->count;

	json_put_u64(obj, "handed_epoch", handed ? d->handed_epoch : 0);
	json_put_string(
	    obj, "handed_to", handed ? names->node[d->handed_to] : "");
}

static const char *const rejoin_words[] = { [REJOIN_NO] = "",
	[REJOIN_ASIDE] = "aside",
	[REJOIN_HALF] = "half",
	[REJOIN_WHOLE] = "whole" };

static void
put_rejoin(json_t *obj, const struct durable *d, const struct names *names)
{
	bool on = d->rejoin != REJOIN_NO && d->rejoin_from >= 0 &&
		  d->rejoin_from < names->count;

	json_put_bool(obj, "diverged", d->diverged);
	json_put_bool(obj, "follower", d->follower);
	json_put_string(obj, "rejoin", rejoin_words[d->rejoin]);
	json_put_string(
	    obj, "rejoin_from", on ? names->node[d->rejoin_from] : "");
	json_put_u64(obj, "rejoin_epoch", on ? d->rejoin_epoch : 0);
}

char *
journal_str(const struct durable *d, const struct names *names)
{
	json_t *obj = json_object();

	json_put_string(obj, "cluster", names->cluster);
	json_put_string(obj, "instance", d->instance);
	json_put_u64(obj, "epoch", d->epoch);
	json_put_u64(obj, "seq", d->seq);
	json_put_u64(obj, "head", d->head);
	json_put_bool(obj, "back", d->back);
	json_put_u64(obj, "sent_epoch", d->sent_epoch);
	json_put_u64(obj, "sent_seq", d->sent_seq);
	json_put_i64(obj, "ttl_max_us", d->t_max);
	put_claim(obj, d, names);
	json_put_u64(obj, "abdicated_epoch", d->abdicated_epoch);
	json_put_u64(obj, "abdicated_seq", d->abdicated_seq);
	wire_put_set(obj, "left", d->left, names);
	json_put_u64(obj, "left_epoch", d->left_epoch);
	json_put_lsn(obj, "told", d->told);
	json_put_u64(obj, "told_epoch", d->told_epoch);
	json_put_u64(obj, "primary_epoch", d->primary_epoch);
	put_handed(obj, d, names);
	json_put_bool(obj, "latch", d->latch);
	json_put_string(obj, "latch_why", d->latch_why);
	json_put_bool(obj, "fenced", d->fenced);
	put_rejoin(obj, d, names);
	json_put_i64(obj, "proof", d->proof);
	json_put_u64(obj, "proof_epoch", d->proof_epoch);
	json_put_string(obj, "proof_why", d->proof_why);
	json_put_i64(obj, "plan", d->plan);
	json_put_i64(obj, "row", d->row);
	json_put_u64(obj, "plan_epoch", d->plan_epoch);
	json_put_u64(obj, "site_epoch", d->site_epoch);
	json_put_u64(obj, "quiet_epoch", d->quiet_epoch);
	return json_take_text(obj);
}

static int
want_claim(const json_t *obj, struct durable *d, const struct names *names,
    struct error *err)
{
	char text[RECORD_MAX + 1];

	if (json_want_bool(obj, "claim", &d->claim, err) != 0)
		return -1;
	if (!d->claim)
		return 0;
	if (json_want_u64(obj, "claim_revision", &d->claim_revision, err) != 0)
		return -1;
	if (json_want_string(obj, "claim_instance", d->claim_instance,
		sizeof(d->claim_instance), err) != 0 ||
	    json_want_string(obj, "claim_nonce", d->claim_nonce,
		sizeof(d->claim_nonce), err) != 0 ||
	    json_want_string(obj, "claim_record", text, sizeof(text), err) != 0)
		return -1;
	return record_parse_own(&d->claim_rec, text, strlen(text), names, err);
}

/* Older files, and a name that is none: nothing was handed over, which makes
 * data that may have diverged of it. */
static void
want_handed(const json_t *obj, struct durable *d, const struct names *names)
{
	char name[NODE_NAME_MAX];
	struct error ignored;
	uint64_t epoch;
	node_t to;

	d->handed_epoch = 0;
	d->handed_to = 0;
	if (!json_has(obj, "handed_epoch") ||
	    json_want_u64(obj, "handed_epoch", &epoch, &ignored) != 0 ||
	    json_want_string(obj, "handed_to", name, sizeof(name), &ignored) !=
		0)
		return;
	to = names_find(names, name);
	if (epoch == 0 || to == NODE_NONE)
		return;
	d->handed_epoch = epoch;
	d->handed_to = to;
}

/* Of older files: latched, as it was, for a person to judge. Data of which it
 * is not known how far it was rewritten, or from whom, is half of nobody's. */
static void
want_rejoin(const json_t *obj, struct durable *d, const struct names *names)
{
	char word[16] = "", name[NODE_NAME_MAX] = "";
	struct error ignored;
	size_t i;

	d->rejoin_from = NODE_NONE;
	if (!json_has(obj, "rejoin"))
		return;
	if (json_want_bool(obj, "diverged", &d->diverged, &ignored) != 0)
		d->diverged = false;
	if (json_want_bool(obj, "follower", &d->follower, &ignored) != 0)
		d->follower = false;
	d->rejoin = REJOIN_HALF;
	if (json_want_string(obj, "rejoin", word, sizeof(word), &ignored) == 0)
		for (i = REJOIN_NO; i <= REJOIN_WHOLE; i++)
			if (strcmp(word, rejoin_words[i]) == 0)
				d->rejoin = (enum rejoin)i;
	if (json_want_string(
		obj, "rejoin_from", name, sizeof(name), &ignored) == 0)
		d->rejoin_from = names_find(names, name);
	if (json_want_u64(obj, "rejoin_epoch", &d->rejoin_epoch, &ignored) != 0)
		d->rejoin_epoch = 0;
}

/* What files of older versions do not have. */
static int
want_later(const json_t *obj, struct durable *d, struct error *err)
{
	if (json_has(obj, "quiet_epoch") &&
	    json_want_u64(obj, "quiet_epoch", &d->quiet_epoch, err) != 0)
		return -1;
	/* Of before there were registers that count all writes. */
	if (json_has(obj, "head") &&
	    json_want_u64(obj, "head", &d->head, err) != 0)
		return -1;
	if (json_has(obj, "back") &&
	    json_want_bool(obj, "back", &d->back, err) != 0)
		return -1;
	/* Of before hosts were brought to their role: a first start. */
	if (json_has(obj, "site_epoch") &&
	    json_want_u64(obj, "site_epoch", &d->site_epoch, err) != 0)
		return -1;
	/* Of before a person could: by the engine alone. */
	if (json_has(obj, "fenced") &&
	    json_want_bool(obj, "fenced", &d->fenced, err) != 0)
		return -1;
	/* Of before anything might be lost: nothing was told. */
	if (!json_has(obj, "told"))
		return 0;
	if (json_want_lsn(obj, "told", &d->told, err) != 0)
		return -1;
	return json_want_u64(obj, "told_epoch", &d->told_epoch, err);
}

/* Who left counts for less than who may claim: a number of before, when it was
 * by the order of the nodes, or a name that is none, is nobody. */
static void
want_left(const json_t *obj, struct durable *d, const struct names *names)
{
	struct error ignored;

	if (!json_is_array(json_object_get(obj, "left")) ||
	    wire_want_set(obj, "left", &d->left, names, &ignored) != 0)
		d->left = 0;
}

static int
want_rest(const json_t *obj, struct durable *d, const struct names *names,
    struct error *err)
{
	int proof = 0;

	want_left(obj, d, names);
	want_handed(obj, d, names);
	want_rejoin(obj, d, names);
	if (json_want_u64(obj, "left_epoch", &d->left_epoch, err) ||
	    json_want_u64(obj, "abdicated_epoch", &d->abdicated_epoch, err) ||
	    json_want_u64(obj, "abdicated_seq", &d->abdicated_seq, err) ||
	    json_want_u64(obj, "primary_epoch", &d->primary_epoch, err) ||
	    json_want_bool(obj, "latch", &d->latch, err) ||
	    json_want_string(
		obj, "latch_why", d->latch_why, sizeof(d->latch_why), err) ||
	    json_want_int(obj, "proof", PROOF_NONE, PROOF_AGENT, &proof, err) ||
	    json_want_u64(obj, "proof_epoch", &d->proof_epoch, err) ||
	    json_want_string(
		obj, "proof_why", d->proof_why, sizeof(d->proof_why), err) ||
	    json_want_int(obj, "plan", 0, 100, &d->plan, err) ||
	    json_want_int(obj, "row", 0, 100, &d->row, err) ||
	    json_want_u64(obj, "plan_epoch", &d->plan_epoch, err))
		return -1;
	d->proof = (enum proof)proof;
	return want_later(obj, d, err);
}

int
journal_parse(struct durable *dur, const char *json, size_t len,
    const struct names *names, struct error *err)
{
	struct durable d;
	char cluster[NODE_NAME_MAX];
	json_t *obj = json_read(json, len, err);
	int rc = -1;

	memset(&d, 0, sizeof(d));
	if (obj == NULL)
		return -1;
	if (json_want_string(obj, "cluster", cluster, sizeof(cluster), err))
		goto out;
	if (strcmp(cluster, names->cluster) != 0) {
		error_set(err, ERR_CONFIG,
		    "it is of cluster \"%s\", not "
		    "\"%s\"",
		    cluster, names->cluster);
		goto out;
	}
	if (json_want_string(
		obj, "instance", d.instance, sizeof(d.instance), err) ||
	    json_want_u64(obj, "epoch", &d.epoch, err) ||
	    json_want_u64(obj, "seq", &d.seq, err) ||
	    json_want_u64(obj, "sent_epoch", &d.sent_epoch, err) ||
	    json_want_u64(obj, "sent_seq", &d.sent_seq, err) ||
	    json_want_i64(
		obj, "ttl_max_us", 0, 3600 * USEC_SEC, &d.t_max, err) ||
	    want_claim(obj, &d, names, err) || want_rest(obj, &d, names, err))
		goto out;
	*dur = d;
	rc = 0;
out:
	json_decref(obj);
	return rc;
}
