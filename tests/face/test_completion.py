"""The completions of hactl in the shells themselves."""

import os
import shutil
import subprocess

import pytest

import samples
from engine import HACTL, Terminal, environment
from test_face import conf


@pytest.fixture
def shell(tmp_path):
    """Programs by name, files of the completions, and a configuration."""
    programs = tmp_path / 'bin'
    programs.mkdir()
    shutil.copy2(HACTL, programs / 'hactl')
    for name, file in (('bash', 'hactl.bash'), ('zsh', '_hactl'),
                       ('fish', 'hactl.fish')):
        text = subprocess.run([HACTL, 'completion', name], check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        (tmp_path / file).write_text(text)
    env = environment(PATH='%s:%s' % (programs, os.environ['PATH']),
                      HOME=str(tmp_path), CONF=conf(tmp_path, samples.SHORT))
    with open(env['CONF'], 'a') as f:
        f.write('node = "prod-s1";\n')
    (tmp_path / 'rack-3').mkdir()
    return tmp_path, env


def in_bash(shell, line):
    """What bash offers for the last word."""
    path, env = shell
    script = '''
        . ./hactl.bash
        COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
        COMP_LINE=$1; COMP_POINT=${#1}
        read -r -a COMP_WORDS <<< "${1//=/ = }"
        [[ $1 == *' ' || $1 == *= ]] && COMP_WORDS+=('')
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _hactl
        printf '%s\\n' "${COMPREPLY[@]}"
    '''
    done = subprocess.run(['bash', '-u', '-c', script, 'x',
                           line.replace('CONF', env['CONF'])],
                          cwd=path, env=env, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert not done.stderr, done.stderr
    return set(done.stdout.split())


def in_fish(shell, line):
    path, env = shell
    script = 'source hactl.fish; complete -C %s' % (
        "'%s'" % line.replace('CONF', env['CONF']))
    done = subprocess.run(['fish', '--no-config', '-c', script], cwd=path,
                          env=env, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE)
    assert not done.stderr, done.stderr
    return {x.split('\t')[0] for x in done.stdout.splitlines()}


FIRST = {'status', 'checks', 'drift', 'plan', 'promote', 'switchover', 'init',
         'register', 'role', 'pki', 'completion'}


FISH = pytest.param(in_fish, marks=pytest.mark.skipif(
    shutil.which('fish') is None, reason='fish is not there'))


@pytest.mark.parametrize('offered', [in_bash, FISH])
def test_words(shell, offered):
    assert FIRST <= offered(shell, 'hactl ')
    assert offered(shell, 'hactl swi') == {'switchover'}
    assert offered(shell, 'hactl register ') == {'show', 'adopt'}
    assert {'promote', 'switchover'} <= offered(shell, 'hactl plan ')
    said = offered(shell, 'hactl plan --')
    assert {'--tables', '--json', '--config'} <= said
    assert '--yes' not in said
    said = offered(shell, 'hactl -c CONF switchover --')
    assert {'--yes', '--leave-slots', '--color'} <= said
    assert '--holder' not in said
    assert offered(shell, 'hactl role --is ') == {'primary', 'standby'}
    assert offered(shell, 'hactl status --color=a') >= (
        {'auto', 'always'} if offered is in_bash else
        {'--color=auto', '--color=always'})
    assert offered(shell, 'hactl completion ') == {'bash', 'zsh', 'fish'}
    assert offered(shell, 'hactl unfence ') == set()
    assert any('rack-3' in x for x in offered(shell, 'hactl pki init '))
    assert any('hawatch.conf' in x
               for x in offered(shell, 'hactl config check h'))


@pytest.mark.parametrize('offered', [in_bash, FISH])
def test_nodes(shell, offered):
    """Of the configuration that is named, or of the usual one, which a host
    of a test does not have."""
    data = {'prod-s1', 'prod-s2'}
    for words, nodes in (('promote ', data), ('switchover --yes ', data),
                         ('plan switchover ', data), ('why ', data),
                         ('init --holder ', data), ('init --holder=', data),
                         ('-N ', data | {'prod-a1'}),
                         ('plan promote prod-s2 --if ',
                          {x + '=dead' for x in data | {'prod-a1'}})):
        if offered is in_fish and words.endswith('='):
            nodes = {'--holder=' + x for x in nodes}
        for option in ('-c ', '--config ', '--config='):
            said = offered(shell, 'hactl %sCONF %s' % (option, words))
            assert said == nodes, option + words
    assert offered(shell, 'hactl -c CONF promote prod-s') == {
        'prod-s1', 'prod-s2'}
    assert offered(shell, 'hactl -c CONF promote prod-s1 ') == set()
    assert offered(shell, 'hactl -c /nonexistent promote ') == set()


@pytest.mark.skipif(shutil.which('zsh') is None, reason='zsh is not there')
def test_zsh(shell):
    """Typed on a terminal, as nothing else runs its completions."""
    path, env = shell
    t = Terminal('zsh', '-f', '-i', env=env, cwd=str(path))
    try:
        t.write("PS1='ready> '; fpath=($PWD $fpath); autoload -U compinit; "
                "compinit -u -d dump; setopt no_beep; print loa''ded\n")
        t.read_until('loaded', 30)
        for typed, seen in (
                ('hactl swi\t', 'hactl switchover'),
                ('hactl plan \t', 'print the steps of a switchover'),
                ('hactl role --is st\t', 'standby'),
                ('hactl -c hawatch.conf promote prod-s\t\t', 'prod-s2'),
                ('hactl --config=hawatch.conf why prod-s\t\t', 'prod-s2'),
                ('hactl -c hawatch.conf -N prod-a\t', 'prod-a1'),
                ('hactl -c hawatch.conf plan promote prod-s2 --if prod-a\t',
                 'prod-a1=dead'),
                ('hactl -c hawatch.conf init --holder prod-s\t\t',
                 'prod-s2'),
                ('hactl status --wa\t', '--watch'),
                ('hactl status --color=nev\t', '--color=never')):
            t.text = ''
            t.write(typed)
            t.read_until(seen, 20)
            t.write('\x15')
        t.write('\nexit\n')
    finally:
        t.kill()


def test_other_shells_are_refused():
    done = subprocess.run([HACTL, 'completion', 'csh'], text=True,
                          stderr=subprocess.PIPE)
    assert done.returncode == 2 and 'next:' in done.stderr
