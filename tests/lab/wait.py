"""Waiting for a condition, with a deadline and a reason."""

import signal
import sys
import threading
import time


class Late(AssertionError):
    """A condition did not come true in time."""


def wait_for(cond, deadline=10.0, what=None, every=0.02):
    """Returns the first true value of cond(); raises Late after deadline."""
    end = time.monotonic() + deadline
    while True:
        value = cond()
        if value:
            return value
        if time.monotonic() > end:
            raise Late('not within %g s: %s (last: %r)' % (
                deadline, what or getattr(cond, '__name__', 'condition'),
                value))
        time.sleep(every)


def exit_on_term():
    """SIGTERM ends this process as SIGINT does: with everything cleaned up. A
    worker of pytest now and then imports this in another thread, where no
    signal can be set; it goes without."""
    if threading.current_thread() is not threading.main_thread():
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
