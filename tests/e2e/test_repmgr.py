"""By configuration it is repmgr whose commands promote and rejoin: under the
same rules, and what they did is seen, not believed. All other tests run so,
too, with --commands=repmgr."""

import signal

import pytest

from test_rejoin import REJOIN, SETTINGS, check_rejoined, check_saved, \
    lose_primary

from lab import wait_for
from lab.cluster import now


def told(cluster, key, ev, **fields):
    """What the daemon there has logged of such an event."""
    return [e for e in cluster.events(key) if e.get('ev') == ev and
            all(e.get(k) == v for k, v in fields.items())]


def test_takeover_and_rejoin(make_cluster, request):
    """The file that repmgr reads on each host would have it start the server
    itself, past the gate: what it says here to that is /bin/true. The second
    half with --long."""
    long_run = request.config.getoption('--long')
    cluster = make_cluster(commands='repmgr', settings=dict(
        SETTINGS, more=REJOIN if long_run else ''))
    vote = cluster.vote()
    vote.wait_acked(10)
    began = now()
    lose_primary(cluster, 's1', 's2', vote)
    wait_for(lambda: told(cluster, 's2', 'repmgr.command', status='0',
                          command='standby promote'), 5)
    wait_for(lambda: cluster.lab.pg['s2'].sql(
        "SELECT node_id FROM repmgr.nodes WHERE type = 'primary' AND active",
        db='repmgr') == [['2']], 5)
    if long_run:
        check_rejoined(cluster, 's1', 's2')
        check_saved(cluster, 's1', 2)
        assert told(cluster, 's1', 'rejoin.tool', program='repmgr',
                    status='0')
        assert not told(cluster, 's1', 'rejoin.tool', program='pg_rewind')
        # One start to replay its own log, one as the standby of the other.
        assert len(told(cluster, 's1', 'act.done', kind='start',
                        answer='yes')) == 2
    assert cluster.audit('s2', began)['ok']


def promoting(host):
    """Whether repmgr is at it."""
    return any(comm == 'repmgr' and 'standby promote' in line
               for comm, line in host.processes().values())


def test_the_engine_stops_while_it_promotes(make_cluster, request):
    """repmgr waits for an old primary that does not answer. When it gives up,
    the lease under which it was called has ended: it is not there any more."""
    if not request.config.getoption('--long'):
        pytest.skip('with --long')
    cluster = make_cluster(commands='repmgr', settings={
        'min_interval': '0s', 'ttl': '1s'})
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(10)
    began = now()
    lab.cut('s1', ['s2', 'a1'])
    wait_for(lambda: promoting(lab.s2), 20, 'repmgr is called', every=0.005)
    engine = lab.s2.pids('hawatchd')
    lab.s2.kill(engine, signal.SIGSTOP)
    at = now()
    wait_for(lambda: not promoting(lab.s2), 1.5, 'the lease ends')
    wait_for(lambda: now() - at > 5e9 or not lab.pg['s2'].in_recovery(), 10)
    assert lab.pg['s2'].in_recovery()
    at = now()
    lab.s2.kill(engine, signal.SIGCONT)
    vote.wait_acked(20, since=at, server=lab.s2.address, deadline=30)
    lab.heal()
    assert cluster.audit('s2', began)['ok']
