/*
 * Lease, answers, claims and releases of two or three data nodes and one
 * register, with clocks that err, engines that restart, and requests that
 * outlive whoever sent them. README.md says what is left out, and why that
 * leaves nothing out.
 *
 * Time is a tick. A timer holds what is left of it, so that states recur and
 * a run has no end. Nothing but a tick is urgent: every other event may happen
 * at any later moment, or never, which covers pauses, loss and delay at once.
 * The kernel's element is the one thing that ends by itself.
 *
 * Only one value is the register's at a time, and a CAS lands only on the
 * value that it replaces. So of all CASes on their way those that can still
 * land replace the value of now; when one of them lands, all others are dead.
 * No revision need be counted: it is enough to know who is current.
 *
 * A switch M_... breaks one rule; NEVER=... says that something good never
 * happens, to show that it does.
 */
#ifndef N
#define N 2 /* data nodes */
#endif
#ifndef T0
#define T0 3 /* T of node 0, in ticks */
#endif
#ifndef T1
#define T1 2 /* T of the others */
#endif
#ifndef EPOCHS
#define EPOCHS 2 /* no claim beyond this epoch */
#endif
#ifndef CRASHES
#define CRASHES 1 /* restarts of engines, all together; 255 without end */
#endif
/* FIXED: all others are candidates from the start, none is added or removed.
 * WITHOUT_RELEASE: nobody releases. AGENT=n: so many times, all together, a
 * candidate has the holder's host switched off. */
#define INF 255 /* a deadline without end */
#define OFF 254 /* no question is open */
#define LOST 253 /* t_s of a claim that an earlier incarnation sent */

#define BIT(i) (1 << (i))
#define OTHERS(i) (((1 << N) - 1) & ~BIT(i))
#define TTL(i) ((i) == 0 -> T0 : T1)
#define MAX(a, b) ((a) > (b) -> (a) : (b))
#define MIN(a, b) ((a) < (b) -> (a) : (b))

/*
 * One tick in T is the bound of a clock's error. W, as written in the code, is
 * two ticks more than T: one for either clock.
 *
 * With DRIFT each node's clock may skip a tick or count one twice, then not
 * again for T + 1 ticks. Without it, every timer has its worst clock at all
 * times: a holder's lasts a tick longer than it should, a candidate's a tick
 * shorter.
 */
#if defined(M_W_IS_T)
#define W(t) (t)
#elif defined(M_W_ONE_CLOCK)
#define W(t) ((t) + 1)
#else
#define W(t) ((t) + 2)
#endif
#ifdef DRIFT
#define LEASE(i) TTL(i)
#define WAIT(t) W(t)
#else
#define LEASE(i) (TTL(i) + 1)
#define WAIT(t) (W(t) - 1)
#endif

/* record states; 0: nothing is known */
#define HELD 1
#define CLAIMED 2
#define RELEASED 3
typedef record {
	byte epoch, holder, state, cands
};

/* what a CAS is for */
#define RENEW 1
#define ADD 2
#define REMOVE 3
#define SETTLE 4 /* claimed -> held */
#define CLAIM 5
#define RELEASE 6

/* where the one CAS of a node, whose outcome it does not know, really is */
#define LIVE 1 /* it may land at any time */
#define NOW 2  /* it landed: it is the register's value */
#define PAST 3 /* it landed, and was replaced */
#define DEAD 4 /* it never will */

record R;	     /* the register */
bool used;	     /* a fence was open in this epoch */
byte crashes;

