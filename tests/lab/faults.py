"""What goes wrong: for the end-to-end tests, the bench and the demo alike.

Each function makes one fault on the lab; where finding the victims takes time it
returns the moment at which they were hit. The primary is prod-s1 unless the
victim is named.
"""

import signal

from . import product


def databases_killed(lab, key='s1'):
    """Every process of the primary's PostgreSQL, by SIGKILL."""
    return lab.pg[key].kill_all()


def postmaster_killed(lab):
    """The postmaster alone; backends live on for a while."""
    return lab.pg['s1'].kill_postmaster()


def switchover(lab):
    """No fault, but the same question: the primary is told to hand over."""
    product.hactl(lab.s1, 'switchover', '--yes', '--end-transactions')


def host_lost(lab, key='s1'):
    """Power cut: no process, no packet, not even a FIN."""
    lab.power_cut(key)


def cut_off(lab, key='s1'):
    """Clients reach the primary, its peers do not."""
    lab.cut(key, [k for k in lab.nodes if k != key])


def stopped(lab, key='s1'):
    """SIGSTOP to every process of the primary's host."""
    lab.host[key].stop_all()


def stopped_unplugged(lab):
    """The same without its cable, as a hanging host is often found."""
    lab.switch.unplug(lab.s1)
    lab.s1.stop_all()


def standby_lost(lab, key='s2'):
    lab.power_cut(key)


def standby_deaf(lab, key='s2', primary='s1'):
    """The standby receives nothing more, and its peers still reach it. Its
    primary waits for it until it is found lost."""
    lab.cut(key, [primary])


def arbiter_lost(lab):
    lab.power_cut('a1')


def engine_stopped(lab):
    """SIGSTOP to the engine of the holder; PostgreSQL goes on."""
    lab.s1.kill(lab.s1.pids('hawatchd'), signal.SIGSTOP)


def engine_killed(lab):
    lab.s1.kill(lab.s1.pids('hawatchd'))
