/* SPDX-License-Identifier: MIT
 *
 * The cells of a command line: their vCPUs, said by number or by place in the topology, their memory, the distances
 * between them; and what QEMU does with vCPUs that no cell names.
 */
#include "import/argv.h"

#include <hwloc/bitmap.h>
#include <string.h>

struct option *argv_next_numa(const struct argv_guest *guest, const char *type, const struct option *before)
{
    struct option *option = argv_next(guest, ARGV_NUMA, before);
    while (option && g_strcmp0(option_text(option, "type"), type) != 0)
        option = argv_next(guest, ARGV_NUMA, option);
    return option;
}

/* ---- -numa node ------------------------------------------------------------------------------------------------- */

static bool find_number(struct argv_guest *guest, struct option *option, uint64_t *out_number)
{
    const struct property *said = option_take(option, "nodeid");
    *out_number = guest->cell_count;
    if (said && !property_number(guest, said, UINT32_MAX, out_number))
        return false;
    struct span where = said ? said->where : option->span;
    if (*out_number >= ARGV_CELL_LIMIT) {
        struct finding *finding =
            argv_report(guest, NM_argv_cells, where, "a cell of the number %" G_GUINT64_FORMAT, *out_number);
        finding_help(guest->findings, finding, "QEMU gives a guest at most %d: number them from 0", ARGV_CELL_LIMIT);
        return false;
    }
    const struct argv_cell *cell = &guest->cells[*out_number];
    if (!cell->option)
        return true;
    struct finding *finding =
        argv_report(guest, NM_argv_cells, where, "two cells have the number %" G_GUINT64_FORMAT, *out_number);
    finding_label(guest->findings, finding, cell->option->span, "the other one");
    finding_help(guest->findings, finding, "number the cells from 0 without gaps");
    return false;
}

static void read_memory(struct argv_guest *guest, struct option *option, struct argv_cell *cell)
{
    const struct property *backend = option_take(option, "memdev"), *size = option_take(option, "mem");
    if (backend && size) {
        argv_refuse(guest, size->where, "keep 'memdev'", "a cell has both 'mem' and 'memdev'");
        return;
    }
    cell->has_memory = backend || size;
    if (size && property_size(guest, size, MIB, &cell->memory_bytes) && cell->memory_bytes % KIB)
        argv_refuse(guest, size->where, "make it whole pages", "%" G_GUINT64_FORMAT " bytes are no memory of a cell",
                    cell->memory_bytes);
    cell->backend = backend ? backend_named(guest, backend) : NULL;
    if (cell->backend)
        backend_bytes(guest, cell->backend, &cell->memory_bytes);
}

static void read_node(struct argv_guest *guest, struct option *option)
{
    uint64_t number;
    if (!find_number(guest, option, &number))
        return;
    struct argv_cell *cell = &guest->cells[number];
    guest->cell_count++;
    cell->option = option;
    cell->vcpus = hwloc_bitmap_alloc();
    option_ids(guest, option, "cpus", IDS_LIMIT, cell->vcpus);
    read_memory(guest, option, cell);
    const struct property *initiator = option_take(option, "initiator");
    uint64_t of = number;
    if (initiator)
        property_number(guest, initiator, ARGV_CELL_LIMIT - 1, &of);
    cell->initiator = (uint32_t)of;
}

static bool are_numbered(struct argv_guest *guest)
{
    for (uint32_t i = 0; i < guest->cell_count; i++) {
        if (guest->cells[i].option)
            continue;
        const struct option *first = argv_next(guest, ARGV_NUMA, NULL);
        struct finding *finding =
            argv_report(guest, NM_argv_cells, first->span, "of %u cells none has the number %u", guest->cell_count, i);
        finding_note(guest->findings, finding, "QEMU refuses gaps");
        finding_help(guest->findings, finding, "number them from 0");
        return false;
    }
    return true;
}

static bool know_initiators(struct argv_guest *guest)
{
    uint32_t ignored;
    bool fine = true;
    for (uint32_t i = 0; i < guest->cell_count; i++)
        if (guest->cells[i].initiator >= guest->cell_count)
            fine = argv_cell_number(guest, guest->cells[i].option, "initiator", &ignored);
    return fine;
}

