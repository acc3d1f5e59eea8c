/* SPDX-License-Identifier: MIT
 *
 * Runs a reader where it can do no harm: in a child with limits on time, memory and silence.  hwloc's XML readers
 * crash on some damaged files; here that is one finding.  The child never returns into the program, opens nothing for
 * writing and says nothing but one message on the pipe.
 */
#define _GNU_SOURCE /* pipe2 */
#include "host/facts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CPU_SECONDS = 10, WALL_SECONDS = 20 };
#define CHILD_MEMORY_BYTES (UINT64_C(2) << 30) /* on top of what the program has mapped already */
#define REPLY_BYTES_LIMIT (UINT32_C(256) << 20)

/* AddressSanitizer maps terabytes that it never uses */
#if defined(__SANITIZE_ADDRESS__)
#define ADDRESS_SPACE_IS_HUGE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ADDRESS_SPACE_IS_HUGE 1
#endif
#endif
#ifndef ADDRESS_SPACE_IS_HUGE
#define ADDRESS_SPACE_IS_HUGE 0
#endif

enum reply_kind { REPLY_TROUBLE = 'T', REPLY_FACTS = 'F' };

struct reply_head {
    uint32_t kind;
    uint32_t facts_bytes; /* the recording follows them */
};

/* ---- in the child ----------------------------------------------------------------------------------------------- */

static void limit(__rlimit_resource_t resource, rlim_t value)
{
    struct rlimit now;
    if (getrlimit(resource, &now) == 0 && now.rlim_max != RLIM_INFINITY && now.rlim_max < value)
        value = now.rlim_max;
    setrlimit(resource, &(struct rlimit){ .rlim_cur = value, .rlim_max = value });
}

static uint64_t mapped_bytes(void)
{
    unsigned long long pages = 0;
    g_autofree char *text = NULL;
    if (g_file_get_contents("/proc/self/statm", &text, NULL, NULL))
        pages = strtoull(text, NULL, 10);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void confine(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, CPU_SECONDS);
    limit(RLIMIT_FSIZE, 0);
    if (!ADDRESS_SPACE_IS_HUGE)
        limit(RLIMIT_AS, mapped_bytes() + CHILD_MEMORY_BYTES);
    /* hwloc and libxml2 speak on stderr; whatever they say is not for the user */
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; nothing >= 0 && fd <= 2; fd++)
        dup2(nothing, fd);
    static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGPIPE };
    for (unsigned i = 0; i < G_N_ELEMENTS(deadly); i++)
        signal(deadly[i], SIG_DFL);
}

static void write_all(int fd, const void *bytes, size_t length)
{
    const char *at = bytes;
    while (length) {
        ssize_t written = write(fd, at, length);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            _exit(1);
        at += written;
        length -= (size_t)written;
    }
}

static void child_main(int fd, const struct reading *reading) G_GNUC_NORETURN;
static void child_main(int fd, const struct reading *reading)
{
    confine();
    struct arena *arena = arena_new();
    struct trouble trouble = { 0 };
    const struct host *host = reading->origin == ORIGIN_CAPABILITIES ? read_capabilities(arena, reading, &trouble)
                                                                     : read_hwloc(arena, reading, &trouble);
    GByteArray *facts = g_byte_array_new();
    if (host)
        facts_encode(host, facts);
    struct reply_head head = { .kind = host ? REPLY_FACTS : REPLY_TROUBLE, .facts_bytes = facts->len };
    write_all(fd, &head, sizeof head);
    if (!host) {
        write_all(fd, &trouble, sizeof trouble);
    } else {
        write_all(fd, facts->data, facts->len);
        if (reading->recording)
            write_all(fd, reading->recording->str, reading->recording->len);
    }
    _exit(0);
}

/* ---- in the parent ---------------------------------------------------------------------------------------------- */

