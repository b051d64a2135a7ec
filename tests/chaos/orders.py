"""What persons order, at any moment, and nobody waits for what comes of it:
hactl goes on without the one who asked, who may stand still with his host."""

import subprocess

from . import members

PAUSED = '30s'      # longer than any fault; it ends by itself, too


def give(stage, key, words, after=0.0):
    """hactl with these words on that host, so many seconds from now."""
    return stage.lab.host[key].popen(
        ['sh', '-c', 'sleep %.2f; exec hactl "$@"' % after, 'sh'] +
        list(words), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)


def order(*words):
    def strike(stage, key, extra):
        return give(stage, key, words)
    return strike


def forgotten(stage, key, proc):
    proc.poll()


def countermand(*words):
    """The order that ends another one; a host that is off gets none."""
    def mend(stage, key, proc):
        proc.poll()
        if stage.lab.host[key].up:
            give(stage, key, words)
    return mend


switchover = order('switchover', '--yes', '--end-transactions')
pause = order('pause', '--for', PAUSED, 'chaos', '--yes')
resume = countermand('resume')
fence = order('fence', 'chaos', '--yes')
unfence = countermand('unfence', '--yes')
drift = order('drift', '--apply', '--yes')


def promote(stage, key, extra):
    """The standby is to be the primary: told to it, or to the holder, where
    it is a switchover."""
    holder = stage.roles()['holder']
    other = next(k for k in stage.lab.pg if k != holder)
    return give(stage, key, (
        'promote', stage.lab.host[other].name, '--yes'))


def rejoin(stage, key, extra):
    words = ('rejoin', '--yes') + (('--clone',) if extra < 0.3 else ())
    return give(stage, key, words)


def leaves(stage, key, extra):
    """A standby is taken down on purpose, and the register is down, since
    just now or since a while."""
    members.register_down(stage, extra)
    return give(stage, key, ('fence', 'chaos', '--yes'), after=extra), \
        extra < 0.5


def comes_back(stage, key, kept):
    """Before or after the register."""
    proc, register_first = kept
    proc.poll()
    if register_first:
        members.register_up(stage)
    if stage.lab.host[key].up:
        give(stage, key, ('unfence', '--yes'))
    if not register_first:
        members.register_up(stage)
