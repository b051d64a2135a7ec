/*
 * Who may take over, and whose flush a commit waits for: adding and removing
 * candidates of a primary with two standbys and a log of a few writes, and
 * what becomes of them at a takeover, a restart in place, a restart of the
 * engine. README.md says what is left out.
 *
 * The lease is proved by lease.pml and is assumed here: a candidate of the
 * record may take over at any time, and the fence of the old holder is closed
 * then, unless its lease has no end. So only the holder of the moment has an
 * engine here, and its CASes are the only ones beside the claim.
 *
 * Without ABDICATION nobody abdicates; the seq of the record, which matters to
 * that alone, then stays 0, and candidates come and go without end.
 *
 * M_... breaks a rule; NEVER=... says that something good never happens.
 */
#ifndef WRITES
#define WRITES 2 /* by clients, all together */
#endif
#ifndef SEQS
#define SEQS 5 /* no CAS beyond this seq; each takeover begins at 0 */
#endif
#ifndef EPOCHS
#define EPOCHS 2
#endif
#ifndef CRASHES
#define CRASHES 1 /* of engines and of PostgreSQL, all together */
#endif
#define N 3
#define NOBODY 3
#define BIT(i) (1 << (i))
#define OTHERS(i) (7 & ~BIT(i))
#define MAX(a, b) ((a) > (b) -> (a) : (b))
#define MIN(a, b) ((a) < (b) -> (a) : (b))

#define HELD 1
#define CLAIMED 2
typedef record {
	byte epoch, holder, state, cands, seq
};

#define LIVE 1 /* where the one CAS of the holder is, as in lease.pml */
#define NOW 2
#define PAST 3
#define DEAD 4

/* rows of an add */
#define NAMES 1
#define WAITING 2 /* a commit was seen waiting */
#define FLUSHED 3
#define ADDING 4 /* the CAS was sent */

record R;	   /* the register */
byte crashes;

/* the holder's engine: k is the record as it knows it */
record k, p, o, tmp;
bool fresh, conf, lone; /* lone: the lease has no end */
byte st;
byte row, who, since;	/* the add: which row, of whom, from which position */
bool relaxed;		/* the names were set after the last start */
byte gone;		/* who abdicated, as far as the engine knows */
byte ask_of, ask_seq;	/* a request to abdicate */
bool ask_done;		/* and its answer is on its way */
/* durable: */
byte left, sent;	/* gone; the highest seq that was sent */
byte out[N], out_epoch[N]; /* each node's own abdication: seq + 1 */

/* the holder's PostgreSQL */
bool up, open;
byte w;			/* its log: so many writes */
byte names, flag, cfg[N]; /* setting; what backends, what walsenders obey */
bool conn[N];
byte f[N];		/* what each node has flushed of that log */
byte acked;		/* what clients were told is done */

#define CLAIM_LANDS 1
#define TAKEOVER_OPENS 2
#define ADD_DONE 3
#define BOTH_ADDED 4
#define REMOVE_DONE 5
#define ACK_BY_BOTH 6	  /* while two are candidates */
#define ACK_WITHOUT 7	  /* after one was removed */
#define ABDICATED 8
#define READMITTED 9	  /* an abdicated node is a candidate again */
#define RESTARTED 10	  /* in place, opened again */
#define OLD_REQUEST_LANDS 11
#define ADDED_AFTER_TAKEOVER 12
#define ACK_AFTER_TAKEOVER 13
#ifndef NEVER
#define NEVER 0
#endif
#define happens(what, when) assert(NEVER != what || !(when) || never_happens)

hidden byte candidate_misses_a_vote, cas_names_who_misses_a_vote, vote_lost,
    lease_without_end, never_happens;
hidden byte j, want;

#define h R.holder
#define mine (k.epoch != 0)

/* P. An abdicated node is in it no more. */
#ifdef M_P_WITHOUT_UNKNOWN
#define P_own 0
#else
#define P_own (st != 0 -> p.cands : 0)
#endif
#define P_start (!conf && !lone -> 7 : 0)
#define P ((((k.cands | P_own) & ~gone) | P_start) & OTHERS(h))

/* May node i claim, by this record? */
#define listed(v, i) ((v.cands & BIT(i)) && (out[i] == 0 || \
    (v.state == HELD && \
	(v.epoch > out_epoch[i] || v.seq >= out[i]))))

inline set(a, b) {
	a.epoch = b.epoch;
	a.holder = b.holder;
	a.state = b.state;
	a.cands = b.cands;
	a.seq = b.seq
}

inline clear(a) {
	a.epoch = 0;
	a.holder = 0;
	a.state = 0;
	a.cands = 0;
	a.seq = 0
}

