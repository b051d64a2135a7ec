"""Orders, as they are asked, refused and answered: plan, reload, promote."""

import samples
from engine import HACTL, Engine, Terminal, run
from face import too_wide, objects


def rejoined(names):
    """An order before, which saved other data, and the one that ran."""
    def order(ms, verb):
        return samples.line(ms, names[0], 'order.taken', verb=verb, uid=0)
    return {'exit': 0, 'node': names[0], 'records': [
        order(0, 'rejoin'),
        samples.line(1, names[0], 'rejoin.saved', epoch=11, bytes=1,
                     where='/var/lib/hawatch/saved/before'),
        order(2, 'rejoin'),
        samples.line(3, names[0], 'rejoin.saved', epoch=12, bytes=16777216,
                     where='/var/lib/hawatch/saved/x-epoch12-1')]}


def test_rejoin_says_what_it_saved(tmp_path):
    """Where, how much, for how long, and how to look at it."""
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    engine.answers['history'] = [rejoined(samples.SHORT)]
    done = run(engine, 'rejoin', '--yes')
    said = ' '.join(done.stdout.split())
    assert done.returncode == 0 and not done.stderr
    assert ('saved 16777216 bytes of write-ahead log, from the last checkpoint '
            'that the primary has, too, and in listing what is in them: '
            '/var/lib/hawatch/saved/x-epoch12-1 on prod-s1. The newest ten of '
            'these stay; hactl history names each') in said
    assert done.stdout.endswith(
        '\n  less /var/lib/hawatch/saved/x-epoch12-1/listing\n')
    assert 'saved/before' not in said and ' kept ' not in said
    assert not too_wide(done.stdout)
    last = objects(run(engine, 'rejoin', '--yes', '--json').stdout)[-1]
    assert last['saved'] == {
        'node': 'prod-s1', 'bytes': 16777216,
        'where': '/var/lib/hawatch/saved/x-epoch12-1'}
    assert 'kept' not in last
    # A copy took its place.
    engine.answers['history'][0]['records'].append(samples.line(
        4, 'prod-s1', 'rejoin.kept', epoch=12, where='/data.old-x-epoch12-1'))
    done = run(engine, 'rejoin', '--yes')
    assert ('kept the data as it was, whole: /data.old-x-epoch12-1 on '
            'prod-s1. Of such, those of the last two times stay') in \
        ' '.join(done.stdout.split())
    last = objects(run(engine, 'rejoin', '--yes', '--json').stdout)[-1]
    assert last['kept'] == {'node': 'prod-s1',
                            'where': '/data.old-x-epoch12-1'}
    engine.close()


def test_rejoin_without_a_history(tmp_path):
    """That it cannot be told is no fault of the order."""
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    for answer in ({'exit': 3, 'refused': 'no', 'next': 'x'},
                   {'exit': 0, 'node': 'prod-s1', 'records': []}):
        engine.answers['history'] = [answer]
        done = run(engine, 'rejoin', '--yes')
        assert done.returncode == 0 and not done.stderr
        assert 'saved' not in done.stdout
    # Nor is it asked for where nothing was done.
    engine.answers['rejoin'] = [{'exit': 1, 'refused': 'no', 'next': 'x'}]
    del engine.asked[:]
    assert run(engine, 'rejoin', '--yes').returncode == 1
    assert [r['verb'] for r in engine.asked] == ['rejoin']
    engine.close()


def test_reload(tmp_path):
    """What would change, once; then what each host made of it."""
    names = samples.SHORT
    engine = Engine(str(tmp_path), samples.answers(names))
    done = run(engine, 'reload', '--dry-run')
    said = ' '.join(done.stdout.split())
    assert done.returncode == 0
    assert 'checks[web].timeout 1s, the default -> 2s' in said
    assert 'converge[app].primary not shown -> not shown' in said
    assert 'prod-s2: the same as on prod-s1' in said
    assert 'prod-a1: does not answer (connect-timeout): it reads' in said
    assert 'runs by the new file' not in said
    assert done.stdout.splitlines()[-1] == 'next:  hactl reload'
    assert [r.get('apply') for r in engine.asked] == [None]
    done = run(engine, 'reload', '--yes')
    assert done.returncode == 0
    assert 'prod-s1: runs by the new file' in done.stdout
    assert 'prod-s2: runs by the new file' in done.stdout
    assert engine.asked[-1]['seen'].startswith('prod-s1=0123456789abcdef ')
    engine.answers['reload'] = [samples.reload_refused(names)]
    done = run(engine, 'reload', '--yes')
    said = ' '.join((done.stdout + done.stderr).split())
    assert done.returncode == 1 and not engine.asked[-1].get('apply')
    assert 'hawatch.conf:12: modes: unknown key; did you mean "mode"?' in said
    assert 'nothing was changed on any host' in said
    assert 'prod-s2 refuses: a plan runs' in said
    # What is refused ends with it, behind what the hosts said.
    last = done.stderr.splitlines()[-1]
    assert last == 'next:  hactl config check'
    assert 'modes: unknown key' in done.stderr.split('hactl:')[0]
    engine.answers['reload'][0]['next'] = \
        'ssh prod-s1 systemctl restart hawatchd'
    done = run(engine, 'reload', '--yes')
    assert done.stderr.splitlines()[-1] == \
        'next:  systemctl restart hawatchd'
    engine.close()


