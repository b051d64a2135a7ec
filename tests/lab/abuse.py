"""A client without manners, run on a lab host:

    python3 abuse.py KIND ADDRESS PORT [CERT KEY CA]

Prints what came of it; the tests look at the victims instead.
"""

import os
import socket
import ssl
import sys
import time


def connect(address, port, files):
    sock = socket.create_connection((address, port), timeout=5)
    if not files:
        return sock
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if len(files) > 1:
        context.load_cert_chain(files[0], files[1])
    return context.wrap_socket(sock)


def answer(sock):
    data = b''
    try:
        while len(data) < 65536:
            part = sock.recv(4096)
            if not part:
                break
            data += part
    except OSError as e:
        return '%r, then %s' % (data[:80], e)
    return repr(data[:80])


def request(line, headers='', body=b''):
    return ('%s HTTP/1.1\r\nHost: x\r\n%s\r\n' % (line, headers)).encode() \
        + body


KINDS = {
    'noise': lambda: os.urandom(65536),
    'binary-line': lambda: b'\0\xff\r\n\r\n',
    'long-line': lambda: request('GET /' + 'a' * 200000),
    'many-headers': lambda: request('GET /health', 'X: y\r\n' * 20000),
    'long-body': lambda: request('POST /v1/ask', 'Content-Length: '
                                 '1000000000\r\n', b'x' * 5000000),
    'short-body': lambda: request('POST /v1/cas', 'Content-Length: 500\r\n',
                                  b'{"id": 1'),
    'wrong-length': lambda: request('POST /v1/cas', 'Content-Length: -1\r\n'),
    'two-lengths': lambda: request('POST /v1/cas', 'Content-Length: 2\r\n'
                                   'Content-Length: 5\r\n', b'{}abc'),
    'no-json': lambda: request('POST /v1/cas', 'Content-Length: 5\r\n',
                               b'12{]\0'),
    'deep-json': lambda: request('POST /v1/cas', 'Content-Length: 40000\r\n',
                                 b'[' * 40000),
    'wrong-types': lambda: request('POST /v1/ask', 'Content-Length: 32\r\n',
                                   b'{"id":"x","epoch":-1,"ttl":[1]} '),
    'unknown-path': lambda: request('POST /v1/../../etc',
                                    'Content-Length: 0\r\n'),
    'pipeline': lambda: request('GET /health') * 5000,
}


def slow(address, port, files, seconds):
    """A byte now and then, so that the connection is never idle."""
    sock = connect(address, port, files)
    end = time.monotonic() + seconds
    sent = 0
    for byte in request('POST /v1/cas', 'Content-Length: 100\r\n', b' ' * 99):
        if time.monotonic() > end:
            break
        sock.sendall(bytes([byte]))
        sent += 1
        time.sleep(0.2)
    return '%d bytes, still open' % sent


def crowd(address, port, files, count=3000):
    """More connections than anybody may have, saying nothing."""
    held, refused = [], 0
    for _ in range(count):
        try:
            held.append(socket.create_connection((address, port), 1))
        except OSError:
            refused += 1
            if refused > 20:
                break
    time.sleep(1)
    return '%d connections, %d refused' % (len(held), refused)


def serve_garbage(path, port):
    """Instead of PostgreSQL: a listener that talks nonsense."""
    import selectors
    sel = selectors.DefaultSelector()
    local = socket.socket(socket.AF_UNIX)
    local.bind(path)
    os.chmod(path, 0o777)
    tcp = socket.create_server(('', port))
    for listener in (local, tcp):
        listener.listen(64)
        sel.register(listener, selectors.EVENT_READ)
    print('ready', flush=True)
    while True:
        for key, _ in sel.select():
            conn, _ = key.fileobj.accept()
            try:
                conn.sendall(b'R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I'
                             b'T\xff\xff\xff\xff' + os.urandom(4096))
            except OSError:
                pass
            conn.close()


def main():
    kind, address, port, *files = sys.argv[1:]
    if kind == 'serve-garbage':
        serve_garbage(address, int(port))
    elif kind == 'slow':
        print(slow(address, int(port), files, 4))
    elif kind == 'crowd':
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (8192, 8192))
        print(crowd(address, int(port), files))
    else:
        try:
            sock = connect(address, int(port), files)
            sock.settimeout(5)
            sock.sendall(KINDS[kind]())
            print(answer(sock))
        except OSError as e:
            print(e)


if __name__ == '__main__':
    main()
