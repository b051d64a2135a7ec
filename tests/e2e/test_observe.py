"""Mode observe, on a site that people run: nothing is touched, and what would
have been done is said."""

import hashlib
import json
import os
import signal

from lab import product, wait_for
from lab.cluster import Cluster
from lab.pg import BIN

ITEMS = '''
converge = (
    { name = "app-db"; type = "line"; file = "/etc/app.conf";
      match = "^db=.*$"; primary = "db=localhost";
      standby = "db=${primary.name}"; } );
traffic = ( { name = "lb"; type = "haproxy"; sockets = [ "%s" ];
    from = "every"; backend = "web"; timeout = "500ms"; } );
'''
LISTEN = '''
import os, socket
s = socket.socket(socket.AF_UNIX)
s.bind("/run/lb.sock")
s.listen(5)
while True:
    s.accept()[0].close()
    open("/etc/touched", "a").write("lb")
'''


def files(host):
    """Whatever people, or their tools, might have put there."""
    found = {}
    for top, _, names in os.walk(host.path('/etc')):
        for name in names:
            path = os.path.join(top, name)
            if os.path.isfile(path):
                with open(path, 'rb') as f:
                    found[path] = hashlib.sha256(f.read()).hexdigest()
    return found


def settings(pg):
    """What is set, in memory and on disk."""
    with open(pg.data('postgresql.auto.conf')) as f:
        auto = f.read()
    return auto, pg.sql("SELECT name, setting FROM pg_settings WHERE source "
                        "<> 'default' AND name NOT IN ("
                        "'transaction_read_only', 'in_hot_standby') "
                        "ORDER BY 1", check=False)


def programs(host):
    return sorted(pid for pid, (comm, _) in host.processes().items()
                  if not comm.startswith(('hawatch', 'postgres', 'sh',
                                          'sleep')))


def picture(cluster):
    """All that must stay as it is."""
    lab = cluster.lab
    found = {}
    for key in ('s1', 's2'):
        host = lab.host[key]
        found[key] = {
            'nft': host.run(['nft', 'list', 'ruleset']).stdout,
            'files': files(host), 'settings': settings(lab.pg[key]),
            'programs': programs(host),
            'standby': os.path.exists(lab.pg[key].data('standby.signal'))}
    return found


def repmgrd(lab):
    """The real one, by which the site was failed over so far."""
    with open(lab.s1.path('/etc/repmgr.conf'), 'a') as f:
        f.write("failover=automatic\npromote_command='/bin/true'\n"
                "follow_command='/bin/true'\n"
                "repmgrd_pid_file='/tmp/repmgrd.pid'\n")
    lab.pg['s1'].do(['sh', '-c', BIN + 'repmgrd -f /etc/repmgr.conf -d '
                     '</dev/null >/tmp/repmgrd.log 2>&1'])
    try:
        wait_for(lambda: lab.s1.pids('repmgrd'), 20, 'repmgrd runs')
    except BaseException:
        print(lab.s1.read('/tmp/repmgrd.log'))
        raise


def armed_why(cluster):
    return cluster.status('s1').get('fence', {}).get('armed_why', '')


def repmgrd_is_seen(cluster):
    """And refused, with what to do; then it is ended."""
    lab = cluster.lab
    wait_for(lambda: armed_why(cluster).startswith('repmgrd (pid '), 10)
    assert 'failover=manual in /etc/repmgr.conf' in armed_why(cluster)
    said = ' '.join(cluster.hactl('s1', 'status').stdout.split())
    assert 'systemctl disable --now repmgrd' in said
    lab.s1.kill(lab.s1.pids('repmgrd'), signal.SIGTERM)
    wait_for(lambda: not lab.s1.pids('repmgrd'), 10)


def would(cluster, key):
    done = cluster.hactl(key, 'report', '--would', '--json')
    assert done.returncode == 0, done.stderr
    return [e['text'] for e in json.loads(done.stdout)['would']]