def test_reload_leaves_hosts_different(tmp_path):
    """It is said before anything is asked, and what to paste."""
    names = samples.SHORT
    engine = Engine(str(tmp_path), samples.answers(names))
    copy = ('next:  scp /etc/hawatch/hawatch.conf '
            'prod-s2:/etc/hawatch/hawatch.conf && hactl reload')
    engine.answers['reload'][0]['differ'] = ['prod-s2']
    done = run(engine, 'reload', '--dry-run')
    said = ' '.join(done.stderr.split())
    assert done.returncode == 0
    assert 'after this the hosts run by different files: prod-s2 not by ' \
        'that of prod-s1' in said
    assert copy in done.stderr.splitlines()
    done = run(engine, 'reload', '--yes')
    assert done.returncode == 0
    assert done.stderr.index('different files') >= 0
    for node in engine.answers['reload'][0]['nodes']:
        node['changes'] = []
    engine.answers['reload'][0]['seen'] = ''
    done = run(engine, 'reload', '--yes')
    assert done.returncode == 0
    assert 'even so the hosts run by different files' in \
        ' '.join(done.stderr.split())
    engine.answers['reload'][0]['differ'] = []
    done = run(engine, 'reload', '--yes')
    assert done.stdout.splitlines()[-1] == 'Nothing is left to do.'
    engine.close()


def test_config_diff(tmp_path):
    names = samples.SHORT
    engine = Engine(str(tmp_path), samples.answers(names))
    done = run(engine, 'config', 'diff')
    said = ' '.join((done.stdout + done.stderr).split())
    assert done.returncode == 1
    assert ('lease.slack here 50ms, the default, there 40ms; matters for '
            'safety') in said
    assert 'here 7, there 8' in said and 'prod-a1: the same as here' in said
    assert 'the hosts do not run by one configuration' in said
    assert done.stderr.splitlines()[-1] == (
        'next:  scp /etc/hawatch/hawatch.conf '
        'prod-s2:/etc/hawatch/hawatch.conf && hactl reload')
    engine.close()


def test_nobody_says_yes(tmp_path):
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    terminal = Terminal(HACTL, 'unfence', '-s', engine.path)
    terminal.read_until('Clear it? [yes/no]')
    terminal.write('y\n')
    assert terminal.end() == 1
    assert 'not confirmed: nothing was changed' in terminal.text
    terminal = Terminal(HACTL, 'unfence', '--json', '-s', engine.path)
    assert terminal.end() == 1
    assert 'Clear it?' not in terminal.text
    assert all(r.get('look') or r['verb'] == 'status' for r in engine.asked)
    engine.close()


def test_what_it_means_there(tmp_path):
    """On a standby neither is what it is on a primary."""
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    nodes = {n['node']: n for n in engine.answers['status'][0]['nodes']}

    def asked(*words):
        t = Terminal(HACTL, *words, '-s', engine.path)
        t.read_until(' [yes/no]')
        t.write('no\n')
        assert t.end() == 1 and not too_wide(t.text.replace('\r', ''))
        return ' '.join(t.text.split())

    said = asked('fence', 'new disks')
    assert 'As the primary it gives the cluster' in said
    node = nodes[engine.answers['status'][0]['self']]
    node['role'] = 'standby'
    said = asked('fence', 'new disks')
    assert 'the primary goes on' in said and 'rebuilt' not in said
    assert 'may have diverged' in asked('unfence')
    node['durable'] = {'latch': True, 'fenced': True}
    assert 'it comes back as it is, unless another' in asked('unfence')
    node['postgres'] = {'standby_signal': True}
    said = asked('unfence')
    assert 'A person fenced this standby: nothing has diverged' in said
    assert 'rebuilt' not in said
    engine.close()