/* ALTER SYSTEM and reload: obeyed later, by each process for itself; none is
 * more than one setting behind. */
inline set_names() {
	flag = (names != 0);
	for (j : 0 .. N - 1) {
		cfg[j] = (conn[j] -> names : 0)
	}
	names = want
}

inline won() {
	conf = 1;
	set(k, p);
	fresh = (st == NOW);
	st = 0;
	clear(p);
	gone = gone & k.cands;
	left = left & k.cands
}

inline read() {
	fresh = 1;
	set(k, R);
	if
	:: st == NOW -> won()
	:: st == PAST || st == DEAD ->
		st = 0;
		clear(p)
	:: else
	fi
}

inline land(v) {
	set(R, v);
	fresh = 0;
	for (j : 0 .. N - 1) {
		if
		:: out[j] != 0 && (R.cands & BIT(j)) && listed(R, j) ->
			happens(READMITTED, R.state == HELD);
			out[j] = 0;
			out_epoch[j] = 0
		:: else
		fi
	}
	if
	:: st == LIVE -> st = DEAD
	:: st == NOW -> st = PAST
	:: else
	fi;
	clear(o)
}

/* The CAS leaves: what p says of state and candidates, completed. */
#ifdef M_LISTS_WITHOUT_NAMES
#define named 7
#else
#define named names
#endif
inline send() {
	p.cands = p.cands & ~gone & ~left;
	if
	:: p.state == HELD -> p.cands = p.cands & named
	:: else
	fi;
#ifdef ABDICATION
	p.seq = k.seq;
	if
	:: p.state != k.state || p.cands != k.cands || !conf ||
	    ask_of != NOBODY -> p.seq = k.seq + 1
	:: else
	fi;
	sent = MAX(sent, p.seq);
#endif
	ask_of = NOBODY;
	ask_seq = 0;
	ask_done = 0;
	st = LIVE
}

/* The engine dies and starts. */
inline crash() {
	if
	:: st == LIVE -> set(o, p)
	:: else
	fi;
	st = 0;
	clear(p);
	clear(k);
	fresh = 0;
	conf = 0;
	row = 0;
	who = 0;
	since = 0;
#ifdef M_LEFT_FORGOTTEN
	left = 0;
#endif
	gone = left;
	ask_of = NOBODY;
	ask_seq = 0;
	ask_done = 0
}

#ifdef M_CLAIM_WITHOUT_LISTED
#define may_claim(i) ((i) != h)
#else
#define may_claim(i) ((i) != h && listed(R, i))
#endif

/* Node i claims, is promoted, and is the holder. What the others have beyond
 * it is of no use to them. */
inline take_over(i) {
	happens(CLAIM_LANDS, true);
	assert(!lone || lease_without_end);
	assert(f[i] >= acked || vote_lost);
	R.epoch++;
	R.state = CLAIMED;
	R.cands = (R.cands | BIT(h)) & ~BIT(i);
	R.seq = 0;
	R.holder = i;
	w = f[i];
	for (j : 0 .. N - 1) {
		f[j] = MIN(f[j], w);
		conn[j] = 0
	}
	set(k, R);
	fresh = 1;
	conf = 1;
	lone = 0;
	st = 0;
	clear(p);
	clear(o);
	row = 0;
	who = 0;
	since = 0;
	gone = 0;
	left = 0;
	sent = 0;
	ask_of = NOBODY;
	ask_seq = 0;
	ask_done = 0;
	up = 1;
	open = 0;
	relaxed = 0;
#ifdef M_PROMOTED_WITHOUT_NAMES
	names = 0;
#else
	names = R.cands;
#endif
	flag = (names != 0);
	for (j : 0 .. N - 1) {
		cfg[j] = 0
	}
	out[i] = 0;
	out_epoch[i] = 0
}

/* A commit waits on node m: it would have been let go by another walsender
 * that does not know of m. */
#define lets_go(n, m) ((names & BIT(n)) && (n) != (m) && \
    (!conn[n] || ((cfg[n] & BIT(n)) && !(cfg[n] & BIT(m)))))
#if defined(M_NOT_SEEN_WAITING)
#define seen_waiting(m) 1
#elif defined(M_WAITING_FOR_OTHERS)
#define seen_waiting(m) (flag && conn[m])
#else
#define seen_waiting(m) (flag && conn[m] && \
    !lets_go(0, m) && !lets_go(1, m) && !lets_go(2, m))
#endif
#ifdef M_ADD_BEFORE_FLUSHED
#define has_flushed(m) 1
#else
#define has_flushed(m) (f[m] >= since)
#endif
#ifdef M_ADD_BEFORE_FINITE
#define cap skip
#else
#define cap lone = 0
#endif