/* Everything the child says, until it closes the pipe; false when it says too much or nothing for too long. */
static bool listen_to(int fd, GByteArray *reply)
{
    int64_t end = g_get_monotonic_time() + WALL_SECONDS * G_USEC_PER_SEC;
    uint8_t buffer[65536];
    for (;;) {
        int64_t left = (end - g_get_monotonic_time()) / 1000;
        struct pollfd wanted = { .fd = fd, .events = POLLIN };
        int ready = left > 0 ? poll(&wanted, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready <= 0)
            return false;
        ssize_t got = read(fd, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || reply->len + (size_t)got > REPLY_BYTES_LIMIT)
            return false;
        if (got == 0)
            return true;
        g_byte_array_append(reply, buffer, (guint)got);
    }
}

static struct host *understand(struct arena *arena, const GByteArray *reply, GString *recording,
                               struct trouble *trouble)
{
    struct reply_head head;
    if (reply->len < sizeof head)
        return NULL;
    memcpy(&head, reply->data, sizeof head);
    const uint8_t *rest = reply->data + sizeof head;
    size_t length = reply->len - sizeof head;
    if (head.kind == REPLY_TROUBLE && length == sizeof *trouble) {
        struct trouble told;
        memcpy(&told, rest, sizeof told);
        told.message[sizeof told.message - 1] = told.help[sizeof told.help - 1] = '\0';
        bool is_sound =
            code_row(told.code) && g_utf8_validate(told.message, -1, NULL) && g_utf8_validate(told.help, -1, NULL);
        if (is_sound)
            trouble_set(trouble, told.code, told.help, "%s", told.message);
        return NULL;
    }
    if (head.kind != REPLY_FACTS || head.facts_bytes > length)
        return NULL;
    if (recording)
        g_string_append_len(recording, (const char *)rest + head.facts_bytes, (gssize)(length - head.facts_bytes));
    return facts_decode(arena, rest, head.facts_bytes);
}

static void tell_of_death(const struct reading *reading, int status, bool was_heard, struct trouble *trouble)
{
    bool is_synthetic = reading->origin == ORIGIN_SYNTHETIC;
    const char *help = is_synthetic ? "use smaller counts" : "record the host again with 'numac host record'";
    int signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (!was_heard)
        trouble_set(trouble, NM_host_too_large, help, "reading '%s' comes to no end in %d seconds", reading->name,
                    WALL_SECONDS);
    else if (signal_number == SIGXCPU || signal_number == SIGKILL)
        trouble_set(trouble, NM_host_too_large, help, "reading '%s' takes more than %d seconds or %u MiB",
                    reading->name, CPU_SECONDS, (unsigned)(CHILD_MEMORY_BYTES / MIB));
    else
        trouble_set(trouble, is_synthetic ? NM_host_synthetic : NM_host_damaged, help,
                    "'%s' is damaged: hwloc cannot make sense of it%s", reading->name,
                    signal_number ? " (its reader crashed)" : "");
}

struct host *read_in_child(struct arena *arena, const struct reading *reading, struct trouble *trouble)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        trouble_set(trouble, NM_host_unreadable, NULL, "'%s' cannot be read: %s", reading->name, g_strerror(errno));
        return NULL;
    }
    pid_t child = fork();
    if (child == 0)
        child_main(ends[1], reading);
    close(ends[1]);
    if (child < 0) {
        close(ends[0]);
        trouble_set(trouble, NM_host_unreadable, NULL, "'%s' cannot be read: %s", reading->name, g_strerror(errno));
        return NULL;
    }
    GByteArray *reply = g_byte_array_new();
    bool was_heard = listen_to(ends[0], reply);
    close(ends[0]);
    if (!was_heard)
        kill(child, SIGKILL);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    struct host *host = was_heard ? understand(arena, reply, reading->recording, trouble) : NULL;
    g_byte_array_free(reply, TRUE);
    if (!host)
        tell_of_death(reading, status, was_heard, trouble);
    return host;
}
