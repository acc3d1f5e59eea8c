/* SPDX-License-Identifier: MIT
 *
 * numac-agent's end of the socket: it waits, and can be interrupted.
 */
#include "libvirt_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"

#define PROGRAM "numac-libvirt"

struct libvirt_child {
    pid_t pid;
    int process; /* can be read from once it has ended; -1: the kernel has no such thing */
    int socket;  /* -1: told to end */
};

/* Beside the program, as it is built and where it is installed. */
static bool find_program(char *out, size_t room)
{
    ssize_t length = readlink("/proc/self/exe", out, room - 1);
    if (length < 0)
        return false;
    out[length] = 0;
    char *name = strrchr(out, '/') + 1;
    if (name + sizeof PROGRAM > out + room) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(name, PROGRAM, sizeof PROGRAM);
    return access(out, X_OK) == 0;
}

/* A terminal's Ctrl-C is for numac, which then tells.  Who cannot become the program says so to the first errand. */
static void become_libvirt(const char *path, int socket, int lock)
{
    static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
    for (size_t i = 0; i < G_N_ELEMENTS(ignored); i++)
        signal(ignored[i], SIG_IGN);
    fcntl(socket, F_SETFD, 0);
    if (lock >= 0)
        fcntl(lock, F_SETFD, 0);
    g_autofree char *number = g_strdup_printf("%d", socket);
    execl(path, PROGRAM, number, NULL);
    int trouble = errno;
    uint32_t errand;
    g_free(errand_receive(socket, &errand, -1));
    errand_send(socket, ERRAND_FAILED, g_strerror(trouble));
    _exit(1);
}

struct libvirt_child *libvirt_child_start(int lock)
{
    char path[PATH_MAX];
    int ends[2];
    if (!find_program(path, sizeof path) || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return NULL;
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        become_libvirt(path, ends[1], lock);
    }
    int trouble = errno;
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        errno = trouble;
        return NULL;
    }
    struct libvirt_child *child = g_new0(struct libvirt_child, 1);
    *child = (struct libvirt_child){ pid, pidfd_open(pid, 0), ends[0] };
    return child;
}

bool libvirt_child_do(struct libvirt_child *child, enum errand errand, const char *argument, char **out_answer)
{
    uint32_t end = ERRAND_FAILED;
    *out_answer = NULL;
    if (child->socket >= 0 && errand_send(child->socket, errand, argument))
        *out_answer = errand_receive(child->socket, &end, interrupt_descriptor());
    if (*out_answer)
        return end == ERRAND_DONE;
    *out_answer = g_strdup(interrupted() ? "interrupted" : "libvirt died at it");
    return false;
}

bool libvirt_child_end(struct libvirt_child *child, int milliseconds)
{
    if (child->socket >= 0)
        close(child->socket);
    child->socket = -1;
    struct pollfd watched = { .fd = child->process, .events = POLLIN };
    int status;
    poll(&watched, 1, milliseconds);
    return waitpid(child->pid, &status, WNOHANG) != 0; /* it is, or it never was */
}

void libvirt_child_free(struct libvirt_child *child)
{
    if (child->process >= 0)
        close(child->process);
    g_free(child);
}
