"""A memcached client as the application's: one connection, and a whole
second for an operation whatever is wrong, since a broken connection is
replaced in the background while the operation waits in its queue."""

import socket
import threading
import time


class Memcache:
    def __init__(self, address, timeout=1.0):
        self.host, _, port = address.partition(':')
        self.port = int(port)
        self.timeout = timeout
        self.local = threading.local()

    def get(self, key):
        """The value, or None: not there, or nobody answered in time."""
        lines = self._ask(b'get %s\r\n' % key.encode(), b'END\r\n')
        if lines is None or not lines.startswith(b'VALUE '):
            return None
        head, _, rest = lines.partition(b'\r\n')
        return rest[:int(head.split()[3])].decode()

    def set(self, key, value, seconds):
        data = value.encode()
        self._ask(b'set %s 0 %d %d\r\n%s\r\n' % (
            key.encode(), seconds, len(data), data), b'\r\n')

    def _ask(self, command, end):
        until = time.monotonic() + self.timeout
        while True:
            try:
                return self._once(command, end, until)
            except OSError:
                self._drop()
                left = until - time.monotonic()
                if left <= 0:
                    return None
                time.sleep(min(left, 0.1))

    def _once(self, command, end, until):
        sock = getattr(self.local, 'sock', None)
        if sock is None:
            sock = socket.create_connection(
                (self.host, self.port), max(until - time.monotonic(), 0.001))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.local.sock = sock
        sock.settimeout(max(until - time.monotonic(), 0.001))
        sock.sendall(command)
        data = b''
        while not data.endswith(end):
            sock.settimeout(max(until - time.monotonic(), 0.001))
            more = sock.recv(65536)
            if not more:
                raise ConnectionError('closed')
            data += more
        return data

    def _drop(self):
        sock = getattr(self.local, 'sock', None)
        if sock is not None:
            sock.close()
            self.local.sock = None
