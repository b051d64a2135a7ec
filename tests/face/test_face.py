"""Every verb of hactl, as people and programs see it: within 80 columns
whatever the names are, colour on terminals only, JSON with its schema."""

import os
import re
import shlex

import pytest

import samples
from engine import HACTL, Engine, Terminal, environment, run
from face import names, engine, verbs, conf, too_wide, objects

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
    'reload': ['--yes'],
    'unfence': ['--yes'],
    'role': ['--is', 'primary'],
    'notify': ['--test'],
    'config check': ['CONF'],
    'pki init': ['--cluster', 'prod', 'PKI'],
    'pki node': ['--address', '127.0.0.1', 'PKI', 'NODE'],
    'pki operator': ['PKI', 'ann'],
}
# A program to be read by a shell, not data.
NO_DATA = {'completion'}
# Lists for scripts/check-docs, one line an entry.
NO_WIDTH = {'docs', 'completion'}


def words_of(verb, tmp_path, names):
    pki = str(tmp_path / 'pki')
    if verb in ('pki node', 'pki operator') and not os.path.exists(pki):
        run(None, 'pki', 'init', '--cluster', 'prod', pki)
    swap = {'NODE': names[1], 'CONF': conf(tmp_path, names), 'PKI': pki}
    words = verb.split() + [swap.get(w, w) for w in WORDS.get(verb, [])]
    if verb == 'completion':
        words.append('bash')
    return words + ['-c', swap['CONF'], '-N', names[0]]


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
             'history', 'report', 'reload', 'config-diff', 'would', 'notify-test']
    engine = Engine(str(tmp_path), {v: [refusal] for v in asked})
    names = samples.SHORT
    alone = {'plan', 'config check', 'docs', 'pki init', 'pki node',
             'pki operator', 'pki check', 'drill'} | NO_DATA
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
        assert done.stderr.endswith(
            'next:  hactl %s "WHY"\n' % ' '.join(words))


@pytest.mark.parametrize('words, then', [
    (['pause', 'new disks'], "hactl pause --for 30m 'new disks'"),
    (['pause', "it's $HOME"], "hactl pause --for 30m 'it'\\''s $HOME'"),
    (['pause', '--for', '5', 'new disks', '--yes'],
     "hactl pause --for 5m 'new disks' --yes"),
    (['promote', '--fenced', 'plug pulled'],
     "hactl promote NODE --fenced 'plug pulled'"),
    (['pause', '--yes', 'new disks'],
     "hactl pause --for 30m 'new disks'"),
    (['fence', "it's off"], "hactl fence 'it'\\''s off' --yes"),
    (['config', 'check', '/no such'], "hactl config check '/no such'")])
def test_what_comes_next_keeps_the_words(tmp_path, words, then):
    """A shell that reads it gives hactl what the person gave."""
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    done = run(None if words[0] == 'config' else engine, *words)
    assert done.returncode != 0
    last = done.stderr.splitlines()[-1]
    assert last.startswith('next:  ')
    given = shlex.split(last[len('next:  '):])
    assert last.replace(' -s %s' % engine.path, '') == 'next:  ' + then
    assert words[-1] in given or words[-2] in given
    engine.close()


def test_nobody_agrees_to_a_reason_of_ours():
    """It would be in the history."""
    for words, then in (('fence --yes', 'fence "WHY"'),
                        ('pause --yes', 'pause --for 30m "WHY"'),
                        ('pause --yes --for 5m', 'pause --for 5m "WHY"')):
        done = run(None, *words.split())
        assert done.returncode == 2 and 'WHY is missing' in done.stderr
        assert done.stderr.endswith('next:  hactl %s\n' % then), words


def test_wrong_words(tmp_path):
    """What is wrong is named, and what to run instead."""
    engine = Engine(str(tmp_path), samples.answers(samples.SHORT))
    for words, said, then in (
            ('', 'a verb is missing', 'hactl --help'),
            ('frob', 'frob: no such verb', 'hactl --help'),
            ('statsu', 'statsu: no such verb', 'hactl status'),
            ('register', 'which of its verbs?', 'hactl register --help'),
            ('status --frob', 'unknown option', 'hactl status --help'),
            ('--frob', '--frob: unknown option', 'hactl --help'),
            ('status --jsn', '--jsn: unknown option; did you mean --json?',
             'hactl status --json -s '),
            ('promote prod-s2 --fencd=off --yes', 'did you mean --fenced?',
             'hactl promote prod-s2 --fenced=off --yes -s '),
            ('config chek F', 'config chek: no such verb; did you mean '
             'config check?', 'hactl config check'),
            ('register zzzzzzzzzzzz', 'register zzzzzzzzzzzz: no such verb',
             'hactl register --help'),
            ('status --json=1', 'takes no value', 'hactl --help'),
            ('promote s2 --fenced', 'needs a value', 'hactl --help'),
            ('status --color=blue', '--color takes auto, always or never',
             'hactl status --color=never'),
            ('promote', 'NODE is missing', 'hactl promote NODE'),
            ('pause --for 30m', 'pause: WHY is missing',
             'hactl pause --for 30m "WHY"'),
            ('pause', 'pause: WHY is missing',
             'hactl pause --for 30m "WHY"'),
            ('fence', 'fence: WHY is missing', 'hactl fence "WHY"'),
            ('pause --for 30 x', '30 has no unit: minutes are 30m',
             'hactl pause --for 30m x -s '),
            ('pause --for=30 x', '30 has no unit: minutes are 30m',
             'hactl pause --for 30m x -s '),
            ('pause --for 48h x', '--for takes a time from 1s to 24h',
             'hactl pause --for 24h x -s '),
            ('config check /nonexistent', '1 error in the configuration: mend '
             'what is named', 'hactl config check /nonexistent -s '),
            ('pki node DIR', 'NAME is missing', 'hactl pki node '),
            ('promote a b', 'b: too many words', 'hactl promote '),
            ('a b c d e f g h i j k l m n o p q', 'too many words',
             'hactl --help'),
            ('switchover a b c d e f', 'e: too many words', 'hactl --help'),
            ('status --yes', '--yes: not an option of this verb',
             'hactl status --help'),
            ('init', '--holder: this option is missing',
             'hactl init --holder NODE'),
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
        assert done.returncode in (1, 2, 5), words
        error = done.stderr.splitlines()
        assert said in ' '.join(done.stderr.split()), (words, done.stderr)
        assert error[-1].startswith('next:  ' + then), (words, error)
        assert 'asks before' not in said or error[-1].endswith(' --yes')
    assert all(r['look'] for r in engine.asked)
    engine.close()


def test_a_broken_file_is_edited(tmp_path):
    """At its first error, and then it is looked at again: the same command
    alone would say the same."""
    path = conf(tmp_path, samples.SHORT)
    with open(path) as f:
        lines = f.read().splitlines()
    at = next(i for i, x in enumerate(lines) if x.startswith('mode = ')) + 1

    def write(key):
        lines[at - 1] = key + ' = "auto";'
        with open(path, 'w') as f:
            f.write('\n'.join(lines))

    write('modes')
    again = 'next:  editor +%d %s && hactl config check ' % (at, path)
    words = ['config', 'check', '-N', 'prod-s1', path]
    done = run(None, *words)
    assert done.returncode == 5
    assert done.stderr.splitlines()[-1] == again + '-N prod-s1 ' + path
    done = run(None, 'gate', '-c', path)
    assert done.stderr.splitlines()[-1] == again + path
    # A right one that is not the daemon's is the end of it.
    write('mode')
    done = run(None, *words)
    assert done.returncode == 0 and 'next' not in done.stdout + done.stderr
