/* SPDX-License-Identifier: MIT
 *
 * Rules about pins: the rows of a table as declared, and as planned the CPU that each vCPU has for its own, against
 * cores, nodes, memory and each other.  Whether a CPU is there at all is told in cpu.c.
 */
#include "check/subject.h"

#include <hwloc/bitmap.h>

enum { IOTHREAD_LIMIT = 1024 };

/* ---- as declared: the table ------------------------------------------------------------------------------------- */

static bool has_table(const struct guest *guest)
{
    return guest->locality.pin_rows.count && !is_failed(&guest->said, W_PIN);
}

static void tables_stand_in_the_guest(const struct check *check, const struct guest *guest)
{
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct cell *cell = &guest->cells[c];
        if (!is_said(&cell->said, W_PIN) || is_failed(&cell->said, W_PIN) || !cell->locality.pin_rows.count)
            continue;
        struct finding *finding = report(check->findings, NM_pin_table_in_cell, said_span(&cell->said, W_PIN, 0),
                                         "cell '%s' of guest '%s' has a pin table", cell->name, guest->name);
        finding_note(check->findings, finding, "the rows name vCPUs of the whole guest");
        finding_help(check->findings, finding, "move it into the guest, or write 'pin cpus' or 'pin cores' here");
    }
}

static void check_row_vcpus(const struct check *check, const struct guest *guest, uint64_t count)
{
    const struct pin_row *rows = guest->locality.pin_rows.items;
    for (uint32_t r = 0; r < guest->locality.pin_rows.count; r++) {
        if (!rows[r].ids->plain || ids_last(rows[r].ids->plain) < count)
            continue;
        struct finding *finding =
            report(check->findings, NM_pin_of_no_vcpu, rows[r].span,
                   "a row pins vCPU %u, and guest '%s' has %" G_GUINT64_FORMAT ", numbered from 0",
                   ids_last(rows[r].ids->plain), guest->name, count);
        finding_label(check->findings, finding, vcpus_span(guest), "%" G_GUINT64_FORMAT " vCPUs", count);
        finding_note(check->findings, finding, "libvirt would drop the pin and leave a line in its log");
        finding_help(check->findings, finding, "lower the number, or raise 'vcpus' to %u",
                     ids_last(rows[r].ids->plain) + 1);
        return; /* the rows behind it are off for the same reason */
    }
}

static void rows_name_vcpus(const struct check *check, const struct guest *guest)
{
    uint64_t count = has_table(guest) ? declared_vcpus(guest) : 0;
    if (count)
        check_row_vcpus(check, guest, count);
}

static void vcpus_are_pinned_once(const struct check *check, const struct guest *guest)
{
    const struct pin_row *rows = guest->locality.pin_rows.items;
    if (!has_table(guest) || guest->locality.pin_rows.count < 2)
        return;
    hwloc_bitmap_t seen = hwloc_bitmap_alloc();
    for (uint32_t r = 0; r < guest->locality.pin_rows.count; r++) {
        const struct ids *ids = rows[r].ids->plain;
        uint32_t twice = UINT32_MAX, before = 0;
        if (!ids)
            continue;
        for (ids_each(ids, vcpu))
            if (twice == UINT32_MAX && hwloc_bitmap_isset(seen, vcpu))
                twice = vcpu;
        ids_add_to_bitmap(ids, seen);
        if (twice == UINT32_MAX)
            continue;
        while (!rows[before].ids->plain || !ids_contains(rows[before].ids->plain, twice))
            before++;
        struct finding *finding = report(check->findings, NM_pinned_twice, rows[r].span,
                                         "vCPU %u of guest '%s' is pinned twice", twice, guest->name);
        finding_label(check->findings, finding, rows[before].span, "pinned here too");
        finding_help(check->findings, finding,
                     "leave it in one of the rows; a row may name several CPUs, as in '%u 4-7'", twice);
        break;
    }
    hwloc_bitmap_free(seen);
}

