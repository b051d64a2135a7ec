#!/usr/bin/python3 -ISB
"""A stand-in for ssh and sshd, between the hosts of a closed network: runs
rsync of the other host as ballotbox. As ssh it takes the options that rsync
and the pull script give; with the one argument --server it is the other end."""

import os
import pwd
import select
import shlex
import socket
import sys

PORT = 22


def client(words):
    while words and words[0].startswith('-'):
        del words[:2]                       # -o word, -l user
    sock = socket.create_connection((words[0].split('@')[-1], PORT), 10)
    sock.settimeout(None)
    sock.sendall((shlex.join(words[1:]) + '\n').encode())
    watched = [0, sock.fileno()]
    while sock.fileno() in watched:
        for fd in select.select(watched, [], [])[0]:
            data = os.read(fd, 65536)
            if fd == 0:
                if data:
                    sock.sendall(data)
                else:
                    sock.shutdown(socket.SHUT_WR)
                    watched.remove(0)
            elif data:
                view = memoryview(data)
                while view:
                    view = view[os.write(1, view):]
            else:
                watched.remove(fd)


def run(sock):
    line = b''
    while not line.endswith(b'\n'):
        byte = sock.recv(1)
        if not byte:
            return
        line += byte
    words = shlex.split(line.decode())
    if words[:2] != ['rsync', '--server']:
        return
    user = pwd.getpwnam('ballotbox')
    os.initgroups(user.pw_name, user.pw_gid)
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    os.dup2(sock.fileno(), 0)
    os.dup2(sock.fileno(), 1)
    os.execv('/usr/bin/rsync', words)


def server():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(('0.0.0.0', PORT))
    listener.listen(8)
    while True:
        sock, _ = listener.accept()
        if os.fork() == 0:
            if os.fork() == 0:              # the host's init reaps this one
                listener.close()
                run(sock)
            os._exit(0)
        os.wait()
        sock.close()


if __name__ == '__main__':
    if sys.argv[1:] == ['--server']:
        server()
    else:
        client(sys.argv[1:])
