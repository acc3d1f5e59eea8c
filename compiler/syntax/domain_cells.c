/* SPDX-License-Identifier: MIT
 *
 * The cells of a domain XML as items: what `<cell>` says, and what `<memnode>`, `<page nodeset>` and `<sibling>` say
 * of it elsewhere.  Ids and distances are completed as libvirt does; whether the numbers make sense is left to rules.
 */
#include "syntax/domain.h"

#include <hwloc/bitmap.h>
#include <string.h>

struct cells {
    struct domain *domain;
    struct cell_items all;
    struct word labels[DOMAIN_CELL_LIMIT];
    const struct element *memnodes[DOMAIN_CELL_LIMIT], *pages[DOMAIN_CELL_LIMIT],
        *default_pages; /* the first of each */
    uint64_t kib;
};

/* ---- which cell is which ---------------------------------------------------------------------------------------- */

static bool refuse_id(struct cells *cells, const struct element *element, uint64_t id)
{
    struct domain *domain = cells->domain;
    const struct text_value *said = element_value(element, "id");
    struct finding *finding;
    if (id < cells->all.count) {
        finding = domain_report(domain, NM_base_cell_ids, said->text ? said->where : element_extent(element),
                                "two cells have the id %" G_GUINT64_FORMAT, id);
        finding_label(domain->findings, finding, domain_span(domain, element_extent(cells->all.elements[id])),
                      "the other one");
        finding_note(domain->findings, finding, "a cell without an id has that of its position, counted from 0");
    } else {
        finding =
            domain_report(domain, NM_base_cell_ids, said->where,
                          "a cell has the id %" G_GUINT64_FORMAT " where there are %u cells", id, cells->all.count);
        finding_note(domain->findings, finding, "libvirt refuses gaps in the ids");
    }
    finding_help(domain->findings, finding, "number the cells 0 to %u", cells->all.count - 1);
    return false;
}

static bool order_cells(struct cells *cells)
{
    struct domain *domain = cells->domain;
    uint32_t position = 0;
    for (const struct element *element = domain_first(domain, PART_CELL); element;
         element = element->next, position++) {
        const struct text_value *said = element_value(element, "id");
        uint64_t id = position;
        if (said->text && !domain_whole(domain, said, "the number of a cell", UINT32_MAX, &id))
            return false;
        if (id >= cells->all.count || cells->all.elements[id])
            return refuse_id(cells, element, id);
        g_autofree char *label = g_strdup_printf("%" G_GUINT64_FORMAT, id);
        cells->all.elements[id] = element;
        cells->labels[id] =
            said->text ? word_named(domain, said->where, label) : word_implied(domain, element, SLOT_LABEL, label);
    }
    return true;
}

static void add_to_cell(struct cells *cells, uint32_t id, struct item *child)
{
    item_add(cells->all.items[id], &cells->all.blocks[id], child);
}

/* ---- what a cell says of itself --------------------------------------------------------------------------------- */

/* Takes what cells claim out of `left`, and adds to it what cell 0 does; false where a set is such that a rule tells.
 */
static bool take_claimed(const struct cells *cells, hwloc_bitmap_t left, hwloc_bitmap_t of_first)
{
    hwloc_bitmap_t claimed = hwloc_bitmap_alloc();
    bool fine = true;
    for (uint32_t id = 0; id < cells->all.count && fine; id++) {
        const struct text_value *cpus = element_value(cells->all.elements[id], "cpus");
        fine = !cpus->text || (domain_add_vcpus(cpus, claimed) && (id || domain_add_vcpus(cpus, of_first)));
    }
    fine = fine && hwloc_bitmap_last(claimed) <= hwloc_bitmap_last(left);
    hwloc_bitmap_andnot(left, left, claimed);
    hwloc_bitmap_free(claimed);
    return fine;
}

static void tell_forgotten(struct cells *cells, int count)
{
    struct domain *domain = cells->domain;
    const struct text_value *total = &domain_first(domain, PART_VCPU)->content;
    struct finding *finding = domain_report(domain, NM_base_forgotten, total->where, "%d of %.*s vCPUs are in no cell",
                                            count, value_shown(total), total->text);
    finding_label(domain->findings, finding, domain_span(domain, element_extent(cells->all.elements[0])), "cell 0");
    finding_note(domain->findings, finding, "libvirt and QEMU put them into cell 0, and so does numac");
    finding_help(domain->findings, finding, "say in which cell they are, or remove them");
}

