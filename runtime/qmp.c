/* SPDX-License-Identifier: MIT
 *
 * QEMU's own monitor: JSON lines over a socket in the guest's folder.  Events come between answers and are passed
 * over.  An answer has bounded time and size.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent.h"
#include "monitor.h"

enum { ANSWER_SECONDS = 20, MOST_ANSWER_BYTES = 16 << 20, LOOK_MILLISECONDS = 100 };

struct qmp {
    struct monitor monitor;
    int socket;
    GString *come; /* and not yet taken */
    bool (*is_patient)(void *state);
    void *state;
};

/* Waits until something comes, in slices, so that a signal or the end of QEMU is seen. */
static bool wait_for(struct qmp *qmp, int64_t until, char **out_error)
{
    for (;;) {
        struct pollfd watched[] = { { .fd = qmp->socket, .events = POLLIN },
                                    { .fd = interrupt_descriptor(), .events = POLLIN } };
        int ready = poll(watched, G_N_ELEMENTS(watched), LOOK_MILLISECONDS);
        if (interrupted()) {
            *out_error = g_strdup("interrupted");
            return false;
        }
        if (until && g_get_monotonic_time() > until) { /* also where events come without end */
            *out_error = g_strdup_printf("QEMU has not answered for %d s", ANSWER_SECONDS);
            return false;
        }
        if (ready > 0 && watched[0].revents)
            return true;
        if (qmp->is_patient && !qmp->is_patient(qmp->state)) {
            *out_error = g_strdup("QEMU ended, or made no progress");
            return false;
        }
    }
}

/* The next line, to be freed. */
static char *next_line(struct qmp *qmp, int64_t until, char **out_error)
{
    for (size_t looked = 0;;) {
        char *end = memchr(qmp->come->str + looked, '\n', qmp->come->len - looked);
        if (end) {
            char *line = g_strndup(qmp->come->str, (gsize)(end - qmp->come->str));
            g_string_erase(qmp->come, 0, end - qmp->come->str + 1);
            return line;
        }
        if (qmp->come->len > MOST_ANSWER_BYTES) {
            *out_error = g_strdup("QEMU's answer does not end");
            return NULL;
        }
        if (!wait_for(qmp, until, out_error))
            return NULL;
        looked = qmp->come->len;
        char piece[8192];
        ssize_t got = recv(qmp->socket, piece, sizeof piece, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) {
            *out_error = g_strdup("QEMU closed its monitor");
            return NULL;
        }
        if (got > 0)
            append_bytes(qmp->come, piece, (size_t)got);
    }
}

/* Gives the line, unless it is an event: NULL without an error. */
static char *unless_event(char *line)
{
    struct json_c_object *object = json_tokener_parse(line);
    bool is_event = json_object_is_type(object, json_type_object) && json_object_object_get_ex(object, "event", NULL);
    json_object_put(object);
    if (!is_event)
        return line;
    g_free(line);
    return NULL;
}

static bool send_whole(int end, const GString *text)
{
    for (size_t done = 0; done < text->len;) {
        ssize_t put = send(end, text->str + done, text->len - done, MSG_NOSIGNAL);
        if (put < 0 && errno != EINTR)
            return false;
        done += put > 0 ? (size_t)put : 0;
    }
    return true;
}

static char *next_answer(struct qmp *qmp, char **out_error)
{
    int64_t until = g_get_monotonic_time() + ANSWER_SECONDS * G_TIME_SPAN_SECOND;
    for (;;) {
        char *answer = next_line(qmp, until, out_error);
        if (!answer)
            return NULL;
        answer = unless_event(answer);
        if (answer)
            return answer;
    }
}

/* QEMU takes them one after another, and answers in that order. */
static bool exchange(struct monitor *monitor, const char *const *commands, size_t count, char **out_answers,
                     char **out_error)
{
    struct qmp *qmp = (struct qmp *)(void *)monitor; /* its first member */
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; i < count; i++) {
        append(text, commands[i]);
        append(text, "\n");
    }
    if (!send_whole(qmp->socket, text))
        *out_error = g_strdup("QEMU closed its monitor");
    for (size_t i = 0; i < count && !*out_error; i++)
        out_answers[i] = next_answer(qmp, out_error);
    return !*out_error;
}

static void close_qmp(struct monitor *monitor)
{
    struct qmp *qmp = (struct qmp *)(void *)monitor;
    close(qmp->socket);
    g_string_free(qmp->come, TRUE);
    g_free(qmp);
}

static bool is_greeting(const char *line)
{
    struct json_c_object *object = json_tokener_parse(line);
    bool fits = json_object_is_type(object, json_type_object) && json_object_object_get_ex(object, "QMP", NULL);
    json_object_put(object);
    return fits;
}

static bool greet(struct qmp *qmp, char **out_error)
{
    int64_t until = qmp->is_patient ? 0 : g_get_monotonic_time() + ANSWER_SECONDS * G_TIME_SPAN_SECOND;
    g_autofree char *greeting = next_line(qmp, until, out_error);
    if (!greeting)
        return false;
    if (!is_greeting(greeting)) {
        *out_error = g_strdup("what answers is no QEMU monitor");
        return false;
    }
    qmp->is_patient = NULL;
    struct json_c_object *fine = monitor_ask(&qmp->monitor, "qmp_capabilities", out_error);
    json_object_put(fine);
    return fine != NULL;
}

struct monitor *monitor_connect(const char *path, bool (*is_patient)(void *state), void *state, char **out_error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    int end = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (end < 0 || connect(end, (const struct sockaddr *)(const void *)&address, sizeof address) < 0) {
        *out_error = g_strdup_printf("'%s': %s", path, g_strerror(errno));
        if (end >= 0)
            close(end);
        return NULL;
    }
    struct qmp *qmp = g_new0(struct qmp, 1);
    *qmp = (struct qmp){ .monitor = { exchange, close_qmp },
                         .socket = end,
                         .come = g_string_new(NULL),
                         .is_patient = is_patient,
                         .state = state };
    if (!greet(qmp, out_error)) {
        close_qmp(&qmp->monitor);
        return NULL;
    }
    return &qmp->monitor;
}