bool argv_cell_number(struct argv_guest *guest, struct option *option, const char *key, uint32_t *out_cell)
{
    const struct property *property = option_take(option, key);
    uint64_t number;
    if (!property)
        return argv_refuse(guest, option->span, "write all that QEMU wants there", "it lacks its '%s'", key);
    if (!property_number(guest, property, UINT32_MAX, &number))
        return false;
    if (number >= guest->cell_count) {
        struct finding *finding =
            argv_report(guest, NM_argv_cells, property->where, "there is no cell %" G_GUINT64_FORMAT, number);
        finding_help(guest->findings, finding, "the cells are 0 to %u: name one of them", guest->cell_count - 1);
        return false;
    }
    *out_cell = (uint32_t)number;
    return true;
}

/* ---- vCPUs ------------------------------------------------------------------------------------------------------ */

static void read_place(struct argv_guest *guest, struct option *option)
{
    uint32_t number;
    if (argv_cell_number(guest, option, "node-id", &number))
        argv_vcpus_at(guest, option, guest->cells[number].vcpus);
}

static bool refuse_beyond(struct argv_guest *guest, const struct argv_cell *cell)
{
    struct finding *finding =
        argv_report(guest, NM_argv_cells, cell->option->span, "vCPU %d is in a cell of a guest that has %u",
                    hwloc_bitmap_last(cell->vcpus), guest->vcpu_count);
    finding_help(guest->findings, finding, "name vCPUs from 0 to %u, or raise -smp", guest->vcpu_count - 1);
    return false;
}

static void tell_forgotten(struct argv_guest *guest, uint32_t count)
{
    struct finding *finding = argv_report(guest, NM_argv_forgotten, guest->cells[0].option->span,
                                          "%u of %u vCPUs are in no cell", count, guest->vcpu_count);
    finding_note(guest->findings, finding, "%s",
                 count == guest->vcpu_count ? "QEMU gives each socket to the next cell, and so does numac"
                                            : "QEMU puts them into cell 0, and so does numac");
    finding_help(guest->findings, finding, "say in which cell they are");
}

/* By sockets where no cell names a vCPU; else to cell 0. */
static void take_forgotten(struct argv_guest *guest, const struct ids *forgotten)
{
    uint32_t count = ids_size(forgotten);
    uint32_t of_socket = MAX(guest->vcpu_count / guest->levels[ARGV_SOCKETS], 1);
    if (count && guest->cell_count > 1)
        tell_forgotten(guest, count);
    for (ids_each(forgotten, vcpu)) {
        uint32_t cell = count == guest->vcpu_count ? vcpu / of_socket % guest->cell_count : 0;
        hwloc_bitmap_set(guest->cells[cell].vcpus, vcpu);
    }
}

