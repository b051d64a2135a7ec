/*
 * The control file and the end of the last checkpoint. The file is read by
 * PostgreSQL's own pg_controldata, which knows its version's layout and checks
 * its CRC. The length of the checkpoint's record is taken from the record, so
 * that it does not depend on the version either.
 *
 * What this rests on, in every version since 9.5: the header of a record (24
 * bytes: length, transaction, previous record, flags, resource manager, CRC);
 * after it 255 and one byte with the length of its data, a struct CheckPoint,
 * of which the first member is the position from where to redo, which in a
 * shutdown's checkpoint is the record's own; the headers of pages, 24 bytes, 40
 * in the first page of a file. All but the last are compared with what is
 * found, so that a format that is another is an error, and not another end.
 */
#include "act/pg_control.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hawatch/str.h"

#define PAGE_HEADER 24
#define PAGE_HEADER_FIRST 40
#define RECORD_HEADER 24
#define RECORD_KIND 16	      /* offset of the byte with the record's kind */
#define RECORD_MANAGER 17     /* of its resource manager */
#define RECORD_KIND_MASK 0xF0 /* the rest are flags */
#define DATA_SHORT 255
#define RECORD_READ (RECORD_HEADER + 2 + 8) /* as far as it is looked at */

/* The value of that line, without its blanks; NULL when there is none. */
static const char *
control_line(const char *text, const char *label, char *buf, size_t size)
{
	size_t len = strlen(label);

	while (text != NULL && strncmp(text, label, len) != 0) {
		text = strchr(text, '\n');
		if (text != NULL)
			text++;
	}
	if (text == NULL)
		return NULL;
	text += len;
	text += strspn(text, " ");
	len = strcspn(text, "\n");
	if (len >= size)
		return NULL;
	memcpy(buf, text, len);
	buf[len] = '\0';
	return buf;
}

static int
control_lsn(const char *text, const char *label, lsn_t *lsn)
{
	char buf[64];
	const char *value = control_line(text, label, buf, sizeof(buf));

	return value == NULL ? -1 : lsn_parse(value, lsn);
}

static int
control_number(const char *text, const char *label, int min, uint32_t *out)
{
	char buf[64];
	const char *value = control_line(text, label, buf, sizeof(buf));
	int number;

	if (value == NULL || str_parse_int(value, min, INT_MAX, &number) == -1)
		return -1;
	*out = (uint32_t)number;
	return 0;
}

