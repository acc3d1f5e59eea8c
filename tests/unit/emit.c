/* SPDX-License-Identifier: MIT
 *
 * The emitters on hand-made plans: whole outputs against files in data/, and one test for each thing that is easy to
 * get wrong.  NUMAC_BLESS=1 writes the files anew.
 */
#include <string.h>

#include "diag/findings.h"
#include "emit_plans.h"

static void write_json_of(const struct plan_guest *guest, const struct base_text *base, GString *out)
{
    (void)base;
    static const char *const targets[] = { "libvirt", "qemu" };
    struct plan plan = { .site = "test", .guests = guest, .guest_count = 1, .targets = targets, .target_count = 2 };
    write_plan_json(&plan, out);
}

static void write_text_of(const struct plan_guest *guest, const struct base_text *base, GString *out)
{
    (void)base;
    struct plan plan = { .site = "test", .guests = guest, .guest_count = 1 };
    write_plan_text(&plan, out);
}

typedef void writer(const struct plan_guest *guest, const struct base_text *base, GString *out);

static char *written(writer *write, const struct plan_guest *guest, const char *base)
{
    struct base_text text = { base, base ? strlen(base) : 0 };
    GString *out = g_string_new(NULL);
    write(guest, base ? &text : NULL, out);
    return g_string_free(out, FALSE);
}

static void check_file(const char *name, const char *text)
{
    g_autofree char *path = g_build_filename("tests", "unit", "data", name, NULL), *wanted = NULL;
    if (g_getenv("NUMAC_BLESS"))
        g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_true(g_file_get_contents(path, &wanted, NULL, NULL));
    g_assert_cmpstr(text, ==, wanted);
}

static void test_goldens(void)
{
    static const struct {
        const char *ending;
        writer *write;
    } outputs[] = {
        { ".xml", write_libvirt_xml }, { ".argv", write_qemu_argv }, { ".sh", write_qemu_script },
        { ".json", write_json_of },    { ".txt", write_text_of },
    };
    struct arena *arena = arena_new();
    struct plan_guest *guests[] = { plain_guest(arena, "plain", 2), database_guest(arena) };
    for (size_t g = 0; g < G_N_ELEMENTS(guests); g++)
        for (size_t i = 0; i < G_N_ELEMENTS(outputs); i++) {
            g_autofree char *text = written(outputs[i].write, guests[g], NULL);
            g_autofree char *name = g_strconcat("emit-", guests[g]->name, outputs[i].ending, NULL);
            check_file(name, text);
        }
    arena_free(arena);
}

/* ---- libvirt's rules -------------------------------------------------------------------------------------------- */

static void assert_has(const char *text, const char *piece)
{
    if (!strstr(text, piece))
        g_error("'%s' is missing in:\n%s", piece, text);
}

static void assert_lacks(const char *text, const char *piece)
{
    if (strstr(text, piece))
        g_error("'%s' must not stand in:\n%s", piece, text);
}

/* The numatune of a guest of two cells. */
static char *numatune_of(const char *a_nodes, enum memory_policy a, const char *b_nodes, enum memory_policy b)
{
    struct arena *arena = arena_new();
    struct plan_guest *guest = database_guest(arena);
    struct plan_cell *cells = arena_copy(arena, guest->cells, 2 * sizeof *cells);
    const char *const nodes[] = { a_nodes, b_nodes };
    for (size_t i = 0; i < 2; i++) {
        cells[i].nodes = NULL;
        if (nodes[i])
            cells[i].nodes = ids_from_range(arena, (uint32_t)nodes[i][0] - '0', (uint32_t)nodes[i][2] - '0');
        cells[i].policy = i ? b : a;
    }
    guest->cells = cells;
    char *text = written(write_libvirt_xml, guest, NULL);
    arena_free(arena);
    char *begin = strstr(text, "  <numatune>\n"), *end = strstr(text, "  </numatune>\n");
    char *result = begin ? g_strndup(begin, (gsize)(end - begin)) : g_strdup("");
    g_free(text);
    return result;
}

