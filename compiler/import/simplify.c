/* SPDX-License-Identifier: MIT
 *
 * From what a guest's XML spells out to what a person would write: each step is one function with its reason, and
 * leaves the plan as it was.  A step that meets what it does not know leaves it alone.
 */
#include "import/parts.h"

#include <string.h>

/* ---- texts ------------------------------------------------------------------------------------------------------ */

/* A comma or a caret tells a set from a number; "3-0" is left for the rules to tell. */
static bool looks_like_set(const char *text)
{
    return text[strspn(text, "0123456789-,^")] == 0 && strpbrk(text, ",^");
}

static bool text_mib_a_second(const char *text, uint64_t *out_mib)
{
    static const char unit[] = "MiB/s";
    g_autofree char *number = g_str_has_suffix(text, unit) ? g_strndup(text, strlen(text) - strlen(unit)) : NULL;
    return number && text_number(number, out_mib);
}

static const char *plain_text(struct arena *arena, const char *text)
{
    uint64_t kib, mib;
    if (text_mib_a_second(text, &mib) && mib && mib <= UINT64_MAX / MIB)
        return arena_printf(arena, "%s/s", size_text(arena, mib * MIB));
    if (text_kib(text, &kib) && kib <= UINT64_MAX / KIB)
        return kib ? size_text(arena, kib * KIB) : text;
    const struct ids *ids = looks_like_set(text) ? text_set(arena, text) : NULL;
    return ids ? ids_text(arena, ids) : text;
}

void plain_texts(struct arena *arena, struct line *list)
{
    for (; list; list = list->next) {
        for (unsigned i = list->is_named; i < list->count; i++)
            list->arguments[i] = plain_text(arena, list->arguments[i]);
        plain_texts(arena, list->children);
    }
}

/* ---- sockets, cores, threads ------------------------------------------------------------------------------------ */

bool vcpus_level(const struct line *vcpus, const char *word, uint64_t *out_number)
{
    const struct line *said = line_find(vcpus->children, word);
    return line_argument(said) && !said->children && text_number(said->arguments[0], out_number);
}

bool vcpus_total(const struct line *vcpus, uint64_t *out_total)
{
    return vcpus_level(vcpus, "max", out_total) ||
           (line_argument(vcpus) && text_number(vcpus->arguments[0], out_total));
}

/* One die of one cluster of one module is the default of a socket. */
static void drop_single_levels(struct line *vcpus)
{
    static const char *const levels[] = { "dies", "clusters", "modules" };
    uint64_t number;
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
        if (vcpus_level(vcpus, levels[i], &number) && number == 1)
            line_drop(&vcpus->children, line_find(vcpus->children, levels[i]));
}

/* Cells with the same number of vCPUs each, or the whole guest as one: each becomes a socket. */
static uint64_t equal_cells(const struct guest_lines *guest, uint64_t total)
{
    uint64_t each = 0, cells = 0;
    for (struct line *cell = line_find(guest->lines, "cell"); cell; cell = line_find(cell->next, "cell")) {
        struct line *said = line_find(cell->children, "vcpus"), *ids = line_find(cell->children, "ids");
        uint64_t number;
        if (line_argument(said) && !ids && text_number(said->arguments[0], &number)) {
        } else if (line_argument(ids) && !said) {
            const struct ids *set = text_set(guest->arena, ids->arguments[0]);
            number = set ? ids_size(set) : 0;
        } else {
            return 0;
        }
        if (number && each && number != each)
            return 0;
        each = number ? number : each;
        cells += number > 0;
    }
    return !lines_count(guest->lines, "cell") ? 1 : each && each * cells == total ? cells : 0;
}

