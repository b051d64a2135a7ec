"""A new configuration while hawatchd runs, and hosts whose files differ."""

import signal

from lab import product, wait_for

CONF = '/etc/hawatch/hawatch.conf'
SECRET = 'hunter2'
ITEM = '''converge = (
    { name = "app"; type = "line"; file = "/etc/app.conf";
      match = "^password=.*$"; primary = "password=%s"; } );
''' % SECRET


def write(cluster, keys, text):
    for key in keys:
        cluster.lab.host[key].write(CONF, text)


def words(cluster, key, *verb):
    return ' '.join(cluster.hactl(key, *verb).stdout.split())


def pids(cluster):
    return [cluster.lab.host[k].pids('hawatchd') for k in cluster.lab.nodes]


def restart(cluster, key):
    host = cluster.lab.host[key]
    old = host.pids('hawatchd')
    host.kill(old, signal.SIGTERM)
    wait_for(lambda: not host.pids('hawatchd'), 10, 'hawatchd has ended')
    product.daemon_start(host)


def differ(cluster, key, what='differ'):
    return cluster.status(key).get('config', {}).get(what)


def test_reload(cluster):
    lab = cluster.lab
    nodes = list(lab.nodes)
    text = product.conf_text(lab)
    before = pids(cluster)
    wait_for(lambda: cluster.http('s1', '/ready')[0] == 200, 10)
    wait_for(lambda: cluster.http('s2', '/ready')[0] == 200, 10)

    # A bad file on one host: nothing changes anywhere, and it says where.
    bad = text.replace('"repmgr"; type', '"web"; intervall')
    line = next(n + 1 for n, x in enumerate(bad.splitlines())
                if 'intervall' in x)
    write(cluster, ['s2'], bad)
    write(cluster, ['s1'], text + ITEM)
    done = cluster.hactl('s1', 'reload', '--yes')
    said = ' '.join((done.stdout + done.stderr).split())
    assert done.returncode == 1, said
    assert '%s:%d: ' % (CONF, line) in said and 'did you mean' in said
    assert 'nothing was changed' in said and 'next: ' in said
    shown = ' '.join(cluster.hactl('s2', 'status').stdout.split())
    assert ('%s of this host has 2 errors: its engine goes on with what it '
            'read before' % CONF) in shown, shown
    assert 'next hactl config check' in shown
    assert 'of this host has' not in cluster.hactl('s1', 'status').stdout
    # Whoever is asked says it, and what there is to be done.
    wait_for(lambda: ('prod-s2: its configuration has 2 errors, the first in '
                      '%s:%d: its engine goes on' % (CONF, line)) in
             words(cluster, 's1', 'status'), 20)
    assert 'next ssh prod-s2 hactl config check' in \
        words(cluster, 's1', 'preflight')
    done = cluster.hactl('s2', 'config', 'check')
    assert done.stderr.splitlines()[-1] == (
        'next:  editor +%d %s && hactl config check' % (line, CONF))
    done = cluster.hactl('s1', 'config', 'check')
    assert done.stdout.splitlines()[-1] == 'next:  hactl reload'
    # By a signal, too, on the host whose own file is right.
    for key in ('s1', 's2'):
        lab.host[key].kill(lab.host[key].pids('hawatchd'), signal.SIGHUP)
        wait_for(lambda: any(e['ev'] == 'config.refused' and
                             e['reason'].startswith('prod-s2: %s' % CONF)
                             for e in cluster.events(key)), 5)
    for key in ('s1', 's2'):
        status = cluster.status(key)
        assert not status['drift']['items']
        assert [c['name'] for c in status['checks']] == ['pg', 'repmgr']
    assert pids(cluster) == before

    # A right one, on all: shown without what is secret, then taken over.
    new = text.replace('{ name = "pg"', '''{ name = "web"; type = "tcp";
      address = "127.0.0.1"; port = 8008; window = 7; },
    { name = "pg"''') + ITEM
    write(cluster, nodes, new)
    done = cluster.hactl('s1', 'reload', '--dry-run')
    assert done.returncode == 0, done.stdout + done.stderr
    said = done.stdout
    assert 'pg, repmgr -> web, pg, repmgr' in said
    assert 'prod-s2: the same as on prod-s1' in said
    assert len(cluster.status('s1')['checks']) == 2
    done = cluster.hactl('s1', 'reload', '--yes')
    assert done.returncode == 0, done.stdout + done.stderr
    said += done.stdout
    for key in ('s1', 's2'):
        wait_for(lambda: [c['up'] for c in cluster.status(key)['checks']] ==
                 ['yes'] * 3, 10, 'the new check works')
        assert cluster.status(key)['drift']['items'][0]['name'] == 'app'
        assert 'prod-%s: runs by the new file' % key in done.stdout
    said += cluster.hactl('s1', 'status', '--json').stdout
    assert SECRET not in said
    assert pids(cluster) == before
    assert cluster.candidates('s1') == ['prod-s2']

    # One host alone: it is said before, by a signal after, with the key.
    write(cluster, ['s2'], new.replace('window = 7', 'window = 8'))
    done = cluster.hactl('s1', 'reload', '--dry-run')
    assert done.returncode == 0, done.stdout + done.stderr
    said = ' '.join(done.stderr.split())
    assert 'after this the hosts run by different files: prod-s2 ' in said
    assert ' && hactl reload' in said and 'next: scp %s ' % CONF in said
    lab.s2.kill(lab.s2.pids('hawatchd'), signal.SIGHUP)
    wait_for(lambda: differ(cluster, 's1') == ['prod-s2'], 10)
    assert any(e['ev'] == 'config.change' and
               e['key'] == 'checks[web].window' and
               (e['old'], e['new']) == ('7', '8')
               for e in cluster.events('s2')), cluster.events('s2')[-5:]
    wait_for(lambda: differ(cluster, 'a1') == ['prod-s2'], 20)
    assert differ(cluster, 's1', 'unsafe') == []
    done = cluster.hactl('s1', 'config', 'diff')
    assert done.returncode == 1
    assert 'checks[web].window' in done.stdout
    assert 'here 7, there 8' in done.stdout
    assert 'hactl config diff' in cluster.hactl('s1', 'status').stdout
    assert cluster.http('s1', '/ready')[0] == 200
    write(cluster, ['s2'], new)
    done = cluster.hactl('s1', 'reload', '--yes')
    assert done.returncode == 0, done.stdout + done.stderr
    wait_for(lambda: differ(cluster, 's1') == [], 10)
    assert cluster.hactl('s1', 'config', 'diff').returncode == 0

    # A pause goes on through it, and is no obstacle.
    assert cluster.hactl('s1', 'pause', '--for', '5m', 'work',
                         '--yes').returncode == 0
    wait_for(lambda: 'paused' in cluster.http('s1', '/ready')[1], 5)
    write(cluster, nodes, new.replace('window = 7', 'window = 6'))
    done = cluster.hactl('s1', 'reload', '--yes')
    assert done.returncode == 0, done.stdout + done.stderr
    assert cluster.candidates('s1') == []
    write(cluster, nodes, new)
    assert cluster.hactl('s2', 'reload', '--yes').returncode == 0
    assert cluster.hactl('s1', 'resume').returncode == 0
    cluster.wait_candidates('s1', ['prod-s2'], 15)

    # What cannot change while it runs changes nothing at all.
    write(cluster, nodes, new.replace('ttl = "2s"', 'ttl = "3s"').replace(
        'window = 7', 'window = 9'))
    done = cluster.hactl('s1', 'reload', '--yes')
    assert done.returncode == 1
    said = ' '.join(done.stderr.split())
    assert 'lease.ttl' in said and 'one host after another' in said
    assert 'restart hawatchd on prod-a1, prod-s2, prod-s1, in this' in said
    assert done.stderr.splitlines()[-1] == \
        'next:  ssh prod-a1 systemctl restart hawatchd'
    wait_for(lambda: 'its configuration has' not in
             words(cluster, 's1', 'status'), 20)
    assert cluster.hactl('s1', 'config', 'diff').returncode == 0

    # Leaving auto: the candidates go first, the primary stays open.
    write(cluster, nodes, new.replace('mode = "auto"', 'mode = "manual"'))
    assert cluster.hactl('s1', 'reload', '--yes').returncode == 0
    cluster.wait_candidates('s1', [], 10)
    assert cluster.status('s1')['role'] == 'primary'
    assert cluster.http('s1', '/ready')[0] == 503
    write(cluster, nodes, new)
    assert cluster.hactl('s2', 'reload', '--yes').returncode == 0
    cluster.wait_candidates('s1', ['prod-s2'], 15)
    assert pids(cluster) == before
    a_difference_that_matters(cluster, new)


