"""hawatchd moves the whole site: the primary is lost while votes are cast over
HTTP, and every part is found on the new one."""

import time

import pytest

from lab import auditor, faults, wait_for
from lab.cluster import now
from votesite import conf, repoint, services

# What the site may be out beyond its database, in seconds. The bounds are for
# a shared machine; scripts/bench measures against the tighter ones.
LAYOUTS = {'repoint': 1.3, 'stable': 0.6}
FAULTS = [faults.databases_killed, faults.host_lost, faults.cut_off]


def lines(site, key):
    """The lines of a host's files that depend on its role."""
    host = site.lab.host[key]
    text = host.read(repoint.BALLOT_BOX) + host.read(repoint.DEPLOY) + \
        host.read(repoint.MEMCACHED)
    return [x.strip() for x in text.splitlines()
            if x.strip().startswith(('memcached.host', 'db.default.url',
                                     "'HOST'", '-l '))]


PRIMARY = ['db.default.url="jdbc:postgresql://localhost:5432/ballot_box"',
           'memcached.host="127.0.0.1:11211"', "'HOST': 'localhost',",
           '-l 127.0.0.1,10.77.0.12']
STANDBY = ['db.default.url="jdbc:postgresql://prod-s2:5432/ballot_box"',
           'memcached.host="prod-s2:11211"', "'HOST': 'prod-s2',",
           '-l 127.0.0.1']


def check_role(site, key, primary):
    """Whatever depends on the role of this host is so."""
    host = site.lab.host[key]
    services.wait_programs(host, site.running(key, primary))
    assert site.programs(key)[
        repoint.PULLER if key == primary else 'iam_celery_beat'] == 'STOPPED'
    if key == primary:
        assert not repoint.pulling(host)
    assert site.iam(key)[0] == 200
    assert site.state(key)[0] == 200


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('fault', FAULTS, ids=lambda f: f.__name__)
def test_takeover(make_site, layout, fault):
    site = make_site(layout=layout)
    before = {k: lines(site, k) for k in ('s1', 's2')}
    web, vote = site.vote_web(), site.vote()
    web.wait_web('prod-s1', 50)
    web.wait_web('prod-s2', 50)
    vote.wait_acked(50)
    at = now()
    fault(site.lab)
    server = site.lab.s2.address
    vote.wait_acked(50, since=at, server=server, deadline=20)
    web.wait_acked(200, since=at, server=server, deadline=20)
    check_role(site, 's2', 's2')
    gaps = [auditor.outage(v.attempts(), at) / 1e6 for v in (vote, web)]
    print('outage: database %.0f ms, site %.0f ms' % tuple(gaps))
    if fault is faults.databases_killed:
        web.wait_web('prod-s1', 50, since=now(), deadline=20)
        check_role(site, 's1', 's2')
    for voter in site.voters:
        voter.stop()
    rows = site.rows('s2')
    for voter in (web, vote):
        assert auditor.audit(voter.attempts(), rows, at)['ok']
    assert gaps[1] <= gaps[0] + LAYOUTS[layout] * 1e3
    after = {k: lines(site, k) for k in ('s1', 's2') if site.lab.host[k].up}
    if layout == 'stable':
        assert after == {k: before[k] for k in after}
    else:
        assert after['s2'] == PRIMARY
        if fault is faults.databases_killed:
            assert after['s1'] == STANDBY


def test_example_as_shipped(make_site):
    """conf/examples/sequent.conf with its own intervals, not the tests'."""
    site = make_site(settings=conf.settings(quick=False))
    web = site.vote_web()
    web.wait_web('prod-s2', 50)
    at = now()
    faults.databases_killed(site.lab)
    web.wait_web('prod-s1', 50, since=at + 2 * 10**9, deadline=30)
    check_role(site, 's2', 's2')
    check_role(site, 's1', 's2')
    assert site.audit('s2', at)['ok']


def test_takeover_is_not_overwritten_by_the_old_site(make_site):
    """The old primary's datastore has a file that is older than the new
    primary's: it does not come back with a puller that lives on, not even one
    that somebody's restart by supervisorctl has left behind."""
    site = make_site()
    s1, s2 = site.lab.s1, site.lab.s2
    path = '/home/ballotbox/datastore/ballots'
    s1.write(path, 'of yesterday\n')
    services.supervisorctl(s2, 'restart', repoint.PULLER)
    wait_for(lambda: s2.run(['cat', path], check=False).stdout, 20)
    faults.databases_killed(site.lab)
    site.wait_role('s2', 'primary', 20)
    assert not repoint.pulling(s2)
    s2.write(path, 'of today\n')
    site.wait_role('s1', 'latched', 20)
    time.sleep(2)               # long enough for a puller to do its harm
    assert s2.read(path) == 'of today\n'
    assert not repoint.pulling(s2)
