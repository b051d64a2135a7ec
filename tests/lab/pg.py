"""PostgreSQL 15 with repmgr on the data nodes of a lab.

Everything here is what a person, or repmgr, would do by hand: the tests use it
to build a pair, to rebuild a standby, and to play the failover without
hawatchd. The servers run as postgres, never as root.
"""

import os
import signal
import subprocess
import time

from .host import wait_gone
from .wait import wait_for

BIN = '/usr/lib/postgresql/15/bin/'
DATA = '/var/lib/postgresql/15/main'
LOG = '/var/log/postgresql/postgresql-15-main.log'
SOCKETS = '/run/postgresql'
PORT = 5432

# The lab's network is closed, so it is trusted; a deployment is not.
HBA = '''\
local all         all            trust
local replication all            trust
host  all         all 10.77.0.0/24 trust
host  replication all 10.77.0.0/24 trust
host  all         all 127.0.0.1/32 trust
'''

SETTINGS = '''\
listen_addresses = '*'
unix_socket_directories = '/run/postgresql'
max_connections = 50
shared_buffers = 32MB
shared_preload_libraries = 'repmgr'
wal_level = replica
wal_log_hints = on
max_wal_senders = 10
wal_keep_size = 64MB
hot_standby = on
hot_standby_feedback = off
restart_after_crash = off
wal_receiver_timeout = 5s
wal_sender_timeout = 5s
wal_retrieve_retry_interval = 200ms
fsync = on
synchronous_commit = on
logging_collector = off
log_line_prefix = '%m [%p] '
log_timezone = 'UTC'
'''

SCHEMA = '''
CREATE TABLE vote (client text, n bigint, at timestamptz,
    PRIMARY KEY (client, n));
GRANT INSERT, SELECT ON vote TO voter;
'''


