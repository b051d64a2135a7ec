/*
 * Rules of the group files: what is compared is pulled, and by which command.
 */
#include "conf/cross_i.h"

void
cross_files(struct conf_draft *d)
{
	const struct conf_files *files = &d->conf.files;
	bool paths = files->paths[0] != NULL, pull = files->pull[0] != NULL;
	int i;

	for (i = 0; files->paths[i] != NULL; i++)
		if (files->paths[i][0] != '/')
			draft_fault_at(d, "files.paths",
			    "files.paths has %s, which is no full path; write "
			    "one that begins with /",
			    files->paths[i]);
	if (paths && !pull)
		draft_fault_at(d, "files.paths",
		    "files.paths is given without files.pull; write the "
		    "command that copies them from the primary: pull = [ "
		    "\"/full/path\", \"argument\" ];");
	if (!paths && pull)
		draft_fault_at(d, "files.pull",
		    "files.pull is given without files.paths; write the "
		    "directories that it copies: paths = [ \"/full/path\" ];");
}