/* With threads said, cores are what is left of sockets, and sockets are as many as cells. */
static void drop_derived_levels(struct guest_lines *guest, struct line *vcpus)
{
    uint64_t total, sockets, cores, threads;
    if (!vcpus_total(vcpus, &total) || !vcpus_level(vcpus, "sockets", &sockets) ||
        !vcpus_level(vcpus, "cores", &cores) || !vcpus_level(vcpus, "threads", &threads) || !sockets || !threads ||
        !cores || sockets > total || cores > total || threads > total || lines_count(vcpus->children, "dies") ||
        lines_count(vcpus->children, "clusters") || lines_count(vcpus->children, "modules") ||
        sockets * cores * threads != total)
        return;
    line_drop(&vcpus->children, line_find(vcpus->children, "cores"));
    if (sockets == total) /* nothing is left for threads */
        line_drop(&vcpus->children, line_find(vcpus->children, "threads"));
    else if (equal_cells(guest, total) == sockets)
        line_drop(&vcpus->children, line_find(vcpus->children, "sockets"));
}

static void fold_topology(struct guest_lines *guest)
{
    struct line *vcpus = line_the_only(guest->lines, "vcpus");
    uint64_t fixed;
    if (!vcpus)
        return;
    if (vcpus_level(vcpus, "fixed", &fixed) && !fixed) /* where others can be unplugged, vCPU 0 stays */
        line_drop(&vcpus->children, line_find(vcpus->children, "fixed"));
    drop_single_levels(vcpus);
    drop_derived_levels(guest, vcpus);
}

/* ---- defaults --------------------------------------------------------------------------------------------------- */

/* `node 1 strict` is `node 1`. */
static void drop_strict(struct line *list)
{
    for (; list; list = list->next) {
        if (line_is(list, "node") && list->count == 2 && strcmp(list->arguments[1], "strict") == 0)
            list->count = 1;
        if (line_is(list, "cell"))
            drop_strict(list->children);
    }
}

static bool anybody_says(const struct guest_lines *guest, const char *word)
{
    if (line_find(guest->lines, word))
        return true;
    for (struct line *cell = line_find(guest->lines, "cell"); cell; cell = line_find(cell->next, "cell"))
        if (line_find(cell->children, word))
            return true;
    return false;
}

static void drop_if(struct guest_lines *guest, const char *word, const char *value)
{
    const struct line *line = line_find(guest->lines, word);
    if (line_argument(line) && !line->children && strcmp(line->arguments[0], value) == 0 &&
        lines_count(guest->lines, word) == 1)
        line_drop(&guest->lines, line);
}

/* Memory devices with pages or a file of their own, which take the rest from their cell, or from the guest. */
static bool has_other_memory(const struct guest_lines *guest)
{
    for (const struct line *line = guest->lines; line; line = line->next)
        if (line_is(line, "nvdimm") || line_is(line, "virtio-pmem") ||
            ((line_is(line, "dimm") || line_is(line, "virtio-mem")) && line_find(line->children, "pages")))
            return true;
    return false;
}

static bool is_huge(struct line *list)
{
    const char *pages = line_argument(line_find(list, "pages"));
    return pages && strcmp(pages, "normal") != 0 && strcmp(pages, "4KiB") != 0;
}

/* Huge pages are taken at start, as nobody else says how. */
static void drop_immediate(struct line **list)
{
    const struct line *line = line_the_only(*list, "allocation");
    if (line && is_huge(*list) && line_argument(line) && !line->children &&
        strcmp(line->arguments[0], "immediate") == 0)
        line_drop(list, line);
}

/* Memory comes from nowhere in particular, and when it is touched, as long as nobody asks for pages or for sharing. */
static void drop_backing_defaults(struct guest_lines *guest)
{
    bool has_others = has_other_memory(guest);
    if (!has_others && !line_find(guest->lines, "allocation"))
        for (struct line *cell = line_find(guest->lines, "cell"); cell; cell = line_find(cell->next, "cell"))
            drop_immediate(&cell->children);
    for (struct line *cell = line_find(guest->lines, "cell"); cell; cell = line_find(cell->next, "cell"))
        if (line_find(cell->children, "allocation") || line_find(cell->children, "backing") ||
            line_find(cell->children, "pages"))
            return;
    if (!anybody_says(guest, "access"))
        drop_if(guest, "backing", "anonymous");
    if (has_others)
        return;
    if (is_huge(guest->lines))
        drop_immediate(&guest->lines);
    else
        drop_if(guest, "allocation", "ondemand");
}

