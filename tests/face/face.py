"""What the tests of the face share: a configuration, and what is given to verbs."""

import json
import os
import subprocess

import pytest

import samples
from engine import HACTL, SOURCE, Engine


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
    return [r[1] for r in rows if r[0] == 'verb'] + [
        'drift --apply', 'report --would']


def conf(tmp_path, names):
    """The sample with the names of this test."""
    with open(os.path.join(SOURCE, 'conf', 'hawatch.conf')) as f:
        text = f.read()
    for old, new in zip(samples.SHORT, names):
        text = text.replace('"%s"' % old, '"%s"' % new)
    path = tmp_path / 'hawatch.conf'
    path.write_text(text)
    return str(path)


def too_wide(text):
    """Lines over 80 columns, but for a command to copy and a word that has no
    blank to be broken at."""
    return [line for line in text.splitlines()
            if len(line) > 80 and not line.lstrip().startswith('next') and
            ' ' in line.strip()]


def objects(text):
    return [json.loads(line) for line in text.splitlines()]
