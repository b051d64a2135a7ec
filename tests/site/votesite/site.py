"""An election site: a lab with hawatchd, and everything above the database.

The web hosts s1 and s2, with data=3 s3 too, run ballot-box and iam under
supervisord, with nginx and memcached; the host lb balances between them.
Layouts:
    repoint   the applications' files name the primary, and change with it
    stable    they name an HAProxy of their own host, which is steered
"""

import contextlib
import os
import time

from lab import Lab, wait_for
from lab.cluster import Cluster
from lab.lab import USUAL

from . import conf, files, services
from .voters import WebVoter


class Site(Cluster):
    def __init__(self, layout='repoint', settings=None, above=True, **kw):
        """settings: of hawatch.conf, as conf.settings makes them; those of
        the layout unless they are given. above=False: hawatchd knows of
        nothing above the database."""
        self.layout = layout
        if above and settings is None:
            settings = conf.settings(layout, data=kw.get('data', 2))
        self.lab = Lab(settings=settings, hosts=USUAL + ('lb',), **kw)
        self.voters = []
        self.took = {}          # seconds of each part of up()
        self.lab.populate = populate
        lab = self.lab
        for key in lab.data:
            host = lab.host[key]
            host.writable += ['/home', '/srv', '/usr/bin']
            host.services.append(services.boot_web(layout))
        lab.host['lb'].services.append(services.boot_balancer)

    # -- up --------------------------------------------------------------

    def up(self, template=None, daemon=True):
        """To a site that takes votes: prod-s1 primary, the others candidates.
        daemon=False: without hawatchd, for what is done by hand."""
        begin = time.monotonic()
        try:
            with self._timed('hosts'):
                self.install()
                self.lab.up()
                for key in self.lab.data:
                    services.accounts(self.lab.host[key])
            with self._timed('pair'):
                self.lab.build_pair(template)
            with self._timed('services'):
                for host in self.lab.host.values():
                    for service in host.services:
                        service(host)
                if not daemon:
                    self._no_daemon()
            if daemon:
                with self._timed('hawatchd'):
                    self.start()
            with self._timed('first vote'):
                self.wait_open()
        except BaseException:
            print(self.logs())
            self.down()
            raise
        self.took['all'] = time.monotonic() - begin
        return self

    @contextlib.contextmanager
    def _timed(self, name):
        begin = time.monotonic()
        yield
        self.took[name] = time.monotonic() - begin

    def install(self):
        """What the hosts are to find on their disks; before they are on."""
        lab = self.lab
        for host in lab.host.values():
            host.make_dirs()
        for key in lab.data:
            services.install_web(
                lab.host[key], [lab.host[k] for k in lab.data if k != key],
                lab.s1, self.layout)
        services.install_balancer(lab.host['lb'], [
            lab.host[key] for key in lab.data])

    def _no_daemon(self):
        """The balancer cannot ask who is healthy: it takes all."""
        wait_for(lambda: os.path.exists(self.lab.host['lb'].path(
            services.ADMIN)), 5, 'the balancer runs')
        for key in self.lab.data:
            name = self.lab.host[key].name
            self.balancer('set server web/%s health up' % name)
            self.balancer('disable health web/' + name)

    def wait_open(self, deadline=15):
        """Until every part answers, seen from where a voter is."""
        for key in self.lab.data:
            wait_for(lambda: self.state(key)[0] == 200, deadline,
                     'ballot-box of %s answers' % key)
            wait_for(lambda: self.iam(key)[0] == 200, deadline,
                     'iam of %s answers' % key)
        wait_for(lambda: len(self.in_traffic()) == len(self.lab.data),
                 deadline, 'the balancer sends to all', every=0.1)

    # -- what the parts say ----------------------------------------------

    def state(self, key, asker='client', election=1):
        """(status, headers, body) of the election's state at a web host."""
        return services.http(
            self.lab.host[asker], 'http://%s/api/election/%d' % (
                self.lab.host[key].address, election))

    def iam(self, key, nonce=True, path='/admin-api/iam/api/auth-event/1/'):
        """The same of iam, through nginx; nonce: past its cache."""
        query = '?hactl=%d' % time.monotonic_ns() if nonce else ''
        return services.http(self.lab.client, 'http://%s%s%s' % (
            self.lab.host[key].address, path, query))

    def balancer(self, command):
        return services.haproxy(self.lab.host['lb'], command)

    def in_traffic(self):
        """Names of the servers to which the balancer sends votes."""
        try:
            lines = self.balancer('show stat -1 4 -1').splitlines()
        except OSError:
            return []
        names = lines[0].lstrip('# ').split(',')
        rows = [dict(zip(names, x.split(','))) for x in lines[1:] if x]
        return sorted(r['svname'] for r in rows if r['pxname'] == 'web' and
                      r['status'].startswith(('UP', 'no check')))

    def programs(self, key):
        return services.programs(self.lab.host[key])

    def running(self, key, primary='s1'):
        """The programs that should run there."""
        return ('ballot-box', 'iam', 'iam_celery', 'iam_celery_beat'
                if key == primary else 'syncdirs-from-master')

    def heartbeats(self, key):
        """{host: seconds since the last beat} in this database."""
        return {h: float(s) for h, s in self.lab.pg[key].sql(
            'SELECT host, extract(epoch FROM clock_timestamp() - at) FROM '
            'heartbeat', db='iam')}

    # -- votes -----------------------------------------------------------

    def vote_web(self, name='web', **kw):
        voter = WebVoter(self.lab, name, **kw)
        self.voters.append(voter)
        return voter

    def rows(self, survivor):
        """Every vote in the databases of this host: of the site, and those
        cast without it."""
        pg = self.lab.pg[survivor]
        return pg.votes() | {(c, int(n)) for c, n in pg.sql(
            'SELECT client, n FROM vote', db='ballot_box')}

    def logs(self):
        text = [super().logs()]
        for key in self.lab.data + ('lb',):
            host = self.lab.host[key]
            for path in (services.log(host),):
                with contextlib.suppress(OSError), open(
                        path, errors='replace') as f:
                    text.append('==== %s\n%s' % (path, f.read()[-4000:]))
            if host.up:
                done = host.run(['sh', '-c', 'tail -n 15 /var/log/supervisor/*'
                                 ' /var/log/nginx/error.log'], check=False)
                text.append('==== %s\n%s' % (key, done.stdout[-6000:]))
        return '\n'.join(text)


def populate(primary):
    """Databases, roles and rows of the applications, in a new primary."""
    for name, text in files.SCHEMA.items():
        primary.sql("SET password_encryption = md5; CREATE ROLE %s LOGIN "
                    "PASSWORD '%s'" % (name, files.PASSWORDS[name]))
        primary.sql('CREATE DATABASE %s' % name)
        primary.sql(text, db=name)
    path = primary.data('pg_hba.conf')
    with open(path) as f:
        lab = f.read()
    with open(path, 'w') as f:
        f.write(files.HBA + lab)
    primary.sql('SELECT pg_reload_conf()')


