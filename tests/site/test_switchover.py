"""The site changes over in good order, there and back, while voters vote and
readers read over HTTP."""

import pytest

from lab import auditor
from lab.cluster import now
from votesite import repoint
from votesite.readers import Readers

from test_takeover import check_role

ROUNDS = 2              # there and back
OUTAGE = 0.3            # seconds without a vote at the database, as the median
SHARED = 0.3            # more of them on a shared machine


def median(values):
    return sorted(values)[len(values) // 2]


def there_and_back(site, rounds=ROUNDS):
    """[(database ms, site ms)], and the reads that failed."""
    web, vote, readers = site.vote_web(), site.vote(), Readers(site)
    web.wait_web('prod-s1', 50)
    web.wait_web('prod-s2', 50)
    vote.wait_acked(50)
    gaps, failed = [], []
    for _ in range(rounds):
        for old, new in (('s1', 's2'), ('s2', 's1')):
            site.wait_plan_end(old)
            at = now()
            done = site.hactl(old, 'switchover', '--yes')
            assert done.returncode == 0, done.stdout + done.stderr
            server = site.lab.host[new].address
            vote.wait_acked(50, since=at, server=server, deadline=10)
            web.wait_acked(200, since=at, server=server, deadline=20)
            site.wait_candidates(new, [site.lab.host[old].name], 30)
            site.wait_plan_end(new, 60)
            check_role(site, old, new)
            check_role(site, new, new)
            assert not repoint.pulling(site.lab.host[new])
            gaps.append(tuple(auditor.outage(v.attempts(), at) / 1e6
                              for v in (vote, web)))
            late = readers.failed(at)
            failed += late
            print('%s to %s: database %.0f ms, site %.0f ms; %d reads, %d '
                  'failed, the slowest %.0f ms' % (
                      old, new, gaps[-1][0], gaps[-1][1],
                      len(readers.since(at)), len(late), readers.slowest(at)))
            for read in late[:10]:
                print('  %6.0f ms + %4.0f ms: %s %d %s' % (
                    (read.start - at) / 1e6, (read.end - read.start) / 1e6,
                    read.path, read.status, read.why))
    readers.stop()
    for voter in site.voters:
        voter.stop()
    rows = site.rows('s1')
    # A vote over HTTP waits at a local HAProxy until there is a primary.
    for voter in (web, vote):
        report = auditor.audit(voter.attempts(), rows, changes=2 * rounds,
                               held=voter is web)
        print(auditor.verdict(report))
        assert report['ok']
    return gaps, failed


# Where nothing has to be restarted, nobody who reads notices anything.
@pytest.mark.parametrize('layout', ['stable', 'repoint'])
def test_there_and_back(make_site, layout):
    site = make_site(layout=layout)
    gaps, failed = there_and_back(site)
    print('median: database %.0f ms, site %.0f ms; %d reads failed' % (
        median([g[0] for g in gaps]), median([g[1] for g in gaps]),
        len(failed)))
    assert median([g[0] for g in gaps]) <= (OUTAGE + SHARED) * 1e3
    if layout == 'stable':
        assert not failed
