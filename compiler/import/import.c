/* SPDX-License-Identifier: MIT
 *
 * Files of domain XML and command lines into one site: parts, lines, fewer lines, text; and what cannot go that way.
 * The text is read back by numac's own parser before anybody sees it, so that both notations are laid out as `fmt`
 * would.
 */
#include "import/import.h"

#include <string.h>

#include "import/argv.h"

enum { NAME_BYTES = 200 };

struct importing {
    struct arena *arena;
    struct syntax *syntax;
    const struct import_options *options;
    GArray *parts;     /* struct span, of all files of XML */
    GArray *commands;  /* struct argv_command, of all others */
    GHashTable *names; /* folded to one case, to struct span of the first */
    GString *text;
    struct import_base *bases;
    uint32_t count; /* of bases */
    bool failed;
};

/* ---- names ------------------------------------------------------------------------------------------------------ */

static bool refuse_name(struct importing *importing, const struct domain_identity *identity, const char *why)
{
    struct findings *findings = importing->syntax->findings;
    struct finding *finding = report(findings, NM_import_name, identity->name_span, "%s", why);
    finding_note(findings, finding, "a guest's files are named after it");
    finding_help(findings, finding, "rename the guest: 'virsh domrename', its '<name>', or '-name'");
    return false;
}

static bool name_fits(struct importing *importing, const struct domain_identity *identity)
{
    const char *name = identity->name;
    if (!name)
        return refuse_name(importing, identity, "the guest has no name");
    for (const char *at = name; *at; at++)
        if (g_ascii_iscntrl(*at))
            return refuse_name(importing, identity, "the guest's name holds a control character");
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strchr(name, '/'))
        return refuse_name(importing, identity, "the guest's name cannot be that of a file");
    if (strlen(name) > NAME_BYTES)
        return refuse_name(importing, identity, "the guest's name is longer than 200 bytes");
    if (strchr(name, '$'))
        return refuse_name(importing, identity, "the guest's name holds a '$', which begins a variable in a site");
    return true;
}

static bool name_is_new(struct importing *importing, const struct domain_identity *identity)
{
    struct findings *findings = importing->syntax->findings;
    char *folded = g_utf8_casefold(identity->name, -1);
    const struct span *before = g_hash_table_lookup(importing->names, folded);
    if (!before) {
        g_hash_table_insert(importing->names, folded,
                            arena_copy(importing->arena, &identity->name_span, sizeof identity->name_span));
        return true;
    }
    g_free(folded);
    struct finding *finding =
        report(findings, NM_import_same_name, identity->name_span, "two guests are named '%s'", identity->name);
    finding_label(findings, finding, *before, "the other one");
    finding_note(findings, finding, "upper and lower case count as one: some file systems do not tell them apart");
    finding_help(findings, finding, "rename one, or import them into two sites");
    return false;
}

/* ---- one guest -------------------------------------------------------------------------------------------------- */

/* A part of a list ends without the line end that a file has. */
static const struct import_base *keep_base(struct importing *importing, const char *name, struct span part)
{
    const struct source *source = source_at(importing->syntax->sources, part.file);
    struct import_base *base = &importing->bases[importing->count++];
    base->file_name = arena_printf(importing->arena, "%s.xml", name);
    base->text = source->text + part.begin;
    base->length = part.end - part.begin;
    return base;
}

/* base: NULL where it has none. */
static void append_guest(struct importing *importing, const char *name, const struct import_base *base,
                         struct guest_lines *guest)
{
    if (!importing->options->in_full)
        simplify(guest);
    struct line *block = line_new(importing->arena, "guest", name);
    block->is_named = block->is_tall = true;
    if (base) {
        block->children = line_new(importing->arena, "base", base->file_name);
        block->children->is_named = true;
    }
    struct line **tail = block->children ? &block->children->next : &block->children;
    *tail = guest->lines;
    if (importing->text->len)
        g_string_append_c(importing->text, '\n');
    lines_append(importing->text, block, 0);
}

/* ---- memory, as libvirt has it ----------------------------------------------------------------------------------- */

enum { DEVICE_STEP_KIB = 2048 }; /* libvirt rounds them up to it; its virtio-mem it refuses instead */

struct rounding {
    struct importing *importing;
    uint64_t block_kib; /* of the architecture; 0: it has none */
};

static bool is_rounded(const struct line *line)
{
    return line_is(line, "dimm") || line_is(line, "nvdimm") || line_is(line, "virtio-pmem");
}