/* volatile state of a node's engine */
record k[N];	     /* the record as it knows it */
bool fresh[N];	     /* that is the register's value */
byte watch[N];	     /* left of W, since it was first received */
record p[N];	     /* its CAS */
byte kind[N], st[N], age[N]; /* age: since t_s */
byte D[N];
bool conf[N];	     /* a CAS of its own confirmed; answers count */
byte hint[N];	     /* a higher epoch, from a peer */
byte since[N], yes[N]; /* the question: age, who said yes */
byte prom[N], pto[N], pep[N]; /* its promise: left of it, to whom, epoch */
byte hold[N];	     /* left of the hold-off of a start */
#ifdef AGENT
byte shot[N];	     /* the holder's host: 1 was switched off, 2 said to be */
byte shots;
#define off(i) (shot[i] == 2)
#else
#define off(i) 0
#endif
/* durable state */
byte seen[N], tmax[N]; /* and p, kind, st of a CLAIM: its journal */
/* the world */
byte E[N];	     /* the kernel's element; 0 closed */
record o[N];	     /* a CAS of an earlier incarnation that may land */
#ifdef DRIFT
byte quiet[N];	     /* ticks until the clock may err again */
#endif
#ifdef GHOST
byte word[N], wto[N], wep[N]; /* the promise, whatever its giver remembers */
#endif

/* What happens, as NEVER denies it. */
#define CLAIM_LANDS 1
#define CLAIM_OF_CLAIMED 2
#define CLAIM_OF_RELEASED 3
#define CLAIM_BACK 4	   /* by the node that released */
#define TAKEOVER_OPENS 5
#define ANSWERS_EXTEND 6   /* and not the register */
#define ANSWERS_REOPEN 7
#define ADD_LANDS 8
#define REMOVE_LANDS 9
#define ALONE_AGAIN 10	   /* a lease without end, after one with an end */
#define OLD_REQUEST_LANDS 11 /* of an engine that is no more */
#define LATE_REPLY 12	   /* to what is already replaced */
#define CLAIM_RESUMED 13   /* of an engine that is no more */
#define ELEMENT_INHERITED 14 /* and prolonged */
#define HINT 15		   /* a higher epoch, known from a peer */
#define CLAIM_OF_SHOT 16   /* before the wait is over */
#ifndef NEVER
#define NEVER 0
#endif
#define happens(what, when) assert(NEVER != what || !(when) || never_happens)

/* What must never be. A name for each, for the report. */
hidden byte S1_one_writer, claim_with_other_lease, element_past_lease,
    P_misses_a_candidate, yes_with_claim_on_its_way, used_epoch_was_claimed,
    promotes_what_is_not_its_own, claim_against_its_word, never_happens,
    no_replacement;
hidden byte j;
record tmp;
#ifdef HEAL
bool taken;	     /* claimed from another holder, and not yet held */
#else
hidden byte taken;
#endif

#define mine(i) (k[i].holder == (i) && \
    (k[i].state == HELD || k[i].state == CLAIMED))
#define releasing(i) (st[i] != 0 && kind[i] == RELEASE)

/* P: the candidates of the record, of the own CAS that is not known to have
 * ended, and everybody until a CAS of this incarnation was confirmed; but an
 * element without a timeout proves that nobody was ever named. */
#ifdef M_P_WITHOUT_UNKNOWN
#define P_own(i) 0
#else
#define P_own(i) (st[i] != 0 -> p[i].cands : 0)
#endif
#ifdef M_P_FORGETS
#define P_start(i) 0
#else
#define P_start(i) (!conf[i] && E[i] != INF -> OTHERS(i) : 0)
#endif
#define P(i) ((k[i].cands | P_own(i) | P_start(i)) & OTHERS(i))

/* (b) and renewals: not after a release was sent, nor against a higher
 * epoch. */
#ifdef M_RENEW_AFTER_RELEASE
#define may_extend(i) (mine(i) && conf[i])
#else
#define may_extend(i) (mine(i) && conf[i] && hint[i] == 0 && !releasing(i))
#endif

inline set(a, b) {
	a.epoch = b.epoch;
	a.holder = b.holder;
	a.state = b.state;
	a.cands = b.cands
}

inline clear(a) {
	a.epoch = 0;
	a.holder = 0;
	a.state = 0;
	a.cands = 0
}

/* D is now; what was sent before moves it no more. */
inline void_lease(i) {
	D[i] = 0;
	E[i] = 0;
	since[i] = OFF;
	yes[i] = 0;
	if
	:: st[i] != 0 && age[i] < LEASE(i) -> age[i] = LEASE(i)
	:: else
	fi;
	skip
}

