/*
 * What the files of the watch over PostgreSQL share: pgwatch.c owns it,
 * pg_local.c fills the view, pg_probe.c writes, pg_room.c looks at the disks,
 * pg_peer.c at the others.
 */
#ifndef HAWATCH_PGWATCH_PRIV_H
#define HAWATCH_PGWATCH_PRIV_H

#include "hawatch/check.h"
#include "hawatch/pgwatch.h"

struct pg_room;
struct pgc;
struct timer;
struct watch;

/* A position that the primary had flushed, and when it was seen. */
struct pg_mark {
	lsn_t lsn;
	usec_t at;
};

struct pg_peer_link {
	struct pgwatch *w;
	node_t node;
	struct check *check; /* NULL: not a peer */
	struct conf_check conf;
	struct pgc *pgc;
	struct pg_peer peer;
};

struct pgwatch {
	struct loop *loop;
	const struct conf *conf;
	struct pgwatch_calls calls;
	bool local; /* this host has an instance */

	struct pg_view view;
	struct pg_mark mark[NODES_MAX];
	struct check *status;
	struct pgc *status_pgc;
	usec_t status_sent;

	struct check *probe;
	struct pgc *probe_pgc;
	usec_t probe_sent;
	struct pg_room *room;

	int postmaster_fd; /* pidfd; valid while postmaster is set */
	struct watch *postmaster;

	struct check *settings;
	struct pgc *settings_pgc;
	usec_t settings_sent;
	struct pg_findings findings;
	enum answer settings_role; /* recovery, when they were asked for */
	bool settings_bad;	   /* what the view said of them then */

	usec_t paused_since; /* 0: replay is not paused */
	struct pgc *resume_pgc;

	struct pg_peer_link peer[NODES_MAX];
};

extern const struct check_ops pg_local_ops;
extern const struct check_ops pg_probe_ops;
extern const struct check_ops pg_peer_ops;
extern const struct check_ops pg_settings_ops;

/* pgwatch.c: watches the postmaster if there is one and it is not watched. */
void pgwatch_follow(struct pgwatch *w);

/* The nodes whose settings are known to make them no candidates. */
nodeset_t pgwatch_unsound(const struct pgwatch *w, const struct pg_view *view);

struct pgc_result;
/* pg_view.c: reads an answer to pg_view_sql into view. -1: not understood. */
extern const char pg_view_sql[];
int pg_view_read(const struct conf *conf, const struct pgc_result *r,
    struct pg_view *view) MUST_CHECK;
/* Since when each sender is behind, from one observation to the next. */
void pg_view_behind(struct pg_view *view, struct pg_mark *mark);

#endif
