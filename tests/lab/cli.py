"""labctl: a lab from the shell, that stays up until it is told to go."""

import argparse
import os
import signal
import sys

from . import lab as labmod
from .wait import exit_on_term


def up(args):
    lab = labmod.Lab(detached=True).up()
    try:
        if not args.bare:
            lab.build_pair()
    except BaseException:
        lab.down()
        raise
    print(lab.id)
    return 0


def down(args):
    labmod.Lab.attach(args.lab).down()
    return 0


def execute(args):
    """Its place is the command's, so that the terminal and its ^C are, too."""
    host = labmod.Lab.attach(args.lab).host[args.host]
    term = {'TERM': os.environ['TERM']} if 'TERM' in os.environ else None
    words, env = host._enter(args.command or ['bash'], args.user, term)
    # What Python ignores would stay so.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execvpe(words[0], words, env)


def status(args):
    for lab_id in [args.lab] if args.lab else labmod.labs():
        lab = labmod.Lab.attach(lab_id)
        print('%s  %s' % (lab_id, lab.dir))
        for key, host in lab.host.items():
            names = sorted({c for c, _ in host.processes().values()}) \
                if host.up else []
            print('  %-7s %-8s %-12s %s' % (
                key, host.name, host.address,
                ('up: ' + ' '.join(names)) if host.up else 'off'))
    return 0


def collect(args):
    for lab_id in labmod.gc():
        print('removed', lab_id)
    return 0


def main():
    parser = argparse.ArgumentParser(prog='labctl', description=__doc__)
    verbs = parser.add_subparsers(dest='verb', required=True)
    p = verbs.add_parser('up', help='a new lab; prints its id')
    p.add_argument('--bare', action='store_true',
                   help='hosts only, no PostgreSQL')
    p.set_defaults(run=up)
    p = verbs.add_parser('down', help='ends a lab and removes its files')
    p.add_argument('lab')
    p.set_defaults(run=down)
    p = verbs.add_parser('exec', help='runs a command on a host')
    p.add_argument('-u', '--user')
    p.add_argument('lab')
    p.add_argument('host', choices=[h[0] for h in labmod.HOSTS])
    p.add_argument('command', nargs=argparse.REMAINDER)
    p.set_defaults(run=execute)
    p = verbs.add_parser('status', help='what runs in one lab, or in all')
    p.add_argument('lab', nargs='?')
    p.set_defaults(run=status)
    p = verbs.add_parser('gc', help='removes labs whose creator died')
    p.set_defaults(run=collect)
    args = parser.parse_args()
    exit_on_term()
    try:
        return args.run(args)
    except (OSError, RuntimeError) as e:
        print('labctl:', e, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