static void check_each(const struct check *check, const struct guest *guest, const struct pin_row *row,
                       const struct ids *cpus)
{
    uint32_t vcpus = ids_size(row->ids->plain), count = ids_size(cpus);
    if (vcpus == count)
        return;
    struct finding *finding =
        report(check->findings, NM_each_sizes, row->span, "%u vCPU%s of guest '%s' and %u CPU%s cannot be paired",
               vcpus, vcpus == 1 ? "" : "s", guest->name, count, count == 1 ? "" : "s");
    finding_note(check->findings, finding, "'each' puts the nth vCPU on the nth CPU");
    finding_help(check->findings, finding,
                 "name as many CPUs as vCPUs, or leave 'each' out to let all of them use all");
}

static void rows_with_each_pair_up(const struct check *check, const struct guest *guest)
{
    const struct pin_row *rows = guest->locality.pin_rows.items;
    for (uint32_t r = 0; has_table(guest) && r < guest->locality.pin_rows.count; r++)
        if (rows[r].each != EACH_UNSAID && rows[r].ids->plain && rows[r].cpus->plain)
            check_each(check, guest, &rows[r], rows[r].cpus->plain);
}

/* ---- as declared: emulator and iothreads ------------------------------------------------------------------------ */

static void helpers_have_one_place(const struct check *check, const struct guest *guest)
{
    bool says_cpus = is_said(&guest->said, W_EMULATOR_CPUS), says_node = is_said(&guest->said, W_EMULATOR_NODE);
    struct span where = said_span(&guest->said, W_GUEST_EMULATOR, 1);
    bool says_where =
        where.file && is_said(&guest->said, W_GUEST_EMULATOR) && !is_failed(&guest->said, W_GUEST_EMULATOR);
    if (says_where + says_cpus + says_node > 1) {
        struct span span = said_span(&guest->said, says_cpus ? W_EMULATOR_CPUS : W_EMULATOR_NODE, 0);
        struct finding *finding = report(check->findings, NM_helper_placed_twice, span,
                                         "the emulator of guest '%s' has two places", guest->name);
        finding_label(check->findings, finding, says_where ? where : said_span(&guest->said, W_EMULATOR_NODE, 0),
                      "the other one");
        finding_help(check->findings, finding,
                     "keep one of them: 'emulator isolate', 'emulator { cpus 2 }' or 'emulator { node 0 }'");
    }
    for (uint32_t i = 0; i < guest->iothread_count; i++) {
        const struct iothread *thread = &guest->iothreads[i];
        if (!is_said(&thread->said, W_IOTHREAD_CPUS) || !is_said(&thread->said, W_IOTHREAD_NODE))
            continue;
        struct finding *finding =
            report(check->findings, NM_helper_placed_twice, said_span(&thread->said, W_IOTHREAD_CPUS, 0),
                   "iothread %u of guest '%s' has two places", thread->id, guest->name);
        finding_label(check->findings, finding, said_span(&thread->said, W_IOTHREAD_NODE, 0), "the other one");
        finding_help(check->findings, finding, "keep 'cpus' or 'node'");
    }
}

static void iothreads_are_numbered_from_one(const struct check *check, const struct guest *guest)
{
    bool counted = is_said(&guest->said, W_GUEST_IOTHREADS) && !is_failed(&guest->said, W_GUEST_IOTHREADS);
    for (uint32_t i = 0; i < guest->iothread_count; i++) {
        const struct iothread *thread = &guest->iothreads[i];
        struct finding *finding = NULL;
        if (!thread->id) {
            finding =
                report(check->findings, NM_iothread_zero, thread->span, "guest '%s' has an iothread 0", guest->name);
            finding_note(check->findings, finding, "libvirt refuses it");
            finding_help(check->findings, finding, "number iothreads from 1");
        } else if (counted && thread->id > guest->iothread_total) {
            finding = report(check->findings, NM_iothread_beyond, thread->span,
                             "guest '%s' has %u iothread%s, and this is number %u", guest->name, guest->iothread_total,
                             guest->iothread_total == 1 ? "" : "s", thread->id);
            finding_label(check->findings, finding, said_span(&guest->said, W_GUEST_IOTHREADS, 1), "how many");
            finding_help(check->findings, finding, "write 'iothreads %u', or lower the number", thread->id);
        }
    }
}

