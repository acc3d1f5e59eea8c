/* SPDX-License-Identifier: MIT
 *
 * Asks QEMU questions in JSON and takes the answers apart.
 */
#include "monitor.h"

#include <string.h>

enum { ANSWER_DEPTH = 64 };

static const char *subject(const struct question *question)
{
    return question->line ? question->line : question->command;
}

static char *refusal(struct json_c_object *answer, const struct question *question)
{
    struct json_c_object *text =
        json_c_member(json_c_member(answer, "error", json_type_object), "desc", json_type_string);
    return text ? g_strdup_printf("QEMU refuses '%s': %s", subject(question), json_object_get_string(text))
                : g_strdup_printf("QEMU answers '%s' with something that is no answer", subject(question));
}

/* NULL: *out_error says why. */
static struct json_c_object *value_of(const struct question *question, const char *text, char **out_error)
{
    struct json_tokener *tokener = json_tokener_new_ex(ANSWER_DEPTH);
    struct json_c_object *answer = json_tokener_parse_ex(tokener, text, -1), *value = NULL;
    json_tokener_free(tokener);
    if (json_object_is_type(answer, json_type_object))
        json_object_object_get_ex(answer, "return", &value);
    if (!value)
        *out_error = refusal(answer, question);
    else if (question->line && !json_object_is_type(value, json_type_string))
        *out_error = g_strdup_printf("QEMU answers '%s' with something that is no text", question->line);
    else
        json_object_get(value);
    json_object_put(answer);
    return *out_error ? NULL : value;
}

static char *command_of(const struct question *question)
{
    if (question->line)
        return g_strdup_printf("{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":\"%s\"}}",
                               question->line);
    return g_strdup_printf("{\"execute\":\"%s\",\"arguments\":%s}", question->command,
                           question->arguments ? question->arguments : "{}");
}

bool monitor_ask_all(struct monitor *monitor, const struct question *questions, size_t count,
                     struct json_c_object **out_values, char **out_error)
{
    g_auto(GStrv) commands = g_new0(char *, count + 1), answers = g_new0(char *, count + 1);
    for (size_t i = 0; i < count; i++) {
        commands[i] = command_of(&questions[i]);
        out_values[i] = NULL;
    }
    if (!monitor->exchange(monitor, (const char *const *)commands, count, answers, out_error))
        return false;
    for (size_t i = 0; i < count && !*out_error; i++)
        out_values[i] = value_of(&questions[i], answers[i], out_error);
    for (size_t i = 0; *out_error && i < count; i++)
        g_clear_pointer(&out_values[i], json_object_put);
    return !*out_error;
}

struct json_c_object *monitor_ask(struct monitor *monitor, const char *command, char **out_error)
{
    struct json_c_object *value;
    return monitor_ask_all(monitor, &(struct question){ .command = command }, 1, &value, out_error) ? value : NULL;
}

void monitor_close(struct monitor *monitor)
{
    if (monitor)
        monitor->close(monitor);
}

/* ---- what runs -------------------------------------------------------------------------------------------------- */

static bool number(struct json_c_object *object, const char *key, int64_t least, int64_t most, int64_t *out)
{
    struct json_c_object *value = json_c_member(object, key, json_type_int);
    *out = value ? json_object_get_int64(value) : -1;
    return value && *out >= least && *out <= most;
}

static bool read_vcpus(struct json_c_object *array, struct guest_threads *out)
{
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        struct json_c_object *element = json_object_array_get_idx(array, i);
        int64_t index, thread;
        if (!number(element, "cpu-index", 0, UINT32_MAX, &index) ||
            !number(element, "thread-id", 1, INT32_MAX, &thread))
            return false;
        if (index < out->vcpu_count)
            out->vcpus[index] = (pid_t)thread;
    }
    return true;
}

/* libvirt and numac both name them "iothread" and the number. */
static bool read_iothreads(struct json_c_object *array, const struct plan_guest *guest, struct guest_threads *out)
{
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        struct json_c_object *element = json_object_array_get_idx(array, i),
                             *name = json_c_member(element, "id", json_type_string);
        int64_t thread;
        if (!name || !number(element, "thread-id", 1, INT32_MAX, &thread))
            return false;
        for (uint32_t n = 0; n < out->iothread_count; n++) {
            g_autofree char *own = g_strdup_printf("iothread%u", guest->iothreads[n].id);
            if (strcmp(own, json_object_get_string(name)) == 0)
                out->iothreads[n] = (pid_t)thread;
        }
    }
    return true;
}

bool monitor_threads(struct monitor *monitor, struct arena *arena, const struct plan_guest *guest,
                     struct guest_threads *out, char **out_error)
{
    static const struct question questions[] = { { .command = "query-cpus-fast" }, { .command = "query-iothreads" } };
    struct json_c_object *lists[G_N_ELEMENTS(questions)];
    *out = (struct guest_threads){
        .vcpu_count = guest->vcpu_count,
        .iothread_count = guest->iothread_count,
        .vcpus = arena_array(arena, pid_t, guest->vcpu_count),
        .iothreads = arena_array(arena, pid_t, guest->iothread_count + 1),
    };
    if (!monitor_ask_all(monitor, questions, G_N_ELEMENTS(questions), lists, out_error))
        return false;
    bool fine = json_object_is_type(lists[0], json_type_array) && json_object_is_type(lists[1], json_type_array) &&
                read_vcpus(lists[0], out) && read_iothreads(lists[1], guest, out);
    json_object_put(lists[0]);
    json_object_put(lists[1]);
    if (!fine)
        *out_error = g_strdup("QEMU tells of its threads in words that are not known");
    return fine;
}

bool is_guest_thread(const struct guest_threads *threads, pid_t task)
{
    for (uint32_t i = 0; i < threads->vcpu_count; i++)
        if (threads->vcpus[i] == task)
            return true;
    for (uint32_t i = 0; i < threads->iothread_count; i++)
        if (threads->iothreads[i] == task)
            return true;
    return false;
}