static void test_numatune(void)
{
    g_autofree char *none = numatune_of(NULL, POLICY_STRICT, NULL, POLICY_STRICT);
    g_assert_cmpstr(none, ==, "");
    g_autofree char *same = numatune_of("0-1", POLICY_INTERLEAVE, "0-1", POLICY_INTERLEAVE);
    g_assert_cmpstr(same, ==, "  <numatune>\n    <memory mode='interleave' nodeset='0-1'/>\n");
    g_autofree char *two = numatune_of("0-0", POLICY_STRICT, "2-3", POLICY_STRICT);
    g_assert_cmpstr(two, ==,
                    "  <numatune>\n    <memory mode='strict' nodeset='0,2-3'/>\n"
                    "    <memnode cellid='0' mode='strict' nodeset='0'/>\n"
                    "    <memnode cellid='1' mode='strict' nodeset='2-3'/>\n");
    /* a memory element would bind the other cell too, or bind the emulator in a way no cell says */
    g_autofree char *half = numatune_of("0-0", POLICY_STRICT, NULL, POLICY_STRICT);
    g_assert_cmpstr(half, ==, "  <numatune>\n    <memnode cellid='0' mode='strict' nodeset='0'/>\n");
    g_autofree char *preferred = numatune_of("0-0", POLICY_PREFERRED, "1-1", POLICY_PREFERRED);
    assert_lacks(preferred, "<memory ");
    g_autofree char *mixed = numatune_of("0-0", POLICY_STRICT, "0-0", POLICY_INTERLEAVE);
    assert_lacks(mixed, "<memory ");
    /* libvirt 9.4 wants a restrictive memory beside restrictive memnodes */
    g_autofree char *restrictive = numatune_of("0-0", POLICY_RESTRICTIVE, "1-1", POLICY_RESTRICTIVE);
    assert_has(restrictive, "<memory mode='restrictive' nodeset='0-1'/>");
}

static void test_hostile_xml(void)
{
    struct arena *arena = arena_new();
    struct plan_guest *guest = plain_guest(arena, "a<b>&'\"\n\t\x01\xff]]>", 1);
    guest->disk = "/x' bus='evil";
    guest->cmdline = guest->kernel = "</cmdline><x/>&amp;";
    g_autofree char *text = written(write_libvirt_xml, guest, NULL);
    assert_has(text, "<name>a&lt;b&gt;&amp;&apos;&quot;&#10;&#9;\xef\xbf\xbd\xef\xbf\xbd]]&gt;</name>\n");
    assert_has(text, "<source file='/x&apos; bus=&apos;evil'/>\n");
    assert_has(text, "<cmdline>&lt;/cmdline&gt;&lt;x/&gt;&amp;amp;</cmdline>\n");
    arena_free(arena);
}

/* ---- QEMU ------------------------------------------------------------------------------------------------------- */

/* What a shell makes of an argv whose words hold no line ends. */
static char **words_of_shell(const char *text)
{
    g_autofree char *line = g_strdelimit(g_strdup(text), "\n", ' ');
    g_autofree char *script = g_strdup_printf("printf '%%s\\001' %s", line);
    const char *arguments[] = { "sh", "-c", script, NULL };
    g_autofree char *out = NULL;
    int status = 1;
    g_assert_true(g_spawn_sync(NULL, (char **)(uintptr_t)arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL,
                               &status, NULL));
    g_assert_cmpint(status, ==, 0);
    return g_strsplit(out, "\001", -1);
}

static bool has_word(char **words, const char *word)
{
    return g_strv_contains((const char *const *)words, word);
}

static void test_hostile_argv(void)
{
    struct arena *arena = arena_new();
    struct plan_guest *guest = plain_guest(arena, "a,b=c;$(touch x)`id`'\"\\*", 1);
    guest->disk = "/images/x,y 'z'.img";
    guest->kernel = "-S";
    guest->cmdline = "a  b 'c' \"d\" $HOME ~ # !";
    g_autofree char *text = written(write_qemu_argv, guest, NULL);
    g_auto(GStrv) words = words_of_shell(text);
    g_assert_true(has_word(words, "guest=a,,b=c;$(touch x)`id`'\"\\*,debug-threads=on"));
    g_assert_true(has_word(words, "node-name=disk0,driver=raw,file.driver=file,file.filename=/images/x,,y 'z'.img"));
    g_assert_true(has_word(words, "a  b 'c' \"d\" $HOME ~ # !"));
    g_assert_false(g_file_test("x", G_FILE_TEST_EXISTS));
    arena_free(arena);
}

