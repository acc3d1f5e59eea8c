/* SPDX-License-Identifier: MIT
 *
 * Any bytes through the whole compiler: a site, and behind a NUL byte each the file it includes and the base of its
 * guests.  The first byte picks the notation.  A site without error gives outputs that other readers take; one with
 * errors gives findings that are sound in every format.
 *
 * No file is read and no child is started: the reader of files and the loader of hosts are replaced when this is
 * linked (--wrap).  A host is one of a few that were loaded once, picked by the text of its source.
 */
#include <libxml/parser.h>

#include "claims.h"
#include "check/check.h"
#include "emit/emit.h"
#include "model/model.h"
#include "notation/notation.h"
#include "place/place.h"

int LLVMFuzzerInitialize(int *argument_count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* ---- hosts ------------------------------------------------------------------------------------------------------ */

const struct host *__real_host_load(struct arena *arena, struct sources *sources, struct findings *findings,
                                    const char *source, bool is_synthetic, unsigned wants, struct span place);
const struct host *__wrap_host_load(struct arena *arena, struct sources *sources, struct findings *findings,
                                    const char *source, bool is_synthetic, unsigned wants, struct span place);

static const char *const descriptions[] = {
    "pack:2 [numa(memory=64GiB)] l3:2 core:4 pu:2",
    "pack:1 [numa] core:4 pu:1",
    "pack:4 [numa(memory=8GiB)] die:2 l3:1 core:2 pu:2",
    "numa:16(memory=1GiB) core:2 pu:1",
    "numa:1(memory=1TiB) core:256 pu:1",
};
static const char *const recordings[] = {
    "tests/hosts/2n16c-huge.xml",        "tests/hosts/2n8c-no-memory.xml", "tests/hosts/3n12c-holes.xml",
    "tests/hosts/3n16c-cxl.xml",         "tests/hosts/2n16c-hbm.xml",      "tests/hosts/2n16c-isolated.xml",
    "tests/hosts/2n8t-capabilities.xml", "tests/hosts/2n16c-devices.xml",
};
static const struct host *known_hosts[G_N_ELEMENTS(descriptions) + G_N_ELEMENTS(recordings)];
static struct arena *host_arena; /* lives as long as the program */
static bool are_hosts_known;

int LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
    (void)argument_count;
    (void)arguments;
    host_arena = arena_new();
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    for (size_t i = 0; i < G_N_ELEMENTS(known_hosts); i++) {
        bool is_synthetic = i < G_N_ELEMENTS(descriptions);
        const char *source = is_synthetic ? descriptions[i] : recordings[i - G_N_ELEMENTS(descriptions)];
        const struct host *loaded = __real_host_load(host_arena, sources, findings, source, is_synthetic,
                                                     HOST_CACHES | HOST_DEVICES, SPAN_NONE);
        if (!loaded)
            bug("a host of the tests cannot be loaded: start the fuzzer in the project's folder");
        struct host *host = arena_copy(host_arena, loaded, sizeof *loaded);
        host->source_file = 0;
        host->source_text = arena_string(host_arena, source, strlen(source));
        known_hosts[i] = host;
    }
    are_hosts_known = true;
    findings_free(findings);
    sources_free(sources);
    return 0;
}