/* What a guest has where nobody says it; a CPU's own words may stay. */
static void drop_machine_defaults(struct guest_lines *guest)
{
    const char *accel = line_argument(line_find(guest->lines, "accel"));
    const char *arch = line_argument(line_find(guest->lines, "arch"));
    const struct architecture *row = architecture_of(arch ? arch : "x86_64");
    const struct machine_family *usual = row->families;
    bool is_tcg = accel && strcmp(accel, "tcg") == 0;
    struct line *cpu = line_the_only(guest->lines, "cpu");
    if (line_argument(cpu) && strcmp(cpu->arguments[0], is_tcg ? row->emulated_cpu : "host-passthrough") == 0) {
        cpu->count = 0;
        if (!cpu->children)
            line_drop(&guest->lines, cpu);
    }
    drop_if(guest, "arch", "x86_64");
    if (usual->name)
        drop_if(guest, "machine", usual->name);
    drop_if(guest, "accel", "kvm");
}

/* Cells that all say how many vCPUs they have say the sum as well. */
static void drop_sum(struct guest_lines *guest)
{
    struct line *vcpus = line_the_only(guest->lines, "vcpus");
    uint64_t total, sum = 0, number;
    if (!vcpus || vcpus->children || !line_argument(vcpus) || !text_number(vcpus->arguments[0], &total))
        return;
    for (struct line *cell = line_find(guest->lines, "cell"); cell; cell = line_find(cell->next, "cell")) {
        const char *count = line_argument(line_find(cell->children, "vcpus")),
                   *ids = line_argument(line_find(cell->children, "ids"));
        const struct ids *set = ids ? text_set(guest->arena, ids) : NULL;
        if (set && !count)
            sum += ids_size(set);
        else if (count && !ids && text_number(count, &number))
            sum += number;
        else
            return;
    }
    if (sum == total)
        line_drop(&guest->lines, vcpus);
}

/* `iothreads 2` beside blocks of both. */
static void drop_iothreads(struct guest_lines *guest)
{
    struct line *total = line_find(guest->lines, "iothreads");
    uint64_t count, id, sum = 0, blocks = lines_count(guest->lines, "iothread");
    if (!line_argument(total) || !text_number(total->arguments[0], &count) || count != blocks || !count)
        return;
    for (const struct line *line = guest->lines; line; line = line->next)
        if (line_is(line, "iothread")) {
            if (!line_argument(line) || !text_number(line->arguments[0], &id) || id > count)
                return;
            sum += id;
        }
    if (sum == count * (count + 1) / 2)
        line_drop(&guest->lines, total);
}

/* ---- the order people write in ---------------------------------------------------------------------------------- */

/* Words of one kind together, as YAML has them. */
static void reorder(struct guest_lines *guest)
{
    static const char *const words[] = { "arch",      "machine",      "accel",      "cpu",        "memory",
                                         "vcpus",     "cpus",         "pin",        "node",       "cells",
                                         "pages",     "backing",      "access",     "allocation", "discard",
                                         "dump",      "reserve",      "ksm",        "locked",     "cell",
                                         "distances", "dimm",         "virtio-mem", "nvdimm",     "virtio-pmem",
                                         "sgx-epc",   "expander-bus", "device",     "scheduler",  "emulator",
                                         "iothreads", "iothread",     "resctrl",    "boot" };
    struct line *sorted = NULL, **tail = &sorted;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        for (struct line **at = &guest->lines; *at;) {
            struct line *line = *at;
            if (!line_is(line, words[i])) {
                at = &line->next;
                continue;
            }
            *at = line->next;
            *tail = line;
            tail = &line->next;
            line->next = NULL;
        }
    *tail = guest->lines;
    guest->lines = sorted;
}

/* Sizes are KiB until the sums are made. */
void simplify(struct guest_lines *guest)
{
    fold_pins(guest);
    fold_ids(guest);
    fold_topology(guest);
    drop_strict(guest->lines);
    fold_inherited(guest);
    fold_shares(guest);
    fold_distances(guest);
    fold_cells(guest);
    drop_sum(guest);
    drop_iothreads(guest);
    drop_backing_defaults(guest);
    drop_machine_defaults(guest);
    plain_texts(guest->arena, guest->lines);
    reorder(guest);
}
