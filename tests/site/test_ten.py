"""The site fails over again and again, back and forth, with nobody to help but
for the rebuilding of the standby, while votes are cast.

The faults alternate; each time the other host takes over, the old primary is
cloned from it, and the next fault comes as soon as all is well. What is left
behind by one takeover would be found by one of the next."""

import contextlib
import time
from statistics import median

import pytest

from lab import auditor, wait_for
from lab.auditor import Attempt
from lab.cluster import now
from lab.story import story
from test_takeover import LAYOUTS
from votesite import census, conf, repoint, services

# Each host meets each fault, and one hawatchd of a web host sees eight rounds
# without a boot.
ORDER = ('killed', 'power', 'cut', 'stopped', 'power', 'killed', 'stopped',
         'cut', 'killed', 'stopped')
NAME = {'s1': 'prod-s1', 's2': 'prod-s2'}
STOPPED = 3.5                   # seconds
BACKUPS = 5                     # of each file
LATER = 500                     # ms of silence while a standby is rebuilt
GROWTH = 1500                   # KB in eight rounds
# The outages are compared elsewhere; here a busy machine may be slow.
SLOWER = 4000                   # ms of the site beyond its database
HEAD = ('round', 'fault', 'primary', 'db ms', 'http ms', 'later ms', 'back',
        'rebuilt', 'well', 'waited last for')
ROW = '%-5s %-8s %-8s %6s %8s %9s %6s %8s %6s  %s'


class Votes:
    """A voter's log, of which each line is read once."""

    def __init__(self, voter):
        self.voter = voter
        self.offset = 0
        self.attempts = []

    def since(self, at):
        """Attempts that ended after at; a vote ends in its own time, so a
        few lines may be out of order."""
        text = ''
        with contextlib.suppress(FileNotFoundError), open(self.voter.log) as f:
            f.seek(self.offset)
            text = f.read()
        text = text[:text.rfind('\n') + 1]
        self.offset += len(text)
        for w in (x.split() for x in text.splitlines()):
            self.attempts.append(Attempt(int(w[0]), int(w[1]), w[2],
                                         int(w[3]), w[4], w[5], w[6]))
        found = []
        for a in reversed(self.attempts):
            if a.end < at - 5 * 10**9:
                break
            if a.end > at:
                found.append(a)
        return found[::-1]

    def wait(self, count, at, deadline=20, **want):
        """Until so many that are as wanted were acknowledged after at."""
        wait_for(lambda: sum(
            a.outcome == 'ack' and all(getattr(a, k) == v
                                       for k, v in want.items())
            for a in self.since(at)) >= count, deadline,
            '%s: %d votes with %s' % (self.voter.name, count, want))

    def gap(self, at, begin, end):
        """The longest silence in ms that ends between at and end."""
        return auditor.outage([a for a in self.since(begin) if a.end <= end],
                              at) / 1e6


# -- what goes wrong, and its end ------------------------------------------

def strike(lab, fault, old, new):
    """Returns when it was."""
    at = now()
    if fault == 'killed':
        return lab.pg[old].kill_all()
    if fault == 'power':
        lab.power_cut(old)
    elif fault == 'cut':
        lab.cut(old, [new, 'a1'])
    else:
        lab.host[old].stop_all()
    return at


def mend(lab, fault, old, at):
    """The host is back, with all but its database."""
    if fault == 'power':
        lab.boot(old)
    elif fault == 'cut':
        lab.heal()
    elif fault == 'stopped':
        wait_for(lambda: now() - at > STOPPED * 1e9, STOPPED + 1)
        lab.host[old].continue_all()


# -- how it should be after each --------------------------------------------

def role_lines(site, key, primary):
    """What the files of this host should say, by its role."""
    host = site.lab.host[key]
    name = 'localhost' if key == primary else NAME[primary]
    cache = '127.0.0.1' if key == primary else NAME[primary]
    listen = '-l 127.0.0.1' + (',' + host.address if key == primary else '')
    if site.layout == 'stable':
        name, cache = '127.0.0.1', '127.0.0.1'
        listen = '-l 127.0.0.1,' + host.address
    ports = ('6432', '11311') if site.layout == 'stable' else (
        '5432', '11211')
    return {
        repoint.MEMCACHED: [listen],
        repoint.BALLOT_BOX: [
            'db.default.url="jdbc:postgresql://%s:%s/ballot_box"' % (
                name, ports[0]),
            'memcached.host="%s:%s"' % (cache, ports[1])],
        repoint.DEPLOY: ["'HOST': '%s'," % name]}


