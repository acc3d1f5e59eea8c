/* SPDX-License-Identifier: MIT
 *
 * Rules about pages and backing: which sizes there are, what divides, which words exclude each other, and what only
 * one of the targets can say.  Whether the pool has enough pages is told by placement.
 */
#include "check/subject.h"

/* The next cell from `cell` on that says a word soundly, or the guest itself where it has no blocks.  What cells take
 * from their guest stands at one span, so that it is told once. */
static uint32_t next_saying(const struct guest *guest, uint32_t cell, enum word_id word)
{
    while (cell < blocks_of(guest) && !(cell_has_word(guest, cell, word) && !cell_word_failed(guest, cell, word)))
        cell++;
    return cell;
}

#define cells_saying(guest, cell, word)          \
    uint32_t cell = next_saying(guest, 0, word); \
    cell < blocks_of(guest);                     \
    cell = next_saying(guest, cell + 1, word)

static bool has_huge_pages(const struct locality *locality)
{
    return locality->page_bytes != PAGES_NORMAL && locality->page_bytes != PAGES_LARGEST;
}

/* ---- sizes ------------------------------------------------------------------------------------------------------ */

/* Pages are those of the host: of the same architecture with KVM, else of any, and placement knows which. */
static bool is_page_size(const struct guest *guest, uint64_t bytes)
{
    const struct architecture *architecture = guest_architecture(guest);
    if (guest->accel == ACCEL_TCG && !guest->base_file)
        return some_architecture_has_pages(bytes);
    for (const uint64_t *size = architecture->pages; *size; size++)
        if (*size == bytes)
            return true;
    return !architecture->pages[0]; /* nobody knows which it has */
}

/* "2MiB' or '1GiB" */
static const char *page_sizes_text(const struct check *check, const struct architecture *architecture)
{
    const uint64_t *size = architecture->pages;
    const char *text = size_text(check->arena, *size);
    while (*++size)
        text = arena_printf(check->arena, size[1] ? "%s', '%s" : "%s' or '%s", text, size_text(check->arena, *size));
    return text;
}

static void page_sizes_are_of_the_machine(const struct check *check, const struct guest *guest)
{
    const struct architecture *architecture = guest_architecture(guest);
    for (cells_saying(guest, c, W_PAGES)) {
        uint64_t bytes = locality_of(guest, c)->page_bytes;
        if (!has_huge_pages(locality_of(guest, c)) || is_page_size(guest, bytes))
            continue;
        struct finding *finding =
            report(check->findings, NM_page_size, cell_word(guest, c, W_PAGES, 1), "%s has no huge pages of %s",
                   architecture->name, size_text(check->arena, bytes));
        if (bytes == architecture->normal_page)
            finding_help(check->findings, finding,
                         "pages of %s are the normal ones: write 'normal', or leave the word out",
                         size_text(check->arena, bytes));
        else
            finding_help(check->findings, finding, "write '%s'", page_sizes_text(check, architecture));
    }
}

static struct span memory_span(const struct guest *guest, uint32_t cell)
{
    struct span span = cell < guest->cell_count ? said_span(&guest->cells[cell].said, W_CELL_MEMORY, 1) : SPAN_NONE;
    return span.file ? span : guest_word_span(guest, W_GUEST_MEMORY, 1);
}

static const char *declared_text(const struct check *check, const struct guest *guest, uint32_t cell)
{
    if (cell < guest->cell_count)
        return arena_printf(check->arena, "cell '%s' of guest '%s'", guest->cells[cell].name, guest->name);
    if (is_said(&guest->said, W_GUEST_CELLS))
        return arena_printf(check->arena, "each cell of guest '%s'", guest->name);
    return arena_printf(check->arena, "guest '%s'", guest->name);
}

