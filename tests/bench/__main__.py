import argparse
import os
import platform
import sys
import tempfile
import time

from lab import exit_on_term

from . import cost, outage, web


def surroundings(register):
    with open('/proc/loadavg') as f:
        load = f.read().split()[:3]
    print('%s, %d CPUs, load %s; %s' % (
        platform.platform(), os.cpu_count(), ' '.join(load),
        time.strftime('%Y-%m-%d %H:%M')))
    print('T = 2 s; PostgreSQL and all hosts of the lab on this machine; '
          'register: %s' % register)
    print('vote client: hosts s1, s2 in this order, 4 connections, a vote '
          'every 10 ms each,\n  retry after 5 ms, 250 ms for each connect '
          'and each vote; outage: first acknowledged\n  vote after the fault '
          'minus last one before')
    print('stock: libpq, one connection, connect_timeout=2, '
          'tcp_user_timeout=1000,\n  target_session_attrs=read-write')


def main():
    parser = argparse.ArgumentParser(prog='bench')
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--only', help='rows whose name contains this; '
                        '"cost" for memory, CPU and the health endpoint')
    parser.add_argument('--part', choices=('database', 'http', 'cost'),
                        help='the outage at the database, that of a whole '
                        'site, or what the daemon costs; without it, all')
    parser.add_argument('--commands', choices=('native', 'repmgr'),
                        default='native', help='whose commands promote, for '
                        'the outage at the database')
    parser.add_argument('--register', choices=('arbiter', 'etcd'),
                        default='arbiter', help='where the record is kept, '
                        'for both outages: by the witness, or in three members '
                        'of etcd, on s1, s2 and a1; the limits are the same')
    args = parser.parse_args()
    exit_on_term()
    start = time.monotonic()

    def say(text):
        print('[%4d s] %s' % (time.monotonic() - start, text), flush=True)

    surroundings(args.register)
    good = True
    rows = [r for r in outage.ROWS if not args.only or args.only in r.name]
    # A site's pair has the applications' databases, too.
    with tempfile.TemporaryDirectory(prefix='hawatch-pair.') as template, \
            tempfile.TemporaryDirectory(prefix='hawatch-pair.') as whole:
        if rows and args.part in (None, 'database'):
            table = outage.measure(rows, args.runs, template, say,
                                   commands=args.commands,
                                   register=args.register)
            good = outage.print_table(table)
        if rows and args.part in (None, 'http'):
            table = web.measure(rows, args.runs, whole, say,
                                register=args.register)
            good = web.print_table(table) and good
        if args.only == 'cost' or args.part == 'cost' or not (
                args.only or args.part):
            good = cost.measure(template, whole, say) and good
    print('load at the end: %.2f' % os.getloadavg()[0])
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