def amiss(site, primary):
    """Whatever is not yet as it should be on both web hosts: [words]."""
    words = []
    if site.in_traffic() != sorted(NAME.values()):
        words.append('in the traffic: %s' % site.in_traffic())
    for key in NAME:
        host = site.lab.host[key]
        words += ['%s: %s' % (key, w) for w in census.wrong(
            host, site.running(key, primary), site.layout)]
        for path, lines in role_lines(site, key, primary).items():
            have = [x.strip() for x in host.read(path).splitlines()]
            words += ['%s: %s lacks %s' % (key, path, x) for x in lines
                      if have.count(x) != 1]
        if site.http(key, '/health')[0] != 200:
            words.append('%s: /health %s' % (key, site.http(key, '/health')))
        if (site.http(key, '/primary')[0] == 200) != (key == primary):
            words.append('%s: /primary is wrong' % key)
        for path in (repoint.MEMCACHED, repoint.BALLOT_BOX, repoint.DEPLOY):
            words += ['%s: %s' % (key, w) for w in leavings(host, path)]
    done = site.hactl(primary, 'drift')
    if done.returncode != 0:
        words.append('drift: ' + done.stdout)
    return words


def leavings(host, path):
    """Too many copies of a file, or one that was left half-made."""
    directory, _, name = path.rpartition('/')
    found = host.run(['sh', '-c', 'ls -A "$1"', 'sh', directory]).stdout
    mine = [x for x in found.split() if x.startswith('.%s.' % name)]
    numbered = [x for x in mine if x.rpartition('-')[2].isdigit()]
    words = ['%s is left' % x for x in mine if x not in numbered]
    if len(numbered) > BACKUPS:
        words.append('%d copies of %s' % (len(numbered), path))
    return words


def wait_well(site, primary, web):
    """Both web hosts serve, each in its role, and one is the candidate.
    Returns what was amiss last."""
    standby = 's1' if primary == 's2' else 's2'
    lab = site.lab
    site.wait_candidates(primary, [NAME[standby]], 40)
    wait_for(lambda: lab.pg[primary].streams_to(lab.pg[standby]), 10,
             'the standby streams', every=0.1)
    site.wait_role(primary, 'primary', 10)
    last = ['']

    def well():
        found = amiss(site, primary)
        last[:] = found or last
        return not found
    try:
        wait_for(well, 40, 'all is as it should be', every=0.3)
    except AssertionError as e:
        raise AssertionError('%s\n%s' % (e, '\n'.join(last))) from None
    at = now()
    for name in NAME.values():
        web.wait(20, at, server=lab.host[primary].address, detail=name)
    # A beat a second, from the primary's host alone.
    wait_for(lambda: site.heartbeats(primary).get(NAME[primary], 99) < 3, 10,
             'beat runs on the primary', every=0.2)
    wait_for(lambda: site.heartbeats(primary).get(NAME[standby], 99) > 3, 10,
             'beat rests on the standby', every=0.2)
    kinds = lab.pg[primary].sql(
        'SELECT node_name, type, active FROM repmgr.nodes ORDER BY 1',
        db='repmgr')
    assert kinds == [[NAME[k], 'primary' if k == primary else 'standby', 't']
                     for k in sorted(NAME)]
    return last[0].splitlines()[0] if last[0] else ''


# -- the whole ----------------------------------------------------------------

