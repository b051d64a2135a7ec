"""Disks of their own for what may fill up: PostgreSQL's and the daemon's
state.

Each is a file with ext4 in it, mounted where the host keeps its files, so what
is on it survives a power cut. The process has a mount namespace of its own,
made by scripts/chaos: whatever happens to it, the mounts end with it.
"""

import contextlib
import os
import subprocess

STATE = '/var/lib/hawatch'
PGDATA = '/var/lib/postgresql'
# A rejoin saves what only the old data has, of the last ten times.
SIZES = {PGDATA: '900M', STATE: '192M'}


class Disks:
    def __init__(self, lab):
        """Before the hosts are switched on for the first time."""
        self.lab = lab
        self.mounted = []

    def mount(self):
        for key in self.lab.nodes:
            for path, size in SIZES.items():
                if path == PGDATA and key not in self.lab.pg:
                    continue
                self._mount(self.lab.host[key], path, size)

    def _mount(self, host, path, size):
        image = os.path.join(
            self.lab.dir, 'disk-%s%s' % (host.key, path.replace('/', '-')))
        subprocess.run(['truncate', '-s', size, image], check=True)
        subprocess.run(['mkfs.ext4', '-q', '-F', '-m', '0', image],
                       check=True, stdin=subprocess.DEVNULL)
        os.makedirs(host.dir + path, exist_ok=True)
        subprocess.run(['mount', '-o', 'loop', image, host.dir + path],
                       check=True)
        os.rmdir(os.path.join(host.dir + path, 'lost+found'))
        self.mounted.append(host.dir + path)

    def umount(self):
        """After the hosts are off."""
        for path in reversed(self.mounted):
            subprocess.run(['umount', path], check=False)
        self.mounted = []

    # -- full ------------------------------------------------------------

    def fill(self, key, path):
        """Not a byte is left on that disk; empty() gives it back."""
        with open(self._ballast(key, path), 'wb', buffering=0) as f:
            found = os.fstatvfs(f.fileno())
            size = max(0, found.f_bavail * found.f_bsize - (2 << 20))
            if size:
                os.posix_fallocate(f.fileno(), 0, size)
            f.seek(size)
            for part in (1 << 16, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        f.write(b'\0' * part)

    def empty(self, key, path):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._ballast(key, path))

    def _ballast(self, key, path):
        return os.path.join(self.lab.host[key].dir + path, 'ballast')
