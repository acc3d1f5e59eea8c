/* SPDX-License-Identifier: MIT
 *
 * Writes whole texts to standard streams and knows whether they may hold colour.
 */
#include "streams.h"

#include <errno.h>
#include <signal.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void streams_secure(void)
{
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error to tell, as a full disk is */
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++)
        if (fcntl(stream, F_GETFD) < 0 && errno == EBADF) {
            int wrong_way = stream == STDIN_FILENO ? O_WRONLY : O_RDONLY;
            if (open("/dev/null", wrong_way) != stream)
                _exit(70); /* nothing could be said either */
        }
}

bool stream_write(int stream, const char *text, size_t length)
{
    while (length) {
        ssize_t written = write(stream, text, length);
        if (written >= 0) {
            text += written;
            length -= (size_t)written;
        } else if (errno == EAGAIN) { /* somebody made the stream we share non-blocking */
            struct pollfd room = { .fd = stream, .events = POLLOUT };
            poll(&room, 1, -1);
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

bool stream_wants_colour(int stream, enum colour_choice choice)
{
    switch (choice) {
    case COLOUR_ALWAYS:
        return true;
    case COLOUR_NEVER:
        return false;
    case COLOUR_AUTO:
        break;
    }
    if (is_set("NO_COLOR"))
        return false;
    if (is_set("CLICOLOR_FORCE") && strcmp(getenv("CLICOLOR_FORCE"), "0") != 0)
        return true;
    return isatty(stream) && is_set("TERM") && strcmp(getenv("TERM"), "dumb") != 0;
}
