"""Vote clients on the lab's client host."""

import os
import signal
import time

from . import auditor
from .wait import wait_for


class Voter:
    """One running lab-voter and its log."""

    program = 'lab-voter'

    def __init__(self, lab, mode='vote', name=None, hosts=None, words=(),
                 at='client'):
        """hosts: their keys, or addresses. at: the host it runs on."""
        self.mode = mode
        self.name = name or mode
        self.host = lab.host[at]
        self.boot = self.host.pid       # with this life it ends
        self.log = os.path.join(lab.dir, 'client', self.name + '.votes')
        addresses = ','.join(lab.host[h].address if h in lab.host else h
                             for h in hosts or lab.data)
        self.proc = self.host.popen(
            [lab.tool('lab-voter'), mode, '-i', self.name, '-l', self.log,
             '-h', addresses] + list(words), cwd='/', start_new_session=True)
        self.lab = lab

    def attempts(self):
        return auditor.read_log(self.log)

    def acked(self, since=0, server=None):
        """Acknowledged attempts that ended after since, by that server."""
        return [a for a in self.attempts() if a.outcome == 'ack' and
                a.end > since and (server is None or a.server == server)]

    def wait_acked(self, count=1, since=None, server=None, deadline=10):
        """Until so many more votes were acknowledged."""
        since = time.monotonic_ns() if since is None else since
        return wait_for(
            lambda: len(self.acked(since, server)) >= count, deadline,
            '%s: %d votes acknowledged by %s' % (self.name, count,
                                                 server or 'anyone'))

    def stop(self):
        """SIGTERM to lab-voter itself, as nsenter does not pass it on. Stock
        libpq may sit in a call that never ends, as an application would: it is
        killed, and its last vote is in no log."""
        if self.proc.returncode is not None:
            return
        sig = signal.SIGKILL if self.mode == 'stock' else signal.SIGTERM
        for pid, (comm, line) in self.host.processes().items() \
                if self.host.pid == self.boot else ():
            if comm == self.program and self.log in line:
                os.kill(pid, sig)
        code = self.proc.wait(10)
        if code != 0 and sig != signal.SIGKILL and self.host.pid == self.boot:
            raise RuntimeError('lab-voter %s: exit %d' % (self.name, code))