static void iothreads_are_few(const struct check *check, const struct guest *guest)
{
    bool counted = is_said(&guest->said, W_GUEST_IOTHREADS) && !is_failed(&guest->said, W_GUEST_IOTHREADS);
    uint32_t count = counted ? guest->iothread_total : guest->iothread_count;
    struct finding *finding;
    if (count > IOTHREAD_LIMIT) {
        finding =
            report(check->findings, NM_too_many_iothreads,
                   counted ? said_span(&guest->said, W_GUEST_IOTHREADS, 1) : guest->span,
                   "guest '%s' has %u iothreads, and numac writes at most %d", guest->name, count, IOTHREAD_LIMIT);
        finding_help(check->findings, finding, "one for each disk is plenty");
    }
    for (uint32_t i = 0; !counted && i < guest->iothread_count; i++) {
        const struct iothread *thread = &guest->iothreads[i];
        if (thread->id <= IDS_LIMIT)
            continue;
        finding = report(check->findings, NM_too_many_iothreads, thread->span,
                         "guest '%s' has an iothread of the number %u, and numac writes at most %u", guest->name,
                         thread->id, IDS_LIMIT);
        finding_help(check->findings, finding, "number iothreads from 1");
    }
}

const struct model_rule pin_rules[] = {
    { .name = "tables-stand-in-the-guest", .source = "language 7", .run = tables_stand_in_the_guest },
    { .name = "rows-name-vcpus", .source = "peers 118", .run = rows_name_vcpus },
    { .name = "vcpus-are-pinned-once", .source = "peers 119", .run = vcpus_are_pinned_once },
    { .name = "rows-with-each-pair-up", .source = "language 7", .run = rows_with_each_pair_up },
    { .name = "helpers-have-one-place", .source = "peers 121", .run = helpers_have_one_place },
    { .name = "iothreads-are-numbered-from-one", .source = "peers 122", .run = iothreads_are_numbered_from_one },
    { .name = "iothreads-are-few", .source = "limit of numac", .run = iothreads_are_few },
    { 0 }
};

/* ---- the plan: what only the plan knows of the table ------------------------------------------------------------ */

static void rows_fit_what_was_decided(const struct check *check, const struct planned_guest *planned)
{
    const struct guest *guest = planned->guest;
    const struct pin_row *rows = guest->locality.pin_rows.items;
    if (!has_table(guest))
        return;
    if (!declared_vcpus(guest))
        check_row_vcpus(check, guest, planned->plan->vcpu_count);
    for (uint32_t r = 0; r < guest->locality.pin_rows.count; r++) {
        if (rows[r].each == EACH_UNSAID || !rows[r].ids->plain || rows[r].cpus->plain)
            continue;
        const struct ids *cpus =
            cpus_on_host(check->arena, check->findings, planned->host, rows[r].cpus, NULL, rows[r].span);
        if (cpus)
            check_each(check, guest, &rows[r], cpus);
    }
}

/* ---- the plan: one CPU for each --------------------------------------------------------------------------------- */

static void vcpus_have_different_cpus(const struct check *check, const struct planned_guest *planned)
{
    const uint32_t *own = planned->guest->locality.pin_rows.count ? planned->own_cpus : NULL;
    if (!own)
        return;
    uint64_t taken[IDS_LIMIT / 64 + 1] = { 0 };
    for (uint32_t v = 0; v < planned->plan->vcpu_count; v++) {
        if (own[v] == NO_INDEX || !(taken[own[v] / 64] >> (own[v] % 64) & 1)) {
            if (own[v] != NO_INDEX)
                taken[own[v] / 64] |= UINT64_C(1) << (own[v] % 64);
            continue;
        }
        uint32_t first = 0;
        while (own[first] != own[v])
            first++;
        struct span here = vcpu_span(planned, v), there = vcpu_span(planned, first);
        struct finding *finding =
            report(check->findings, NM_vcpus_on_one_cpu, here,
                   "vCPUs %u and %u of guest '%s' are both pinned to CPU %u", first, v, planned->plan->name, own[v]);
        if (there.begin != here.begin)
            finding_label(check->findings, finding, there, "vCPU %u", first);
        finding_note(check->findings, finding, "libvirt accepts it; one would wait whenever the other runs");
        finding_help(check->findings, finding,
                     "name another CPU; if they are to share it, write one row without 'each': '%u,%u %u'", first, v,
                     own[v]);
        return;
    }
}