/* vCPUs that no cell claims are cell 0's, in libvirt and in QEMU.  All that it then has, or NULL where none is left. */
static const char *with_forgotten(struct cells *cells)
{
    const struct element *vcpu = domain_first(cells->domain, PART_VCPU);
    uint64_t total = vcpu ? g_ascii_strtoull(vcpu->content.text, NULL, 10) : 0;
    if (!total || total > IDS_LIMIT)
        return NULL;
    hwloc_bitmap_t left = hwloc_bitmap_alloc(), all = hwloc_bitmap_alloc();
    const char *text = NULL;
    if (hwloc_bitmap_set_range(left, 0, (int)total - 1) == 0 && take_claimed(cells, left, all) &&
        !hwloc_bitmap_iszero(left)) {
        struct arena *arena = cells->domain->syntax->arena;
        tell_forgotten(cells, hwloc_bitmap_weight(left));
        hwloc_bitmap_or(all, all, left);
        text = ids_text(arena, ids_from_bitmap(arena, all));
    }
    hwloc_bitmap_free(left);
    hwloc_bitmap_free(all);
    return text;
}

static void add_vcpus(struct cells *cells, uint32_t id)
{
    struct domain *domain = cells->domain;
    const struct element *element = cells->all.elements[id];
    const struct text_value *cpus = element_value(element, "cpus");
    const char *all = id ? NULL : with_forgotten(cells);
    struct word word;
    if (all) {
        word = cpus->text ? word_named(domain, cpus->where, all) : word_implied(domain, element, SLOT_VALUE, all);
        struct word name =
            cpus->text ? word_named(domain, cpus->name, "ids") : word_implied(domain, element, SLOT_NAME, "ids");
        add_to_cell(cells, id, item_of(domain, name, &word, 1));
    } else if (!cpus->text) {
        word = word_implied(domain, element, SLOT_VALUE, "0");
        add_to_cell(cells, id, item_of(domain, word_implied(domain, element, SLOT_NAME, "vcpus"), &word, 1));
    } else if (word_set(domain, cpus, "a set of vCPUs", &word)) {
        add_to_cell(cells, id, item_of(domain, word_named(domain, cpus->name, "ids"), &word, 1));
    }
}

static void add_memory(struct cells *cells, uint32_t id)
{
    struct domain *domain = cells->domain;
    const struct element *element = cells->all.elements[id];
    const struct text_value *memory = domain_needed(domain, element, "memory");
    uint64_t kib;
    if (!memory || !domain_size(domain, memory, element_value(element, "unit"), "a size of memory", &kib))
        return;
    struct word word = word_size(domain, memory, kib);
    add_to_cell(cells, id, item_of(domain, word_named(domain, memory->name, "memory"), &word, 1));
    if (__builtin_add_overflow(cells->kib, kib, &cells->kib))
        cells->kib = UINT64_MAX;
}

static void add_plain(struct cells *cells, uint32_t id, const char *attribute, const char *name)
{
    const struct text_value *value = element_value(cells->all.elements[id], attribute);
    if (!value->text)
        return;
    struct word word = word_value(cells->domain, value);
    add_to_cell(cells, id, item_of(cells->domain, word_named(cells->domain, value->name, name), &word, 1));
}

static void add_cell(struct cells *cells, struct item_list *top, uint32_t id)
{
    struct domain *domain = cells->domain;
    cells->all.items[id] = item_with(domain, cells->all.elements[id], "cell", cells->labels[id]);
    item_add(NULL, top, cells->all.items[id]);
    add_memory(cells, id);
    add_vcpus(cells, id);
    add_plain(cells, id, "memAccess", "access");
    add_plain(cells, id, "discard", "discard");
}

/* ---- what is said of it elsewhere ------------------------------------------------------------------------------- */

