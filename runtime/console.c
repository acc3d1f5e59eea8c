/* SPDX-License-Identifier: MIT
 *
 * The console of a guest that libvirt runs on this machine, on numac's own terminal: QEMU offers it as a pseudo
 * terminal.  It is opened before the guest's CPUs start, so that nothing it says is lost, and shared until it ends.
 */
#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { LOOK_MILLISECONDS = 100, END_MILLISECONDS = 10000, PIECE = 4096 };

/* ---- where it is ------------------------------------------------------------------------------------------------ */

static const char *text_in(struct json_c_object *object, const char *key)
{
    struct json_c_object *value = json_c_member(object, key, json_type_string);
    return value ? json_object_get_string(value) : "";
}

/* libvirt names the first serial line so, and the console of a guest without one. */
static bool is_console(const char *label)
{
    return strcmp(label, "charserial0") == 0 || strcmp(label, "charconsole0") == 0;
}

int console_open(struct monitor *monitor)
{
    g_autofree char *error = NULL;
    struct json_c_object *devices = monitor_ask(monitor, "query-chardev", &error);
    size_t count = json_object_is_type(devices, json_type_array) ? json_object_array_length(devices) : 0;
    int file = -1;
    for (size_t i = 0; i < count && file < 0; i++) {
        struct json_c_object *device = json_object_array_get_idx(devices, i);
        const char *name = text_in(device, "filename");
        if (is_console(text_in(device, "label")) && g_str_has_prefix(name, "pty:/dev/pts/"))
            file = open(name + strlen("pty:"), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    }
    json_object_put(devices);
    return file;
}

/* ---- sharing it ------------------------------------------------------------------------------------------------- */

/* Key by key and without an echo, which is the guest's to give; Ctrl-C stays numac's. */
static bool quieten(struct termios *before)
{
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, before) < 0)
        return false;
    struct termios quiet = *before;
    quiet.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    return tcsetattr(STDIN_FILENO, TCSANOW, &quiet) == 0;
}

static bool put(int file, const char *bytes, ssize_t count)
{
    while (count > 0) {
        struct pollfd ready = { .fd = file, .events = POLLOUT };
        ssize_t done = write(file, bytes, (size_t)count);
        if (done < 0 && (errno != EAGAIN || poll(&ready, 1, LOOK_MILLISECONDS) <= 0))
            return false; /* nobody takes it */
        bytes += MAX(done, 0);
        count -= MAX(done, 0);
    }
    return true;
}

/* False: there is no more to come. */
static bool pass(int from, int to)
{
    char piece[PIECE];
    ssize_t count = read(from, piece, sizeof piece);
    if (count < 0)
        return errno == EAGAIN || errno == EINTR;
    put(to, piece, count);
    return count > 0;
}

static void share(const struct record *record, int console)
{
    struct pollfd watched[] = { { .fd = console, .events = POLLIN },
                                { .fd = console < 0 ? -1 : STDIN_FILENO, .events = POLLIN },
                                { .fd = interrupt_descriptor(), .events = POLLIN } };
    while (!interrupted() && process_is(record->pid, record->pid_start)) {
        if (poll(watched, G_N_ELEMENTS(watched), LOOK_MILLISECONDS) <= 0)
            continue;
        if (watched[0].revents && !pass(console, STDOUT_FILENO))
            watched[0].fd = watched[1].fd = -1;
        if (watched[1].revents && !pass(STDIN_FILENO, console))
            watched[1].fd = -1;
    }
    while (console >= 0 && watched[0].fd >= 0 && poll(watched, 1, 0) > 0 && pass(console, STDOUT_FILENO))
        continue; /* its last words */
}

void console_share(const struct record *record, int console)
{
    struct termios before;
    bool is_quiet = console >= 0 && quieten(&before);
    share(record, console);
    if (is_quiet)
        tcsetattr(STDIN_FILENO, TCSANOW, &before);
    if (!interrupted() || !process_is(record->pid, record->pid_start))
        return;
    kill(record->pid, SIGTERM);
    process_ends(record->pid, record->pid_start, END_MILLISECONDS);
}
