"""The record is kept in an etcd of three members, beside the databases and on
the witness. All other tests run with it, too: pytest --register=etcd."""

import contextlib
import itertools
import signal
import threading

import pytest

from lab import auditor, etcd, faults, wait_for
from lab.cluster import now

T = 2.0
ELECTION = 1.5      # of etcd, at most: one that is split is held again
SLOW = 0.3          # seconds of a sync: less than the time-out of an election
# A takeover reads and then writes, three times. A read waits for syncs of the
# leader and of who is asked; a write for one of the log that is under way, for
# its own, and for the two of the pages of those before it.
WRITTEN = 3 * (2 + 4) * SLOW
SLOW_ONES = {'leader': ['a1'], 'follower': ['s2'], 'all': etcd.MEMBERS}


@pytest.fixture
def pair(make_cluster):
    return make_cluster(register='etcd')


def usual_only_long(request):
    if not request.config.getoption('--long'):
        pytest.skip('only with --long')


@pytest.fixture
def long_pair(request, make_cluster):
    usual_only_long(request)
    return make_cluster(register='etcd')


def outage(vote, since, until=None):
    attempts = [a for a in vote.attempts() if until is None or a.end < until]
    return auditor.outage(attempts, since) / 1e9


def reads(cluster, key, **kw):
    wait_for(lambda: cluster.status(key).get('register', {}).get('read'), 15,
             'the register answers', **kw)


@contextlib.contextmanager
def slow_disks(lab, keys, seconds):
    """Every sync of these members takes so long, while somebody else keeps
    writing to etcd; begins when each of them has felt it."""
    done = threading.Event()

    def write():
        for key in itertools.cycle(etcd.MEMBERS):
            if done.is_set():
                return
            etcd.ctl(lab.a1, 'put', '/other', 'x', endpoint=lab.host[key],
                     check=False)
    writer = threading.Thread(target=write)
    for key in keys:
        etcd.slow_disk(lab.host[key], seconds * 1e3)
    before = {key: etcd.syncs(lab.host[key]) for key in keys}

    def felt(key):
        count, took = (a - b for a, b in zip(etcd.syncs(lab.host[key]),
                                             before[key]))
        # One may have been under way.
        assert took >= 0.8 * (count - 1) * seconds, (count, took)
        return took >= 0.8 * seconds

    writer.start()
    try:
        wait_for(lambda: all(map(felt, keys)), 10, 'they write')
        yield
        assert all(felt(key) for key in keys if lab.host[key].up)
    finally:
        done.set()
        writer.join()
        for key in keys:
            etcd.slow_disk(lab.host[key], 0)


def test_faults_of_etcd_and_then_of_the_database(pair):
    """A leader that is killed, one that hangs, one whose disk is slow, and a
    compaction are not seen from outside; then the database crashes, and the
    standby takes over."""
    lab = pair.lab
    vote = pair.vote()
    etcd.move_leader(lab, 'a1')
    vote.wait_acked(20)
    at = now()
    etcd.kill(lab.a1)
    wait_for(lambda: etcd.leader(lab) in ('s1', 's2'), 10, 'another leads',
             every=0.1)
    etcd.start(lab.a1)
    vote.wait_acked(100)
    first = etcd.leader(lab)
    etcd.kill(lab.host[first], signal.SIGSTOP)
    wait_for(lambda: etcd.leader(lab, (first,)), 10, 'another leads',
             every=0.1)
    vote.wait_acked(100)
    etcd.kill(lab.host[first], signal.SIGCONT)
    slow = wait_for(lambda: etcd.leader(lab), 10, 'somebody leads', every=0.1)
    with slow_disks(lab, [slow], 1.0):
        vote.wait_acked(200)
    head = etcd.status(lab.a1)['header']['revision']
    etcd.ctl(lab.a1, 'compact', str(head))
    reads(pair, 's1')
    vote.wait_acked(100)
    assert outage(vote, at) < 0.5
    assert pair.record('s1')['epoch'] == 1
    shown = pair.hactl('s1', 'register', 'show').stdout
    assert shown.count('serves; cluster') == 3, shown
    fault = now()
    faults.databases_killed(lab)
    vote.wait_acked(50, since=fault, server=lab.s2.address, deadline=15)
    report = pair.audit('s2', fault)
    assert report['ok']
    assert outage(vote, fault) <= 0.8