struct item *policy_item(struct domain *domain, const struct element *element, bool by_numad)
{
    const struct text_value *nodes = by_numad ? element_value(element, "placement")
                                              : domain_needed(domain, element, "nodeset"),
                            *mode = element_value(element, "mode");
    struct word words[2];
    if (by_numad)
        words[0] = nodes->text ? word_named(domain, nodes->where, "numad")
                               : word_implied(domain, element, SLOT_VALUE, "numad");
    else if (!nodes || !word_set(domain, nodes, "a set of nodes", &words[0]))
        return NULL;
    if (mode->text)
        words[1] = word_value(domain, mode);
    return item_of(domain, word_named(domain, element->name, "node"), words, mode->text ? 2 : 1);
}

/* What is said of a cell, or of all of them, is said once; else told, as libvirt refuses it. */
static bool is_first(struct domain *domain, const struct element **first, const struct element *element,
                     const char *what)
{
    if (!*first) {
        *first = element;
        return true;
    }
    struct finding *finding = domain_report(domain, NM_base_repeated, element_extent(element), "%s twice", what);
    finding_label(domain->findings, finding, domain_span(domain, element_extent(*first)), "first here");
    finding_note(domain->findings, finding, "libvirt refuses it");
    finding_help(domain->findings, finding, "keep one of the two");
    return false;
}

static bool is_first_of_cell(struct domain *domain, const struct element **firsts, uint32_t id,
                             const struct element *element, const char *what)
{
    g_autofree char *text = g_strdup_printf("cell %u has its %s", id, what);
    return is_first(domain, &firsts[id], element, text);
}

static void add_memnode(struct cells *cells, const struct element *element)
{
    struct domain *domain = cells->domain;
    const struct text_value *cell = domain_needed(domain, element, "cellid");
    uint64_t id;
    if (!cell || !domain_whole(domain, cell, "the number of a cell", UINT32_MAX, &id))
        return;
    bool is_there = id < cells->all.count;
    if (is_there && !is_first_of_cell(domain, cells->memnodes, (uint32_t)id, element, "nodes"))
        return;
    struct item *policy = is_there ? policy_item(domain, element, false) : NULL;
    if (policy)
        add_to_cell(cells, (uint32_t)id, policy);
    else if (!is_there)
        domain_no_cell(domain, cell, (uint32_t)id);
}

static struct item *pages_item(struct domain *domain, const struct element *element, const struct text_value *size,
                               uint64_t kib)
{
    enum { NORMAL_KIB = 4 }; /* libvirt takes the page size of the system for no huge pages */
    struct word word = kib == NORMAL_KIB ? word_named(domain, size->where, "normal") : word_size(domain, size, kib);
    return item_with(domain, element, "pages", word);
}

/* A nodeset of 0 where there are no cells is the guest itself: libvirt takes it away. */
static void add_pages(struct cells *cells, struct item_list *top, const struct element *element)
{
    struct domain *domain = cells->domain;
    const struct text_value *size = domain_needed(domain, element, "size"), *set = element_value(element, "nodeset");
    bool seen[DOMAIN_CELL_LIMIT] = { false };
    uint64_t kib;
    if (!size || !domain_size(domain, size, element_value(element, "unit"), "a size of pages", &kib))
        return;
    if (set->text && !domain_cell_set(domain, set, MAX(cells->all.count, 1), seen))
        return;
    if (!set->text || !cells->all.count) {
        if (is_first(domain, &cells->default_pages, element, "all cells have their pages"))
            item_add(NULL, top, pages_item(domain, element, size, kib));
        return;
    }
    for (uint32_t id = 0; id < cells->all.count; id++)
        if (seen[id] && is_first_of_cell(domain, cells->pages, id, element, "pages"))
            add_to_cell(cells, id, pages_item(domain, element, size, kib));
}

/* ---- distances -------------------------------------------------------------------------------------------------- */

struct matrix {
    const struct text_value *said[DOMAIN_CELL_LIMIT][DOMAIN_CELL_LIMIT];
};

static void refuse_twice(struct domain *domain, const struct element *sibling, const struct text_value *first)
{
    struct finding *finding = domain_report(domain, NM_base_repeated, element_extent(sibling),
                                            "the distance of these two cells stands twice in '<distances>'");
    finding_label(domain->findings, finding, domain_span(domain, first->where), "first here");
    finding_help(domain->findings, finding, "keep one of the two");
}

