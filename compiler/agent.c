/* SPDX-License-Identifier: MIT
 *
 * Finds numac-agent, and hands it a bundle (runtime/bundle.h) of a compiled site.  Nothing of it goes through a shell.
 */
#define _GNU_SOURCE /* pipe2() */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bundle.h"
#include "emit/emit.h"
#include "streams.h"
#include "verbs.h"

/* ---- the bundle ------------------------------------------------------------------------------------------------- */

/* The words of a command, unquoted: every line of it is one shell word. */
static void add_argv(struct json *json, const char *text)
{
    char **words = NULL;
    if (!g_shell_parse_argv(text, NULL, &words, NULL))
        bug("a QEMU command of ours is no list of words");
    json_array(json, "argv");
    for (char **word = words; *word; word++)
        json_string(json, NULL, *word);
    json_end(json, ']');
    g_strfreev(words);
}

/* The same guest for a machine where KVM does not work, unless the site, or the base, wants it by all means. */
static void add_without_kvm(struct json *json, const struct plan_guest *guest)
{
    if (strcmp(guest->accel, "kvm") != 0 || guest->needs_kvm || guest->has_base)
        return;
    struct plan_guest emulated = *guest;
    emulated.accel = "tcg";
    emulated.cpu_model = architecture_of(guest->architecture)->emulated_cpu;
    g_autoptr(GString) text = g_string_new(NULL);
    json_object(json, "by_tcg");
    if (!guest->is_qemu_only) {
        write_libvirt_xml(&emulated, NULL, text);
        json_text(json, "xml", text->str, text->len);
    }
    g_string_truncate(text, 0);
    write_qemu_argv(&emulated, NULL, text);
    add_argv(json, text->str);
    json_end(json, '}');
}

static void add_guest(struct session *session, struct json *json, const struct planned_guest *guest)
{
    g_autoptr(GString) text = g_string_new(NULL);
    json_object(json, NULL);
    add_without_kvm(json, guest->plan);
    json_string(json, "name", guest->plan->name);
    if (!guest->plan->is_qemu_only) {
        write_guest_xml(session, guest, text);
        json_text(json, "xml", text->str, text->len);
    }
    g_string_truncate(text, 0);
    if (!guest->plan->has_base) {
        write_qemu_argv(guest->plan, NULL, text);
        add_argv(json, text->str);
    }
    json_end(json, '}');
}

bool agent_guest_is_chosen(const struct options *options, const char *name)
{
    for (size_t i = 1; i < options->arguments.count; i++)
        if (strcmp(options->arguments.list[i], name) == 0)
            return true;
    return options->arguments.count <= 1;
}

struct guest_names {
    const struct plan *plan;
    uint32_t at;
};

static const char *next_name(void *state)
{
    struct guest_names *names = state;
    return names->at < names->plan->guest_count ? names->plan->guests[names->at++].name : NULL;
}

/* Every guest named behind the site is one of it. */
bool agent_guests_are_known(struct session *session, const struct plan *plan)
{
    bool known = true;
    for (size_t i = 1; i < session->options->arguments.count; i++) {
        const char *name = session->options->arguments.list[i];
        bool found = false;
        for (uint32_t g = 0; g < plan->guest_count && !found; g++)
            found = strcmp(plan->guests[g].name, name) == 0;
        if (found)
            continue;
        struct guest_names names = { plan, 0 };
        const char *near = nearest_name(name, strlen(name), next_name, &names);
        struct finding *finding = session_misuse(session, "the site has no guest '%s'", name);
        if (near)
            finding_help(session->findings, finding, "did you mean '%s'?", near);
        known = false;
    }
    return known;
}

static void write_choices(struct json *json, const struct options *options, const char *verb)
{
    static const char *const formats[] = {
        [FINDINGS_HUMAN] = "human", [FINDINGS_GCC] = "gcc", [FINDINGS_JSON] = "json"
    };
    json_number(json, "format_version", BUNDLE_FORMAT_VERSION);
    json_string(json, "verb", verb);
    if (options->engine || options->connect)
        json_string(json, "engine", options->engine ? options->engine : "libvirt");
    if (options->connect)
        json_string(json, "connect", options->connect);
    if (options->pid)
        json_number(json, "pid", strtoull(options->pid, NULL, 10));
    json_bool(json, "detach", options->detach);
    json_bool(json, "dry_run", options->dry_run);
    json_bool(json, "reserve_pages", options->reserve_pages);
    json_bool(json, "repair", options->repair);
    json_bool(json, "watch", options->watch);
    json_string(json, "format", formats[options->format]);
    json_string(json, "fail_on", severity_word(options->fail_on));
    json_bool(json, "colour", stream_wants_colour(STDERR_FILENO, options->colour));
}

/* What the plan took a host for: the agent looks whether its machine still is that. */
static void add_host(struct json *json, const struct site_host *host)
{
    json_object(json, NULL);
    json_string(json, "name", host->name);
    json_array(json, "nodes");
    for (uint32_t i = 0; i < host->facts->node_count; i++) {
        const struct host_node *node = &host->facts->nodes[i];
        json_object(json, NULL);
        json_number(json, "node", node->os_index);
        json_ids(json, "cpus", node->cpus);
        if (node->memory_bytes.known)
            json_number(json, "memory_bytes", node->memory_bytes.value);
        json_end(json, '}');
    }
    json_end(json, ']');
    json_end(json, '}');
}

