"""One round: an engine is armed with a point, a fault makes it meet the point
and die by SIGKILL, it is started again as systemd would, and the cluster is
looked at. A round leaves the cluster as it was, so that many can follow one
another on the same hosts.
"""

import collections
import signal
import subprocess
import time

from lab import auditor, pg
from lab.cluster import KEYS, now
from lab.lab import DATA_NODES
from lab.wait import Late, wait_for

READY_MS = 2300     # an engine that has just started claims nothing for W
BACK = 0.3          # seconds until the service manager starts it again
DEADLINE = 30       # for votes: loose, since labs share the machine
VOTES = 20

Result = collections.namedtuple(
    'Result', 'scenario point met outage_ms seconds problems broken')


class Unit:
    """The service manager: starts an engine that has ended, unarmed. An
    engine that ends without being armed is a finding."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.armed = {}         # host: point
        self.ended = {}         # host: when it was seen
        self.off = set()        # hosts whose service is stopped
        self.unasked = []

    def arm(self, key, point, env=None):
        """Another engine on this host, to end at the point."""
        self.cluster.engine_kill(key)
        self.armed[key] = point
        self.cluster.engine_start(
            key, env or ({'HAWATCH_CRASH_AT': point} if point else None))

    def look(self):
        for key in DATA_NODES:
            host = self.cluster.lab.host[key]
            if not host.up or key in self.off or host.pids('hawatchd'):
                continue
            if key in self.ended or not self.armed.get(key):
                self.unasked.append(key)
            self.ended.setdefault(key, now())
            time.sleep(BACK)
            self.cluster.engine_start(key)

    def disarm(self):
        """A point that was not met must not be met in the next round."""
        for key, point in self.armed.items():
            if point and key not in self.ended:
                self.cluster.engine_kill(key)
                self.cluster.engine_start(key)
                wait_for(lambda: settled(self.cluster.status(key)), DEADLINE,
                         'the engine of %s, unarmed, knows its place' % key,
                         every=0.1)
        self.armed.clear()

    def wait(self, cond, deadline, what, every=0.05):
        return wait_for(lambda: self.look() or cond(), deadline, what,
                        every=every)


def settled(status):
    """What an engine does at its start is done."""
    return status.get('role') in ('primary', 'standby', 'latched') and \
        not status.get('plan')


class Rounds:
    """A cluster that is used for many rounds, and who holds it."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.lab = cluster.lab
        self.holder, self.other = 's1', 's2'
        self.number = 0
        self.acked = set()      # votes, of all rounds so far
        self.env = None         # instead of the order to end, for a survey

    # -- a round ---------------------------------------------------------

    def run(self, scenario, point):
        """Never raises for what the cluster did; the caller takes another
        cluster after a problem."""
        self.number += 1
        start = time.monotonic()
        self.unit = unit = Unit(self.cluster)
        self.problems = []
        self.fault = None
        self.vote = self.cluster.vote(name='vote%d' % self.number)
        broken = False      # not fit for another round
        try:
            self.vote.wait_acked(10)
            SCENARIOS[scenario](self, point)
        except (AssertionError, RuntimeError) as e:
            self.problems.append('%s: %s' % (type(e).__name__, e))
            broken = True
        met = any(at > (self.fault or 0) for at in unit.ended.values())
        if unit.ended and not met:
            self.problems.append('met before the fault')
        for key in unit.unasked:
            self.problems.append('the engine of %s ended by itself' % key)
            broken = True
        if self.problems:
            self.problems.append(self.picture())
        return Result(scenario, point, met, self.outage(),
                      time.monotonic() - start, self.problems, broken)

    def outage(self):
        if self.fault is None:
            return None
        gap = auditor.outage(self.vote.attempts(), self.fault)
        return None if gap is None else round(gap / 1e6)

    def picture(self):
        lines = []
        for key in DATA_NODES:
            s = self.cluster.status(key)
            lines.append('%s: role %s, duty %s, waits for %s, record %s, '
                         'PostgreSQL in recovery: %s' % (
                             key, s.get('role'),
                             (s.get('duty') or {}).get('name'),
                             s.get('waits_for'), s.get('record'),
                             self.lab.pg[key].in_recovery()
                             if self.lab.host[key].up else 'off'))
        return '\n'.join(lines)

    # -- parts of a round ------------------------------------------------

    def arm(self, key, point):
        self.unit.arm(key, point, self.env)

    def pair_ready(self):
        """Both engines may claim, the other one is the candidate."""
        name = self.lab.host[self.other].name
        self.unit.wait(lambda: all(
            self.cluster.status(k).get('up_ms', 0) > READY_MS
            for k in DATA_NODES) and
            self.cluster.candidates(self.holder) == [name] and
            self.cluster.status(self.holder).get('role') == 'primary' and
            self.cluster.status(self.other).get('role') == 'standby',
            DEADLINE, 'a pair, ready', every=0.1)

    def votes_again(self, after=None):
        at = after or self.fault
        self.unit.wait(lambda: len(self.vote.acked(at)) >= VOTES, DEADLINE,
                       'votes after the fault')

    def met_or_later(self, seconds=6):
        """What comes late, as repmgr's metadata or the checkpoint."""
        end = now() + int(seconds * 1e9)
        self.unit.wait(lambda: self.unit.ended or now() > end or
                       not any(self.unit.armed.values()),
                       seconds + 10, 'the end of this wait')
        time.sleep(0.2)
        self.votes_again(now())

    def check(self, changes=None):
        """One primary that all agree on, and an honest record of votes."""
        def settled():
            found = [k for k in DATA_NODES if self.lab.host[k].up and
                     self.lab.pg[k].in_recovery() is False]
            self.seen = found
            return len(found) == 1 and \
                self.cluster.status(found[0]).get('role') == 'primary'
        self.unit.wait(settled, DEADLINE, 'one primary', every=0.1)
        primary = self.seen[0]
        loser = DATA_NODES[1 - DATA_NODES.index(primary)]
        self.votes_again(now())
        if self.lab.host[loser].up:
            self.unit.wait(lambda: self.agrees(primary, loser), DEADLINE,
                           'the other node latched, standby or down',
                           every=0.1)
        self.vote.stop()
        self.audit(self.lab.pg[primary].votes(),
                   (primary != self.holder) if changes is None else changes)
        return primary, loser

    def audit(self, rows, changes):
        attempts = self.vote.attempts()
        report = auditor.audit(attempts, rows, self.fault, changes)
        if not report['ok']:
            self.problems.append(auditor.verdict(report))
        if self.acked - rows:
            self.problems.append('%d votes of earlier rounds are lost' %
                                 len(self.acked - rows))
        self.acked |= {(a.client, a.seq) for a in attempts
                       if a.outcome == 'ack'}

    def agrees(self, primary, loser):
        """The loser's record names the primary, and it serves nobody."""
        s = self.cluster.status(loser)
        return KEYS.get((s.get('record') or {}).get('holder')) == primary \
            and s.get('role') in ('latched', 'standby', 'down')

    def swap(self, primary, loser):
        self.holder, self.other = primary, loser

    def follow(self):
        """A person rebuilds the other node by repmgr, once the takeover is
        over, unless it follows by itself."""
        self.unit.wait(lambda: not self.cluster.status(self.holder).get(
            'plan'), DEADLINE, 'the end of the plan', every=0.1)
        holder = self.lab.pg[self.holder]
        try:
            self.unit.wait(self.registered, 6, 'repmgr knows the primary',
                           every=0.2)
        except Late:
            self.problems.append('repmgr does not know that %s is primary' %
                                 self.holder)
            holder.repmgr('primary', 'register', '--force')
        if self.cluster.status(self.other).get('role') == 'standby' and \
                holder.streams_to(self.lab.pg[self.other]):
            return
        # Overtaken while it started its server, the engine is still at it.
        self.unit.wait(
            lambda: not self.lab.host[self.other].pids('postgres'), DEADLINE,
            'who is to be rebuilt has no server left', every=0.1)
        self.cluster.rebuild(self.other, self.holder)

    def registered(self):
        return self.lab.pg[self.holder].sql(
            "SELECT node_name FROM repmgr.nodes WHERE type = 'primary' AND "
            "active", db='repmgr') == [[self.lab.host[self.holder].name]]

    # -- scenarios -------------------------------------------------------

    def databases(self, key, point, fault):
        self.arm(key, point)
        self.pair_ready()
        self.fault = now()
        fault()
        self.votes_again()
        self.met_or_later()
        self.moved()

    def moved(self):
        """The end of a round in which the holder may have changed."""
        primary, loser = self.check()
        self.unit.disarm()
        self.swap(primary, loser)
        if not self.lab.host[loser].up:
            self.lab.boot(loser)
            self.unit.wait(lambda: self.agrees(primary, loser), DEADLINE,
                           'the booted node knows its place', every=0.1)
        self.follow()
        self.pair_ready()

    def stepdown(self, point):
        """(a) The primary's database processes die; its engine as well."""
        self.databases(self.holder, point, self.lab.pg[self.holder].kill_all)

    def takeover(self, point):
        """(a) The same, but the candidate's engine dies."""
        self.databases(self.other, point, self.lab.pg[self.holder].kill_all)

    def lost(self, point):
        """(b) The primary's host is gone; the candidate's engine dies."""
        self.databases(self.other, point,
                       lambda: self.lab.power_cut(self.holder))

    def turn_off(self):
        """The other node's PostgreSQL and engine are down."""
        self.unit.off.add(self.other)
        self.cluster.engine_kill(self.other)
        self.lab.pg[self.other].kill_all()

    def turn_on(self):
        """Its engine is there again and starts its standby."""
        self.unit.off.clear()
        self.cluster.engine_start(self.other)

    def lone(self, point):
        """A lone primary whose lease has no end, and its engine armed."""
        self.pair_ready()
        self.turn_off()
        wait_for(lambda: self.cluster.candidates(self.holder) == [],
                 DEADLINE, 'a lone primary', every=0.1)
        self.arm(self.holder, point)

        def ready():
            s = self.cluster.status(self.holder)
            return s.get('role') == 'primary' and s['up_ms'] > READY_MS \
                and s['lease']['endless']
        wait_for(ready, DEADLINE, 'a lone primary, armed', every=0.1)

    def added(self, point):
        """(c) The standby comes and is added; the holder's engine dies."""
        self.lone(point)
        self.fault = now()
        self.turn_on()
        self.unit.wait(lambda: self.cluster.candidates(self.holder) ==
                       [self.lab.host[self.other].name], DEADLINE,
                       'the standby is a candidate', every=0.1)
        self.met_or_later(4)
        self.stays()

    def restart(self, point):
        """A lone primary's database dies: again, in place."""
        self.lone(point)
        self.fault = now()
        self.lab.pg[self.holder].kill_all()
        self.votes_again()
        self.met_or_later(1)
        self.turn_on()
        self.stays()

    def both(self, point):
        """Both databases and the candidate's engine die while the holder's
        engine is not looking: it restarts in place, and has to remove the
        candidate first."""
        self.arm(self.holder, point)
        self.pair_ready()
        host = self.lab.host[self.holder]
        host.kill(host.pids('hawatchd'), signal.SIGSTOP)
        self.turn_off()
        self.lab.pg[self.holder].kill_all()
        time.sleep(2.5)         # longer than the candidate counts as heard of
        self.fault = now()
        host.kill(host.pids('hawatchd'), signal.SIGCONT)
        self.votes_again()
        self.met_or_later(1)
        self.turn_on()
        self.stays()

    def standby(self, point):
        """The standby's database dies, its engine starts it and dies."""
        self.arm(self.other, point)
        self.pair_ready()
        self.fault = now()
        self.lab.pg[self.other].kill_all()
        self.unit.wait(lambda: self.unit.ended or
                       self.lab.pg[self.other].in_recovery(), DEADLINE,
                       'the standby is started')
        self.met_or_later(3)
        self.stays()

    def takenback(self, point):
        """Released, and nobody comes: the holder takes it back. Its engine
        dies on the way."""
        self.arm(self.holder, point)
        self.pair_ready()
        host = self.lab.host[self.other]
        engine = host.pids('hawatchd')
        self.fault = now()
        host.kill(engine, signal.SIGSTOP)
        self.lab.pg[self.holder].kill_all()
        self.votes_again()
        self.met_or_later(1)
        host.kill(engine, signal.SIGCONT)
        self.stays()

    def claimant(self, point):
        """The claimant's engine dies, then its database, which its next
        engine starts, and dies once more."""
        self.arm(self.other, 'takeover.mark:fsync-after')
        self.pair_ready()
        self.fault = now()
        self.lab.pg[self.holder].kill_all()
        wait_for(lambda: not self.lab.host[self.other].pids('hawatchd'),
                 DEADLINE, 'the claimant is killed', every=0.005)
        self.lab.pg[self.other].kill_all()
        self.arm(self.other, point)
        self.votes_again()
        self.met_or_later(1)
        self.moved()

    def switchover(self, point):
        """A person orders it; the engine that hands over dies."""
        holder, other = self.holder, self.other
        self.lab.pg[holder].set(
            'primary_conninfo', 'host=%s port=%d user=repmgr '
            'application_name=%s' % (self.lab.host[other].address, pg.PORT,
                                     self.lab.host[holder].name))
        self.databases(holder, point, lambda: self.lab.host[holder].popen(
            ['hactl', 'switchover', '--yes'], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def stays(self):
        self.check(changes=0)
        self.unit.disarm()
        self.pair_ready()


SCENARIOS = {name: getattr(Rounds, name) for name in (
    'stepdown', 'takeover', 'lost', 'added', 'restart', 'both', 'standby',
    'takenback', 'claimant', 'switchover')}
