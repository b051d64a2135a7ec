"""What befalls a register that is a copy on each of two lone hosts, and both of
them at once."""

import os
import shutil

from . import acts
from .disks import STATE

COPY = STATE + '/register'


def both_off(stage, key, extra):
    """And this one comes back alone."""
    other = stage.other(key)
    acts.power(stage, other, extra)
    acts.boot(stage, key, acts.power(stage, key, extra))
    return other, extra < 0.5


def both_on(stage, key, kept):
    other, autostart = kept
    acts.boot(stage, other, autostart)


def copy_lost(stage, key, extra):
    """Its file is gone, or that of some rounds ago."""
    old = stage.backups[int(extra * len(stage.backups))] \
        if stage.backups and extra < 0.7 else None
    acts.engine_killed(stage, key, extra)
    path = stage.lab.host[key].path(COPY)
    if old:
        shutil.copy2(os.path.join(old, key), path + '.put')
        os.rename(path + '.put', path)
    else:
        os.unlink(path)
    stage.keeper.off.discard(key)
    stage.keeper.start(key)


def copy(stage, at):
    """Of both hosts."""
    for key in stage.lab.pg:
        shutil.copy2(stage.lab.host[key].path(COPY), os.path.join(at, key))
