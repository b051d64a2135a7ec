"""Three data nodes: two candidates of one primary. Whoever takes over, the
other one follows it without a person.

The usual run has one way of losing the primary of each kind; --long has all."""

import pytest

from lab import auditor, faults, wait_for
from lab.cluster import now
from test_failover import T, everybody_votes, slower

# Of two equally far candidates the first, or the one of the greater priority.
LAST_FIRST = {'node': {'s3': ' priority = 200;'}}
# One that receives nothing stays a candidate until the fault.
PATIENT = 'standby_timeout = "2s";'
CRASH, LOSS = 0.3, T + 0.3      # the promised bounds, in seconds
SHARED = 0.3                    # more of them on a shared machine
GIVE_WAY = T / 2

# name, the fault, priority or not, the bound, only with --long.
ROWS = [
    ('databases-killed', faults.databases_killed, False, CRASH, False),
    ('databases-killed-priority', faults.databases_killed, True, CRASH, True),
    ('host-lost', faults.host_lost, False, LOSS, True),
    ('host-lost-priority', faults.host_lost, True, LOSS, False),
    ('cut-off', faults.cut_off, False, LOSS, True),
    ('stopped', faults.stopped, True, LOSS, True),
]


@pytest.fixture
def make_three(make_cluster):
    def make(priority=False, **more):
        settings = dict(LAST_FIRST if priority else {}, min_interval='0s',
                        **more)
        return make_cluster(data=3, settings=settings)
    return make


def name(key):
    return 'prod-' + key


def check_takeover(three, vote, at, winner, bound, silent=0):
    """That one holds epoch 2, and votes go on. Prints for how long there was
    none; what had to wait before the fault does not count. silent: so many
    servers do not even refuse."""
    bound += slower(three, silent)
    lab = three.lab
    vote.wait_acked(50, since=at, server=lab.host[winner].address,
                    deadline=20)
    record = three.record(winner)
    assert (record['holder'], record['epoch'], record['state']) == \
        (name(winner), 2, 'held')
    before = [a.end for a in vote.acked() if a.end <= at]
    after = [a.end for v in three.voters
             for a in v.acked(at, lab.host[winner].address)]
    gap = (min(after) - max(before + [at - 10**8])) / 1e9
    print('%s takes over, outage %.0f ms, promised %.0f ms' % (
        name(winner), gap * 1e3, bound * 1e3))
    assert gap <= bound + SHARED


def check_follows(three, other, winner):
    """The other standby has gone over to it, and is its candidate."""
    pg = three.lab.pg
    three.wait_candidates(winner, [name(other)], 20)
    assert pg[winner].streams_to(pg[other])
    assert pg[other].in_recovery()


def test_a_standby_lost(make_three):
    """It is taken out alone: the other stays a candidate all the while, and
    votes wait for no longer than with a pair. Back, it is one again."""
    three = make_three()
    lab, seen = three.lab, []
    assert three.candidates('s1') == ['prod-s2', 'prod-s3']
    assert sorted(lab.pg['s1'].sql('SELECT application_name, sync_state '
                                   'FROM pg_stat_replication')) == \
        [['prod-s2', 'sync'], ['prod-s3', 'sync']]
    vote = three.vote()
    vote.wait_acked(20)
    at = now()
    faults.standby_lost(lab, 's2')

    def alone():
        seen.append(three.candidates('s1'))
        return seen[-1] == ['prod-s3']
    wait_for(alone, 10, 'prod-s2 is no candidate', every=0.05)
    assert all('prod-s3' in found for found in seen if found is not None)
    vote.wait_acked(100)
    assert not three.status('s1')['lease']['endless']
    gap = auditor.outage(vote.attempts(), at) / 1e6
    print('a standby of two lost: %.0f ms without a vote' % gap)
    assert gap <= 1500
    lab.boot('s2')
    three.wait_candidates('s1', ['prod-s2', 'prod-s3'], 30)
    vote.wait_acked(50)
    assert three.record('s1')['epoch'] == 1
    assert three.audit('s1', changes=0)['ok']


@pytest.mark.parametrize('fault, priority, bound, longer',
                         [r[1:] for r in ROWS], ids=[r[0] for r in ROWS])