def a_difference_that_matters(cluster, text):
    """It is no candidate, whoever is asked says so, and it comes back."""
    lab = cluster.lab
    write(cluster, ['s2'], text.replace('ttl = "2s"; ',
                                        'ttl = "2s"; slack = "40ms"; '))
    # The other hosts first, whoever is asked.
    for key, source, others in (('s1', 'prod-s2:' + CONF, ('', 'prod-a1:')),
                                ('s2', CONF, ('prod-s1:', 'prod-a1:'))):
        done = cluster.hactl(key, 'reload', '--yes')
        said = ' '.join(done.stderr.split())
        assert done.returncode == 1, done.stdout + said
        assert ('prod-s2: lease.slack changes by a restart alone, and the '
                'file of prod-s1, prod-a1 is another one') in said, said
        assert 'in what matters for safety, which no candidate may' in said
        assert done.stderr.splitlines()[-1] == 'next:  ' + ''.join(
            'scp %s %s%s && ' % (source, other, CONF) for other in others) + \
            'hactl reload'
    restart(cluster, 's2')
    cluster.wait_candidates('s1', [], 10)
    wait_for(lambda: cluster.http('s1', '/ready') ==
             (503, 'config-differs,no-candidate\n'), 10)
    assert cluster.status('s1')['role'] == 'primary'
    done = cluster.hactl('s1', 'preflight')
    assert done.returncode == 1
    assert 'config-differs: the hosts' in ' '.join(done.stdout.split())
    assert differ(cluster, 's1', 'unsafe') == ['prod-s2']
    said = cluster.hactl('s1', 'status').stdout
    said = ' '.join(said.split())
    assert 'what matters for safety (lease.slack): no candidate' in said
    assert ('prod-s2 may not take over from prod-s1: what is written now is '
            'on one host. Its configuration is not that of prod-s1 in what '
            'matters for safety (lease.slack) next hactl config diff') in said
    assert 'settles' not in said, said
    done = cluster.hactl('s2', 'config', 'diff')
    assert 'lease.slack' in done.stdout and 'matters for safety' in \
        done.stdout
    write(cluster, ['s2'], text)
    restart(cluster, 's2')
    cluster.wait_candidates('s1', ['prod-s2'], 20)
    wait_for(lambda: cluster.http('s1', '/ready')[0] == 200, 10)
    wait_for(lambda: cluster.hactl('s1', 'preflight').returncode == 0, 10)
    text = text.replace('ttl = "2s"; ', 'ttl = "2s"; slack = "40ms"; ')
    one_after_another(cluster, text)

    # A host that is down is said, and holds up nobody.
    lab.a1.kill(lab.a1.pids('hawatchd'), signal.SIGTERM)
    wait_for(lambda: not lab.a1.pids('hawatchd'), 10)
    write(cluster, list(lab.nodes), text.replace('name = "repmgr"',
                                                 'name = "meta"'))
    done = cluster.hactl('s1', 'reload', '--yes')
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'prod-a1: does not answer' in done.stdout
    wait_for(lambda: 'meta' in [c['name'] for c in
                                cluster.status('s2')['checks']], 10)
    no_way_back(cluster, text)


