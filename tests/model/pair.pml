/*
 * The register of two lone hosts: a copy on each, and what one of them may
 * write alone while the other is off. README.md says what is left out.
 *
 * Whether a holder's lease runs out is lease.pml's; here nobody claims but with
 * a proof that the other host is off, which ends whatever that one had.
 *
 * M_... breaks a rule; NEVER=... says that something good never happens.
 */
#ifndef EPOCHS
#define EPOCHS 6
#endif
#ifndef REVS
#define REVS 8
#endif
#ifndef CRASHES
#define CRASHES 3 /* of hosts, all together */
#endif
#define NONE 2
#define O(i) (1 - (i))

typedef copy {
	byte epoch, rev, holder;
	bool cand;   /* the other one may take over */
	byte author; /* with rev, which write it was */
	byte nth
};
copy c[2], w[2];   /* durable; a write that is on its way to the other one */
bool sure0;	   /* of the first: the other one has it */
bool on[2], met[2];
bool off[2];	   /* node i was told that the other host is off */
bool conf[2];	   /* a write of its own as the holder, since its start */
bool open[2];
bool has[2];	   /* every acknowledged vote */
byte st[2];	   /* of node i's write: */
bool mine[2];	   /* its copy was written by this run, and not confirmed */
copy k[2];	   /* what the core of node i goes by */
bool knows[2];
bool unk[2];	   /* it may have named a candidate, and does not know */
byte crashes, writes;

#define IDLE 0
#define SENT 1	   /* on its way to the other host */
#define BACK 2	   /* taken there, and the answer is on its way */

#define TAKEOVER 1
#define REMOVED_ALONE 2
#define BROUGHT_UP 3  /* half-way, and ended by who reads both */
#define BOTH_AGAIN 4  /* a candidate after it was gone on without */
#ifndef NEVER
#define NEVER 0
#endif
#define happens(what, when) assert(NEVER != what || !(when) || never_happens)

hidden byte never_happens, S1_one_writer, vote_lost, candidate_misses_a_vote,
    one_epoch_two_holders;

#define same(a, b) (a.epoch == b.epoch && a.rev == b.rev && \
    a.author == b.author && a.nth == b.nth)
#ifdef M_OLDER
#define newer(a, b) (a.epoch < b.epoch || \
    (a.epoch == b.epoch && a.rev < b.rev))
#else
#define newer(a, b) (a.epoch > b.epoch || \
    (a.epoch == b.epoch && a.rev > b.rev))
#endif

inline set(a, b) {
	a.epoch = b.epoch;
	a.rev = b.rev;
	a.holder = b.holder;
	a.cand = b.cand;
	a.author = b.author;
	a.nth = b.nth;
}

/* May node i go on alone? By agents. */
#ifdef M_NO_PROOF
#define told(i) true
#else
#define told(i) off[i]
#endif
#ifdef M_NOT_MET
#define may_alone(i) told(i)
#else
#define may_alone(i) (told(i) && met[i])
#endif
#ifdef M_STEP
#define STEP 1
#else
#define STEP 2
#endif

#define room(i) (k[i].rev + 2 <= REVS && k[i].epoch + 2 <= EPOCHS && \
    writes < 250)

/* What node i would write: kind 0 as it is, 1 without the other one, 2 with
 * it, 3 a claim. */
inline compose(i, kind) {
	set(w[i], k[i]);
	w[i].author = i;
	w[i].nth = writes;
	writes = (writes + 1) % 8;
	if
	:: kind == 1 -> w[i].cand = false
	:: kind == 2 -> w[i].cand = true
	:: kind == 3 -> w[i].cand = true; w[i].holder = i;
		w[i].epoch = k[i].epoch + STEP
	:: else
	fi
}

/* It is in both copies, or here alone with a proof. */
inline confirmed(i) {
	set(k[i], w[i]);
	st[i] = IDLE;
	mine[i] = false;
	unk[i] = false;
	conf[i] = true;
	open[i] = (k[i].holder == i)
}

/* Heard of each other, whatever it was. */
inline heard() {
#ifndef M_HEARD
	off[0] = false;
	off[1] = false
#else
	skip
#endif
}

#define holds(i) (knows[i] && k[i].holder == i)

