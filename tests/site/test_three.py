"""Three web hosts: one of two takes over, the other one's database and programs
go over to it, and voters find both. --rounds with more than four has both
layouts."""

from lab import auditor, faults, wait_for
from lab.cluster import now
from test_takeover import LAYOUTS, check_role

DATASTORE = '/home/ballotbox/datastore/of-'


def pytest_generate_tests(metafunc):
    rounds = metafunc.config.getoption('--rounds', None) or 4
    metafunc.parametrize('layout', ['stable', 'repoint'] if rounds > 4
                         else ['stable'])


def test_takeover(make_site, layout):
    site = make_site(layout=layout, data=3)
    print({k: round(v, 2) for k, v in site.took.items()})
    lab, web, vote = site.lab, site.vote_web(), site.vote()
    for key in ('s2', 's3'):
        lab.host[key].write(DATASTORE + key, 'ballots\n')
    for key in lab.data:
        web.wait_web(lab.host[key].name, 50)
        check_role(site, key, 's1')
    vote.wait_acked(50)
    at = now()
    faults.host_lost(lab)
    new = site.winner(at, 's2', 's3')
    other = 's3' if new == 's2' else 's2'
    server = lab.host[new].address
    vote.wait_acked(50, since=at, server=server, deadline=20)
    web.wait_acked(200, since=at, server=server, deadline=20)
    gaps = [auditor.outage(v.attempts(), at) / 1e6 for v in (vote, web)]
    print('outage: database %.0f ms, site %.0f ms' % tuple(gaps))
    site.wait_candidates(new, ['prod-' + other], 30)
    assert lab.pg[new].streams_to(lab.pg[other])
    for key in ('s2', 's3'):
        check_role(site, key, new)
        web.wait_web(lab.host[key].name, 50)
    pulled = ['cat', DATASTORE + new]
    wait_for(lambda: lab.host[other].run(pulled, check=False).stdout, 20,
             'prod-%s pulls from prod-%s' % (other, new))
    done = site.hactl(new, 'drift')
    assert done.returncode == 3 and done.stdout.count('none') == 2
    assert sorted(site.in_traffic()) == ['prod-s2', 'prod-s3']
    assert site.audit(new, at)['ok']
    assert gaps[1] <= gaps[0] + LAYOUTS[layout] * 1e3
