"""Gives back each Ethernet frame as late as it was told to, in their order.

Run in the switch's namespace. Reads frames from the device "slow", writes them
to "late"; lines "FROM TO MS" on its input say how late, by hardware address.
Ends with its input.
"""

import collections
import fcntl
import os
import selectors
import struct
import subprocess
import sys
import time

TUNSETIFF = 0x400454ca
TAP_NO_PI = 0x0002 | 0x1000
ROOM = 20000            # frames; what does not fit is lost, as in any queue


def tap(name):
    fd = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF, struct.pack('16sH14x', name.encode(),
                                           TAP_NO_PI))
    subprocess.run(['ip', 'link', 'set', name, 'up', 'txqueuelen', '5000'],
                   check=True)
    return fd


class Relay:
    def __init__(self):
        self.slow, self.late = tap('slow'), tap('late')
        self.delay = {}
        self.queue = collections.defaultdict(collections.deque)
        self.waiting = 0

    def take(self):
        while True:
            try:
                frame = os.read(self.slow, 65536)
            except BlockingIOError:
                return
            key = frame[6:12], frame[:6]
            if self.waiting < ROOM:
                self.queue[key].append((
                    time.monotonic() + self.delay.get(key, 0), frame))
                self.waiting += 1

    def give(self):
        """Seconds until the next one is due, None if none waits."""
        now, due = time.monotonic(), None
        for waiting in self.queue.values():
            while waiting and waiting[0][0] <= now:
                self.waiting -= 1
                try:
                    os.write(self.late, waiting.popleft()[1])
                except OSError:
                    continue    # nobody is there any more
            if waiting:
                left = waiting[0][0] - now
                due = left if due is None else min(due, left)
        return due

    def told(self, line):
        source, target, ms = line.split()
        key = tuple(bytes.fromhex(w.replace(':', ''))
                    for w in (source, target))
        self.delay[key] = int(ms) / 1000

    def run(self):
        sel = selectors.DefaultSelector()
        sel.register(self.slow, selectors.EVENT_READ)
        sel.register(0, selectors.EVENT_READ)
        os.set_blocking(0, False)
        print('ready', flush=True)
        text = b''
        while True:
            for key, _ in sel.select(self.give()):
                if key.fd == self.slow:
                    self.take()
                    continue
                more = os.read(0, 4096)
                if not more:
                    return
                *lines, text = (text + more).split(b'\n')
                for line in lines:
                    self.told(line.decode())


if __name__ == '__main__':
    sys.exit(Relay().run())