static void tell_rounded(const struct rounding *rounding, enum code code, const struct item *item, uint64_t kib,
                         uint64_t step, uint64_t taken)
{
    struct arena *arena = rounding->importing->arena;
    struct findings *findings = rounding->importing->syntax->findings;
    struct finding *finding = report(
        findings, code, word_span(item, item->arguments[0]), "%s of %s, which is no whole number of %s: taken as %s",
        code == NM_device_rounded ? "a memory device" : "memory", size_text(arena, kib * KIB),
        size_text(arena, step * KIB), size_text(arena, taken * KIB));
    finding_note(findings, finding,
                 taken > kib ? "libvirt rounds it up without a word" : "libvirt rounds it down without a word");
    finding_help(findings, finding, "write the size that the guest really has");
}

/* `beside`: what of it is no part of the steps. */
static void round_line(const struct rounding *rounding, enum code code, const struct item *item, struct line *line,
                       uint64_t step, uint64_t beside)
{
    uint64_t kib;
    if (!line_argument(line) || !text_kib(line->arguments[0], &kib) || kib < beside || (kib - beside) % step == 0 ||
        kib > UINT64_MAX / KIB - step)
        return;
    uint64_t steps = (kib - beside) / step, taken = beside ? steps * step + beside : (steps + 1) * step;
    tell_rounded(rounding, code, item, kib, step, taken);
    line->arguments[0] = arena_printf(rounding->importing->arena, "%" G_GUINT64_FORMAT "KiB", taken);
}

/* Labels of ppc64 stand behind its blocks, which libvirt rounds down. */
static uint64_t labels_kib(const struct rounding *rounding, const struct line *device)
{
    const struct line *said = line_is(device, "nvdimm") ? line_find(device->children, "label-size") : NULL;
    uint64_t kib = 0;
    return rounding->block_kib && line_argument(said) && text_kib(said->arguments[0], &kib) ? kib : 0;
}

/* Lines are those of the items, one for one. */
static void round_lines(const struct rounding *rounding, const struct item *items, struct line *lines)
{
    for (; items && lines; items = items->next, lines = lines->next) {
        bool is_device = is_rounded(lines), is_memory = rounding->block_kib && line_is(lines, "memory");
        if (is_memory)
            round_line(rounding, NM_memory_not_whole_mib, items, lines, rounding->block_kib, 0);
        const struct item *item = is_device || is_memory || line_is(lines, "cell") ? items->children : NULL;
        uint64_t labels = is_device ? labels_kib(rounding, lines) : 0;
        for (struct line *line = item ? lines->children : NULL; line && item; line = line->next, item = item->next) {
            if (is_device && line_is(line, "size"))
                round_line(rounding, NM_device_rounded, item, line, MAX(rounding->block_kib, DEVICE_STEP_KIB), labels);
            else if (rounding->block_kib && (line_is(line, "max") || line_is(line, "memory")))
                round_line(rounding, NM_memory_not_whole_mib, item, line, rounding->block_kib, 0);
        }
    }
}

static bool is_in_slot(const struct line *line)
{
    return line_is(line, "dimm") || line_is(line, "nvdimm");
}

/* Where nobody says slots, libvirt and QEMU count in the order they read, and numac kind by kind: with both kinds each
 * says its own. */
static void say_slots(struct arena *arena, struct line *lines)
{
    bool taken[ARGV_MEMORY_DEVICE_LIMIT] = { false };
    uint64_t said;
    if (!line_find(lines, "dimm") || !line_find(lines, "nvdimm"))
        return;
    for (struct line *line = lines; line; line = line->next) {
        const char *slot = is_in_slot(line) ? line_argument(line_find(line->children, "slot")) : NULL;
        if (slot && text_number(slot, &said) && said < ARGV_MEMORY_DEVICE_LIMIT)
            taken[said] = true;
    }
    unsigned next = 0;
    for (struct line *line = lines; line; line = line->next) {
        if (!is_in_slot(line) || line_find(line->children, "slot"))
            continue;
        while (next < ARGV_MEMORY_DEVICE_LIMIT && taken[next])
            next++;
        if (next == ARGV_MEMORY_DEVICE_LIMIT)
            return; /* more than there are is told by a rule */
        line_add(&line->children, line_new(arena, "slot", arena_printf(arena, "%u", next++)));
    }
}