def one_after_another(cluster, text):
    """As it is said, each command is the next one, to the end."""
    write(cluster, list(cluster.lab.nodes), text)
    for key in ('a1', 's2', 's1'):
        done = cluster.hactl('s1', 'reload', '--yes')
        assert done.returncode == 1
        assert 'the file is the same on all hosts' in \
            ' '.join(done.stderr.split())
        assert done.stderr.splitlines()[-1] == 'next:  %ssystemctl restart ' \
            'hawatchd' % ('' if key == 's1' else 'ssh prod-%s ' % key)
        restart(cluster, key)
        wait_for(lambda: cluster.hactl(key, 'ping').returncode == 0, 10)
    cluster.wait_candidates('s1', ['prod-s2'], 20)
    assert cluster.status('s1')['role'] == 'primary'
    assert cluster.status('s1')['record']['epoch'] == 1
    wait_for(lambda: cluster.hactl('s1', 'preflight').returncode == 0, 10)
    done = cluster.hactl('s1', 'reload', '--yes')
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == 'Nothing is left to do.'


def no_way_back(cluster, text):
    """A host that was guarded does not only look on: nobody would keep it
    closed, while others count on it."""
    s1 = cluster.lab.s1
    write(cluster, ['s1'], text.replace('mode = "auto"', 'mode = "observe"'))
    done = s1.run(['hawatchd', '--check'], check=False)
    assert done.returncode != 0 and 'set mode = "manual"' in done.stderr
    done = cluster.hactl('s1', 'config', 'check')
    assert done.returncode == 5 and 'set mode = "manual"' in \
        ' '.join(done.stderr.split())
    said = ' '.join(cluster.hactl('s1', 'status').stdout.split())
    assert 'says mode observe' in said and 'would not start again' in said
    # Nor is the other host's taken over, right as it is.
    write(cluster, ['s2'], text.replace('name = "repmgr"', 'name = "other"'))
    for words in (['--dry-run'], ['--yes']):
        done = cluster.hactl('s2', 'reload', *words)
        said = ' '.join(done.stderr.split())
        assert done.returncode == 1, done.stdout + said
        assert 'prod-s1: mode observe is for hosts that were never' in said
        assert 'nothing was changed on any host' in said
        assert done.stderr.splitlines()[-1] == \
            'next:  ssh prod-s1 hactl config check'
    assert 'other' not in [c['name'] for c in cluster.status('s2')['checks']]
    cluster.engine_kill('s1')
    cluster.engine_start('s1')
    wait_for(lambda: not s1.pids('hawatchd'), 10, 'it does not run')
    assert cluster.hactl('s1', 'gate').returncode != 0
    product.boot_before_network(s1)
    assert 'table inet hawatch' in s1.run(['nft', 'list', 'ruleset']).stdout
