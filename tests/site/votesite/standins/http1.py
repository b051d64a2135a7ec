"""The least HTTP/1.1 server that an application needs: some threads that
accept, one request a connection."""

import socket
import sys
import threading

REASON = {200: 'OK', 400: 'Bad Request', 404: 'Not Found',
          500: 'Internal Server Error'}


class Gone(Exception):
    """The client left in the middle of its request."""


def _read(sock):
    data = b''
    while b'\r\n\r\n' not in data:
        more = sock.recv(65536)
        if not more or len(data) > 65536:
            raise Gone
        data += more
    head, _, body = data.partition(b'\r\n\r\n')
    lines = head.decode('latin-1').split('\r\n')
    method, path = lines[0].split(' ')[:2]
    length = 0
    for line in lines[1:]:
        name, _, value = line.partition(':')
        if name.lower() == 'content-length':
            length = int(value)
    while len(body) < length:
        more = sock.recv(65536)
        if not more:
            raise Gone
        body += more
    return method, path, body


def _answer(sock, status, headers, body):
    lines = ['HTTP/1.1 %d %s' % (status, REASON.get(status, 'Status')),
             'Content-Type: application/json', 'Connection: close',
             'Content-Length: %d' % len(body)]
    lines += ['%s: %s' % pair for pair in headers]
    sock.sendall(('\r\n'.join(lines) + '\r\n\r\n').encode() + body)


def _work(listener, handle):
    while True:
        sock, _ = listener.accept()
        with sock:
            sock.settimeout(10)
            try:
                _answer(sock, *handle(*_read(sock)))
            except (Gone, OSError, ValueError):
                pass            # nobody is there who could be told


def serve(address, port, workers, handle):
    """handle(method, path, body) returns status, [(header, value)], bytes."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(128)
    print('listening on %s:%d' % (address, port), flush=True)
    for _ in range(workers - 1):
        threading.Thread(target=_work, args=(listener, handle),
                         daemon=True).start()
    _work(listener, handle)
    sys.exit(1)
