"""The disk under the engine's state is full: it closes, it never holds open."""

import os

from lab import faults, wait_for
from lab.cluster import now

STATE = '/var/lib/hawatch'


def test_holder_goes_on_and_hands_over(make_cluster):
    """Renewing needs no disk; nor does giving up."""
    cluster = make_cluster(state_tmpfs={'s1': '4m'})
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(20)
    lab.s1.fill(STATE)
    at = now()
    vote.wait_acked(400, since=at, deadline=15)
    fault = now()
    faults.databases_killed(lab)
    vote.wait_acked(50, since=fault, server=lab.s2.address, deadline=20)
    assert cluster.audit('s2', fault)['ok']


def test_standby_does_not_claim_what_it_cannot_write(make_cluster):
    """A claim is on disk before it is sent: without room there is none, and
    with room again there is."""
    cluster = make_cluster(state_tmpfs={'s2': '4m'})
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(20)
    ballast = lab.s2.fill(STATE)
    fault = now()
    faults.host_lost(lab)
    wait_for(lambda: now() - fault > 5 * 10**9, 10, 'T and more', every=0.2)
    if vote.acked(fault + 10**8):
        # What was preallocated sufficed: then it must be a proper takeover.
        assert cluster.record('s2')['epoch'] == 2
    os.unlink(ballast)
    vote.wait_acked(20, since=fault, server=lab.s2.address, deadline=30)
    assert cluster.audit('s2', fault)['ok']


def test_restarted_with_a_full_disk_stays_closed_or_safe(make_cluster):
    """The engine is killed and comes back to a full disk: perhaps it cannot
    run at all, but no vote is lost and nobody else opens beside it."""
    cluster = make_cluster(state_tmpfs={'s1': '4m'})
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(20)
    lab.s1.fill(STATE)
    at = now()
    cluster.engine_kill('s1')
    cluster.engine_start('s1')
    vote.wait_acked(50, since=at + 6 * 10**9, deadline=40)
    survivor = 's2' if lab.pg['s2'].in_recovery() is False else 's1'
    assert cluster.audit(survivor)['ok']
