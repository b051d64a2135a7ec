"""What the verbs that look say of states in which a person decides: who may take
over, why not, observe, a pause, hosts that are alone."""

import subprocess

import samples
from engine import Engine, run
from face import verbs, conf, too_wide, objects


def test_preflight(tmp_path):
    names = samples.SHORT
    engine = Engine(str(tmp_path), samples.answers(names))
    done = run(engine, 'preflight')
    said = ' '.join(done.stdout.split())
    assert done.returncode == 1
    assert said.startswith('prod-s1: ready prod-s2: not ready - config-differs'
                           ': the hosts\' configurations differ - plan-runs: ')
    assert 'wrong prod-' in said and ' next ' in said
    status = engine.answers['status'][0]
    assert 'prod-a1' not in done.stdout.split('\n\n')[0]
    status['nodes'][1]['ready'] = {'ok': True, 'reasons': [], 'texts': []}
    done = run(engine, 'preflight')
    assert done.returncode == 0
    assert 'prod-s2: ready' in done.stdout
    # Ready, and yet it is no failover if nobody takes over.
    for node in status['nodes']:
        node['record']['candidates'] = []
    done = run(engine, 'preflight')
    assert 'Nobody could take over from prod-s1 now.' in done.stdout
    assert done.returncode == 1
    for node in status['nodes']:
        node['record'].pop('paused', None)
        node['record'].update(candidates=['prod-s2'], next_in_ms=90500)
    done = run(engine, 'preflight')
    assert ('prod-s2 takes over if PostgreSQL on prod-s1 ends, but not if '
            'that host is lost, for another 90 s.') in \
        ' '.join(done.stdout.split())
    assert done.returncode == 1
    status['nodes'][1] = {'node': 'prod-s2', 'data': True,
                          'silent': 'connect-timeout'}
    done = run(engine, 'preflight')
    assert done.returncode == 1
    assert 'its engine does not answer: connect-timeout' in done.stdout
    engine.close()


def test_preflight_not_armed(tmp_path):
    """Why, and the command for it, are there without --json."""
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    node = engine.answers['status'][0]['nodes'][1]
    node['ready'] = {'ok': False, 'reasons': ['not-armed'], 'texts': [
        'this host could not be fenced with certainty: see elsewhere']}
    node['fence'].update(armed='no', armed_why='others may reach the sockets '
                         "in /run/pg: run 'chmod 0700 /run/pg'")
    done = run(engine, 'preflight')
    said = ' '.join(done.stdout.split())
    assert done.returncode == 1
    assert ("- not-armed: this host could not be fenced with certainty: others "
            "may reach the sockets in /run/pg: run 'chmod 0700 /run/pg' "
            ) in said
    assert 'elsewhere' not in said
    assert 'next ssh prod-s2 chmod 0700 /run/pg' in said
    # It is not known, as where a directory is missing.
    node['fence'].update(armed='unknown', armed_why='socket directory '
                         '/run/pg: No such file or directory')
    done = run(engine, 'preflight')
    said = ' '.join(done.stdout.split())
    assert 'with certainty: socket directory /run/pg: No such file' in said
    assert 'whether it can be fenced is not known' in said
    assert 'socket directory /run/pg' in \
        ' '.join(run(engine, 'why', 'prod-s2').stdout.split())
    engine.close()


def test_keys_that_differ(tmp_path):
    """Status names them, and the candidate that there is not for them."""
    names = samples.SHORT
    engine = Engine(str(tmp_path), samples.answers(names))
    status = engine.answers['status'][0]
    for node, other in zip(status['nodes'], (names[1], names[0])):
        node['config'] = {'differ': [other], 'unsafe': [other]}
        node.pop('paused')
        node['record'].update(candidates=[])
        node['record'].pop('paused')
    for words in (['status'], ['preflight']):
        said = ' '.join(run(engine, *words).stdout.split())
        assert ('wrong prod-s1 runs by another configuration than prod-s2, in '
                'what matters for safety (lease.slack): no candidate') in said
        assert ('Its configuration is not that of prod-s1 in what matters for '
                'safety (lease.slack) next hactl config diff') in said
        assert 'settles' not in said
    # Nobody says by which.
    engine.answers['config-diff'] = [{'exit': 1, 'refused': 'x', 'next': 'y'}]
    done = run(engine, 'status')
    assert done.returncode == 0 and done.stderr == ''
    assert 'in what matters for safety: no candidate' in \
        ' '.join(done.stdout.split())
    engine.close()