def test_the_plan_before_the_question(tmp_path):
    """The steps that would run; nobody who is not asked reads them."""
    rows = objects(run(None, 'plan', '--tables', '--json').stdout)[0]['rows']
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    nodes = engine.answers['status'][0]['nodes']

    def asked(words, question):
        t = Terminal(HACTL, *words, '-s', engine.path)
        t.read_until(question + ' [yes/no]')
        t.write('no\n')
        assert t.end() == 1 and not too_wide(t.text.replace('\r', ''))
        return ' '.join(t.text.split())

    def steps(plan):
        return 'The steps: each ends when its goal is observed ' + ' '.join(
            ['%s%s %s' % ('! ' if r['forward'] else '', r['row'], r['goal'])
             for r in rows if r['plan'] == plan] +
            ['! past the point of no return: only forward'])

    then = ' and there ' + ', '.join(
        r['row'] for r in rows if r['plan'] == 'takeover')
    for words, question in ((['switchover'], 'Hand over?'),
                            (['promote', 'prod-s2'], 'Promote it?')):
        said = asked(words, question)
        assert steps('switchover') + then + ' ' + question in said
    for node in nodes:
        node['record']['holder'] = 'prod-s2'
    said = asked(['promote', 'prod-s1'], 'Promote it?')
    assert steps('takeover') + ' Promote it?' in said
    # Two lone hosts: the holder goes on, and nothing is taken over.
    for node in nodes:
        node['record']['holder'] = 'prod-s1'
    said = asked(['promote', '--fenced', 'off', 'prod-s1'], 'Promote it?')
    assert 'The steps' not in said
    asks = len(engine.asked)
    assert 'The steps' not in run(engine, 'promote', 'prod-s2', '--yes').stdout
    assert [r['verb'] for r in engine.asked[asks:]] == ['promote']
    engine.close()


def test_refused_before_it_asks(tmp_path):
    """A yes to what is impossible would be for nothing."""
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    engine.answers['promote'] = engine.answers['unfence'] = [
        {'exit': 1, 'refused': 'cannot be', 'next': 'hactl status'}]
    engine.answers['pause'] = engine.answers['switchover'] = \
        engine.answers['fence'] = engine.answers['unfence']
    for words in (['promote', 'prod-s2'], ['unfence'], ['switchover'],
                  ['pause', '--for', '5m', 'new disks'], ['fence', 'x y']):
        t = Terminal(HACTL, *words, '-s', engine.path)
        assert t.end() == 1
        assert 'cannot be' in t.text and 'yes/no' not in t.text
        assert engine.asked[-1]['look'] is True
        # Nor is who has nobody to ask told to say yes to it.
        done = run(engine, *words)
        assert done.returncode == 1 and 'cannot be' in done.stderr
        assert '--yes' not in done.stderr
    # An engine that does not know of looking is asked all the same.
    engine.answers['unfence'] = [
        {'exit': 2, 'refused': 'unknown key "look"', 'next': 'hactl --help'}]
    t = Terminal(HACTL, 'unfence', '-s', engine.path)
    t.read_until('yes/no')
    t.write('no\n')
    assert t.end() == 1 and 'not confirmed' in t.text
    engine.close()


def test_an_engine_that_names_no_next(tmp_path):
    engine = Engine(str(tmp_path), {'ack': [{'exit': 1, 'refused': 'no'}]})
    assert 'next:  hactl status' in run(engine, 'ack').stderr
    engine.close()


def test_plan_if(tmp_path):
    """What the loss of each host would mean, before the plan."""
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    for dead, words in (
            ('prod-s1', 'nobody writes until another takes over; by prod-s2'),
            ('prod-s2', 'prod-s2 does not take over'),
            ('prod-a1', 'the register is with it: nobody takes over')):
        done = run(engine, 'plan', 'promote', 'prod-s2', '--if',
                   dead + '=dead')
        assert done.returncode == 0, done.stderr
        first = ' '.join(done.stdout.split('Takeover by')[0].split())
        assert '?' not in first
        assert ('Takeover by' in done.stdout) == (dead != 'prod-s2')
        assert ('What follows is for the loss of prod-s1.' in first) == (
            dead == 'prod-a1')
        assert first.startswith('If %s=dead: ' % dead) and words in first
        assert not too_wide(done.stdout)
        done = run(engine, 'plan', 'promote', 'prod-s2', '--json', '--if',
                   dead + '=dead')
        assert words in objects(done.stdout)[-1]['if']
    for wrong, words in (('prod-s1', '--if takes NODE=dead'),
                         ('prod-s1=ill', '--if takes NODE=dead'),
                         ('x=dead', 'x is no node of this cluster; those are')):
        done = run(engine, 'plan', 'promote', 'prod-s2', '--if', wrong)
        assert done.returncode == 2 and words in done.stderr
    # What stays of a line is not shown as the configuration writes it.
    plan = engine.answers['plan'][0]
    plan['items'][0].update(becomes='\\1localhost\\2', same=False)
    said = ' '.join(run(engine, 'plan', 'promote', 'prod-s2').stdout.split())
    assert 'becomes "...localhost..."' in said and '\\1' not in said
    # Another standby, of three.
    answers = samples.answers(samples.SHORT)
    nodes = answers['status'][0]['nodes']
    nodes.append(samples.node('prod-s3', 'standby', samples.SHORT))
    for node in nodes:
        node['record']['candidates'] = ['prod-s2', 'prod-s3']
    engine.answers = answers
    done = run(engine, 'plan', 'promote', 'prod-s2', '--if', 'prod-s3=dead')
    assert 'goes on as the primary when it has taken it out' in \
        ' '.join(done.stdout.split())
    engine.close()
