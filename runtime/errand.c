/* SPDX-License-Identifier: MIT
 *
 * Messages as they travel: what it is, how long its text is, the text.
 */
#include "errand.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <glib.h>

enum { MOST_BYTES = 1 << 30 };

struct head {
    uint32_t what, length;
};

static bool send_whole(int socket, const void *bytes, size_t length)
{
    for (const char *at = bytes; length;) {
        ssize_t put = send(socket, at, length, MSG_NOSIGNAL);
        if (put < 0 && errno != EINTR)
            return false;
        at += put > 0 ? put : 0;
        length -= put > 0 ? (size_t)put : 0;
    }
    return true;
}

bool errand_send(int socket, uint32_t what, const char *text)
{
    struct head head = { what, (uint32_t)strlen(text) };
    return send_whole(socket, &head, sizeof head) && send_whole(socket, text, head.length);
}

static bool receive_whole(int socket, void *bytes, size_t length, int stop)
{
    for (char *at = bytes; length;) {
        struct pollfd watched[] = { { .fd = socket, .events = POLLIN }, { .fd = stop, .events = POLLIN } };
        poll(watched, G_N_ELEMENTS(watched), -1);
        if (watched[1].revents)
            return false;
        if (!watched[0].revents)
            continue;
        ssize_t got = recv(socket, at, length, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
            return false;
        at += got > 0 ? got : 0;
        length -= got > 0 ? (size_t)got : 0;
    }
    return true;
}

char *errand_receive(int socket, uint32_t *out_what, int stop)
{
    struct head head;
    if (!receive_whole(socket, &head, sizeof head, stop) || head.length > MOST_BYTES)
        return NULL;
    char *text = g_malloc(head.length + 1);
    text[head.length] = 0;
    *out_what = head.what;
    if (receive_whole(socket, text, head.length, stop))
        return text;
    g_free(text);
    return NULL;
}