def lone(answers):
    """Two lone hosts without fence agents, and nothing is wrong."""
    status, plan = answers['status'][0], answers['plan'][0]
    del status['nodes'][2]
    status['register'] = {'type': 'none', 'revision': 7}
    for node in status['nodes'] + [plan['node']]:
        node.update(
            register={'type': 'none', 'read': True, 'met': True},
            shoot={'lease_suffices': False, 'agents': False, 'why': ''},
            ready={'ok': True, 'reasons': [], 'texts': []}, checks=[],
            drift={'items': []}, traffic=[])
        node['health']['ok'] = True
        node.pop('paused')
        node['record'].pop('paused')
    return status


def test_lone_hosts(tmp_path):
    """Nobody takes over by himself from a host that is lost, and each verb
    says so; that is no fault, nor does an acknowledgement change it."""
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    status = lone(engine.answers)
    truth = ('prod-s2 takes over only if PostgreSQL on prod-s1 ends while its '
             'hawatchd runs. If that host is lost, nobody does by himself: a '
             'person who knows that it is off says so: hactl promote prod-s2 '
             '--fenced WHY')
    for verb in ('preflight', 'plan promote prod-s2', 'why'):
        for left in (None, 90500):
            for node in status['nodes'] + [engine.answers['plan'][0]['node']]:
                node['record']['next_in_ms'] = left
            done = run(engine, *verb.split())
            said = ' '.join(done.stdout.split())
            assert truth in said and not too_wide(done.stdout), (verb, said)
            assert done.returncode == 0, verb
            assert 'hactl ack' not in said, verb
            assert 'could in' not in said and 'lost now' not in said, verb
    assert 'prod-s2: ready' in run(engine, 'preflight').stdout
    assert 'nothing is wrong' in run(engine, 'status').stdout
    engine.answers['plan'][0]['rows'][-1]['row'] = 'prove'
    plan = ' '.join(run(engine, 'plan', 'promote', 'prod-s2').stdout.split())
    assert ('no its proofs suffice for a lost host none but a person\'s word: '
            '--fenced') in plan
    assert 'which is no proof here' in plan
    assert objects(run(engine, 'preflight', '--json').stdout)[-1]['by_person']
    # It is lost, and its lease runs: that it ends helps nobody.
    status['nodes'][0] = {'node': 'prod-s1', 'data': True,
                          'silent': 'timeout'}
    said = ' '.join(run(engine, 'status').stdout.split())
    assert 'takes over by itself' not in said
    assert 'the loss of a host is left to people here' in said
    assert 'could in' not in run(engine, 'why', 'prod-s2').stdout
    # With fence agents all is as elsewhere.
    engine.answers.update(samples.answers(samples.SHORT))
    for node in lone(engine.answers)['nodes']:
        node['shoot']['agents'] = True
    assert 'prod-s2 takes over if prod-s1 is lost now.' in \
        run(engine, 'preflight').stdout
    engine.close()


def test_next_is_for_this_host(tmp_path):
    """Who reads it on the host that it is for needs no ssh, nor the quotes for
    the shell behind that; on another he does."""
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    nodes = engine.answers['status'][0]['nodes']
    nodes[1]['postgres']['receiver'] = False
    for words, here, there in (
            (['status'], "runuser -u postgres -- psql -xc 'TABLE "
             "pg_stat_wal_receiver'", "ssh prod-s2 runuser -u postgres -- psql "
             "-xc \"'TABLE pg_stat_wal_receiver'\""),
            (['status'], 'hactl drift --apply',
             'ssh -t prod-s2 hactl drift --apply'),
            (['preflight'], 'journalctl -u hawatchd | grep traffic',
             'ssh prod-s2 journalctl -u hawatchd | grep traffic')):
        for name, wanted in (('prod-s2', here), ('prod-s1', there)):
            engine.answers['status'][0]['self'] = name
            said = run(engine, *words).stdout
            assert '  next  %s\n' % wanted in said, said
    engine.close()


def observed(answers):
    """A healthy pair that people run; hawatchd looks on."""
    status, plan = answers['status'][0], answers['plan'][0]
    status['register'] = {'cold': True, 'record': None, 'reported': []}
    for node in status['nodes'][:2] + [plan['node']]:
        standby = node['postgres']['state'] == 'standby'
        node.update(
            mode='observe', role='standby' if standby else 'closed',
            record=None, waits_for='mode', waits_text='by the mode', checks=[],
            traffic=[{'name': 'lb', 'ok': 'no', 'reason': 'connect-refused'}],
            register={'read': True, 'cold': True}, lease={'mine': False},
            claim={'block': 'mode', 'text': 'by the mode', 'in_ms': 2000},
            fence={'writers': 'unknown', 'armed': 'no', 'readers_ms': 0,
                   'armed_why': 'mode observe fences nothing; nothing stands '
                   'against another mode'},
            ready={'ok': False, 'reasons': ['mode', 'register-cold',
                                            'no-record', 'not-armed'],
                   'texts': ['by the mode', 'cold', 'none', 'not armed']})
        node['postgres'].update(probe='no', receiver=standby)
        node['health']['ok'] = True
        del node['paused']
        node['postgres']['timeline'] = 3
    status['nodes'][2].update(mode='observe', record=None, paused=None)
    return status