/* The script, with programs that only say what they were given. */
static void test_hostile_script(void)
{
    struct arena *arena = arena_new();
    struct plan_guest *guest = plain_guest(arena, "n'\n$(touch x);\nend", 2);
    const struct ids **cpus = arena_array(arena, const struct ids *, 2);
    cpus[0] = ids_from_range(arena, 4, 5);
    cpus[1] = ids_from_range(arena, 9, 9);
    guest->vcpu_cpus = cpus;
    guest->cmdline = guest->kernel = "x\ny\\";
    g_autofree char *script = written(write_qemu_script, guest, NULL);
    g_autofree char *text = g_strconcat("taskset() { printf '%s\\001' \"$@\"; }\n", script, NULL);
    char *exec = strstr(text, "\nexec taskset");
    g_assert_nonnull(exec);
    memcpy(exec, "\n     ", 6); /* a function cannot stand in for exec, which is special */
    const char *arguments[] = { "sh", "-c", text, NULL };
    g_autofree char *out = NULL, *told = NULL;
    g_assert_true(g_spawn_sync(NULL, (char **)(uintptr_t)arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &told,
                               NULL, NULL));
    g_auto(GStrv) words = g_strsplit(out, "\001", -1);
    g_assert_cmpstr(words[0], ==, "-c");
    g_assert_cmpstr(words[1], ==, "4-5,9");
    g_assert_cmpstr(words[2], ==, "qemu-system-x86_64");
    g_assert_true(has_word(words, "guest=n'\n$(touch x);\nend,debug-threads=on"));
    g_assert_true(has_word(words, "x\ny\\"));
    assert_has(told, "vcpu 0 on cpus 4-5\n  vcpu 1 on cpu 9\n");
    g_assert_false(g_file_test("x", G_FILE_TEST_EXISTS));
    arena_free(arena);
}

static void test_script_without_pins(void)
{
    struct arena *arena = arena_new();
    struct plan_guest *guest = plain_guest(arena, "free", 2);
    g_autofree char *text = written(write_qemu_script, guest, NULL);
    assert_lacks(text, "taskset");
    assert_lacks(text, ">&2");
    const struct ids **cpus = arena_array(arena, const struct ids *, 2);
    cpus[1] = ids_from_range(arena, 4, 4); /* vCPU 0 may run anywhere: a taskset would pin it */
    guest->vcpu_cpus = cpus;
    g_autofree char *half = written(write_qemu_script, guest, NULL);
    assert_lacks(half, "taskset");
    assert_has(half, "vcpu 1 on cpu 4");
    arena_free(arena);
}

/* ---- JSON ------------------------------------------------------------------------------------------------------- */

struct reading {
    struct arena *arena;
    struct sources *sources;
    struct findings *findings;
    const struct plan *plan;
};

static struct reading read_text_of_plan(const char *text)
{
    struct reading reading = { .arena = arena_new(), .sources = sources_new() };
    reading.findings = findings_new(reading.sources);
    uint32_t file = sources_add_text(reading.sources, "plan.json", text, strlen(text));
    reading.plan = read_plan_json(reading.arena, reading.sources, reading.findings, file);
    return reading;
}

static void reading_free(struct reading *reading)
{
    findings_free(reading->findings);
    sources_free(reading->sources);
    arena_free(reading->arena);
}

static void test_hosts_round_trip(void)
{
    struct arena *arena = arena_new();
    static const struct plan_pool pools[] = { { 2 * MIB, 512, 0 }, { GIB, 8, 3 } };
    struct plan_node nodes[] = {
        { .os_index = 0, .memory_known = true, .memory_bytes = 8 * GIB, .pools = pools, .pool_count = 2 },
        { .os_index = 4 }
    };
    for (size_t i = 0; i < G_N_ELEMENTS(nodes); i++)
        nodes[i].own_cpus = nodes[i].shared_cpus = nodes[i].isolated_cpus = nodes[i].reserved_cpus = &ids_none;
    nodes[0].own_cpus = ids_from_range(arena, 0, 3);
    nodes[0].isolated_cpus = ids_from_range(arena, 7, 7);
    const struct plan_host hosts[] = { { "near", nodes, 2 }, { "far", nodes, 1 } };
    struct plan plan = { .site = "test", .hosts = hosts, .host_count = 2 };
    g_autoptr(GString) first = g_string_new(NULL), second = g_string_new(NULL);
    write_plan_json(&plan, first);
    struct reading reading = read_text_of_plan(first->str);
    g_assert_nonnull(reading.plan);
    g_assert_cmpuint(reading.plan->hosts[0].nodes[0].pools[1].pages_left, ==, 3);
    g_assert_false(reading.plan->hosts[0].nodes[1].memory_known);
    write_plan_json(reading.plan, second);
    g_assert_cmpstr(first->str, ==, second->str);
    reading_free(&reading);
    arena_free(arena);
}

