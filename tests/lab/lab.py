"""The lab: hosts, a switch, two or three PostgreSQL servers, and their end.

Nothing has a global name: a lab is its directory and the processes that hold
its namespaces, so labs run side by side with the same addresses inside. With
the lab's creator all of it dies, unless the lab is detached; what then remains
is a directory, which gc removes.
"""

import json
import os
import pwd
import shutil
import tempfile
import time

from . import etcd
from . import pg as pgmod
from . import product
from .host import Host
from .net import Switch
from .wait import wait_for

PREFIX = 'hawatch-lab.'
HOSTS = (            # key, node name, address, number in repmgr
    ('s1', 'prod-s1', '10.77.0.11', 1),
    ('s2', 'prod-s2', '10.77.0.12', 2),
    ('s3', 'prod-s3', '10.77.0.14', 6),     # only where it is asked for
    ('a1', 'prod-a1', '10.77.0.13', 3),
    ('client', 'client', '10.77.0.20', 4),
    ('lb', 'lb', '10.77.0.9', 5),       # only where a site is built
)
USUAL = ('s1', 's2', 'a1', 'client')
DATA_NODES = ('s1', 's2')               # the usual ones
NODES = ('s1', 's2', 'a1')
THREE = DATA_NODES + ('s3',)
# What keeps a host that boots from being a primary before hawatchd runs. The
# third, standby.signal, is a file that is there or not.
GUARDS = ('fence', 'gate')


def base_dir():
    return os.environ.get('HAWATCH_LAB_DIR', tempfile.gettempdir())


def build_dir():
    build = os.environ.get('HAWATCH_BUILD')
    if not build:
        raise RuntimeError('HAWATCH_BUILD must name the build directory')
    return os.path.abspath(build)


