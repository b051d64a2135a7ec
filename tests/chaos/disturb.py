"""Many disturbances shorter than half the lease, some at once: nobody's role
may change for them. They come in bursts that are themselves shorter than that,
and the next burst comes when the lease was prolonged, or two would be one long
one."""

import collections
import concurrent.futures
import random
import time

from lab.cluster import KEYS, now

from . import acts
from .kinds import ALL, BY_NAME, HOLDER, LINKS, T, WEB
from .run import Chaos

SHORT = (0.05, 0.7)     # seconds: half the lease less what a busy machine adds
BURST = 0.8
MOST = 5                # at once
FRESH = 0.7             # of T is left, so the lease was prolonged since
HEALTHY = 30            # seconds for that

Part = collections.namedtuple('Part', 'name strike mend target begin seconds '
                              'extra')

# The acts of the table; their targets and lengths are others.
ROWS = [(name, BY_NAME[name].strike, BY_NAME[name].mend, targets, weight)
        for name, targets, weight in (
            ('stopped', ALL, 2),
            ('engine-stopped', ALL, 3),
            ('front-stopped', ALL, 1),
            ('postmaster-stopped', WEB, 2),
            ('walsender-stopped', HOLDER, 2),
            ('checkpointer-stopped', HOLDER, 1),
            ('cut-off', ALL, 2),
            ('one-way', LINKS, 3),
            ('both-ways', LINKS, 2),
            ('loss', LINKS, 3),
            ('delay', LINKS, 2),
            ('lossy', ALL, 2),
            ('engine-upgraded', ('arbiter',), 1))]
ROWS.append(('busy', acts.busy, acts.idle, ('machine',), 2))


def of_two(rows):
    """Those of them that there are without a third host."""
    left = [(n, s, m, tuple(t for t in targets if 'arbiter' not in t), w)
            for n, s, m, targets, w in rows]
    return [r for r in left if r[3]]


def burst(seed, number, rows=ROWS):
    """The parts of a burst, of at most half the lease in all."""
    rng = random.Random('%s/burst/%d' % (seed, number))
    parts = []
    for _ in range(rng.randint(1, MOST)):
        name, strike, mend, targets, _ = rng.choices(
            rows, [r[4] for r in rows])[0]
        seconds = rng.uniform(*SHORT)
        parts.append(Part(name, strike, mend, rng.choice(targets),
                          rng.uniform(0, BURST - seconds), seconds,
                          rng.random()))
    return parts


def words(parts):
    return ', '.join('%s %s %.2f-%.2fs' % (
        p.name, p.target, p.begin, p.begin + p.seconds) for p in parts)


