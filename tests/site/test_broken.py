"""Each thing that depends on the role is wrong once, and it shows. The site
is without hawatchd, and whole again after each test."""

import contextlib
import time

import pytest

from lab import wait_for
from votesite import repoint, services


@contextlib.contextmanager
def edited(site, key, path, pattern, text, restart):
    """A file of a host is wrong for a while, and its reader restarted."""
    host = site.lab.host[key]
    was = host.read(path)

    def again():
        for words in restart:
            host.run(words, check=False)

    assert repoint.edit(host, path, pattern, text)
    again()
    try:
        yield host
    finally:
        with open(host.path(path), 'w') as f:
            f.write(was)
        again()
        site.wait_open()


def restart(*programs):
    return [['supervisorctl', 'restart', *programs]]


def seconds(site, key):
    """How long a look at the election takes."""
    begin = time.monotonic()
    assert site.state(key)[0] == 200
    return time.monotonic() - begin


def answers(site, key):
    return wait_for(lambda: services.http(
        site.lab.host[key], 'http://127.0.0.1:9000/api/authorities')[0] == 200)


def test_memcached_of_nobody_is_slow(by_hand):
    """The application waits a whole second, then asks the database; a voter
    that waits no longer than a second is lost."""
    assert seconds(by_hand, 's2') < 0.5
    with edited(by_hand, 's2', repoint.BALLOT_BOX, r'^memcached\.host=.*$',
                'memcached.host="10.77.0.12:11999"', restart('ballot-box')):
        answers(by_hand, 's2')
        assert seconds(by_hand, 's2') > 0.9
        assert seconds(by_hand, 's1') < 0.5
        vote = by_hand.vote_web('slow', hosts=['s2'], connections=1)
        wait_for(lambda: [a for a in vote.attempts()
                          if a.detail == 'timeout'], 5, 'a vote is too late')
        assert not vote.acked()
        vote.stop()


def test_memcached_of_its_own_is_old(by_hand):
    """Two web hosts with two caches see two elections."""
    primary = by_hand.lab.pg['s1']
    with edited(by_hand, 's2', repoint.BALLOT_BOX, r'^memcached\.host=.*$',
                'memcached.host="127.0.0.1:11211"', restart('ballot-box')):
        answers(by_hand, 's2')
        seen = [by_hand.state(k, election=5001)[2] for k in ('s1', 's2')]
        assert all('registered' in s for s in seen)
        primary.sql("UPDATE election SET state = 'started' WHERE id = 5001",
                    db='ballot_box')
        repoint.flush(by_hand.lab.s1)
        assert 'started' in by_hand.state('s1', election=5001)[2]
        assert 'registered' in by_hand.state('s2', election=5001)[2]
        wait_for(lambda: 'started' in by_hand.state('s2', election=5001)[2],
                 8, 'the old state is forgotten', every=0.2)
    primary.sql("UPDATE election SET state = 'registered' WHERE id = 5001",
                db='ballot_box')


@pytest.mark.parametrize('host, outcome, detail', [
    ('localhost', 'error', '25006'), ('lb', 'unknown', '500')],
    ids=['standby', 'nowhere'])
def test_database_of_ballot_box(by_hand, host, outcome, detail):
    with edited(by_hand, 's2', repoint.BALLOT_BOX,
                r'^(db\.default\.url="jdbc:postgresql://)[^:/]+(:.*)$',
                r'\g<1>%s\2' % host, restart('ballot-box')):
        answers(by_hand, 's2')
        vote = by_hand.vote_web('wrong-' + host, hosts=['s2'], connections=1)
        wait_for(lambda: len([a for a in vote.attempts() if (
            a.outcome, a.detail) == (outcome, detail)]) > 3, 5, outcome)
        assert not vote.acked()
        vote.stop()
        good = by_hand.vote_web('good-' + host, hosts=['s1'])
        good.wait_acked(20)
        good.stop()


