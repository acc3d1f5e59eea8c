/* SPDX-License-Identifier: MIT
 *
 * Rules of what single machines make of sockets, as planned.  Where cells are sockets: how many there are, and which
 * vCPUs one has.
 */
#include "check/subject.h"
#include "ground/features.h"

#include <string.h>

static bool has_sockets(const struct plan_guest *plan)
{
    return plan->has_numa && architecture_of(plan->architecture)->sockets_most;
}

static void machines_have_so_many_sockets(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    if (!has_sockets(plan))
        return;
    uint32_t most = architecture_of(plan->architecture)->sockets_most;
    if (plan->cell_count <= most)
        return;
    struct span span = planned->guest->cell_count > most ? planned->guest->cells[most].span
                                                         : guest_word_span(planned->guest, W_GUEST_CELLS, 1);
    struct finding *finding =
        report(check->findings, NM_cells_beyond_sockets, span, "guest '%s' has %u cells, and a machine of %s takes %u",
               plan->name, plan->cell_count, plan->architecture, most);
    finding_note(check->findings, finding,
                 "each is a socket; libvirt accepts the definition, QEMU would refuse to start");
    finding_help(check->findings, finding, "make %u cells or fewer", most);
}

/* Where the vCPUs of a cell were said. */
static struct span vcpus_of_cell(const struct guest *guest, uint32_t cell)
{
    bool has_ids = cell < guest->cell_count && is_said(&guest->cells[cell].said, W_CELL_IDS);
    return cell_word(guest, cell, has_ids ? W_CELL_IDS : W_CELL_VCPUS, 1);
}

static bool is_without_vcpus(const struct check *check, const struct planned_guest *planned, uint32_t cell)
{
    const struct plan_guest *plan = planned->plan;
    if (ids_size(plan->cells[cell].vcpus))
        return false;
    struct finding *finding =
        report(check->findings, NM_socket_without_vcpus, vcpus_of_cell(planned->guest, cell),
               "%s has no vCPU, and a cell of %s is a socket", cell_text(check, planned, cell), plan->architecture);
    finding_note(check->findings, finding, "libvirt accepts the definition; QEMU would refuse to start");
    finding_help(check->findings, finding, "give it a vCPU, or its memory to another cell");
    return true;
}

/* The cell whose vCPUs do not follow those of the cell before; the count of cells where all do. */
static uint32_t first_out_of_order(const struct plan_guest *plan)
{
    uint32_t next = 0;
    for (uint32_t c = 0; c < plan->cell_count; c++) {
        const struct ids *vcpus = plan->cells[c].vcpus;
        if (vcpus->count != 1 || vcpus->range[0].first != next)
            return c;
        next = vcpus->range[0].last + 1;
    }
    return plan->cell_count;
}

static void sockets_are_runs_of_vcpus(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    if (!has_sockets(plan))
        return;
    bool is_lacking = false;
    for (uint32_t c = 0; c < plan->cell_count; c++)
        is_lacking |= is_without_vcpus(check, planned, c);
    uint32_t cell = is_lacking ? plan->cell_count : first_out_of_order(plan);
    if (cell == plan->cell_count)
        return;
    const struct ids *vcpus = plan->cells[cell].vcpus;
    bool has_holes = vcpus->count > 1;
    struct finding *finding =
        report(check->findings, NM_socket_not_a_run, vcpus_of_cell(planned->guest, cell),
               has_holes ? "%s has vCPUs %s, and a socket of %s is one run of them"
                         : "%s has vCPUs %s, and sockets of %s follow one another",
               cell_text(check, planned, cell), ids_text(check->arena, vcpus), plan->architecture);
    finding_note(check->findings, finding,
                 has_holes ? "libvirt accepts the definition; QEMU would refuse to start"
                           : "libvirt accepts the definition; QEMU makes sockets in order, and crashes on it");
    finding_help(check->findings, finding,
                 "leave 'ids' out: vCPUs are dealt in order; or put the cells into the order of their vCPUs");
}

/* ---- machines that number vCPUs by their place ------------------------------------------------------------------ */

enum { NUMBERS_OF_LOONGARCH = 256 };

static uint64_t power_of_two(uint32_t count)
{
    uint64_t power = 1;
    while (power < count)
        power *= 2;
    return power;
}

/* QEMU took them in turn before it could plug them. */
static void places_have_numbers(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    uint64_t numbers = power_of_two(plan->sockets) * power_of_two(plan->cores) * power_of_two(plan->threads);
    if (strcmp(plan->architecture, "loongarch64") != 0 || plan->vcpu_count > NUMBERS_OF_LOONGARCH ||
        numbers <= NUMBERS_OF_LOONGARCH || !host_has_feature(planned->programs, FEATURE_LOONGARCH_PLUGS))
        return;
    struct finding *finding = report(
        check->findings, NM_vcpu_numbers_of_loongarch, vcpus_span(planned->guest),
        "%u sockets of %u cores of %u threads of guest '%s' need %" G_GUINT64_FORMAT " numbers, and there are %d",
        plan->sockets, plan->cores, plan->threads, plan->name, numbers, NUMBERS_OF_LOONGARCH);
    finding_note(check->findings, finding, "QEMU rounds each level up to a power of two, and would refuse to start");
    finding_help(check->findings, finding, "say levels that are powers of two, or 'sockets 1; threads 1'");
}

const struct plan_rule plan_socket_rules[] = {
    { .name = "machines-have-so-many-sockets", .source = "QEMU hw/riscv/virt.c", .run = machines_have_so_many_sockets },
    { .name = "sockets-are-runs-of-vcpus", .source = "QEMU hw/riscv/numa.c", .run = sockets_are_runs_of_vcpus },
    { .name = "places-have-numbers", .source = "QEMU hw/loongarch/virt.c", .run = places_have_numbers },
    { 0 }
};
