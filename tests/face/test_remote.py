"""hactl from an operator's machine: real TLS to a server of the test's own,
with certificates that hactl made. What it asks, whom, and what it says when
the certificate, the host or the answer is wrong."""

import json
import os
import socket
import ssl
import subprocess
import threading

import pytest

import samples
from engine import HACTL, environment, run

NAMES = samples.SHORT


class Host:
    """A node: TLS 1.3 on a port of its own, answers by verb. raw: what it
    says in the place of an answer."""

    def __init__(self, pki, name, answers, trusts='ca.pem', raw=None):
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.minimum_version = ssl.TLSVersion.TLSv1_3
        self.tls.verify_mode = ssl.CERT_REQUIRED
        self.tls.load_verify_locations('%s/%s' % (pki, trusts))
        self.tls.load_cert_chain('%s/%s.pem' % (pki, name),
                                 '%s/%s.key' % (pki, name))
        self.answers, self.raw, self.asked = answers, raw, []
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            try:
                with self.tls.wrap_socket(conn, server_side=True) as tls:
                    self._answer(tls)
            except (OSError, ssl.SSLError):
                conn.close()

    def _answer(self, tls):
        f = tls.makefile('rb')
        head = f.readline().decode().split()
        length = 0
        for line in iter(f.readline, b'\r\n'):
            key, _, value = line.decode().partition(':')
            if key.lower() == 'content-length':
                length = int(value)
        request = json.loads(f.read(length))
        subject = dict(x[0] for x in tls.getpeercert()['subject'])
        self.asked.append((subject['commonName'], head[:2], request))
        if self.raw is not None:
            tls.sendall(self.raw)
            return
        tls.sendall(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n')
        for obj in self.answers.get(request['verb'],
                                    [{'exit': 2, 'refused': 'unknown'}]):
            tls.sendall(json.dumps(obj).encode() + b'\n')

    def close(self):
        """When its thread has ended: one that is about to accept would do so
        on the descriptor's next socket, and answer for the next host."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(10)
        self.listener.close()


@pytest.fixture(scope='module')
def pki(tmp_path_factory):
    path = str(tmp_path_factory.mktemp('remote') / 'pki')

    def hactl(*words):
        subprocess.run([HACTL, 'pki'] + list(words), check=True,
                       stdout=subprocess.DEVNULL)
    for directory in (path, path + '/other'):
        hactl('init', '--cluster', 'votes', directory)
        hactl('operator', directory, 'ann')
    for name in NAMES[:2]:
        hactl('node', '--address', '127.0.0.1', path, name)
    return path


@pytest.fixture
def host(pki):
    made = Host(pki, NAMES[0], samples.answers(NAMES))
    yield made
    made.close()


def keys(pki, name='ann'):
    return ['--ca', pki + '/ca.pem', '--cert', '%s/%s.pem' % (pki, name),
            '--key', '%s/%s.key' % (pki, name)]


def at(host, name=''):
    return ['--host', '%s%s127.0.0.1:%d' % (name, '=' if name else '',
                                            host.port)]


def client(pki, *hosts, **more):
    """An operator's directory; the path of the file in it."""
    path = os.path.join(pki, 'client.conf')
    text = 'ca = "ca.pem";\ncert = "ann.pem";\nkey = "ann.key";\n' \
           'hosts = [ %s ];\n' % ', '.join('"%s"' % h for h in hosts)
    with open(path, 'w') as f:
        f.write(more.get('text', text))
    return path


def refused(done, code, *words):
    said = ' '.join((done.stdout + done.stderr).split())
    assert done.returncode == code, said
    for word in words:
        assert word in said
    assert '\nnext:  ' in '\n' + done.stderr
    return said


def test_the_same_as_on_the_host(pki, host):
    done = run(None, 'status', *at(host), *keys(pki))
    assert done.returncode == 0, done.stderr
    assert NAMES[1] in done.stdout
    assert host.asked == [('ann', ['POST', '/v1/control'],
                           {'verb': 'status'})]
    # What comes next is said as from here.
    found = json.loads(run(None, 'status', '--json', *at(host),
                           *keys(pki)).stdout)
    assert found['schema'] and found['exit'] == 0
    host.answers['pause'] = [{'exit': 1, 'refused': 'only the holder writes',
                              'next': "ssh prod-s2 'hactl pause --for 60s "
                                      "\"new disks\"'"}]
    done = run(None, 'pause', '--for', '60s', '--yes', 'new disks',
               *at(host, NAMES[0]), *keys(pki))
    refused(done, 1, 'next: hactl --host prod-s2 --ca %s/ca.pem --cert '
                     '%s/ann.pem --key %s/ann.key pause --for 60s '
                     '"new disks" --yes' % (pki, pki, pki))
    assert not done.stderr.rstrip().endswith("'")


def test_a_file_is_copied_from_there(pki, host):
    """An engine says it as from its host, which this machine is not."""
    names = samples.SHORT
    answer = samples.reload_refused(names)
    answer.update(refused='the file of prod-s2 is another one',
                  next='scp /etc/hawatch/hawatch.conf prod-s2:/etc/hawatch/'
                  'hawatch.conf && hactl reload',
                  copy={'from': names[0], 'to': names[1:2]})
    host.answers['reload'] = [answer]
    done = run(None, 'reload', '--yes', *at(host, NAMES[0]), *keys(pki))
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 1
    assert last.startswith('next:  scp prod-s1:/etc/hawatch/hawatch.conf '
                           'prod-s2:/etc/hawatch/hawatch.conf && hactl '
                           '--host '), last
    assert last.endswith(' reload')
    # As it is said where that engine is.
    answer.update(next='ssh prod-s1 systemctl restart hawatchd')
    del answer['copy']
    done = run(None, 'reload', '--yes', *at(host, NAMES[0]), *keys(pki))
    assert done.stderr.splitlines()[-1] == \
        'next:  ssh prod-s1 systemctl restart hawatchd'


def test_who_is_no_name_from_afar(pki, host):
    """The number of an account there may be somebody else's here."""
    said = run(None, 'history', *at(host), *keys(pki)).stdout
    assert 'by uid 0 of %s' % NAMES[0] in ' '.join(said.split())
    assert 'by root' not in said


def test_the_file_of_an_operator(pki, host, tmp_path):
    path = client(pki, 'prod-s1=127.0.0.1:%d' % host.port,
                  'prod-s2=127.0.0.1:1')
    for words, env in ((['--client', path], {}),
                       ([], {'HACTL_CLIENT': path})):
        done = run(None, 'ping', *words, env=environment(**env))
        assert done.returncode == 0, done.stderr
    # Whoever answers may be asked; an order is for one.
    path = client(pki, 'prod-s2=127.0.0.1:1',
                  'prod-s1=127.0.0.1:%d' % host.port)
    assert run(None, 'ping', '--client', path).returncode == 0
    # The primary is who gets most of them, and any host knows it.
    refused(run(None, 'ack', '--client', path), 2,
            'an order is for one host: which one? There are prod-s2, prod-s1',
            'next: hactl ack --client %s --host prod-s1' % path)
    refused(run(None, 'fence', 'disks', '--yes', '--client', path), 2,
            'which one?', 'next: hactl --client %s status' % path)
    done = run(None, 'ack', '--client', path, '--host', 'prod-s1')
    assert host.asked[-1][2] == {'verb': 'ack'}, done.stderr
    refused(run(None, 'ping', '--client', path, '--host', 'prod-s2'), 3,
            'prod-s2 at 127.0.0.1 port 1 does not answer: connect',
            'next: ssh prod-s2 systemctl status hawatchd')
    refused(run(None, 'ping', '--client', path, '--host', 'prod-s9.invalid'),
            2, 'prod-s9.invalid is not in hosts of %s, which are prod-s2, '
            'prod-s1' % path,
            'next: hactl ping --client %s --host prod-s2' % path)
    # The shells know the hosts, where no configuration has them.
    done = run(None, 'completion', 'nodes', '-c', '/nonexistent',
               env=environment(HACTL_CLIENT=path))
    assert done.stdout == 'prod-s2\nprod-s1\n'
    # At home it is found without being named, once a host is.
    home = tmp_path / '.config' / 'hawatch'
    home.mkdir(parents=True)
    (home / 'client.conf').write_text(
        open(path).read().replace('"a', '"%s/a' % pki).replace(
            '"ca', '"%s/ca' % pki))
    done = run(None, 'ping', '--host', 'prod-s1',
               env=environment(HOME=str(tmp_path)))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize('text,words', [
    ('ca = ', 'syntax error'),
    ('ca = 1;', 'ca is no text'),
    ('hosts = 1;', 'hosts is no list'),
    ('hosts = [ 1 ];', 'a host is no text'),
    ('certificate = "x";', 'unknown key certificate'),
])
def test_a_file_that_is_wrong(pki, text, words):
    path = client(pki, text='\n' + text)
    refused(run(None, 'ping', '--client', path), 5, path + ':2', words,
            'hactl(8) shows such a file', 'next: cat -n ' + path)


def test_what_is_missing(pki, host):
    refused(run(None, 'ping', *at(host)), 5, 'which certificate to ask with')
    refused(run(None, 'ping', '--client', client(pki)), 2,
            'no host is named')
    refused(run(None, 'ping', '--host', 'x:y', *keys(pki)), 2, 'is no port')
    refused(run(None, 'ping', '--host', '=1', *keys(pki)), 2, 'no name')
    refused(run(None, 'ping', '--host', 'prod-s9.invalid', *keys(pki),
                env=environment(HOME='/nonexistent')), 2,
            'prod-s9.invalid is not in hosts of any client.conf')
    refused(run(None, 'ping', '--host', ':7400', *keys(pki)), 2,
            'a host is [NAME=]ADDRESS[:PORT]')
    refused(run(None, 'ping', *at(host), *keys(pki, 'nobody')), 5,
            'nobody.pem: No such file')
    refused(run(None, 'gate', *at(host), *keys(pki)), 2,
            'is done on this host, for no other')
    mixed = keys(pki)[:4] + keys(pki + '/other')[4:]
    refused(run(None, 'ping', *at(host), *mixed), 5, 'values mismatch')
    os.chmod(pki + '/ann.key', 0o644)
    refused(run(None, 'ping', *at(host), *keys(pki)), 5,
            'can be read by others', 'next: chmod 600 %s/ann.key' % pki)
    os.chmod(pki + '/ann.key', 0o600)


def test_whom_it_speaks_to(pki, host):
    """Its certificate must be of the authority, and of the name."""
    refused(run(None, 'ping', *at(host, 'prod-s2'), *keys(pki)), 6,
            'prod-s2 at 127.0.0.1', 'its certificate: hostname mismatch',
            'next: ssh prod-s2 hactl pki check')
    other = keys(pki)
    other[1] = pki + '/other/ca.pem'
    refused(run(None, 'ping', *at(host), *other), 6, 'its certificate:')
    # An operator is no node.
    false = Host(pki, 'ann', {})
    refused(run(None, 'ping', *at(false, 'ann'), *keys(pki)), 6,
            'its certificate: unsuitable certificate purpose')
    false.close()
    assert not host.asked


def test_a_certificate_of_another_authority(pki, host):
    foreign = ['--ca', pki + '/ca.pem'] + keys(pki + '/other')[2:]
    refused(run(None, 'ping', *at(host), *foreign), 6,
            'it refuses your certificate, which is of another authority',
            'next: openssl x509 -noout -subject -issuer -dates -in '
            '%s/other/ann.pem' % pki)


@pytest.mark.parametrize('raw,code,words', [
    (b'HTTP/1.1 403 Forbidden\r\nX-Hawatch-Reason: no-operator\r\n\r\n', 6,
     'has to be in operators of hawatch.conf there, read at a start of '
     'hawatchd'),
    (b'HTTP/1.1 503 Busy\r\nX-Hawatch-Reason: too-many-operators\r\n\r\n', 3,
     'it answers 503 too-many-operators'),
    (b'SSH-2.0-OpenSSH\r\n', 3, 'what listens there is no hawatch'),
    (b'', 3, 'it closed the connection before its answer ended'),
    (b'HTTP/1.1 200 OK\r\n\r\n{"step":1}\n', 3,
     'it closed the connection before its answer ended'),
    (b'HTTP/1.1 200 OK\r\n\r\nx\n', 3, 'not JSON'),
    (b'HTTP/1.1 200 OK\r\n\r\n{"exit":"0"}\n', 3, 'no exit code'),
    (b'HTTP/1.1 200 OK\r\n' + b'x: y\r\n' * 100, 3, 'it answers 200'),
])
def test_what_it_says_instead(pki, raw, code, words):
    host = Host(pki, NAMES[0], {}, raw=raw)
    refused(run(None, 'ping', *at(host), *keys(pki)), code, words)
    host.close()


def test_no_tls_there(pki):
    listener = socket.create_server(('127.0.0.1', 0))

    def serve():
        conn, _ = listener.accept()
        conn.recv(100)
        conn.sendall(b'HTTP/1.1 400 Bad Request\r\n\r\n')
        conn.close()
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    refused(run(None, 'ping', '--host', '127.0.0.1:%d' %
                listener.getsockname()[1], *keys(pki)), 6,
            'it does not speak TLS')
    thread.join(5)
    listener.close()


def test_nobody_answers_in_time(pki):
    """Who accepts and is silent."""
    listener = socket.create_server(('127.0.0.1', 0))
    refused(run(None, 'ping', '--host', '127.0.0.1:%d' %
                listener.getsockname()[1], *keys(pki)), 3,
            'no answer in time')
    listener.close()


class Cluster:
    """Two hosts in one state, in which nothing is wrong."""

    def __init__(self):
        self.primary, self.epoch, self.refuses = 'prod-s1', 5, None
        self.orders, self.lost, self.unwritten = [], None, None

    def status(self):
        other = {'prod-s1': 'prod-s2', 'prod-s2': 'prod-s1'}[self.primary]
        found = samples.status([self.primary, other, 'prod-a1'])
        for node in found['nodes']:
            for key in ('paused', 'checks', 'drift', 'traffic'):
                node.pop(key, None)
            if 'ready' in node:
                node['ready'] = {'ok': True, 'reasons': [], 'texts': []}
            if 'health' in node:
                node['health'] = {'ok': True, 'reasons': '', 'spared': []}
            node['record'].pop('paused')
            node['record']['epoch'] = self.epoch
        found['register'].update(cold=False)
        if self.lost:
            found['nodes'][1]['fence']['armed'] = 'no'
            found['nodes'][1]['ready'] = {
                'ok': False, 'reasons': ['not-armed'], 'texts': ['']}
        return found

    def get(self, verb, default):
        if verb == 'status':
            return [self.status()]
        if verb == 'switchover':
            self.orders.append(self.primary)
            if self.refuses == self.primary:
                return [{'exit': 1, 'refused': 'the target lags',
                         'next': 'hactl status'}]
            self.primary = {'prod-s1': 'prod-s2',
                            'prod-s2': 'prod-s1'}[self.primary]
            self.epoch += 1
            return samples.STEPS
        answers = samples.answers(NAMES)
        if verb == 'report' and self.unwritten == self.primary:
            for host in answers['report'][0]['hosts']:
                host['records'] = []
        return answers.get(verb, default)


@pytest.fixture
def pair(pki):
    cluster = Cluster()
    hosts = [Host(pki, name, cluster) for name in NAMES[:2]]
    path = client(pki, *['%s=127.0.0.1:%d' % (name, host.port)
                         for name, host in zip(NAMES, hosts)])
    yield cluster, path
    for host in hosts:
        host.close()


def test_drill(pair):
    """Each order goes to who is the primary then, and both outages come from
    the report."""
    cluster, path = pair
    done = run(None, 'preflight', '--client', path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'prod-s2 takes over if prod-s1 is lost now' in done.stdout
    refused(run(None, 'drill', '--client', path), 1, 'this asks before it')
    assert not cluster.orders
    done = run(None, 'drill', '--yes', '--client', path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert cluster.orders == ['prod-s1', 'prod-s2']
    for way in ('prod-s1 to prod-s2', 'prod-s2 to prod-s1'):
        assert way + ': nobody could write for ' in done.stdout
    assert 'next  hactl --client %s report 7\n' % path in done.stdout
    done = run(None, 'drill', '--yes', '--json', '--client', path)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(x['from'], x['to'], x['epoch']) for x in said[-1]['legs']] == [
        ('prod-s1', 'prod-s2', 8), ('prod-s2', 'prod-s1', 9)]
    assert said[-1]['exit'] == 0
    assert not any('exit' in x for x in said[:-1])


def test_a_drill_whose_second_outage_is_not_known(pair):
    """The first one is not told for it."""
    cluster, path = pair
    cluster.unwritten = 'prod-s1'
    said = run(None, 'drill', '--yes', '--client', path).stdout
    assert 'prod-s1 to prod-s2: nobody could write for 1.403 s' in said
    assert 'prod-s2 to prod-s1: nobody could write for ?' in said
    done = run(None, 'drill', '--yes', '--json', '--client', path)
    legs = json.loads(done.stdout.splitlines()[-1])['legs']
    assert [x['outage_ms'] for x in legs] == [1403, -1]


def test_a_drill_that_stops_half_way_says_so_to_programs(pair):
    cluster, path = pair
    cluster.refuses = 'prod-s2'
    done = run(None, 'drill', '--yes', '--json', '--client', path)
    last = json.loads(done.stdout.splitlines()[-1])
    assert [x['to'] for x in last['legs']] == ['prod-s2']
    assert last['exit'] == done.returncode == 1
    assert last['refused'].startswith('the drill stops half way')
    assert last['why'] == 'the target lags'
    assert last['next'] == (
        'hactl --client %s --host prod-s2 switchover prod-s1' % path)


def test_a_drill_that_would_not_end_well(pair):
    cluster, path = pair
    refused(run(None, 'drill', '--yes'), 1, 'gives an order to either host',
            'next: hactl drill --yes --client')
    refused(run(None, 'drill', 'prod-a1', '--yes', '--client', path), 1,
            'in which nothing is wrong')
    cluster.lost = True
    refused(run(None, 'drill', '--yes', '--client', path), 1,
            'in which nothing is wrong',
            'next: hactl --client %s preflight' % path)
    refused_now = run(None, 'preflight', '--client', path)
    assert refused_now.returncode == 1
    assert 'Nobody could take over' in refused_now.stdout
    assert not cluster.orders
    cluster.lost = None
    cluster.refuses = 'prod-s1'
    refused(run(None, 'drill', '--yes', '--client', path), 1,
            'the target lags')
    # Half way: who took over keeps it, and it is said how to go back.
    cluster.refuses = 'prod-s2'
    refused(run(None, 'drill', '--yes', '--client', path), 1,
            'the target lags', 'the drill stops half way',
            'next: hactl --client %s --host prod-s2 switchover prod-s1' % path)
    assert cluster.primary == 'prod-s2'