proctype node(byte i)
{
	do
	/* A write for both: the first copy's own, upon what is sure there. */
	:: atomic { on[i] && st[i] == IDLE && holds(i) && i == 0 &&
#ifndef M_UNSURE
	    sure0 &&
#endif
	    !told(0) && room(0) && same(c[0], k[0]) ->
		if
		:: compose(0, 0)
		:: k[0].cand -> compose(0, 1)
		:: !k[0].cand && conf[0] && has[1] -> compose(0, 2)
		fi;
		w[0].rev = k[0].rev + 1;
		unk[0] = unk[0] || w[0].cand;
		set(c[0], w[0]);
		sure0 = false;
		mine[0] = true;
		st[0] = SENT
	   }
	/* The second's begins at the first. */
	:: atomic { on[i] && st[i] == IDLE && holds(i) && i == 1 &&
	    !told(1) && room(1) ->
		if
		:: compose(1, 0)
		:: k[1].cand -> compose(1, 1)
		:: !k[1].cand && conf[1] && has[0] -> compose(1, 2)
		fi;
		w[1].rev = k[1].rev + 1;
		unk[1] = unk[1] || w[1].cand;
		st[1] = SENT
	   }
	/* It comes there. */
	:: atomic { on[i] && on[O(i)] && st[i] == SENT ->
		heard();
		if
		:: i == 0 && c[1].rev + 1 == w[0].rev &&
		    c[1].epoch == w[0].epoch && c[1].holder == 0 ->
			set(c[1], w[0]);
			set(k[1], w[0]);
			knows[1] = true;
			open[1] = false;
			st[0] = BACK
		:: i == 1 && c[0].rev + 1 == w[1].rev &&
		    c[0].epoch == w[1].epoch && c[0].holder == 1 &&
		    same(c[0], k[1]) ->
			set(c[0], w[1]);
			sure0 = false;
			mine[0] = false;
			set(k[0], w[1]);
			knows[0] = true;
			open[0] = false;
			st[1] = BACK
		:: else -> st[i] = IDLE
		fi
	   }
	:: atomic { on[i] && st[i] == BACK ->
		if
		:: i == 0 ->
			if
			:: same(c[0], w[0]) -> sure0 = true; confirmed(0)
			:: else -> st[0] = IDLE
			fi
		:: i == 1 && same(c[1], k[1]) ->
			happens(BOTH_AGAIN, w[1].cand && !k[1].cand);
			set(c[1], w[1]);
			confirmed(1)
		:: else -> st[1] = IDLE
		fi
	   }
#ifdef M_HALF
	:: atomic { on[i] && i == 0 && st[0] == SENT ->
		sure0 = true;
		confirmed(0)
	   }
#endif
	/* No answer. */
	:: atomic { on[i] && st[i] != IDLE -> st[i] = IDLE }
	/* Alone. */
	:: atomic { on[i] && holds(i) && may_alone(i) && room(i) &&
	    same(c[i], k[i]) && k[i].cand ->
		happens(REMOVED_ALONE, true);
		compose(i, 1);
		w[i].rev = k[i].rev + STEP;
		set(c[i], w[i]);
		if
		:: i == 0 -> sure0 = true
		:: else
		fi;
		confirmed(i)
	   }
	:: atomic { on[i] && knows[i] && k[i].holder == O(i) && k[i].cand &&
	    may_alone(i) && room(i) && same(c[i], k[i]) ->
		happens(TAKEOVER, true);
		compose(i, 3);
		w[i].cand = false;
		w[i].rev = k[i].rev + STEP;
		set(c[i], w[i]);
		if
		:: i == 0 -> sure0 = true
		:: else
		fi;
		confirmed(i)
	   }
	/* Opens again, after a start, by a proof and the record as it is. */
	:: atomic { on[i] && holds(i) && may_alone(i) && room(i) && !conf[i] &&
	    same(c[i], k[i]) && !k[i].cand ->
		compose(i, 0);
		w[i].rev = k[i].rev + STEP;
		set(c[i], w[i]);
		if
		:: i == 0 -> sure0 = true
		:: else
		fi;
		confirmed(i)
	   }
	/* Looks at the other copy. */
	:: atomic { on[i] && on[O(i)] && st[i] == IDLE ->
		heard();
		if
		:: newer(c[O(i)], c[i]) ->
			happens(BROUGHT_UP, i == 1 && !sure0);
			set(c[i], c[O(i)]);
			if
			:: i == 0 -> sure0 = true
			:: else
			fi;
			set(k[i], c[i]);
			mine[i] = false;
			unk[i] = false;
			if
			:: k[i].holder != i -> open[i] = false; conf[i] = false
			:: else
			fi
		:: else ->
			if
			:: i == 0 && same(c[0], c[1]) ->
				sure0 = true;
				mine[0] = false;
				unk[0] = false;
				set(k[0], c[0])
			:: else -> if
				:: !mine[i] -> set(k[i], c[i])
				:: else
				fi;
				if
				:: i == 1 -> unk[1] = false
				:: else
				fi
			fi
		fi;
		knows[i] = true;
		met[i] = true
	   }
	/* What is here, while the other one is silent. */
	:: atomic { on[i] && !knows[i] && st[i] == IDLE ->
		set(k[i], c[i]);
		knows[i] = true
	   }
	/* A vote that the other one has not; else both have it. */
	:: atomic { on[i] && open[i] && k[i].holder == i && !k[i].cand &&
	    !unk[i] -> has[O(i)] = false }
	/* A standby catches up from who is open. */
	:: atomic { on[i] && on[O(i)] && open[O(i)] && !open[i] && !has[i] ->
		has[i] = true
	   }
	/* Its agents see the other one off. */
	:: atomic { on[i] && !on[O(i)] && !off[i] -> off[i] = true }
	/* Its power. */
	:: atomic { on[i] && crashes < CRASHES ->
		crashes++;
		on[i] = false;
		open[i] = false;
		conf[i] = false;
		knows[i] = false;
		met[i] = false;
		off[i] = false;
		mine[i] = false;
		unk[i] = false;
		st[i] = IDLE;
		if
		:: i == 0 -> sure0 = false
		:: else
		fi
	   }
	:: atomic { !on[i] -> on[i] = true }
	od
}

#define looked_at (!(open[0] && open[1]) || S1_one_writer)

proctype watch()
{
	do
	:: atomic { !(looked_at) -> assert(S1_one_writer) }
	:: atomic { open[0] && !has[0] || open[1] && !has[1] ->
		assert(vote_lost) }
	:: atomic { c[0].epoch == c[1].epoch && c[0].holder != c[1].holder ->
		assert(one_epoch_two_holders) }
	od
}

init {
	atomic {
		c[0].epoch = 1;
		c[0].rev = 1;
		c[0].cand = true;
		set(c[1], c[0]);
		set(k[0], c[0]);
		set(k[1], c[0]);
		knows[0] = true;
		knows[1] = true;
		on[0] = true;
		on[1] = true;
		met[0] = true;
		met[1] = true;
		sure0 = true;
		conf[0] = true;
		open[0] = true;
		has[0] = true;
		has[1] = true;
		run node(0);
		run node(1);
		run watch()
	}
}