/* A guest on other hosts, `host` of the one in question and whether it says where it moves on to. */
static char *moving_plan(struct arena *arena, const char *name, const char *host, bool moves_on)
{
    struct plan_guest *guest = database_guest(arena), *moves = arena_array(arena, struct plan_guest, 3);
    guest->host = "home";
    moves[0] = moves[1] = moves[2] = *guest;
    moves[0].host = "near";
    moves[1].host = host;
    moves[1].name = name;
    moves[1].moves = moves_on ? &moves[2] : NULL;
    moves[1].move_count = moves_on;
    guest->moves = moves;
    guest->move_count = 2;
    return written(write_json_of, guest, NULL);
}

static void test_moves(void)
{
    static const struct {
        const char *name, *host;
        bool moves_on;
        enum code code;
    } cases[] = {
        { "pg-1", "home", false, NM_plan_conflict }, { "pg-1", "near", false, NM_plan_conflict },
        { "pg-1", NULL, false, NM_plan_conflict },   { "pg-2", "far", false, NM_plan_conflict },
        { "pg-1", "far", true, NM_plan_key },
    };
    struct arena *arena = arena_new();
    g_autofree char *first = moving_plan(arena, "pg-1", "far", false);
    struct reading sound = read_text_of_plan(first);
    g_autoptr(GString) second = g_string_new(NULL);
    g_assert_nonnull(sound.plan);
    write_plan_json(sound.plan, second);
    g_assert_cmpstr(first, ==, second->str);
    g_assert_cmpstr(sound.plan->guests[0].moves[1].host, ==, "far");
    reading_free(&sound);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = moving_plan(arena, cases[i].name, cases[i].host, cases[i].moves_on);
        struct reading reading = read_text_of_plan(text);
        g_assert_null(reading.plan);
        g_assert_cmpuint(findings_count(reading.findings, ERROR), ==, 1);
        g_assert_cmpint(findings_nth(reading.findings, 0)->code, ==, cases[i].code);
        reading_free(&reading);
    }
    arena_free(arena);
}

static void test_json_round_trip(void)
{
    struct arena *arena = arena_new();
    struct plan_guest *guest = database_guest(arena);
    static const struct plan_feature features[] = { { "topoext", true }, { "pdpe1gb", false } };
    guest->features = features;
    guest->feature_count = 2;
    guest->cache_mode = CACHE_EMULATE;
    guest->cache_level = 3;
    guest->maxphysaddr_mode = MAXPHYSADDR_PASSTHROUGH;
    guest->maxphysaddr_bits = 42;
    guest->cmdline = "quotes \" and \\ and \xc3\xa9";
    struct plan_cell *cells = arena_copy(arena, guest->cells, 2 * sizeof *cells);
    cells[1].path = "/dev/hugepages";
    cells[1].align_bytes = cells[1].offset_bytes = GIB;
    cells[1].discard = cells[1].has_discard = true;
    guest->cells = cells;
    g_autofree char *first = written(write_json_of, guest, NULL);
    struct reading reading = read_text_of_plan(first);
    g_assert_nonnull(reading.plan);
    g_autoptr(GString) second = g_string_new(NULL);
    write_plan_json(reading.plan, second);
    g_assert_cmpstr(first, ==, second->str);
    for (size_t i = 0; i < 2; i++) { /* and what is written from both is the same */
        g_autofree char *a = written(i ? write_libvirt_xml : write_qemu_argv, guest, NULL);
        g_autofree char *b = written(i ? write_libvirt_xml : write_qemu_argv, &reading.plan->guests[0], NULL);
        g_assert_cmpstr(a, ==, b);
    }
    reading_free(&reading);
    arena_free(arena);
}

/* Levels above the socket stand where there are several, and no plan without them is another one. */
static void test_json_books(void)
{
    struct arena *arena = arena_new();
    struct plan_guest *guest = database_guest(arena);
    g_autofree char *without = written(write_json_of, guest, NULL);
    g_assert_null(strstr(without, "\"books\""));
    guest->drawers = guest->books = 2;
    guest->sockets = guest->cores = 1;
    guest->is_qemu_only = true;
    g_autofree char *text = written(write_json_of, guest, NULL), *argv = written(write_qemu_argv, guest, NULL);
    g_assert_nonnull(strstr(argv, "8,drawers=2,books=2,sockets=1,dies=1,cores=1,threads=2"));
    g_autofree char *shown = written(write_text_of, guest, NULL);
    g_assert_nonnull(strstr(shown, "\n  2 drawers x 2 books x 1 socket x 1 core x 2 threads; "));
    struct reading reading = read_text_of_plan(text);
    g_assert_nonnull(reading.plan);
    g_assert_cmpuint(reading.plan->guests[0].drawers, ==, 2);
    g_assert_cmpuint(reading.plan->guests[0].books, ==, 2);
    struct vcpu_place place = vcpu_place(guest, 7);
    g_assert_cmpuint(place.drawer, ==, 1);
    g_assert_cmpuint(place.book, ==, 1);
    g_assert_cmpuint(place.socket, ==, 0);
    g_assert_cmpuint(place.thread, ==, 1);
    reading_free(&reading);
    arena_free(arena);
}