static bool take_distances(struct cells *cells, struct matrix *matrix, uint32_t row)
{
    struct domain *domain = cells->domain;
    for (const struct element *sibling = domain_first(domain, PART_SIBLING); sibling; sibling = sibling->next) {
        if (sibling->parent->parent != cells->all.elements[row])
            continue;
        const struct text_value *id = domain_needed(domain, sibling, "id"),
                                *value = id ? domain_needed(domain, sibling, "value") : NULL;
        uint64_t column;
        if (!value || !domain_whole(domain, id, "the number of a cell", UINT32_MAX, &column))
            return false;
        if (column >= cells->all.count)
            return domain_no_cell(domain, id, (uint32_t)column);
        if (matrix->said[row][column])
            refuse_twice(domain, sibling, matrix->said[row][column]);
        matrix->said[row][column] = value;
    }
    return true;
}

/* The first of them stands for all. */
static void tell_one_way(const struct cells *cells, const struct matrix *matrix)
{
    struct domain *domain = cells->domain;
    for (uint32_t row = 0; row < cells->all.count; row++)
        for (uint32_t column = 0; column < cells->all.count; column++) {
            const struct text_value *said = matrix->said[row][column];
            if (!said || matrix->said[column][row])
                continue;
            struct finding *finding = domain_report(
                domain, NM_base_one_way, said->where,
                "the distance from cell %u to cell %u is said, and the one from cell %u to cell %u is not", row, column,
                column, row);
            finding_note(domain->findings, finding, "libvirt takes the same both ways, and so does numac");
            finding_help(domain->findings, finding, "say it in both cells");
            return;
        }
}

/* What is missing is mirrored, or 10 to itself and 20 to others. */
static struct word distance_word(struct cells *cells, const struct matrix *matrix, uint32_t row, uint32_t column)
{
    const struct element *distances = domain_first(cells->domain, PART_DISTANCES);
    const struct text_value *said = matrix->said[row][column];
    if (!said && row != column)
        said = matrix->said[column][row];
    if (said)
        return word_value(cells->domain, said);
    return row == column ? word_implied(cells->domain, distances, SLOT_VALUE, "10")
                         : word_implied(cells->domain, distances, SLOT_LABEL, "20");
}

static void add_distances(struct cells *cells, struct item_list *top)
{
    struct domain *domain = cells->domain;
    if (!domain_first(domain, PART_SIBLING))
        return;
    g_autofree struct matrix *matrix = g_new0(struct matrix, 1);
    for (uint32_t row = 0; row < cells->all.count; row++)
        if (!take_distances(cells, matrix, row))
            return;
    tell_one_way(cells, matrix);
    const struct element *first = domain_first(domain, PART_DISTANCES);
    struct item *item = item_of(domain, word_named(domain, first->name, "distances"), NULL, 0);
    struct item_list list = { 0 };
    for (uint32_t row = 0; row < cells->all.count; row++) {
        struct word words[DOMAIN_CELL_LIMIT];
        for (uint32_t column = 0; column < cells->all.count; column++)
            words[column] = distance_word(cells, matrix, row, column);
        item_add(item, &list, item_of(domain, cells->labels[row], words, cells->all.count));
    }
    item_add(NULL, top, item);
}

void cells_to_items(struct domain *domain, struct item_list *top, uint64_t *out_kib)
{
    struct cells *cells = arena_take(domain->syntax->arena, struct cells);
    cells->domain = domain;
    cells->all.count = domain->parts[PART_CELL].count;
    if (cells->all.count > DOMAIN_CELL_LIMIT) {
        struct finding *finding =
            domain_report(domain, NM_base_limit, element_extent(domain_first(domain, PART_CELL)),
                          "the base has %u cells: at most %u are read", cells->all.count, (unsigned)DOMAIN_CELL_LIMIT);
        finding_note(domain->findings, finding, "QEMU gives a guest at most %u", (unsigned)DOMAIN_CELL_LIMIT);
        finding_help(domain->findings, finding, "remove cells");
        return;
    }
    if (!order_cells(cells))
        return;
    for (uint32_t id = 0; id < cells->all.count; id++)
        add_cell(cells, top, id);
    for (const struct element *element = domain_first(domain, PART_MEMNODE); element; element = element->next)
        add_memnode(cells, element);
    for (const struct element *element = domain_first(domain, PART_PAGE); element; element = element->next)
        add_pages(cells, top, element);
    hmat_to_items(domain, &cells->all);
    add_distances(cells, top);
    *out_kib = cells->kib;
}
