"""The site changes over in good order, there and back, while voters vote and
readers read over HTTP."""

import pytest

from lab import auditor, wait_for
from lab.cluster import now
from votesite import repoint, services
from votesite.readers import Readers

from test_takeover import check_role

# Seconds without a vote at the database, as the median. scripts/bench fails
# above OUTAGE, on a machine of its own. Here others use the same two processors,
# and so do the readers, the applications and the balancers of the site itself.
OUTAGE, SHARED = 0.3, 0.7


def write(host, path, text):
    """As ballot-box would."""
    host.write(path, text, 0o644)
    host.run(['chown', 'ballotbox:', path])


def median(values):
    return sorted(values)[(len(values) - 1) // 2]


def there_and_back(site, rounds):
    """There and back. [(database ms, site ms)], and the reads that failed."""
    web, vote, readers = site.vote_web(), site.vote(), Readers(site)
    web.wait_web('prod-s1', 50)
    web.wait_web('prod-s2', 50)
    vote.wait_acked(50)
    gaps, failed = [], []
    for _ in range(rounds):
        for old, new in (('s1', 's2'), ('s2', 's1')):
            site.wait_plan_end(old)
            ballot = '/home/ballotbox/datastore/ballot-%d' % len(gaps)
            write(site.lab.host[old], ballot, 'of now\n')
            at = now()
            done = site.hactl(old, 'switchover', '--yes')
            assert done.returncode == 0, done.stdout + done.stderr
            # The puller would have had it in ten minutes.
            assert site.lab.host[new].read(ballot) == 'of now\n'
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
    for voter in (web, vote):
        report = auditor.audit(voter.attempts(), rows, changes=2 * rounds)
        print(auditor.verdict(report))
        assert report['ok']
    return gaps, failed


# Where nothing has to be restarted, nobody who reads notices anything.
def test_there_and_back(make_site, request):
    """One site for all: first what fails before the stop."""
    site = make_site(layout='stable')
    fails_before_the_stop(site)
    gaps, failed = there_and_back(
        site, request.config.getoption('--rounds', None) or 1)
    print('median: database %.0f ms, site %.0f ms; %d reads failed' % (
        median([g[0] for g in gaps]), median([g[1] for g in gaps]),
        len(failed)))
    assert median([g[0] for g in gaps]) <= (OUTAGE + SHARED) * 1e3
    assert not failed


def test_there_and_back_rewritten(make_site, request):
    """The same where files are rewritten, and applications restarted."""
    rounds = request.config.getoption('--rounds', None)
    if not rounds:
        pytest.skip('with --rounds only')
    gaps, _ = there_and_back(make_site(layout='repoint'), rounds)
    print('median: database %.0f ms, site %.0f ms' % (
        median([g[0] for g in gaps]), median([g[1] for g in gaps])))


def check_whole(site):
    """The old primary serves as before: its programs, its voters, its epoch."""
    record = site.record('s1')
    assert (record['holder'], record['epoch'], record['state']) == \
        ('prod-s1', 1, 'held')
    services.wait_programs(site.lab.s1, site.running('s1'))
    wait_for(lambda: site.in_traffic() == ['prod-s1', 'prod-s2'], 10,
             'both hosts get voters')
    check_role(site, 's2', 's1')
    assert not [e for e in site.events('s1') if e.get('ev') == 'pg.signal']


def refused(site, *words):
    done = site.hactl('s1', 'switchover', '--yes', *words)
    print(done.stdout + done.stderr, end='')
    assert done.returncode == 1, done.stdout + done.stderr
    return ' '.join((done.stdout + done.stderr).split())


def fails_before_the_stop(site):
    """The target's files differ, then its pull fails: nothing was stopped that
    did not start again, and no voter is cut off."""
    s1, s2 = site.lab.s1, site.lab.s2
    wait_for(lambda: site.status('s2')['drift']['count'] == 0, 20,
             'all holds on prod-s2')
    plan = site.hactl('s1', 'plan', 'switchover', 'prod-s2').stdout
    print(plan)
    for word in ('the last one began', 'beat-elsewhere: program',
                 '/home/ballotbox/datastore is pulled', 'lb: this host'):
        assert word in ' '.join(plan.split()), word
    vote, web = site.vote(name='early'), site.vote_web('early-web')
    vote.wait_acked(20)
    web.wait_acked(20)
    at = now()
    # Of a tally that ran there.
    alone = '/home/ballotbox/datastore/of-s2'
    write(s2, alone, 'nobody else has this\n')
    assert '/home/ballotbox/datastore differs' in refused(site)
    stopped = [e for e in site.events('s1') if e.get('ev') == 'act.done' and
               e.get('kind') == 'quiet']
    assert stopped and stopped[-1]['answer'] == 'yes'
    assert s2.read(alone) == 'nobody else has this\n'
    check_whole(site)
    s2.run(['rm', alone])
    s2.run(['chmod', '000', '/usr/bin/ssh'])
    write(s1, '/home/ballotbox/datastore/of-s1', 'new\n')
    assert "the target's pull" in refused(site)
    s2.run(['chmod', '755', '/usr/bin/ssh'])
    check_whole(site)
    for voter in (vote, web):
        gap = auditor.outage(voter.attempts(), at) / 1e6
        print('given up twice: %.0f ms without a vote' % gap)
        assert gap < 1000
        voter.stop()
        assert auditor.audit(voter.attempts(), site.rows('s1'), changes=0)['ok']
    site.voters.clear()
