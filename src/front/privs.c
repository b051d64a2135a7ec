/*
 * Giving up what the front does not need, before it reads its first byte from
 * the network: root, capabilities, groups, new programs, new processes, files.
 */
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "front/front.h"

/* The sanitizers reserve terabytes. */
#if defined(__SANITIZE_ADDRESS__)
#define PRIVS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PRIVS_SANITIZER 1
#endif
#endif
#ifdef PRIVS_SANITIZER
#define PRIVS_DATA RLIM_INFINITY

/* Looking for leaks needs a process and a trace: two rights given up here. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#else
#define PRIVS_DATA ((rlim_t)256 * 1024 * 1024)
#endif

static int
privs_limits(int files, struct error *err)
{
	const struct {
		__rlimit_resource_t what;
		rlim_t max;
	} table[] = {
		{ RLIMIT_NOFILE, (rlim_t)files },
		{ RLIMIT_NPROC, 0 },
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_FSIZE, 0 },
		{ RLIMIT_DATA, PRIVS_DATA },
	};
	struct rlimit lim;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		lim.rlim_cur = lim.rlim_max = table[i].max;
		if (setrlimit(table[i].what, &lim) == -1)
			return error_sys(err, "limit %d", (int)table[i].what);
	}
	return 0;
}

static int
privs_user(uid_t uid, gid_t gid, struct error *err)
{
	int cap;

	if (geteuid() != 0)
		return 0;
	if (uid == 0 || gid == 0)
		return error_set(err, ERR_REFUSED,
		    "the network is not served as root; name another user");
	/* While there is the right to: what an executable could regain. */
	for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		(void)prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	if (setgroups(0, NULL) == -1)
		return error_sys(err, "setgroups");
	if (setresgid(gid, gid, gid) == -1)
		return error_sys(err, "setresgid %d", (int)gid);
	if (setresuid(uid, uid, uid) == -1)
		return error_sys(err, "setresuid %d", (int)uid);
	if (setuid(0) != -1 || geteuid() != uid)
		return error_set(err, ERR_REFUSED, "root came back");
	return 0;
}

int
privs_drop(uid_t uid, gid_t gid, int files, struct error *err)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = { { 0 } };

	if (chdir("/") == -1)
		return error_sys(err, "chdir /");
	if (privs_limits(files, err) == -1 || privs_user(uid, gid, err) == -1)
		return -1;
	if (syscall(SYS_capset, &head, none) == -1)
		return error_sys(err, "capset");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return error_sys(err, "no_new_privs");
	/* After the change of user, which forgets it. If the engine died
	 * before this line, the end of the link says so. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
		return error_sys(err, "pdeathsig");
	return 0;
}