def test_observe(tmp_path):
    """Nothing is wrong with a pair that people run, and what stands against
    another mode is told."""
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    status = observed(engine.answers)
    done = run(engine, 'status')
    said = ' '.join(done.stdout.split())
    assert not too_wide(done.stdout)
    assert 'nothing is wrong' in said and 'wrong  ' not in done.stdout, said
    assert ('observe prod-s1, prod-s2: nothing is changed here. Nothing stands '
            'against mode auto next hactl report --would') in said
    rows = [line.split() for line in done.stdout.splitlines()[1:3]]
    assert [' '.join(r[1:4]) for r in rows] == [
        '(primary) primary 3', '(standby) standby 3']
    assert [r[-1] for r in rows] == ['observe', 'observe']
    assert 'lb differs' in said
    for word in ('unknown', 'closed', 'hactl init', 'is cold', 'drift --apply'):
        assert word not in said, word
    done = run(engine, 'preflight')
    said = ' '.join(done.stdout.split())
    assert done.returncode == 1
    assert ('prod-s2: not ready - mode: by the mode In mode observe nobody '
            'takes over by himself. observe prod-s1, prod-s2:') in said
    assert 'no primary' not in said and 'cold' not in said
    said = ' '.join(run(engine, 'why').stdout.split())
    assert 'prod-s1: observe - mode observe: nothing is changed here' in said
    assert 'cannot' not in said and 'certainty' not in said
    assert 'nothing stands against mode auto' in said
    said = ' '.join(run(engine, 'plan', 'promote', 'prod-s2').stdout.split())
    assert 'epoch 0' not in said and 'by , ' not in said
    assert 'here, demanded' not in said
    assert 'no there is a record none is known' in said
    # What stands against it.
    nodes = status['nodes']
    nodes[0]['fence']['armed_why'] = 'repmgrd (pid 7) would promote, too'
    nodes[1]['postgres']['settings'] = [
        {'reason': 'wal_log_hints', 'level': 'blocks', 'where': 'off'}]
    said = ' '.join(run(engine, 'status').stdout.split())
    assert ('Against mode auto stands: repmgrd (pid 7) would promote, too next '
            'systemctl disable --now repmgrd') in said
    assert ('prod-s2: nothing is changed here. Against mode auto stands: '
            'wal_log_hints (off) next man 7 hawatch') in said
    assert 'against mode auto stands: wal_log_hints (off)' in ' '.join(
        run(engine, 'why').stdout.split())
    # What is wrong by itself.
    nodes[1]['postgres']['state'] = 'primary'
    assert '2 servers are out of recovery' in run(engine, 'status').stdout
    for node in nodes[:2]:
        node['postgres']['state'] = 'gone'
    said = ' '.join(run(engine, 'status').stdout.split())
    assert 'no PostgreSQL that is reached accepts writes' in said
    assert 'prod-s2: PostgreSQL does not run' in said
    # Left behind, while the other is guarded.
    nodes[0]['mode'] = 'auto'
    said = ' '.join(run(engine, 'status').stdout.split())
    assert 'prod-s2: mode observe: nothing happens by itself' in said
    engine.close()


def test_what_settles(tmp_path):
    """What passes by itself is not wrong, stands last, and is told of."""
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    nodes = lone(engine.answers)['nodes']
    for node in nodes:
        node['record'].update(candidates=[], age_ms=2000)
    nodes[1]['mode'] = 'auto'
    said = ' '.join(run(engine, 'status').stdout.split())
    assert 'wrong ' not in said
    assert 'settles prod-s2 may not take over from prod-s1' in said
    assert 'next hactl status --watch' in said
    nodes[1]['health'] = {'ok': True}
    nodes[1]['agents'] = [{'name': 'bmc', 'node': 'prod-s1', 'ok': 'no',
                           'reason': 'status 1'}]
    said = run(engine, 'status').stdout
    assert said.index('wrong   ') < said.index('settles ')
    assert [w['settles'] for w in objects(
        run(engine, 'preflight', '--json').stdout)[-1]['wrong']] == [
            True, False]
    engine.close()


