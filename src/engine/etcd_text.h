/*
 * What etcd's JSON gateway is sent and what it answers, as bytes, and the
 * text under the key. Foreign bytes: everything is checked here.
 */
#ifndef HAWATCH_ENGINE_ETCD_TEXT_H
#define HAWATCH_ENGINE_ETCD_TEXT_H

#include "hawatch/arbiter.h"
#include "hawatch/error.h"

/* The key as one answer shows it. */
struct etcd_view {
	char cluster[ID_MAX]; /* id of the cluster that answered */
	uint64_t head;	      /* its revision: of its last write of any key */
	uint64_t revision;    /* of the key; 0: there is none */
	char *text;	      /* under the key, as it is; NULL: there is none */
	struct arbiter image; /* the same, understood */
};

void etcd_view_fini(struct etcd_view *v);

/* Bodies of requests; callers free. */
char *etcd_range_str(const char *key);
/* text in the place of what was seen, and of nothing else; the answer says
 * what is there when it was not taken. */
char *etcd_put_str(
    const char *key, const struct etcd_view *seen, const char *text);
char *etcd_watch_str(const char *key);
char *etcd_login_str(const char *user, const char *password);

/* -1: v is not to be used, nor freed. */
int etcd_range_parse(struct etcd_view *v, const char *key, const char *json,
    size_t len, const struct names *names, struct error *err) MUST_CHECK;
/* taken: v has cluster, head and revision only. */
int etcd_put_parse(struct etcd_view *v, bool *taken, const char *key,
    const char *json, size_t len, const struct names *names,
    struct error *err) MUST_CHECK;
int etcd_login_parse(char *token, size_t size, const char *json, size_t len,
    struct error *err) MUST_CHECK;
/* A line of the watch; false: the watch has ended, or it is no such line. */
bool etcd_watch_parse(const char *json, size_t len, uint64_t *head);
/* Of an answer that is an error: what it says, for people. */
void etcd_error_str(char *buf, size_t size, const char *json, size_t len);

/* etcd_image.c: what is kept under the key; caller frees. */
char *etcd_image_str(const struct arbiter *a, const struct names *names);
int etcd_image_parse(struct arbiter *a, const char *text,
    const struct names *names, struct error *err) MUST_CHECK;

#endif
