"""An engine that answers what it is told to, for looking at what hactl prints;
and hactl itself, on a pipe or on a terminal."""

import json
import os
import pty
import select
import signal
import socket
import subprocess
import threading
import time

HACTL = os.environ.get('HAWATCH_HACTL', 'build/src/hactl/hactl')
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


class Engine:
    """answers: {verb: [lines]}, each an object, or what makes these of the
    request; changed while it runs."""

    def __init__(self, directory, answers):
        self.path = os.path.join(directory, 'hactl.sock')
        self.answers = answers
        self.asked = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            conn, _ = self.listener.accept()
            with conn:
                line = conn.makefile().readline()
                if line == 'end\n':
                    return
                if not line:
                    continue
                request = json.loads(line)
                self.asked.append(request)
                lines = self.answers.get(request['verb'])
                if callable(lines):
                    lines = lines(request)
                if lines is None:
                    lines = [{'exit': 2, 'refused': 'unknown verb',
                              'next': 'hactl --version'}]
                try:
                    for obj in lines:
                        if isinstance(obj, threading.Event):
                            obj.wait(20)
                            continue
                        conn.sendall(json.dumps(obj).encode() + b'\n')
                except BrokenPipeError:
                    pass                        # it was ended meanwhile

    def close(self):
        """When its thread has ended: one that is about to accept would do so
        on the descriptor's next socket."""
        with socket.socket(socket.AF_UNIX) as last:
            last.connect(self.path)
            last.sendall(b'end\n')
        self.thread.join(10)
        self.listener.close()
        os.unlink(self.path)


def environment(**more):
    env = {k: v for k, v in os.environ.items() if k != 'NO_COLOR'}
    env.update(TERM='xterm', LC_ALL='C.UTF-8')
    env.update(more)
    return env


def run(engine, *words, env=None):
    """hactl on pipes."""
    argv = [HACTL] + list(words)
    if engine is not None:
        argv += ['-s', engine.path]
    return subprocess.run(argv, stdin=subprocess.DEVNULL, timeout=20,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=env or environment(), text=True)


class Terminal:
    """hactl, or another program, on a terminal of its own."""

    def __init__(self, *argv, env=None, cwd=None):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            if cwd:
                os.chdir(cwd)
            os.execvpe(argv[0], argv, env or environment())
        self.text = ''

    def read_until(self, words, seconds=10):
        """All that was written when words are there; fails when late."""
        until = time.monotonic() + seconds
        while words not in self.text:
            left = until - time.monotonic()
            assert left > 0, 'not seen: %r in %r' % (words, self.text)
            if select.select([self.fd], [], [], left)[0]:
                try:
                    got = os.read(self.fd, 65536)
                except OSError:
                    got = b''
                assert got, 'ended before %r: %r' % (words, self.text)
                self.text += got.decode(errors='replace')
        return self.text

    def drain(self, seconds=10):
        """Until it ends."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    got = os.read(self.fd, 65536)
                except OSError:
                    break
                if not got:
                    break
                self.text += got.decode(errors='replace')
        return self.text

    def write(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        """The exit status."""
        self.drain()
        _, status = os.waitpid(self.pid, 0)
        os.close(self.fd)
        return os.waitstatus_to_exitcode(status)

    def kill(self):
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
