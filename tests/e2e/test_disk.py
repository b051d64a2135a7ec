"""A disk is full. Under the engine's state: it closes, it never holds open. Under
PostgreSQL: the lease goes to who has room."""

import os
import time

from lab import faults, wait_for
from lab.cluster import now

STATE = '/var/lib/hawatch'
DATA = '/var/lib/postgresql'
T = 2
LATE = 3    # seconds without a good write probe, or T if that is longer


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


def holds_still(cluster, key, epoch, seconds):
    """Nobody takes over meanwhile."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert cluster.record(key)['epoch'] == epoch
        time.sleep(0.2)


def test_primary_without_room_is_replaced(make_cluster):
    """It answers, and commits what needs no new block: that is not enough."""
    cluster = make_cluster(data_tmpfs={'s1': '300m'})
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(20)
    ballast = lab.s1.fill(DATA)
    fault = now()
    vote.wait_acked(50, since=fault, server=lab.s2.address, deadline=30)
    first = min(a.end for a in vote.acked(fault, lab.s2.address))
    print('    %.2f s' % ((first - fault) / 1e9))
    # The look, the probe that came before it, the lease, the promotion.
    assert first - fault < (1 + 1 + LATE + T + 3) * 10**9
    said = {e['ev']: e for e in cluster.events('s1')}
    assert said['pg.no-room']['reason'] == 'disk-full'
    assert said['lease.lost']['text'] == 'disk-full'
    status = cluster.hactl('s2', 'status').stdout
    assert 'no room for PostgreSQL: disk-full' in status, status
    assert 'df -h' in status, status
    os.unlink(ballast)
    holds_still(cluster, 's2', 2, 8)
    assert cluster.audit('s2')['ok']


def no_room(cluster, key):
    return cluster.status(key)['postgres']['no_room'] == 'disk-full'


def test_two_without_room_change_nothing(make_cluster):
    """Who has no room either does not take over; who has it first, goes on."""
    cluster = make_cluster(data_tmpfs={'s1': '300m', 's2': '300m'})
    lab = cluster.lab
    first = cluster.vote()
    first.wait_acked(20)
    # While s2 is still up and a candidate: nobody writes what it could not.
    first.stop()
    ballast = {key: lab.host[key].fill(DATA) for key in ('s1', 's2')}
    wait_for(lambda: no_room(cluster, 's1') and no_room(cluster, 's2'), 8,
             'both see that they have no room', every=0.1)
    cluster.wait_role('s1', 'closed', LATE + 5)
    vote = cluster.vote(name='later')
    assert cluster.status('s1')['waits_for'] == 'disk-full'
    assert cluster.candidates('s1') == ['prod-s2']
    wait_for(lambda: cluster.status('s2')['claim']['block'] == 'disk-full',
             2 * T + 2, 's2 does not claim', every=0.1)
    holds_still(cluster, 's2', 1, 8)
    again = now()
    os.unlink(ballast['s1'])
    vote.wait_acked(1, since=again, server=lab.s1.address, deadline=15)
    os.unlink(ballast['s2'])
    vote.wait_acked(50, since=again, server=lab.s1.address, deadline=15)
    holds_still(cluster, 's2', 1, 6)
    opened = [e for e in cluster.events('s1') if e['ev'] == 'fence.open']
    assert len(opened) == 2, opened
    assert cluster.audit('s1')['ok']


def test_standby_without_room(make_cluster):
    """It ends for it and is no candidate any more: votes go on, and both the
    log and status say why."""
    cluster = make_cluster(data_tmpfs={'s2': '300m'})
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(20)
    lab.s2.fill(DATA)
    wait_for(lambda: no_room(cluster, 's2'), 5, 's2 sees it', every=0.1)
    at = now()
    cluster.wait_candidates('s1', [], 20)
    vote.wait_acked(100, since=at, server=lab.s1.address, deadline=20)
    assert cluster.record('s1')['epoch'] == 1
    assert cluster.audit('s1')['ok']
