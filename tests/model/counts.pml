/*
 * A register that counts all writes of the place where it lies (etcd) and is
 * put back from a copy that keeps its name: the same revisions are given again,
 * and what was watched may be there once more. Nothing that a node writes may
 * land there, since what it replaces may not be the last that was written.
 *
 * One key, nodes that read it and write it, others who write elsewhere in the
 * same place. Reads are linearizable, their answers come late and in any order;
 * a write may be lost before or after it landed. When the place is put back its
 * servers are other processes: what was on its way to them never arrives, and
 * nobody does it within the time for which a read is fresh. What the manual
 * excludes is excluded: every node had seen more than the copy holds, and
 * nobody writes elsewhere so long as that hides it from a node that has not
 * looked since.
 *
 * M_... breaks a rule; NEVER=... says that something good never happens.
 */
#ifndef N
#define N 2
#endif
#ifndef HEADS
#define HEADS 3 /* writes that the place counts */
#endif
#ifndef WRITES
#define WRITES 2 /* of the key, the first included */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#define READS 2 /* of one node, at once */
#ifndef LATE
#define LATE 1 /* so many nodes ask again before they have an answer */
#endif
#define MAX(a, b) ((a) > (b) -> (a) : (b))

#define IDLE 0
#define ASKED 1
#define ANSWERED 2
typedef read {
	byte st;
	byte head, val; /* of the answer */
	bool old;	/* asked for before the count was known as it is */
	bool stale;	/* asked for before the last sending, or too long ago */
};

typedef node {
	/* on disk */
	byte head; /* the most that was counted */
	bool back;
	/* in memory */
	byte val;     /* what was seen last; 0 nothing */
	byte to;      /* what is to replace it; 0 nothing */
	byte from;    /* what that replaces */
	bool fresh;   /* it was read since, and just now */
	bool lower;   /* one answer showed fewer (M_TWICE) */
	bool on_way;  /* it may land */
	bool landed;  /* and that was not heard */
	byte at;      /* the count when it landed */
	/* looked at by no rule */
	byte knew; /* what it had ever seen counted */
	bool noticed;
};
node n[N];
read r[N * READS];

byte head = 1, val = 1; /* of the place, and under the key */
byte copy_head = 1, copy_val = 1;
byte next = 2;	 /* no two writes are the same */
bool put_back;
byte crashes;
bool written_where_put_back = true, false_alarm = true; /* names of promises */

#ifdef NEVER
#define HAPPENS(x) assert(NEVER != x || !never_happens)
bool never_happens = true;
#else
#define HAPPENS(x) skip
#endif
#define WON 1
#define CONFLICT 2
#define NOTICED 3
#define NOTICED_AFTER_START 4
#define SENT_AGAIN 5
#define LATE_ANSWER 6

byte k;

inline forget(j)
{
	r[j].st = IDLE;
	r[j].head = 0;
	r[j].val = 0;
	r[j].old = false;
	r[j].stale = false
}

/* Has everybody noticed, or known less than this? */
inline hides(many, yes)
{
	yes = false;
	k = 0;
	do
	:: k < N ->
		if
		:: !n[k].noticed && n[k].knew <= many -> yes = true
		:: else
		fi;
		k++
	:: else -> break
	od
}

inline counted(i, many)
{
	n[i].head = MAX(n[i].head, many);
	n[i].knew = MAX(n[i].knew, many);
	n[i].lower = false;
	k = 0;
	do
	:: k < READS ->
		r[i * READS + k].old = r[i * READS + k].st != IDLE;
		k++
	:: else -> k = 0; break
	od
}

/* Reads that are on their way say nothing of what is sent now. */
inline all_stale(i)
{
	k = 0;
	do
	:: k < READS ->
		r[i * READS + k].stale = r[i * READS + k].st != IDLE;
		k++
	:: else -> k = 0; break
	od;
	n[i].fresh = false
}

/* Whom it was asked is no more; what was answered arrives. */
inline all_lost(i)
{
	k = 0;
	do
	:: k < READS ->
		if
		:: r[i * READS + k].st == ASKED -> forget(i * READS + k)
		:: else
		fi;
		k++
	:: else -> k = 0; break
	od;
	n[i].on_way = false
}

inline sees_fewer(i)
{
#ifdef M_TWICE
	if
	:: n[i].lower -> n[i].back = true; n[i].noticed = true
	:: else -> n[i].lower = true; n[i].fresh = n[i].fresh || !r[j].stale
	fi
#else
	n[i].back = true;
	n[i].noticed = true;
	HAPPENS(NOTICED);
	if
	:: crashes > 0 -> HAPPENS(NOTICED_AFTER_START)
	:: else
	fi
#endif
}

/* What is under the key: its own write, or another's. */
inline sees(i, what)
{
	n[i].val = what;
	if
	:: n[i].to != 0 && what != n[i].from ->
		if
		:: what == n[i].to -> HAPPENS(WON)
		:: else -> HAPPENS(CONFLICT)
		fi;
		n[i].to = 0;
		n[i].from = 0;
		n[i].on_way = false;
		n[i].landed = false;
		n[i].at = 0
	:: else
	fi
}

