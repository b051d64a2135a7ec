"""A person works on the hosts while votes are cast: failover is paused, a
standby is taken down on purpose, engines are restarted as by an upgrade."""

import json
import os
import re
import signal
import subprocess

import pytest

from lab import auditor, faults, product, wait_for
from lab.cluster import Cluster, now
from lab.host import wait_gone
from test_failover import everybody_votes

NODES = ('s1', 's2', 'a1')


@pytest.fixture(scope='module')
def kept(template):
    """One cluster for the tests of this file, in their order, and voters who
    vote all the while; what was acknowledged is there in the end."""
    cluster = Cluster().up(template)
    try:
        everybody_votes(cluster)
        yield cluster
        survivor = next(key for key in ('s1', 's2') if
                        cluster.status(key).get('role') == 'primary')
        changes = cluster.record(survivor)['epoch'] - 1
        assert cluster.audit(survivor, changes=changes)['ok']
    finally:
        cluster.down()


@pytest.fixture
def pair(request, kept):
    yield kept
    if getattr(request.node, 'failed', False):
        print(kept.logs())


def events(cluster, key, name, skip=0):
    return [e for e in cluster.events(key) if e.get('ev') == name][skip:]


def refused(cluster, key, *words, code=1):
    """The last line: the command that comes next."""
    done = cluster.hactl(key, *words)
    assert done.returncode == code, done.stdout + done.stderr
    return ' '.join(done.stderr.splitlines()[-1].split())


def ordered(cluster, key, *words):
    done = cluster.hactl(key, *words)
    print(done.stdout + done.stderr, end='')
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def paused(cluster, key):
    return cluster.status(key).get('paused')


def gap(vote, since):
    """ms without a vote since then."""
    return auditor.outage(vote.attempts(), since) / 1e6


def restart(cluster, key):
    """As a package's upgrade does it; back when it is in step again."""
    host = cluster.lab.host[key]
    pids = host.pids('hawatchd')
    host.kill(pids, signal.SIGTERM)
    wait_gone(pids)
    cluster.engine_start(key)
    wait_for(lambda: in_step(cluster, key), 10, 'it is in step', every=0.05)


def in_step(cluster, key):
    """The register answers again; the holder has renewed its lease."""
    if key == 'a1':
        return all(cluster.hactl(k, 'register', 'show').returncode == 0
                   for k in ('s1', 's2'))
    said = cluster.status(key)
    return said.get('register', {}).get('read') and (
        said['record']['holder'] != said['node'] or said['lease']['mine'])


def orders(request):
    """Of restarts: a short one by which each host comes after each other, or
    all that there are."""
    from itertools import permutations
    if request.config.getoption('--long'):
        return [key for way in permutations(NODES) for key in way]
    return ['s1', 's2', 'a1', 's1', 'a1', 's2']


def test_engines_restarted_in_any_order(pair, request):
    """An upgrade is silent: nobody's role changes, no vote is refused."""
    cluster, vote = pair, pair.voters[0]
    at = now()
    for key in orders(request):
        restart(cluster, key)
        cluster.wait_candidates('s1', ['prod-s2'], 20)
        cluster.wait_role('s2', 'standby', 10)
    vote.wait_acked(50, since=now())
    longest = gap(vote, at)
    print('engines restarted: %.0f ms without a vote' % longest)
    record = cluster.record('s1')
    assert (record['epoch'], record['holder']) == (1, 'prod-s1')
    for key in ('s1', 's2'):
        for name in ('lease.lost', 'fence.closed', 'node.latched',
                     'standby.removed'):
            assert not events(cluster, key, name), name
    assert longest < 1000


