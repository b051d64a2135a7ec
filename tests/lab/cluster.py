"""hawatchd on the nodes of a lab, as an operator sees it."""

import json
import re
import shlex
import time

from . import auditor, product
from .host import wait_gone
from .lab import HOSTS, Lab
from .voters import Voter
from .wait import wait_for

KEYS = {name: key for key, name, _, _ in HOSTS}


class Cluster:
    def __init__(self, **kw):
        self.lab = Lab(**kw)
        self.voters = []

    def up(self, template=None):
        """To a primary on prod-s1 and the others as its candidates."""
        self.lab.up()
        try:
            self.lab.build_pair(template)
            self.start()
        except BaseException:
            print(self.logs())
            self.down()
            raise
        return self

    def start(self):
        """hawatchd on all nodes, and the first record."""
        for key in self.lab.nodes:
            product.daemon_start(self.lab.host[key])
        wait_for(self.init, 15, 'hactl init succeeds', every=0.1)
        self.wait_candidates('s1', self.others('s1'), 20)

    def others(self, key):
        """Names of the data nodes but this one."""
        return [self.lab.host[k].name for k in self.lab.data if k != key]

    def down(self):
        for voter in self.voters:
            voter.stop()
        self.lab.down()

    # -- orders ----------------------------------------------------------

    def hactl(self, key, *words, **kw):
        kw.setdefault('check', False)
        return product.hactl(self.lab.host[key], *words, **kw)

    def init(self):
        done = self.hactl('s1', 'init', '--holder', 'prod-s1', '--yes')
        self.last = done.stdout + done.stderr
        return done.returncode == 0

    # -- what the nodes say ----------------------------------------------

    def status(self, key):
        """The status document of a node, {} when it does not answer."""
        if not self.lab.host[key].up:
            return {}
        done = self.hactl(key, 'status', '--json')
        try:
            found = json.loads(done.stdout)
        except ValueError:
            return {}
        for node in found.get('nodes', [found]):
            if KEYS.get(node.get('node')) == key:
                return node
        return {}

    def record(self, key):
        return self.status(key).get('record') or {}

    def candidates(self, key):
        return self.record(key).get('candidates')

    def wait_candidates(self, key, names, deadline=15):
        return wait_for(lambda: self.candidates(key) == names, deadline,
                        '%s has the candidates %s' % (key, names), every=0.1)

    def wait_role(self, key, role, deadline=15):
        return wait_for(lambda: self.status(key).get('role') == role,
                        deadline, '%s is %s' % (key, role), every=0.1)

    def winner(self, at, first, other, deadline=20):
        """Which of these two acknowledges votes since then. Of two that are
        equally far it is the first; what the primary was sending when it died
        may have reached the other one alone, and a first that is short of time
        is not waited for: then one of them says so."""
        vote = self.voters[0]
        address = {key: self.lab.host[key].address for key in (first, other)}

        def serving():
            return next((key for key in (first, other)
                         if vote.acked(at, address[key])), None)
        key = wait_for(serving, deadline, 'one of them takes over', every=0.05)
        if key == first:
            return key
        why = [e['text'] for e in self.events(first)
               if e.get('ev') == 'claim.gives-way' and
               re.match('prod-%s: it has [1-9]' % other, e['text'])]
        why += [e['text'] for e in self.events(other)
                if e.get('ev') == 'claim.goes-first' and
                re.match('prod-%s (has [1-9]|did not answer)' % first,
                         e['text'])]
        assert why, '%s did not go first' % first
        print('%s goes before %s: %s' % (key, first, why[0]))
        return key

    def wait_plan_end(self, key, deadline=60):
        """Until no plan runs there."""
        return wait_for(lambda: 'epoch' in self.record(key) and
                        not self.status(key).get('plan'), deadline,
                        'the plan of %s has ended' % key, every=0.1)

    def http(self, key, path, asker='client'):
        """(status, body) of the front of a node; (0, '') without answer."""
        done = self.lab.host[asker].run(
            ['curl', '-s', '-m', '2', '-w', '\n%{http_code}',
             'http://%s:%d%s' % (self.lab.host[key].address,
                                 product.HEALTH_PORT, path)], check=False)
        body, _, code = done.stdout.rpartition('\n')
        return int(code or 0), body

    def events(self, key):
        """The daemon's log of a node, one dict a line."""
        found = []
        try:
            with open(product.log_path(self.lab.host[key])) as f:
                for line in f:
                    found.append(_logfmt(line))
        except FileNotFoundError:
            pass
        return found

    def logs(self):
        text = []
        for key in self.lab.nodes:
            for path in (product.log_path(self.lab.host[key]),
                         self.lab.host[key].dir +
                         '/var/log/postgresql/postgresql-15-main.log'):
                try:
                    with open(path, errors='replace') as f:
                        lines = [x for x in f if not _dull(x)]
                        text.append('==== %s\n%s' % (
                            path, ''.join(lines[-120:])))
                except FileNotFoundError:
                    continue
            if self.lab.host[key].up and self.lab.host[key].pids('hawatchd'):
                text += [self.hactl(key, *words).stdout
                         for words in (('status',), ('why',))]
        return '\n'.join(text)

    # -- daemons ---------------------------------------------------------

    def engine_kill(self, key):
        """SIGKILL to the engine and its helpers' end."""
        host = self.lab.host[key]
        pids = host.pids('hawatchd')
        host.kill(pids)
        wait_gone(pids)

    def engine_start(self, key, env=None):
        product.daemon_start(self.lab.host[key], env)

    def rebuild(self, key, primary):
        """What a person does about a failed node today: clone it, and let
        the engine start it."""
        # repmgr clones from whom its metadata calls the primary.
        self.wait_plan_end(primary)
        self.lab.rebuild_standby(key, primary)
        done = self.hactl(key, 'unfence', '--yes')
        assert done.returncode == 0, done.stderr
        wait_for(lambda: self.lab.pg[key].in_recovery(), 20,
                 'the engine starts the rebuilt standby')
        # By TCP, which the engine opens to readers a moment later.
        wait_for(lambda: self.lab.pg[key].repmgr(
            'standby', 'register', '--force', check=False).returncode == 0,
            20, 'repmgr registers the rebuilt standby', every=0.2)

    # -- votes -----------------------------------------------------------

    def vote(self, mode='vote', **kw):
        voter = Voter(self.lab, mode, **kw)
        self.voters.append(voter)
        return voter

    def rows(self, survivor):
        """Every vote that this database holds: {(client, n)}."""
        return self.lab.pg[survivor].votes()

    def audit(self, survivor, fault=None, changes=1, voters=None):
        """Stops all voters and compares; prints the verdict."""
        for voter in self.voters:
            voter.stop()
        rows = self.rows(survivor)
        attempts = [a for v in voters or self.voters for a in v.attempts()]
        report = auditor.audit(attempts, rows, fault, changes)
        print(auditor.verdict(report))
        return report


def _dull(line):
    """What PostgreSQL says again and again while a client walks by."""
    return any(words in line for words in (
        'cannot execute INSERT', 'STATEMENT:', 'could not connect to the pri',
        'Is the server running', 'connection to client lost'))


def now():
    return time.monotonic_ns()


def _logfmt(line):
    found = {}
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    for word in words:
        key, eq, value = word.partition('=')
        if eq:
            found[key] = value
    return found
