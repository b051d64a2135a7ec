"""Faults of what a web host runs for itself: that host leaves the traffic, the
other takes the votes, and it comes back when it is mended. All of this on the
host that has the database, which stays there."""

import pytest

from lab import wait_for
from lab.host import wait_gone
from votesite import faults, services
from votesite.watch import Case


@pytest.fixture
def site(same_site):
    return same_site


def test_iam_dead_behind_a_stale_answer(site):
    """nginx goes on to say 200 for a program that is dead; hawatchd's query is
    new each time and gets past that."""
    with Case(site) as case:
        assert site.iam('s1', nonce=False)[0] == 200
        faults.iam_stopped(site.lab.s1)
        case.leaves('s1')
        status, headers, _ = site.iam('s1', nonce=False)
        assert (status, headers['x-cache-status']) == (200, 'STALE')
        case.down('s1', 'iam', 'http-status 502')
        case.down('s1', 'programs', 'program-stopped:iam')
        case.said(['prod-s1: check iam is down: http-status 502',
                   '/health says 503'], asker='s2')
        services.supervisorctl(site.lab.s1, 'start', 'iam')
        case.comes_back('s1')
        case.up('s1')


def test_iam_hangs(site):
    with Case(site) as case:
        faults.iam_hung(site.lab.s1)
        case.leaves('s1')
        case.down('s1', 'iam', 'timeout')
        case.said(['prod-s1: check iam is down: timeout',
                   '/health says 503'], asker='s2')
        faults.iam_goes_on(site.lab.s1)
        case.comes_back('s1')
        case.up('s1')


def test_iam_dead_on_both(site):
    """No host is better than the other: both stay."""
    with Case(site) as case:
        faults.iam_stopped(site.lab.s1)
        faults.iam_stopped(site.lab.s2)
        for key in 's1', 's2':
            case.down(key, 'iam', 'http-status 502')
        case.both()
        case.stays('s1', 2)
        case.stays('s2', 2)
        case.said(['no other host is better, so /health does not count it'])
        services.supervisorctl(site.lab.s2, 'start', 'iam')
        case.leaves('s1')
        services.supervisorctl(site.lab.s1, 'start', 'iam')
        case.comes_back('s1')
        case.up('s1')


def test_iam_dead_here_and_ballot_box_there(site):
    """The other host is out for something of its own: that it passes iam is
    no reason for the last one to go, too."""
    with Case(site) as case:
        services.supervisorctl(site.lab.s2, 'stop', 'ballot-box')
        case.leaves('s2')
        faults.iam_stopped(site.lab.s1)
        case.down('s1', 'iam', 'http-status 502')
        case.stays('s1', 3)
        case.said(['prod-s1: check iam is down: http-status 502',
                   'no other host is better, so /health does not count it'])
        services.supervisorctl(site.lab.s2, 'start', 'ballot-box')
        case.comes_back('s2', 15, both=False)
        services.supervisorctl(site.lab.s1, 'start', 'iam')
        case.comes_back('s1')
        case.up('s1')


def test_iam_dead_here_and_no_cache_there(site):
    """Each host fails what the other passes: the holder stays."""
    s2 = site.lab.s2
    with Case(site, limit=5000) as case:
        s2.run(['nft', '-f', '-'], input=NO_CACHE)
        case.leaves('s2')
        faults.iam_stopped(site.lab.s1)
        case.down('s1', 'iam', 'http-status 502')
        case.stays('s1', 3)
        services.supervisorctl(site.lab.s1, 'start', 'iam')
        s2.run(['nft', 'delete', 'table', 'inet', 'nocache'])
        case.both(20)
        case.up('s1')
        case.up('s2')


NO_CACHE = '''
table inet nocache {
    chain output {
        type filter hook output priority 0;
        ip daddr 10.77.0.11 tcp dport 11211 reject with tcp reset
    }
}
'''


def test_ballot_box_fatal(site):
    with Case(site) as case:
        faults.ballot_box_fatal(site.lab.s1)
        case.leaves('s1')
        case.down('s1', 'ballot-box', 'connect-refused')
        case.down('s1', 'programs', 'program-fatal:ballot-box')
        case.said(['prod-s1: check ballot-box is down: connect-refused',
                   'check programs is down: program-fatal:ballot-box: it ended '
                   'right after each start; supervisord has given up'])
        case.said(['program-fatal:ballot-box: it ended right after each'],
                  ['checks'])
        faults.ballot_box_starts(site.lab.s1)
        case.comes_back('s1')
        case.up('s1')


def test_nginx_down(site):
    with Case(site) as case:
        faults.nginx_killed(site.lab.s1)
        case.leaves('s1')
        case.down('s1', 'iam', 'connect-refused')
        case.said(['prod-s1: check iam is down: connect-refused'])
        services.start(site.lab.s1, 'nginx')
        case.comes_back('s1')
        case.up('s1')


def test_supervisord_stopped(site):
    """In order: its programs end with it, its socket is missing."""
    with Case(site) as case:
        faults.supervisord_stopped(site.lab.s1)
        case.leaves('s1')
        case.down('s1', 'programs', 'no-socket')
        case.said(['prod-s1: check programs is down: no-socket'])
        services.start(site.lab.s1, 'supervisord')
        services.wait_programs(site.lab.s1, site.running('s1'))
        case.comes_back('s1')
        case.up('s1')


def test_supervisord_killed(site):
    """Its programs live on and serve, so the host stays. Whoever starts it
    again has second copies of those that may be there twice, and of the others
    none that supervisord knows."""
    s1 = site.lab.s1
    with Case(site) as case:
        orphans = {w: faults.pids(s1, w) for w in (
            'ballot_box.py', 'iam.py', 'iam_celery.py')}
        faults.supervisord_killed(s1)
        case.down('s1', 'programs', 'connect-refused')
        case.stays('s1', 2)
        case.said(['prod-s1: check programs is down: connect-refused',
                   'then systemctl start supervisor',
                   'next ps -ef'])
        services.start(s1, 'supervisord')
        case.down('s1', 'programs', 'ballot-box', deadline=20)
        case.said(['prod-s1: check programs is down: program-'])
        wait_for(lambda: len(faults.pids(s1, 'iam_celery.py')) == 4, 10,
                 'celery and beat run twice')
        case.stays('s1', 2)
        found = sum(orphans.values(), [])
        s1.kill(found)
        wait_gone(found)
        services.supervisorctl(s1, 'start', 'ballot-box', 'iam')
        services.wait_programs(s1, site.running('s1'))
        case.up('s1')
        case.both(20)