static void cells_are_whole_pages(const struct check *check, const struct guest *guest)
{
    for (uint32_t c = 0; c < blocks_of(guest); c++) {
        const struct locality *locality = locality_of(guest, c);
        uint64_t bytes = declared_memory(guest, c), page = locality->page_bytes;
        if (!bytes || !has_huge_pages(locality) || !is_page_size(guest, page) || bytes % page == 0)
            continue;
        struct finding *finding =
            report(check->findings, NM_cell_not_whole_pages, memory_span(guest, c),
                   "%s has %s, which is no whole number of pages of %s", declared_text(check, guest, c),
                   size_text(check->arena, bytes), size_text(check->arena, page));
        finding_label(check->findings, finding, cell_word(guest, c, W_PAGES, 1), "the pages");
        finding_note(check->findings, finding, "libvirt accepts the definition; QEMU would refuse to start");
        if (bytes > page)
            finding_help(check->findings, finding, "write %s or %s for each cell, or take smaller pages",
                         size_text(check->arena, bytes / page * page),
                         size_text(check->arena, (bytes / page + 1) * page));
        else
            finding_help(check->findings, finding, "give it at least one page, or take smaller pages");
    }
}

static void memory_is_whole_mib(const struct check *check, const struct guest *guest)
{
    for (uint32_t c = 0; c < blocks_of(guest); c++) {
        uint64_t bytes = declared_memory(guest, c), block = guest_architecture(guest)->memory_block,
                 unit = block ? block : MIB;
        if (bytes % KIB || bytes % unit == 0 || (block ? !guest->base_file : has_huge_pages(locality_of(guest, c))))
            continue; /* NM0214 tells of odd shares, NM0330 of blocks that QEMU wants */
        struct finding *finding =
            report(check->findings, NM_memory_not_whole_mib, memory_span(guest, c),
                   "%s has %s, which is no whole number of %s", declared_text(check, guest, c),
                   size_text(check->arena, bytes), block ? size_text(check->arena, block) : "MiB");
        finding_note(check->findings, finding,
                     "libvirt rounds up without a word, so the guest would be larger than the plan");
        finding_help(check->findings, finding, "write %s for each cell",
                     size_text(check->arena, (bytes / unit + 1) * unit));
    }
}

/* ---- allocation ------------------------------------------------------------------------------------------------- */

static void huge_pages_are_allocated_at_once(const struct check *check, const struct guest *guest)
{
    for (cells_saying(guest, c, W_ALLOCATION)) {
        const struct locality *locality = locality_of(guest, c);
        if (!has_huge_pages(locality) || locality->allocation != ALLOCATION_ONDEMAND)
            continue;
        struct finding *finding = report(check->findings, NM_pages_ondemand, cell_word(guest, c, W_ALLOCATION, 1),
                                         "huge pages of guest '%s' cannot be allocated on demand", guest->name);
        finding_label(check->findings, finding, cell_word(guest, c, W_PAGES, 1), "huge pages");
        finding_note(check->findings, finding, "libvirt refuses it");
        finding_help(check->findings, finding, "remove 'allocation': huge pages are taken at the start");
    }
}

static void huge_pages_have_a_file(const struct check *check, const struct guest *guest)
{
    for (cells_saying(guest, c, W_BACKING)) {
        const struct locality *locality = locality_of(guest, c);
        if (!has_huge_pages(locality) || locality->backing != BACKING_WORD_ANONYMOUS)
            continue;
        struct finding *finding = report(check->findings, NM_pages_anonymous, cell_word(guest, c, W_BACKING, 1),
                                         "huge pages of guest '%s' cannot be anonymous", guest->name);
        finding_label(check->findings, finding, cell_word(guest, c, W_PAGES, 1), "huge pages");
        finding_note(check->findings, finding, "libvirt refuses it");
        finding_help(check->findings, finding, "remove 'backing', or write 'backing memfd'");
    }
}

