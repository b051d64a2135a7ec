"""What guards a host that boots while hawatchd does not run, each alone.

The old primary comes back with its files, its network and its PostgreSQL, and
clients never stop to try it, from other hosts and from its own. The closed
fence, the gate of PostgreSQL's unit and standby.signal each keep it from being
written to with the other two taken away, and so does the engine as soon as it
runs. Synchronous replication, which would keep a write from being acknowledged,
is taken away, too."""

import os
import re
import shutil
import time

import pytest

from lab import auditor, faults, wait_for
from lab.cluster import Cluster, now
from lab.pg import copy_tree

FILES = ('/var/lib/postgresql', '/var/lib/hawatch')
TRIES = 40                      # of each client, in each boot


class Old:
    """The old primary's host, switched off, and prod-s2 that took over."""

    def __init__(self, template, fault):
        self.cluster = Cluster().up(template)
        self.lab = self.cluster.lab
        self.pg = self.lab.pg['s1']
        self.vote = self.cluster.vote()
        self.clients = [
            self.cluster.vote('pinned', name='net', hosts=['s1'],
                              words=['-n', '4', '-e', '1']),
            self.cluster.vote('pinned', name='peer', hosts=['s1'], at='s2',
                              words=['-e', '1'])]
        self.vote.wait_acked(20)
        fault(self.lab)
        self.vote.wait_acked(20, server=self.lab.s2.address, deadline=15)
        self.boots = 0

    def keep(self):
        """The files of the host, which is off, for each of its boots; no
        commit there would wait for a standby."""
        path = self.pg.data('postgresql.auto.conf')
        with open(path) as f:
            text = f.read()
        with open(path, 'w') as f:
            f.write(re.sub('synchronous_standby_names.*', '', text))
        for path in FILES:
            copy_tree(self.lab.s1.path(path), self._kept(path))
        return self

    def _kept(self, path):
        return os.path.join(self.lab.dir, 'kept-' + os.path.basename(path))

    def boot(self, **kw):
        """Without hawatchd. Returns what the units did, when each client has
        tried."""
        if self.lab.s1.up:
            self.lab.power_cut('s1')
        for path in FILES:
            shutil.rmtree(self.lab.s1.path(path))
            copy_tree(self._kept(path), self.lab.s1.path(path))
        self.boots += 1
        self.at, self.wall = now(), time.time()
        done = dict(self.lab.boot('s1', daemon=False, autostart=True, **kw))
        self.clients[2:] = [self.cluster.vote(
            'pinned', name='%s-%d' % (name, self.boots), hosts=[address],
            at='s1', words=['-e', '1']) for name, address in (
                ('local', '127.0.0.1'), ('own', self.lab.s1.address))]
        self.wait_tried()
        return done

    def wait_tried(self):
        """Until each client has tried often enough from now on."""
        since = now()
        for voter in self.clients:
            wait_for(lambda v=voter: sum(
                a.start > since for a in v.attempts()) >= TRIES, 30,
                '%s tries' % voter.name)

    def acked(self):
        """What the old primary has acknowledged since it booted."""
        return [a for v in self.clients for a in v.acked(self.at)]

    def written(self):
        """Rows that are in its database since it booted."""
        return int(self.pg.sql(
            'SELECT count(*) FROM vote WHERE at > to_timestamp(%f)' %
            self.wall, db='votes')[0][0])

    def start_engine(self):
        """It finds a host that is not to be primary, and sees to it."""
        at = now()
        self.cluster.engine_start('s1')
        wait_for(lambda: self.pg.in_recovery() is not False, 20,
                 'the old primary has stopped')
        print('stopped %.0f ms after the start of the engine' % (
            (now() - at) / 1e6))
        self.cluster.wait_role('s1', 'latched', 20)
        self.wait_tried()

    def check_votes(self):
        """Of those who vote where one should, and go on to."""
        self.vote.wait_acked(20, server=self.lab.s2.address)
        attempts = self.vote.attempts()
        report = auditor.audit(attempts, self.cluster.rows('s2'))
        assert not report['lost'] and not report['two_writers']


@pytest.fixture(scope='module')
def make_old(request, template):
    made = []

    def make(fault):
        made.append(Old(template, fault))
        return made[-1]

    yield make
    for old in made:
        if request.session.testsfailed:
            print(old.cluster.logs())
        old.cluster.down()


@pytest.fixture(scope='module')
def old(make_old):
    """Its power was cut while it was primary."""
    return make_old(faults.host_lost).keep()


def test_fence_alone(old):
    """PostgreSQL runs as a primary and nobody gets through to it."""
    done = old.boot(guards=('fence',))
    assert done == {'hawatch-fence.service': 'ok', 'postgresql.service': 'ok'}
    assert old.pg.in_recovery() is False
    assert not old.acked() and old.written() == 0
    old.start_engine()
    assert not old.acked()
    old.check_votes()


def test_gate_alone(old):
    """PostgreSQL does not run."""
    done = old.boot(guards=('gate',))
    assert 'hactl gate' in done['postgresql.service']
    assert not old.lab.s1.pids('postgres')
    old.start_engine()
    assert not old.acked()
    old.check_votes()


def test_none(old):
    """With no guard at all the clients get through: so the other tests would
    see it. The engine ends it."""
    old.boot(guards=())
    assert old.acked() and old.written()
    old.start_engine()
    since = now()
    old.wait_tried()
    assert not [a for a in old.acked() if a.start > since]


def test_standby_signal_alone(make_old):
    """The engine has stopped it and left standby.signal; then the power was
    cut."""
    old = make_old(faults.cut_off)
    old.lab.heal()
    signal = old.pg.data('standby.signal')
    wait_for(lambda: os.path.exists(signal), 20, 'standby.signal is there')
    old.lab.power_cut('s1')
    old.keep()
    done = old.boot(guards=())
    assert done == {'postgresql.service': 'ok'}
    assert old.pg.in_recovery() is True
    assert not old.acked() and old.written() == 0
    old.start_engine()
    assert not old.acked()
    old.check_votes()