const struct host *__wrap_host_load(struct arena *arena, struct sources *sources, struct findings *findings,
                                    const char *source, bool is_synthetic, unsigned wants, struct span place)
{
    (void)arena;
    (void)sources;
    (void)findings;
    (void)is_synthetic;
    (void)wants;
    (void)place;
    return known_hosts[g_str_hash(source) % G_N_ELEMENTS(known_hosts)];
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

uint32_t __real_sources_read(struct sources *sources, const char *path, uint32_t max_bytes);
uint32_t __wrap_sources_read(struct sources *sources, const char *path, uint32_t max_bytes);
uint32_t __wrap_sources_read_named(struct sources *sources, const char *path, uint32_t max_bytes);

enum { PARTS = 3 };
static struct part { /* of the input: site, include, base */
    const char *text;
    size_t length;
    uint32_t file; /* in the sources; 0: not read yet */
} parts[PARTS];

static uint32_t part_file(struct sources *sources, unsigned part, const char *name)
{
    if (!parts[part].file)
        parts[part].file = sources_add_text(sources, name, parts[part].text, parts[part].length);
    return parts[part].file;
}

uint32_t __wrap_sources_read(struct sources *sources, const char *path, uint32_t max_bytes)
{
    if (!are_hosts_known)
        return __real_sources_read(sources, path, max_bytes);
    return g_str_has_suffix(path, ".xml") ? part_file(sources, 2, "base.xml") : part_file(sources, 1, "part.numa");
}

uint32_t __wrap_sources_read_named(struct sources *sources, const char *path, uint32_t max_bytes)
{
    return __wrap_sources_read(sources, path, max_bytes);
}

/* ---- what must hold --------------------------------------------------------------------------------------------- */

static void check_xml(const GString *text)
{
    xmlDoc *document = xmlReadMemory(text->str, (int)text->len, "out.xml", NULL,
                                     XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (!document)
        bug("XML that libxml2 does not read");
    xmlFreeDoc(document);
}

static void check_plan_json(struct arena *arena, const struct plan *plan)
{
    g_autoptr(GString) first = g_string_new(NULL);
    g_autoptr(GString) second = g_string_new(NULL);
    write_plan_json(plan, first);
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    const struct plan *again =
        read_plan_json(arena, sources, findings, sources_add_text(sources, "plan.json", first->str, first->len));
    if (!again)
        bug("a plan that cannot be read back");
    write_plan_json(again, second);
    if (!g_string_equal(first, second))
        bug("a plan changes when it is read and written");
    findings_free(findings);
    sources_free(sources);
}

static void check_outputs(struct arena *arena, struct sources *sources, const struct planned_site *planned)
{
    size_t count;
    const struct emitter *rows = emitters(&count);
    g_autoptr(GString) text = g_string_new(NULL);
    write_plan_text(planned->plan, text);
    for (uint32_t g = 0; g < planned->plan->guest_count; g++) {
        const struct plan_guest *guest = &planned->plan->guests[g];
        const struct source *source = guest->has_base ? source_at(sources, planned->guests[g].guest->base_file) : NULL;
        struct base_text base = source ? (struct base_text){ source->text, source->length } : (struct base_text){ 0 };
        for (size_t e = 0; e < count; e++) {
            if (source && !rows[e].takes_base)
                continue;
            g_string_truncate(text, 0);
            rows[e].write(guest, source ? &base : NULL, text);
            if (strcmp(rows[e].suffix, ".xml") == 0)
                check_xml(text);
        }
    }
    check_plan_json(arena, planned->plan);
}

/* ---- one input -------------------------------------------------------------------------------------------------- */

static void split(const char *text, size_t length)
{
    for (unsigned i = 0; i < PARTS; i++) {
        const char *end = i + 1 < PARTS ? memchr(text, 0, length) : NULL;
        size_t taken = end ? (size_t)(end - text) : length;
        parts[i] = (struct part){ .text = text, .length = taken };
        text += taken + (end != NULL);
        length -= taken + (end != NULL);
    }
}

static void compile(struct sources *sources, struct findings *findings, const char *name)
{
    struct arena *arena = arena_new();
    struct syntax *syntax = syntax_new(sources, findings);
    struct model_options options = { 0 };
    struct site *site = build_site(arena, syntax, part_file(sources, 0, name), &options);
    syntax_free(syntax);
    if (site) {
        struct site_hosts hosts = ground_hosts(arena, sources, findings, site);
        check_model(arena, findings, site);
        const struct planned_site *planned = place_site(arena, findings, site, &hosts);
        check_plan(arena, findings, planned);
        if (!findings_have_errors(findings))
            check_outputs(arena, sources, planned);
    } else if (!findings_have_errors(findings))
        bug("no site and no finding");
    helps_in_yaml(findings, sources, arena);
    check_findings(sources, findings);
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (!length)
        return 0;
    split((const char *)bytes + 1, length - 1);
    struct sources *sources = sources_new();
    struct findings *findings = findings_new(sources);
    compile(sources, findings, bytes[0] == 'y' ? "fuzz.yaml" : "fuzz.numa");
    findings_free(findings);
    sources_free(sources);
    return 0;
}
