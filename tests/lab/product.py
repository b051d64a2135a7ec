"""hawatch on the hosts of a lab: programs, certificates, configuration, units.

A host boots by the ExecStart lines of the units that are shipped, so that the
units are exercised although no systemd runs here.
"""

import os
import shlex
import shutil
import subprocess

from . import etcd
from . import pg as pgmod
from .wait import wait_for

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
UNITS = os.path.join(SOURCE, 'conf', 'systemd')
PROGRAMS = {
    'hawatchd': 'src/engine/hawatchd',
    'hawatch-front': 'src/front/hawatch-front',
    'hawatch-probe': 'src/probe/hawatch-probe',
    'hactl': 'src/hactl/hactl',
}
PEER_PORT = 7400
HEALTH_PORT = 8008
GATE = 'postgresql@.service.d/hawatch.conf'
ACCOUNT = 'hawatch:x:989:989::/nonexistent:/usr/sbin/nologin\n'

CONF = '''\
cluster = "prod";
mode = "%(mode)s";
nodes = (
%(nodes)s
);
lease = { ttl = "%(ttl)s"; min_interval = "%(min_interval)s"; };
register = { %(register)s };
postgres = {
    data_directory = "%(data)s";
    socket_directory = "/run/postgresql";
    bin_directory = "%(bin)s";
    %(backend)s
    gate = "%(gate)s";
    %(commands)s
    %(postgres)s
};
peer = {
    ca = "/etc/hawatch/pki/ca.pem";
    cert = "/etc/hawatch/pki/${node}.pem";
    key = "/etc/hawatch/pki/${node}.key";
};
front = { ping_body = "Web services are UP"; };
checks = (
%(checks)s
);
%(more)s
'''

CHECKS = '''\
    { name = "pg"; type = "postgres"; health = true; },
    { name = "repmgr"; type = "repmgr"; }'''


# -- programs --------------------------------------------------------------

def collect(lab):
    """Copies the built programs, so that a later build changes no lab. What
    is not built yet is missed only by who starts it."""
    os.makedirs(lab.programs, exist_ok=True)
    os.chmod(lab.programs, 0o755)
    for name, path in PROGRAMS.items():
        built = os.path.join(lab.build, path)
        if os.path.exists(built):
            shutil.copy2(built, os.path.join(lab.programs, name))


def put(host, build):
    """The programs of a build, or those collected, on a host whose /usr/sbin
    is writable, as a package would put them there."""
    for name, path in PROGRAMS.items():
        new = host.path('/usr/sbin/') + name + '.new'
        found = os.path.join(build, path)
        shutil.copy2(found if os.path.exists(found) else
                     os.path.join(build, name), new)
        os.rename(new, host.path('/usr/sbin/') + name)


# -- files -----------------------------------------------------------------

def conf_text(lab):
    """With the lab's settings: any of CONF's, and node, {key: more} for the
    group of a node."""
    more = lab.settings.get('node', {})
    nodes = ',\n'.join(
        '    { name = "%s"; address = "%s"; %s }' % (
            host.name, host.address, ('role = "witness";' if key == 'a1'
            else 'repmgr_id = %d;' % host.number) + more.get(key, ''))
        for key, host in lab.host.items() if key in lab.nodes)
    values = {
        'mode': 'auto', 'ttl': '2s', 'min_interval': '10min', 'nodes': nodes,
        'data': pgmod.DATA, 'bin': pgmod.BIN.rstrip('/'),
        'backend': 'backend = "argv"; start = [ %s ];' % ', '.join(
            '"%s"' % w for w in pgmod.Postgres.start_argv(wait=False)),
        'gate': '/etc/systemd/system/' + GATE,
        # What is the default is not written: older versions do not know it.
        'commands': 'commands = "repmgr";' if lab.commands == 'repmgr' else '',
        'checks': CHECKS, 'postgres': '', 'more': '',
        'register': etcd.register(lab) if lab.register == 'etcd' else
                    'type = "none";' if lab.register == 'none' else
                    'node = "prod-a1";',
    }
    values.update(lab.settings)
    return CONF % values


def certificates(directory, names):
    """A CA, and for each name a key and a certificate, by openssl: whoever
    is not a node of the cluster has them from elsewhere."""
    def openssl(*words):
        subprocess.run(('openssl',) + words, cwd=directory, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    os.makedirs(directory, exist_ok=True)
    key = ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1',
           '-nodes')
    if not os.path.exists(os.path.join(directory, 'ca.pem')):
        openssl('req', '-x509', *key, '-keyout', 'ca.key', '-out', 'ca.pem',
                '-days', '30', '-subj', '/CN=lab CA')
    for name in names:
        openssl('req', *key, '-keyout', name + '.key', '-out', name + '.csr',
                '-subj', '/CN=' + name)
        with open(os.path.join(directory, name + '.ext'), 'w') as f:
            f.write('subjectAltName=DNS:%s\n'
                    'extendedKeyUsage=serverAuth,clientAuth\n' % name)
        openssl('x509', '-req', '-in', name + '.csr', '-CA', 'ca.pem',
                '-CAkey', 'ca.key', '-CAcreateserial', '-days', '30',
                '-extfile', name + '.ext', '-out', name + '.pem')