inline extend(i, after) {
	if
	:: after < LEASE(i) && D[i] < LEASE(i) - after ->
		D[i] = LEASE(i) - after
	:: else
	fi;
	skip
}

inline forget_cas(i) {
	st[i] = 0;
	kind[i] = 0;
	age[i] = 0;
	clear(p[i])
}

/* The node thinks that its CAS is lost; the request is on its way all the
 * same. */
inline forget_cas_not_wire(i) {
	if
	:: st[i] == LIVE -> set(o[i], p[i])
	:: else
	fi;
	forget_cas(i)
}

/* Its own CAS is known to have landed. */
inline won(i) {
	if
	:: kind[i] != RELEASE && age[i] != LOST ->
		conf[i] = 1;
#ifdef M_D_FROM_REPLY
		extend(i, 0)
#else
		extend(i, age[i])
#endif
	:: else
	fi;
	set(k[i], p[i]);
	seen[i] = MAX(seen[i], k[i].epoch);
	if
	:: st[i] == NOW -> fresh[i] = 1
	:: else -> fresh[i] = 0
	fi;
	watch[i] = 0;
	forget_cas(i);
	if
	:: !fresh[i] && !mine(i) -> clear(k[i])
	:: else
	fi;
	skip
}

#if defined(M_OWN_T)
#define watched_T(i) TTL(i)
#else
#define watched_T(i) TTL(k[i].holder)
#endif
#ifdef M_WAIT_BY_EPOCH
#define wait_anew(i) (R.epoch != seen[i])
#else
#define wait_anew(i) 1
#endif

#ifdef M_LOST_BY_UNMOVED
#define may_read(i) (!fresh[i] || st[i] == LIVE)
#else
#define may_read(i) (!fresh[i])
#endif

/* A sign of life of the holder, or of the record: what was seen off is not
 * any more. */
inline unshot(i) {
#ifdef AGENT
	shot[i] = 0
#else
	skip
#endif
}

/* A read shows the value of now. Older ones tell less, later. */
inline read(i) {
	if
	:: k[i].epoch != 0 && R.epoch != k[i].epoch -> conf[i] = 0
	:: else
	fi;
	if
	:: prom[i] != 0 && R.state == RELEASED && pto[i] == R.holder &&
	    R.epoch >= pep[i] ->
		prom[i] = 0;
		pto[i] = 0;
		pep[i] = 0
	:: else
	fi;
	fresh[i] = 1;
	set(k[i], R);
	if
	:: R.holder != i && R.state != RELEASED && (R.cands & BIT(i)) ->
		if
		:: wait_anew(i) -> watch[i] = WAIT(watched_T(i))
		:: else
		fi
	:: else -> watch[i] = 0
	fi;
	seen[i] = MAX(seen[i], R.epoch);
	if
	:: hint[i] <= seen[i] -> hint[i] = 0
	:: else
	fi;
	if
	:: st[i] == NOW -> won(i)
	:: st[i] == PAST || st[i] == DEAD -> forget_cas(i)
	:: else
#if defined(M_LOST_BY_UNMOVED)
		-> forget_cas_not_wire(i)
#endif
	fi;
	if
	:: !mine(i) ->
		void_lease(i);
		conf[i] = 0
	:: else
	fi;
	skip
}

/* The register takes the value v of node i. */
inline land(v) {
	if
	:: v.epoch > R.epoch ->
		assert(!(R.state == CLAIMED && used) || used_epoch_was_claimed);
		used = 0;
		taken = (v.holder != R.holder);
		happens(CLAIM_LANDS, true);
		happens(CLAIM_OF_CLAIMED, R.state == CLAIMED);
		happens(CLAIM_OF_RELEASED, R.state == RELEASED);
		happens(CLAIM_BACK, R.holder == v.holder)
	:: else ->
		taken = (taken && v.state == CLAIMED);
		happens(ADD_LANDS, (v.cands & ~R.cands) != 0);
		happens(REMOVE_LANDS, v.state == HELD && R.state == HELD &&
		    (R.cands & ~v.cands) != 0)
	fi;
#ifdef GHOST
	if
	:: v.state == RELEASED ->
		for (j : 0 .. N - 1) {
			if
			:: wto[j] == v.holder && v.epoch >= wep[j] ->
				word[j] = 0;
				wto[j] = 0;
				wep[j] = 0
			:: else
			fi
		}
	:: else
	fi;
#endif
	set(R, v);
	for (j : 0 .. N - 1) {
		if
		:: fresh[j] ->
			fresh[j] = 0;
#ifndef M_WAIT_BY_EPOCH
			watch[j] = 0;
#endif
			if
			:: !mine(j) -> clear(k[j])
			:: else
			fi
		:: else
		fi;
		if
		:: st[j] == LIVE -> st[j] = DEAD
		:: st[j] == NOW -> st[j] = PAST
		:: else
		fi;
#ifndef M_SHOT_KEPT
		unshot(j);
#endif
		clear(o[j])
	}
}