/* ---- the plan: cores -------------------------------------------------------------------------------------------- */

static const struct host_cpu *own_cpu(const struct planned_guest *planned, const uint32_t *own, uint32_t vcpu)
{
    return own[vcpu] == NO_INDEX ? NULL : host_cpu(facts_of(planned), own[vcpu]);
}

static uint32_t first_on_core(const struct planned_guest *planned, const uint32_t *own, uint32_t core)
{
    for (uint32_t v = 0;; v++) {
        const struct host_cpu *cpu = own_cpu(planned, own, v);
        if (cpu && cpu->core == core)
            return v;
    }
}

/* Only pins that a person wrote can be wrong here: automatic ones take whole cores or single CPUs as they were asked.
 */
static void guest_cores_are_host_cores(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    const struct host *facts = facts_of(planned);
    const uint32_t *own = facts && planned->guest->locality.pin_rows.count ? planned->own_cpus : NULL;
    if (!own)
        return;
    uint32_t threads = plan->threads ? plan->threads : 1;
    uint64_t taken[IDS_LIMIT / 64 + 1] = { 0 }; /* cores of the host */
    for (uint32_t v = 0; v < plan->vcpu_count; v++) {
        const struct host_cpu *cpu = own_cpu(planned, own, v), *head = own_cpu(planned, own, v - v % threads);
        if (!cpu || cpu->core == NO_INDEX)
            continue;
        struct finding *finding;
        uint32_t before = taken[cpu->core / 64] >> (cpu->core % 64) & 1 ? first_on_core(planned, own, cpu->core) : v;
        taken[cpu->core / 64] |= UINT64_C(1) << (cpu->core % 64);
        if (head && head->core != cpu->core) {
            finding = report(check->findings, NM_threads_apart, vcpu_span(planned, v),
                             "vCPUs %u and %u of guest '%s' are threads of one core, and CPUs %u and %u are not",
                             v - v % threads, v, plan->name, head->os_index, cpu->os_index);
            finding_note(check->findings, finding,
                         "the guest's scheduler would believe in a shared cache that is not there");
            finding_help(check->findings, finding,
                         "pin them to threads of one core (see 'numac host show'), or write 'threads 1'");
            return;
        }
        if (before / threads != v / threads && own[before] != own[v]) {
            finding = report(check->findings, NM_cores_together, vcpu_span(planned, v),
                             "vCPUs %u and %u of guest '%s' are different cores, and CPUs %u and %u are threads of one",
                             before, v, plan->name, own[before], own[v]);
            finding_note(check->findings, finding,
                         "libvirt accepts it; the guest would load one core of the host and believe in two");
            finding_help(check->findings, finding,
                         "write 'threads 2' and pin neighbours to one core, or use CPUs of different cores");
            return;
        }
    }
}

static uint32_t part_of(const struct host_cpu *cpu, uint32_t level)
{
    switch (level) {
    case LEVEL_SOCKET:
        return cpu->package;
    case LEVEL_NODE:
        return cpu->node_index;
    case LEVEL_L3:
        return cpu->l3 == NO_INDEX ? cpu->die : cpu->l3;
    default:
        return cpu->core;
    }
}