static bool
control_power(uint32_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/* What only a comparison needs, and says nothing where it is missing. */
static void
control_rest(struct pg_control *ctl, const char *text)
{
	char buf[64];
	const char *value;

	value =
	    control_line(text, "Database system identifier:", buf, sizeof(buf));
	if (value == NULL || str_parse_u64(value, &ctl->system_id) == -1)
		ctl->system_id = 0;
	if (control_number(text, "Min recovery ending loc's timeline:", 0,
		&ctl->recovered) == -1)
		ctl->recovered = 0;
	value = control_line(text, "wal_log_hints setting:", buf, sizeof(buf));
	ctl->hints = value != NULL && strcmp(value, "on") == 0;
	value =
	    control_line(text, "Data page checksum version:", buf, sizeof(buf));
	ctl->hints = ctl->hints || (value != NULL && strcmp(value, "0") != 0);
}

int
pg_control_parse(struct pg_control *ctl, const char *text, struct error *err)
{
	const char *state;
	char buf[64];

	memset(ctl, 0, sizeof(*ctl));
	/* It warns of a CRC that is wrong, and prints what there is. */
	if (strstr(text, "WARNING") != NULL)
		return error_set(err, ERR_PROTOCOL,
		    "pg_controldata does not trust the control file");
	state = control_line(text, "Database cluster state:", buf, sizeof(buf));
	if (state == NULL ||
	    control_lsn(
		text, "Latest checkpoint location:", &ctl->checkpoint) == -1 ||
	    control_lsn(
		text, "Latest checkpoint's REDO location:", &ctl->redo) == -1 ||
	    control_number(text, "Latest checkpoint's TimeLineID:", 1,
		&ctl->timeline) == -1 ||
	    control_number(text, "WAL block size:", 1024, &ctl->block) == -1 ||
	    control_number(
		text, "Bytes per WAL segment:", 1024, &ctl->segment) == -1 ||
	    !control_power(ctl->block) || !control_power(ctl->segment) ||
	    ctl->segment < ctl->block)
		return error_set(err, ERR_PROTOCOL,
		    "pg_controldata does not say what it should");
	ctl->clean = strcmp(state, "shut down") == 0;
	ctl->ended = ctl->clean || strcmp(state, "shut down in recovery") == 0;
	control_rest(ctl, text);
	return 0;
}

/* Where on its page what is not a header begins. */
static uint32_t
control_header(const struct pg_control *ctl, lsn_t lsn)
{
	return lsn % ctl->segment < ctl->block ? PAGE_HEADER_FIRST :
						 PAGE_HEADER;
}

lsn_t
pg_control_end(const struct pg_control *ctl, lsn_t lsn, uint32_t bytes)
{
	uint32_t room;

	while (bytes > 0) {
		if (lsn % ctl->block == 0)
			lsn += control_header(ctl, lsn);
		room = ctl->block - (uint32_t)(lsn % ctl->block);
		if (room > bytes)
			room = bytes;
		lsn += room;
		bytes -= room;
	}
	return lsn;
}

/* Some bytes of one file of the WAL. */
static int
control_read(const struct pg_control *ctl, const char *dir, lsn_t lsn,
    void *buf, size_t len, struct error *err)
{
	uint64_t number = lsn / ctl->segment;
	uint64_t each = UINT64_C(0x100000000) / ctl->segment;
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	if (snprintf(path, sizeof(path), "%s/pg_wal/%08X%08X%08X", dir,
		ctl->timeline, (uint32_t)(number / each),
		(uint32_t)(number % each)) >= (int)sizeof(path))
		return error_set(err, ERR_LIMIT, "%s: too long a path", dir);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return error_sys(err, "open %s", path);
	n = pread(fd, buf, len, (off_t)(lsn % ctl->segment));
	if (n == -1)
		error_sys(err, "read %s", path);
	else if ((size_t)n != len)
		error_set(err, ERR_PROTOCOL, "%s ends too early", path);
	close(fd);
	return n == (ssize_t)len ? 0 : -1;
}

int
pg_control_record(const struct pg_control *ctl, const char *data_directory,
    lsn_t *end, struct error *err)
{
	unsigned char rec[RECORD_READ] = { 0 };
	lsn_t lsn = ctl->checkpoint;
	uint32_t len, room, n = 0;
	uint64_t redo;

	while (n < sizeof(rec)) {
		if (lsn % ctl->block == 0)
			lsn += control_header(ctl, lsn);
		room = ctl->block - (uint32_t)(lsn % ctl->block);
		if (room > sizeof(rec) - n)
			room = (uint32_t)sizeof(rec) - n;
		if (control_read(
			ctl, data_directory, lsn, rec + n, room, err) == -1)
			return -1;
		n += room;
		lsn += room;
	}
	memcpy(&len, rec, sizeof(len));
	memcpy(&redo, rec + RECORD_HEADER + 2, sizeof(redo));
	/* Both are 0: the WAL's own records, a checkpoint by a shutdown. */
	if (rec[RECORD_MANAGER] != 0 ||
	    (rec[RECORD_KIND] & RECORD_KIND_MASK) != 0 ||
	    rec[RECORD_HEADER] != DATA_SHORT ||
	    len != RECORD_HEADER + 2 + (uint32_t)rec[RECORD_HEADER + 1] ||
	    redo != ctl->checkpoint || redo != ctl->redo)
		return error_set(err, ERR_PROTOCOL,
		    "the WAL has no checkpoint of a shutdown where "
		    "the control file says");
	*end = pg_control_end(ctl, ctl->checkpoint, len);
	return 0;
}