def test_database_of_iam_and_the_stale_answer(by_hand):
    """nginx goes on to serve the answer that it has: only a request that is
    new each time shows that iam is broken."""
    assert by_hand.iam('s2', nonce=False)[0] == 200
    with edited(by_hand, 's2', repoint.DEPLOY,
                r"^(\s*'HOST':\s*')[^']*(',)$", r'\1lb\2', restart('iam')):
        wait_for(lambda: by_hand.iam('s2')[0] == 500)
        time.sleep(1)                   # until the kept answer is too old
        status, headers, _ = by_hand.iam('s2', nonce=False)
        assert (status, headers['x-cache-status']) == (200, 'STALE')
        assert by_hand.iam('s1')[0] == 200


def test_iam_dead_behind_nginx(by_hand):
    s2 = by_hand.lab.s2
    assert by_hand.iam('s2', nonce=False)[0] == 200
    services.supervisorctl(s2, 'stop', 'iam')
    try:
        wait_for(lambda: by_hand.iam('s2')[0] == 502)
        status, headers, _ = wait_for(
            lambda: (lambda a: a if a[1].get('x-cache-status') != 'HIT'
                     else None)(by_hand.iam('s2', nonce=False)))
        assert (status, headers['x-cache-status']) == (200, 'STALE')
    finally:
        services.supervisorctl(s2, 'start', 'iam')
    by_hand.wait_open()


def test_memcached_listens_for_itself_only(by_hand):
    """Of the primary: the other web host does without a cache."""
    with edited(by_hand, 's1', repoint.MEMCACHED, r'^-l.*$', '-l 127.0.0.1',
                [['service', 'memcached', 'restart']]):
        wait_for(lambda: seconds(by_hand, 's1') < 0.5)
        wait_for(lambda: seconds(by_hand, 's2') > 0.9)
    wait_for(lambda: seconds(by_hand, 's2') < 0.5)


def test_memcached_listens_for_a_stranger(by_hand):
    """It does not start at all."""
    with edited(by_hand, 's1', repoint.MEMCACHED, r'^-l.*$',
                '-l 127.0.0.1,10.77.0.99',
                [['service', 'memcached', 'restart']]) as s1:
        wait_for(lambda: s1.run(['service', 'memcached', 'status'],
                                check=False).returncode != 0)
        assert not s1.pids('memcached')
        assert seconds(by_hand, 's1') > 0.9


FILE = '/home/ballotbox/datastore/ballots'


def test_puller_overwrites_what_is_newer(by_hand):
    """rsync as it is called prefers the file of the other host, however old:
    on a new primary the ballots of the old one come back."""
    s1, s2 = by_hand.lab.s1, by_hand.lab.s2
    s1.write(FILE, 'of yesterday\n')
    s1.run(['touch', '-d', '2 days ago', FILE])
    services.supervisorctl(s2, 'restart', repoint.PULLER)
    wait_for(lambda: s2.run(['cat', FILE], check=False).stdout ==
             'of yesterday\n', 20, 'the puller pulls')
    s2.write(FILE, 'of today\n')
    repoint.stop_puller(s2)
    services.supervisorctl(s2, 'start', repoint.PULLER)
    wait_for(lambda: s2.read(FILE) == 'of yesterday\n', 10,
             'what is newer is overwritten')


def test_puller_that_is_only_stopped_lives_on(by_hand):
    """supervisord ends the shell, after ten seconds, and its child never."""
    s2 = by_hand.lab.s2
    wait_for(lambda: [x for x in repoint.pulling(s2).values()
                      if x.startswith('sleep')], 10, 'it rests')
    begin = time.monotonic()
    services.supervisorctl(s2, 'stop', repoint.PULLER)
    assert time.monotonic() - begin > 5
    left = repoint.pulling(s2)
    assert left, 'the child outlives the shell'
    s2.kill(left)
    services.supervisorctl(s2, 'start', repoint.PULLER)
