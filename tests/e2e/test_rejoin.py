"""A primary that was lost comes back with data of its own: what only it has is
saved, the rest is rewound, and it is a candidate again; by itself, by hand,
and after its host or its engine died in the midst of it."""

import fcntl
import glob
import os
import re
import signal

import pytest

from lab import auditor, faults, pg, product, wait_for
from lab.cluster import now
from lab.host import wait_gone

REJOIN = 'rejoin = "rewind";'
# One that is deaf for a moment stays a candidate.
SETTINGS = {'min_interval': '0s', 'ttl': '4s',
            'postgres': 'standby_timeout = "4s";'}
KEPT = 10


@pytest.fixture
def cluster(make_cluster):
    return make_cluster(settings=dict(SETTINGS, more=REJOIN))


def lose_primary(cluster, old, new, vote, more=''):
    """The databases of the primary are killed with rows on it that no standby
    ever got: its standby is deaf for a moment. Returns when."""
    lab = cluster.lab
    lab.cut(new, [old])
    lab.pg[old].sql("SET synchronous_commit = local; INSERT INTO vote (client,"
                    " n) SELECT 'nobody', n FROM generate_series(1, 20) n;" +
                    more, db='votes')
    at = now()
    lab.pg[old].kill_all()
    lab.heal()
    vote.wait_acked(20, since=at, server=lab.host[new].address, deadline=20)
    return at


def saved(cluster, key):
    """What was saved there, the oldest first."""
    return sorted(glob.glob(cluster.lab.host[key].path(
        '/var/lib/hawatch/saved/*')))


def check_rejoined(cluster, old, new, deadline=60):
    """It streams, is a candidate, and has what the primary has."""
    cluster.wait_candidates(new, [cluster.lab.host[old].name], deadline)
    cluster.wait_role(old, 'standby', 10)
    status = cluster.status(old)
    assert not status['durable']['latch'], status['durable']
    assert cluster.lab.pg[new].streams_to(cluster.lab.pg[old])
    assert ('nobody', 1) not in cluster.rows(new)


def rows_wait(cluster, old, new):
    """The standby has every row that the primary has now."""
    rows = cluster.rows(new)
    wait_for(lambda: rows <= cluster.rows(old), 10,
             'the rejoined standby has all')


def check_saved(cluster, key, epoch):
    """What only that data had is there, for nobody but root."""
    place = saved(cluster, key)[-1]
    assert re.search(r'Z-epoch%d-\d+$' % epoch, place)
    assert len(saved(cluster, key)) <= KEPT
    with open(os.path.join(place, 'listing')) as f:
        assert re.search(r'rmgr: Heap .*INSERT', f.read())
    assert os.path.exists(os.path.join(place, 'complete'))
    assert os.listdir(os.path.join(place, 'pg_wal'))
    assert os.stat(place).st_mode & 0o77 == 0


