"""Faults of memcached, which both web hosts share: nobody leaves the traffic
for it, the database stays where it is, and hactl names the cause."""

import pytest

from votesite import faults, repoint, services
from votesite.watch import Case, apply, no_drift

WAIT = 5000             # ms: a vote waits a second for each word with it


@pytest.fixture
def site(same_site):
    return same_site


def nobody_leaves(case, reason):
    """Both see it, so nobody is worse than the other."""
    case.down('s1', 'memcached', reason)
    for key in 's1', 's2':
        case.down(key, 'memcached-primary', reason)
    for key in 's1', 's2':
        case.stays(key, 2)
    case.said(['prod-s1: check memcached is down: ' + reason,
               'no other host is better, so /health does not count it'])


def whole(case):
    for key in 's1', 's2':
        case.up(key)
    case.both()


def test_memcached_dead(site):
    with Case(site, limit=WAIT) as case:
        faults.memcached_killed(site.lab.s1)
        nobody_leaves(case, 'connect-refused')
        services.start(site.lab.s1, 'memcached')
        whole(case)


def test_memcached_hung(site):
    with Case(site, limit=WAIT) as case:
        faults.memcached_hung(site.lab.s1)
        nobody_leaves(case, 'timeout')
        faults.memcached_goes_on(site.lab.s1)
        whole(case)


def test_memcached_of_the_standby_dead(site):
    """Nobody uses it: nothing happens, and it is told all the same."""
    with Case(site) as case:
        faults.memcached_killed(site.lab.s2)
        case.down('s2', 'memcached', 'connect-refused')
        case.stays('s2', 2)
        case.said(['prod-s2: check memcached is down: connect-refused'])
        services.start(site.lab.s2, 'memcached')
        whole(case)


def test_memcached_on_the_wrong_address(site):
    """It runs, for its own host alone. The other host cannot use it, and is
    the worse one: it leaves. hactl drift names the line, which nobody changes
    by himself, and --apply does."""
    s1 = site.lab.s1
    with Case(site, limit=WAIT) as case:
        assert repoint.edit(s1, repoint.MEMCACHED, r'^-l.*$', '-l 127.0.0.1')
        services.service(s1, 'memcached', 'restart')
        for key in 's1', 's2':
            case.down(key, 'memcached-primary', 'connect-refused')
        case.stays('s1', 2)
        case.stays('s2', 2)
        assert 'memcached' not in [
            c['name'] for c in site.status('s1')['checks'] if c['up'] == 'no']
        case.said(['prod-s1 memcached-listen (line) differs',
                   'next ssh -t prod-s1 hactl drift --apply'], ['drift'], 's2',
                  deadline=65)
        assert s1.read(repoint.MEMCACHED).count('\n-l 127.0.0.1\n') == 1
        code, text = apply(site, 's1')
        assert code == 0 and 'memcached-listen' in text, text
        assert '\n-l 127.0.0.1,10.77.0.11\n' in s1.read(repoint.MEMCACHED)
        whole(case)
        no_drift(site, 's1')
        assert site.iam('s2')[0] == 200
