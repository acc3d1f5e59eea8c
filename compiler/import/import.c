/* SPDX-License-Identifier: MIT
 *
 * Files of domain XML into one site: parts, items, lines, fewer lines, text; and what cannot go that way.  The text
 * is read back by numac's own parser before anybody sees it, so that both notations are laid out as `fmt` would.
 */
#include "import/import.h"

#include <string.h>

#include "import/parts.h"

enum { NAME_BYTES = 200 };

struct importing {
    struct arena *arena;
    struct syntax *syntax;
    const struct import_options *options;
    GArray *parts;     /* struct span, of all files */
    GHashTable *names; /* folded to one case, to struct span of the first */
    GString *text;
    struct import_base *bases;
    uint32_t count;
    bool failed;
};

/* ---- names ------------------------------------------------------------------------------------------------------ */

static bool refuse_name(struct importing *importing, const struct domain_identity *identity, const char *why)
{
    struct findings *findings = importing->syntax->findings;
    struct finding *finding = report(findings, NM_import_name, identity->name_span, "%s", why);
    finding_note(findings, finding, "a guest's files are named after it");
    finding_help(findings, finding, "rename the guest: 'virsh domrename', or its '<name>'");
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
static void keep_base(struct importing *importing, const char *name, struct span part)
{
    const struct source *source = source_at(importing->syntax->sources, part.file);
    struct import_base *base = &importing->bases[importing->count++];
    base->file_name = arena_printf(importing->arena, "%s.xml", name);
    base->text = source->text + part.begin;
    base->length = part.end - part.begin;
}

static void append_guest(struct importing *importing, const char *name, struct line *lines)
{
    struct guest_lines guest = { .arena = importing->arena, .lines = lines };
    say_unsaid(&guest);
    if (!importing->options->in_full)
        simplify(&guest);
    struct line *block = line_new(importing->arena, "guest", name);
    block->is_named = block->is_tall = true;
    if (importing->options->with_bases) {
        block->children = line_new(importing->arena, "base", importing->bases[importing->count - 1].file_name);
        block->children->is_named = true;
    }
    struct line **tail = block->children ? &block->children->next : &block->children;
    *tail = guest.lines;
    if (importing->text->len)
        g_string_append_c(importing->text, '\n');
    lines_append(importing->text, block, 0);
}

static bool import_part(struct importing *importing, struct span part)
{
    struct domain_identity identity;
    struct tree *tree = read_domain_part(importing->syntax, part, &identity);
    bool fine = !tree->failed && name_fits(importing, &identity) && name_is_new(importing, &identity);
    struct line *lines;
    if (!fine || !lines_from_items(importing->arena, importing->syntax, tree->items, &lines))
        return false;
    keep_base(importing, identity.name, part);
    append_guest(importing, identity.name, lines);
    return true;
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

static void split_files(struct importing *importing, const uint32_t *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct source *source = source_at(importing->syntax->sources, files[i]);
        if (source->trouble != SOURCE_FINE) {
            report_trouble(importing->syntax, files[i], IMPORT_BYTES_LIMIT);
            importing->failed = true;
        } else if (!split_domains(importing->syntax, files[i], importing->parts)) {
            importing->failed = true;
        }
    }
}

static void tell_without_base(const struct importing *importing)
{
    struct findings *findings = importing->syntax->findings;
    const struct span *first = &g_array_index(importing->parts, struct span, 0);
    struct finding *finding =
        report(findings, NM_import_no_base, (struct span){ first->file, first->begin, first->begin },
               "%s without a base: of %s only memory, vCPUs and where they live are in this site",
               importing->count == 1 ? "the guest is written" : "the guests are written",
               importing->count == 1 ? "it" : "them");
    finding_note(findings, finding, "machine type, firmware, disks, networks and whatever is kept in the base are not");
    finding_help(findings, finding, "'-o DIR' writes the site and a base for each guest");
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

struct imported import_domains(struct arena *arena, struct syntax *syntax, const uint32_t *files, size_t count,
                               const struct import_options *options)
{
    struct importing importing = { .arena = arena, .syntax = syntax, .options = options };
    struct imported imported = { 0 };
    importing.parts = g_array_new(FALSE, FALSE, sizeof(struct span));
    importing.names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    importing.text = g_string_new(NULL);
    split_files(&importing, files, count);
    importing.bases = arena_array(arena, struct import_base, importing.parts->len + 1u);
    for (guint i = 0; i < importing.parts->len; i++)
        importing.failed |= !import_part(&importing, g_array_index(importing.parts, struct span, i));
    if (!importing.failed) {
        imported = (struct imported){ .site = lay_out(&importing), .bases = importing.bases, .count = importing.count };
        if (!options->with_bases)
            tell_without_base(&importing);
    }
    g_array_free(importing.parts, TRUE);
    g_hash_table_destroy(importing.names);
    g_string_free(importing.text, TRUE);
    return imported;
}
