/* SPDX-License-Identifier: MIT
 *
 * Signals made visible to whoever waits.
 */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t came;
static int ends[2] = { -1, -1 };

static void note(int number)
{
    if (came) { /* asked twice: leave it to the next command to clean up */
        signal(number, SIG_DFL);
        raise(number);
        _exit(128 + number);
    }
    came = number;
    int before = errno;
    if (write(ends[1], "", 1) < 0) { /* full: it can be read from all the same */
    }
    errno = before;
}

void interrupt_watch(void)
{
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        bug("no pipe for signals");
    struct sigaction action = { .sa_handler = note, .sa_flags = SA_RESTART | SA_NODEFER };
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

bool interrupted(void)
{
    return came != 0;
}

int interrupt_signal(void)
{
    return came;
}

int interrupt_descriptor(void)
{
    return ends[0];
}

bool pause_unless_interrupted(int milliseconds)
{
    struct pollfd watched = { .fd = ends[0], .events = POLLIN };
    poll(&watched, 1, milliseconds);
    return !came;
}
