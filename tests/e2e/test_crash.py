"""The engine ends by SIGKILL at one point after the other, in the middle of a
failover, and is restarted as systemd would: each time the cluster ends with
one primary and every acknowledged vote, and the same cluster goes on.

The points come from the engine itself (hawatchd --crash-points: the rows of
the plans, before and after each fsync, CAS, reply, action). Some never occur,
as not every row writes or asks; crash_points.txt lists those that were met, and
only these are tried. CRASH_POINTS=all tries all there are, and says which were
met. HAWATCH_BUILD_CRASH names the build with -Dcrash_points=true.
"""

import os
import subprocess

import pytest

from lab import wait_for
from lab.cluster import now
from lab.lab import DATA_NODES

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get('HAWATCH_BUILD_CRASH')
HOLD_OFF_MS = 2300      # an engine that has just started claims nothing
ROUNDS = 6      # of one cluster, before it is made anew


def known():
    """Every point that the engine has."""
    if not BUILD:
        return []
    done = subprocess.run([os.path.join(BUILD, 'src/engine/hawatchd'),
                           '--crash-points'], stdout=subprocess.PIPE,
                          text=True, check=True)
    return done.stdout.split()


def wanted():
    if os.environ.get('CRASH_POINTS') == 'all':
        return known()
    with open(os.path.join(HERE, 'crash_points.txt')) as f:
        return [line.strip() for line in f if line.strip()]


def groups():
    """(point of the old holder, point of the new one), one of them None: an
    old holder that ends before its release takes back what it held. In
    clusters of ROUNDS rounds."""
    pairs = [(p, None) if p.startswith(('stepdown.', 'restart.', 'idle:'))
             else (None, p) for p in wanted()]
    return [pairs[i:i + ROUNDS] for i in range(0, len(pairs), ROUNDS)]


def test_points_are_still_there():
    if not BUILD:
        pytest.skip('HAWATCH_BUILD_CRASH is not set')
    assert known()
    assert not set(wanted()) - set(known())


class Systemd:
    """Restarts an engine that ends, without its order to end."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.ended = set()

    def look(self):
        for key in DATA_NODES:
            if not self.cluster.lab.host[key].pids('hawatchd'):
                self.ended.add(key)
                self.cluster.engine_start(key)


def arm(cluster, key, point):
    """Another engine on this host, with the order to end at a point."""
    cluster.engine_kill(key)
    cluster.engine_start(key, {'HAWATCH_CRASH_AT': point} if point else None)


def one_round(cluster, vote, holder, other, points):
    """Returns who holds the cluster afterwards and which points were met."""
    lab, systemd = cluster.lab, Systemd(cluster)
    for key, point in zip((holder, other), points):
        arm(cluster, key, point)
    wait_for(lambda: systemd.look() or (
        all(cluster.status(k).get('up_ms', 0) > HOLD_OFF_MS
            for k in DATA_NODES)
        and cluster.candidates(holder) == [lab.host[other].name]), 30,
        'the candidate may claim', every=0.1)
    at = now()
    lab.pg[holder].kill_all()

    def settled():
        systemd.look()
        return len(vote.acked(at)) > 20
    wait_for(settled, 40, 'votes after %s, %s' % points, every=0.05)
    end = now() + 10**9             # what comes late, as repmgr's metadata
    wait_for(lambda: systemd.look() or now() > end, 5, every=0.05)
    vote.wait_acked(10)
    after = [key for key in DATA_NODES
             if lab.pg[key].in_recovery() is False]
    assert len(after) == 1, 'primaries after %s, %s: %s' % (points + (after,))
    return after[0], [p for k, p in zip((holder, other), points)
                      if p and k in systemd.ended]


def restore(cluster, holder, other):
    """The pair as it was: the loser rebuilt if it does not follow by
    itself."""
    systemd = Systemd(cluster)
    if not cluster.lab.pg[other].in_recovery():
        cluster.rebuild(other, holder)
    wait_for(lambda: systemd.look() or cluster.candidates(holder) ==
             [cluster.lab.host[other].name], 40,
             'a pair again', every=0.1)
    assert cluster.hactl(holder, 'ack').returncode == 0


@pytest.mark.skipif(not BUILD, reason='HAWATCH_BUILD_CRASH is not set')
@pytest.mark.parametrize('group', groups() if BUILD else [],
                         ids=['cluster-%d' % i
                              for i in range(len(groups()))] if BUILD else [])
def test_killed_at_a_point(make_cluster, monkeypatch, group):
    monkeypatch.setenv('HAWATCH_BUILD', BUILD)
    cluster = make_cluster(settings={'min_interval': '0s'})
    vote = cluster.vote()
    vote.wait_acked(20)
    holder, other = 's1', 's2'
    met, changes = [], 0
    for points in group:
        after, hit = one_round(cluster, vote, holder, other, points)
        print('%s: %s' % (points, ', '.join('met ' + p for p in hit)
                          or 'not met'), flush=True)
        met += hit
        if after != holder:
            holder, other = other, holder
            changes += 1
        restore(cluster, holder, other)
    assert cluster.audit(holder, changes=changes)['ok']
    if os.environ.get('CRASH_POINTS') != 'all':
        assert met, 'no point of this group was met'
