/*
 * The processes and files of the local PostgreSQL instance, seen from outside:
 * its postmaster (watched by pidfd), every process that works in its data
 * directory (by device and inode of /proc/PID/cwd, never by path text), and
 * what "armed" asks of its sockets. Nothing here waits.
 */
#ifndef HAWATCH_INSTANCE_H
#define HAWATCH_INSTANCE_H

#include <sys/types.h>

#include "hawatch/error.h"
#include "hawatch/types.h"

struct conf_postgres;

/* Pids of every live process (zombies are not) of the instance whose data
 * directory this is; at most max. Returns how many there are, -1 on error. */
int instance_scan(const char *data_directory, pid_t *pids, int max,
    struct error *err) MUST_CHECK;
/* The postmaster's pid by postmaster.pid, checked to be alive and of this
 * directory; 0 none, -1 not known. */
pid_t instance_postmaster(const char *data_directory, struct error *err);
int instance_pidfd(pid_t pid); /* readable when it has ended; -1 */
enum answer instance_signal_file(const char *data_directory);

/* Armed, as far as files and sockets can tell: socket directory reachable by
 * its user and root only, postmaster in our network namespace and listening on
 * no other port, gate installed. Unknown or no: err says what to do. */
enum answer instance_armed(const struct conf_postgres *pg, struct error *err);

/* No: a repmgrd with failover = automatic runs here for this data directory;
 * err says what to do. */
enum answer instance_repmgrd(const char *data_directory, struct error *err);

#endif