/* Each a piece of a good plan and what is put there instead. */
#define A_BUS(number, controller, kind, ports)                                                                     \
    "{\"name\": \"b\", \"kind\": \"" kind "\", \"cell\": 0, \"number\": " #number ", \"controller\": " #controller \
    ", \"ports\": " #ports "}"
#define ONE_BUS A_BUS(180, 1, "pxb-pcie", 2)
#define A_DEVICE(address, bus, controller, slot)                                                         \
    "{\"name\": \"d\", \"address\": \"" address "\", \"bus\": \"" bus "\", \"controller\": " #controller \
    ", \"slot\": " #slot "}"
#define A_DEVICE_ON_ROOT(controller) \
    "{\"name\": \"r\", \"address\": \"0000:01:00.0\", \"controller\": " #controller ", \"slot\": 0}"
#define AN_INITIATOR(cell) "{\"name\": \"i\", \"address\": \"0000:01:00.0\", \"initiator\": " #cell "}"
#define DEVICES(one, other) "\"expanders\": [" ONE_BUS "], \"devices\": [" one ", " other "], \"locked\": true"
#define ONE_DEVICE A_DEVICE("0000:41:00.0", "b", 2, 0)
#define BUSES(one, other) "\"expanders\": [" one ", " other "], \"locked\": true"

#define HOSTS(nodes) "\"hosts\": [{\"name\": \"r1\", \"nodes\": [" nodes "]}], \"site\""
#define A_POOL(size, left) "{\"page_bytes\": " #size ", \"pages\": 8, \"pages_left\": " #left "}"

