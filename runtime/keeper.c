/* SPDX-License-Identifier: MIT
 *
 * Two forks: the keeper, which waits, and QEMU, which dies with it.
 */
#include "keeper.h"

#include <errno.h>
#include <limits.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "affinity.h"
#include "cgroup.h"

struct news { /* from the keeper, first about the start and then about the end */
    pid_t qemu;
    int trouble;   /* errno of what failed before QEMU */
    unsigned what; /* position in `efforts` */
};

enum { LOOK_MILLISECONDS = 50 }; /* where the kernel does not tell that QEMU ended */

static const char *const efforts[] = { "a process", "its log", "its program" };
enum { EFFORT_PROCESS, EFFORT_LOG, EFFORT_PROGRAM };

/* ---- QEMU's side ------------------------------------------------------------------------------------------------ */

static void give_up(int report, unsigned what)
{
    struct news news = { .trouble = errno, .what = what };
    if (write(report, &news, sizeof news) < 0)
        _exit(126);
    _exit(127);
}

static bool redirect(const struct launch *launch)
{
    int log = open(launch->log, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
    if (log < 0 || dup2(log, STDERR_FILENO) < 0)
        return false;
    if (!launch->console)
        return true;
    int nothing = open("/dev/null", O_RDONLY),
        console = open(launch->console, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
    return nothing >= 0 && console >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(console, STDOUT_FILENO) >= 0;
}

static void become_qemu(const struct launch *launch, pid_t keeper, int report)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != keeper)
        _exit(126);
    if (launch->console)
        setsid();
    static const int defaults[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD };
    for (size_t i = 0; i < G_N_ELEMENTS(defaults); i++)
        signal(defaults[i], SIG_DFL);
    if (launch->cgroup)
        cgroup_enter(launch->cgroup);
    if (launch->cpus)
        affinity_set(0, launch->cpus); /* its threads are pinned one by one later */
    if (!redirect(launch))
        give_up(report, EFFORT_LOG);
    close_range(STDERR_FILENO + 1, UINT_MAX, CLOSE_RANGE_CLOEXEC);
    for (uint32_t i = 0; i < launch->kept_count; i++)
        fcntl(launch->kept[i], F_SETFD, 0);
    char *const *argv = (char *const *)(uintptr_t)launch->argv; /* execv() changes nothing */
    execv(launch->argv[0], argv);
    give_up(report, EFFORT_PROGRAM);
}

/* ---- the keeper's side ------------------------------------------------------------------------------------------ */

/* The agent died, or QEMU ended after it was released: what was made for the guest goes.  Whoever stops the guest
 * holds its folder, and does the same; who starts it again then has a guest that is none of ours. */
static void clean_up(struct agent *agent, const char *uuid)
{
    struct guest_state *guest;
    for (int tries = 0; tries < 100; tries++) {
        enum guest_lookup found = guest_take(agent, uuid, false, &guest);
        if (found == GUEST_HELD && guest_has_ended(guest))
            guest_forget(guest);
        else if (found == GUEST_HELD)
            guest_release(guest);
        if (found != GUEST_BUSY)
            return;
        g_usleep(100000);
    }
}

/* True: released.  False: the agent is dead, and QEMU is to end. */
static bool await_release(int control, pid_t qemu, bool *out_ended, int *out_status)
{
    struct pollfd watched[] = { { .fd = control, .events = POLLIN }, { .fd = pidfd_open(qemu, 0), .events = POLLIN } };
    char byte;
    while (!watched[0].revents && !*out_ended) {
        poll(watched, G_N_ELEMENTS(watched), LOOK_MILLISECONDS);
        *out_ended = waitpid(qemu, out_status, WNOHANG) == qemu;
    }
    if (watched[1].fd >= 0)
        close(watched[1].fd);
    return *out_ended || read(control, &byte, 1) == 1;
}

