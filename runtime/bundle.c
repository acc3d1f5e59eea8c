/* SPDX-License-Identifier: MIT
 *
 * Reads what numac hands over.  It comes from the same build, so a bundle that does not fit is told in one finding
 * and nothing is done; but it is read as if anybody had made it.
 */
#include "bundle.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plan/json_c.h"

enum { MOST_BUNDLE_BYTES = 1 << 30, DEPTH = 8 };

static const char *const verbs[VERB_COUNT] = { "run", "stop", "list", "verify", "stat", "dump", "define" };
static const char *const engines[ENGINE_COUNT] = { "embed", "libvirt", "qemu" };

const char *engine_word(enum engine_kind engine)
{
    return engines[engine];
}

static bool position(const char *const *words, unsigned count, const char *word, unsigned *out)
{
    for (unsigned i = 0; word && i < count; i++)
        if (strcmp(words[i], word) == 0) {
            *out = i;
            return true;
        }
    return false;
}

bool engine_from_word(const char *word, enum engine_kind *out_engine)
{
    unsigned at;
    if (!position(engines, ENGINE_COUNT, word, &at))
        return false;
    *out_engine = (enum engine_kind)at;
    return true;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

struct bundle_reader {
    struct arena *arena;
    struct sources *sources;
    struct findings *findings;
    struct bundle *bundle;
    bool says_engine;
    enum engine_kind engine;
    const char *connect;
};

static const char *text(struct arena *arena, struct json_c_object *object, const char *key)
{
    return json_c_text(arena, json_c_member(object, key, json_type_string));
}

/* False: there is no such number, or it is out of range. */
static bool number(struct json_c_object *object, const char *key, int64_t most, int64_t *out)
{
    struct json_c_object *value = json_c_member(object, key, json_type_int);
    *out = value ? json_object_get_int64(value) : -1;
    return *out >= 0 && *out <= most;
}

static bool flag(struct json_c_object *object, const char *key)
{
    struct json_c_object *value = json_c_member(object, key, json_type_boolean);
    return value && json_object_get_boolean(value);
}

/* ---- hosts ------------------------------------------------------------------------------------------------------ */

static bool read_node(struct bundle_reader *reader, struct json_c_object *from, struct bundle_node *out)
{
    const char *cpus = text(reader->arena, from, "cpus");
    int64_t node, bytes = 0;
    if (!cpus || !number(from, "node", IDS_LIMIT, &node))
        return false;
    if (json_object_object_get_ex(from, "memory_bytes", NULL) && !number(from, "memory_bytes", INT64_MAX, &bytes))
        return false;
    *out = (struct bundle_node){ (uint32_t)node, ids_of_text(reader->arena, cpus), (uint64_t)bytes };
    return out->cpus != NULL;
}

static bool read_host(struct bundle_reader *reader, struct json_c_object *from, struct bundle_host *out)
{
    struct json_c_object *array = json_c_member(from, "nodes", json_type_array);
    size_t count = array ? json_object_array_length(array) : 0;
    struct bundle_node *nodes = arena_array(reader->arena, struct bundle_node, count + 1);
    *out = (struct bundle_host){ text(reader->arena, from, "name"), nodes, (uint32_t)count };
    for (size_t i = 0; i < count; i++)
        if (!read_node(reader, json_object_array_get_idx(array, i), &nodes[i]))
            return false;
    return array && out->name;
}

static bool read_hosts(struct bundle_reader *reader, struct json_c_object *from)
{
    struct json_c_object *array = json_c_member(from, "hosts", json_type_array);
    size_t count = array ? json_object_array_length(array) : 0;
    struct bundle_host *hosts = arena_array(reader->arena, struct bundle_host, count + 1);
    for (size_t i = 0; i < count; i++)
        if (!read_host(reader, json_object_array_get_idx(array, i), &hosts[i]))
            return false;
    reader->bundle->hosts = hosts;
    reader->bundle->host_count = (uint32_t)count;
    return true;
}

static const struct bundle_host *host_named(const struct bundle *bundle, const char *name)
{
    for (uint32_t i = 0; name && i < bundle->host_count; i++)
        if (strcmp(bundle->hosts[i].name, name) == 0)
            return &bundle->hosts[i];
    return NULL;
}

/* ---- guests ----------------------------------------------------------------------------------------------------- */

/* Each guest once: they stand in the order of the plan, some left out.  *at moves behind the one that is found. */
static const struct plan_guest *next_named(const struct plan *plan, const char *name, uint32_t *at)
{
    while (name && *at < plan->guest_count) {
        const struct plan_guest *guest = &plan->guests[(*at)++];
        if (strcmp(guest->name, name) == 0)
            return guest;
    }
    return NULL;
}

static bool read_argv(struct bundle_reader *reader, struct json_c_object *from, const char *const **out)
{
    struct json_c_object *array = json_c_member(from, "argv", json_type_array);
    if (!array)
        return true;
    size_t count = json_object_array_length(array);
    const char **argv = arena_array(reader->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++) {
        argv[i] = json_c_text(reader->arena, json_object_array_get_idx(array, i));
        if (!argv[i])
            return false;
    }
    *out = argv;
    return count > 0;
}

/* The command line's word, else the site's. */
static void choose_engine(const struct bundle_reader *reader, struct bundle_guest *guest)
{
    guest->connect = reader->connect ? reader->connect : guest->plan->connect;
    guest->engine = reader->says_engine ? reader->engine : guest->connect ? ENGINE_LIBVIRT : ENGINE_EMBED;
}

static bool read_forms(struct bundle_reader *reader, struct json_c_object *from, struct bundle_guest *guest)
{
    guest->xml = text(reader->arena, from, "xml");
    return read_argv(reader, from, &guest->argv);
}

static bool read_by_tcg(struct bundle_reader *reader, struct json_c_object *from, struct bundle_guest *guest)
{
    struct json_c_object *forms = json_c_member(from, "by_tcg", json_type_object);
    if (!forms)
        return true;
    struct bundle_guest *by_tcg = arena_copy(reader->arena, guest, sizeof *guest);
    guest->by_tcg = by_tcg;
    return read_forms(reader, forms, by_tcg);
}

static void find_moves(const struct bundle_reader *reader, struct bundle_guest *guest)
{
    const struct plan_guest *plan = guest->plan;
    struct bundle_guest *moves = arena_array(reader->arena, struct bundle_guest, plan->move_count);
    for (uint32_t m = 0; m < plan->move_count; m++) {
        moves[m].plan = &plan->moves[m];
        moves[m].host = host_named(reader->bundle, moves[m].plan->host);
        moves[m].is_away = true;
        choose_engine(reader, &moves[m]);
    }
    guest->moves = moves;
    guest->move_count = plan->move_count;
}

/* A guest that is meant where it moved to.  False: it may not move there. */
static bool read_whereabouts(struct bundle_reader *reader, struct json_c_object *from, struct bundle_guest *guest)
{
    const char *host = text(reader->arena, from, "host");
    uint32_t at = 0;
    if (!host)
        return true;
    while (at < guest->move_count && strcmp(guest->moves[at].plan->host, host) != 0)
        at++;
    if (at == guest->move_count)
        return false;
    const char *xml = guest->xml;
    *guest = guest->moves[at];
    guest->xml = xml;
    return true;
}

static bool read_guests(struct bundle_reader *reader, struct json_c_object *from)
{
    struct json_c_object *array = json_c_member(from, "guests", json_type_array);
    size_t count = array ? json_object_array_length(array) : 0;
    struct bundle_guest *guests = arena_array(reader->arena, struct bundle_guest, count + 1);
    if (count && !reader->bundle->plan)
        return false;
    for (uint32_t i = 0, at = 0; i < count; i++) {
        struct json_c_object *element = json_object_array_get_idx(array, i);
        guests[i].plan = next_named(reader->bundle->plan, text(reader->arena, element, "name"), &at);
        if (!guests[i].plan || !read_forms(reader, element, &guests[i]))
            return false;
        guests[i].host = host_named(reader->bundle, guests[i].plan->host);
        choose_engine(reader, &guests[i]);
        if (!read_by_tcg(reader, element, &guests[i]))
            return false;
        find_moves(reader, &guests[i]);
        if (!read_whereabouts(reader, element, &guests[i]))
            return false;
    }
    reader->bundle->guests = guests;
    reader->bundle->guest_count = (uint32_t)count;
    return true;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static bool read_plan(struct bundle_reader *reader, struct json_c_object *from)
{
    struct json_c_object *value = json_c_member(from, "plan", json_type_string);
    if (!value)
        return true;
    uint32_t file = sources_add_text(reader->sources, "plan.json", json_object_get_string(value),
                                     (size_t)json_object_get_string_len(value));
    reader->bundle->plan = read_plan_json(reader->arena, reader->sources, reader->findings, file);
    return reader->bundle->plan != NULL;
}

static bool read_choices(struct bundle_reader *reader, struct json_c_object *from)
{
    static const char *const formats[] = { "human", "gcc", "json" }, *const severities[] = { "hint", "warning",
                                                                                             "error" };
    struct bundle *bundle = reader->bundle;
    unsigned verb, format, severity;
    if (!position(verbs, VERB_COUNT, text(reader->arena, from, "verb"), &verb) ||
        !position(formats, G_N_ELEMENTS(formats), text(reader->arena, from, "format"), &format) ||
        !position(severities, G_N_ELEMENTS(severities), text(reader->arena, from, "fail_on"), &severity))
        return false;
    reader->says_engine = json_c_member(from, "engine", json_type_string);
    if (reader->says_engine && !engine_from_word(text(reader->arena, from, "engine"), &reader->engine))
        return false;
    bundle->verb = (enum agent_verb)verb;
    bundle->format = (enum finding_format)format;
    bundle->fail_on = (enum severity)severity;
    int64_t pid = 0;
    if (json_object_object_get_ex(from, "pid", NULL) && !number(from, "pid", INT32_MAX, &pid))
        return false;
    bundle->pid = (pid_t)pid;
    reader->connect = text(reader->arena, from, "connect");
    bundle->detach = flag(from, "detach");
    bundle->dry_run = flag(from, "dry_run");
    bundle->reserve_pages = flag(from, "reserve_pages");
    bundle->repair = flag(from, "repair");
    bundle->watch = flag(from, "watch");
    bundle->colour = flag(from, "colour");
    return true;
}

static bool read_whole(struct bundle_reader *reader, struct json_c_object *root)
{
    struct json_c_object *version = json_c_member(root, "format_version", json_type_int);
    return version && json_object_get_int64(version) == BUNDLE_FORMAT_VERSION && read_choices(reader, root) &&
           read_plan(reader, root) && read_hosts(reader, root) && read_guests(reader, root);
}

static GString *file_text(int file)
{
    GString *text = g_string_new(NULL);
    char piece[1 << 16];
    for (ssize_t got; (got = read(file, piece, sizeof piece)) != 0 && text->len < MOST_BUNDLE_BYTES;) {
        if (got < 0 && errno != EINTR)
            break;
        if (got > 0)
            append_bytes(text, piece, (size_t)got);
    }
    close(file);
    return text;
}

const struct bundle *bundle_read(struct arena *arena, struct sources *sources, struct findings *findings, int file)
{
    struct bundle_reader reader = {
        .arena = arena, .sources = sources, .findings = findings, .bundle = arena_take(arena, struct bundle)
    };
    g_autoptr(GString) bytes = file_text(file);
    struct json_tokener *tokener = json_tokener_new_ex(DEPTH);
    struct json_c_object *root = json_tokener_parse_ex(tokener, bytes->str, (int)bytes->len);
    bool fine = root && read_whole(&reader, root);
    json_object_put(root);
    json_tokener_free(tokener);
    if (!fine && !findings_have_errors(findings)) {
        struct finding *finding =
            report(findings, NM_agent_bundle, SPAN_NONE, "numac-agent was handed nothing that it understands");
        finding_help(findings, finding, "start it through 'numac run'; if that did, install both programs anew");
    }
    return fine ? reader.bundle : NULL;
}