static void add_hosts(struct json *json, const struct site_hosts *hosts)
{
    json_array(json, "hosts");
    for (uint32_t i = 0; i < hosts->count; i++)
        if (hosts->list[i].facts)
            add_host(json, &hosts->list[i]);
    json_end(json, ']');
}

struct order {                       /* what the agent is to do */
    const struct compiled *compiled; /* NULL: no site */
    const char *verb;
    const struct agent_guest *guests; /* NULL: those of the command line, as the emitters write them */
    size_t guest_count;
};

static void add_guests(struct session *session, const struct order *order, struct json *json)
{
    const struct plan *plan = order->compiled->planned->plan;
    json_array(json, "guests");
    for (uint32_t i = 0; !order->guests && i < plan->guest_count; i++)
        if (agent_guest_is_chosen(session->options, plan->guests[i].name))
            add_guest(session, json, &order->compiled->planned->guests[i]);
    for (size_t i = 0; i < order->guest_count; i++) {
        json_object(json, NULL);
        json_string(json, "name", order->guests[i].name);
        json_string(json, "xml", order->guests[i].xml);
        if (order->guests[i].host)
            json_string(json, "host", order->guests[i].host);
        json_end(json, '}');
    }
    json_end(json, ']');
}

static void write_bundle(struct session *session, const struct order *order, GString *out)
{
    struct json json;
    json_open(&json, out);
    json_object(&json, NULL);
    write_choices(&json, session->options, order->verb);
    if (order->compiled) {
        g_autoptr(GString) plan = g_string_new(NULL);
        write_plan_json(order->compiled->planned->plan, plan);
        json_text(&json, "plan", plan->str, plan->len);
        add_hosts(&json, order->compiled->planned->hosts);
        add_guests(session, order, &json);
    }
    json_end(&json, '}');
    json_finish(&json);
}

/* ---- the agent -------------------------------------------------------------------------------------------------- */

/* Beside the program, as it is built, or where it is installed; NULL, and why. */
static char *agent_path(int *out_error)
{
    char own[4096];
    ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
    *out_error = errno;
    if (length < 0)
        return NULL;
    own[length] = 0;
    g_autofree char *folder = g_path_get_dirname(own);
    static const char *const places[] = { "../libexec/numac/numac-agent", "numac-agent" };
    *out_error = ENOENT;
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        char *path = g_build_filename(folder, places[i], NULL);
        if (access(path, X_OK) == 0)
            return path;
        if (errno != ENOENT)
            *out_error = errno;
        g_free(path);
    }
    return NULL;
}

static int file_of(const GString *text)
{
    FILE *file = tmpfile();
    if (!file || fwrite(text->str, 1, text->len, file) != text->len || fflush(file) != 0)
        return -1;
    int copy = dup(fileno(file));
    fclose(file);
    return copy >= 0 && lseek(copy, 0, SEEK_SET) == 0 ? copy : -1;
}

static void tell_missing(struct session *session, int error)
{
    struct finding *finding =
        error == ENOENT ? report(session->findings, NM_agent_missing, SPAN_NONE, "numac-agent is not installed")
                        : report(session->findings, NM_agent_missing, SPAN_NONE, "numac-agent cannot be started: %s",
                                 g_strerror(error));
    finding_help(session->findings, finding, "install numac whole: 'make install' puts it into libexec/numac");
    session->status = STATUS_REFUSED;
}

/* Gives the agent, and the descriptor of a bundle that it will read; NULL with a finding. */
static char *hand_over(struct session *session, const struct order *order, int *out_file)
{
    int error;
    char *path = agent_path(&error);
    g_autoptr(GString) bundle = g_string_new(NULL);
    if (path) {
        write_bundle(session, order, bundle);
        *out_file = file_of(bundle);
        error = errno;
    }
    if (path && *out_file >= 0)
        return path;
    tell_missing(session, error);
    g_free(path);
    return NULL;
}

void agent_become(struct session *session, const struct compiled *compiled)
{
    struct order order = { .compiled = compiled, .verb = session->options->verb->name };
    int file;
    g_autofree char *path = hand_over(session, &order, &file);
    if (!path)
        return;
    session->has_heir = true;
    if (!session_show(session))
        return;
    g_autofree char *number = g_strdup_printf("%d", file);
    execl(path, "numac-agent", number, NULL);
    tell_missing(session, errno);
}

static GString *read_all(int file)
{
    GString *text = g_string_new(NULL);
    char piece[1 << 16];
    for (ssize_t got; (got = read(file, piece, sizeof piece)) != 0;) {
        if (got < 0 && errno != EINTR)
            break;
        if (got > 0)
            append_bytes(text, piece, (size_t)got);
    }
    close(file);
    return text;
}

static void become_child(const char *path, int file, int output)
{
    g_autofree char *number = g_strdup_printf("%d", file);
    if (dup2(output, STDOUT_FILENO) >= 0)
        execl(path, "numac-agent", number, NULL);
    _exit(STATUS_REFUSED);
}

GString *agent_ask(struct session *session, const struct compiled *compiled, const char *verb,
                   const struct agent_guest *guests, size_t guest_count, int *out_status)
{
    struct order order = { compiled, verb, guests, guest_count };
    int ends[2], file;
    g_autofree char *path = hand_over(session, &order, &file);
    if (!path)
        return NULL;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        tell_missing(session, errno);
        return NULL;
    }
    pid_t child = fork();
    if (child == 0)
        become_child(path, file, ends[1]);
    close(ends[1]);
    close(file);
    GString *text = read_all(ends[0]);
    int status = 0;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    *out_status = child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_REFUSED;
    return text;
}
