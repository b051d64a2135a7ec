"""One host: network, mount, PID, UTS and IPC namespace under an init.

Files that are the host's own live in the lab's directory and are mounted at
the paths of a deployed system. The init is this host's power: killing it ends
every process of the host at once.
"""

import os
import select
import shlex
import shutil
import signal
import subprocess
import time

ENV = {
    'PATH': '/usr/sbin:/usr/bin:/sbin:/bin',
    'LC_ALL': 'C.UTF-8',
    'HOME': '/root',
    'TZ': 'UTC',
}
# Directories of a host that keep their content over a reboot.
KEPT = ('/var/lib/hawatch', '/var/lib/postgresql', '/var/log/postgresql')
# Where the programs that are tested lie, before the machine's own.
PROGRAMS = ('/usr/sbin', '/usr/bin')


class Host:
    def __init__(self, lab, key, name, address, number):
        self.lab = lab
        self.key = key          # s1
        self.name = name        # prod-s1
        self.address = address
        self.number = number
        self.dir = os.path.join(lab.dir, key)
        self.outer = None       # unshare, the init's parent
        self.pid = None         # the init, as the machine sees it
        self.pidns = None
        self.tmpfs = {}         # path: size, mounted at every boot
        self.writable = ['/etc', '/var/lib']    # over the machine's own
        self.services = []      # called with the host at the end of a boot

    # -- power -----------------------------------------------------------

    def make_dirs(self):
        for path in KEPT:
            os.makedirs(self.dir + path, exist_ok=True)
        for path in self.writable:
            for part in self._layers(path):
                os.makedirs(part, exist_ok=True)
        os.chmod(self.dir, 0o711)
        for path in ('/var/lib/postgresql', '/var/log/postgresql'):
            shutil.chown(self.dir + path, 'postgres', 'postgres')

    def _layers(self, path):
        """Where a writable directory of this host keeps what differs."""
        upper = self.dir + '/over' + path
        return upper, upper + '.work'

    def _overlay(self, path):
        words = []
        if path in PROGRAMS:
            words = [self.lab.programs]
        options = 'lowerdir=' + ':'.join(words + [path])
        if path in self.writable:
            options += ',upperdir=%s,workdir=%s' % self._layers(path)
        return 'mount -t overlay -o %s overlay %s' % (
            shlex.quote(options), path)

    def _script(self):
        d = shlex.quote(self.dir)
        lines = [
            'set -e',
            'mount -t tmpfs -o mode=755 tmpfs /run',
            'mkdir -p /run/lock && chmod 1777 /run/lock',
            'mount -t tmpfs -o mode=1777 tmpfs /dev/shm',
            'mount -t sysfs sysfs /sys',
        ]
        for path in self.writable:
            lines.append(self._overlay(path))
        lines += [
            'mount -t tmpfs -o mode=755 tmpfs /var/log',
            'mkdir -p /var/lib/hawatch /var/lib/postgresql '
            '/var/log/postgresql',
        ]
        for path in KEPT:
            lines.append('mount --bind %s%s %s' % (d, path, path))
        for path, size in self.tmpfs.items():
            lines.append('mount -t tmpfs -o size=%s,mode=755 tmpfs %s'
                         % (size, path))
        for path in PROGRAMS:
            if path not in self.writable:
                lines.append(self._overlay(path))
        lines += [
            'hostname %s' % self.name,
            'ip link set lo up',
            'install -d -m 0700 -o postgres -g postgres /run/postgresql',
            'exec %s' % shlex.quote(self.lab.tool('lab-init')),
        ]
        return '\n'.join(lines)

    def power_on(self):
        """Namespaces, mounts, init; no cable yet. Call it from the thread
        that lives as long as the lab: the host dies with its creator."""
        assert self.pid is None
        argv = ['unshare', '--net', '--mount', '--pid', '--uts', '--ipc',
                '--fork', '--kill-child=SIGKILL', '--mount-proc',
                'sh', '-c', self._script()]
        if not self.lab.detached:
            argv = ['setpriv', '--pdeathsig', 'KILL'] + argv
        with open(os.path.join(self.dir, 'console'), 'ab') as console:
            proc = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=console, env=ENV, cwd='/', start_new_session=True)
        self.outer = proc
        line = proc.stdout.readline()
        proc.stdout.close()
        if line != b'ready\n':
            self.power_off()
            with open(os.path.join(self.dir, 'console')) as f:
                raise RuntimeError('%s does not boot: %s' % (
                    self.key, f.read()[-500:]))
        with open('/proc/%d/task/%d/children' % (proc.pid, proc.pid)) as f:
            self.pid = int(f.read().split()[0])
        self.pidns = os.stat('/proc/%d/ns/pid' % self.pid).st_ino

    def power_off(self):
        """Ends every process at once, as a power cut does."""
        if self.pid is not None:
            pidfd = _pidfd(self.pid)
            if pidfd is not None:
                try:
                    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
                    select.select([pidfd], [], [], 20)
                except ProcessLookupError:
                    pass
                os.close(pidfd)
        if self.outer is not None:
            self.outer.kill()
            self.outer.wait()
        self.pid = self.outer = self.pidns = None

    @property
    def up(self):
        return self.pid is not None

    # -- processes -------------------------------------------------------

    def _enter(self, argv, user, env):
        assert self.pid is not None, self.key + ' is off'
        words = ['nsenter', '--target', str(self.pid), '--net', '--mount',
                 '--pid', '--uts', '--ipc', '--wd=/', '--']
        if user:
            words += ['setpriv', '--reuid', user, '--regid', user,
                      '--init-groups', '--']
        full = dict(ENV)
        if user:
            full['HOME'] = '/var/lib/postgresql'
        full.update(env or {})
        return words + list(argv), full

    def run(self, argv, user=None, env=None, timeout=60, check=True,
            input=None):
        """Runs argv on this host; returns the finished process, text mode."""
        words, env = self._enter(argv, user, env)
        done = subprocess.run(words, env=env, input=input, text=True,
                              stdin=None if input is not None
                              else subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=timeout)
        if check and done.returncode != 0:
            raise RuntimeError('%s: %s: exit %d\n%s%s' % (
                self.key, shlex.join(argv), done.returncode, done.stdout,
                done.stderr))
        return done

    def popen(self, argv, user=None, env=None, **kw):
        words, env = self._enter(argv, user, env)
        return subprocess.Popen(words, env=env, **kw)

    def spawn(self, argv, log, user=None, env=None):
        """Starts a daemon as a child of the host's init, output to log."""
        with open(log, 'ab') as out:
            words, env = self._enter(['setsid', '--fork'] + list(argv), user,
                                     env)
            subprocess.run(words, env=env, stdin=subprocess.DEVNULL,
                           stdout=out, stderr=out, check=True, timeout=20)

    def processes(self):
        """{pid: (command name, command line)} of this host, init left out."""
        found = {}
        for entry in os.listdir('/proc'):
            if not entry.isdigit() or int(entry) == self.pid:
                continue
            try:
                if os.stat('/proc/%s/ns/pid' % entry).st_ino != self.pidns:
                    continue
                with open('/proc/%s/comm' % entry) as f:
                    comm = f.read().strip()
                with open('/proc/%s/cmdline' % entry) as f:
                    line = f.read().replace('\0', ' ').strip()
            except OSError:
                continue
            if line:            # a zombie has none
                found[int(entry)] = (comm, line)
        return found

    def pids(self, comm):
        """Of the processes with this name, as the machine numbers them."""
        return sorted(p for p, (c, _) in self.processes().items()
                      if c == comm[:15])

    def kill(self, pids, sig=signal.SIGKILL):
        for pid in pids:
            try:
                os.kill(pid, sig)
            except ProcessLookupError:
                pass

    def stop_all(self):
        """SIGSTOP to every process, until none runs that was not told."""
        done = set()
        while True:
            new = set(self.processes()) - done
            if not new:
                return
            self.kill(new, signal.SIGSTOP)
            done |= new

    def continue_all(self):
        self.kill(self.processes(), signal.SIGCONT)

    # -- files -----------------------------------------------------------

    def path(self, path):
        """A path of this host, as the machine reaches it."""
        if self.up:
            return '/proc/%d/root%s' % (self.pid, path)
        for top in self.writable:
            if path.startswith(top + '/') and not path.startswith(KEPT):
                return self._layers(top)[0] + path[len(top):]
        return self.dir + path

    def write(self, path, text, mode=0o644, owner=None):
        full = self.path(path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, 'w') as f:
            f.write(text)
        os.chmod(full, mode)
        if owner:
            shutil.chown(full, owner, owner)

    def read(self, path):
        with open(self.path(path)) as f:
            return f.read()

    def fill(self, path):
        """Uses up what is left of the file system of path; returns the file
        that does it."""
        ballast = os.path.join(self.path(path), 'ballast')
        with open(ballast, 'wb', buffering=0) as f:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        f.write(b'\0' * size)
                except OSError:
                    continue
        return ballast


def _pidfd(pid):
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        return None


def wait_gone(pids, deadline=10.0):
    """Waits until these processes have ended; zombies count as ended."""
    end = time.monotonic() + deadline
    for pid in pids:
        fd = _pidfd(pid)
        if fd is None:
            continue
        left = max(0, end - time.monotonic())
        gone = select.select([fd], [], [], left)[0]
        os.close(fd)
        if not gone:
            raise AssertionError('pid %d lives on' % pid)