static void tables_stay_within(const struct check *check, const struct planned_guest *planned)
{
    static const char *const words[] = {
        [LEVEL_SOCKET] = "socket", [LEVEL_NODE] = "node", [LEVEL_L3] = "l3", [LEVEL_CORE] = "core"
    };
    const struct guest *guest = planned->guest;
    const struct host *facts = facts_of(planned);
    if (!facts || !guest->locality.pin_rows.count || !is_said(&guest->said, W_WITHIN) ||
        is_failed(&guest->said, W_WITHIN))
        return;
    uint32_t first = NO_INDEX, level = guest->locality.within;
    for (uint32_t v = 0; v < planned->plan->vcpu_count; v++) {
        if (!planned->plan->vcpu_cpus[v])
            continue;
        for (ids_each(planned->plan->vcpu_cpus[v], number)) {
            const struct host_cpu *cpu = host_cpu(facts, number),
                                  *other = first == NO_INDEX ? NULL : host_cpu(facts, first);
            if (cpu && !other)
                first = number;
            if (!cpu || !other || part_of(cpu, level) == part_of(other, level))
                continue;
            struct finding *finding = report(check->findings, NM_pins_outside_within, vcpu_span(planned, v),
                                             "guest '%s' is to stay within one %s, and CPUs %u and %u are in two",
                                             guest->name, words[level], first, number);
            finding_label(check->findings, finding, said_span(&guest->said, W_WITHIN, 1), "asked for here");
            finding_help(check->findings, finding, "pin to CPUs of one %s, or remove 'within'", words[level]);
            return;
        }
    }
}

/* ---- the plan: nodes -------------------------------------------------------------------------------------------- */

/* Whether a person said CPUs for this cell; chosen ones stand beside the memory. */
static bool says_cpus(const struct guest *guest, uint32_t cell)
{
    return locality_of(guest, cell)->pin_rows.count || cell_has_word(guest, cell, W_CPUS);
}

struct spread {                            /* of the vCPUs of a cell */
    const struct host_node *first, *other; /* nodes they run on; other: NULL where there is one only */
    uint32_t vcpu;                         /* the first that is on the other node, or away from the memory */
    uint32_t near, far;                    /* CPUs on nodes of the memory, and not */
};

/* Nodes of several kinds, such as HBM beside DRAM, may share their CPUs. */
static bool is_beside(const struct host *facts, const struct ids *nodes, uint32_t cpu)
{
    for (ids_each(nodes, number)) {
        const struct host_node *node = host_node(facts, number);
        if (node && ids_contains(node->cpus, cpu))
            return true;
    }
    return false;
}

static struct spread spread_of(const struct planned_guest *planned, const struct plan_cell *cell)
{
    const struct host *facts = facts_of(planned);
    struct spread spread = { .vcpu = NO_INDEX };
    const struct ids *before = NULL;
    for (ids_each(cell->vcpus, vcpu)) {
        const struct ids *cpus = vcpu < planned->plan->vcpu_count ? planned->plan->vcpu_cpus[vcpu] : NULL;
        if (!cpus || cpus == before) /* vCPUs that float together have one set */
            continue;
        before = cpus;
        for (ids_each(cpus, number)) {
            const struct host_cpu *cpu = host_cpu(facts, number);
            if (!cpu || cpu->node_index == NO_INDEX)
                continue;
            const struct host_node *node = &facts->nodes[cpu->node_index];
            bool is_near = cell->nodes && is_beside(facts, cell->nodes, number);
            *(is_near ? &spread.near : &spread.far) += 1;
            if (!spread.first)
                spread.first = node;
            else if (!spread.other && node != spread.first)
                spread.other = node;
            if (spread.vcpu == NO_INDEX && (spread.other || !is_near))
                spread.vcpu = vcpu;
        }
    }
    return spread;
}

/* The distance from a node to the nearest of those that hold the memory. */
static uint32_t distance_to_memory(const struct host *facts, const struct host_node *from, const struct ids *nodes)
{
    uint32_t nearest = UINT32_MAX;
    for (uint32_t n = 0; n < facts->node_count; n++)
        if (ids_contains(nodes, facts->nodes[n].os_index))
            nearest = MIN(nearest, host_distance(facts, (uint32_t)(from - facts->nodes), n));
    return nearest;
}

static bool has_cpus(const struct host *facts, const struct ids *nodes)
{
    for (ids_each(nodes, number)) {
        const struct host_node *node = host_node(facts, number);
        if (node && node->cpus->count)
            return true;
    }
    return false;
}