static void test_json_refusals(void)
{
    static const struct {
        const char *piece, *instead;
        enum code code;
    } cases[] = {
        { "\"format_version\": 1", "\"format_version\": 2", NM_plan_version },
        { "\"format_version\": 1", "\"format_version\": -1", NM_plan_value },
        { "\"site\"", "\"sit\"", NM_plan_key },
        { "\"site\"", HOSTS("{\"node\": 0}, {\"node\": 0}"), NM_plan_conflict },
        { "\"site\"", HOSTS("{\"node\": 65536}"), NM_plan_value },
        { "\"site\"", HOSTS("{\"node\": 0, \"memory_bytes\": 4096}"), NM_plan_key },
        { "\"site\"", HOSTS("{\"node\": 0, \"memory_bytes\": 4096, \"memory_left_bytes\": 8192}"), NM_plan_conflict },
        { "\"site\"", HOSTS("{\"node\": 0, \"own\": \"\"}"), NM_plan_value },
        { "\"site\"", HOSTS("{\"node\": 0, \"free\": \"1\"}"), NM_plan_key },
        { "\"site\"", HOSTS("{\"node\": 0, \"pools\": [" A_POOL(2097152, 9) "]}"), NM_plan_value },
        { "\"site\"", HOSTS("{\"node\": 0, \"pools\": [" A_POOL(4096, 1) ", " A_POOL(4096, 1) "]}"), NM_plan_conflict },
        { "\"machine\": \"q35\",", "", NM_plan_key },
        { "\"policy\": \"strict\"", "\"policy\": \"loose\"", NM_plan_value },
        { "\"policy\": \"strict\",", "", NM_plan_key },
        { "\"nodes\": \"0\"", "\"nodes\": \"\"", NM_plan_value },
        { "\"nodes\": \"0\"", "\"nodes\": 0", NM_plan_value },
        { "\"nodes\": \"0\"", "\"nodes\": \"3-1\"", NM_plan_value },
        { "\"nodes\": \"0\"", "\"nodes\": \"1,0\"", NM_plan_value },
        { "\"nodes\": \"0\"", "\"nodes\": \"0,1\"", NM_plan_value },
        { "\"nodes\": \"0\"", "\"nodes\": \"00\"", NM_plan_value },
        { "\"nodes\": \"0\"", "\"nodes\": \"65536\"", NM_plan_value },
        { "\"nodes\": \"0\"", "\"nodes\": \"0,\"", NM_plan_value },
        { "\"nodes\": \"0\"", "\"nodes\": \"0\\u0000\"", NM_plan_value },
        { "\"vcpus\": \"4-7\"", "\"vcpus\": \"3-7\"", NM_plan_conflict },
        { "\"vcpus\": \"4-7\"", "\"vcpus\": \"4-8\"", NM_plan_conflict },
        { "\"vcpus\": \"4-7\"", "\"vcpus\": \"4-6\"", NM_plan_conflict },
        { "\"memory_bytes\": 4294967296", "\"memory_bytes\": 4294967297", NM_plan_value },
        { "\"memory_bytes\": 4294967296", "\"memory_bytes\": 2147483648", NM_plan_conflict },
        { "\"memory_bytes\": 4294967296", "\"memory_bytes\": 4294971392", NM_plan_conflict },
        { "\"memory_bytes\": 4294967296", "\"memory_bytes\": 4.0", NM_plan_value },
        { "\"memory_bytes\": 4294967296", "\"memory_bytes\": 99999999999999999999", NM_plan_value },
        { "\"x86_64\"", "\"vax\"", NM_plan_value },
        { "\"sockets\": 2", "\"sockets\": 3", NM_plan_conflict },
        { "\"sockets\": 2", "\"books\": 2, \"sockets\": 2", NM_plan_conflict },
        { "\"sockets\": 2", "\"books\": 0, \"sockets\": 2", NM_plan_value },
        { "\"sockets\": 2", "\"drawers\": 65536, \"books\": 65536, \"sockets\": 65536", NM_plan_conflict },
        { "\"sockets\": 2", "\"drawers\": 2, \"sockets\": 1", NM_plan_conflict }, /* which libvirt cannot say */
        { "\"numa\": true", "\"numa\": false", NM_plan_conflict },
        { "[10, 21]", "[10, 21, 21]", NM_plan_value },
        { "[10, 21]", "[10, 9]", NM_plan_value },
        { "[10, 21]", "[11, 21]", NM_plan_value },
        { "[10, 21],", "", NM_plan_conflict },
        { "\"8\", \"9\"", "\"8\"", NM_plan_conflict },
        { "\"8\", \"9\"", "\"8\", 9", NM_plan_value },
        { "\"8\", \"9\"", "\"8\", \"\"", NM_plan_value },
        { "\"id\": 3", "\"id\": 1", NM_plan_value },
        { "\"uuid\": \"5e", "\"uuid\": \"xx", NM_plan_value },
        { "\"name\": \"pg-1\"", "\"name\": \"pg\\n1\"", NM_plan_value },
        { "\"name\": \"pg-1\"", "\"name\": \"\"", NM_plan_value },
        { "\"locked\": true", BUSES(ONE_BUS, ONE_BUS), NM_plan_conflict },
        { "\"locked\": true", BUSES(ONE_BUS, A_BUS(181, 9, "pxb-pcie", 2)), NM_plan_conflict },
        { "\"locked\": true", BUSES(ONE_BUS, A_BUS(190, 3, "pxb-pcie", 2)), NM_plan_conflict },
        { "\"locked\": true",
          BUSES(ONE_BUS, "{\"name\": \"b\", \"kind\": \"pxb\", \"cell\": 0, \"number\": 9, \"controller\": 9}"),
          NM_plan_conflict },
        { "\"locked\": true", BUSES(ONE_BUS, A_BUS(190, 9, "pxb", 2)), NM_plan_conflict },
        { "\"locked\": true", BUSES(ONE_BUS, A_BUS(254, 9, "pxb-pcie", 2)), NM_plan_conflict },
        { "\"locked\": true", BUSES(ONE_BUS, A_BUS(190, 254, "pxb-pcie", 2)), NM_plan_conflict },
        { "\"locked\": true", BUSES(ONE_BUS, A_BUS(255, 9, "pxb-pcie", 2)), NM_plan_value },
        { "\"locked\": true", BUSES(ONE_BUS, A_BUS(190, 9, "pxb-pcie", 33)), NM_plan_value },
        { "\"locked\": true",
          BUSES(
              ONE_BUS,
              "{\"name\": \"b\", \"kind\": \"pxb-pcie\", \"cell\": 2, \"number\": 9, \"controller\": 9, \"ports\": 1}"),
          NM_plan_value },
        { "\"locked\": true",
          BUSES(ONE_BUS, "{\"name\": \"b\", \"kind\": \"pxb-pcie\", \"cell\": 0, \"number\": 9, \"controller\": 9}"),
          NM_plan_key },
        { "\"locked\": true", DEVICES(ONE_DEVICE, ONE_DEVICE), NM_plan_conflict },
        { "\"locked\": true", DEVICES(ONE_DEVICE, A_DEVICE("0000:42:00.0", "b", 2, 0)), NM_plan_conflict },
        { "\"locked\": true", DEVICES(ONE_DEVICE, A_DEVICE("0000:42:00.0", "b", 4, 0)), NM_plan_conflict },
        { "\"locked\": true", DEVICES(ONE_DEVICE, A_DEVICE("0000:42:00.0", "b", 1, 0)), NM_plan_conflict },
        { "\"locked\": true", DEVICES(ONE_DEVICE, A_DEVICE("0000:42:00.0", "b", 3, 1)), NM_plan_conflict },
        { "\"locked\": true", DEVICES(ONE_DEVICE, A_DEVICE("0000:42:00.0", "c", 3, 0)), NM_plan_conflict },
        { "\"locked\": true", DEVICES(ONE_DEVICE, A_DEVICE("0000:42:00.8", "b", 3, 0)), NM_plan_value },
        { "\"locked\": true", DEVICES(ONE_DEVICE, A_DEVICE("0000:4A:00.0", "b", 3, 0)), NM_plan_value },
        { "\"locked\": true", DEVICES(ONE_DEVICE, A_DEVICE("42:00.0", "b", 3, 0)), NM_plan_value },
        { "\"locked\": true", DEVICES(ONE_DEVICE, A_DEVICE("0000:42:00.0", "b", 3, 32)), NM_plan_value },
        { "\"locked\": true", DEVICES(ONE_DEVICE, A_DEVICE_ON_ROOT(3)), NM_plan_conflict },
        { "\"locked\": true", DEVICES(ONE_DEVICE, A_DEVICE_ON_ROOT(256)), NM_plan_value },
        { "\"locked\": true", DEVICES(ONE_DEVICE, "{\"name\": \"d\"}"), NM_plan_key },
        { "\"locked\": true", DEVICES(ONE_DEVICE, AN_INITIATOR(0)), NM_plan_conflict },
        { "\"locked\": true", DEVICES(ONE_DEVICE, AN_INITIATOR(2)), NM_plan_value },
        { "\"locked\": true", "\"locked\": 1", NM_plan_value },
        { "\"locked\": true", "\"locked\": true, \"x\": 1", NM_plan_key },
        { "\"guests\": [", "\"guests\": [[", NM_plan_text },
        { "\"numa\": true", "\"numa\": true,,", NM_plan_text },
        { "\"numa\": true", "\"numa\": tru", NM_plan_text },
        { "\"numa\": true", "\"numa\": [[[[[[[[[[[[1]]]]]]]]]]]]", NM_plan_text },
    };
    struct arena *arena = arena_new();
    g_autofree char *good = written(write_json_of, database_guest(arena), NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        char *at = strstr(good, cases[i].piece);
        g_assert_nonnull(at);
        g_autofree char *head = g_strndup(good, (gsize)(at - good));
        g_autofree char *bad = g_strconcat(head, cases[i].instead, at + strlen(cases[i].piece), NULL);
        struct reading reading = read_text_of_plan(bad);
        g_assert_null(reading.plan);
        if (reading.findings->list->len != 1)
            g_error("%s gave %u findings", cases[i].instead, reading.findings->list->len);
        const struct finding *finding = g_ptr_array_index(reading.findings->list, 0);
        if (finding->code != cases[i].code)
            g_error("%s gave NM%d, not NM%d: %s", cases[i].instead, finding->code, cases[i].code, finding->message);
        g_assert_cmpuint(finding->span.file, ==, 1);
        reading_free(&reading);
    }
    arena_free(arena);
}