inline add_begin(m) {
	row = NAMES;
	who = m;
	want = P | BIT(m);
	set_names();
	skip
}

inline add_cas() {
	cap;
	gone = gone & ~BIT(who);
	left = left & ~BIT(who);
	set(p, k);
	p.cands = k.cands | BIT(who);
	row = ADDING;
	send()
}

inline remove(m) {
	set(p, k);
	p.cands = k.cands & ~BIT(m);
#ifdef M_RELAX_BEFORE_CAS
	want = names & ~BIT(m);
	set_names();
#endif
	send()
}

#ifdef M_ABDICATION_OF_SEEN
#define abdication_seq k.seq
#else
#define abdication_seq MAX(sent, k.seq)
#endif
#ifdef M_ABDICATION_OF_ANY
#define covers 1
#else
#define covers (ask_seq >= sent)
#endif
inline ask_abdication(m) {
	ask_of = m;
	ask_seq = abdication_seq;
	ask_done = 0
}

#if defined(M_RELAX_UNKNOWN)
#define keep (st != 0 -> p.cands : P)
#elif defined(M_RELAX_ALL)
#define keep 0
#else
#define keep P
#endif
#ifdef M_OPEN_IN_CLAIMED
#define may_open (mine && conf && up)
#elif defined(M_SETTLE_KEEPS)
#define may_open (mine && conf && up && k.state == HELD && relaxed)
#else
#define may_open (mine && conf && up && k.state == HELD && relaxed && \
    (k.cands & ~names) == 0)
#endif
#ifdef M_RESTART_KEEPS
#define may_start 1
#else
#define may_start (P == 0 && k.cands == 0)
#endif

#define free (mine && fresh && st == 0 && k.seq < SEQS)
#ifdef ONE_STANDBY /* node 2 is there, but never streams */
#define streams(m) ((m) != 2)
#else
#define streams(m) 1
#endif
#ifdef ABDICATION
#define may_ask_abdication (mine && conf && ask_of == NOBODY && \
    k.state == HELD)
#else
#define may_ask_abdication 0
#endif

#define per_node(m) \
	:: d_step { mine && up && open && row == 0 && k.state == HELD && \
	    (names & ~P) == 0 && \
	    (m) != h && !(k.cands & BIT(m)) && conn[m] -> \
		add_begin(m) } \
	:: d_step { free && conf && k.state == HELD && (k.cands & BIT(m)) -> \
		remove(m) } \
	:: d_step { may_ask_abdication && (m) != h && (P & BIT(m)) -> \
		ask_abdication(m) } \
	:: d_step { ask_of == (m) && !ask_done -> \
		happens(ABDICATED, true); \
		out[m] = MAX(out[m], ask_seq + 1); \
		out_epoch[m] = R.epoch; \
		ask_done = 1; \
		if \
		:: listed(R, m) -> \
			out[m] = 0; \
			out_epoch[m] = 0 \
		:: else \
		fi; \
		skip } \
	:: d_step { may_claim(m) && R.epoch < EPOCHS -> \
		take_over(m) } \
	:: d_step { (m) != h && conn[m] && f[m] < w -> f[m] = f[m] + 1 } \
	:: d_step { (m) != h && up && !conn[m] && streams(m) -> \
		conn[m] = 1; \
		cfg[m] = names } \
	:: d_step { conn[m] -> conn[m] = 0; cfg[m] = 0 } \
	:: d_step { conn[m] && cfg[m] != names -> cfg[m] = names } \
	:: d_step { lets(m) && position(m) > acked -> \
		acked = position(m); \
		happens(ACK_BY_BOTH, k.cands == OTHERS(h) && cfg[m] == OTHERS(h)); \
		happens(ACK_WITHOUT, k.cands != 0 && cfg[m] != OTHERS(h)); \
		happens(ACK_AFTER_TAKEOVER, R.epoch > 1) }

/* The walsender of node m lets go what all it has to ask have flushed. */
#ifdef M_ANY
#define held_by(m, n) 0
#define position(m) f[m]
#else
#define held_by(m, n) ((cfg[m] & BIT(n)) && !conn[n])
#define at(m, n) ((cfg[m] & BIT(n)) -> f[n] : 255)
#define position(m) MIN(at(m, 0), MIN(at(m, 1), at(m, 2)))
#endif
#define lets(m) (open && up && flag && conn[m] && (cfg[m] & BIT(m)) && \
    !held_by(m, 0) && !held_by(m, 1) && !held_by(m, 2))

