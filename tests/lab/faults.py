"""What goes wrong: for the end-to-end tests, the bench and the demo alike.

Each function makes one fault on the lab; where finding the victims takes time it
returns the moment at which they were hit. The primary is prod-s1.
"""

import signal


def databases_killed(lab):
    """Every process of the primary's PostgreSQL, by SIGKILL."""
    return lab.pg['s1'].kill_all()


def postmaster_killed(lab):
    """The postmaster alone; backends live on for a while."""
    return lab.pg['s1'].kill_postmaster()


def host_lost(lab):
    """Power cut: no process, no packet, not even a FIN."""
    lab.power_cut('s1')


def cut_off(lab):
    """Clients reach the primary, its peers do not."""
    lab.cut('s1', ['s2', 'a1'])


def stopped(lab):
    """SIGSTOP to every process of the primary's host."""
    lab.s1.stop_all()


def stopped_unplugged(lab):
    """The same without its cable, as a hanging host is often found."""
    lab.switch.unplug(lab.s1)
    lab.s1.stop_all()


def standby_lost(lab):
    lab.power_cut('s2')


def arbiter_lost(lab):
    lab.power_cut('a1')


def engine_stopped(lab):
    """SIGSTOP to the engine of the holder; PostgreSQL goes on."""
    lab.s1.kill(lab.s1.pids('hawatchd'), signal.SIGSTOP)


def engine_killed(lab):
    lab.s1.kill(lab.s1.pids('hawatchd'))
