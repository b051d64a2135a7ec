"""hawatchd ends by SIGKILL while it brings a host to its role, between any two
renames and restarts, and is started again as systemd would: in the end every
line is right, and whoever reads a file was started after it was written."""

import os
import random
import time

import pytest

from lab import faults as lab_faults, wait_for
from lab.host import wait_gone
from votesite import Site, repoint, services
from votesite.watch import Case, apply, no_drift, readers_are_new, right

CRASH = os.environ.get('HAWATCH_BUILD_CRASH')
BACK = 0.3          # seconds until the service manager starts it again
# Without crash points: at which of these the kill aims, in turn.
AIMS = ['random', 'first rename']
POINTS = ['prepared', 'listed', 'renamed:1', 'renamed:2', 'renamed:3',
          'synced', 'restart:1', 'restarted:1', 'restart:2']


def spoil(site, key='s2'):
    """Every line is another one, as if the host had the other role."""
    host = site.lab.host[key]
    for path, pattern, text in (
            (repoint.MEMCACHED, r'^-l.*$', '-l 127.0.0.1,' + host.address),
            (repoint.BALLOT_BOX, r'^memcached\.host=.*$',
             'memcached.host="127.0.0.1:11211"'),
            (repoint.BALLOT_BOX,
             r'^(db\.default\.url="jdbc:postgresql://)[^:/]+(:.*)$',
             r'\1localhost\2'),
            (repoint.DEPLOY, r"^(\s*'HOST':\s*')[^']*(',)$",
             r'\1localhost\2')):
        assert repoint.edit(host, path, pattern, text)


def inodes(host):
    return [os.stat(host.path(p)).st_ino for p in (
        repoint.MEMCACHED, repoint.BALLOT_BOX, repoint.DEPLOY)]


def restarted(site, key='s2'):
    """The engine again, unarmed, and the host brought to its role."""
    time.sleep(BACK)
    site.engine_start(key)
    wait_for(lambda: site.status(key).get('role') in ('standby', 'latched'),
             10, 'hawatchd is back', every=0.05)
    wait_for(lambda: apply(site, key)[0] == 0, 15,
             'hactl drift --apply succeeds', every=0.1)


def check(site, key='s2', primary='s1'):
    right(site, key, primary)
    readers_are_new(site, key)
    no_drift(site, key)
    state = site.lab.host[key].read('/var/lib/hawatch/converge')
    assert state == '{"format":1,"restart":[]}'


def order(site):
    return site.lab.s2.popen(['hactl', 'drift', '--apply', '--yes'],
                             stdout=-3, stderr=-3)


def test_killed_ten_times(make_site):
    """The standby's, so that the lease goes on. Votes may fail for a moment,
    as its programs are restarted."""
    site = make_site()
    host = site.lab.s2
    with Case(site, limit=3000, nobody=10) as case:
        spoil(site)
        begin = time.monotonic()
        assert apply(site, 's2')[0] == 0
        window = time.monotonic() - begin
        check(site)
        left = 0
        for n in range(10):
            spoil(site)
            before = inodes(host)
            engine = host.pids('hawatchd')
            told = order(site)
            if AIMS[n % 2] == 'random':
                time.sleep(random.uniform(0, window))
            else:
                wait_for(lambda: inodes(host) != before, 10, every=0)
            host.kill(engine)
            wait_gone(engine)
            told.wait(10)
            changed = sum(a != b for a, b in zip(before, inodes(host)))
            left += 'service' in host.read('/var/lib/hawatch/converge')
            restarted(site)
            print('round %d: %s, %d files had been changed' % (
                n, AIMS[n % 2], changed))
            check(site)
        assert left, 'no kill came while a restart was due'
        case.both(15)


def test_killed_in_a_takeover(make_site):
    """Both hosts' engines, as soon as they have begun to converge."""
    site = make_site()
    with Case(site, changes=1, limit=3000, nobody=10) as case:
        before = {k: inodes(site.lab.host[k]) for k in ('s1', 's2')}
        lab_faults.databases_killed(site.lab)
        for key in 's2', 's1':
            host = site.lab.host[key]
            engine = host.pids('hawatchd')
            wait_for(lambda: inodes(host) != before[key], 20, every=0.001)
            host.kill(engine)
            wait_gone(engine)
            site.engine_start(key)
        case.web.wait_acked(100, since=case.at, server=site.lab.s2.address,
                            deadline=20)
        for key in 's1', 's2':
            wait_for(lambda: site.status(key)['site']['epoch'] == 2, 20,
                     '%s has come to its role' % key, every=0.2)
            services.wait_programs(site.lab.host[key],
                                   site.running(key, 's2'))
            check(site, key, 's2')
        case.both(20)


@pytest.fixture(scope='module')
def crash_site(template):
    if not CRASH:
        pytest.skip('HAWATCH_BUILD_CRASH is not set')
    was = os.environ['HAWATCH_BUILD']
    os.environ['HAWATCH_BUILD'] = CRASH
    try:
        site = Site().up(template)
    finally:
        os.environ['HAWATCH_BUILD'] = was
    yield site
    site.down()


@pytest.mark.parametrize('point', POINTS)
def test_killed_at(crash_site, point):
    site, host = crash_site, crash_site.lab.s2
    site.engine_kill('s2')
    site.engine_start('s2', {'HAWATCH_CRASH_AT': 'idle:' + point})
    wait_for(lambda: site.status('s2').get('role') == 'standby', 10,
             'hawatchd is back', every=0.05)
    no_drift(site, 's2', 65)
    spoil(site)

    def ended():
        """Once more where it was refused: a start, too, looks at the host."""
        print(*apply(site, 's2'))
        return not host.pids('hawatchd')

    wait_for(ended, 20, 'hawatchd has ended', every=0.1)
    restarted(site)
    check(site)