/* The engine dies and starts: only what is on disk is left, and the element,
 * and what is on its way. */
inline crash(i) {
	if
	:: kind[i] == CLAIM && st[i] != 0 ->
#ifdef M_NO_JOURNAL
		forget_cas_not_wire(i)
#else
		age[i] = LOST
#endif
	:: else -> forget_cas_not_wire(i)
	fi;
	clear(k[i]);
	fresh[i] = 0;
#ifdef M_WAIT_BY_EPOCH
	watch[i] = WAIT(T0);
#else
	watch[i] = 0;
#endif
	D[i] = 0;
	conf[i] = 0;
	hint[i] = 0;
	since[i] = OFF;
	yes[i] = 0;
	prom[i] = 0;
	pto[i] = 0;
	pep[i] = 0;
	unshot(i);
	hold[i] = WAIT(tmax[i])
}

/* The power goes, and comes back at once: the kernel's table is closed. */
inline cut(i) {
#ifndef M_SHOT_UNSEEN
	crash(i);
#ifndef M_SHOT_ENGINE_ONLY
	E[i] = 0;
#endif
#endif
	skip
}

/* It was said to be off: with its lease ended what was promised for it. */
inline seen_off(i) {
	if
	:: pto[i] == k[i].holder && pep[i] <= k[i].epoch ->
		prom[i] = 0;
		pto[i] = 0;
		pep[i] = 0
	:: else
	fi;
	skip
}

inline send(i, what) {
	kind[i] = what;
	st[i] = LIVE;
	age[i] = 0
}

/* D and the element first, then the request that names a candidate. */
inline cap(i) {
#if defined(M_ADD_BEFORE_FINITE)
	skip
#elif defined(M_ADD_LOOKS_AT_D)
	if
	:: D[i] == INF ->
		D[i] = LEASE(i);
		E[i] = MIN(E[i], LEASE(i))
	:: else
	fi
#else
	D[i] = MIN(D[i], LEASE(i));
	E[i] = MIN(E[i], LEASE(i))
#endif
}

inline add(i, who) {
	cap(i);
	set(p[i], k[i]);
	p[i].cands = k[i].cands | BIT(who);
	send(i, ADD)
}

inline claim(i) {
#ifdef GHOST
	assert(word[i] == 0 || claim_against_its_word);
#endif
	p[i].epoch = k[i].epoch + 1;
	p[i].holder = i;
	p[i].state = CLAIMED;
#ifdef M_CLAIM_DROPS_HOLDER
	p[i].cands = k[i].cands & ~BIT(i);
#else
	p[i].cands = (k[i].cands | BIT(k[i].holder)) & ~BIT(i);
#endif
	send(i, CLAIM)
}

#ifdef M_ANSWER_NO_EPOCH
#define epoch_fits(i, h) 1
#else
#define epoch_fits(i, h) (k[h].epoch >= seen[i] && k[h].epoch >= hint[i])
#endif
#ifdef M_ANSWER_AS_HOLDER
#define not_holder(i, h) 1
#else
#define not_holder(i, h) \
	(!(k[i].epoch == k[h].epoch && k[i].holder == i))
#endif
#ifdef M_ANSWER_UNRESOLVED
#define resolved(i) 1
#else
#define resolved(i) (st[i] == 0)
#endif
#define asked(i, h) (since[h] != OFF && !(yes[h] & BIT(i)))

