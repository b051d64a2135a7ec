"""Three web hosts: one of two takes over, the other follows it, and voters
find both."""

import time

from lab import auditor, faults, wait_for
from lab.cluster import now
from test_takeover import LAYOUTS, check_role
from votesite import repoint


def test_comes_up(make_site):
    site = make_site(layout='stable', data=3)
    print({k: round(v, 2) for k, v in site.took.items()})
    web = site.vote_web()
    for name in ('prod-s1', 'prod-s2', 'prod-s3'):
        web.wait_web(name, 50)
    for key in site.lab.data:
        check_role(site, key, 's1')
    done = site.hactl('s1', 'drift')
    print(done.stdout)
    assert site.audit('s1')['ok']
