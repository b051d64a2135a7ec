"""What strangers and broken neighbours send: it opens nothing, stops nothing,
and the votes go on."""

import os

import pytest

from lab import abuse, product, wait_for
from lab.cluster import now

PKI = '/etc/hawatch/pki/'


class Watch:
    """That the daemons are the same processes as before, the record has not
    moved, and no vote had to wait for long."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.vote = cluster.vote()
        self.vote.wait_acked(20)
        self.pids = self._pids()
        self.at = now()

    def _pids(self):
        return {key: (host.pids('hawatchd'), host.pids('hawatch-front'))
                for key, host in self.cluster.lab.host.items()
                if key != 'client'}

    def close(self, votes=200):
        self.vote.wait_acked(votes)
        assert self._pids() == self.pids
        record = self.cluster.record('s1')
        assert (record['epoch'], record['holder']) == (1, 'prod-s1')
        assert record['candidates'] == ['prod-s2']
        report = self.cluster.audit('s1', self.at, changes=0)
        assert report['ok'] and report['outage_ms'] < 1000


def send(cluster, host, kind, victim, port, *files):
    done = cluster.lab.host[host].run(
        ['/usr/bin/python3', abuse.__file__, kind,
         cluster.lab.host[victim].address, str(port)] + list(files),
        timeout=60, check=False)
    print('%s -> %s:%d: %s' % (kind, victim, port,
                               (done.stdout + done.stderr[-300:]).strip()))
    return done.stdout


def node_files(name):
    return (PKI + name + '.pem', PKI + name + '.key')


def test_everything_from_everywhere(cluster):
    """Each kind at each port: the public one, the peers' one without and with
    a certificate of the cluster."""
    watch = Watch(cluster)
    for kind in sorted(abuse.KINDS):
        send(cluster, 'client', kind, 's1', product.HEALTH_PORT)
        for victim in ('s1', 'a1'):
            send(cluster, 'client', kind, victim, product.PEER_PORT)
            send(cluster, 's2', kind, victim, product.PEER_PORT,
                 *node_files('prod-s2'))
    watch.close()


def test_slow_and_many(cluster):
    watch = Watch(cluster)
    send(cluster, 's2', 'slow', 'a1', product.PEER_PORT,
         *node_files('prod-s2'))
    for victim, port in (('s1', product.HEALTH_PORT),
                         ('s1', product.PEER_PORT),
                         ('a1', product.PEER_PORT)):
        send(cluster, 'client', 'crowd', victim, port)
    watch.close()


@pytest.mark.parametrize('name', ['prod-s2', 'stranger'])
def test_certificate_of_another_authority(cluster, name):
    """The right name, signed by somebody else."""
    lab = cluster.lab
    watch = Watch(cluster)
    rogue = os.path.join(lab.dir, 'rogue')
    product.certificates(rogue, [name])
    files = [os.path.join(rogue, name + end) for end in ('.pem', '.key')]
    for victim in ('s1', 'a1'):
        out = send(cluster, 'client', 'no-json', victim, product.PEER_PORT,
                   *files)
        assert 'HTTP' not in out
    watch.close()


def test_certificate_of_no_node(cluster):
    """Signed by the cluster's own authority, but no node has that name."""
    watch = Watch(cluster)
    pki = product.authority(cluster.lab)
    product.certificates(pki, ['guest'])
    for victim in ('s1', 'a1'):
        out = send(cluster, 'client', 'no-json', victim, product.PEER_PORT,
                   os.path.join(pki, 'guest.pem'),
                   os.path.join(pki, 'guest.key'))
        assert '200' not in out
    watch.close()


def test_certificate_of_another_node(cluster):
    """prod-s2 has been given prod-a1's files. Nobody takes it for prod-s2,
    and the person is told which files are wrong."""
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(20)
    for end in ('.pem', '.key'):
        lab.s2.write(PKI + 'prod-s2' + end,
                     lab.a1.read(PKI + 'prod-a1' + end), 0o600)
    cluster.engine_kill('s2')
    cluster.engine_start('s2')
    at = now()

    def silent():
        done = cluster.hactl('s1', 'status')
        return 'does not answer: tls-name' in done.stdout and \
            'ssh prod-s2 hactl pki check' in done.stdout
    wait_for(silent, 15, 'prod-s1 does not believe prod-s2', every=0.2)
    done = cluster.hactl('s2', 'pki', 'check')
    assert done.returncode == 7
    assert 'certificate of "prod-a1"' in done.stderr
    vote.wait_acked(300, since=at, deadline=15)
    record = cluster.record('s1')
    assert (record['epoch'], record['holder']) == (1, 'prod-s1')
    assert cluster.audit('s1', at, changes=0)['ok']


def test_postgres_answers_garbage(cluster):
    """Something else listens where the standby's PostgreSQL should."""
    lab = cluster.lab
    vote = cluster.vote()
    vote.wait_acked(20)
    cluster.engine_kill('s2')
    lab.pg['s2'].kill_all()
    socket = lab.s2.path('/run/postgresql/.s.PGSQL.5432')
    if os.path.exists(socket):
        os.unlink(socket)
    garbage = lab.s2.popen(
        ['/usr/bin/python3', abuse.__file__, 'serve-garbage',
         '/run/postgresql/.s.PGSQL.5432', '5432'], stdout=-1, text=True)
    try:
        assert garbage.stdout.readline() == 'ready\n'
        cluster.engine_start('s2')
        at = now()
        vote.wait_acked(800, since=at, deadline=20)
        wait_for(lambda: lab.s2.pids('hawatchd'))
        assert lab.s1.pids('hawatchd')
        assert cluster.record('s1')['epoch'] == 1
    finally:
        lab.s2.kill(p for p, (_, line) in lab.s2.processes().items()
                    if 'serve-garbage' in line)
        garbage.communicate()
    assert cluster.audit('s1', changes=0)['ok']
