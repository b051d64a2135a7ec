"""Time passes without the primary's host: it stands still for a minute.

When it goes on it believes itself to be in the moment of the stop. Nothing may
be acknowledged by it, whatever was in its sockets."""

import time

import pytest

from lab import faults, wait_for
from lab.cluster import now
from test_failover import T, check_takeover, everybody_votes


@pytest.mark.parametrize('fault', [faults.stopped, faults.stopped_unplugged],
                         ids=['with-cable', 'without-cable'])
def test_stopped_for_a_minute(cluster, request, fault):
    """Without its cable for less of it, in the usual run."""
    whole = fault is faults.stopped or request.config.getoption('--long')
    lab = cluster.lab
    vote = everybody_votes(cluster)
    at = now()
    fault(lab)
    vote.wait_acked(100, since=at, server=lab.s2.address, deadline=15)
    wait_for(lambda: now() - at > (60 if whole else 20) * 10**9, 70,
             'a minute', every=0.5)
    thaw = now()
    lab.s1.continue_all()
    if fault is faults.stopped_unplugged:
        lab.switch.replug(lab.s1)
    wait_for(lambda: not lab.s1.pids('postgres') or
             lab.pg['s1'].in_recovery(), 20, 'the old primary has stopped')
    vote.wait_acked(50, server=lab.s2.address)
    for voter in cluster.voters:
        assert not voter.acked(thaw, lab.s1.address)
    check_takeover(cluster, vote, at, T + 0.8,
                   silent=fault is faults.stopped_unplugged)


@pytest.mark.parametrize('seconds', [0.5, 1.9, 2.0, 2.1, 3.0])
def test_stopped_about_as_long_as_the_lease(cluster, seconds):
    """On either side of T: perhaps a takeover, perhaps none, never two."""
    lab = cluster.lab
    vote = everybody_votes(cluster)
    at = now()
    lab.s1.stop_all()
    time.sleep(seconds)         # the stop itself is what is tested
    lab.s1.continue_all()
    vote.wait_acked(100, since=at + int((seconds + 0.5) * 1e9), deadline=20)
    survivor = 's2' if lab.pg['s2'].in_recovery() is False else 's1'
    assert cluster.audit(survivor, at)['ok']