static void vcpus_run_near_their_memory(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    const struct host *facts = facts_of(planned);
    for (uint32_t c = 0; facts && c < plan->cell_count; c++) {
        const struct plan_cell *cell = &plan->cells[c];
        if (!says_cpus(planned->guest, c))
            continue;
        struct spread spread = spread_of(planned, cell);
        bool is_far = cell->nodes && spread.far && !spread.near && has_cpus(facts, cell->nodes);
        if (!spread.first || !spread.far || (!is_far && !spread.other) ||
            (cell->nodes && !has_cpus(facts, cell->nodes)) || plan->memory_by_numad)
            continue; /* where it is nobody knows, which is told */
        struct span span = vcpu_span(planned, spread.vcpu);
        struct finding *finding;
        if (is_far) {
            finding = report(check->findings, NM_vcpus_far_from_memory, span,
                             "the vCPUs of %s run on node %u, and its memory is on node %s",
                             cell_text(check, planned, c), spread.first->os_index, ids_text(check->arena, cell->nodes));
            finding_label(check->findings, finding, cell_word(planned->guest, c, W_NODE, 1), "its memory");
            if (facts->distances)
                finding_note(check->findings, finding, "the nodes are %u apart, and 10 is local",
                             distance_to_memory(facts, spread.first, cell->nodes));
            finding_note(check->findings, finding, "the guest would take all of that memory for local");
            finding_help(check->findings, finding, "bind its memory to node %u, or name CPUs of node %s",
                         spread.first->os_index, ids_text(check->arena, cell->nodes));
        } else {
            finding = report(check->findings, NM_cell_over_nodes, span, "the vCPUs of %s run on node %u and on node %u",
                             cell_text(check, planned, c), spread.first->os_index, spread.other->os_index);
            if (cell->nodes)
                finding_label(check->findings, finding, cell_word(planned->guest, c, W_NODE, 1),
                              "its memory is on node %s", ids_text(check->arena, cell->nodes));
            finding_note(check->findings, finding,
                         "the guest would take the memory of the cell for local to all of them");
            finding_help(check->findings, finding, "name CPUs of one node, or cut the guest into a cell for each node");
        }
    }
}

static void cores_are_of_one_kind(const struct check *check, const struct planned_guest *planned)
{
    const struct host *facts = facts_of(planned);
    if (!facts || !facts->cpu_count || facts->cpus[0].kind == NO_INDEX)
        return;
    const struct host_cpu *first = NULL;
    const struct ids *before = NULL;
    for (uint32_t v = 0; v < planned->plan->vcpu_count; v++) {
        const struct ids *cpus = planned->plan->vcpu_cpus[v];
        if (!cpus || cpus == before)
            continue;
        before = cpus;
        for (ids_each(cpus, number)) {
            const struct host_cpu *cpu = host_cpu(facts, number);
            if (cpu && !first)
                first = cpu;
            if (!cpu || cpu->kind == first->kind)
                continue;
            struct finding *finding = report(check->findings, NM_kinds_of_core_mixed, vcpu_span(planned, v),
                                             "guest '%s' uses CPU %u and CPU %u, which are cores of different kinds",
                                             planned->plan->name, first->os_index, number);
            finding_note(check->findings, finding, "the guest takes all of its vCPUs for equal");
            finding_help(check->findings, finding, "stay with one kind: 'cpus cpukind:%u'",
                         MAX(first->kind, cpu->kind));
            return;
        }
    }
}

const struct plan_rule plan_pin_rules[] = {
    { .name = "rows-fit-what-was-decided", .source = "peers 118", .run = rows_fit_what_was_decided },
    { .name = "vcpus-have-different-cpus", .source = "peers 136", .run = vcpus_have_different_cpus },
    { .name = "guest-cores-are-host-cores", .source = "peers 138", .run = guest_cores_are_host_cores },
    { .name = "tables-stay-within", .source = "language 7", .run = tables_stay_within },
    { .name = "vcpus-run-near-their-memory", .source = "peers 105, 142", .run = vcpus_run_near_their_memory },
    { .name = "cores-are-of-one-kind", .source = "peers 153", .run = cores_are_of_one_kind },
    { 0 }
};