def test_paused(pair):
    """Nobody takes over meanwhile, whatever is killed or restarted; every
    output says so; it ends by order, and by itself."""
    cluster, lab, vote = pair, pair.lab, pair.voters[0]
    # -- what is refused, and what comes next
    assert refused(cluster, 's1', 'pause', 'disks', '--yes', code=2
                   ).endswith('hactl pause --for 30m disks')
    assert 'hactl pause --for 24h disks' in refused(
        cluster, 's1', 'pause', '--for', '25h', 'disks', '--yes', code=2)
    assert 'hactl pause --for 30m disks --yes' in refused(
        cluster, 's1', 'pause', '--for', '30m', 'disks')
    assert 'ssh prod-s1 \'hactl pause --for 1800s "new disks" --yes\'' in \
        refused(
        cluster, 's2', 'pause', '--for', '30m', 'new disks', '--yes')
    assert 'ssh prod-s1 hactl resume' in refused(cluster, 's2', 'resume')
    assert 'hactl status' in refused(cluster, 's1', 'resume')
    assert cluster.candidates('s1') == ['prod-s2']
    # -- paused, and seen to be
    at = now()
    done = ordered(cluster, 's1', 'pause', '--for', '30m', 'new disks',
                   '--yes')
    assert 'failover is paused' in done.stdout
    assert cluster.record('s1')['candidates'] == []
    assert cluster.status('s1')['lease']['endless']
    for key in ('s1', 's2'):
        wait_for(lambda: paused(cluster, key), 5, 'it is read')
        said = paused(cluster, key)
        assert said['why'] == 'new disks' and said['by'].endswith('(uid 0)')
        assert 1700e3 < said['left_ms'] <= 1800e3 and said['written']
        assert len(events(cluster, key, 'failover.paused')) == 1
        wait_for(lambda: 'failover is paused' in cluster.http(key, '/')[1], 5,
                 'the page says so')
        assert 'new disks' in cluster.http(key, '/')[1]
        wait_for(lambda: '\nhawatch_paused 1\n' in
                 cluster.http(key, '/metrics')[1], 5, 'a metric says so')
    for key in NODES:
        text = ' '.join(cluster.hactl(key, 'status').stdout.split())
        assert 'failover is paused' in text and 'new disks' in text, text
        assert ('next hactl resume' if key == 's1' else
                'next ssh prod-s1 hactl resume') in text
        assert 'is on one host' in text and 'may not take over' not in text
    assert json.loads(cluster.hactl('a1', 'register', 'show', '--json')
                      .stdout)['record']['paused']['why'] == 'new disks'
    assert 'new disks' in cluster.hactl('a1', 'register', 'show').stdout
    assert 'hactl resume' in refused(cluster, 's1', 'switchover', '--yes')
    print('paused: %.0f ms without a vote' % gap(vote, at))
    # -- the primary dies: it comes back where it was, alone
    at = now()
    faults.databases_killed(lab)
    vote.wait_acked(100, since=at, server=lab.s1.address, deadline=30)
    print('killed in a pause: %.0f ms without a vote' % gap(vote, at))
    assert lab.pg['s2'].in_recovery()
    cluster.wait_plan_end('s1')
    # -- engines and the arbiter are restarted
    at = now()
    for key in ('s1', 'a1', 's2', 's1'):
        restart(cluster, key)
        wait_for(lambda: paused(cluster, 's1'), 5, 'it is paused yet')
    wait_for(lambda: cluster.status('s1').get('lease', {}).get('endless'), 10,
             'nobody may take over')
    vote.wait_acked(100, since=now())
    assert gap(vote, at) < 1000
    record = cluster.record('s1')
    assert (record['epoch'], record['candidates']) == (1, [])
    # -- resumed: added as one that is new
    added = len(events(cluster, 's1', 'standby.added'))
    ordered(cluster, 's1', 'resume')
    cluster.wait_candidates('s1', ['prod-s2'], 30)
    assert len(events(cluster, 's1', 'standby.added')) == added + 1
    for key in ('s1', 's2'):
        assert not paused(cluster, key)
        assert [e for e in events(cluster, key, 'failover.resumed')
                if 'by an order' in e['text']]
    # -- and by itself
    ordered(cluster, 's1', 'pause', '--for', '3s', 'a look', '--yes')
    assert cluster.candidates('s1') == []
    cluster.wait_candidates('s1', ['prod-s2'], 30)
    assert [e for e in events(cluster, 's1', 'failover.resumed')
            if 'its time is over' in e['text']]
    vote.wait_acked(50, since=now())
    wait_for(lambda: '\nhawatch_paused 0\n' in
             cluster.http('s1', '/metrics')[1], 5, 'a metric says so')
    assert cluster.record('s1')['epoch'] == 1


