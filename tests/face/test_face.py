"""Every verb of hactl, as people and programs see it: within 80 columns
whatever the names are, colour on terminals only, JSON with its schema."""

import json
import os
import re
import signal
import subprocess
import threading
import time

import pytest

import samples
from engine import HACTL, SOURCE, Engine, Terminal, environment, run

ESCAPE = '\033['
# What a verb must be given to run; the others run as they are.
WORDS = {
    'drift --apply': ['--yes'],
    'plan': ['--tables'],
    'plan promote': ['NODE'],
    'plan switchover': ['NODE'],
    'promote': ['NODE', '--yes'],
    'switchover': ['--yes'],
    'init': ['--holder', 'NODE', '--yes'],
    'register adopt': ['--yes'],
    'pause': ['--for', '30m', '--yes', 'new disks'],
    'fence': ['--yes', 'new disks'],
    'rejoin': ['--yes'],
    'unfence': ['--yes'],
    'role': ['--is', 'primary'],
    'config check': ['CONF'],
    'pki init': ['--cluster', 'prod', 'PKI'],
    'pki node': ['--address', '127.0.0.1', 'PKI', 'NODE'],
}
# A program to be read by a shell, not data.
NO_DATA = {'completion'}
# Lists for scripts/check-docs, one line an entry.
NO_WIDTH = {'docs', 'completion'}


@pytest.fixture(params=['short', 'long'])
def names(request):
    return samples.SHORT if request.param == 'short' else samples.LONG


@pytest.fixture
def engine(tmp_path, names):
    made = Engine(str(tmp_path), samples.answers(names))
    yield made
    made.close()


