"""Voters over HTTP on the lab's client host."""

import os
import time

from lab import auditor
from lab.voters import Voter


class WebVoter(Voter):
    """One running lab-webvoter and its log. hosts: s1 and s2 for their own
    web servers, lb for the balancer. limits are in ms: connect, vote."""

    program = 'lab-webvoter'

    def __init__(self, lab, name='web', hosts=('lb',), connections=4,
                 connect=250, limit=1000, words=()):
        self.mode = 'web'
        self.name = name
        self.lab = lab
        self.host = lab.client
        self.boot = self.host.pid
        self.log = os.path.join(lab.dir, 'client', name + '.votes')
        self.proc = lab.client.popen(
            [os.path.join(lab.build, 'tests', 'site', 'lab-webvoter'), '-i',
             name, '-l', self.log, '-h',
             ','.join(lab.host[h].address for h in hosts), '-n',
             str(connections), '-c', str(connect), '-t', str(limit),
             *words], cwd='/', start_new_session=True)

    def attempts(self):
        """Each waited in front of applications until there was a database."""
        return auditor.read_log(self.log, held=True)

    def by_web(self, since=0):
        """Acknowledged votes, counted by the web server that took them."""
        found = {}
        for a in self.acked(since):
            found[a.detail] = found.get(a.detail, 0) + 1
        return found

    def wait_web(self, name, count=1, since=None, deadline=10):
        """Until so many more votes were taken by that web server."""
        from lab.wait import wait_for
        since = time.monotonic_ns() if since is None else since
        return wait_for(lambda: self.by_web(since).get(name, 0) >= count,
                        deadline, '%s takes %d votes' % (name, count))