def test_standby_taken_down_without_the_register(pair):
    """Fenced while the register is down it leaves by its own word, and the
    primary goes on; unfenced it is a candidate again. The primary, fenced,
    gives the cluster away."""
    cluster, lab, vote = pair, pair.lab, pair.voters[0]
    assert 'hactl fence disks --yes' in refused(
        cluster, 's2', 'fence', 'disks')
    assert 'hactl fence "WHY"' in refused(
        cluster, 's2', 'fence', '', '--yes', code=2)
    cluster.engine_kill('a1')
    wait_for(lambda: not cluster.status('s1')['register']['read'], 10)
    at = now()
    ordered(cluster, 's2', 'fence', 'new disks', '--yes')
    vote.wait_acked(400, since=at, server=lab.s1.address, deadline=20)
    print('standby fenced: %.0f ms without a vote' % gap(vote, at))
    assert gap(vote, at) < 1500
    wait_for(lambda: cluster.status('s1')['possible'] == [], 10)
    vote.wait_acked(50, since=at + 5 * 10**9, server=lab.s1.address,
                    deadline=20)
    assert not lab.s2.pids('postgres')
    said = cluster.status('s2')['durable']
    assert said['latch'] and re.match(r'fenced by \S+ \(uid 0\): new disks',
                                      said['latch_why'])
    text = ' '.join(cluster.hactl('s1', 'status').stdout.split())
    assert 'ssh -t prod-s2 hactl unfence' in text and 'rebuild' not in text, text
    assert 'hactl status' in refused(cluster, 's2', 'fence', 'again', '--yes')
    cluster.engine_kill('s2')
    cluster.engine_start('s2')
    cluster.engine_start('a1')
    wait_for(lambda: cluster.hactl('s2', 'ping').returncode == 0, 10)
    ordered(cluster, 's2', 'unfence', '--yes')
    wait_for(lab.pg['s2'].in_recovery, 20, 'it follows again')
    wait_for(lambda: cluster.status('s1')['possible'] == ['prod-s2'], 30,
             'it is a candidate again')
    cluster.wait_candidates('s1', ['prod-s2'], 10)
    # -- the holder
    give_away(cluster)
    text = ' '.join(cluster.hactl('s2', 'status').stdout.split())
    assert 'ssh -t prod-s1 hactl rejoin' in text, text
    # What was not flushed there may be here: it is saved, then rewound.
    assert 'hactl rejoin' in refused(cluster, 's1', 'unfence', '--yes')
    assert 'has taken over' in cluster.status('s1')['durable']['latch_why']


def give_away(cluster):
    """prod-s1 holds the cluster, and a person fences it."""
    vote, at = cluster.voters[0], now()
    ordered(cluster, 's1', 'fence', 'it smells', '--yes')
    vote.wait_acked(50, since=at, server=cluster.lab.s2.address, deadline=15)
    print('primary fenced: %.0f ms without a vote' % gap(vote, at))
    cluster.wait_role('s1', 'latched')
    cluster.wait_plan_end('s2')
    wait_for(lambda: cluster.record('s1').get('holder') == 'prod-s2', 10)


@pytest.fixture
def given_away(pair):
    """prod-s2 holds the cluster, and prod-s1 is latched: by a test before, or
    now."""
    if pair.record('s1').get('holder') == 'prod-s1':
        pair.wait_candidates('s1', ['prod-s2'], 30)
        give_away(pair)
    yield pair


def apart(cluster, key):
    """What a rejoin sets data aside with, as far as it is in the server's
    file."""
    with open(cluster.lab.pg[key].data('postgresql.auto.conf')) as f:
        return [line for line in f if re.match(
            'hawatch|restore_command|recovery_target|wal_keep', line)]


def test_rejoined_fenced_and_rejoined(given_away):
    """A standby that a person fences, and thinks to rejoin: each of it is
    refused or done, and what a rejoin needs for itself is nowhere left, on the
    standby nor on the primary that it becomes; it follows from there."""
    cluster, lab = given_away, given_away.lab
    vote = cluster.voters[0]
    server, skip = lab.pg['s1'], len(events(cluster, 's1', 'rejoin.compared'))
    ordered(cluster, 's1', 'rejoin', '--yes')
    assert not apart(cluster, 's1')
    cluster.wait_candidates('s2', ['prod-s1'], 20)
    # -- it is well
    assert 'hactl status' in refused(cluster, 's1', 'rejoin', '--yes')
    # -- fenced: nobody counts on it when the order is over
    done = ordered(cluster, 's1', 'fence', 'disks', '--yes')
    assert 'no candidate any more' in ' '.join(done.stdout.split())
    assert cluster.candidates('s2') == []
    # -- by whom, why, and what comes first
    for words in (['--yes'], [], ['--clone', '--yes']):
        done = cluster.hactl('s1', 'rejoin', *words)
        text = ' '.join(done.stderr.split())
        assert done.returncode == 1 and done.stdout == '', text
        assert re.search(r'fenced by \S+ \(uid 0\): disks', text), text
        assert text.endswith('next: hactl unfence'), text
    ordered(cluster, 's1', 'unfence', '--yes')
    wait_for(server.answers, 20, 'it is started')
    cluster.wait_candidates('s2', ['prod-s1'], 20)
    # -- it receives nothing: its data is its primary's, and follows
    server.sql("ALTER SYSTEM SET primary_slot_name = 'nobody'")
    server.sql('SELECT pg_reload_conf()')
    cluster.wait_candidates('s2', [], 20)
    server.sql('ALTER SYSTEM RESET primary_slot_name')
    # A walreceiver that tries again counts as one for some milliseconds.
    asks = wait_for(lambda: done if 'nothing to rejoin' not in (
        done := cluster.hactl('s1', 'rejoin')).stderr else None, 5)
    assert 'what only this data has' in asks.stdout, asks.stderr
    assert asks.stderr.rstrip().endswith('hactl rejoin --yes'), asks.stderr
    wait_for(lambda: 'nothing to rejoin' not in (
        done := cluster.hactl('s1', 'rejoin', '--yes')).stderr and
        done.returncode == 0, 60)
    found = [e['how'] for e in events(cluster, 's1', 'rejoin.compared', skip)]
    assert found == ['rewind', 'follows'], found
    assert not apart(cluster, 's1')
    cluster.wait_candidates('s2', ['prod-s1'], 20)
    # -- there and back
    for old, new in (('s2', 's1'), ('s1', 's2')):
        at = now()
        ordered(cluster, old, 'switchover', '--yes')
        vote.wait_acked(20, since=at, server=lab.host[new].address,
                        deadline=20)
        cluster.wait_candidates(new, [lab.host[old].name], 20)
        assert not apart(cluster, 's1')
        assert server.sql('SHOW wal_keep_size') == [['64MB']]
    assert server.sql('SHOW recovery_target_timeline') == [['latest']]
    for key in ('s1', 's2'):
        assert not cluster.status(key)['durable']['latch']
        assert not [e for e in events(cluster, key, 'pg.setting')
                    if e['reason'] in ('set-aside', 'timeline-fixed')]


