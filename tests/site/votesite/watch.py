"""One fault, watched: votes are cast over HTTP and at the database, and all the
while it is written down who gets traffic."""

import collections
import ctypes
import os
import socket
import threading
import time

from lab import auditor, product, wait_for
from lab.cluster import now

from . import faults, repoint

EVERY = 0.05
CLONE_NEWNET = 0x40000000
WEB = {'s1': 'prod-s1', 's2': 'prod-s2'}

# health: {key: status, 0 without an answer}; traffic: names to which the
# balancer sends, None when it did not say
Sample = collections.namedtuple('Sample', 'at health traffic')


class Watch:
    """Asks /health of both web hosts, from where a voter is, and the balancer,
    each 50 ms, in a thread."""

    def __init__(self, site):
        self.site = site
        self.samples = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        with open('/proc/%d/ns/net' % self.site.lab.client.pid) as f:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(f.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), 'setns')
        while not self.ended.wait(EVERY):
            at = now()
            health = {k: _health(self.site.lab.host[k].address) for k in WEB}
            self.samples.append(Sample(at, health, self._traffic()))

    def _traffic(self):
        try:
            text = self.site.balancer('show stat -1 4 -1')
        except OSError:
            return None
        return sent_to(text)

    def stop(self):
        self.ended.set()
        self.thread.join(5)

    def since(self, at, until=None):
        return [s for s in self.samples if s.at >= at and
                (until is None or s.at < until)]

    def nobody(self, since=0):
        """Seconds in which no host is left for voters: the balancer sends to
        none, or both say that they should get nothing."""
        seen = self.since(since)
        return sum((b.at - a.at) / 1e9 for a, b in zip(seen, seen[1:])
                   if a.traffic == [] or
                   all(code == 503 for code in a.health.values()))

    def gap(self, since=0):
        """The longest time between two samples, in seconds."""
        ats = [since] * bool(since) + [s.at for s in self.since(since)]
        return max([b - a for a, b in zip(ats, ats[1:])] or [0]) / 1e9

    def words(self, since=0):
        """What was seen, changes only."""
        lines, last = [], None
        for s in self.since(since):
            if (s.health, s.traffic) != last:
                last = s.health, s.traffic
                lines.append('  %8.3f s  /health %s  traffic %s' % (
                    (s.at - since) / 1e9, s.health, s.traffic))
        return '\n'.join(lines)


def sent_to(text):
    """Names of the web servers that get votes, by "show stat"."""
    lines = text.splitlines()
    names = lines[0].lstrip('# ').split(',')
    rows = [dict(zip(names, x.split(','))) for x in lines[1:] if x]
    return sorted(r['svname'] for r in rows if r['pxname'] == 'web' and
                  r['status'].startswith(('UP', 'no check')))


def _health(address):
    try:
        with socket.create_connection((address, product.HEALTH_PORT),
                                      0.5) as sock:
            sock.sendall(b'GET /health HTTP/1.0\r\n\r\n')
            return int(sock.recv(64).split()[1])
    except (OSError, IndexError, ValueError):
        return 0


