/*
 * Reads what came with a verb of hactl. What another version of hactl sends
 * and this engine does not know is refused, not passed over.
 */
#include "engine/orders_request.h"

#include <string.h>

#include "engine/orders.h"
#include "hawatch/conf.h"
#include "hawatch/json.h"

static int request_node(const struct conf *conf, struct order_request *req,
    const json_t *obj, struct error *err);
static int request_accept(
    struct order_request *req, const json_t *obj, struct error *err);
static int request_pause(
    struct order_request *req, const json_t *obj, struct error *err);

int
orders_request_read(const struct conf *conf, struct order_request *req,
    const char *args_json, struct error *err)
{
	static const char *const keys[] = { "verb", "node", "fenced", "is",
		"end_transactions", "leave_archive", "leave_slots", "for_s",
		"why", "by", "epoch", "all", "verify", "clone", "apply", "look",
		"seen", NULL };
	json_t *obj;
	int rc = -1;

	obj = json_read(args_json, strlen(args_json), err);
	if (obj == NULL || json_only(obj, keys, err) == -1 ||
	    request_node(conf, req, obj, err) == -1 ||
	    request_accept(req, obj, err) == -1 ||
	    request_pause(req, obj, err) == -1)
		goto out;
	if (json_has(obj, "fenced")) {
		if (json_want_string(obj, "fenced", req->fenced,
			sizeof(req->fenced), err) == -1)
			goto out;
		req->is_fenced = true;
	}
	if (json_has(obj, "is") &&
	    json_want_string(obj, "is", req->is, sizeof(req->is), err) == -1)
		goto out;
	if (json_has(obj, "epoch") &&
	    json_want_u64(obj, "epoch", &req->epoch, err) == -1)
		goto out;
	if ((json_has(obj, "all") &&
		json_want_bool(obj, "all", &req->all, err) == -1) ||
	    (json_has(obj, "verify") &&
		json_want_bool(obj, "verify", &req->verify, err) == -1))
		goto out;
	if (json_has(obj, "clone") &&
	    json_want_bool(obj, "clone", &req->clone, err) == -1)
		goto out;
	if ((json_has(obj, "look") &&
		json_want_bool(obj, "look", &req->look, err) == -1) ||
	    (json_has(obj, "apply") &&
		json_want_bool(obj, "apply", &req->apply, err) == -1) ||
	    (json_has(obj, "seen") && json_want_string(obj, "seen", req->seen,
					  sizeof(req->seen), err) == -1))
		goto out;
	rc = 0;
out:
	json_decref(obj);
	return rc;
}

static int
request_node(const struct conf *conf, struct order_request *req,
    const json_t *obj, struct error *err)
{
	char name[NODE_NAME_MAX], list[300] = "";
	size_t len = 0;
	int n;

	if (!json_has(obj, "node"))
		return 0;
	if (json_want_string(obj, "node", name, sizeof(name), err) == -1)
		return -1;
	req->node = names_find(&conf->names, name);
	if (req->node != NODE_NONE)
		return 0;
	for (n = 0; n < conf->names.count && len < sizeof(list); n++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s",
		    n == 0 ? "" : ", ", conf->names.node[n]);
	return error_set(err, ERR_REFUSED,
	    "%s is no node of cluster %s; the nodes are %s", name,
	    conf->cluster, list);
}

static int
request_accept(struct order_request *req, const json_t *obj, struct error *err)
{
	static const struct {
		const char *key;
		unsigned bit;
	} rows[] = {
		{ "end_transactions", ACCEPT_TRANSACTIONS },
		{ "leave_archive", ACCEPT_ARCHIVE },
		{ "leave_slots", ACCEPT_SLOTS },
	};
	bool yes;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!json_has(obj, rows[i].key))
			continue;
		if (json_want_bool(obj, rows[i].key, &yes, err) == -1)
			return -1;
		req->accept |= yes ? rows[i].bit : 0;
	}
	return 0;
}

static int
request_pause(struct order_request *req, const json_t *obj, struct error *err)
{
	int64_t seconds;

	if (json_has(obj, "for_s")) {
		if (json_want_i64(obj, "for_s", 1, ORDER_PAUSE_MAX / USEC_SEC,
			&seconds, err) == -1)
			return -1;
		req->pause_for = seconds * USEC_SEC;
	}
	if (json_has(obj, "why") &&
	    json_want_string(obj, "why", req->why, sizeof(req->why), err) == -1)
		return -1;
	if (json_has(obj, "by") &&
	    json_want_string(obj, "by", req->by, sizeof(req->by), err) == -1)
		return -1;
	return 0;
}