static bool complete_vcpus(struct argv_guest *guest)
{
    hwloc_bitmap_t forgotten = hwloc_bitmap_alloc();
    hwloc_bitmap_set_range(forgotten, 0, (int)guest->vcpu_count - 1);
    bool fine = true;
    for (uint32_t i = 0; i < guest->cell_count && fine; i++) {
        fine =
            hwloc_bitmap_last(guest->cells[i].vcpus) < (int)guest->vcpu_count || refuse_beyond(guest, &guest->cells[i]);
        hwloc_bitmap_andnot(forgotten, forgotten, guest->cells[i].vcpus);
    }
    if (fine)
        take_forgotten(guest, ids_from_bitmap(guest->arena, forgotten));
    hwloc_bitmap_free(forgotten);
    return fine;
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static void tell_memory(struct argv_guest *guest, struct span where, const char *whose, uint64_t bytes)
{
    struct finding *finding =
        argv_report(guest, NM_argv_memory, where, "the guest has %s, %s %s",
                    size_text(guest->arena, guest->memory_bytes), whose, size_text(guest->arena, bytes));
    finding_note(guest->findings, finding, "QEMU refuses to start it");
    finding_help(guest->findings, finding, "write '-m %" G_GUINT64_FORMAT "k', or mend the other side", bytes / KIB);
}

/* Machine types before 5.1 shared out what no cell claims: then no cell says any. */
static bool compare_memory(struct argv_guest *guest)
{
    uint64_t sum = 0;
    bool any = false;
    for (uint32_t i = 0; i < guest->cell_count; i++) {
        any |= guest->cells[i].has_memory;
        if (__builtin_add_overflow(sum, guest->cells[i].memory_bytes, &sum))
            sum = UINT64_MAX;
    }
    if (!any) {
        argv_line(guest, &guest->lines, "memory", "%" G_GUINT64_FORMAT "KiB", guest->memory_bytes / KIB);
        return false;
    }
    const struct option *said = argv_last(guest, ARGV_MEMORY);
    if (sum == guest->memory_bytes || guest->failed)
        return true;
    tell_memory(guest, said ? said->span : guest->cells[0].option->span, "its cells", sum);
    return true;
}

/* ---- distances -------------------------------------------------------------------------------------------------- */

enum { TO_ITSELF = 10 };

static uint32_t *read_distances(struct argv_guest *guest)
{
    uint32_t *matrix = NULL, from, to;
    for (struct option *option = argv_next_numa(guest, "dist", NULL); option;
         option = argv_next_numa(guest, "dist", option)) {
        const struct property *value = option_take(option, "val");
        uint64_t number;
        if (!value)
            argv_refuse(guest, option->span, "write ',val=20' into it", "a distance lacks its value");
        if (!argv_cell_number(guest, option, "src", &from) || !argv_cell_number(guest, option, "dst", &to) || !value ||
            !property_number(guest, value, UINT8_MAX, &number))
            continue;
        matrix = matrix ? matrix : arena_array(guest->arena, uint32_t, guest->cell_count * guest->cell_count);
        matrix[from * guest->cell_count + to] = (uint32_t)number;
    }
    return matrix;
}

static uint32_t distance(const struct argv_guest *guest, const uint32_t *matrix, uint32_t from, uint32_t to)
{
    uint32_t said = matrix[from * guest->cell_count + to];
    return said ? said : from == to ? TO_ITSELF : matrix[to * guest->cell_count + from];
}

static void say_distances(struct argv_guest *guest)
{
    uint32_t count = guest->cell_count;
    const uint32_t *matrix = read_distances(guest);
    if (!matrix || guest->failed)
        return;
    struct line *line = line_new(guest->arena, "distances", NULL), **rows = &line->children;
    for (uint32_t from = 0; from < count; from++) {
        struct line *row = line_new(guest->arena, arena_printf(guest->arena, "%u", from), NULL);
        row->arguments = arena_array(guest->arena, const char *, count);
        for (; row->count < count; row->count++) {
            uint32_t value = distance(guest, matrix, from, row->count);
            if (!value) {
                argv_refuse(guest, guest->cells[from].option->span, "say the distances of all pairs, or of none",
                            "the distance from cell %u to %u is missing", from, row->count);
                return;
            }
            row->arguments[row->count] = arena_printf(guest->arena, "%u", value);
        }
        *rows = row;
        rows = &row->next;
    }
    line_add(&guest->lines, line);
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

static void say_cell(struct argv_guest *guest, uint32_t number, bool has_memory, bool says_initiator)
{
    struct argv_cell *cell = &guest->cells[number];
    const struct ids *ids = ids_from_bitmap(guest->arena, cell->vcpus);
    cell->line = argv_line(guest, &guest->lines, "cell", "%u", number);
    struct line **block = &cell->line->children;
    if (has_memory)
        argv_line(guest, block, "memory", "%" G_GUINT64_FORMAT "KiB", cell->memory_bytes / KIB);
    if (ids->count)
        argv_line(guest, block, "ids", "%s", ids_text(guest->arena, ids));
    else
        argv_line(guest, block, "vcpus", "0");
    if (says_initiator)
        argv_line(guest, block, "initiator", "%u", cell->initiator);
    if (cell->backend) {
        backend_lines(guest, cell->backend, block);
        huge_pages_at_start(guest, cell->backend->option->span, block);
        backend_done(guest, cell->backend);
    }
}

static bool is_known(struct argv_guest *guest, struct option *option)
{
    static const char *const types[] = { "node", "dist", "cpu", "hmat-lb", "hmat-cache" };
    const char *said = option_text(option, "type");
    for (size_t i = 0; said && i < G_N_ELEMENTS(types); i++)
        if (strcmp(said, types[i]) == 0)
            return true;
    return argv_refuse(guest, option->span, "write node, dist, cpu, hmat-lb or hmat-cache",
                       "'%.40s' is nothing that -numa takes", option->value->text);
}

/* Values of an HMAT need one. */
static bool knows_hmat(struct argv_guest *guest)
{
    const struct option *value = argv_next_numa(guest, "hmat-lb", NULL);
    value = value ? value : argv_next_numa(guest, "hmat-cache", NULL);
    guest->has_hmat_values = value;
    return !value || guest->has_hmat ||
           argv_refuse(guest, value->span, "write 'hmat=on' into -machine",
                       "values of an HMAT on a machine without one");
}

static bool read_cells(struct argv_guest *guest)
{
    bool fine = knows_hmat(guest);
    for (struct option *option = argv_next(guest, ARGV_NUMA, NULL); option;
         option = argv_next(guest, ARGV_NUMA, option))
        fine &= is_known(guest, option);
    for (struct option *option = argv_next_numa(guest, "node", NULL); option;
         option = argv_next_numa(guest, "node", option))
        read_node(guest, option);
    if (!guest->cell_count && argv_next(guest, ARGV_NUMA, NULL) && !guest->failed)
        return argv_refuse(guest, argv_next(guest, ARGV_NUMA, NULL)->span, "add '-numa node' for each cell",
                           "this is about cells, and the guest has none");
    return fine && !guest->failed && are_numbered(guest) && know_initiators(guest);
}

/* A guest without cells. */
static void say_only(struct argv_guest *guest)
{
    argv_line(guest, &guest->lines, "memory", "%" G_GUINT64_FORMAT "KiB", guest->memory_bytes / KIB);
    if (!guest->only_backend) {
        plain_memory_lines(guest, &guest->lines);
        return;
    }
    const struct property said = { .key = "memory-backend", .value = guest->only_backend, .where = guest->only_span };
    struct backend *backend = backend_named(guest, &said);
    uint64_t bytes;
    if (backend && backend_bytes(guest, backend, &bytes)) {
        if (bytes != guest->memory_bytes)
            tell_memory(guest, backend->option->span, "its backend", bytes);
        backend_lines(guest, backend, &guest->lines);
        huge_pages_at_start(guest, backend->option->span, &guest->lines);
        backend_done(guest, backend);
    }
}

void argv_cells(struct argv_guest *guest)
{
    if (!read_cells(guest))
        return;
    if (!guest->cell_count) {
        say_only(guest);
        if (guest->has_no_acpi)
            argv_leave_out(guest, guest->no_acpi_span, "that it has no ACPI");
        return;
    }
    for (struct option *option = argv_next_numa(guest, "cpu", NULL); option;
         option = argv_next_numa(guest, "cpu", option))
        read_place(guest, option);
    if (guest->failed || !complete_vcpus(guest))
        return;
    bool has_memory = compare_memory(guest), has_backends = false,
         says_all = guest->has_hmat && !guest->has_hmat_values;
    for (uint32_t i = 0; i < guest->cell_count; i++) {
        has_backends |= guest->cells[i].backend != NULL;
        say_cell(guest, i, has_memory, guest->has_hmat && (says_all || guest->cells[i].initiator != i));
    }
    if (guest->has_hmat)
        argv_hmat(guest);
    if (!has_backends)
        plain_memory_lines(guest, &guest->lines);
    say_distances(guest);
    for (struct option *option = argv_next(guest, ARGV_NUMA, NULL); option;
         option = argv_next(guest, ARGV_NUMA, option))
        argv_leave_unused(guest, option, "the language has no word for it in this version");
    const struct architecture *architecture = architecture_of(guest->architecture);
    if (guest->has_no_acpi && (architecture->acpi == ACPI_ALWAYS || !architecture->has_bios || argv_starts_uefi(guest)))
        argv_not_carried(guest, guest->no_acpi_span, "numac's guests have ACPI, by which they see their cells",
                         "cells of a guest without ACPI");
}

void argv_cells_free(struct argv_guest *guest)
{
    for (uint32_t i = 0; i < ARGV_CELL_LIMIT; i++)
        hwloc_bitmap_free(guest->cells[i].vcpus);
}