proctype world()
{
end:	do
	/* the register and the wire */
	:: d_step { st == LIVE ->
		happens(ADD_DONE, (p.cands & ~R.cands) != 0);
		happens(BOTH_ADDED, p.cands == OTHERS(h));
		happens(ADDED_AFTER_TAKEOVER, p.cands != 0 &&
		    R.epoch > 1 && p.state == HELD);
		happens(REMOVE_DONE, (R.cands & ~p.cands) != 0 &&
		    R.state == HELD);
		set(tmp, p);
		land(tmp);
		clear(tmp);
		st = NOW }
	:: d_step { o.epoch != 0 ->
		happens(OLD_REQUEST_LANDS, true);
		set(tmp, o);
		land(tmp);
		clear(tmp) }
	:: d_step { st == NOW || st == PAST -> won() }
	:: d_step { !fresh -> read(); skip }

	/* the engine */
	:: d_step { crashes < CRASHES && o.epoch == 0 ->
		crashes++;
		crash() }
	:: d_step { free && !conf ->
		set(p, k);
		send() }
	:: d_step { free && k.state == CLAIMED ->
		set(p, k);
		p.state = HELD;
#ifndef M_SETTLE_KEEPS
		p.cands = 0;
#endif
		send() }
	:: d_step { row == NAMES && seen_waiting(who) ->
		row = WAITING;
		since = w }
	:: d_step { row == WAITING && has_flushed(who) -> row = FLUSHED }
	:: d_step { row == FLUSHED && free && (names & BIT(who)) &&
	    k.state == HELD ->
		add_cas() }
	:: d_step { (row != 0 && row < ADDING) || (row == ADDING && st == 0) ->
		row = 0;
		who = 0;
		since = 0 }
	:: d_step { ask_done && mine && covers ->
		left = gone | BIT(ask_of);
		gone = left;
		ask_of = NOBODY;
		ask_seq = 0;
		ask_done = 0 }
	:: d_step { mine && conf && row == 0 && open && (names & ~keep) != 0 ->
		want = keep;
	set_names();
		skip }
	:: d_step { mine && fresh && conf && k.state == HELD && P == 0 &&
	    k.cands == 0 && !lone && row < FLUSHED -> lone = 1 }

	/* PostgreSQL */
	:: d_step { open && w < WRITES ->
		w++;
		f[h] = w }
	:: d_step { open && up && !flag && acked < w -> acked = w }
	:: d_step { flag != (names != 0) -> flag = (names != 0) }
	:: d_step { crashes < CRASHES && up ->
		crashes++;
		up = 0;
		open = 0;
		relaxed = 0;
		row = 0;
		who = 0;
		since = 0;
		for (j : 0 .. N - 1) {
			conn[j] = 0;
			cfg[j] = 0
		}
		skip }
	:: d_step { !up && mine && conf && may_start && k.state == HELD ->
		up = 1;
		names = P;
		flag = (names != 0);
		relaxed = 1 }
	:: d_step { !relaxed && up && mine && conf && k.state == HELD ->
#ifdef M_SETTLE_KEEPS
		want = 0;
	set_names();
#else
		want = P;
	set_names();
#endif
		relaxed = 1 }
	:: d_step { !open && may_open ->
		happens(TAKEOVER_OPENS, R.epoch > 1);
		happens(RESTARTED, crashes != 0 && R.epoch == 1);
		open = 1;
		/* What was never acknowledged is there to be seen now, if the
		 * server was started with it. */
		if
		:: k.epoch == 1 -> acked = w
		:: else
		fi;
		skip }
	per_node(0)
	per_node(1)
	per_node(2)
	od
}

#define misses(v, i) (v.epoch != 0 && listed(v, i) && f[i] < acked)
#define names_any(v) (v.epoch != 0 && \
    (listed(v, 0) || listed(v, 1) || listed(v, 2)))
#define lacking(v) (misses(v, 0) || misses(v, 1) || misses(v, 2))

proctype monitor()
{
end:	do
	:: atomic { lacking(R) -> assert(candidate_misses_a_vote) }
	:: atomic { st == LIVE && lacking(p) ->
		assert(cas_names_who_misses_a_vote) }
	:: atomic { lacking(o) -> assert(cas_names_who_misses_a_vote) }
	:: atomic { f[h] < acked -> assert(vote_lost) }
	:: atomic { lone && (names_any(R) || names_any(o) ||
	    (st == LIVE && names_any(p))) -> assert(lease_without_end) }
	od
}

init {
	d_step {
		R.epoch = 1;
		R.holder = 0;
		R.state = HELD;
		set(k, R);
		fresh = 1;
		conf = 1;
		lone = 1;
		up = 1;
		open = 1;
		relaxed = 1;
		ask_of = NOBODY
	}
	atomic {
		run monitor();
		run world()
	}
}