def test_host_lost_with_the_leader_of_etcd(long_pair):
    lab = long_pair.lab
    vote = long_pair.vote()
    etcd.move_leader(lab, 's1')
    vote.wait_acked(20)
    at = now()
    faults.host_lost(lab)
    vote.wait_acked(50, since=at, server=lab.s2.address, deadline=20)
    report = long_pair.audit('s2', at)
    assert report['ok']
    gap = outage(vote, at)
    print('outage: %.0f ms' % (gap * 1e3))
    assert gap <= T + 0.6 + ELECTION


@pytest.mark.parametrize('key', ['s1', 's2', 'a1'])
def test_member_cut_off_from_the_others(long_pair, key):
    """Members lose sight of one of them, and nothing else is lost: a host's
    own member is no better than the next one."""
    lab = long_pair.lab
    host = lab.host[key]
    vote = long_pair.vote()
    vote.wait_acked(20)
    at = now()
    host.run(['nft', '-f', '-'], input=(
        'table inet cut {\nchain input {\n'
        'type filter hook input priority -300;\n'
        'tcp dport %d drop\ntcp sport %d drop\n}\n}\n' % (
            etcd.PEERS, etcd.PEERS)))
    vote.wait_acked(800, since=at, deadline=20)
    reads(long_pair, 's1')
    reads(long_pair, 's2')
    assert outage(vote, at) < 0.5
    fault = now()
    faults.databases_killed(lab)
    vote.wait_acked(50, since=fault, server=lab.s2.address, deadline=15)
    report = long_pair.audit('s2', fault)
    assert report['ok']
    assert outage(vote, fault) <= 0.8 + ELECTION


def unmoved(pair, vote):
    """The primary goes on while they are slow."""
    at = now()
    vote.wait_acked(800, since=at, deadline=20)
    wait_for(lambda: now() - at > 3 * T * 10**9, 10, 'three times T',
             every=0.2)
    assert outage(vote, at) < 0.5
    assert pair.record('s1')['epoch'] == 1


@pytest.mark.parametrize('who, seconds, bound', [
    ('follower', 1.0, 0.8),             # the two others are a majority
    ('leader', 1.0, 0.8 + ELECTION),    # it is too slow to lead, and replaced
    ('leader', SLOW, 0.8 + WRITTEN),
    ('all', SLOW, 0.8 + WRITTEN),
])
def test_slow_disk(long_pair, who, seconds, bound):
    """Of members of etcd: a healthy primary notices nothing of it. One that
    crashes is replaced, as soon as what is written for it is on the disks."""
    lab = long_pair.lab
    vote = long_pair.vote()
    etcd.move_leader(lab, 'a1')
    vote.wait_acked(20)
    with slow_disks(lab, SLOW_ONES[who], seconds):
        unmoved(long_pair, vote)
        fault = now()
        faults.databases_killed(lab)
        vote.wait_acked(50, since=fault, server=lab.s2.address, deadline=20)
    report = long_pair.audit('s2', fault)
    assert report['ok']
    print('outage: %.0f ms' % (outage(vote, fault) * 1e3))
    assert outage(vote, fault) <= bound


def test_slow_disks_and_host_lost(long_pair):
    lab = long_pair.lab
    vote = long_pair.vote()
    etcd.move_leader(lab, 'a1')
    vote.wait_acked(20)
    with slow_disks(lab, etcd.MEMBERS, SLOW):
        unmoved(long_pair, vote)
        fault = now()
        faults.host_lost(lab)
        vote.wait_acked(50, since=fault, server=lab.s2.address, deadline=20)
    report = long_pair.audit('s2', fault)
    assert report['ok']
    print('outage: %.0f ms' % (outage(vote, fault) * 1e3))
    assert outage(vote, fault) <= T + 0.6 + WRITTEN


def test_disks_too_slow(long_pair):
    """Longer than an election, and than anybody waits for an answer: as if
    there was no majority. The primary goes on; who takes over from one that
    crashes may have to wait until they are faster."""
    lab = long_pair.lab
    vote = long_pair.vote()
    vote.wait_acked(20)
    with slow_disks(lab, etcd.MEMBERS, 1.0):
        unmoved(long_pair, vote)
        fault = now()
        faults.databases_killed(lab)
        wait_for(lambda: now() - fault > 3 * T * 10**9, 10, 'three times T',
                 every=0.2)
    fast = now()
    vote.wait_acked(50, since=fault, server=lab.s2.address, deadline=20)
    assert vote.acked(fault, lab.s2.address)[0].end - fast < \
        (ELECTION + 2.0) * 1e9
    assert long_pair.audit('s2', fault)['ok']