/* Node i hears of a higher epoch: asked by node h, or refused by it. */
inline heard(i, h) {
	happens(HINT, true);
	hint[i] = k[h].epoch;
	if
	:: mine(i) -> void_lease(i)
	:: else
	fi;
	skip
}

inline refused(to, by) {
	hint[to] = seen[by];
	if
	:: mine(to) -> void_lease(to)
	:: else
	fi;
	skip
}

/* Node i says yes to node h. */
inline answer_yes(i, h) {
	assert(!(kind[i] == CLAIM && st[i] == LIVE) ||
	    yes_with_claim_on_its_way);
	assert(!(o[i].epoch > R.epoch) || yes_with_claim_on_its_way);
#ifdef M_TMAX_NOT_SAVED
	skip;
#else
	tmax[i] = MAX(tmax[i], TTL(h));
#endif
	yes[h] = yes[h] | BIT(i);
#ifdef M_PROMISE_OWN_T
	prom[i] = MAX(prom[i], WAIT(TTL(i)));
#else
	prom[i] = MAX(prom[i], WAIT(TTL(h)));
#endif
	pto[i] = h;
	pep[i] = k[h].epoch;
	unshot(i);
#ifdef GHOST
	word[i] = MAX(word[i], WAIT(TTL(h)));
	wto[i] = h;
	wep[i] = k[h].epoch;
#endif
	if
	:: k[h].epoch > MAX(seen[i], hint[i]) -> heard(i, h)
	:: else
	fi;
	skip
}

#ifdef M_OPEN_IN_CLAIMED
#define serves(i) mine(i)
#else
#define serves(i) (mine(i) && k[i].state == HELD)
#endif
#ifdef M_NO_OPEN_HOLDOFF
#define may_open(i) 1
#else
#define may_open(i) (prom[i] == 0 && hold[i] == 0)
#endif
#ifdef M_ELEMENT_FROM_NOW
#define new_element(i) (D[i] == INF -> INF : LEASE(i))
#else
#define new_element(i) D[i]
#endif

#ifdef M_CLAIM_AT_ONCE
#define promises_ended(i) 1
#else
#define promises_ended(i) (prom[i] == 0)
#endif
#ifdef M_NO_CLAIM_HOLDOFF
#define held_off(i) 0
#else
#define held_off(i) (hold[i] != 0)
#endif
#define eligible(i) ((k[i].cands & BIT(i)) || \
    (k[i].state == RELEASED && k[i].holder == i))
#define may_claim(i) (fresh[i] && !mine(i) && st[i] == 0 && eligible(i) && \
    (watch[i] == 0 || off(i)) && promises_ended(i) && !held_off(i))
#ifdef M_RELEASE_OPEN
#define close_first(i) skip
#else
#define close_first(i) E[i] = 0
#endif
#ifdef M_PROMOTE_LATE
#define may_promote(i) (mine(i) && k[i].state == CLAIMED)
#else
#define may_promote(i) (mine(i) && k[i].state == CLAIMED && D[i] > 0 && \
    hint[i] == 0)
#endif

/* HEAL: see the end. */
#ifdef HEAL
bool calm;
byte lost, ticks; /* lost: a node that never comes back; N none */
#define CALM_ENDS provided (!calm)
#else
#define CALM_ENDS
#endif

