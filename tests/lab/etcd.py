"""etcd on hosts of a lab: three members, mutual TLS, as operators would have it
beside their databases and on the witness."""

import json
import os
import shutil
import signal

from .host import wait_gone
from .wait import wait_for

MEMBERS = ('s1', 's2', 'a1')
DATA = '/var/lib/etcd-lab'
PKI = '/etc/hawatch/pki/'
CLIENTS = 2379
PEERS = 2380
# Of one local network; a leader that is lost is replaced within a second.
HEARTBEAT, ELECTION = 50, 500


def register(lab):
    """The group of hawatch.conf."""
    return 'type = "etcd"; endpoints = [ %s ]; ca = "%sca.pem"; ' \
        'cert = "%s${node}.pem"; key = "%s${node}.key";' % (
            ', '.join('"%s:%d"' % (lab.host[k].address, CLIENTS)
                      for k in MEMBERS), PKI, PKI, PKI)


def peers(lab):
    return ','.join('%s=http://%s:%d' % (
        lab.host[k].name, lab.host[k].address, PEERS) for k in MEMBERS)


def argv(host, token='lab'):
    mine = 'https://%s:%d' % (host.address, CLIENTS)
    peer = 'http://%s:%d' % (host.address, PEERS)
    return ['etcd', '--name', host.name, '--data-dir', DATA,
            '--listen-client-urls', mine, '--advertise-client-urls', mine,
            '--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer,
            '--initial-cluster', peers(host.lab),
            '--initial-cluster-token', token,
            '--heartbeat-interval', str(HEARTBEAT),
            '--election-timeout', str(ELECTION), '--pre-vote',
            '--cert-file', PKI + host.name + '.pem',
            '--key-file', PKI + host.name + '.key',
            '--trusted-ca-file', PKI + 'ca.pem', '--client-cert-auth',
            '--logger', 'zap', '--log-level', 'warn',
            '--log-outputs', 'stderr']


def start(host):
    token = getattr(host.lab, 'etcd_token', 'lab')
    host.spawn([host.lab.tool('lab-slowdisk'), _delay(host)] +
               argv(host, token), os.path.join(host.dir, 'etcd.log'))


def _delay(host):
    return os.path.join(host.dir, 'etcd.disk')


def slow_disk(host, ms):
    """From now on what its member brings to the disk is there so much later;
    0: as fast as it is."""
    with open(_delay(host) + '.new', 'w') as f:
        f.write('%d\n' % ms)
    os.rename(_delay(host) + '.new', _delay(host))


def syncs(host):
    """How often its member has brought its log to the disk, and in how many
    seconds in all."""
    page = host.run(
        ['curl', '-sS', '--max-time', '2', '--cacert', PKI + 'ca.pem',
         '--cert', PKI + host.name + '.pem', '--key', PKI + host.name + '.key',
         'https://%s:%d/metrics' % (host.address, CLIENTS)]).stdout
    found = dict(line.split() for line in page.splitlines()
                 if line.startswith('etcd_disk_wal_fsync_'))
    name = 'etcd_disk_wal_fsync_duration_seconds_'
    return int(found[name + 'count']), float(found[name + 'sum'])


def start_all(lab):
    for key in MEMBERS:
        start(lab.host[key])
    wait_for(lambda: leader(lab) is not None, 20, 'etcd has a leader',
             every=0.1)
    lab.etcd_term = term(lab)


def ctl(host, *words, endpoint=None, **kw):
    """etcdctl on a host; endpoint: of another member than its own."""
    return host.run(
        ['etcdctl', '--endpoints', 'https://%s:%d' % (
            (endpoint or host).address, CLIENTS), '--cacert', PKI + 'ca.pem',
         '--cert', PKI + host.name + '.pem', '--key', PKI + host.name + '.key',
         '--dial-timeout', '1s', '--command-timeout', '2s'] + list(words),
        env={'ETCDCTL_API': '3'}, **kw)


def status(host):
    done = ctl(host, 'endpoint', 'status', '-w', 'json', check=False)
    try:
        return json.loads(done.stdout)[0]['Status']
    except (ValueError, IndexError, KeyError):
        return {}


def term(lab):
    """The highest that a member knows."""
    return max(status(lab.host[key]).get('raftTerm', 0) for key in MEMBERS
               if lab.host[key].up)


def elected_for(lab):
    """For how many seconds at most etcd may have been without a leader since
    it was started: what was written last is then seen so much later."""
    if lab.register != 'etcd' or term(lab) == lab.etcd_term:
        return 0
    return 2 * ELECTION / 1e3


def leader(lab, besides=()):
    """Key of the host whose member leads, as that one says; None."""
    for key in MEMBERS:
        if not lab.host[key].up or key in besides:
            continue
        found = status(lab.host[key])
        if found.get('leader') and \
                found['leader'] == found['header']['member_id']:
            return key
    return None


def move_leader(lab, key):
    """The member of that host leads from now on."""
    at = leader(lab)
    if at == key:
        return
    target = '%x' % status(lab.host[key])['header']['member_id']
    ctl(lab.host[at], 'move-leader', target)
    wait_for(lambda: leader(lab) == key, 10, '%s leads etcd' % key, every=0.1)
    lab.etcd_term = term(lab)


def kill(host, sig=signal.SIGKILL):
    pids = host.pids('etcd')
    host.kill(pids, sig)
    if sig == signal.SIGKILL:
        wait_gone(pids)


def put_back(lab, snapshot, token):
    """What an operator does with a snapshot: every member ends, and begins
    with what was saved, as a cluster of that token."""
    for key in MEMBERS:
        host = lab.host[key]
        kill(host)
        shutil.rmtree(host.path(DATA))
        with open(host.path('/var/lib/etcd-snapshot'), 'wb') as f:
            f.write(snapshot)
        host.run(['etcdctl', 'snapshot', 'restore', '/var/lib/etcd-snapshot',
                  '--name', host.name, '--data-dir', DATA,
                  '--initial-cluster', peers(lab),
                  '--initial-cluster-token', token,
                  '--initial-advertise-peer-urls',
                  'http://%s:%d' % (host.address, PEERS)],
                 env={'ETCDCTL_API': '3'})
    lab.etcd_token = token
    start_all(lab)
