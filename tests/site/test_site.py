"""The site itself: it comes up, takes votes, starts fast, and what a person
would do by hand brings it to the other host."""

import time

import pytest

from lab import auditor, wait_for
from lab.cluster import now
from votesite import repoint, services


@pytest.mark.parametrize('layout', ['repoint', 'stable'])
def test_comes_up_and_takes_votes(make_site, layout):
    site = make_site(layout=layout)
    print({k: round(v, 2) for k, v in site.took.items()})
    assert site.took['all'] < 20
    vote = site.vote_web()
    vote.wait_web('prod-s1', 100)
    vote.wait_web('prod-s2', 100)
    pinned = site.vote_web('pinned', hosts=['s2'], connections=1)
    pinned.wait_acked(10)
    assert set(pinned.by_web()) == {'prod-s2'}
    for key in ('s1', 's2'):
        assert '"state": "started"' in site.state(key)[2]
        status, headers, body = site.iam(key)
        assert status == 200 and headers['x-cache-status'] == 'MISS'
        assert '"status": "ok"' in body and '"id": 1' in body
        services.wait_programs(site.lab.host[key], site.running(key))
    assert set(site.heartbeats('s1')) == {'prod-s1'}
    assert site.audit('s1')['ok']
    assert not [a for v in (vote, pinned) for a in v.attempts()
                if a.outcome != 'ack' and a.detail != 'pending']


def start_time(site, key, program, answers):
    """Seconds from the order to start until it answers."""
    host = site.lab.host[key]
    services.supervisorctl(host, 'stop', program)
    begin = time.monotonic()
    told = host.popen(['supervisorctl', 'start', program], stdout=-3)
    wait_for(answers, 10, program + ' answers', every=0.005)
    took = time.monotonic() - begin
    told.wait(10)
    return took


def test_programs_start_fast(by_hand):
    """supervisorctl itself and the asking are in these times, too."""
    host = by_hand.lab.s2
    ports = {'ballot-box': (9000, '/api/authorities'),
             'iam': (10080, '/iam/api/auth-event/1/')}
    for program, (port, path) in ports.items():
        took = [start_time(
            by_hand, 's2', program, lambda: services.http(
                host, 'http://127.0.0.1:%d%s' % (port, path))[0] == 200)
            for _ in range(5)]
        print(program, ['%.3f' % t for t in took])
        assert sorted(took)[2] < 0.8


def test_hundreds_of_votes_a_second(by_hand):
    vote = by_hand.vote_web('many', connections=4)
    vote.wait_acked(50)
    since = now()
    vote.wait_acked(400, since=since)
    took = (now() - since) / 1e9
    slow = sorted((a.end - a.start) / 1e6 for a in vote.acked(since))
    print('%.0f votes/s, half within %.1f ms, 99 of 100 within %.1f ms' % (
        400 / took, slow[len(slow) // 2], slow[len(slow) * 99 // 100]))
    vote.stop()
    assert 400 / took > 200


@pytest.mark.parametrize('layout', ['repoint', 'stable'])
def test_switch_over_by_hand(make_site, layout):
    """The old database is stopped in order; all that depends on the role is
    brought over by hand, and voters find the site again."""
    site = make_site(layout=layout, daemon=False)
    lab = site.lab
    vote = site.vote_web()
    vote.wait_acked(50)
    at = now()
    lab.pg['s1'].stop()
    repoint.promote(site, 's2')
    vote.wait_web('prod-s1', 50, since=at, deadline=15)
    vote.wait_web('prod-s2', 50, since=at)
    for key in ('s1', 's2'):
        assert site.iam(key)[0] == 200
    assert site.programs('s2')['syncdirs-from-master'] == 'STOPPED'
    assert not repoint.pulling(lab.s2)
    wait_for(lambda: site.programs('s1')['syncdirs-from-master'] == 'RUNNING')
    wait_for(lambda: site.heartbeats('s2').get('prod-s2', 9) < 2, 5)
    report = site.audit('s2', at)
    assert report['ok']
    print('outage by hand: %.0f ms' % (
        auditor.outage(vote.attempts(), at) / 1e6))


def test_web_host_boots(make_site):
    """After a power cut all of its services come back, and it takes votes."""
    site = make_site()
    vote = site.vote_web()
    vote.wait_web('prod-s2', 50)
    site.lab.power_cut('s2')
    at = now()
    vote.wait_web('prod-s1', 100, since=at)
    site.lab.boot('s2', autostart=True)
    site.wait_open()
    vote.wait_web('prod-s2', 50)
    services.wait_programs(site.lab.s2, site.running('s2'))
    assert site.audit('s1', at, changes=0)['ok']