def test_not_by_itself_without_the_register(tmp_path):
    """Neither preflight nor why promises what another line denies."""
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    status = engine.answers['status'][0]
    for node in status['nodes'][:2]:
        node['record']['next_in_ms'] = 90500
        node['register']['read'] = False
    said = run(engine, 'preflight').stdout
    assert 'takes over if' not in said
    assert 'Nobody could take over from prod-s1 now.' in said
    said = ' '.join(run(engine, 'why').stdout.split())
    assert 'could in' not in said
    assert 'without it nobody takes over' in said
    status['nodes'][1].update(
        claim={'block': 'paused', 'in_ms': 2016, 'text': 'by a word'},
        register={'read': True})
    assert 'could in' not in run(engine, 'why', 'prod-s2').stdout
    engine.close()


def test_a_pause_is_shown(tmp_path):
    """By whatever shows the cluster, in the same words; and no other."""
    names = samples.SHORT
    engine = Engine(str(tmp_path), samples.answers(names))
    nodes = engine.answers['status'][0]['nodes']
    nodes.append(engine.answers['plan'][0]['node'])
    line = 'paused until 2026-11-21T01:30:00Z by ann: new disks'
    verbs = ['status', 'why', 'why prod-s2', 'checks', 'drift',
             'plan promote prod-s2', 'plan switchover prod-s2', 'report',
             'register show']
    rec = engine.answers['register-show'][0]['register']['record']
    for node in nodes:
        node.pop('paused')
        node['record'].pop('paused')
    pause = rec.pop('paused')
    for verb in verbs:
        assert 'paused' not in run(engine, *verb.split()).stdout, verb
    said = {'until': '2026-11-21T01:30:00Z', 'by': 'ann', 'why': 'new disks'}
    pause.update(until_ms=1795224600000, by='ann', why='new disks')
    for node in nodes:
        node['paused'] = dict(said, left_ms=1000, written=True)
        node['record']['paused'] = pause
    rec['paused'] = pause
    for verb in verbs:
        shown = [' '.join(x.split())
                 for x in run(engine, *verb.split()).stdout.splitlines()]
        assert shown.count(line) == 1, verb
    assert '- **paused**: until 2026-11-21T01:30:00Z by ann: new disks' in \
        run(engine, 'report', '--markdown').stdout
    for verb in ('why', 'report'):
        last = objects(run(engine, verb, '--json').stdout)[-1]
        assert 'paused ' + last['paused'] == line
    # Nobody but the others knows.
    nodes[0].pop('paused')
    assert line in ' '.join(run(engine, 'checks').stdout.split())
    # The report is there without it.
    engine.answers['status'] = [{'exit': 3, 'refused': 'no', 'next': 'x'}]
    done = run(engine, 'report')
    assert done.returncode == 0 and not done.stderr
    assert 'paused' not in done.stdout and 'outage' in done.stdout
    engine.close()


def test_would(tmp_path):
    names = samples.SHORT
    engine = Engine(str(tmp_path), samples.answers(names))
    done = run(engine, 'report', '--would')
    assert 'prod-s2 would have been promoted' in ' '.join(done.stdout.split())
    for words in (['5'], ['--markdown']):
        done = run(engine, 'report', '--would', *words)
        said = ' '.join(done.stderr.split())
        assert done.returncode == 2, said
        assert '--would shows what this host noted' in said
        assert 'next: hactl report --would' in said
    engine.close()


def test_why(tmp_path):
    names = samples.SHORT
    engine = Engine(str(tmp_path), samples.answers(names))
    said = ' '.join(run(engine, 'why').stdout.split())
    assert 'prod-s1: serve - the record says so' in said
    assert 'clients can write here' in said
    assert ('it does not take over now: lease-runs: waits - it could in '
            '2000 ms at the earliest') in said
    assert said.count('it does not take over') == 1
    assert 'prod-a1' not in said
    said = run(engine, 'why', 'prod-s2').stdout
    assert said.startswith('prod-s2: follow') and 'prod-s1' not in said
    done = run(engine, 'why', 'prod-a1')
    assert done.returncode == 2
    assert ('prod-a1 is no data node of this cluster; those are prod-s1, '
            'prod-s2') in ' '.join(done.stderr.split())
    doc = engine.answers['status'][0]
    doc['nodes'][0] = {'node': 'prod-s1', 'data': True, 'silent': 'timeout'}
    doc['nodes'][1]['durable'] = {'latch': True, 'latch_why': 'fenced'}
    said = ' '.join(run(engine, 'why').stdout.split())
    assert 'prod-s1: silent - its engine does not answer: timeout' in said
    assert 'it is latched: fenced' in said
    assert 'it does not rejoin' not in said
    doc['nodes'][1].update(waits_for='copies-fail',
                           waits_text='hactl rejoin tries again')
    said = ' '.join(run(engine, 'why').stdout.split())
    assert ('it does not rejoin: copies-fail: hactl rejoin tries again'
            in said)
    engine.close()


