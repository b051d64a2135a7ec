"""One round: faults strike and end, the site is made well again, and
everything that can be looked at is. A round never raises for what the site
did."""

import collections

from lab import wait_for
from lab.cluster import KEYS, now

from . import acts, schedule, versions
from .kinds import BY_NAME, T
from .ledger import LATE
from .person import Person

TAKEN = 40          # seconds until another must have taken over
WELL = 120          # seconds until all is as it was, with what persons do
VOTES = 10
SLICE = 0.02

# way: what the agents did. takeovers: how often the holder changed. db, http:
# ms without a vote. well: seconds from the end of the faults. broken: it did not
# come well.
Result = collections.namedtuple(
    'Result', 'round way takeovers db http well notes problems broken')


class Active:
    """A fault that has struck."""

    def __init__(self, strike, key):
        self.strike = strike
        self.kind = BY_NAME[strike.kind]
        self.key = key
        self.begin = self.struck = self.end = None
        self.kept = None

    def seconds(self):
        return ((self.end or now()) - self.begin) / 1e9


class Rounds:
    def __init__(self, stage, seed):
        self.stage = stage
        self.seed = seed        # of what the fence agents do
        self.way = None

    def run(self, drawn):
        stage = self.stage
        self.problems, self.notes = [], []
        self.faults = []
        broken = False
        if stage.power:
            self.way = schedule.way(self.seed, drawn.number, not stage.lone)
            stage.power.told(self.way)
        stage.keeper.sleep(drawn.gap)
        self.before = stage.record()
        self.roles = stage.roles()
        self.person = Person(stage, self.way) if stage.lone else None
        stage.pulse.take()
        self.at = now()
        middle = self.at
        try:
            self._play(drawn.strikes)
            middle = now()
            stage.doctor.well(WELL)
            self._votes_everywhere()
        except (AssertionError, RuntimeError, OSError) as e:
            self.problems.append('%s: %s' % (
                type(e).__name__, ' '.join(str(e).split())[:600]))
            broken = True
        self.notes += stage.doctor.notes
        if self.person:
            self.notes += self.person.notes
        well = now()
        stage.ledger.read()
        self.pulse = stage.pulse.take()
        takeovers = 0 if broken else self._judge()
        gaps = [stage.ledger.gap(g, self.at - 10**9, self.at, well)
                for g in ('db', 'http')]
        if len(self.faults) == 1 and self.faults[0].kind.rests and \
                gaps[0] > self.faults[0].kind.rests * 1000:
            self.problems.append('VOTES RESTED for %.0f ms' % gaps[0])
        stage.ledger.forget(well - 3 * 10**9)
        return Result(drawn, self.way, takeovers, *gaps, (well - middle) / 1e9,
                      self.notes, self.problems, broken)

    # -- the faults ------------------------------------------------------

    def _play(self, strikes):
        """Each begins and ends in its time; one that lasts until another has
        taken over ends then."""
        self.faults = [Active(s, self._target(s)) for s in strikes]
        try:
            while True:
                for f in self.faults:
                    self._advance(f)
                if all(f.end for f in self.faults):
                    break
                self.stage.keeper.sleep(SLICE)
        finally:
            for f in sorted(self.faults, key=self._frozen):
                if f.begin and not f.end:
                    self._mend(f)
            if self.person:
                self.person.plugs_in()

    def _target(self, strike):
        ends = [self.roles[r] for r in strike.target.split('>')]
        return ends[0] if len(ends) == 1 else tuple(ends)

    def _frozen(self, f):
        """What asks for an answer of a host, a program that is told to stop
        or an engine to end, has to wait while all of that host stands still."""
        asks = not f.kind.lease or f.kind.strike in (
            acts.engine_upgraded, versions.downgraded)
        return asks and any(
            g.kind.strike is acts.stopped and g.key == f.key and
            g.begin and not g.end for g in self.faults)

    def _advance(self, f):
        passed = (now() - self.at) / 1e9
        if self._frozen(f):
            return
        if f.begin is None:
            if passed >= f.strike.after:
                self._strike(f)
        elif f.end is None:
            if f.strike.seconds is None:
                self._wait_taken(f)
                self._mend(f)
            elif f.seconds() >= f.strike.seconds:
                self._mend(f)

    def _strike(self, f):
        """On a host that is off, or a process that has gone, there is nothing
        to be done."""
        keys = f.key if isinstance(f.key, tuple) else (f.key,)
        f.begin = now()
        if not all(self.stage.lab.host[k].up for k in keys):
            self.notes.append('%s missed' % f.strike.kind)
            f.end = f.begin
            return
        try:
            f.kept = f.kind.strike(self.stage, f.key, f.strike.extra)
        except (AssertionError, RuntimeError, FileNotFoundError) as e:
            self.notes.append('%s: %s' % (f.strike.kind, str(e)[:200]))
        f.struck = now()

    def _mend(self, f):
        f.end = now()
        try:
            f.kind.mend(self.stage, f.key, f.kept)
        except (AssertionError, RuntimeError, FileNotFoundError) as e:
            self.notes.append('end of %s: %s' % (f.strike.kind, str(e)[:200]))

    def _wait_taken(self, f):
        """Another holds, and votes are taken by it, at the database and over
        HTTP, while the fault lasts."""
        stage = self.stage
        others = [k for k in stage.lab.pg if k != self.roles['holder']]
        since = self.at
        if self.person:
            others, since = self.person.goes_on(f)

        def taken():
            stage.keeper.look()
            return any(stage.ledger.acked('db', since, a) >= VOTES and
                       stage.ledger.acked('http', since, a) >= VOTES
                       for a in (stage.lab.host[k].address for k in others))
        if self.person and not self.person.proved(f):
            self.person.wait(f, taken)
            return
        wait_for(taken, TAKEN, 'another takes over from %s while %s lasts' % (
            f.key, f.strike.kind), every=0.05)

    def _votes_everywhere(self):
        """Each web host takes votes, by itself."""
        since = now()
        for group in ['db', 'http'] + list(self.stage.lab.pg):
            wait_for(lambda: self.stage.ledger.acked(group, since) >= 3, 20,
                     'votes by ' + group, every=0.05)

    # -- what came of it -------------------------------------------------

    def _judge(self):
        stage, problems = self.stage, self.problems
        after = stage.record()
        held = stage.journal.read()
        for r in (self.before, after):
            # Whoever was killed as he wrote it has no line of it in his log.
            if r['state'] == 'held':
                held.setdefault(
                    r['epoch'], stage.lab.host[KEYS[r['holder']]].address)
        epochs = range(self.before['epoch'], after['epoch'] + 1)
        holders = [held[e] for e in epochs if e in held]
        if stage.doctor.anew:
            stage.begin_anew()
            holders = [stage.lab.host[KEYS[r['holder']]].address
                       for r in (self.before, after)]
        takeovers = sum(a != b for a, b in zip(holders, holders[1:]))
        if self.person:
            problems += self.person.judge(self.faults)
        # Who was only said to be off answers until his lease has run out.
        late = LATE + (T * 1000 if self.way == 'lie' else 0)
        problems += stage.ledger.check(KEYS[after['holder']], holders, late)
        problems += stage.journal.taken_in_a_pause()
        if stage.keeper.unasked:
            problems.append('ended by itself: the engine of %s' %
                            ', '.join(stage.keeper.unasked))
            stage.keeper.unasked = []
        if stage.doctor.anew:
            pass                # by hand
        elif takeovers and not self._may_move():
            problems.append(
                'FALSE FAILOVER: epoch %d to %d (the machine stood still for '
                '%.0f ms)' % (self.before['epoch'], after['epoch'],
                              self.pulse))
        elif after['epoch'] != self.before['epoch'] and not \
                self._may_move() and not any(f.kind.epoch
                                             for f in self.faults):
            problems.append('another epoch without a reason: %d to %d' % (
                self.before['epoch'], after['epoch']))
        if not problems and not stage.keeper.off:
            stage.backup()
        return takeovers

    def _may_move(self):
        if self.person:
            return self.person.may_move(self.faults)
        if any(f.kind.may_move(f.strike.target, f.seconds())
               for f in self.faults):
            return True
        # Each alone leaves the lease a way to be prolonged, both may not.
        return sum(f.kind.lease for f in self.faults) > 1


def line(result, since):
    r = result
    return '%7.0f s %4d  %-8s  db %6.0f  http %6.0f  well %5.1f  %s%s%s' % (
            since, r.round.number,
            'takeover' if r.takeovers == 1 else
            '%d times' % r.takeovers if r.takeovers else '-',
            r.db, r.http, r.well, schedule.words(r.round.strikes) +
            (', agents: ' + r.way if r.way else ''),
            ''.join('\n          note: ' + n for n in r.notes),
            ''.join('\n          FAILED: ' + p for p in r.problems))