def test_takeover(make_three, request, fault, priority, bound, longer):
    if longer and not request.config.getoption('--long'):
        pytest.skip('only with --long')
    three = make_three(priority)
    vote = everybody_votes(three)
    pair = ('s3', 's2') if priority else ('s2', 's3')
    at = now()
    fault(three.lab)
    winner = three.winner(at, *pair)
    other = pair[pair[0] == winner]
    check_takeover(three, vote, at, winner, bound,
                   fault is not faults.databases_killed)
    check_follows(three, other, winner)
    if fault is faults.databases_killed:
        three.rebuild('s1', winner)
        three.wait_candidates(winner, ['prod-s1', name(other)], 30)
    elif fault is faults.stopped:
        three.lab.s1.continue_all()
        three.wait_role('s1', 'latched', 20)
    elif fault is faults.cut_off:
        three.lab.heal()
        three.wait_role('s1', 'latched', 20)
    vote.wait_acked(50, server=three.lab.host[winner].address)
    assert three.audit(winner, at)['ok']


@pytest.mark.parametrize('deaf', ['s2', 's3'])
def test_the_furthest_goes_first(make_three, request, deaf):
    """One has not received what the other has: a commit that waits for it,
    acknowledged to nobody. It gives way, though by priority, or by its place,
    it would be the first."""
    if deaf == 's2' and not request.config.getoption('--long'):
        pytest.skip('only with --long')
    three = make_three(priority=deaf == 's3', postgres=PATIENT)
    lab, vote = three.lab, three.vote()
    vote.wait_acked(20)
    winner = 's2' if deaf == 's3' else 's3'
    behind(lab, deaf, winner)
    at = now()
    faults.databases_killed(lab)
    lab.heal()
    vote.wait_acked(50, since=at, server=lab.host[winner].address,
                    deadline=20)
    check_follows(three, deaf, winner)
    assert three.audit(winner, at)['ok']


def behind(lab, deaf, other):
    """The deaf one lacks a commit that the other one has."""
    def received(key):
        return lab.pg[key].sql('SELECT pg_last_wal_receive_lsn() - \'0/0\'')

    faults.standby_deaf(lab, deaf)
    wait_for(lambda: int(received(other)[0][0]) > int(received(deaf)[0][0]),
             5, '%s is further' % other, every=0.005)


def test_the_furthest_is_lost_too(make_three):
    """Two hosts at once, the primary and the candidate that is further: the
    last one asks in vain, waits no longer than it may, and takes over."""
    three = make_three(priority=True, postgres=PATIENT)
    lab, vote = three.lab, three.vote()
    # The other client waits for two dead hosts in turn.
    three.vote(name='near', hosts=['s2'])
    vote.wait_acked(20)
    behind(lab, 's2', 's3')
    at = now()
    # The primary first: it must not find the deaf one lost.
    lab.power_cut('s1')
    lab.power_cut('s3')
    check_takeover(three, vote, at, 's2', LOSS, silent=2)
    assert three.audit('s2', at)['ok']


def test_the_furthest_cannot_take_over(make_three, request):
    """It answers that it is further, but does not reach the register: the
    other one gives way for a while, and then takes over."""
    if not request.config.getoption('--long'):
        pytest.skip('only with --long')
    three = make_three(priority=True)
    lab, vote = three.lab, three.vote()
    vote.wait_acked(20)
    lab.cut('s3', ['a1'])
    at = now()
    faults.databases_killed(lab)
    check_takeover(three, vote, at, 's2', CRASH + GIVE_WAY)
    lab.heal()
    check_follows(three, 's3', 's2')
    assert three.audit('s2', at)['ok']


def test_two_takeovers(make_three, request):
    """The second before anybody has repaired the first: the last host of
    three goes on alone."""
    if not request.config.getoption('--long'):
        pytest.skip('only with --long')
    three = make_three()
    lab, vote = three.lab, three.vote()
    vote.wait_acked(20)
    at = now()
    faults.host_lost(lab)
    second = three.winner(at, 's2', 's3')
    last = 's3' if second == 's2' else 's2'
    vote.wait_acked(20, server=lab.host[second].address, deadline=15)
    check_follows(three, last, second)
    at = now()
    faults.host_lost(lab, second)
    vote.wait_acked(50, since=at, server=lab.host[last].address, deadline=15)
    gap = auditor.outage(vote.attempts(), at) / 1e6
    print('the second takeover: outage %.0f ms' % gap)
    assert gap <= (LOSS + SHARED + slower(three, 2)) * 1e3
    assert three.audit(last, at, changes=2)['ok']