def authority(lab):
    """Directory with the cluster's authority and the nodes' certificates, made
    by hactl as an operator would."""
    pki = os.path.join(lab.dir, 'pki')
    hactl_path = os.path.join(lab.programs, 'hactl')
    if os.path.exists(pki) or not os.path.exists(hactl_path):
        return pki

    def run(*words):
        subprocess.run([hactl_path, 'pki'] + list(words), check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    run('init', pki, '--cluster', 'prod')
    for key in lab.nodes:
        host = lab.host[key]
        run('node', pki, host.name, '--address', host.address)
    return pki


def install(lab):
    """Configuration, certificates and units on every node."""
    nodes = [lab.host[k] for k in lab.nodes]
    pki = authority(lab)
    for host in nodes:
        host.write('/etc/hawatch/hawatch.conf', conf_text(lab))
        for name, mode in (('ca.pem', 0o644), (host.name + '.pem', 0o644),
                           (host.name + '.key', 0o600)):
            if os.path.exists(os.path.join(pki, name)):
                with open(os.path.join(pki, name)) as f:
                    host.write('/etc/hawatch/pki/' + name, f.read(), mode)
        for name, line in (('passwd', ACCOUNT), ('group', 'hawatch:x:989:\n')):
            with open('/etc/' + name) as f:
                text = ''.join(x for x in f if not x.startswith('hawatch:'))
            host.write('/etc/' + name, text + line)
        for name in units():
            with open(os.path.join(UNITS, name)) as f:
                text = f.read()
            host.write('/etc/systemd/system/' + name, text)


def units():
    """Paths below conf/systemd, drop-ins included."""
    found = []
    for top, _, names in os.walk(UNITS):
        for name in names:
            found.append(os.path.relpath(os.path.join(top, name), UNITS))
    return sorted(found)


# -- units -----------------------------------------------------------------

class Unit:
    """A unit file: sections, and keys that may come more than once."""

    def __init__(self, text):
        self.pairs = []
        section = None
        for line in text.replace('\\\n', ' ').splitlines():
            line = line.strip()
            if not line or line[0] in '#;':
                continue
            if line[0] == '[':
                section = line[1:-1]
            else:
                key, _, value = line.partition('=')
                self.pairs.append((section, key.strip(), value.strip()))

    def all(self, key, section='Service'):
        return [v for s, k, v in self.pairs if (s, k) == (section, key)]

    def commands(self, key):
        """[(ignore failure, argv)]; a lone "ExecStart=" clears what was."""
        found = []
        for value in self.all(key):
            if not value:
                found = []
                continue
            prefix = value[:len(value) - len(value.lstrip('-+!@:|'))]
            found.append(('-' in prefix, shlex.split(value[len(prefix):])))
        return found


def unit(host, name):
    return Unit(host.read('/etc/systemd/system/' + name))


def _directories(host, u):
    for kind, base in (('Runtime', '/run/'), ('State', '/var/lib/')):
        for name in u.all(kind + 'Directory'):
            mode = (u.all(kind + 'DirectoryMode') or ['0755'])[-1]
            host.run(['install', '-d', '-m', mode, base + name])


def _confined(u, argv):
    """argv with the unit's capabilities and file mode mask."""
    words = ['sh', '-c', 'umask %s; exec "$@"' % (
        u.all('UMask') or ['0022'])[-1], 'sh', 'setpriv']
    caps = ' '.join(u.all('CapabilityBoundingSet')).lower().split()
    if caps:
        words += ['--bounding-set', ','.join(
            ['-all'] + [c.replace('cap_', '+') for c in caps])]
    if 'yes' in u.all('NoNewPrivileges'):
        words.append('--no-new-privs')
    return words + ['--'] + argv if len(words) > 5 else argv


def _oneshot(host, u, key):
    for ignore, argv in u.commands(key):
        done = host.run(_confined(u, argv), check=False)
        if done.returncode != 0 and not ignore:
            return '%s: exit %d: %s' % (shlex.join(argv), done.returncode,
                                        done.stderr.strip())
    return None


def boot_before_network(host):
    if host.key not in host.lab.nodes:
        return []
    u = unit(host, 'hawatch-fence.service')
    _directories(host, u)
    failed = _oneshot(host, u, 'ExecStartPre') or \
        _oneshot(host, u, 'ExecStart')
    return [('hawatch-fence.service', failed or 'ok')]


def boot_after_network(host, daemon, autostart, gate=True):
    steps = []
    if host.key not in host.lab.nodes:
        return steps
    if daemon:
        daemon_start(host)
        steps.append(('hawatchd.service', 'started'))
    if autostart and host.key in host.lab.pg:
        failed = postgres_unit_start(host, gate)
        steps.append(('postgresql.service', failed or 'ok'))
    return steps


def postgres_unit_start(host, gate=True):
    """What systemctl start postgresql does: the gate, then the server."""
    for name in units():
        if gate and name.startswith('postgresql'):
            failed = _oneshot(host, unit(host, name), 'ExecStartPre')
            if failed:
                return failed
    done = host.lab.pg[host.key].do(pgmod.Postgres.start_argv(), check=False)
    return None if done.returncode == 0 else done.stderr.strip()


# -- the daemon ------------------------------------------------------------

def log_path(host):
    return os.path.join(host.dir, 'hawatchd.log')


def daemon_start(host, env=None):
    """Starts hawatchd by its unit's ExecStart; returns when it runs, which
    does not mean that it is ready, or when it has run: one that refuses to
    is soon gone."""
    u = unit(host, 'hawatchd.service')
    _directories(host, u)
    failed = _oneshot(host, u, 'ExecStartPre')
    if failed:
        raise RuntimeError(failed)
    argv = u.commands('ExecStart')[-1][1]
    before = _size(log_path(host))
    host.spawn(_confined(u, argv), log_path(host), env=env)
    wait_for(lambda: host.pids('hawatchd') or
             _size(log_path(host)) > before, 5, 'hawatchd runs', every=0.005)


def _size(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def hactl(host, *words, **kw):
    return host.run(['hactl'] + list(words), **kw)