inline answer(i, j)
{
#ifdef M_LATE_IS_FRESH
	n[i].fresh = n[i].fresh || !r[j].stale;
#endif
	if
	:: n[i].back /* whatever it counts */
	:: else ->
		if
		:: r[j].head >= n[i].head ->
			n[i].fresh = n[i].fresh || !r[j].stale;
			counted(i, r[j].head);
			sees(i, r[j].val)
		:: else ->
#ifndef M_LATE
			if
			:: r[j].old -> HAPPENS(LATE_ANSWER) /* and nothing */
			:: else -> sees_fewer(i)
			fi
#else
			sees_fewer(i)
#endif
		fi
	fi;
	forget(j);
	assert(put_back || !n[i].back || !false_alarm)
}

#define ANY(i, is) (r[i * READS].st is || r[i * READS + 1].st is)
#ifdef M_UNREAD
#define MAY_WRITE(i) true
#else
#define MAY_WRITE(i) n[i].fresh
#endif
#ifdef M_AGAIN_UNREAD
#define MAY_WRITE_AGAIN(i) true
#else
#define MAY_WRITE_AGAIN(i) n[i].fresh
#endif

proctype engine(byte i)
{
	byte j;

	do
	:: atomic { /* asks */
		r[i * READS].st == IDLE ||
		    (i < LATE && r[i * READS + 1].st == IDLE) ->
		j = i * READS;
		if
		:: r[j].st == IDLE
		:: else -> j++
		fi;
		r[j].st = ASKED;
		j = 0
	}
	:: atomic { /* is served: linearizable, so by what is there now */
		ANY(i, == ASKED) ->
		j = i * READS;
		if
		:: r[j].st == ASKED
		:: else -> j++
		fi;
		r[j].st = ANSWERED;
		r[j].head = head;
		r[j].val = val;
		j = 0
	}
	:: atomic { /* hears the answer */
		ANY(i, == ANSWERED) ->
		if
		:: r[i * READS].st == ANSWERED -> j = i * READS
		:: r[i * READS + 1].st == ANSWERED -> j = i * READS + 1
		fi;
		answer(i, j);
		j = 0
	}
	:: atomic { /* never hears it */
		ANY(i, != IDLE) ->
		if
		:: r[i * READS].st != IDLE -> j = i * READS
		:: r[i * READS + 1].st != IDLE -> j = i * READS + 1
		fi;
		forget(j);
		j = 0
	}
	:: atomic { /* time passes */
		n[i].fresh -> n[i].fresh = false
	}
	:: atomic { /* wants to write, by what it saw */
		n[i].to == 0 && n[i].val != 0 && next <= WRITES && !n[i].back &&
		    MAY_WRITE(i) ->
		n[i].to = next;
		n[i].from = n[i].val;
		n[i].on_way = true;
		next++;
		all_stale(i)
	}
	:: atomic { /* sends the same once more */
		n[i].to != 0 && !n[i].on_way && !n[i].back &&
		    MAY_WRITE_AGAIN(i) ->
		n[i].on_way = true;
		HAPPENS(SENT_AGAIN);
		all_stale(i)
	}
	:: atomic { /* it lands, or comes too late */
		n[i].on_way ->
		n[i].on_way = false;
		if
		:: val == n[i].from && head < HEADS ->
			assert(!put_back || !written_where_put_back);
			val = n[i].to;
			head++;
			n[i].landed = true;
			n[i].at = head
		:: else
		fi
	}
	:: atomic { /* and that is heard */
		n[i].landed ->
		n[i].landed = false;
		if
		:: !n[i].back && n[i].at >= n[i].head ->
			counted(i, n[i].at);
			sees(i, n[i].to)
		:: else
		fi;
		n[i].at = 0
	}
	:: atomic { /* or it is lost, before or after */
		n[i].on_way || n[i].landed ->
		n[i].on_way = false;
		n[i].landed = false;
		n[i].at = 0
	}
	:: atomic { /* is killed, and starts again */
		crashes < CRASHES ->
		crashes++;
#ifdef M_COUNT_FORGOTTEN
		n[i].head = 0;
#endif
#ifdef M_BACK_FORGOTTEN
		n[i].back = false;
#endif
		n[i].val = 0;
		n[i].to = 0;
		n[i].from = 0;
		n[i].fresh = false;
		n[i].lower = false;
		n[i].on_way = false;
		n[i].landed = false;
		n[i].at = 0;
		forget(i * READS);
		forget(i * READS + 1)
	}
	od
}

proctype place()
{
	bool yes;
	byte i;

	do
	:: atomic { /* others write */
		head < HEADS;
		hides(head + 1, yes);
		if
		:: put_back && yes
		:: else -> head++
		fi;
		yes = false;
		k = 0
	}
	:: atomic { /* a copy is made */
		!put_back && (copy_head != head || copy_val != val) ->
		copy_head = head;
		copy_val = val
	}
	:: atomic { /* and put back */
		!put_back ->
		hides(copy_head, yes);
		if
		:: yes
		:: else ->
			put_back = true;
			head = copy_head;
			val = copy_val;
			i = 0;
			do
			:: i < N ->
				all_stale(i);
				all_lost(i);
				i++
			:: else -> break
			od
		fi;
		yes = false;
		i = 0;
		k = 0
	}
	od
}

init {
	atomic {
		k = 0;
		do
		:: k < N -> run engine(k); k++
		:: else -> k = 0; break
		od;
		run place()
	}
}