/* What the register, the wire and a node do, in no order. */
proctype node(byte i) CALM_ENDS
{
end:	do
	/* the register and the wire */
	:: d_step { st[i] == LIVE ->
		set(tmp, p[i]);
		land(tmp);
		clear(tmp);
		st[i] = NOW }
	:: d_step { o[i].epoch != 0 ->
		happens(OLD_REQUEST_LANDS, true);
		set(tmp, o[i]);
		land(tmp);
		clear(tmp) }
	:: d_step { st[i] == NOW || st[i] == PAST ->
		happens(LATE_REPLY, st[i] == PAST);
		happens(CLAIM_RESUMED, age[i] == LOST);
		won(i) }
	:: d_step { may_read(i) -> read(i) }
#ifdef M_LOST_BY_UNKNOWN
	:: d_step { st[i] == LIVE -> forget_cas_not_wire(i) }
#endif
	:: d_step { crashes < CRASHES && o[i].epoch == 0 ->
		crashes = (CRASHES == 255 -> 0 : crashes + 1);
		crash(i) }

	/* the holder's CASes */
	:: d_step { mine(i) && fresh[i] && st[i] == 0 &&
	    hint[i] == 0 && !(conf[i] && D[i] == INF) ->
		set(p[i], k[i]);
		send(i, RENEW) }
	:: d_step { mine(i) && fresh[i] && st[i] == 0 &&
	    k[i].state == CLAIMED ->
		set(p[i], k[i]);
		p[i].state = HELD;
		p[i].cands = 0;
		send(i, SETTLE) }
#ifndef FIXED
	:: d_step { mine(i) && fresh[i] && st[i] == 0 &&
	    k[i].state == HELD && E[i] > 0 && hint[i] == 0 &&
	    !(k[i].cands & BIT((i + 1) % N)) ->
		add(i, (i + 1) % N) }
	:: d_step { mine(i) && fresh[i] && st[i] == 0 &&
	    k[i].state == HELD && (k[i].cands & BIT((i + 1) % N)) ->
		set(p[i], k[i]);
		p[i].cands = k[i].cands & ~BIT((i + 1) % N);
		send(i, REMOVE) }
#if N == 3
	:: d_step { mine(i) && fresh[i] && st[i] == 0 &&
	    k[i].state == HELD && E[i] > 0 && hint[i] == 0 &&
	    !(k[i].cands & BIT((i + 2) % N)) ->
		add(i, (i + 2) % N) }
	:: d_step { mine(i) && fresh[i] && st[i] == 0 &&
	    k[i].state == HELD && (k[i].cands & BIT((i + 2) % N)) ->
		set(p[i], k[i]);
		p[i].cands = k[i].cands & ~BIT((i + 2) % N);
		send(i, REMOVE) }
#endif
#endif
#ifndef WITHOUT_RELEASE
	:: d_step { mine(i) && fresh[i] && st[i] == 0 ->
		close_first(i);
		D[i] = 0;
		since[i] = OFF;
		yes[i] = 0;
#ifndef M_RENEW_AFTER_RELEASE
		conf[i] = 0;
#endif
		set(p[i], k[i]);
		p[i].state = RELEASED;
		send(i, RELEASE);
		age[i] = LEASE(i) }
#endif

	/* its lease by answers, and its fence */
	:: d_step { may_extend(i) && D[i] != INF && P(i) != 0 ->
		since[i] = 0;
		yes[i] = 0 }
	:: d_step { since[i] != OFF && may_extend(i) &&
	    (P(i) & ~yes[i]) == 0 ->
		happens(ANSWERS_EXTEND, D[i] < LEASE(i) - since[i] &&
		    P(i) != 0);
		happens(ANSWERS_REOPEN, D[i] == 0 && P(i) != 0);
		extend(i, since[i]);
		since[i] = OFF;
		yes[i] = 0 }
	:: d_step { may_extend(i) && D[i] != INF && serves(i) &&
	    P(i) == 0 && k[i].cands == 0 ->
		happens(ALONE_AGAIN, k[i].epoch == 1);
		D[i] = INF;
		since[i] = OFF;
		yes[i] = 0 }
	:: d_step { serves(i) && conf[i] && hint[i] == 0 &&
	    !releasing(i) && D[i] > 0 && D[i] != E[i] &&
	    (E[i] > 0 || may_open(i)) ->
		happens(TAKEOVER_OPENS, E[i] == 0 && k[i].epoch > 1);
		happens(ELEMENT_INHERITED, hold[i] != 0);
		E[i] = new_element(i);
		if
		:: k[i].epoch == R.epoch -> used = 1
		:: else
		fi;
		skip }

	/* the others: answers, and claims */
	:: d_step { asked(i, (i + 1) % N) &&
	    epoch_fits(i, (i + 1) % N) &&
	    not_holder(i, (i + 1) % N) && resolved(i) ->
		answer_yes(i, (i + 1) % N) }
	:: d_step { asked(i, (i + 1) % N) &&
	    k[(i + 1) % N].epoch > MAX(seen[i], hint[i]) ->
		heard(i, (i + 1) % N) }
	:: d_step { asked(i, (i + 1) % N) &&
	    seen[i] > MAX(k[(i + 1) % N].epoch, hint[(i + 1) % N]) ->
		refused((i + 1) % N, i) }
#if N == 3
	:: d_step { asked(i, (i + 2) % N) &&
	    epoch_fits(i, (i + 2) % N) &&
	    not_holder(i, (i + 2) % N) && resolved(i) ->
		answer_yes(i, (i + 2) % N) }
	:: d_step { asked(i, (i + 2) % N) &&
	    k[(i + 2) % N].epoch > MAX(seen[i], hint[i]) ->
		heard(i, (i + 2) % N) }
	:: d_step { asked(i, (i + 2) % N) &&
	    seen[i] > MAX(k[(i + 2) % N].epoch, hint[(i + 2) % N]) ->
		refused((i + 2) % N, i) }
#endif
	:: d_step { may_claim(i) && k[i].epoch < EPOCHS ->
		happens(CLAIM_OF_SHOT, off(i) && watch[i] != 0);
		claim(i) }
#ifdef AGENT
	/* At any moment after it was shot comes the word that it is off. */
	:: d_step { shots < AGENT && fresh[i] && !mine(i) && st[i] == 0 &&
	    (k[i].cands & BIT(i)) && k[i].state != RELEASED &&
	    hold[i] == 0 && shot[i] == 0 && o[k[i].holder].epoch == 0 ->
		shots++;
		cut(k[i].holder);
		shot[i] = 1 }
	:: d_step { fresh[i] && shot[i] == 1 ->
		shot[i] = 2;
		seen_off(i) }
#endif
	od
}