class Rounds:
    def __init__(self, site):
        self.site = site
        self.vote, self.web = (Votes(v) for v in (
            site.vote(), site.vote_web()))
        for key in NAME:
            site.vote('pinned', name='pinned-' + key, hosts=[key])
        self.primary = 's1'
        self.number = 0
        self.rows = []
        self.costs = []         # of each round: {(host, name, pid): cost}
        for name in NAME.values():
            self.web.wait(50, 0, detail=name)
        self.vote.wait(50, 0)

    def next(self, fault):
        """One takeover, and back to a site that could bear the next."""
        self.number += 1
        site, lab, old = self.site, self.site.lab, self.primary
        new = self.primary = 's1' if old == 's2' else 's2'
        server = lab.host[new].address
        begin = now() - 10**9
        at = strike(lab, fault, old, new)
        self.vote.wait(50, at, server=server)
        self.web.wait(100, at, server=server)
        site.wait_plan_end(new)
        middle = now()
        mend(lab, fault, old, at)
        site.wait_role(old, 'latched', 30)
        back = now()
        site.rebuild(old, new)
        rebuilt = now()
        last = wait_well(site, new, self.web)
        end = now()
        gaps = [v.gap(at, begin, middle) for v in (self.vote, self.web)]
        later = self.web.gap(middle, begin, end)
        self.row(self.number, fault, NAME[new], '%.0f' % gaps[0],
                 '%.0f' % gaps[1], '%.0f' % later,
                 '%.1f' % ((back - middle) / 1e9),
                 '%.1f' % ((rebuilt - back) / 1e9),
                 '%.1f' % ((end - rebuilt) / 1e9), last)
        if gaps[1] > gaps[0] + LAYOUTS[site.layout] * 1e3:
            self.tell(at)
        if later > LATER:
            self.tell(middle)
        assert gaps[1] <= gaps[0] + SLOWER
        record = site.record(new)
        assert (record['holder'], record['epoch'], record['state']) == (
            NAME[new], self.number + 1, 'held')
        assert later < 3 * LATER, 'silence while a standby was rebuilt'
        self.weigh()

    def row(self, *cells):
        if not self.rows:
            print('\n' + ROW % HEAD, flush=True)
        self.rows.append(cells)
        print(ROW % cells, flush=True)

    def tell(self, at):
        for ms, who, what in story(self.site, self.web.voter, at):
            print('%9.1f ms  %-8s %s' % (ms, who, what))

    def weigh(self):
        """The least of some looks: what is open for a moment is no leak."""
        least = {}
        for _ in range(5):
            for key in ('s1', 's2', 'a1'):
                for (name, pid), c in census.cost(
                        self.site.lab.host[key]).items():
                    was = least.get((key, name, pid), c)
                    least[key, name, pid] = tuple(map(min, was, c))
            time.sleep(0.1)
        self.costs.append(least)

    def grown(self):
        """[(who, [descriptors], [KB])] of what runs at the end: from the
        second look, when most kinds of its work were done, to the last."""
        found = []
        for who in self.costs[-1]:
            seen = [c[who] for c in self.costs if who in c][1:]
            if len(seen) > 1:
                found.append(('%s %s' % who[:2], *map(list, zip(*seen))))
        return found


@pytest.fixture
def rounds(request):
    return request.config.getoption('--rounds', None) or 4


def test_back_and_forth(make_site, layout, rounds):
    site = make_site(layout=layout, settings=conf.settings(
        layout, min_interval='0s'))
    run = Rounds(site)
    for fault in (ORDER * rounds)[:rounds]:
        run.next(fault)
    grown = run.grown()
    for who, descriptors, size in grown:
        print('%s: descriptors %s, KB %s' % (
            who, ' '.join(map(str, descriptors)), ' '.join(map(str, size))))
    assert site.audit(run.primary, changes=rounds)['ok']
    for who, descriptors, size in grown:
        assert size[-1] <= size[0] + GROWTH, who
        half = len(descriptors) // 2
        if half > 1:            # connections come and go
            assert median(descriptors[half:]) <= median(
                descriptors[:half]) + 3, who


def spawned(host, program):
    """Has supervisord started it since this boot, be it for a moment?"""
    return "spawned: '%s'" % program in host.read(
        '/var/log/supervisor/supervisord.log')


def test_boot_is_no_change_of_role(make_site):
    """The present holder boots, then its standby: nothing is brought about,
    as nobody's role changes, and supervisord starts what its files say. They
    have to say it as the takeover made it, or the new primary would pull the
    old one's ballots, and beat would run on both."""
    site = make_site(settings=conf.settings(min_interval='0s'))
    lab, vote = site.lab, site.vote()
    vote.wait_acked(10)
    lab.power_cut('s1')
    vote.wait_acked(10, server=lab.s2.address, deadline=15)
    site.wait_plan_end('s2')
    lab.power_cut('s2')
    lab.boot('s2')
    vote.wait_acked(10, server=lab.s2.address, deadline=20)
    services.wait_programs(lab.s2, site.running('s2', 's2'))
    assert not spawned(lab.s2, repoint.PULLER)
    lab.boot('s1')
    site.wait_role('s1', 'latched', 30)
    site.rebuild('s1', 's2')
    site.wait_candidates('s2', ['prod-s1'], 40)
    lab.power_cut('s1')
    lab.boot('s1')
    services.wait_programs(lab.s1, site.running('s1', 's2'))
    assert not spawned(lab.s1, 'iam_celery_beat')
    site.wait_candidates('s2', ['prod-s1'], 40)
    assert site.record('s2')['epoch'] == 2
    wait_for(lambda: not amiss(site, 's2'), 40, 'all is as it should be',
             every=0.3)
    assert site.audit('s2')['ok']
