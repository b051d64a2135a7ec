"""The daemon's own processes die while PostgreSQL is well."""

from lab import faults, wait_for
from lab.cluster import now


def test_engine_killed_and_restarted(cluster):
    """Back within the lease it finds its element alive and extends it: no
    vote notices."""
    vote = cluster.vote()
    vote.wait_acked(20)
    at = now()
    cluster.engine_kill('s1')
    cluster.engine_start('s1')
    vote.wait_acked(800, since=at, deadline=20)
    report = cluster.audit('s1', at, changes=0)
    assert report['ok'] and report['outage_ms'] < 1000


def test_engine_killed_for_good(cluster):
    """The kernel closes at the lease's end, the standby takes over, although
    the old PostgreSQL runs on and its clients never let go."""
    lab = cluster.lab
    vote = cluster.vote()
    cluster.vote('pinned', hosts=['s1'])
    cluster.vote('waiter', hosts=['s1'])
    vote.wait_acked(20)
    at = now()
    faults.engine_killed(lab)
    vote.wait_acked(50, since=at, server=lab.s2.address, deadline=15)
    assert lab.pg['s1'].in_recovery() is False
    assert cluster.audit('s2', at)['ok']


def test_front_killed(cluster):
    """It is replaced; the database does not notice, nor does the lease."""
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(20)
    at = now()
    old = lab.s1.pids('hawatch-front')
    lab.s1.kill(old)
    wait_for(lambda: set(lab.s1.pids('hawatch-front')) - set(old), 10,
             'another front')
    wait_for(lambda: cluster.http('s1', '/primary')[0] == 200, 5)
    vote.wait_acked(400, since=at, deadline=15)
    report = cluster.audit('s1', at, changes=0)
    assert report['ok'] and report['outage_ms'] < 500


def test_front_answers_by_itself_past_the_lease(cluster):
    """The engine hangs: the front turns /primary to 503 at the deadline that
    it was told, and /live soon."""
    lab = cluster.lab
    assert cluster.http('s1', '/primary')[0] == 200
    at = now()
    faults.engine_stopped(lab)
    wait_for(lambda: cluster.http('s1', '/primary')[0] == 503, 4,
             '/primary is 503')
    assert now() - at < 2.5e9
    wait_for(lambda: cluster.http('s1', '/live')[0] == 503, 10)
