"""Two short runs, of rounds and of disturbances, each with a fixed seed, as
scripts/chaos makes them; about a minute and a half together."""

import os
import re
import subprocess

from lab.product import SOURCE

DEADLINE = 420      # seconds; on a machine of its own it takes 60 at most
# With this seed: a host that hangs; a standby that leaves while the register is
# down and its disk is full; a pause; a register from a backup; a power cut.
SEED = 'f50718'
ROUNDS = ('databases-killed,power,stopped-for-good,one-way,state-full,'
          'register-restored,nginx-killed,fence,pause,standby-leaves')


def chaos(tmp_path, *words):
    """What it printed; fails as it does, with the logs that it kept."""
    done = subprocess.run(
        [os.path.join(SOURCE, 'scripts', 'chaos'), '--logs', str(tmp_path)] +
        list(words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=DEADLINE)
    print(done.stdout)
    assert done.returncode == 0
    return done.stdout


def value(text, words):
    return int(re.search('^%s +([0-9]+)$' % re.escape(words), text, re.M)[1])


def test_rounds(tmp_path):
    text = chaos(tmp_path, '--rounds', '5', '--seed', SEED, '--only', ROUNDS)
    assert value(text, 'rounds') == 5
    assert value(text, 'takeovers') >= 2
    assert value(text, 'votes acknowledged') > 500
    for words in ('lost', 'two-writer instants', 'false failovers',
                  'hosts that a person had to rebuild',
                  'present more than once, or cast twice',
                  'rounds that did not come well'):
        assert value(text, words) == 0


def test_disturbances(tmp_path):
    text = chaos(tmp_path, '--disturb', '40', '--seed', 'smoke')
    assert value(text, 'disturbances shorter than half the lease') >= 40
    assert value(text, 'votes acknowledged') > 200
    assert value(text, 'lost') == 0


def test_same_seed_same_schedule():
    runs = [subprocess.run(
        [os.path.join(SOURCE, 'scripts', 'chaos'), '--list', '--rounds', '200',
         '--seed', seed], stdout=subprocess.PIPE, text=True, check=True).stdout
        for seed in ('7', '7', '8')]
    assert runs[0] == runs[1] != runs[2]
    assert len(runs[0].splitlines()) == 200