def test_why_not_before_the_interval(tmp_path):
    """The last of what stands against it decides, not the lease alone."""
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    node = engine.answers['status'][0]['nodes'][1]
    node['claim']['by_itself_ms'] = 90500
    node['record']['next_in_ms'] = 90500
    for block in ('lease-runs', 'min-interval'):
        node['claim']['block'] = block
        done = run(engine, 'why', 'prod-s2')
        said = ' '.join(done.stdout.split())
        assert ('it could in 91 s at the earliest: until then the last '
                'takeover is less than lease.min_interval ago; hactl ack on '
                'prod-s1 ends that, and hactl promote prod-s2 does not '
                'wait') in said
        assert '2000 ms' not in said and not too_wide(done.stdout)
    # An engine of before tells the two apart.
    del node['claim']['by_itself_ms']
    node['claim']['block'] = 'lease-runs'
    assert 'it could in 91 s' in ' '.join(
        run(engine, 'why', 'prod-s2').stdout.split())
    # It ends first: what it waits for is something else.
    node['claim']['by_itself_ms'] = 4000
    node['record']['next_in_ms'] = 1500
    said = run(engine, 'why', 'prod-s2').stdout
    assert '4000 ms at the earliest' in said and 'hactl ack' not in said
    engine.close()


def test_why_the_word_is_refused(tmp_path):
    """That a host is off is said of one that is silent, and of no other."""
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    nodes = engine.answers['status'][0]['nodes']
    word = 'made sure that the other host is off: hactl promote prod-s2 ' \
        '--fenced WHY'
    nodes[1].update(claim={'block': 'no-proof', 'text': 'why'},
                    register={'type': 'none', 'read': True})
    nodes[0].update(role='closed', waits_for='disk-full')
    nodes[0]['postgres'].update(no_room='disk-full', no_room_at='/srv/pg')
    for kind in ('none', 'etcd'):
        nodes[1]['register']['type'] = kind
        said = ' '.join(run(engine, 'why', 'prod-s2').stdout.split())
        assert 'prod-s1 answers, so the word that it is off is refused. It ' \
            'has no room for PostgreSQL: a standby that has takes over by ' \
            'itself; where none has, make room: df -h /srv/pg' in \
            said
        assert '--fenced' not in said
    nodes[1]['register']['type'] = 'none'
    nodes[0] = {'node': 'prod-s1', 'data': True, 'silent': 'timeout'}
    said = ' '.join(run(engine, 'why', 'prod-s2').stdout.split())
    assert word in said and 'is refused' not in said
    engine.close()


def test_certificate_that_ends_soon(tmp_path):
    """Told, and no refusal: it is good."""
    pki, name = tmp_path / 'pki', samples.SHORT[0]
    path = conf(tmp_path, samples.SHORT)
    text = open(path).read().replace('/etc/hawatch/pki', str(pki))
    with open(path, 'w') as f:
        f.write(text)
    assert run(None, 'pki', 'init', '--cluster', 'votes',
               str(pki)).returncode == 0
    assert run(None, 'pki', 'node', '--address', '10.77.0.1', str(pki),
               name).returncode == 0
    done = run(None, 'pki', 'check', '-c', path, '-N', name)
    assert done.returncode == 0 and not done.stderr, done.stderr
    # The same, for five days.
    for argv in (
            ['req', '-new', '-key', name + '.key', '-subj', '/CN=' + name,
             '-addext', 'subjectAltName=DNS:%s,IP:10.77.0.1' % name,
             '-addext', 'extendedKeyUsage=serverAuth,clientAuth',
             '-out', 'csr'],
            ['x509', '-req', '-in', 'csr', '-CA', 'ca.pem', '-CAkey',
             'ca.key', '-CAcreateserial', '-days', '5', '-copy_extensions',
             'copyall', '-out', name + '.pem']):
        subprocess.run(['openssl'] + argv, cwd=pki, check=True,
                       stderr=subprocess.DEVNULL)
    done = run(None, 'pki', 'check', '-c', path, '-N', name)
    assert done.returncode == 0
    assert 'it ends soon' in done.stderr and 'next:  hactl pki' in done.stderr
