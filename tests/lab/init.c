/*
 * PID 1 of a lab host: says that it is there, then reaps whatever ends, at
 * once, so that no zombie makes a dead process look alive. It starts nothing
 * and never ends by itself: killing it is how a host loses its power.
 */
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int
main(void)
{
	sigset_t set;
	int null;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		return EXIT_FAILURE;
	if (write(STDOUT_FILENO, "ready\n", 6) != 6)
		return EXIT_FAILURE;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null == -1 || dup2(null, STDOUT_FILENO) == -1 ||
	    dup2(null, STDIN_FILENO) == -1)
		return EXIT_FAILURE;
	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		sigwaitinfo(&set, NULL);
	}
}
