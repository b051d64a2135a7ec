"""What a host does that comes up: nothing, until it knows that it may."""

from lab import faults, wait_for
from lab.cluster import now


def votes_denied(cluster, key):
    """A client in the network cannot even connect."""
    return cluster.lab.client.run(
        ['psql', '-XAtq', '-h', cluster.lab.host[key].address, '-U', 'voter',
         '-d', 'votes', '-c', 'INSERT INTO vote VALUES '
         "('boot', 1, clock_timestamp())"], check=False).returncode != 0


def lose_and_take_over(cluster):
    vote = cluster.vote()
    vote.wait_acked(20)
    faults.host_lost(cluster.lab)
    vote.wait_acked(50, server=cluster.lab.s2.address, deadline=15)
    return vote


def test_old_primary_rebooted_with_the_daemon_disabled(cluster):
    """PostgreSQL's unit starts at boot and asks the gate: no engine, no
    primary; and the closed table was there before the network."""
    lab = cluster.lab
    vote = lose_and_take_over(cluster)
    steps = dict(lab.boot('s1', daemon=False, autostart=True))
    assert steps['hawatch-fence.service'] == 'ok'
    assert 'hactl gate' in steps['postgresql.service']
    assert not lab.s1.pids('postgres')
    # Even by hand, past the gate, nobody gets through.
    lab.pg['s1'].start()
    assert lab.pg['s1'].in_recovery() is False
    assert votes_denied(cluster, 's1')
    vote.wait_acked(50, server=lab.s2.address)
    assert cluster.audit('s2')['ok']


def test_old_primary_rebooted(cluster):
    """With the daemon: it learns of the newer epoch and stays down."""
    lab = cluster.lab
    vote = lose_and_take_over(cluster)
    lab.boot('s1', autostart=True)
    at = now()
    wait_for(lambda: cluster.record('s1').get('epoch') == 2, 15,
             'prod-s1 knows of the takeover')
    vote.wait_acked(200, since=at, server=lab.s2.address)
    assert lab.pg['s1'].in_recovery() is not False
    assert votes_denied(cluster, 's1')
    assert cluster.audit('s2')['ok']


def test_everything_rebooted(cluster):
    """A power cut for all: the last holder, or its candidate, is primary
    again without a person, and no vote is missing."""
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(50)
    for key in ('s1', 's2', 'a1'):
        lab.power_cut(key)
    at = now()
    for key in ('a1', 's2', 's1'):
        lab.boot(key)
    vote.wait_acked(50, since=at, deadline=60)
    survivor = 's2' if lab.pg['s2'].in_recovery() is False else 's1'
    assert cluster.audit(survivor)['ok']


def test_promoted_by_hand(cluster):
    """Somebody promotes the standby: it is closed and stopped, and the holder
    goes on."""
    lab = cluster.lab
    vote = cluster.vote()
    pinned = cluster.vote('pinned', name='s2-only', hosts=['s2'])
    vote.wait_acked(20)
    # Not waited for: the session ends with the server that is stopped.
    lab.pg['s2'].sql('SELECT pg_promote(false)', check=False)
    at = now()
    wait_for(lambda: lab.pg['s2'].in_recovery() is not False, 15,
             'the rogue primary was stopped')
    vote.wait_acked(200, since=at, server=lab.s1.address, deadline=15)
    # The promise leaves out the time until it is noticed: say how long.
    seen = pinned.acked(0, lab.s2.address)
    if seen:
        print('written by hand promotion: %d votes in %.0f ms' % (
            len(seen), (seen[-1].end - seen[0].start) / 1e6))
    assert cluster.audit('s1', changes=0, voters=[vote])['ok']
    assert len(seen) == 0 or (seen[-1].end - seen[0].start) < 2.5e9
