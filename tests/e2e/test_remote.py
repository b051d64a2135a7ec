"""An operator's machine, which is no node: hactl over the peers' port, with a
certificate of the cluster's authority. Who may what, and what is written down
of it."""

import json
import os
import re
import subprocess

from lab import product, wait_for
from lab.cluster import now

OPERATORS = '''operators = ( { name = "ann"; role = "operate"; },
    { name = "bob"; role = "read"; } );
notify = ( { name = "file"; command = [ "/bin/sh", "-c",
    "cat >> /var/lib/hawatch/told; echo kept" ]; },
    { name = "slow"; command = [ "/bin/sleep", "60" ]; timeout = "200ms"; } );
'''
CLIENT = '''ca = "ca.pem";
cert = "%s.pem";
key = "%s.key";
hosts = [ "prod-s1=10.77.0.11", "prod-s2=10.77.0.12", "prod-a1=10.77.0.13" ];
'''


class Operator:
    """One with his own files on the host that is no node."""

    def __init__(self, cluster, name, pki=None):
        self.lab, self.name = cluster.lab, name
        self.dir = '/etc/hawatch/' + name
        pki = pki or os.path.join(self.lab.dir, 'pki')
        made = os.path.join(pki, name + '.pem')
        if not os.path.exists(made):
            subprocess.run([os.path.join(self.lab.programs, 'hactl'), 'pki',
                            'operator', pki, name], check=True,
                           stdout=subprocess.DEVNULL)
        for mine, theirs in (('ca.pem',) * 2, (name + '.pem',) * 2,
                             (name + '.key',) * 2):
            with open(os.path.join(pki, mine)) as f:
                self.lab.client.write(os.path.join(self.dir, theirs),
                                      f.read(), 0o600)
        self.file = self.dir + '/client.conf'
        self.lab.client.write(self.file, CLIENT % (name, name))

    def __call__(self, *words, code=0):
        done = self.lab.client.run(['hactl', '--client', self.file] +
                                   list(words), check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def post(self, key, path):
        """(status, body) of the port itself."""
        host = self.lab.host[key]
        done = self.lab.client.run(
            ['curl', '-s', '-m', '3', '--cacert', self.dir + '/ca.pem',
             '--cert', '%s/%s.pem' % (self.dir, self.name),
             '--key', '%s/%s.key' % (self.dir, self.name), '-d', '{}',
             '-w', '\n%{http_code}', '--resolve', '%s:%d:%s' % (
                 host.name, product.PEER_PORT, host.address),
             'https://%s:%d%s' % (host.name, product.PEER_PORT, path)],
            check=False)
        body, _, code = done.stdout.rpartition('\n')
        return int(code or 0), body


def expired(cluster):
    """ann, of the right authority, two years ago."""
    pki = os.path.join(cluster.lab.dir, 'pki')
    old = os.path.join(cluster.lab.dir, 'old')
    os.makedirs(old)
    with open(os.path.join(old, 'cnf'), 'w') as f:
        f.write('[ca]\ndefault_ca=x\n[x]\ndatabase=index\nserial=serial\n'
                'new_certs_dir=.\ndefault_md=sha256\npolicy=p\n'
                '[p]\ncommonName=supplied\n')
    for line in ('cp %s/ca.pem %s/ann.key .' % (pki, pki),
                 'touch index', 'echo 01 > serial',
                 'openssl req -new -key ann.key -subj /CN=ann -out ann.csr',
                 'openssl ca -batch -config cnf -cert %s/ca.pem -keyfile '
                 '%s/ca.key -startdate 20240101000000Z -enddate '
                 '20240102000000Z -in ann.csr -out ann.pem -notext' % (
                     pki, pki)):
        subprocess.run(line, shell=True, cwd=old, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return old


def refusals(cluster, key, what):
    return [e for e in cluster.events(key)
            if e['ev'] == 'front.refused' and e['what'] == what]


def strangers(cluster, ann):
    """Each is refused, told so, and in the log by name."""
    eve = Operator(cluster, 'eve')
    said = eve('--host', 'prod-s1', 'status', code=6)
    assert 'its name has to be in operators of hawatch.conf there' in \
        ' '.join(said.split())
    assert 'next:  ssh -t prod-s1 sudoedit /etc/hawatch/hawatch.conf' in said
    wait_for(lambda: refusals(cluster, 's1', 'name'), 5, 'eve is in the log')
    assert refusals(cluster, 's1', 'name')[0]['reason'].endswith(': eve')
    Operator(cluster, 'ann', expired(cluster))
    said = ann('--host', 'prod-s1', 'status', code=6)
    assert 'your certificate, which has expired' in ' '.join(said.split())
    wait_for(lambda: refusals(cluster, 's1', 'tls'), 5, 'it is in the log')
    assert 'expired: ann' in refusals(cluster, 's1', 'tls')[0]['reason']
    other = os.path.join(cluster.lab.dir, 'other')
    subprocess.run([os.path.join(cluster.lab.programs, 'hactl'), 'pki',
                    'init', other, '--cluster', 'other'], check=True,
                   stdout=subprocess.DEVNULL)
    Operator(cluster, 'ann', other)
    said = ann('--host', 'prod-s2', '--ca', '/etc/hawatch/eve/ca.pem',
               'status', code=6)
    assert 'of another authority' in ' '.join(said.split())
    Operator(cluster, 'ann')        # his own again


def test_from_another_host(make_cluster, request):
    cluster = make_cluster(settings={'more': OPERATORS})
    ann, bob = Operator(cluster, 'ann'), Operator(cluster, 'bob')
    # The same as on the host.
    here = json.loads(cluster.hactl('s1', 'status', '--json').stdout)
    there = json.loads(bob('--host', 'prod-s1', 'status', '--json'))
    assert [n['role'] for n in there['nodes']] == \
        [n['role'] for n in here['nodes']] == \
        ['primary', 'standby', 'witness']
    assert 'nothing is wrong' in bob('status')
    for words in (['why'], ['checks'], ['history'], ['register', 'show'],
                  ['plan', 'switchover', 'prod-s2']):
        assert bob('--host', 'prod-s1', *words)
    # Who may read gives no order.
    said = bob('--host', 'prod-s1', 'pause', '--for', '60s', '--yes',
               'new disks', code=6)
    assert 'operator bob may read only' in said
    assert not cluster.record('s1').get('paused')
    refused = [e for e in cluster.events('s1') if e['ev'] == 'order.refused']
    assert refused[-1]['operator'] == 'bob'
    # An order, its steps, and who gave it.
    said = ann('pause', '--for', '60s', '--yes', 'new disks', code=2)
    assert 'an order is for one host' in said
    assert said.rstrip().endswith(' --host prod-s1')
    said = ann('--host', 'prod-s2', 'pause', '--for', '60s', '--yes',
               'new disks', code=1)
    assert 'next:  hactl --host prod-s1 --client %s pause --for 60s ' \
        '"new disks" --yes' % ann.file in said
    ann('--host', 'prod-s1', 'pause', '--for', '60s', '--yes', 'new disks')
    wait_for(lambda: 'operator ann' in json.dumps(
        cluster.status('s2').get('paused')), 5, 'the pause is seen')
    said = ann('--host', 'prod-s1', 'history')
    assert 'pause, operator ann' in ' '.join(said.split())
    # Without a candidate the cluster is not ready, and says what to do.
    said = ' '.join(bob('preflight', code=1).split())
    assert 'prod-s2: not ready' in said and 'Nobody could take over' in said
    assert 'next hactl --host prod-s1 --client %s resume' % bob.file in said
    said = ' '.join(ann('drill', '--yes', code=1).split())
    assert ('in which nothing is wrong next: hactl --client %s preflight' %
            ann.file) in said
    ann('--host', 'prod-s1', 'resume')
    cluster.wait_candidates('s1', ['prod-s2'])
    told(cluster, ann)
    # Each certificate for its own.
    assert ann.post('s1', '/v1/status') == (403, '{"error":"no-node"}')
    node = os.path.join(cluster.lab.dir, 'pki')
    assert Operator(cluster, 'prod-s2', node).post('s1', '/v1/control') == \
        (403, '{"error":"no-operator"}')
    long = request.config.getoption('--long')
    if long:
        strangers(cluster, ann)
    # Nobody who asks took anything from the nodes.
    assert not [e for e in cluster.events('s1')
                if e['ev'] in ('peer.lost', 'lease.lost')]
    if long:
        drill(cluster, ann, bob)


def told(cluster, ann):
    """What a person should hear of went to the command, one that hangs was
    killed, and a test says how each ended."""
    def lines():
        text = cluster.lab.s1.read('/var/lib/hawatch/told').splitlines()
        return text[0::2], [json.loads(x) for x in text[1::2]]
    wait_for(lambda: any('failover is paused' in x for x in lines()[0]), 5,
             'the pause is told')
    said, data = lines()
    assert all(x.startswith('prod prod-s1: ') for x in said)
    pause = next(x for x in data if x['ev'] == 'failover.paused')
    assert 'new disks' in pause['said'] and pause['schema'] == 1
    failed = [e for e in cluster.events('s1') if e['ev'] == 'tell.failed']
    assert failed and all(e['name'] == 'slow' and 'killed' in e['reason']
                          for e in failed)
    said = ' '.join(ann('--host', 'prod-s1', 'notify', '--test',
                        code=1).split())
    assert 'file: done: kept' in said and 'slow: killed' in said
    assert '1 of 2 commands failed' in said
    assert 'nothing has happened' in lines()[0][-1]


def drill(cluster, ann, bob):
    """There and back; refused where it would not end well."""
    assert 'prod-s2 takes over if prod-s1 is lost' in bob('preflight')
    said = bob('drill', '--yes', code=6)
    assert 'operator bob may read only' in said
    done = cluster.hactl('s1', 'drill', '--yes')
    assert done.returncode == 1 and 'gives an order to either host' in \
        ' '.join(done.stderr.split())
    vote = cluster.vote()
    vote.wait_acked(20)
    said = ' '.join(ann('drill', '--yes').split())
    for way in ('prod-s1 to prod-s2', 'prod-s2 to prod-s1'):
        assert re.search(way + r': nobody could write for 0\.\d+ s', said)
    cluster.wait_role('s1', 'primary')
    assert [e['operator'] for key in ('s1', 's2')
            for e in cluster.events(key) if e['ev'] == 'order.taken' and
            e['verb'] == 'switchover'] == ['ann', 'ann']
    vote.wait_acked(20)
    assert cluster.audit('s1', now(), changes=2)['ok']