static void allocation_has_threads(const struct check *check, const struct guest *guest)
{
    for (cells_saying(guest, c, W_ALLOCATION_THREADS)) {
        const struct locality *locality = locality_of(guest, c);
        struct finding *finding;
        if (locality->allocation == ALLOCATION_ONDEMAND) {
            finding = report(check->findings, NM_ondemand_with_threads, cell_word(guest, c, W_ALLOCATION_THREADS, 0),
                             "threads allocate nothing where the guest takes memory on demand");
            finding_label(check->findings, finding, cell_word(guest, c, W_ALLOCATION, 1), "on demand");
            finding_help(check->findings, finding, "write 'allocation immediate', or remove 'threads'");
        } else if (!locality->allocation_threads) {
            finding = report(check->findings, NM_allocation_threads, cell_word(guest, c, W_ALLOCATION_THREADS, 1),
                             "0 threads would allocate the memory of guest '%s'", guest->name);
            finding_note(check->findings, finding, "libvirt accepts the definition; QEMU would refuse to start");
            finding_help(check->findings, finding, "write 1 or more, or leave 'threads' out");
        }
    }
    for (cells_saying(guest, c, W_ALLOCATION_CONTEXT)) {
        if (locality_of(guest, c)->allocation != ALLOCATION_ONDEMAND || cell_has_word(guest, c, W_ALLOCATION_THREADS))
            continue;
        struct finding *finding =
            report(check->findings, NM_ondemand_with_threads, cell_word(guest, c, W_ALLOCATION_CONTEXT, 0),
                   "'context' is about threads, and none allocates where the guest takes memory on demand");
        finding_label(check->findings, finding, cell_word(guest, c, W_ALLOCATION, 1), "on demand");
        finding_help(check->findings, finding, "write 'allocation immediate', or remove 'context'");
    }
}