def test_observe_changes_nothing(template):
    cluster = Cluster(settings={
        'mode': 'observe', 'more': ITEMS % '/run/lb.sock'})
    lab = cluster.lab
    lab.up()
    try:
        lab.build_pair(template)
        for key in ('s1', 's2'):
            lab.host[key].write('/etc/app.conf', 'password=x\ndb=prod-s1\n')
            lab.host[key].popen(['python3', '-c', LISTEN])
        repmgrd(lab)
        before = picture(cluster)
        assert before['s1']['nft'] == ''
        for key in lab.nodes:
            product.boot_before_network(lab.host[key])
            product.daemon_start(lab.host[key])
        observed(cluster, before)
    except BaseException:
        print(cluster.logs())
        raise
    finally:
        cluster.down()


def orders(cluster):
    """Refused, each with what to do, and noted."""
    for order in (['fence', 'work'], ['switchover', 'prod-s2'], ['rejoin'],
                  ['pause', '--for', '5m', 'work']):
        done = cluster.hactl('s1', *order, '--yes')
        said = ' '.join(done.stderr.split())
        assert done.returncode == 1 and 'the mode is observe' in said, said
        assert 'next: ' in said, said
    noted = would(cluster, 's1')
    assert any(t.startswith('by hactl fence: ') for t in noted)
    assert any(t.startswith('by hactl switchover prod-s2: ') for t in noted)
    assert any(t.startswith('by hactl rejoin: ') for t in noted)


def observed(cluster, before):
    lab = cluster.lab
    for key in ('s1', 's2'):
        wait_for(lambda: any('prod-s2 would be a candidate' in t
                             for t in would(cluster, key)), 15)
    wait_for(lambda: any('as the primary, 1 item would have been changed on '
                         'this host: app-db' in t
                         for t in would(cluster, 's1')), 10)
    done = cluster.hactl('s1', 'init', '--holder', 'prod-s1', '--yes')
    assert done.returncode == 1 and 'observe' in done.stderr
    assert cluster.hactl('s1', 'gate').returncode == 0
    shown = cluster.hactl('s1', 'status').stdout
    assert 'hactl report --would' in ' '.join(shown.split())
    assert 'nothing is wrong' in shown and ' (primary) ' in shown, shown
    orders(cluster)
    assert picture(cluster) == before
    repmgrd_is_seen(cluster)
    before['s1']['programs'] = programs(lab.s1)

    # What people do when it fails: nobody does it for them, nobody hinders.
    lab.pg['s1'].kill_all()
    wait_for(lambda: any('prod-s1 is lost: after 0.' in t
                         for t in would(cluster, 's1')), 5)
    wait_for(lambda: any('prod-s2 would have been promoted' in t
                         for t in would(cluster, 's2')), 15)
    assert lab.pg['s2'].in_recovery()
    lab.pg['s2'].promote()
    assert lab.pg['s2'].sql(
        "INSERT INTO vote VALUES ('x', 1, now())", db='votes') == []
    wait_for(lambda: any('prod-s2 was promoted by hand' in t and
                         'it would have been prod-s2, after 2.' in t
                         for t in would(cluster, 's2')), 10)
    wait_for(lambda: any('balancer lb would have been steered' in t
                         for t in would(cluster, 's2')), 5)
    said = cluster.hactl('s2', 'report', '--would').stdout
    assert 'was promoted by hand' in ' '.join(said.split())
    assert any(e['ev'] == 'would.do' for e in cluster.events('s2'))

    # Two primaries: it would have stopped the old one, and does not.
    lab.pg['s1'].start()
    wait_for(lambda: any('two primaries at once: PostgreSQL of prod-s1' in t
                         for t in would(cluster, 's1')), 10)
    assert lab.pg['s1'].in_recovery() is False
    # And nobody but the two promotes any more.
    wait_for(lambda: armed_why(cluster).startswith('mode observe'), 15)
    after = picture(cluster)
    assert before['s2'].pop('standby') and not after['s2'].pop('standby')
    for key in ('s1', 's2'):
        for what in before[key]:
            assert after[key][what] == before[key][what], (key, what)
    assert not cluster.record('s1')
    for key in ('s1', 's2'):
        done = lab.pg[key].do(
            ['sh', '-c', 'for f in %s/pg_wal/0000*[0-9A-F]; do '
             '/usr/lib/postgresql/15/bin/pg_waldump -r LogicalMessage $f '
             '2>/dev/null; done' % product.pgmod.DATA], check=False)
        assert 'hawatch' not in done.stdout
