"""The standby goes and comes: writes pause for a moment and no more."""

from lab import auditor, faults, wait_for
from lab.cluster import now


def test_lost_back_and_added_again(cluster):
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(20)
    lost = now()
    faults.standby_lost(lab)
    cluster.wait_candidates('s1', [], 10)
    vote.wait_acked(100, since=lost)
    # Without anybody to take over the lease has no end and no need of one.
    assert cluster.status('s1')['lease']['endless']
    lab.boot('s2')
    cluster.wait_candidates('s1', ['prod-s2'], 30)
    vote.wait_acked(50)
    # And it is good for something again.
    at = now()
    faults.databases_killed(lab)
    vote.wait_acked(50, since=at, server=lab.s2.address, deadline=15)
    gaps = auditor.outage([a for a in vote.attempts() if a.end < at], lost)
    assert gaps <= 1.5e9
    assert cluster.audit('s2', at)['ok']


def test_standby_then_arbiter_lost(cluster):
    """A healthy primary never stops for the sake of a register (L3)."""
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(20)
    faults.standby_lost(lab)
    cluster.wait_candidates('s1', [], 10)
    at = now()
    faults.arbiter_lost(lab)
    vote.wait_acked(400, since=at + 5 * 10**9, deadline=20)
    report = cluster.audit('s1', at, changes=0)
    assert report['ok'] and report['outage_ms'] < 500


def test_old_primary_rebuilt(cluster):
    """Cloned by repmgr from the new primary, it is a candidate again without
    another order, though an idle walsender of an earlier life is left there."""
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(20)
    faults.databases_killed(lab)
    vote.wait_acked(20, server=lab.s2.address, deadline=15)
    idle = lab.s1.popen(['psql', '-XAtq', 'host=%s user=repmgr '
                         'replication=true application_name=prod-s1' %
                         lab.s2.address], stdin=-1)
    wait_for(lambda: lab.pg['s2'].sql(
        'SELECT state FROM pg_stat_replication') == [['startup']])
    cluster.rebuild('s1', 's2')
    cluster.wait_candidates('s2', ['prod-s1'], 30)
    idle.communicate()
    assert lab.pg['s1'].in_recovery()
    vote.wait_acked(20)
    assert cluster.audit('s2')['ok']


def test_replication_stalls_without_loss_of_connection(cluster):
    """The standby's host hangs: its TCP answers, its PostgreSQL does not."""
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(20)
    at = now()
    lab.s2.stop_all()
    vote.wait_acked(100, since=at + 3 * 10**9, deadline=20)
    lab.s2.continue_all()
    cluster.wait_candidates('s1', ['prod-s2'], 30)
    report = cluster.audit('s1', at, changes=0)
    assert report['ok'] and report['outage_ms'] <= 3500