class Disturb(Chaos):
    """The same run, with bursts instead of rounds."""

    def __init__(self, args, template):
        super().__init__(args, template)
        self.rows = ROWS if args.register != 'none' else of_two(ROWS)
        self.good = 0           # disturbances that count
        self.long = 0           # of bursts that a busy machine made longer
        self.failed = 0
        self.kinds = collections.Counter()
        self.gap = {'db': 0.0, 'http': 0.0}

    def _rounds(self):
        self._open()
        self.before = self.stage.record()
        self.roles = dict(self.stage.roles(), machine=None)
        self.pool = concurrent.futures.ThreadPoolExecutor(MOST)
        number, told = 0, 0
        while self.good < self.args.disturb and not self._over(number):
            number += 1
            self._burst(number)
            if self.good >= told + 50:
                told = self.good
                self._tell()
        self._tell()

    def _burst(self, number):
        stage = self.stage
        parts = burst(self.args.seed, number, self.rows)
        self._prolonged()
        stage.pulse.take()
        begin = now()
        took = list(self.pool.map(lambda p: self._part(p, begin), parts))
        whole = (now() - begin) / 1e9
        stage.keeper.look()
        after = stage.record()
        moved = after is not None and (after['epoch'], after['holder']) != (
            self.before['epoch'], self.before['holder'])
        if max(took + [whole]) < T / 2:
            self.good += len(parts)
            self.kinds.update(p.name for p in parts)
        else:
            self.long += len(parts)
        if moved:
            self._moved(number, parts, whole, after)

    def _moved(self, number, parts, whole, after):
        text = 'burst %d of %.2f s: epoch %d to %d, holder %s (the machine ' \
            'stood still for %.0f ms): %s' % (
                number, whole, self.before['epoch'], after['epoch'],
                after['holder'], self.stage.pulse.take(), words(parts))
        if whole < T / 2:
            self._problem(text)
        else:
            print('not counted: ' + text, flush=True)
        self._save('burst-%05d' % number, [text])
        self.stage.doctor.well()
        self._check()
        self.before = self.stage.record()
        self.roles = dict(self.stage.roles(), machine=None)

    def _part(self, part, begin):
        """One disturbance; returns how long it lasted."""
        self._until(begin + part.begin * 1e9)
        ends = [self.roles[r] for r in part.target.split('>')]
        key = ends[0] if len(ends) == 1 else tuple(ends)
        at = now()
        kept = part.strike(self.stage, key, part.extra)
        self._until(at + part.seconds * 1e9)
        part.mend(self.stage, key, kept)
        return (now() - at) / 1e9

    @staticmethod
    def _until(at):
        time.sleep(max(0, (at - now()) / 1e9))

    def _prolonged(self):
        """Until the lease has most of its time again."""
        end = time.monotonic() + HEALTHY
        while time.monotonic() < end:
            lease = self.stage.site.status(self.roles['holder']).get(
                'lease', {})
            if lease.get('endless') or \
                    (lease.get('left_ms') or 0) >= FRESH * T * 1000:
                return
            time.sleep(0.05)
        self._problem('the lease is not prolonged within %d s' % HEALTHY)

    # -- votes -----------------------------------------------------------

    def _tell(self):
        ledger = self.stage.ledger
        ledger.read()
        end = now()
        for group in self.gap:
            self.gap[group] = max(self.gap[group], ledger.gap(
                group, self.since, self.since, end))
        ledger.forget(end - 2 * 10**9)
        self.since = end - 2 * 10**9
        self._check()
        print('%7.0f s  %5d disturbances, longest silence db %.0f ms, http '
              '%.0f ms' % (time.monotonic() - self.begin, self.good,
                           self.gap['db'], self.gap['http']), flush=True)

    def _check(self):
        after = self.stage.record()
        held = self.stage.journal.read()
        holders = [a for e, a in sorted(held.items())
                   if self.before['epoch'] <= e <= after['epoch']]
        for w in self.stage.ledger.check(KEYS[after['holder']], holders):
            self._problem(w)
        for key in self.stage.keeper.unasked:
            self._problem('ended by itself: the engine of ' + key)
        self.stage.keeper.unasked = []

    def _open(self):
        super()._open()
        self.since = now()

    def _close(self, audit):
        left = sum('ev=standby.removed' in e for k in self.stage.lab.pg
                   for e in open('%s/%s/hawatchd.log' % (
                       self.stage.lab.dir, k), errors='replace'))
        self.count['left'] += left
        self.stage.links.heal()
        super()._close(audit)

    def table(self):
        count = self.count
        print()
        for name, n in sorted(self.kinds.items()):
            print('%-48s %d' % (name, n))
        for what, value in (
                ('disturbances shorter than half the lease', self.good),
                ('others, made longer by the machine, not counted',
                 self.long),
                ('a standby left the candidates, and came back',
                 count['left']),
                ('votes acknowledged', count['ack']),
                ('lost', count['lost']),
                ('two-writer instants', count['two writers']),
                ('longest silence at the database, ms',
                 '%.0f' % self.gap['db']),
                ('longest silence over HTTP, ms', '%.0f' % self.gap['http'])):
            print('%-48s %s' % (what, value))
        failed = len(self.problems)
        print('%d passed, %d failed' % (self.good, failed))
        return 1 if failed or not self.good else 0


def disturb(args, template):
    return Disturb(args, template).run()