# The last commit whose engines speak the protocol before this one.
BEFORE = 'eda8f9a'


@pytest.fixture(scope='module')
def before(tmp_path_factory):
    """Directory with the programs of the version before."""
    top = tmp_path_factory.mktemp('before')
    source, build = str(top / 'source'), str(top / 'build')
    os.mkdir(source)
    tar = subprocess.Popen(['git', '-C', product.SOURCE, 'archive', BEFORE],
                           stdout=subprocess.PIPE)
    subprocess.run(['tar', 'x', '-C', source], stdin=tar.stdout, check=True)
    if tar.wait() != 0:
        pytest.skip('the history is not here')
    subprocess.run(['meson', 'setup', build, source], check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run(['ninja', '-C', build] + list(product.PROGRAMS.values()),
                   check=True, stdout=subprocess.DEVNULL)
    return build


@pytest.fixture
def mixed(request, template, before):
    """All hosts with the version before."""
    cluster = Cluster()
    for host in cluster.lab.host.values():
        host.writable += ['/usr/sbin']
    power_on = cluster.lab.switch.start

    def start():
        for key in NODES:
            host = cluster.lab.host[key]
            host.make_dirs()
            product.put(host, before)
        power_on()
    cluster.lab.switch.start = start
    yield cluster.up(template)
    if getattr(request.node, 'failed', False):
        print(cluster.logs())
    cluster.down()


def test_upgraded_one_by_one(request):
    """From the version before to this one under votes, the arbiter last, and
    back again: nobody's role changes, and each mixture can take over."""
    if not request.config.getoption('--long'):
        pytest.skip('only with --long')
    cluster = request.getfixturevalue('mixed')
    before = request.getfixturevalue('before')
    lab = cluster.lab
    vote = everybody_votes(cluster)
    vote.wait_acked(20)
    at = now()

    def to(key, build):
        product.put(lab.host[key], build)
        restart(cluster, key)
        cluster.wait_candidates('s1', ['prod-s2'], 20)
        cluster.wait_role('s2', 'standby', 10)

    assert 'protocol' not in cluster.status('s1')
    to('s2', lab.build)
    to('s1', lab.build)
    assert cluster.status('s1')['protocol'] == 2
    text = ' '.join(cluster.hactl('s1', 'status').stdout.split())
    assert 'the hawatchd of prod-a1 is older' in text
    # The arbiter would drop it.
    assert 'hactl status' in refused(
        cluster, 's1', 'pause', '--for', '30m', 'disks', '--yes')
    to('a1', lab.build)
    ordered(cluster, 's1', 'pause', '--for', '30m', 'disks', '--yes')
    ordered(cluster, 's1', 'resume')
    cluster.wait_candidates('s1', ['prod-s2'], 30)
    for key, build in (('a1', before), ('s1', before), ('s2', before),
                       ('s2', lab.build)):
        to(key, build)
    vote.wait_acked(50, since=now())
    longest = gap(vote, at)
    print('upgraded there and back: %.0f ms without a vote' % longest)
    assert (cluster.record('s1')['epoch'], longest < 1000) == (1, True)
    for key in ('s1', 's2'):
        for name in ('lease.lost', 'fence.closed', 'peer.refused'):
            assert not events(cluster, key, name), name
    # An engine of this version takes over from one of the version before.
    assert 'protocol' not in cluster.status('s1')
    fault = now()
    faults.host_lost(lab)
    vote.wait_acked(50, since=fault, server=lab.s2.address, deadline=15)
    assert cluster.audit('s2', fault)['ok']
