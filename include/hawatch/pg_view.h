/*
 * What this host knows of its own PostgreSQL: the facts that the core decides
 * on. The postgres check fills it, the core only reads it.
 */
#ifndef HAWATCH_PG_VIEW_H
#define HAWATCH_PG_VIEW_H

#include "hawatch/types.h"

/* One physical walsender whose application_name is a node of the cluster and
 * whose client address is that node's. Absent: streaming is false. */
struct pg_sender {
	bool streaming; /* exactly one, in state streaming */
	bool doubled;	/* more than one of that name, or a wrong address */
	lsn_t sent, flush, replay;
	usec_t behind_since; /* raw time since when flush lags what had been
				written before; 0 when it does not */
};

/* When running is no, nothing else is known but signal and system_id, and
 * seen_at is the time of the proof. When a query fails otherwise, what was
 * known stays, with the age that seen_at gives it. */
struct pg_view {
	usec_t seen_at;	     /* raw time at which the query was sent; 0 never */
	enum answer running; /* postmaster: alive; gone, and no process of the
				instance is left (proved); not known */
	enum answer recovery; /* pg_is_in_recovery() */
	uint32_t timeline;
	uint64_t system_id;
	lsn_t wal_end;	      /* in recovery: flushed or replayed, the greater;
				 else the flush position */
	lsn_t insert;	      /* primary: where the last record ends */
	bool signal;	      /* standby.signal is in the data directory */
	nodeset_t sync_names; /* synchronous_standby_names, as nodes */
	bool sync_other;      /* it names something that is no node */
	struct pg_sender sender[NODES_MAX];
	nodeset_t source;     /* the node that primary_conninfo names by its
				 address and port; empty: none, or no node */
	enum answer conninfo; /* primary_conninfo is set, and understood;
				 unknown: it may not be read */
	bool receiver;	      /* recovery: the walreceiver streams */
	lsn_t replay;	      /* recovery: what readers here can see */
	lsn_t upstream;	      /* recovery: the primary's end, as last told */
	usec_t receiver_age;  /* since the walreceiver's last message */
	bool paused;	      /* recovery: replay is paused */
	nodeset_t unsound; /* whose settings make worthless what they flushed,
			      or forbid what a candidate needs; of others, as
			      far as they were asked */
	bool full; /* no room for the server to write, or a disk that hangs */
	bool restart_after_crash; /* the settings of these names: */
	bool fsync;
	bool full_page_writes;
	int version;	 /* 150020 */
	usec_t up_at;	 /* raw time at which its postmaster was found; 0: it
			    is not there. For people */
	usec_t probe_at; /* raw time at which the last successful local write
			    probe was sent; 0 never */
};

#endif