/* One tick of a node: s of its own clock. */
inline less(x, s) {
	x = (x > s -> x - s : 0)
}

inline tick_node(i, s) {
	if
	:: D[i] != INF -> less(D[i], s)
	:: else
	fi;
	if
	:: E[i] != INF -> less(E[i], s)
	:: else
	fi;
	less(watch[i], s);
	less(hold[i], s);
	less(prom[i], s);
	if
	:: prom[i] == 0 ->
		pto[i] = 0;
		pep[i] = 0
	:: else
	fi;
	if
	:: st[i] != 0 && age[i] < LEASE(i) ->
		age[i] = MIN(age[i] + s, LEASE(i))
	:: else
	fi;
	if
	:: since[i] != OFF ->
		since[i] = since[i] + s;
		if
		:: since[i] >= LEASE(i) ->
			since[i] = OFF;
			yes[i] = 0
		:: else
		fi
	:: else
	fi;
#ifdef GHOST
	less(word[i], 1);
	if
	:: word[i] == 0 ->
		wto[i] = 0;
		wep[i] = 0
	:: else
	fi;
#endif
	skip
}

#ifdef DRIFT
/* The clock of node i runs right, or errs if it may. */
inline tick_drift(i) {
	if
	:: tick_node(i, 1);
		less(quiet[i], 1)
	:: quiet[i] == 0 ->
		quiet[i] = TTL(i) + 1 
	:: quiet[i] == 0 -> tick_node(i, 2);
		quiet[i] = TTL(i) + 1
	fi;
	skip
}
#endif

proctype clock() CALM_ENDS
{
end:	do
#ifdef DRIFT
	:: atomic { true ->
		tick_drift(0);
		tick_drift(1);
#if N == 3
		tick_drift(2);
#endif
		skip }
#else
	:: d_step { true ->
		tick_node(0, 1);
		tick_node(1, 1);
#if N == 3
		tick_node(2, 1);
#endif
		skip }
#endif
	od
}