def verbs():
    """From the program, so that no verb is forgotten; those of completion
    need their own words."""
    text = subprocess.run([HACTL, 'docs'], check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    rows = [line.split('\t') for line in text.splitlines()]
    return [r[1] for r in rows if r[0] == 'verb'] + ['drift --apply']


def conf(tmp_path, names):
    """The sample with the names of this test."""
    with open(os.path.join(SOURCE, 'conf', 'hawatch.conf')) as f:
        text = f.read()
    for old, new in zip(samples.SHORT, names):
        text = text.replace('"%s"' % old, '"%s"' % new)
    path = tmp_path / 'hawatch.conf'
    path.write_text(text)
    return str(path)


def words_of(verb, tmp_path, names):
    pki = str(tmp_path / 'pki')
    if verb == 'pki node' and not os.path.exists(pki):
        run(None, 'pki', 'init', '--cluster', 'prod', pki)
    swap = {'NODE': names[1], 'CONF': conf(tmp_path, names), 'PKI': pki}
    words = verb.split() + [swap.get(w, w) for w in WORDS.get(verb, [])]
    if verb == 'completion':
        words.append('bash')
    return words + ['-c', swap['CONF'], '-N', names[0]]


def too_wide(text):
    """Lines over 80 columns, but for a command to copy and a word that has no
    blank to be broken at."""
    return [line for line in text.splitlines()
            if len(line) > 80 and not line.startswith('next:') and
            ' ' in line.strip()]


def test_every_verb_fits(engine, names, tmp_path):
    for verb in verbs():
        done = run(engine, *words_of(verb, tmp_path, names))
        said = done.stdout + done.stderr
        assert verb in NO_WIDTH or not too_wide(said), verb
        assert ESCAPE not in said, verb
        assert verb in ('role', 'gate') or said.strip(), verb


def test_colour(engine, names, tmp_path):
    conf_path = conf(tmp_path, names)
    always = run(engine, 'status', '--color=always', '-c', conf_path)
    assert ESCAPE in always.stdout
    plain = re.sub(r'\033\[\d*m', '', always.stdout)
    assert plain == run(engine, 'status').stdout
    assert run(engine, 'status', '--color', 'blue').returncode == 2
    argv = [HACTL, 'status', '-s', engine.path]
    for more, env, coloured in (
            ([], environment(), True),
            ([], environment(NO_COLOR='1'), False),
            ([], environment(TERM='dumb'), False),
            (['--color=never'], environment(), False),
            (['--color=always'], environment(NO_COLOR='1'), True)):
        terminal = Terminal(*argv, *more, env=env)
        assert terminal.end() == 0
        assert (ESCAPE in terminal.text) == coloured, (more, env.get('TERM'))


def test_names_are_told_apart(tmp_path):
    engine = Engine(str(tmp_path), samples.answers(samples.LONG))
    table = run(engine, 'status').stdout.split('\n\n')[0].splitlines()[1:]
    engine.close()
    firsts = [line.split()[0] for line in table]
    assert len(set(firsts)) == 3
    assert [x[-3:] for x in firsts] == ['-s1', '-s2', '-a1']


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


def test_every_verb_says_json(engine, names, tmp_path):
    for verb in verbs():
        if verb in NO_DATA:
            continue
        words = words_of(verb, tmp_path, names) + ['--json']
        done = run(engine, *words)
        said = objects(done.stdout)
        assert said, verb
        assert all(x['schema'] == 1 for x in said), verb
        assert said[-1]['exit'] == done.returncode, verb
        assert not any('exit' in x for x in said[:-1]), verb
        if done.returncode not in (0, 1):
            assert verb == 'pki check', (verb, done.stderr)


def test_refusals_are_json_too(tmp_path):
    """An engine that refuses everything, one that is silent, a word that is
    wrong: one object, with the code and the command that comes next."""
    refusal = {'exit': 1, 'refused': 'not now', 'next': 'hactl status'}
    asked = ['status', 'plan', 'promote', 'switchover', 'init', 'pause',
             'resume', 'fence', 'unfence', 'rejoin', 'register-show',
             'register-adopt', 'ack', 'role', 'gate', 'ping', 'drift-apply',
             'history', 'report']
    engine = Engine(str(tmp_path), {v: [refusal] for v in asked})
    names = samples.SHORT
    alone = {'plan', 'config check', 'docs', 'pki init', 'pki node',
             'pki check'} | NO_DATA
    for verb in verbs():
        if verb in alone:
            continue
        words = words_of(verb, tmp_path, names) + ['--json']
        done = run(engine, *words)
        said = objects(done.stdout)
        assert len(said) == 1 and done.returncode == 1, verb
        assert said[0]['refused'] == 'not now', verb
        assert said[0]['next'] == 'hactl status', verb
        assert 'next:  hactl status' in done.stderr, verb
    engine.close()
    for words, code in ((['status', '--json', '-s', '/nonexistent'], 3),
                        (['status', '--json', 'word'], 2),
                        (['promote', '--json', 'prod-s2'], 1),
                        (['config', 'check', '--json', '/nonexistent'], 5)):
        done = run(None, *words)
        said = objects(done.stdout)
        assert len(said) == 1 and said[0]['exit'] == code, words
        assert said[0]['refused'] and said[0]['next'], words
        assert done.returncode == code


@pytest.mark.parametrize('why', ['', 'w' * 120])
def test_a_reason_has_a_size(why):
    for words in (['pause', '--for', '30m'], ['fence']):
        done = run(None, *words, '--yes', why)
        assert done.returncode == 2
        assert 'why takes 1 to 119 bytes: others read it meanwhile' in \
            done.stderr
        assert 'hactl %s --help' % words[0] in done.stderr


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
    assert done.returncode == 1
    assert 'that is no data node of this cluster' in done.stderr
    doc = engine.answers['status'][0]
    doc['nodes'][0] = {'node': 'prod-s1', 'data': True, 'silent': 'timeout'}
    doc['nodes'][1]['durable'] = {'latch': True, 'latch_why': 'fenced'}
    said = ' '.join(run(engine, 'why').stdout.split())
    assert 'prod-s1: silent - its engine does not answer: timeout' in said
    assert 'it is latched: fenced' in said
    engine.close()


def test_wrong_words(tmp_path):
    """What is wrong is named, and what to run instead."""
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    for words, said, then in (
            ('', 'a verb is missing', 'hactl --help'),
            ('frob', 'frob: no such verb', 'hactl --help'),
            ('statsu', 'statsu: no such verb', 'hactl status'),
            ('register', 'which of its verbs?', 'hactl register --help'),
            ('status --frob', 'unknown option', 'hactl --help'),
            ('status --json=1', 'takes no value', 'hactl --help'),
            ('promote s2 --fenced', 'needs a value', 'hactl --help'),
            ('status --color=blue', '--color takes auto, always or never',
             'hactl status --color=never'),
            ('promote', 'something is missing', 'hactl promote '),
            ('promote a b', 'b: too many words', 'hactl promote '),
            ('a b c d e f g h i j k l m n o p q', 'too many words',
             'hactl --help'),
            ('switchover a b c d e f', 'e: too many words', 'hactl --help'),
            ('status --yes', '--yes: not an option of this verb',
             'hactl status [--json] [--watch]'),
            ('init', '--holder: this option is missing', 'hactl init'),
            ('role --is frob', '--is takes primary or standby',
             'hactl role --is primary'),
            ('completion csh', 'it is made for bash', 'hactl completion'),
            ('report last', 'the epoch is a number', 'hactl history'),
            ('unfence --json', 'this asks before it acts, and --json is for',
             'hactl unfence --json -s '),
            ("promote s2 --fenced=it_is_(off)", 'this asks before it acts',
             "hactl promote s2 '--fenced=it_is_(off)' -s "),
            ('unfence', 'this asks before it acts, and there is no terminal',
             'hactl unfence -s ')):
        done = run(engine, *words.split())
        assert done.returncode in (1, 2), words
        error = done.stderr.splitlines()
        assert said in ' '.join(done.stderr.split()), (words, done.stderr)
        assert error[-1].startswith('next:  ' + then), (words, error)
        assert 'asks before' not in said or error[-1].endswith(' --yes')
    assert not engine.asked
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
    assert not engine.asked
    engine.close()


def test_an_engine_that_names_no_next(tmp_path):
    engine = Engine(str(tmp_path), {'ack': [{'exit': 1, 'refused': 'no'}]})
    assert 'next:  hactl status' in run(engine, 'ack').stderr
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


def test_durations_of_steps(tmp_path):
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    done = run(engine, 'switchover', '--yes')
    assert 'took: drain 0.229 s, checkpoint 123.226 s' in ' '.join(
        done.stdout.split())
    last = objects(run(engine, 'switchover', '--yes', '--json').stdout)[-1]
    assert last['took_ms'] == {'drain': 229, 'checkpoint': 123226}
    engine.close()


def test_a_long_step_counts(tmp_path):
    """On a terminal, until the next one comes; a file holds lines alone."""
    go_on = threading.Event()
    steps = samples.STEPS[:1] + [go_on] + samples.STEPS[1:]
    engine = Engine(str(tmp_path), {'switchover': steps})
    terminal = Terminal(HACTL, 'switchover', '--yes', '-s', engine.path)
    terminal.read_until('...  for 0.5 s')
    terminal.read_until('...  for 0.7 s')
    go_on.set()
    assert terminal.end() == 0
    assert '\r\033[K' in terminal.text
    assert 'for 0.' not in run(engine, 'switchover', '--yes').stdout
    # A refusal begins a line of its own.
    go_on.clear()
    engine.answers['switchover'] = [samples.STEPS[0], go_on, {
        'exit': 8, 'refused': 'taken back', 'next': 'hactl status'}]
    terminal = Terminal(HACTL, 'switchover', '--yes', '-s', engine.path)
    terminal.read_until('...  for 0.5 s')
    go_on.set()
    assert terminal.end() == 8
    assert '\r\033[Khactl: taken back' in terminal.text
    engine.close()


def test_history(tmp_path):
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    done = run(engine, 'history', '--all')
    assert engine.asked[-1] == {'verb': 'history', 'all': True}
    said = ' '.join(done.stdout.split())
    assert '2025-11-21 00:00:00 12345 order.taken promote, by root, ' \
        'why plug pulled' in said
    assert 'NOT AS IT WAS WRITTEN' in said
    assert 'proof operator: plug pulled' in said
    assert '17 lines before it were left out' in said
    assert done.returncode == 1
    assert ('the chain is broken at history.1, line 12: the line has no sum'
            in ' '.join(done.stderr.split()))
    doc = engine.answers['history'][0]
    del doc['broken']
    doc['exit'] = 0
    done = run(engine, 'history', '--verify')
    assert done.returncode == 0 and not done.stderr
    assert 'the chain holds: 1234 lines in 2 files' in done.stdout
    assert 'ab' * 32 in done.stdout
    engine.close()


def test_report(tmp_path):
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    done = run(engine, 'report', '12')
    assert engine.asked[-1] == {'verb': 'report', 'epoch': 12}
    said = ' '.join(done.stdout.split())
    assert 'Epoch 12 of cluster prod: held by prod-s2' in said
    assert ('outage 1.403 s: the last write was possible on prod-s1 until '
            '00:00:00.997 (postmaster.gone), the first on prod-s2 from '
            '00:00:02.400 on') in said
    assert 'proof lease' in said and 'no vote: strict' in said
    assert '80 bytes of write-ahead log behind' in said
    assert ('prod-s1 is 5.003 s ahead of it, by 3 changes of the record that '
            'both saw, which differ by 0.000 s') in said
    assert 'silent prod-a1' in said
    assert 'much later' not in said
    times = re.findall(r'^(\d\d:\d\d:\d\d\.\d\d\d) ', done.stdout, re.M)
    assert times[1:] == sorted(times[1:])       # after the one odd line

    doc = objects(run(engine, 'report', '--json').stdout)[0]
    assert doc['outage_ms'] == 1403 and doc['bytes_behind'] == 80
    assert doc['from']['node'] == 'prod-s1' and doc['silent'] == ['prod-a1']
    assert [x['ev'] for x in doc['anomalies']] == ['plan.late']
    assert doc['clocks'][0]['offset_ms'] == 5003

    text = run(engine, 'report', '--markdown').stdout
    assert text.startswith('# Epoch 12 of cluster prod: held by prod-s2\n')
    assert 'settle \\| \\<late\\>' in text
    assert len(set(x.count('|') - x.count('\\|') for x in text.splitlines()
                   if x.startswith('|'))) == 1
    engine.close()


def test_report_of_what_is_left(tmp_path):
    """The old primary is gone with its story, and its clock with it."""
    doc = samples.report(samples.SHORT)
    doc['hosts'][0] = {'node': 'prod-s1', 'silent': 'connect-timeout'}
    start = next(x for x in doc['hosts'][1]['records']
                 if x['ev'] == 'plan.start')
    start.update(old='prod-s1', heard_ms=600)
    engine = Engine(str(tmp_path), {'report': [doc]})
    said = ' '.join(run(engine, 'report').stdout.split())
    assert ('about 1.500 s: when the last write was possible is not known; '
            'prod-s2 heard of prod-s1 last at 00:00:00.900, and is open from '
            '00:00:02.400 on') in said
    assert 'silent prod-s1, prod-a1' in said

    # Nothing that both saw: by the answer.
    doc['hosts'][0] = {'node': 'prod-s1', 'sent_ms': 1000, 'got_ms': 1020,
                       'wall_ms': 2010, 'records': [samples.line(
                           1700, 'prod-s1', 'fence.closed', epoch=11)]}
    said = ' '.join(run(engine, 'report').stdout.split())
    assert 'prod-s1 is 1.000 s ahead of it now, by its answer' in said
    assert 'outage 1.700 s' in said

    doc['hosts'] = [{'node': x, 'silent': 'timeout'} for x in samples.SHORT]
    done = run(engine, 'report')
    assert done.returncode == 1 and 'next:  hactl history' in done.stderr
    assert run(engine, 'report', 'last').returncode == 2
    engine.close()


def test_watch_on_a_terminal(tmp_path):
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    terminal = Terminal(HACTL, 'status', '--watch', '-s', engine.path)
    terminal.read_until('\033[H\033[J')
    terminal.read_until('epoch 12345')
    engine.answers['status'][0]['nodes'][0]['record']['epoch'] = 777777
    for node in engine.answers['status'][0]['nodes']:
        node['record']['epoch'] = 777777
    terminal.read_until('epoch 777777')
    engine.close()
    terminal.read_until('the engine does not answer')
    terminal.write('\x03')
    assert terminal.end() == 0


def test_watch_in_a_file(tmp_path):
    """Only what changes; what counts down does not."""
    names = samples.SHORT
    engine = Engine(str(tmp_path), samples.answers(names))
    doc = engine.answers['status'][0]
    done = [subprocess.Popen(
        [HACTL, 'status', '--watch', '-s', engine.path] + more,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        for more in ([], ['--json'])]
    wait(lambda: len(engine.asked) >= 5)
    doc['nodes'][0]['lease']['left_ms'] = 1
    doc['nodes'][0]['postgres']['wal_end'] = '16FFAB12/D374D848'
    before = len(engine.asked)
    wait(lambda: len(engine.asked) >= before + 5)
    doc['nodes'][1]['role'] = 'claiming'
    before = len(engine.asked)
    wait(lambda: len(engine.asked) >= before + 5)
    for p in done:
        p.send_signal(signal.SIGINT)
    text, lines = [p.communicate(timeout=10)[0] for p in done]
    assert [p.returncode for p in done] == [0, 0]
    assert len(objects(lines)) == 2
    assert [x['nodes'][1]['role'] for x in objects(lines)] == [
        'standby', 'claiming']
    assert len(re.findall(r'^\d\d:\d\d:\d\d  prod-s1 ', text, re.M)) == 1
    assert len(re.findall(r'^\d\d:\d\d:\d\d  prod-s2 ', text, re.M)) == 2
    assert not too_wide(text)
    engine.close()


def wait(ready, seconds=20):
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until, 'late'
        time.sleep(0.02)
