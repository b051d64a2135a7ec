"""scripts/chaos: rounds of faults for so many minutes, or disturbances."""

import argparse
import os
import sys
import tempfile

from lab import exit_on_term, gc

from .kinds import possible
from .run import Chaos


def arguments():
    parser = argparse.ArgumentParser(prog='chaos', description=__doc__)
    parser.add_argument('--minutes', type=float, default=None)
    parser.add_argument('--rounds', type=int, default=None,
                        help='no more than so many')
    parser.add_argument('--takeovers', type=int, default=None,
                        help='end after so many')
    parser.add_argument('--seed', default='1')
    parser.add_argument('--first', type=int, default=1,
                        help='the round to begin with')
    parser.add_argument('--layout', choices=['stable', 'repoint'],
                        default='repoint')
    parser.add_argument('--register', choices=['arbiter', 'etcd', 'none'],
                        default='arbiter', help='none: two hosts, each with '
                        'a copy; no agent lies then')
    parser.add_argument('--proofs', choices=['lease', 'agent'],
                        default='lease', help='agent: fence agents too, that '
                        'tell the truth, fail, hang or lie, round by round')
    parser.add_argument('--before', metavar='BUILD', help='build directory of '
                        'an earlier version, to which engines go back')
    parser.add_argument('--only', help='KIND[,KIND]: no other faults')
    parser.add_argument('--disturb', type=int, metavar='N',
                        help='N disturbances shorter than half the lease, '
                        'instead of faults')
    parser.add_argument('--logs', help='directory for what failed')
    parser.add_argument('--list', action='store_true',
                        help='print the schedule, and do nothing')
    args = parser.parse_args()
    if args.minutes is None and args.rounds is None and \
            args.disturb is None and args.takeovers is None:
        args.minutes = 10
    if args.before and args.register == 'none':
        parser.error('no engine of before with two lone hosts')
    there = possible(given(args))
    names = args.only.split(',') if args.only else [k.name for k in there]
    unknown = [n for n in names if n not in [k.name for k in there]]
    if unknown:
        parser.error('%s: no such fault with these options; there are %s' % (
            ', '.join(unknown), ', '.join(k.name for k in there)))
    args.kinds = [k for k in there if k.name in names]
    return args


def given(args):
    """What a fault may need."""
    return {args.register} | ({'before'} if args.before else set())


def main():
    args = arguments()
    if args.list:
        from .schedule import rounds, words
        for drawn, _ in zip(rounds(args.seed, args.kinds, args.first),
                            range(args.rounds or 50)):
            print('%4d  %s' % (drawn.number, words(drawn.strikes)))
        return 0
    exit_on_term()
    gc()
    with tempfile.TemporaryDirectory(prefix='hawatch-chaos.') as template:
        os.chmod(template, 0o711)
        if args.disturb is not None:
            from .disturb import disturb
            return disturb(args, template)
        return Chaos(args, template).run()


if __name__ == '__main__':
    sys.exit(main())