class Lab:
    def __init__(self, detached=False, settings=None, state_tmpfs=None,
                 data_tmpfs=None, hosts=USUAL, data=2, register='arbiter',
                 commands='native'):
        """settings: of hawatch.conf, see product.py. state_tmpfs: {key: size}
        of a small file system under the daemon's state; data_tmpfs: the same
        under PostgreSQL's data. data: how many hosts have a database, two or
        three. register: where the record is kept, arbiter, etcd or none.
        commands: whose promote, follow and rejoin, native or repmgr."""
        self.commands = commands
        self.register = register
        self.build = build_dir()
        self.detached = detached
        self.settings = settings or {}
        self.dir = tempfile.mkdtemp(prefix=PREFIX, dir=base_dir())
        os.chmod(self.dir, 0o711)
        self.id = os.path.basename(self.dir)[len(PREFIX):]
        self.programs = os.path.join(self.dir, 'programs')
        if register == 'none':
            hosts = tuple(k for k in hosts if k != 'a1')
        self._setup(hosts + THREE[len(DATA_NODES):data])
        for key, size in (state_tmpfs or {}).items():
            self.host[key].tmpfs['/var/lib/hawatch'] = size
        for key, size in (data_tmpfs or {}).items():
            self.host[key].tmpfs['/var/lib/postgresql'] = '%s,uid=%d' % (
                size, pwd.getpwnam('postgres').pw_uid)
        self.save()

    def _setup(self, hosts):
        self.populate = None    # called with the new primary, if set
        self.switch = Switch(self)
        self.host = {k: Host(self, k, name, address, n)
                     for k, name, address, n in HOSTS if k in hosts}
        self.s1, self.s2, self.a1, self.client = (
            self.host.get(k) for k in ('s1', 's2', 'a1', 'client'))
        self.data = tuple(k for k in THREE if k in hosts)
        self.nodes = self.data + (('a1',) if self.a1 else ())
        self.pg = {k: pgmod.Postgres(self.host[k], self.host[k].number)
                   for k in self.data}

    def tool(self, name):
        return os.path.join(self.build, 'tests', 'lab', name)

    # -- whole -----------------------------------------------------------

    def up(self):
        """Namespaces, cables and files; no server runs yet."""
        try:
            product.collect(self)
            self.switch.start()
            for host in self.host.values():
                host.make_dirs()
                self._write_hosts(host)
                host.power_on()
                self.switch.plug(host)
            for p in self.pg.values():
                p.write_config()
            product.install(self)
            if self.register == 'etcd':
                for key in etcd.MEMBERS:
                    self.host[key].services.append(etcd.start)
                etcd.start_all(self)
        except BaseException:
            self.down()
            raise
        self.save()
        return self

    def down(self):
        """Ends what this lab started and removes its files."""
        for host in self.host.values():
            host.power_off()
        self.switch.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self.up()

    def __exit__(self, *exc):
        self.down()

    def _write_hosts(self, host):
        host.write('/etc/hosts', ''.join(
            ['127.0.0.1 localhost\n'] +
            ['%s %s\n' % (h.address, h.name) for h in self.host.values()]))
        host.write('/etc/hostname', host.name + '\n')

    # -- hosts -----------------------------------------------------------

    def power_cut(self, key):
        """The host is gone: no process, no packet, not even a FIN."""
        host = self.host[key]
        self.switch.discard(host)
        host.power_off()
        self.save()

    def boot(self, key, daemon=True, autostart=False, guards=GUARDS):
        """Starts a host as systemd would; returns what each unit did.
        daemon=False: hawatchd.service is disabled. autostart: PostgreSQL's
        unit is enabled, too. guards: which of those of a boot are there."""
        host = self.host[key]
        host.power_on()
        steps = []
        if 'fence' in guards:
            steps += product.boot_before_network(host)
        self.switch.plug(host)
        steps += product.boot_after_network(host, daemon, autostart,
                                            'gate' in guards)
        for service in host.services:
            service(host)
        self.save()
        return steps

    def cut(self, one, others, oneway=False):
        self.switch.cut(self.host[one], [self.host[o] for o in others],
                        oneway)

    def heal(self, *args, **kw):
        if not args:
            self.switch.heal()
        else:
            self.switch.heal(self.host[args[0]],
                             [self.host[o] for o in args[1]], **kw)

    # -- the databases ---------------------------------------------------

    def build_pair(self, template=None):
        """prod-s1 primary, the others its standbys, all running. A template
        is a directory that the first call fills and later calls copy from."""
        if template and self.data != DATA_NODES:
            template = os.path.join(template, ''.join(self.data))
        if template and os.path.isdir(os.path.join(template, self.data[-1])):
            for key in self.data:
                pgmod.copy_tree(os.path.join(template, key, '.'),
                                self.host[key].path('/var/lib/postgresql'))
            for key in self.data:
                self.pg[key].start()
        else:
            self.pg['s1'].make_primary(self.host[self.data[1]])
            if self.populate:
                self.populate(self.pg['s1'])
            for key in self.data[1:]:
                self.pg[key].make_standby(self.pg['s1'])
            if template:
                self._save_template(template)
        for key in self.data[1:]:
            wait_for(lambda k=key: self.pg['s1'].streams_to(self.pg[k]), 20,
                     '%s streams' % key)

    def _save_template(self, template):
        for key in self.data:
            self.pg[key].stop()
        for key in self.data:
            part = os.path.join(template, key + '.new')
            os.makedirs(part)
            pgmod.copy_tree(self.host[key].path('/var/lib/postgresql/.'),
                            part)
            os.rename(part, os.path.join(template, key))
        for key in self.data:
            self.pg[key].start()

    def rebuild_standby(self, key, primary):
        """repmgr standby clone from the present primary. Whoever starts
        PostgreSQL on that host starts it: here nobody does."""
        self.pg[key].clone(self.pg[primary])

    # -- remembering -----------------------------------------------------

    def save(self):
        state = {
            'owner': None if self.detached else os.getpid(),
            'owner_start': None if self.detached else _start(os.getpid()),
            'build': self.build,
            'switch': self.switch.pid,
            'hosts': {k: h.pid for k, h in self.host.items()},
            'created': time.time(),
        }
        path = os.path.join(self.dir, 'lab.json')
        with open(path + '.new', 'w') as f:
            json.dump(state, f)
        os.rename(path + '.new', path)

    @classmethod
    def attach(cls, lab_id):
        """A lab that another process has brought up."""
        lab = cls.__new__(cls)
        lab.id = lab_id
        lab.dir = os.path.join(base_dir(), PREFIX + lab_id)
        with open(os.path.join(lab.dir, 'lab.json')) as f:
            state = json.load(f)
        lab.build = state['build']
        lab.detached = True
        lab.settings = {}
        lab.register = 'arbiter'    # files are not written anew
        lab.commands = 'native'
        lab.programs = os.path.join(lab.dir, 'programs')
        lab._setup(state['hosts'])
        lab.switch.pid = _ours(lab, state['switch'])
        for key, pid in state['hosts'].items():
            if _ours(lab, pid):
                lab.host[key].pid = pid
                lab.host[key].pidns = os.stat('/proc/%d/ns/pid' % pid).st_ino
        return lab


def _start(pid):
    """Start time of a process, which tells it from a later namesake."""
    try:
        with open('/proc/%d/stat' % pid) as f:
            return int(f.read().rsplit(')', 1)[1].split()[19])
    except OSError:
        return None


def _ours(lab, pid):
    """pid, if it still is an init of this lab and not a later namesake."""
    try:
        with open('/proc/%d/cmdline' % pid) as f:
            return pid if f.read().startswith(lab.tool('lab-init')) else None
    except (OSError, TypeError):
        return None


def labs():
    """Ids of all labs on this machine."""
    return sorted(n[len(PREFIX):] for n in os.listdir(base_dir())
                  if n.startswith(PREFIX))


def gc():
    """Removes labs whose creator is gone; returns their ids."""
    removed = []
    for lab_id in labs():
        path = os.path.join(base_dir(), PREFIX + lab_id)
        try:
            with open(os.path.join(path, 'lab.json')) as f:
                state = json.load(f)
            if state['owner'] is None or \
                    _start(state['owner']) == state['owner_start']:
                continue
            Lab.attach(lab_id).down()
        except (OSError, ValueError, KeyError):
            if time.time() - os.stat(path).st_mtime < 60:
                continue        # just being made
            shutil.rmtree(path, ignore_errors=True)
        removed.append(lab_id)
    return removed