#if N == 3
#define two_open ((E[0] > 0) + (E[1] > 0) + (E[2] > 0) > 1)
#define SOME(f) (f(0) || f(1) || f(2))
#else
#define two_open (E[0] > 0 && E[1] > 0)
#define SOME(f) (f(0) || f(1))
#endif
#define leaseless(i) (R.holder != (i) || R.state == RELEASED)
#define lease_left(i) (leaseless(i) && D[i] > 0)
#define element_left(i) (leaseless(i) && E[i] > 0)
#define on_its_way(i) ((st[i] == LIVE -> p[i].cands : 0) | o[i].cands)
#define misses(i) (mine(i) && R.holder == (i) && R.state != RELEASED && \
    ((R.cands | on_its_way(i)) & OTHERS(i) & ~P(i)) != 0)
#define promotes(i) (may_promote(i) && \
    !(R.holder == (i) && R.epoch == k[i].epoch))

proctype monitor()
{
end:	do
	:: atomic { two_open -> assert(S1_one_writer) }
#ifndef ONLY_S1
	:: atomic { SOME(lease_left) -> assert(claim_with_other_lease) }
	:: atomic { SOME(element_left) -> assert(element_past_lease) }
	:: atomic { SOME(misses) -> assert(P_misses_a_candidate) }
	:: atomic { SOME(promotes) ->
		assert(promotes_what_is_not_its_own) }
#endif
	od
}

#ifdef HEAL
/*
 * At any moment the faults end, and it may be that one node never comes back.
 * From then on everybody does at once what it may do, in one fixed order, and
 * only then time passes. Somebody must have an open fence within HEAL ticks,
 * unless the node that is lost held the record and nobody else had a part in it:
 * no candidate, nor, of what is claimed, the holder before.
 */
#define replaceable(i) (R.holder != (i) || taken || \
    (R.cands & OTHERS(i)) != 0)
#define free(i) ((i) != lost && mine(i) && fresh[i] && st[i] == 0)
#define HEALS(i) \
	:: (i) != lost && (st[i] == NOW || st[i] == PAST) -> won(i) \
	:: (i) != lost && st[i] == LIVE -> \
		set(tmp, p[i]); \
		land(tmp); \
		clear(tmp); \
		st[i] = NOW \
	:: (i) != lost && !fresh[i] -> read(i) \
	:: free(i) && k[i].state == CLAIMED -> \
		set(p[i], k[i]); \
		p[i].state = HELD; \
		p[i].cands = 0; \
		send(i, SETTLE) \
	:: free(i) && (D[i] == 0 || !conf[i]) && hint[i] == 0 -> \
		set(p[i], k[i]); \
		send(i, RENEW) \
	:: free(i) && serves(i) && E[i] == 0 && may_open(i) && \
	    hint[i] == 0 -> E[i] = D[i] \
	:: (i) != lost && may_claim(i) -> claim(i)

proctype healer()
{
end:	do
	:: d_step { !calm && lost == N -> calm = 1 }
	:: d_step { !calm && lost == N && replaceable(0) && st[0] != LIVE &&
	    o[0].epoch == 0 -> calm = 1; lost = 0 }
	:: d_step { !calm && lost == N && replaceable(1) && st[1] != LIVE &&
	    o[1].epoch == 0 -> calm = 1; lost = 1 }
	:: d_step { calm && !(R.holder != lost && E[R.holder] > 0) ->
		if
		HEALS(0)
		HEALS(1)
		:: else ->
			ticks++;
			assert(ticks <= HEAL || no_replacement);
			tick_node(0, 1);
			tick_node(1, 1)
		fi;
		skip }
	od
}
#endif

init {
	atomic {
		R.epoch = 1;
		R.holder = 0;
		R.state = HELD;
		fresh[0] = 1;
		conf[0] = 1;
#ifdef FIXED
		R.cands = OTHERS(0);
		D[0] = LEASE(0);
#else
		D[0] = INF;
#endif
		E[0] = D[0];
		set(k[0], R);
		used = 1;
		for (j : 0 .. N - 1) {
			seen[j] = 1;
			tmax[j] = TTL(j);
			since[j] = OFF
		}
#ifdef HEAL
		lost = N;
		run healer();
#endif
		run clock();
		run monitor();
		for (j : 0 .. N - 1) {
			run node(j)
		}
	}
}