static void keep(struct agent *agent, const char *uuid, pid_t qemu, int control, int report)
{
    int status = 0;
    bool has_ended = false, is_released = await_release(control, qemu, &has_ended, &status);
    if (!is_released)
        kill(qemu, SIGKILL);
    while (!has_ended && waitpid(qemu, &status, 0) < 0 && errno == EINTR)
        continue;
    if (is_released && write(report, &status, sizeof status) < 0) { /* nobody waits for it */
    }
    close(report);
    /* before the release the agent takes everything back itself, while it lives */
    char byte;
    if (has_ended)
        while (read(control, &byte, 1) < 0 && errno == EINTR)
            continue;
    close(control);
    clean_up(agent, uuid);
    _exit(0);
}

/* The keeper holds nothing open that somebody waits for: no lock, no terminal of a guest without one. */
static void close_all_but(int control, int report, bool has_no_terminal)
{
    int nothing = has_no_terminal ? open("/dev/null", O_RDWR) : -1;
    for (int number = STDIN_FILENO; nothing >= 0 && number <= STDERR_FILENO; number++)
        dup2(nothing, number);
    unsigned low = (unsigned)MIN(control, report), high = (unsigned)MAX(control, report);
    if (low > STDERR_FILENO + 1)
        close_range(STDERR_FILENO + 1, low - 1, 0);
    if (high > low + 1)
        close_range(low + 1, high - 1, 0);
    close_range(high + 1, UINT_MAX, 0);
}

static void become_keeper(struct agent *agent, const struct launch *launch, const char *uuid, int control, int report)
{
    prctl(PR_SET_NAME, "numac-keeper");
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    if (launch->console)
        setsid();
    int program[2]; /* closes when QEMU's program is there */
    pid_t keeper = getpid(), qemu = pipe2(program, O_CLOEXEC) < 0 ? -1 : fork();
    if (qemu < 0)
        give_up(report, EFFORT_PROCESS);
    if (qemu == 0)
        become_qemu(launch, keeper, program[1]);
    close(program[1]);
    struct news news = { 0 };
    if (read(program[0], &news, sizeof news) <= 0)
        news = (struct news){ .qemu = qemu };
    close_all_but(control, report, launch->console != NULL);
    if (write(report, &news, sizeof news) < 0 || !news.qemu)
        _exit(126);
    keep(agent, uuid, qemu, control, report);
}

/* ---- the agent's side ------------------------------------------------------------------------------------------- */

int keeper_start(struct agent *agent, const struct launch *launch, const char *uuid, struct keeper *out,
                 const char **out_what)
{
    int control[2], report[2];
    *out_what = efforts[EFFORT_PROCESS];
    if (pipe2(control, O_CLOEXEC) < 0)
        return errno;
    if (pipe2(report, O_CLOEXEC) < 0) {
        int trouble = errno;
        close(control[0]);
        close(control[1]);
        return trouble;
    }
    pid_t keeper = fork();
    if (keeper == 0) {
        close(control[1]);
        close(report[0]);
        become_keeper(agent, launch, uuid, control[0], report[1]);
    }
    int trouble = keeper < 0 ? errno : 0;
    close(control[0]);
    close(report[1]);
    *out = (struct keeper){ .keeper = keeper, .control = control[1], .report = report[0] };
    struct news news = { .trouble = EPIPE };
    if (!trouble && read(report[0], &news, sizeof news) != (ssize_t)sizeof news)
        news.trouble = EPIPE;
    trouble = trouble ? trouble : news.trouble;
    out->qemu = news.qemu;
    if (trouble) {
        *out_what = efforts[news.what];
        keeper_close(out);
    }
    return trouble;
}

bool keeper_release(struct keeper *keeper)
{
    return write(keeper->control, "", 1) == 1;
}

int keeper_wait(struct keeper *keeper)
{
    int status;
    for (;;) {
        ssize_t got = read(keeper->report, &status, sizeof status);
        if (got == (ssize_t)sizeof status)
            return status;
        if (got >= 0 || errno != EINTR)
            return -1;
    }
}

void keeper_close(struct keeper *keeper)
{
    close(keeper->control);
    close(keeper->report);
}