def test_rounds(cluster, request):
    """There and back and so on, unattended, under votes: each time with rows
    on the old primary that nobody else has. Every fifth time the whole host is
    lost, and boots."""
    rounds = request.config.getoption('--rounds') or (
        50 if request.config.getoption('--long') else 2)
    vote = cluster.vote()
    vote.wait_acked(10)
    began, gaps, took = now(), [], []
    for n in range(rounds):
        old, new = (('s1', 's2'), ('s2', 's1'))[n % 2]
        cluster.wait_plan_end(old)
        if n % 5 == 4:
            at = now()
            faults.host_lost(cluster.lab, old)
            vote.wait_acked(20, since=at, deadline=20,
                            server=cluster.lab.host[new].address)
            cluster.lab.boot(old)
        else:
            at = lose_primary(cluster, old, new, vote)
        check_rejoined(cluster, old, new)
        took.append((now() - at) / 1e9)
        gaps.append(auditor.outage(vote.attempts(), at) / 1e9)
        rows_wait(cluster, old, new)
        if n % 5 != 4:
            check_saved(cluster, old, n + 2)
        print('%2d %s lost: %.2f s without a vote, a candidate again after '
              '%.1f s' % (n + 1, old, gaps[-1], took[-1]), flush=True)
    for key in ('s1', 's2'):
        assert cluster.wait_role(key, 'primary' if key == new else 'standby')
    assert cluster.record(new)['epoch'] == rounds + 1
    report = cluster.audit(new, began, changes=rounds)
    gaps.sort()
    took.sort()
    print('%d rounds: without a vote median %.2f s, worst %.2f s; a candidate '
          'again after median %.1f s, worst %.1f s' % (
              rounds, gaps[rounds // 2], gaps[-1], took[rounds // 2],
              took[-1]))
    assert report['ok']


# -- with --long ------------------------------------------------------------

@pytest.fixture
def long_run(request):
    if not request.config.getoption('--long'):
        pytest.skip('with --long')


@pytest.fixture
def by_hand(make_cluster, long_run):
    return make_cluster(settings=SETTINGS)


def rejoin(cluster, key, *words):
    done = cluster.hactl(key, 'rejoin', *words)
    print(done.stdout + done.stderr, end='')
    return done


def refused(done, words):
    """With these words, and the next command at the end."""
    text = ' '.join(done.stderr.split())
    assert done.returncode == 1 and words in text, (done.returncode, text)
    assert done.stderr.splitlines()[-1].startswith('next: '), done.stderr
    return done.stderr.splitlines()[-1]


def test_by_hand(by_hand):
    """Nothing by itself; an order that says what it will do, what it did, and
    why not."""
    cluster = by_hand
    vote = cluster.vote()
    vote.wait_acked(10)
    refused(rejoin(cluster, 's1', '--yes'), 'holds the record itself')
    # What would be refused is, before anything is printed or asked.
    well = rejoin(cluster, 's2')
    refused(well, 'a standby already, and a candidate')
    assert well.stdout == ''
    began = lose_primary(cluster, 's1', 's2', vote)
    cluster.wait_role('s1', 'latched', 20)
    assert 'hactl rejoin' in cluster.hactl('s1', 'status').stdout
    asks = rejoin(cluster, 's1')
    refused(asks, 'no terminal')
    assert re.search(r'save +what only this data has', asks.stdout)
    cluster.lab.cut('s1', ['a1'])
    wait_for(lambda: not cluster.status('s1')['register']['read'], 10,
             'the register is not read any more')
    refused(rejoin(cluster, 's1', '--yes'), 'register does not answer')
    cluster.lab.heal()
    tries = []

    def rejoins():
        tries.append(rejoin(cluster, 's1', '--yes'))
        return tries[-1].returncode == 0

    wait_for(rejoins, 60, 'it rejoins', every=1)
    check_rejoined(cluster, 's1', 's2')
    # What it saved is there, by the command that it names.
    assert re.search(r'saved +[1-9]\d* bytes', tries[-1].stdout)
    look = tries[-1].stdout.splitlines()[-1].split()
    assert look[0] == 'less'
    cluster.lab.s1.run(['grep', '-q', 'rmgr', look[1]])
    refused(rejoin(cluster, 's1', '--yes'), 'a standby already, and a candid')
    assert cluster.audit('s2', began)['ok']


@pytest.mark.parametrize('what', ['engine', 'host'])
def test_killed_in_the_midst(cluster, long_run, what):
    """Half rewritten data is started by nobody, and rewritten again from what
    was saved."""
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(10)
    began = lose_primary(cluster, 's1', 's2', vote)
    pid, = wait_for(lambda: lab.s1.pids('pg_rewind')
                    if (cluster.status('s1').get('plan') or {}).get('row') ==
                    'rewind' else None, 60, 'pg_rewind runs', every=0.02)[:1]
    lab.s1.kill([pid], signal.SIGSTOP)
    assert cluster.status('s1')['durable']['rejoin'] == 'half'
    if what == 'engine':
        cluster.engine_kill('s1')
        wait_gone([pid])
        # What the gate says without an engine, and to a person.
        assert not os.path.exists(lab.pg['s1'].data('standby.signal'))
        assert cluster.hactl('s1', 'gate').returncode != 0
        not_beside_another(cluster, 's1')
        cluster.engine_start('s1')
    else:
        lab.power_cut('s1')
        lab.boot('s1')
    check_rejoined(cluster, 's1', 's2', 90)
    rows_wait(cluster, 's1', 's2')
    restart_engine(cluster, 's1')
    assert cluster.audit('s2', began)['ok']


def not_beside_another(cluster, key):
    """Something of an earlier engine does not end: it holds the lock."""
    host = cluster.lab.host[key]
    with open(host.path('/var/lib/hawatch/lock')) as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        cluster.engine_start(key)
        wait_for(lambda: not host.pids('hawatchd'), 10, 'the engine ends')
    assert not host.pids('postgres')
    with open(product.log_path(host)) as f:
        assert 'ps -C hawatch-keeper' in f.read().splitlines()[-1]


def restart_engine(cluster, key):
    """Killed, with all that it alone holds together; the server that it has
    started is not of that."""
    host, server = cluster.lab.host[key], cluster.lab.pg[key]
    with open(server.data('postmaster.pid')) as f:
        before = f.read().splitlines()[:3]
    cluster.engine_kill(key)
    assert not host.pids('hawatch-keeper')
    cluster.engine_start(key)
    cluster.wait_role(key, 'standby', 20)
    with open(server.data('postmaster.pid')) as f:
        assert f.read().splitlines()[:3] == before


def forget_wal(server):
    """What it takes to rewind is gone."""
    redo = re.search(r'REDO WAL file: +(\w+)', server.do(
        [pg.BIN + 'pg_controldata', '-D', pg.DATA]).stdout)[1]
    for name in os.listdir(server.data('pg_wal')):
        if len(name) == 24 and name < redo:
            os.unlink(server.data('pg_wal', name))


def test_clone_where_a_rewind_is_impossible(by_hand):
    """What it takes to rewind is gone: refused, and then copied beside; the
    old data is kept."""
    cluster, lab = by_hand, by_hand.lab
    vote = cluster.vote()
    vote.wait_acked(10)
    began = lose_primary(cluster, 's1', 's2', vote, 'SELECT pg_switch_wal();'
                         'CHECKPOINT;')
    cluster.wait_role('s1', 'latched', 20)
    forget_wal(lab.pg['s1'])
    done = rejoin(cluster, 's1', '--yes')
    assert done.returncode == 4, done.stderr
    # Why, and what will do.
    said = ' '.join(done.stderr.split())
    assert re.search(r'abandoned at compare .* could not (find|open) .*'
                     r'next: hactl rejoin --clone --yes$', said), said
    assert 'aside' not in lab.s1.read(pg.DATA + '/postgresql.auto.conf')
    assert [e for e in cluster.events('s1') if e.get('ev') == 'rejoin.compared'
            and e['how'] == 'clone']
    inode = os.stat(lab.pg['s1'].data('PG_VERSION')).st_ino
    wait_for(lambda: rejoin(cluster, 's1', '--clone', '--yes').returncode == 0,
             90, 'it is cloned', every=2)
    check_rejoined(cluster, 's1', 's2')
    old, = glob.glob(lab.s1.path(pg.DATA + '.old-*'))
    assert os.stat(os.path.join(old, 'PG_VERSION')).st_ino == inode
    wait_for(lambda: os.path.exists(os.path.join(
        old, 'pg_internal.init.hawatch-old')), 10, 'it is noted as old')
    assert not glob.glob(lab.s1.path(pg.DATA + '.new*'))
    assert not os.path.exists(lab.pg['s1'].data(
        'pg_internal.init.hawatch'))
    assert cluster.audit('s2', began)['ok']
