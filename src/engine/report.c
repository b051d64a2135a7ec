/*
 * The JSON of a host's report about itself. It carries no name: whose it is,
 * the certificate says.
 */
#include "engine/report.h"

#include <string.h>

#include "hawatch/json.h"

#define DRIFT_MAX 1000000

_Static_assert(CONF_CHECKS_MAX <= 32, "a checkset_t has a bit for each check");

json_t *
report_checks(checkset_t set, const struct conf *conf)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < conf->check_count; i++)
		if ((set & CHECK_BIT(i)) != 0)
			json_array_append_new(
			    list, json_string(conf->check[i].name));
	return list;
}

/* By name, since when each has passed. */
static json_t *
report_ages(const struct host_report *rep, const struct conf *conf)
{
	json_t *obj = json_object();
	int i;

	for (i = 0; i < conf->check_count; i++)
		if ((rep->passes & CHECK_BIT(i)) != 0)
			json_put_i64(obj, conf->check[i].name, rep->age_ms[i]);
	return obj;
}

json_t *
report_json(const struct host_report *rep, const struct conf *conf)
{
	json_t *obj = json_object();

	json_put_u64(obj, "seq", rep->seq);
	json_put_u64(obj, "site_epoch", rep->site_epoch);
	json_put_bool(obj, "healthy", rep->healthy);
	json_put_bool(obj, "stale", rep->stale);
	if (rep->automatic != ANS_UNKNOWN)
		json_put_bool(obj, "auto", rep->automatic == ANS_YES);
	if (rep->room != ANS_UNKNOWN)
		json_put_bool(obj, "room", rep->room == ANS_YES);
	json_put_i64(obj, "drift", rep->drift);
	json_put_i64(obj, "traffic", rep->traffic);
	json_put(obj, "passes", report_ages(rep, conf));
	json_put(obj, "fails", report_checks(rep->fails, conf));
	report_put_config(obj, conf);
	return obj;
}

void
report_put_config(json_t *obj, const struct conf *conf)
{
	json_put_string(obj, "config", conf->digest);
	json_put_string(obj, "vital", conf->vital);
}

/* An older engine does not know. */
int
report_config(struct host_report *rep, const json_t *obj, struct error *err)
{
	rep->config[0] = rep->vital[0] = '\0';
	if (!json_has(obj, "config") && !json_has(obj, "vital"))
		return 0;
	if (json_want_string(
		obj, "config", rep->config, sizeof(rep->config), err) != 0 ||
	    json_want_string(
		obj, "vital", rep->vital, sizeof(rep->vital), err) != 0)
		return -1;
	return 0;
}

static int
report_set(const json_t *obj, const char *key, const struct conf *conf,
    checkset_t *set, struct error *err)
{
	const json_t *list = json_want_array(obj, key, err);
	const char *name;
	size_t i;
	int c;

	*set = 0;
	if (list == NULL)
		return -1;
	if (json_array_size(list) > CONF_CHECKS_MAX)
		return error_set(err, ERR_LIMIT, "%s: too many", key);
	for (i = 0; i < json_array_size(list); i++) {
		name = json_string_value(json_array_get(list, i));
		if (name == NULL)
			return error_set(err, ERR_PROTOCOL,
			    "%s: item %zu is no name", key, i);
		for (c = 0; c < conf->check_count; c++)
			if (strcmp(conf->check[c].name, name) == 0)
				*set |= CHECK_BIT(c);
	}
	return 0;
}

static int
report_passes(const json_t *obj, const struct conf *conf,
    struct host_report *rep, struct error *err)
{
	const json_t *ages = json_want_object(obj, "passes", err);
	int64_t age;
	int c;

	if (ages == NULL)
		return -1;
	if (json_object_size(ages) > CONF_CHECKS_MAX)
		return error_set(err, ERR_LIMIT, "passes: too many");
	for (c = 0; c < conf->check_count; c++) {
		if (!json_has(ages, conf->check[c].name))
			continue;
		if (json_want_i64(ages, conf->check[c].name, 0, UINT32_MAX,
			&age, err) != 0)
			return error_wrap(err, "passes");
		rep->passes |= CHECK_BIT(c);
		rep->age_ms[c] = (uint32_t)age;
	}
	return 0;
}

int
report_parse(struct host_report *rep, const json_t *obj,
    const struct conf *conf, struct error *err)
{
	bool automatic = false, room = false;
	int traffic;

	memset(rep, 0, sizeof(*rep));
	if (!json_is_object(obj))
		return error_set(err, ERR_PROTOCOL, "host is no object");
	if (json_want_u64(obj, "seq", &rep->seq, err) != 0 ||
	    json_want_u64(obj, "site_epoch", &rep->site_epoch, err) != 0 ||
	    json_want_bool(obj, "healthy", &rep->healthy, err) != 0 ||
	    /* An older engine does not know. */
	    (json_has(obj, "stale") &&
		json_want_bool(obj, "stale", &rep->stale, err) != 0) ||
	    (json_has(obj, "auto") &&
		json_want_bool(obj, "auto", &automatic, err) != 0) ||
	    (json_has(obj, "room") &&
		json_want_bool(obj, "room", &room, err) != 0) ||
	    json_want_int(obj, "drift", 0, DRIFT_MAX, &rep->drift, err) != 0 ||
	    json_want_int(obj, "traffic", ANS_UNKNOWN, ANS_NO, &traffic, err) !=
		0 ||
	    report_passes(obj, conf, rep, err) != 0 ||
	    report_set(obj, "fails", conf, &rep->fails, err) != 0 ||
	    report_config(rep, obj, err) != 0)
		return -1;
	rep->traffic = (enum answer)traffic;
	if (json_has(obj, "auto"))
		rep->automatic = automatic ? ANS_YES : ANS_NO;
	if (json_has(obj, "room"))
		rep->room = room ? ANS_YES : ANS_NO;
	return 0;
}

bool
report_same(const struct host_report *a, const struct host_report *b)
{
	return a->site_epoch == b->site_epoch && a->passes == b->passes &&
	       a->fails == b->fails && a->drift == b->drift &&
	       a->traffic == b->traffic && a->healthy == b->healthy &&
	       a->stale == b->stale && a->automatic == b->automatic &&
	       a->room == b->room && strcmp(a->config, b->config) == 0 &&
	       strcmp(a->vital, b->vital) == 0;
}