static bool import_part(struct importing *importing, struct span part)
{
    struct domain_identity identity;
    struct domain_beside beside = { 0 };
    bool is_alone = !importing->options->with_bases;
    struct tree *tree = read_domain_part(importing->syntax, part, &identity, is_alone ? &beside : NULL);
    bool fine = !tree->failed && name_fits(importing, &identity) && name_is_new(importing, &identity);
    struct guest_lines guest = { .arena = importing->arena };
    if (!fine || !lines_from_items(importing->arena, importing->syntax, tree->items, &guest.lines))
        return false;
    struct rounding rounding = { importing, 0 };
    if (tree->ruled[BASE_ARCH].text)
        rounding.block_kib = architecture_of(tree->ruled[BASE_ARCH].text)->memory_block / KIB;
    if (is_alone) { /* a base is libvirt's, which does both itself */
        round_lines(&rounding, tree->items, guest.lines);
        say_slots(importing->arena, guest.lines);
    }
    say_unsaid(&guest);
    if (is_alone && !say_beside(&guest, importing->syntax, tree->ruled, &beside))
        return false;
    const struct import_base *base = keep_base(importing, identity.name, part);
    append_guest(importing, identity.name, is_alone ? NULL : base, &guest);
    return true;
}

static bool import_command(struct importing *importing, const struct argv_command *command)
{
    struct domain_identity identity;
    struct guest_lines guest = { .arena = importing->arena };
    if (!argv_to_lines(importing->arena, importing->syntax, command, &identity, &guest.lines) ||
        !name_fits(importing, &identity) || !name_is_new(importing, &identity))
        return false;
    say_slots(importing->arena, guest.lines);
    append_guest(importing, identity.name, NULL, &guest);
    return true;
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

/* What begins with a tag is XML, and must be text. */
static bool split_file(struct importing *importing, uint32_t file)
{
    struct syntax *syntax = importing->syntax;
    struct source *source = source_at(syntax->sources, file);
    bool is_command = source->trouble == SOURCE_FINE && is_command_line(source);
    const char *nul = is_command ? NULL : memchr(source->text, 0, source->length);
    if (nul) {
        source->trouble = SOURCE_BINARY;
        source->at = (uint32_t)(nul - source->text);
    }
    if (source->trouble != SOURCE_FINE) {
        report_trouble(syntax, file, IMPORT_BYTES_LIMIT);
        return false;
    }
    if (!is_command)
        return split_domains(syntax, file, importing->parts);
    GArray *words = g_array_new(FALSE, FALSE, sizeof(struct argv_word));
    bool fine = argv_split(importing->arena, syntax, file, words);
    const struct argv_word *kept = arena_copy(importing->arena, words->data, words->len * sizeof *kept);
    fine = fine && argv_find_commands(syntax, file, kept, words->len, importing->commands);
    g_array_free(words, TRUE);
    return fine;
}

static void split_files(struct importing *importing, const uint32_t *files, size_t count)
{
    for (size_t i = 0; i < count; i++)
        importing->failed |= !split_file(importing, files[i]);
}

/* Laid out by the writer that `fmt` and `convert` use. */
static GString *lay_out(struct importing *importing)
{
    struct syntax *syntax = importing->syntax;
    uint32_t file = sources_add_text(syntax->sources, "site.numa", importing->text->str, importing->text->len);
    struct tree *tree = read_numa(syntax, file, false);
    GString *site = g_string_sized_new(importing->text->len);
    if (!tree->failed && write_notation(syntax, tree, importing->options->notation, site))
        return site;
    g_string_free(site, TRUE);
    return NULL;
}

struct imported import_guests(struct arena *arena, struct syntax *syntax, const uint32_t *files, size_t count,
                              const struct import_options *options)
{
    struct importing importing = { .arena = arena, .syntax = syntax, .options = options };
    struct imported imported = { 0 };
    importing.parts = g_array_new(FALSE, FALSE, sizeof(struct span));
    importing.commands = g_array_new(FALSE, FALSE, sizeof(struct argv_command));
    importing.names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    importing.text = g_string_new(NULL);
    split_files(&importing, files, count);
    importing.bases = arena_array(arena, struct import_base, importing.parts->len + 1u);
    for (guint i = 0; i < importing.parts->len; i++)
        importing.failed |= !import_part(&importing, g_array_index(importing.parts, struct span, i));
    for (guint i = 0; i < importing.commands->len; i++)
        importing.failed |= !import_command(&importing, &g_array_index(importing.commands, struct argv_command, i));
    if (!importing.failed)
        imported = (struct imported){ .site = lay_out(&importing), .bases = importing.bases, .count = importing.count };
    g_array_free(importing.parts, TRUE);
    g_array_free(importing.commands, TRUE);
    g_hash_table_destroy(importing.names);
    g_string_free(importing.text, TRUE);
    return imported;
}