def test_quorum_lost(long_pair):
    """With a candidate whose answers keep the lease, and without any: the
    primary goes on. Nobody takes over from a lost one until etcd is back."""
    lab = long_pair.lab
    vote = long_pair.vote()
    vote.wait_acked(20)
    at = now()
    for key in ('s2', 'a1'):
        etcd.kill(lab.host[key])
    vote.wait_acked(800, since=at, deadline=20)
    assert 'etcd does not answer' in long_pair.hactl('s1', 'status').stdout
    done = long_pair.hactl('a1', 'register', 'show')
    assert done.returncode != 0
    assert 'etcdctl' in (done.stdout + done.stderr).splitlines()[-1]
    for key in ('s2', 'a1'):
        etcd.start(lab.host[key])
    reads(long_pair, 's1')
    vote.wait_acked(100)
    # Without a candidate it never stops, whatever becomes of etcd.
    faults.standby_lost(lab)
    long_pair.wait_candidates('s1', [], 10)
    for key in ('s1', 'a1'):
        etcd.kill(lab.host[key])
    alone = now()
    vote.wait_acked(400, since=alone + 5 * 10**9, deadline=30)
    assert outage(vote, alone) < 0.5
    assert long_pair.status('s1')['lease']['endless']
    for key in ('s1', 'a1'):
        etcd.start(lab.host[key])
    lab.boot('s2')
    long_pair.wait_candidates('s1', ['prod-s2'], 40)
    assert long_pair.record('s1')['epoch'] == 1
    assert long_pair.audit('s1', at, changes=0)['ok']


def test_quorum_lost_together_with_the_primary(long_pair):
    lab = long_pair.lab
    vote = long_pair.vote()
    vote.wait_acked(20)
    etcd.kill(lab.a1)
    faults.host_lost(lab)
    at = now()
    wait_for(lambda: now() - at > 6 * 10**9, 10, 'three times T', every=0.2)
    assert not vote.acked(at)
    assert lab.pg['s2'].in_recovery()
    etcd.start(lab.a1)
    vote.wait_acked(20, since=at, server=lab.s2.address, deadline=30)
    assert long_pair.audit('s2')['ok']


def test_snapshot_put_back(long_pair):
    """Of before a takeover. As the same cluster it counts fewer writes: nobody
    believes it, and the primary goes on. As another one it is cold, all nodes
    report, and the holder writes above all that was."""
    lab = long_pair.lab
    vote = long_pair.vote()
    vote.wait_acked(20)
    etcd.ctl(lab.a1, 'snapshot', 'save', '/var/lib/etcd-saved')
    with open(lab.a1.path('/var/lib/etcd-saved'), 'rb') as f:
        snapshot = f.read()
    assert snapshot
    fault = now()
    faults.databases_killed(lab)
    vote.wait_acked(50, since=fault, server=lab.s2.address, deadline=15)
    long_pair.wait_plan_end('s2')
    at = now()
    etcd.put_back(lab, snapshot, 'lab')
    for key in ('s1', 's2'):
        wait_for(lambda k=key:
                 long_pair.status(k)['register']['amnesiac'], 15,
                 '%s notices it' % key, every=0.1)
    vote.wait_acked(400, since=at, server=lab.s2.address, deadline=20)
    assert not vote.acked(at, lab.s1.address)
    etcd.put_back(lab, snapshot, 'lab-2')
    wait_for(lambda: long_pair.record('s2').get('epoch', 0) > 2, 30,
             'the holder writes anew', every=0.2)
    record = long_pair.record('s2')
    assert (record['holder'], record['state']) == ('prod-s2', 'held')
    reads(long_pair, 's2')
    vote.wait_acked(400, since=at, server=lab.s2.address, deadline=20)
    assert not vote.acked(at, lab.s1.address)
    assert outage(vote, at) < 0.5
    assert long_pair.audit('s2', fault)['ok']