static void allocated_memory_is_reserved(const struct check *check, const struct guest *guest)
{
    for (cells_saying(guest, c, W_RESERVE)) {
        const struct locality *locality = locality_of(guest, c);
        bool says_allocation = cell_has_word(guest, c, W_ALLOCATION);
        bool is_immediate = says_allocation ? locality->allocation == ALLOCATION_IMMEDIATE : has_huge_pages(locality);
        if (locality->reserve || !is_immediate)
            continue;
        struct finding *finding =
            report(check->findings, NM_reserve_and_immediate, cell_word(guest, c, W_RESERVE, 1),
                   "memory of guest '%s' is allocated at the start and yet not reserved", guest->name);
        finding_label(check->findings, finding, cell_word(guest, c, says_allocation ? W_ALLOCATION : W_PAGES, 1),
                      says_allocation ? "at the start" : "huge pages are allocated at the start");
        finding_note(check->findings, finding, "QEMU would refuse to start");
        finding_help(check->findings, finding, "remove 'reserve no'");
    }
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static void paths_are_of_files(const struct check *check, const struct guest *guest)
{
    for (cells_saying(guest, c, W_BACKING_PATH)) {
        if (cell_word_failed(guest, c, W_BACKING) || locality_of(guest, c)->backing == BACKING_WORD_FILE)
            continue;
        struct finding *finding = report(check->findings, NM_path_without_file, cell_word(guest, c, W_BACKING_PATH, 0),
                                         "a path stands behind '%s', which has no file",
                                         backing_source_word((enum backing_source)locality_of(guest, c)->backing));
        finding_label(check->findings, finding, cell_word(guest, c, W_BACKING, 1), "where the memory comes from");
        finding_help(check->findings, finding, "write 'backing file', or remove 'path'");
    }
}

static void alignment_is_of_files(const struct check *check, const struct guest *guest)
{
    static const enum word_id words[] = { W_BACKING_ALIGN, W_BACKING_OFFSET };
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        for (cells_saying(guest, c, words[i])) {
            const struct locality *locality = locality_of(guest, c);
            if (cell_word_failed(guest, c, W_BACKING) ||
                (locality->backing == BACKING_WORD_FILE && cell_has_word(guest, c, W_BACKING_PATH)))
                continue;
            struct finding *finding = report(check->findings, NM_align_without_path, cell_word(guest, c, words[i], 0),
                                             "'%s' is about a backing file, and guest '%s' names none",
                                             word_row(words[i])->word, guest->name);
            finding_label(check->findings, finding, cell_word(guest, c, W_BACKING, 1), "where the memory comes from");
            finding_help(check->findings, finding,
                         "write 'backing file { path \"/dev/dax0.0\"; %s 2MiB }', or remove it",
                         word_row(words[i])->word);
        }
}

static void alignment_is_whole(const struct check *check, const struct guest *guest)
{
    for (cells_saying(guest, c, W_BACKING_ALIGN)) {
        uint64_t align = locality_of(guest, c)->align_bytes, page = has_huge_pages(locality_of(guest, c))
                                                                        ? locality_of(guest, c)->page_bytes
                                                                        : guest_architecture(guest)->normal_page;
        if (align >= page && (align & (align - 1)) == 0)
            continue;
        struct finding *finding = report(check->findings, NM_align_value, cell_word(guest, c, W_BACKING_ALIGN, 1),
                                         "an alignment of %s is no power of two from %s on",
                                         size_text(check->arena, align), size_text(check->arena, page));
        finding_note(check->findings, finding, "QEMU would refuse to start");
        finding_help(check->findings, finding, "write %s, or leave 'align' out",
                     size_text(check->arena, MAX(page, 2 * MIB)));
    }
    for (cells_saying(guest, c, W_BACKING_OFFSET)) {
        const struct locality *locality = locality_of(guest, c);
        uint64_t unit = has_huge_pages(locality) ? locality->page_bytes : guest_architecture(guest)->normal_page;
        if (cell_has_word(guest, c, W_BACKING_ALIGN) && locality->align_bytes > unit)
            unit = locality->align_bytes;
        if (locality->offset_bytes % unit == 0)
            continue;
        struct finding *finding =
            report(check->findings, NM_align_value, cell_word(guest, c, W_BACKING_OFFSET, 1),
                   "an offset of %s is no multiple of %s", size_text(check->arena, locality->offset_bytes),
                   size_text(check->arena, unit));
        finding_help(check->findings, finding, "write %s",
                     size_text(check->arena, (locality->offset_bytes / unit + 1) * unit));
    }
}

static void shm_is_shared(const struct check *check, const struct guest *guest)
{
    for (cells_saying(guest, c, W_BACKING)) {
        const struct locality *locality = locality_of(guest, c);
        if (locality->backing != BACKING_WORD_SHM || cell_word_failed(guest, c, W_ACCESS) ||
            (cell_has_word(guest, c, W_ACCESS) && locality->access == ACCESS_SHARED))
            continue;
        struct finding *finding = report(check->findings, NM_shm_not_shared, cell_word(guest, c, W_BACKING, 1),
                                         "shm memory of guest '%s' cannot be private", guest->name);
        finding_note(check->findings, finding, "QEMU would refuse to start");
        finding_help(check->findings, finding, "add 'access shared', or write 'backing memfd'");
    }
}

static void discard_is_of_files(const struct check *check, const struct guest *guest)
{
    for (cells_saying(guest, c, W_DISCARD)) {
        const struct locality *locality = locality_of(guest, c);
        bool has_file = cell_has_word(guest, c, W_BACKING) ? locality->backing == BACKING_WORD_FILE
                                                           : locality->page_bytes != PAGES_NORMAL;
        if (!locality->discard || has_file || cell_word_failed(guest, c, W_BACKING))
            continue;
        struct finding *finding =
            report(check->findings, NM_discard_of_nothing, cell_word(guest, c, W_DISCARD, 0),
                   "memory of guest '%s' has no file whose content could be dropped", guest->name);
        finding_note(check->findings, finding, "it is gone with QEMU anyway");
        finding_help(check->findings, finding, "remove 'discard', or write 'backing file'");
    }
}

const struct model_rule page_rules[] = {
    { .name = "page-sizes-are-of-the-machine", .source = "peers 160", .run = page_sizes_are_of_the_machine },
    { .name = "cells-are-whole-pages", .source = "peers 22, 165, 166", .run = cells_are_whole_pages },
    { .name = "memory-is-whole-mib", .source = "peers 24", .run = memory_is_whole_mib },
    { .name = "huge-pages-are-allocated-at-once", .source = "peers 164", .run = huge_pages_are_allocated_at_once },
    { .name = "huge-pages-have-a-file", .source = "peers 164", .run = huge_pages_have_a_file },
    { .name = "allocation-has-threads", .source = "peers 175", .run = allocation_has_threads },
    { .name = "allocated-memory-is-reserved", .source = "peers 175", .run = allocated_memory_is_reserved },
    { .name = "paths-are-of-files", .source = "language 7", .run = paths_are_of_files },
    { .name = "alignment-is-of-files", .source = "peers 178", .run = alignment_is_of_files },
    { .name = "alignment-is-whole", .source = "peers 178", .run = alignment_is_whole },
    { .name = "shm-is-shared", .source = "QEMU backends/hostmem-shm.c", .run = shm_is_shared },
    { .name = "discard-is-of-files", .source = "libvirt formatdomain", .run = discard_is_of_files },
    { 0 }
};

/* ---- the plan: what a target cannot say ------------------------------------------------------------------------- */

/* Words that libvirt has nothing for, or one for the whole guest only. */
static const enum word_id hard_to_say[] = { W_BACKING_PATH, W_BACKING_ALIGN, W_BACKING_OFFSET, W_DUMP,
                                            W_RESERVE,      W_KSM,           W_BACKING,        W_ALLOCATION };

static bool is_lost(enum word_id word, const struct plan_cell *cell, const struct plan_cell *first)
{
    bool on_normal_pages =
        !cell->page_bytes && !first->page_bytes; /* huge pages bring their own source and allocation */
    switch ((unsigned)word) {
    case W_BACKING_PATH:
        return cell->path != NULL;
    case W_BACKING_ALIGN:
        return cell->align_bytes != 0;
    case W_BACKING_OFFSET:
        return cell->offset_bytes != 0;
    case W_DUMP:
        return !cell->dump;
    case W_RESERVE:
        return !cell->reserve;
    case W_KSM:
        return cell->merge != first->merge;
    case W_BACKING:
        return on_normal_pages && cell->backing != first->backing;
    default:
        return on_normal_pages && cell->is_preallocated != first->is_preallocated;
    }
}

static void report_losses(const struct check *check, const struct planned_guest *planned, uint32_t cell,
                          const char *words, struct span span)
{
    const struct plan_guest *plan = planned->plan;
    bool has_base = plan->has_base;
    struct finding *finding = report(check->findings, has_base ? NM_not_in_base : NM_not_in_libvirt, span,
                                     "libvirt has no word for %s of %s", words, cell_text(check, planned, cell));
    if (has_base) {
        finding_label(check->findings, finding, said_span(&planned->guest->said, W_GUEST_BASE, 0),
                      "a guest with a base has the libvirt target only");
        finding_help(check->findings, finding, "remove it, or say the same in all cells where it is one for the guest");
    } else {
        finding_note(check->findings, finding,
                     "the QEMU target says it; in the XML it is missing, or one for all cells");
        finding_help(check->findings, finding, "take the QEMU target, or remove it");
    }
}

static void libvirt_can_say_it(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    for (uint32_t c = 0; c < plan->cell_count; c++) {
        g_autoptr(GString) words = NULL;
        struct span span = SPAN_NONE;
        for (size_t i = 0; i < G_N_ELEMENTS(hard_to_say); i++) {
            bool is_said_here =
                cell_has_word(planned->guest, c, hard_to_say[i]) || cell_has_word(planned->guest, 0, hard_to_say[i]);
            if (!is_said_here || !is_lost(hard_to_say[i], &plan->cells[c], &plan->cells[0]))
                continue;
            if (!words) {
                words = g_string_new(NULL);
                span = cell_word(planned->guest, c, hard_to_say[i], 0);
            }
            g_string_append_printf(words, "%s'%s'", words->len ? ", " : "", word_row(hard_to_say[i])->word);
        }
        if (!words)
            continue;
        report_losses(check, planned, c, words->str, span);
        return;
    }
}

static void shared_memory_can_be_reached(const struct check *check, const struct planned_guest *planned)
{
    for (uint32_t c = 0; c < planned->plan->cell_count; c++) {
        const struct plan_cell *cell = &planned->plan->cells[c];
        if (!cell->is_shared || cell->page_bytes || cell->backing != BACKING_ANONYMOUS)
            continue;
        struct finding *finding =
            report(check->findings, NM_shared_anonymous, cell_word(planned->guest, c, W_ACCESS, 1),
                   "memory of guest '%s' is shared, and anonymous memory has nothing that another process could open",
                   planned->plan->name);
        finding_note(check->findings, finding,
                     "libvirt would take a file instead without a word; QEMU would leave vhost-user without memory");
        finding_help(check->findings, finding, "add 'backing memfd', or huge pages");
    }
}

const struct plan_rule plan_page_rules[] = {
    { .name = "libvirt-can-say-it", .source = "libvirt formatdomain", .run = libvirt_can_say_it },
    { .name = "shared-memory-can-be-reached", .source = "libvirt formatdomain", .run = shared_memory_can_be_reached },
    { 0 }
};