class Postgres:
    def __init__(self, host, node_id):
        self.host = host
        self.node_id = node_id

    # -- files -----------------------------------------------------------

    def write_config(self):
        """What lies outside of the data directory."""
        self.host.write('/etc/repmgr.conf', '\n'.join([
            'node_id=%d' % self.node_id,
            "node_name='%s'" % self.host.name,
            "conninfo='host=%s port=%d user=repmgr dbname=repmgr "
            "connect_timeout=2'" % (self.host.address, PORT),
            "data_directory='%s'" % DATA,
            "pg_bindir='%s'" % BIN.rstrip('/'),
            "service_start_command='%s'" % ' '.join(self.start_argv()),
            "log_level=NOTICE", '']))

    @staticmethod
    def start_argv(wait=True):
        return [BIN + 'pg_ctl', 'start', '-D', DATA, '-l', LOG, '-s'] + (
            ['-w', '-t', '30'] if wait else ['-W'])

    def data(self, *names):
        return os.path.join(self.host.path(DATA), *names)

    # -- by hand ---------------------------------------------------------

    def do(self, argv, **kw):
        return self.host.run(argv, user='postgres', **kw)

    def start(self):
        self.do(self.start_argv())

    def stop(self, mode='fast', wait=True):
        """wait: not where an engine starts it again at once, which pg_ctl
        takes for the same server."""
        self.do([BIN + 'pg_ctl', 'stop', '-D', DATA, '-m', mode, '-s',
                 '-w' if wait else '-W'])

    def repmgr(self, *words, **kw):
        return self.do([BIN + 'repmgr', '-f', '/etc/repmgr.conf']
                       + list(words), **kw)

    def sql(self, text, db='postgres', check=True, timeout=20):
        """Rows through the Unix socket, as lists of strings."""
        done = self.do(['psql', '-XAtq', '-h', SOCKETS, '-d', db, '-F', '\t',
                        '-v', 'ON_ERROR_STOP=1'], input=text, check=check,
                       timeout=timeout)
        if done.returncode != 0:
            return None
        return [line.split('\t') for line in done.stdout.splitlines()]

    def answers(self):
        return self.sql('SELECT 1', check=False) == [['1']]

    def in_recovery(self):
        """True, False, or None when nobody answers."""
        rows = self.sql('SELECT pg_is_in_recovery()', check=False)
        return None if not rows else rows[0][0] == 't'

    def promote(self):
        self.sql('SELECT pg_promote(true, 20)')

    def set(self, name, value):
        self.sql("ALTER SYSTEM SET %s = '%s'" % (name, value))
        self.sql('SELECT pg_reload_conf()')

    def streams_to(self, other):
        rows = self.sql("SELECT state FROM pg_stat_replication WHERE "
                        "application_name = '%s'" % other.host.name,
                        check=False)
        return rows == [['streaming']]

    def votes(self):
        """Every vote in this database: {(client, n)}."""
        return {(c, int(n)) for c, n in
                self.sql('SELECT client, n FROM vote', db='votes')}

    # -- processes -------------------------------------------------------

    def postmaster(self):
        """The postmaster's pid as the machine numbers it, or None."""
        for pid, (comm, _) in self.host.processes().items():
            if comm != 'postgres':
                continue
            try:
                with open('/proc/%d/stat' % pid) as f:
                    parent = int(f.read().rsplit(')', 1)[1].split()[1])
            except OSError:
                continue            # a backend that has just ended
            if parent == self.host.pid:
                return pid
        return None

    def backend(self, inner):
        """A backend by the pid that SQL knows."""
        for pid in self.host.pids('postgres'):
            try:
                with open('/proc/%d/status' % pid) as f:
                    for line in f:
                        if line.startswith('NSpid:') and \
                                int(line.split()[-1]) == inner:
                            return pid
            except OSError:
                continue
        return None

    def kill_all(self):
        """SIGKILL to the postmaster and all of its children; returns when it
        was sent."""
        pids = self.host.pids('postgres')
        at = time.monotonic_ns()
        self.host.kill(pids, signal.SIGKILL)
        wait_gone(pids)
        return at

    def kill_postmaster(self):
        """SIGKILL to the postmaster alone; backends may live on."""
        pid = self.postmaster()
        at = time.monotonic_ns()
        self.host.kill([pid])
        wait_gone([pid])
        return at

    # -- building --------------------------------------------------------

    def initdb(self):
        self.do([BIN + 'initdb', '-D', DATA, '-U', 'postgres', '-k',
                 '-A', 'trust', '--wal-segsize=4', '--no-sync'])
        with open(self.data('postgresql.conf'), 'a') as f:
            f.write(SETTINGS)
        with open(self.data('pg_hba.conf'), 'w') as f:
            f.write(HBA)

    def make_primary(self, peer=None):
        """peer: the host of the first standby. With it the primary knows as
        whom it would follow, once another is the primary: initdb leaves that
        out, and only a clone has it."""
        self.initdb()
        self.start()
        if peer:
            self.set('primary_conninfo', 'host=%s port=%d user=repmgr '
                     'application_name=%s' % (peer.address, PORT,
                                              self.host.name))
        self.sql("CREATE ROLE repmgr SUPERUSER LOGIN REPLICATION;"
                 "CREATE ROLE hawatch SUPERUSER LOGIN;"
                 "CREATE ROLE voter LOGIN;")
        self.sql('CREATE DATABASE repmgr OWNER repmgr')
        self.sql('CREATE DATABASE votes')
        self.sql(SCHEMA, db='votes')
        self.repmgr('primary', 'register')

    def clone(self, primary):
        """Replaces this data directory by a copy of the primary's. The server
        stays stopped, with standby.signal."""
        self.repmgr('-h', primary.host.address, '-p', str(PORT), '-U',
                    'repmgr', '-d', 'repmgr', 'standby', 'clone', '-c', '-F',
                    timeout=120)

    def make_standby(self, primary):
        self.clone(primary)
        self.start()
        wait_for(lambda: primary.streams_to(self), 20)
        self.repmgr('standby', 'register', '--force')


def copy_tree(source, target):
    """A directory with owners and modes; shares blocks where it can."""
    subprocess.run(['cp', '-a', '--reflink=auto', '--', source, target],
                   check=True)
