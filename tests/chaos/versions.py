"""An earlier version of the programs on some of the hosts."""

import os
import re
import subprocess

from lab import product

from . import acts

UNKNOWN = re.compile(r':(\d+): unknown key [\w.]*?(\w+);')


class Before:
    """The programs of an earlier build, and what they can read of this
    configuration."""

    def __init__(self, lab, build):
        """Before the hosts are switched on for the first time."""
        self.build = os.path.abspath(build)
        for key in lab.nodes:
            lab.host[key].writable += ['/usr/sbin']
        self.conf = self._without(lab, product.conf_text(lab))

    def _without(self, lab, text):
        """What it calls unknown is removed, as it says, until nothing is."""
        path = os.path.join(lab.dir, 'before.conf')
        while True:
            with open(path, 'w') as f:
                f.write(text)
            done = subprocess.run(
                [os.path.join(self.build, product.PROGRAMS['hactl']),
                 '--node', lab.s1.name, 'config', 'check', path],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True)
            found = UNKNOWN.findall(done.stdout)
            if done.returncode != 0 and not found:
                raise RuntimeError('the version before does not take the '
                                   'configuration: ' + done.stdout[-400:])
            if not found:
                return text
            text = without(text, [(int(n), name) for n, name in found])


def without(text, places):
    """The text less the keys of this name in these lines, with all that is in
    them."""
    lines = text.splitlines(keepends=True)
    for number, name in places:
        at = number - 1
        if '%s =' % name not in lines[at]:
            raise ValueError('no %s in line %d' % (name, number))
        indent = lines[at][:len(lines[at]) - len(lines[at].lstrip())]
        end = at
        if not lines[at].rstrip().endswith(';'):
            while not re.match(indent + r'[\])}]+;', lines[end]):
                end += 1
        for n in range(at, end + 1):
            lines[n] = '\n'     # the others keep their numbers
    return ''.join(lines)


def _become(stage, key, build, conf):
    """As a package would do it; a host that is off boots with it."""
    host = stage.lab.host[key]
    product.put(host, build)
    host.write('/etc/hawatch/hawatch.conf', conf)
    if host.up:
        acts.engine_upgraded(stage, key, None)


def downgraded(stage, key, extra):
    _become(stage, key, stage.before.build, stage.before.conf)


def upgraded(stage, key, kept):
    _become(stage, key, stage.lab.programs,
            product.conf_text(stage.lab))
