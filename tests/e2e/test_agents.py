"""Fence agents: the lost primary's host is switched off, and the takeover does
not wait for its lease; or the agents fail, hang or lie."""

import pytest

from lab import faults, wait_for
from lab.cluster import Cluster, now
from lab.power import Power, conf
from test_failover import check_takeover, everybody_votes

# Long enough to be told from what the agents take.
T = 8.0


@pytest.fixture
def make_powered(request, template):
    """The agents are there before the daemons are."""
    made = []

    def make(*ways):
        cluster = Cluster(settings={'ttl': '%ds' % T,
                                    'more': conf('s1', *ways)})
        power = Power(cluster.lab)
        made.append((cluster, power))
        return cluster.up(template), power

    yield make
    for cluster, power in made:
        power.stop()
        if getattr(request.node, 'failed', False):
            print(cluster.logs())
        cluster.down()


def proof(cluster):
    durable = cluster.status('s2')['durable']
    return durable['proof'], durable['proof_epoch']


def events(cluster, name, **want):
    return [e for e in cluster.events('s2') if e.get('ev') == name and
            all(e.get(k) == v for k, v in want.items())]


def test_off_replaces_the_wait(make_powered):
    """The holder's engine stands still, its PostgreSQL goes on. The first level
    hangs and is killed, the second fails, the third switches it off, and before
    the lease would end the standby has taken over."""
    cluster, power = make_powered('hang', 'fail', 'truth')
    lab = cluster.lab
    wait_for(lambda: all(a['ok'] == 'yes' for a in
                         cluster.status('s2')['agents']), 15, 'monitored')
    assert 'agents' not in cluster.status('s1')     # its own are not its to use
    assert power.calls('s2') == ['s1 monitor'] * 3
    plan = ' '.join(cluster.hactl('s2', 'plan', 'promote',
                                  'prod-s2').stdout.split())
    assert "yes the holder's fence agents answer they do" in plan
    assert 'or once fence agents have seen its host off' in plan
    vote = everybody_votes(cluster)
    assert not events(cluster, 'shoot.start')
    at = now()
    faults.engine_stopped(lab)
    vote.wait_acked(100, since=at, server=lab.s2.address, deadline=20)
    check_takeover(cluster, vote, at, T - 1)
    assert not lab.s1.up
    assert proof(cluster) == ('agent', 2)
    calls = power.calls('s2')[3:]
    assert calls[:3] == ['s1 off'] * 3 and set(calls[3:]) == {'s1 status'}
    answers = [e['answer'] for e in events(cluster, 'agent.run')]
    assert answers[:3] == ['no', 'no', 'yes'] and answers[-1] == 'yes'
    assert not lab.s2.pids('sleep')     # what hung is gone
    assert events(cluster, 'shoot.off', epoch='1')
    assert events(cluster, 'claim.proof', text='agent: prod-s1')
    assert 'lab secret' not in cluster.logs()
    # Back again it is closed, and knows who holds the cluster.
    lab.boot('s1')
    wait_for(lambda: cluster.record('s1').get('epoch') == 2, 20,
             'prod-s1 knows of the takeover')
    assert cluster.http('s1', '/primary')[0] == 503


@pytest.fixture
def long(request):
    if not request.config.getoption('--long'):
        pytest.skip('with --long')


def test_a_lie_costs_no_vote(long, make_powered):
    """The agent says off, and so does its status; the primary lives, cut off
    from its peers and reached by clients. What it says yes to after that moment
    is nothing: commits wait for the standby that is promoted."""
    cluster, power = make_powered('lie')
    lab = cluster.lab
    vote = everybody_votes(cluster)
    at = now()
    faults.cut_off(lab)
    vote.wait_acked(50, since=at, server=lab.s2.address, deadline=20)
    assert lab.s1.up and proof(cluster) == ('agent', 2)
    lab.heal()
    wait_for(lambda: not lab.s1.pids('postgres') or
             lab.pg['s1'].in_recovery(), 20, 'the old primary has stopped')
    assert cluster.audit('s2', at)['ok']


@pytest.mark.parametrize('ways', [('fail',), ('hang',), ('blind',),
                                  ('hang', 'fail')],
                         ids=lambda ways: '-'.join(ways))
def test_the_lease_goes_on(long, make_powered, ways):
    """Agents that fail, hang, or whose off is not seen by status: all is as
    without them, and what hung is gone."""
    cluster, power = make_powered(*ways)
    lab = cluster.lab
    vote = everybody_votes(cluster)
    at = now()
    faults.engine_stopped(lab)
    wait_for(lambda: events(cluster, 'shoot.failed'), 12, 'said to have failed')
    vote.wait_acked(100, since=at, server=lab.s2.address, deadline=20)
    check_takeover(cluster, vote, at, T + 1)
    assert lab.s1.up
    assert proof(cluster) == ('lease', 2)
    assert not lab.s2.pids('sleep')