class Case:
    """What is true of every fault above the database, asserted at the end: the
    database stays where it is, or goes over once (changes=1), no vote is lost,
    and there is always a host for voters. The holder is prod-s1 at the
    beginning."""

    number = 0

    def __init__(self, site, changes=0, limit=1000, nobody=0):
        """limit: ms that a voter over HTTP waits. nobody: for so many seconds
        there may be no host, as both restart their applications."""
        self.site = site
        self.changes = changes
        self.nobody = nobody
        self.limit = limit

    def __enter__(self):
        Case.number += 1
        site, n = self.site, Case.number
        self.holder = 's2' if self.changes else 's1'
        self.record = site.record('s1')
        assert self.record['holder'] == 'prod-s1'
        self.web = site.vote_web('web%d' % n, limit=self.limit)
        self.db = site.vote(name='db%d' % n)
        self.watch = Watch(site)
        for name in WEB.values():
            self.web.wait_web(name, 10)
        self.db.wait_acked(10)
        self.at = now()
        return self

    def __exit__(self, kind, *exc):
        self.watch.stop()
        print(self.watch.words(self.at))
        if kind is None:
            self.check()
        for voter in self.web, self.db:
            voter.stop()
            self.site.voters.remove(voter)

    def check(self):
        """Votes go on at the end, and nothing of what may not be was."""
        since = now()
        self.db.wait_acked(10, since=since)
        self.web.wait_acked(10, since=since)
        for voter in self.web, self.db:
            voter.stop()
        if not self.changes:
            after = self.site.record('s1')
            assert after['holder'] == self.record['holder']
            assert after['epoch'] == self.record['epoch']
        report = auditor.audit(
            self.web.attempts() + self.db.attempts(),
            self.site.rows(self.holder), self.at, changes=self.changes)
        print(auditor.verdict(report))
        assert report['ok']
        assert self.watch.gap(self.at) < 3 and len(self.watch.samples) > 10
        alone = self.watch.nobody(self.at)
        print('nobody for voters: %.2f s' % alone)
        assert alone <= self.nobody

    # -- who gets traffic ------------------------------------------------

    def leaves(self, key, deadline=8, count=20):
        """Until the balancer sends that host nothing; from then on votes are
        taken by the other, and by nobody else."""
        name = WEB[key]
        other = WEB['s1' if key == 's2' else 's2']
        wait_for(lambda: self.site.in_traffic() == [other], deadline,
                 '%s leaves the traffic' % key, every=0.05)
        out = now()
        self.web.wait_web(other, count, since=out)
        assert self.site.in_traffic() == [other]
        print('%s left after %.2f s' % (key, (out - self.at) / 1e9))
        return out

    def comes_back(self, key, deadline=10, count=20, both=True):
        since = now()
        self.web.wait_web(WEB[key], count, since=since, deadline=deadline)
        if both:
            self.both(deadline)
        print('%s was back after %.2f s' % (key, (now() - since) / 1e9))

    def both(self, deadline=10):
        """Until both are in the traffic and fit for it."""
        wait_for(lambda: self.watch.since(now() - 10**9) and all(
            len(s.traffic or ()) == 2 and set(s.health.values()) == {200}
            for s in self.watch.since(now() - 10**9)), deadline,
            'both hosts get traffic for a second')

    def stays(self, key, seconds=4):
        """For so long this host leaves neither the traffic nor /health."""
        since = now()
        wait_for(lambda: now() - since > seconds * 10**9, seconds + 5)
        seen = self.watch.since(since)
        assert len(seen) > seconds * 2
        assert all(WEB[key] in (s.traffic or ()) for s in seen)
        assert all(s.health[key] == 200 for s in seen)

    # -- what is said ----------------------------------------------------

    def down(self, key, check, reason=None, deadline=10):
        """Until the check of that host is down, for that reason."""
        return wait_for(lambda: [
            c for c in self.site.status(key).get('checks', ())
            if c['name'] == check and c['up'] == 'no' and
            (reason is None or reason in c['reason'])], deadline,
            'check %s of %s is down: %s' % (check, key, reason), every=0.2)[0]

    def up(self, key, deadline=15):
        """Until no check of that host is down."""
        wait_for(lambda: {c['up'] for c in self.site.status(key).get(
            'checks', [{'up': '?'}])} == {'yes'}, deadline,
            'all checks of %s are up' % key, every=0.2)

    def said(self, words, command=('status',), asker='s1', deadline=10):
        """Until a person who asks is told all of these words."""
        last = []

        def hear():
            done = self.site.hactl(asker, *command)
            last[:] = [done.stdout + done.stderr]
            text = ' '.join(last[0].split())
            return all(w in text for w in words)

        try:
            wait_for(hear, deadline, every=0.3)
        except AssertionError:
            raise AssertionError('hactl %s does not say %s:\n%s' % (
                ' '.join(command), words, last[0])) from None


def drift(site, key):
    """{item: reason} of what is not as the role of that host demands."""
    found = site.status(key).get('drift')
    return None if found is None else {
        i['name']: i['reason'] for i in found['items'] if i['holds'] == 'no'}


def no_drift(site, key, deadline=20):
    wait_for(lambda: drift(site, key) == {}, deadline,
             '%s is as its role demands' % key, every=0.2)


def apply(site, key):
    """hactl drift --apply there; what it said."""
    done = site.hactl(key, 'drift', '--apply', '--yes')
    return done.returncode, done.stdout + done.stderr


def right(site, key, primary, but=()):
    """The lines of a host's files are as its role demands, but for some."""
    host, own = site.lab.host[key], key == primary
    name = 'localhost' if own else site.lab.host[primary].name
    lines = {
        'memcached-listen': (repoint.MEMCACHED, '-l 127.0.0.1' + (
            ',' + host.address if own else '')),
        'ballot-box-memcached': (repoint.BALLOT_BOX, 'memcached.host="%s:11211"'
                                 % ('127.0.0.1' if own else name)),
        'ballot-box-db': (repoint.BALLOT_BOX, 'db.default.url="jdbc:postgresql'
                          '://%s:5432/ballot_box"' % name),
        'iam-db': (repoint.DEPLOY, "'HOST': '%s'," % name)}
    wrong = [i for i, (path, line) in lines.items() if i not in but and
             line not in [x.strip() for x in host.read(path).splitlines()]]
    assert not wrong
    return True


def readers_are_new(site, key):
    """Whoever reads a file was started after it was written last."""
    host = site.lab.host[key]
    for path, names in ((repoint.MEMCACHED, ['memcached']),
                        (repoint.BALLOT_BOX, ['ballot_box.py']),
                        (repoint.DEPLOY, ['iam.py', 'iam_celery.py'])):
        written = os.stat(host.path(path)).st_mtime
        for name in names:
            # Spawned is not yet executed.
            for pid in wait_for(lambda: host.pids(name) or
                                faults.pids(host, name), 5, name + ' runs'):
                assert _started(pid) > written - 0.02, \
                    '%s is older than %s' % (name, path)


def _started(pid):
    """When a process was started, by the wall; 10 ms and more are lost."""
    with open('/proc/%d/stat' % pid) as f:
        ticks = int(f.read().rsplit(')', 1)[1].split()[19])
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - \
        ticks / os.sysconf('SC_CLK_TCK')
    return time.time() - age
