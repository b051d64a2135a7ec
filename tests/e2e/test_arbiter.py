"""The register's host fails in every way; the primary goes on."""

import json
import os
import shutil

import pytest

from lab import faults, wait_for
from lab.cluster import now

STATE = '/var/lib/hawatch'


def test_lost_and_restarted(cluster):
    """The standby's answers keep the lease, so nothing is interrupted."""
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(20)
    at = now()
    faults.arbiter_lost(lab)
    vote.wait_acked(800, since=at, deadline=20)
    lab.boot('a1')
    wait_for(lambda: cluster.status('s1').get('register', {}).get('read'),
             15, 'the register answers')
    back = now()
    vote.wait_acked(400, since=back)
    report = cluster.audit('s1', at, changes=0)
    assert report['ok'] and report['outage_ms'] < 500
    assert cluster.record('s1')['epoch'] == 1
    assert cluster.candidates('s1') == ['prod-s2']


def test_lost_together_with_the_primary(cluster):
    """Nobody can prove anything: nobody takes over. With the arbiter back,
    the standby does."""
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(20)
    faults.arbiter_lost(lab)
    faults.host_lost(lab)
    at = now()
    wait_for(lambda: now() - at > 6 * 10**9, 10, 'three times T', every=0.2)
    assert not vote.acked(at)
    assert lab.pg['s2'].in_recovery()
    lab.boot('a1')
    vote.wait_acked(20, since=at, server=lab.s2.address, deadline=30)
    assert cluster.audit('s2')['ok']


def test_file_restored_from_an_old_copy(cluster):
    """After a takeover the register shows the epoch before it. The old
    primary, back without knowing better, must not open by it."""
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(20)
    old = os.path.join(lab.dir, 'old-register')
    shutil.copytree(lab.a1.path(STATE), old)
    faults.host_lost(lab)
    vote.wait_acked(20, server=lab.s2.address, deadline=15)
    faults.arbiter_lost(lab)
    kept = lab.a1.path(STATE)
    shutil.rmtree(kept)
    shutil.copytree(old, kept)
    at = now()
    lab.boot('a1')
    lab.boot('s1')
    vote.wait_acked(400, since=at, server=lab.s2.address, deadline=20)
    wait_for(lambda: cluster.record('s2').get('epoch', 0) >= 2 and
             cluster.status('s2')['register']['read'] and
             not cluster.status('s2')['register']['amnesiac'], 30,
             'the register knows the newest epoch again')
    assert cluster.http('s1', '/primary')[0] == 503
    assert not vote.acked(at, lab.s1.address)
    assert cluster.audit('s2')['ok']
    # That it wrote its record again is no takeover; the last one is shown.
    wait_for(lambda: cluster.record('s2')['epoch'] ==
             cluster.record('s1').get('epoch'), 15, 'both know it')
    said = json.loads(cluster.hactl('s2', 'report', '--json').stdout)
    newest = cluster.record('s2')['epoch']
    assert (said['epoch'], said['holder']) == (2, 'prod-s2'), said
    assert [x['epoch'] for x in said['later']] == list(
        range(newest, 2, -1)), said['later']
    assert all(x['summary'].startswith(
        'No takeover: prod-s2 was the primary and stayed it')
        for x in said['later']), said['later']


def test_disk_full(make_cluster):
    """No CAS is confirmed that is not on disk; the primary goes on by the
    standby's answers, and with room again all is as before."""
    cluster = make_cluster(state_tmpfs={'a1': '4m'})
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(20)
    ballast = lab.a1.fill(STATE)
    at = now()
    vote.wait_acked(800, since=at, deadline=20)
    os.unlink(ballast)
    if not lab.a1.pids('hawatchd'):
        cluster.engine_start('a1')
    cluster.wait_candidates('s1', ['prod-s2'], 20)
    fault = now()
    faults.databases_killed(lab)
    vote.wait_acked(20, since=fault, server=lab.s2.address, deadline=20)
    report = cluster.audit('s2', at)
    assert report['ok']
    assert [w['server'] for w in report['writers']] == \
        [lab.s1.address, lab.s2.address]


@pytest.mark.parametrize('what', ['not JSON', '{"format": 99}',
                                  '{"format": 1, "cluster": "other"}'],
                         ids=['no-json', 'newer-format', 'other-cluster'])
def test_register_holds_nonsense(cluster, what):
    """A register's value that nobody can read opens no fence and stops no
    daemon."""
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(20)
    cluster.engine_kill('a1')
    for name in os.listdir(lab.a1.path(STATE)):
        lab.a1.write(os.path.join(STATE, name), what)
    cluster.engine_start('a1')
    at = now()
    vote.wait_acked(300, since=at, deadline=15)
    assert lab.s1.pids('hawatchd') and lab.s2.pids('hawatchd')
    assert lab.pg['s2'].in_recovery()
    assert cluster.audit('s1', changes=0)['ok']
