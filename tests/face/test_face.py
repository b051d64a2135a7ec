"""Every verb of hactl, as people and programs see it: within 80 columns
whatever the names are, colour on terminals only, JSON with its schema."""

import json
import os
import re
import signal
import subprocess
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
    asked = ['status', 'plan', 'promote', 'switchover', 'init', 'unfence',
             'register-show', 'register-adopt', 'ack', 'role', 'gate', 'ping',
             'drift-apply', 'history', 'report']
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


def test_durations_of_steps(tmp_path):
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    done = run(engine, 'switchover', '--yes')
    assert 'took: drain 0.229 s, checkpoint 123.226 s' in ' '.join(
        done.stdout.split())
    last = objects(run(engine, 'switchover', '--yes', '--json').stdout)[-1]
    assert last['took_ms'] == {'drain': 229, 'checkpoint': 123226}
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