/* A finding stands at the value it is about. */
static void test_json_place(void)
{
    struct arena *arena = arena_new();
    g_autofree char *text = written(write_json_of, database_guest(arena), NULL);
    char *at = strstr(strstr(text, "\"name\": \"b\""), "\"policy\": \"strict\"") + strlen("\"policy\": ");
    memcpy(at, "\"strikt", 7);
    struct reading reading = read_text_of_plan(text);
    const struct finding *finding = g_ptr_array_index(reading.findings->list, 0);
    g_assert_cmpuint(finding->span.begin, ==, (guint)(at - text));
    g_assert_cmpuint(finding->span.end, ==, (guint)(at - text) + 8);
    g_assert_cmpstr(finding->notes[0], ==, "it stands at guests[0].cells[1].policy");
    reading_free(&reading);
    arena_free(arena);
}

static void test_json_cut_short(void)
{
    struct arena *arena = arena_new();
    g_autofree char *good = written(write_json_of, database_guest(arena), NULL);
    for (size_t length = strlen(good) - 2; length > 0; length -= length > 16 ? 7 : 1) {
        g_autofree char *cut = g_strndup(good, length);
        struct reading reading = read_text_of_plan(cut);
        g_assert_null(reading.plan);
        g_assert_cmpuint(reading.findings->list->len, ==, 1);
        reading_free(&reading);
    }
    arena_free(arena);
}

