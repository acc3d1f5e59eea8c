/* SPDX-License-Identifier: MIT
 *
 * Asks QEMU questions in JSON and takes the answers apart.
 */
#include "monitor.h"

#include <string.h>

enum { ANSWER_DEPTH = 64 };

static char *refusal(struct json_c_object *answer, const char *command)
{
    struct json_c_object *text =
        json_c_member(json_c_member(answer, "error", json_type_object), "desc", json_type_string);
    return text ? g_strdup_printf("QEMU refuses '%s': %s", command, json_object_get_string(text))
                : g_strdup_printf("QEMU answers '%s' with something that is no answer", command);
}

struct json_c_object *monitor_ask(struct monitor *monitor, const char *command, const char *arguments, char **out_error)
{
    g_autofree char *question = g_strdup_printf("{\"execute\":\"%s\"%s%s}", command, arguments ? ",\"arguments\":" : "",
                                                arguments ? arguments : "");
    g_autofree char *text = monitor->exchange(monitor, question, out_error);
    if (!text)
        return NULL;
    struct json_tokener *tokener = json_tokener_new_ex(ANSWER_DEPTH);
    struct json_c_object *answer = json_tokener_parse_ex(tokener, text, -1), *value = NULL;
    json_tokener_free(tokener);
    if (json_object_is_type(answer, json_type_object) && json_object_object_get_ex(answer, "return", &value))
        json_object_get(value);
    else
        *out_error = refusal(answer, command);
    json_object_put(answer);
    return value;
}

char *monitor_ask_line(struct monitor *monitor, const char *line, char **out_error)
{
    g_autoptr(GString) arguments = g_string_new(NULL);
    struct json json;
    json_open(&json, arguments);
    json_object(&json, NULL);
    json_string(&json, "command-line", line);
    json_end(&json, '}');
    struct json_c_object *value = monitor_ask(monitor, "human-monitor-command", arguments->str, out_error);
    char *text = json_object_is_type(value, json_type_string) ? g_strdup(json_object_get_string(value)) : NULL;
    if (value && !text)
        *out_error = g_strdup_printf("QEMU answers '%s' with something that is no text", line);
    json_object_put(value);
    return text;
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

static struct json_c_object *ask_array(struct monitor *monitor, const char *command, char **out_error)
{
    struct json_c_object *value = monitor_ask(monitor, command, NULL, out_error);
    if (value && !json_object_is_type(value, json_type_array)) {
        *out_error = g_strdup_printf("QEMU answers '%s' with something that is no list", command);
        json_object_put(value);
        return NULL;
    }
    return value;
}

bool monitor_threads(struct monitor *monitor, struct arena *arena, const struct plan_guest *guest,
                     struct guest_threads *out, char **out_error)
{
    *out = (struct guest_threads){
        .vcpu_count = guest->vcpu_count,
        .iothread_count = guest->iothread_count,
        .vcpus = arena_array(arena, pid_t, guest->vcpu_count),
        .iothreads = arena_array(arena, pid_t, guest->iothread_count + 1),
    };
    struct json_c_object *cpus = ask_array(monitor, "query-cpus-fast", out_error);
    bool fine = cpus && read_vcpus(cpus, out);
    struct json_c_object *workers = fine ? ask_array(monitor, "query-iothreads", out_error) : NULL;
    fine = fine && workers && read_iothreads(workers, guest, out);
    json_object_put(cpus);
    json_object_put(workers);
    if (!fine && !*out_error)
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
