"""What the hosts tell each other, and what an operator and a balancer see."""

import json
import subprocess

from lab import product, wait_for
from lab.cluster import now

CHECKS = product.CHECKS + ''',
    { name = "cache"; type = "tcp"; address = "10.77.0.20"; port = 7777;
      interval = "500ms"; timeout = "200ms"; health = true; shared = true; }'''
ITEMS = '''
converge = (
    { name = "app-db"; type = "line"; file = "/etc/app.conf";
      match = "^(db=)[^:]+(:.*)$"; primary = "\\\\1localhost\\\\2";
      standby = "\\\\1${primary.name}\\\\2"; } );
'''
SECRET = 'hunter2'


def rules(host, add):
    """Nothing on that host reaches, or offers, the shared service."""
    if add:
        host.run(['sh', '-c', '''nft -f - <<END
table ip shared {
    chain i { type filter hook input priority 0; tcp dport 7777 reject; }
    chain o { type filter hook output priority 0; tcp dport 7777 reject; }
}
END'''])
    else:
        host.run(['nft', 'delete', 'table', 'ip', 'shared'])


def health(cluster, key):
    """(status, reason) of that host's /health."""
    done = cluster.lab.client.run(
        ['curl', '-s', '-m', '2', '-w', '%{http_code}', 'http://%s:%d/health'
         % (cluster.lab.host[key].address, product.HEALTH_PORT)])
    return done.stdout[-3:], done.stdout[:-3].strip()


def check(cluster, key, name):
    for node in cluster.status(key).get('checks', []):
        if node['name'] == name:
            return node['up']
    return None


def service(cluster):
    return cluster.lab.client.popen(['python3', '-c', '''
import socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("0.0.0.0", 7777))
s.listen(50)
while True:
    s.accept()[0].close()
'''])


def test_a_shared_fault_takes_no_host_out(make_cluster):
    """What both hosts use is gone: both stay. It is one host that does not
    reach it: that one goes. Asked all the while."""
    cluster = make_cluster(settings={'checks': CHECKS})
    lab = cluster.lab
    proc = service(cluster)
    try:
        for key in ('s1', 's2'):
            wait_for(lambda: check(cluster, key, 'cache') == 'yes', 20)
            wait_for(lambda: health(cluster, key)[0] == '200', 10)
        for _ in range(3):
            rules(lab.client, True)
            end = now() + 3 * 10**9
            while now() < end:
                assert health(cluster, 's1')[0] == '200'
                assert health(cluster, 's2')[0] == '200'
            for key in ('s1', 's2'):
                assert check(cluster, key, 'cache') == 'no'
            rules(lab.client, False)
            for key in ('s1', 's2'):
                wait_for(lambda: check(cluster, key, 'cache') == 'yes', 10)
        rules(lab.s2, True)
        wait_for(lambda: health(cluster, 's2') == ('503', 'cache'), 5)
        assert health(cluster, 's1')[0] == '200'
        done = cluster.hactl('s1', 'checks')
        assert done.returncode == 1 and 'connect-refused' in done.stdout
        rules(lab.s2, False)
        wait_for(lambda: health(cluster, 's2')[0] == '200', 5)
    finally:
        lab.client.kill(p for p, (_, line) in lab.client.processes().items()
                        if '7777' in line)
        proc.wait()


def test_drift_is_shown_and_brought_about(make_cluster):
    """Adoption changes nothing; an order does, and shows no secret."""
    cluster = make_cluster(settings={'more': ITEMS})
    lab = cluster.lab
    text = 'password=%s\ndb=elsewhere:5432/x\n' % SECRET
    for key in ('s1', 's2'):
        lab.host[key].write('/etc/app.conf', text)
    wait_for(lambda: 'app-db (line)  differs' in
             cluster.hactl('s1', 'drift').stdout, 70)
    said = ''
    done = cluster.hactl('s2', 'drift')
    assert done.returncode == 1
    said += done.stdout
    assert lab.s1.read('/etc/app.conf') == text
    for key, words in (('s1', 'localhost'), ('s2', 'prod-s1')):
        done = cluster.hactl(key, 'drift', '--apply', '--yes')
        assert done.returncode == 0, done.stdout + done.stderr
        said += done.stdout
        assert lab.host[key].read('/etc/app.conf') == \
            'password=%s\ndb=%s:5432/x\n' % (SECRET, words)
    done = cluster.hactl('s1', 'drift')
    assert done.returncode == 0, done.stdout
    said += done.stdout + cluster.hactl('s1', 'status', '--json').stdout
    said += cluster.hactl('s1', 'plan', 'promote', 'prod-s2').stdout
    assert 'becomes' in said and SECRET not in said


def test_metrics(make_cluster):
    cluster = make_cluster()
    for key in ('s1', 's2', 'a1'):
        done = cluster.lab.client.run(
            ['curl', '-s', 'http://%s:%d/metrics' % (
                cluster.lab.host[key].address, product.HEALTH_PORT)])
        assert 'hawatch_up 1\n' in done.stdout
        subprocess.run(['promtool', 'check', 'metrics'], input=done.stdout,
                       text=True, check=True)
    status = cluster.lab.client.run(
        ['curl', '-s', 'http://%s:%d/status' % (
            cluster.lab.a1.address, product.HEALTH_PORT)]).stdout
    hosts = {h['node']: h for h in json.loads(status)['hosts']}
    assert hosts['prod-s1']['healthy'] and hosts['prod-s2']['healthy']