/* ---- text ------------------------------------------------------------------------------------------------------- */

static void test_text_folds_families(void)
{
    struct arena *arena = arena_new();
    struct plan_guest *guests = arena_array(arena, struct plan_guest, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        guests[i] = *plain_guest(arena, arena_printf(arena, "web-%u", i + 1), 2);
        if (i == 500)
            guests[i].memory_bytes = 2 * GIB;
    }
    struct plan plan = { .site = "many", .guests = guests, .guest_count = 1000 };
    g_autoptr(GString) text = g_string_new(NULL);
    write_plan_text(&plan, text);
    assert_has(text->str, "site many: 1000 guests\n\nguests web-1-500,502-1000, each: 2 vCPUs, 1GiB\n");
    assert_has(text->str, "\nguest web-501: 2 vCPUs, 2GiB\n");
    arena_free(arena);
}

/* The headings of a plan of guests that are alike but for those marked with '!', in the order of the names. */
static void test_text_names_families(void)
{
    static const struct {
        const char *names, *headings;
    } rows[] = {
        { "web-1 web-2 web-3", "guests web-1 to web-3, each" },
        { "web-1 web-2! web-3", "guests web-1,3, each|guest web-2" },
        { "web-1 web-2 web-3! web-4 web-5 web-6! web-8", "guests web-1-2,4-5,8, each|guests web-3,6, each" },
        { "web-1 db-2 web-2", "guests web-1 to web-2, each|guest db-2" },
        { "web-08 web-09 web-10 web-0 web-007", "guests web-08 to web-09, each|guests web-10,0, each|guest web-007" },
        { "web a-b -1 web-1234567890", "guest web|guest a-b|guest -1|guest web-1234567890" },
    };
    for (size_t row = 0; row < G_N_ELEMENTS(rows); row++) {
        struct arena *arena = arena_new();
        g_auto(GStrv) names = g_strsplit(rows[row].names, " ", -1);
        struct plan plan = { .site = "many", .guest_count = g_strv_length(names) };
        struct plan_guest *guests = arena_array(arena, struct plan_guest, plan.guest_count);
        for (uint32_t i = 0; i < plan.guest_count; i++) {
            bool marked = g_str_has_suffix(names[i], "!");
            names[i][strlen(names[i]) - marked] = '\0';
            guests[i] = *plain_guest(arena, arena_string(arena, names[i], strlen(names[i])), 2);
            guests[i].memory_bytes += marked * GIB;
        }
        plan.guests = guests;
        g_autoptr(GString) text = g_string_new(NULL), headings = g_string_new(NULL);
        write_plan_text(&plan, text);
        g_auto(GStrv) lines = g_strsplit(text->str, "\n", -1);
        for (char **line = lines; *line; line++)
            if (g_str_has_prefix(*line, "guest"))
                g_string_append_printf(headings, "%s%.*s", headings->len ? "|" : "", (int)strcspn(*line, ":"), *line);
        g_assert_cmpstr(headings->str, ==, rows[row].headings);
        arena_free(arena);
    }
}

int main(int count, char **arguments)
{
    g_test_init(&count, &arguments, NULL);
    g_test_add_func("/emit/goldens", test_goldens);
    g_test_add_func("/emit/numatune", test_numatune);
    g_test_add_func("/emit/hostile-xml", test_hostile_xml);
    g_test_add_func("/emit/hostile-argv", test_hostile_argv);
    g_test_add_func("/emit/hostile-script", test_hostile_script);
    g_test_add_func("/emit/script-without-pins", test_script_without_pins);
    g_test_add_func("/emit/json-round-trip", test_json_round_trip);
    g_test_add_func("/emit/json-of-books", test_json_books);
    g_test_add_func("/emit/json-of-hosts", test_hosts_round_trip);
    g_test_add_func("/emit/moves", test_moves);
    g_test_add_func("/emit/json-refusals", test_json_refusals);
    g_test_add_func("/emit/json-place", test_json_place);
    g_test_add_func("/emit/json-cut-short", test_json_cut_short);
    g_test_add_func("/emit/text-folds-families", test_text_folds_families);
    g_test_add_func("/emit/text-names-families", test_text_names_families);
    return g_test_run();
}
