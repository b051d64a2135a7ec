/*
 * Two lines: which file this is (device, inode, the inode's birth, machine id),
 * and the register. A copy of it is another file, on this machine or on
 * another, and shows itself by the first line. The number of the inode alone
 * would not do: ext4 gives a number again as soon as it is free. The birth is
 * set by nobody; where a file system does not tell it, every file is a copy.
 */
#include "engine/arbiter_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/crash.h"
#include "engine/wire.h"
#include "hawatch/file.h"
#include "hawatch/json.h"
#include "hawatch/loop.h"
#include "hawatch/mem.h"
#include "hawatch/str.h"

#define FILE_MAX 65536
#define ORIGIN "hawatch-register-2 %" SCNuMAX " %" SCNuMAX " %" SCNdMAX " %64s"
#define ORIGIN_OLD "hawatch-register-1 "
#define ORIGIN_WRITE "hawatch-register-2 %ju %ju %jd %s\n"

struct which {
	uintmax_t dev, ino;
	intmax_t birth; /* ns; 0 not told */
};

static void
machine_id(char out[65])
{
	struct error err;
	char *text = file_read("/etc/machine-id", 256, NULL, &err);

	if (text != NULL)
		text[strcspn(text, "\n")] = '\0';
	str_cut(out, 65, text == NULL || text[0] == '\0' ? "none" : text);
	free(text);
}

static int
which_file(int dir, const char *path, int flags, struct which *w)
{
	struct statx st;

	if (statx(dir, path, flags, STATX_INO | STATX_BTIME, &st) != 0)
		return -1;
	w->dev = (uintmax_t)st.stx_dev_major << 32 | st.stx_dev_minor;
	w->ino = st.stx_ino;
	w->birth = (st.stx_mask & STATX_BTIME) == 0 ?
		       0 :
		       st.stx_btime.tv_sec * INTMAX_C(1000000000) +
			   st.stx_btime.tv_nsec;
	return 0;
}

/* Is the file that is now the one that its first line tells of? */
static int
which_same(const char *text, const struct which *now, bool *same)
{
	char machine[65], wrote[65];
	struct which then;

	*same = false;
	if (str_starts(text, ORIGIN_OLD))
		return 0;
	/* NOLINTNEXTLINE(cert-err34-c): too great a number is another one */
	if (sscanf(text, ORIGIN, &then.dev, &then.ino, &then.birth, wrote) != 4)
		return -1;
	machine_id(machine);
	*same = then.dev == now->dev && then.ino == now->ino &&
		then.birth == now->birth && now->birth != 0 &&
		strcmp(machine, wrote) == 0;
	return 0;
}

char *
arbiter_file_str(const struct arbiter *a, const struct names *names)
{
	char *value = wire_value_str(&a->value, names), *text;
	json_t *obj = json_object();

	json_put_string(obj, "value", value);
	wire_put_set(obj, "ahead", a->ahead, names);
	json_put_i64(obj, "written_at_us", a->written_at);
	text = json_take_text(obj);
	free(value);
	return text;
}

/* A number is of before, by the order of the nodes then: whoever it was, the
 * register has to stay cold. */
static int
want_ahead(const json_t *obj, const struct names *names, nodeset_t *ahead,
    struct error *err)
{
	const json_t *value = json_object_get(obj, "ahead");

	if (!json_is_integer(value))
		return wire_want_set(obj, "ahead", ahead, names, err);
	*ahead = json_integer_value(value) == 0 ? 0 : NODE_BIT(0);
	return 0;
}

static int
arbiter_file_parse(const char *text, const struct names *names,
    struct arbiter *a, struct error *err)
{
	json_t *obj = json_read(text, strlen(text), err);
	char *value = xcalloc(1, FILE_MAX);
	int rc = -1;

	if (obj != NULL &&
	    json_want_string(obj, "value", value, FILE_MAX, err) == 0 &&
	    want_ahead(obj, names, &a->ahead, err) == 0 &&
	    json_want_i64(
		obj, "written_at_us", 0, INT64_MAX, &a->written_at, err) == 0 &&
	    wire_value_parse(&a->value, value, strlen(value), names, err) == 0)
		rc = 0;
	free(value);
	json_decref(obj);
	return rc;
}

int
arbiter_file_load(const char *path, const struct names *names,
    struct arbiter *a, struct arbiter_origin *origin, struct error *err)
{
	struct which now;
	char *text, *line;
	int rc = -1;

	memset(a, 0, sizeof(*a));
	memset(origin, 0, sizeof(*origin));
	origin->wall = clock_now().wall;
	if (which_file(AT_FDCWD, path, 0, &now) != 0)
		return errno == ENOENT ? 0 : error_sys(err, "stat %s", path);
	text = file_read(path, FILE_MAX, NULL, err);
	if (text == NULL)
		return -1;
	line = strchr(text, '\n');
	if (line == NULL || which_same(text, &now, &origin->same_file) == -1) {
		error_set(err, ERR_PROTOCOL,
		    "%s is not a register; if it "
		    "cannot be restored, move it away and restart: the data "
		    "nodes report what they know",
		    path);
		goto out;
	}
	origin->found = true;
	if (arbiter_file_parse(line + 1, names, a, err) != 0) {
		error_wrap(err, "%s", path);
		goto out;
	}
	rc = 0;
out:
	free(text);
	return rc;
}

int
arbiter_file_save(const char *path, const char *text, struct error *err)
{
	char tmp[PATH_MAX], machine[65], head[192];
	struct which which;
	int fd, n;

	n = snprintf(tmp, sizeof(tmp), "%s.new", path);
	if (n < 0 || n >= (int)sizeof(tmp))
		return error_set(err, ERR_LIMIT, "path too long");
	unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_sys(err, "create %s", tmp);
	machine_id(machine);
	if (which_file(fd, "", AT_EMPTY_PATH, &which) != 0)
		goto fail;
	n = snprintf(head, sizeof(head), ORIGIN_WRITE, which.dev, which.ino,
	    which.birth, machine);
	if (file_write(fd, head, (size_t)n) != 0 ||
	    file_write(fd, text, strlen(text)) != 0)
		goto fail;
	crash_point("fsync-before");
	if (fsync(fd) != 0) {
		error_sys(err, "fsync %s", tmp);
		err->code = ERR_FSYNC;
		close(fd);
		return -1;
	}
	close(fd);
	if (rename(tmp, path) != 0) {
		error_sys(err, "rename to %s", path);
		unlink(tmp);
		return -1;
	}
	if (file_sync_dir(path, err) != 0) {
		err->code = ERR_FSYNC;
		return -1;
	}
	crash_point("fsync-after");
	return 0;
fail:
	error_sys(err, "write %s", tmp);
	close(fd);
	unlink(tmp);
	return -1;
}
