"""Readers over HTTP on the lab's client host: the state of an election, again
and again, through the balancer. Whoever reads is not told of a switchover, so
each answer that is no 200, and each silence, is written down."""

import collections
import ctypes
import socket
import threading
import time

CLONE_NEWNET = 0x40000000
EVERY = 0.01
LIMIT = 2.0             # seconds; what takes longer has failed

ELECTION = '/api/election/1'
IAM = '/admin-api/iam/api/auth-event/1/'

# status: 0 without an answer; why: what was met instead of it
Read = collections.namedtuple('Read', 'start end path status why')


class Readers:
    """count threads for each path, each with a connection that is kept."""

    def __init__(self, site, paths=(ELECTION, IAM), count=2):
        self.address = site.lab.host['lb'].address
        self.client = site.lab.client
        self.ended = threading.Event()
        self.reads = []
        self.threads = [threading.Thread(target=self._run, args=(path,),
                                         daemon=True)
                        for path in paths for _ in range(count)]
        for thread in self.threads:
            thread.start()

    def _run(self, path):
        with open('/proc/%d/ns/net' % self.client.pid) as f:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.setns(f.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), 'setns')
        sock = None
        while not self.ended.wait(EVERY):
            start = time.monotonic_ns()
            try:
                sock = sock or socket.create_connection(
                    (self.address, 80), LIMIT)
                status, keep = _read(sock, path)
                why = ''
            except (OSError, ValueError) as e:
                status, keep, why = 0, False, type(e).__name__
            self.reads.append(Read(start, time.monotonic_ns(), path, status,
                                   why))
            if not keep and sock:
                sock.close()
                sock = None

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(LIMIT + 1)

    def since(self, at):
        return [r for r in list(self.reads) if r.end > at]

    def failed(self, at=0):
        return [r for r in self.since(at) if r.status != 200]

    def slowest(self, at):
        """In ms."""
        return max((r.end - r.start) / 1e6 for r in self.since(at))


def _read(sock, path):
    """(status, whether the connection is kept)."""
    sock.settimeout(LIMIT)
    sock.sendall(b'GET %s HTTP/1.1\r\nHost: vote.example.com\r\n\r\n'
                 % path.encode())
    data = b''
    while b'\r\n\r\n' not in data:
        more = sock.recv(4096)
        if not more:
            raise ValueError('closed')
        data += more
    head, body = data.split(b'\r\n\r\n', 1)
    lines = head.decode('latin-1').lower().split('\r\n')
    head = dict(line.split(': ', 1) for line in lines[1:])
    left = int(head.get('content-length', '0')) - len(body)
    while left > 0:
        more = sock.recv(4096)
        if not more:
            raise ValueError('closed')
        left -= len(more)
    return int(lines[0].split()[1]), head.get('connection') != 'close'
