/* SPDX-License-Identifier: MIT
 *
 * Rules about latencies, bandwidths and side caches as planned: what the tables of the guest can hold, what goes with
 * the distances, what the host tells and what libvirt has no words for.
 */
#include "check/subject.h"

#include <string.h>

/* ---- where something was said ----------------------------------------------------------------------------------- */

static struct span row_span(const struct list *rows, const char *initiator)
{
    const struct hmat_row *row = rows->items;
    for (uint32_t i = 0; i < rows->count; i++)
        if (strcmp(row[i].initiator, initiator) == 0)
            return row[i].span;
    return SPAN_NONE;
}

/* The row of the site, else the word that asks the host. */
static struct span value_span(const struct planned_guest *planned, const struct hmat_row_of_plan *row)
{
    const struct guest *guest = planned->guest;
    const char *initiator = planned->plan->cells[row->initiator].name;
    struct span span = SPAN_NONE;
    if (row->target < guest->cell_count) {
        const struct cell *cell = &guest->cells[row->target];
        const struct hmat_values *values = &cell->hmat;
        for (uint32_t i = 0; row->level && i < cell->hmat_cache_count; i++)
            if (cell->hmat_caches[i].level == row->level)
                values = &cell->hmat_caches[i].values;
        span = row_span(row->is_bandwidth ? &values->bandwidths : &values->latencies, initiator);
    }
    return span.file ? span : guest_word_span(guest, W_GUEST_HMAT, 1);
}

/* ---- 16 bits ---------------------------------------------------------------------------------------------------- */

struct extremes { /* of one table that the guest is told */
    uint64_t base;
    struct hmat_row_of_plan least, most; /* least: the one that makes the base */
};

struct tables {
    struct extremes of[HMAT_LEVEL_COUNT][2][HMAT_ACCESS_COUNT];
};

static void measure(void *state, const struct hmat_row_of_plan *row)
{
    struct tables *tables = state;
    struct extremes *table = &tables->of[row->level][row->is_bandwidth][row->access];
    uint64_t base = hmat_base_of(row->value, row->is_bandwidth);
    if (!table->base || base < table->base) {
        table->base = base;
        table->least = *row;
    }
    if (row->value > table->most.value)
        table->most = *row;
}

static const char *value_text(const struct check *check, const struct hmat_row_of_plan *row)
{
    if (row->is_bandwidth)
        return arena_printf(check->arena, "%s/s", size_text(check->arena, row->value));
    return arena_printf(check->arena, "%" G_GUINT64_FORMAT "ns", row->value);
}

static void report_range(const struct check *check, const struct planned_guest *planned, const struct extremes *table)
{
    const struct hmat_row_of_plan *most = &table->most, *least = &table->least;
    const char *words = most->is_bandwidth ? "bandwidths" : "latencies";
    uint64_t base = table->base;
    while (most->value / base > HMAT_MOST)
        base *= most->is_bandwidth ? 2 : 10;
    struct hmat_row_of_plan step = { .is_bandwidth = most->is_bandwidth, .value = base };
    struct finding *finding =
        report(check->findings, most->is_bandwidth ? NM_bandwidth_range : NM_latency_range, value_span(planned, most),
               "%s and %s are too far apart for one table of %s of guest '%s'", value_text(check, most),
               value_text(check, least), words, planned->plan->name);
    if (least->initiator != most->initiator || least->target != most->target)
        finding_label(check->findings, finding, value_span(planned, least), "the finest value");
    finding_note(
        check->findings, finding,
        "the guest is told multiples of one base, up to %d; libvirt accepts the definition, QEMU does not start",
        HMAT_MOST);
    finding_help(check->findings, finding, "round the values to multiples of %s", value_text(check, &step));
}

static void values_fit_16_bits(const struct check *check, const struct planned_guest *planned)
{
    if (!planned->plan->has_hmat)
        return;
    struct tables *tables = arena_take(check->arena, struct tables);
    hmat_each(planned->plan, measure, tables);
    for (uint32_t level = 0; level < HMAT_LEVEL_COUNT; level++)
        for (uint32_t kind = 0; kind < 2; kind++)
            for (uint32_t access = 0; access < HMAT_ACCESS_COUNT; access++) {
                const struct extremes *table = &tables->of[level][kind][access];
                if (table->base && table->most.value / table->base > HMAT_MOST)
                    report_range(check, planned, table);
            }
}

/* ---- side caches ------------------------------------------------------------------------------------------------ */

struct provided {
    const struct plan_guest *plan;
    bool *latency, *bandwidth; /* by target, at any level */
};

static void note_provided(void *state, const struct hmat_row_of_plan *row)
{
    struct provided *provided = state;
    (row->is_bandwidth ? provided->bandwidth : provided->latency)[row->target] = true;
}

static void side_caches_have_both_values(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    if (!plan->has_hmat)
        return;
    struct provided provided = { .plan = plan,
                                 .latency = arena_array(check->arena, bool, plan->cell_count),
                                 .bandwidth = arena_array(check->arena, bool, plan->cell_count) };
    hmat_each(plan, note_provided, &provided);
    for (uint32_t c = 0; c < plan->cell_count; c++) {
        if (!plan->cells[c].side_cache_count || (provided.latency[c] && provided.bandwidth[c]) ||
            c >= planned->guest->cell_count)
            continue;
        const struct cell *cell = &planned->guest->cells[c];
        const char *lack = provided.latency[c]     ? "bandwidth"
                           : provided.bandwidth[c] ? "latency"
                                                   : "latency or bandwidth";
        struct finding *finding = report(
            check->findings, NM_side_cache_alone, cell->hmat_cache_count ? cell->hmat_caches[0].span : cell->span,
            "cell '%s' of guest '%s' has a side cache and no %s", cell->name, plan->name, lack);
        finding_note(check->findings, finding, "libvirt accepts the definition; QEMU would refuse to start");
        if (provided.latency[c] || provided.bandwidth[c])
            finding_help(check->findings, finding, "add '%s' to the cell", lack);
        else
            finding_help(check->findings, finding, "add 'latency' and 'bandwidth' to the cell");
    }
}

/* ---- distances -------------------------------------------------------------------------------------------------- */

static bool is_one_latency(const struct plan_access *access, uint64_t *out)
{
    *out = access->read + (access->is_split ? access->write : access->read);
    return access->read > 0;
}

/* Of two initiators of one memory, the nearer one by distance has the lower latency. */
static void latencies_agree_with_distances(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    for (uint32_t target = 0; plan->has_hmat && plan->distances && target < plan->cell_count; target++) {
        const struct plan_performance *performance = &plan->cells[target].performance;
        for (uint32_t i = 1; i < performance->latency_count; i++) {
            const struct plan_access *a = &performance->latencies[i - 1], *b = &performance->latencies[i];
            uint32_t a_far = plan->distances[(size_t)a->initiator * plan->cell_count + target],
                     b_far = plan->distances[(size_t)b->initiator * plan->cell_count + target];
            uint64_t a_slow, b_slow;
            if (!is_one_latency(a, &a_slow) || !is_one_latency(b, &b_slow) || a_far == b_far || a_slow == b_slow ||
                (a_far < b_far) == (a_slow < b_slow))
                continue;
            const struct plan_access *near = a_far < b_far ? a : b, *far = near == a ? b : a;
            struct hmat_row_of_plan row = { .initiator = far->initiator, .target = target };
            struct finding *finding =
                report(check->findings, NM_latency_inverted, value_span(planned, &row),
                       "cell '%s' of guest '%s' is nearer to '%s' than to '%s', and has the higher latency from there",
                       plan->cells[target].name, plan->name, plan->cells[near->initiator].name,
                       plan->cells[far->initiator].name);
            finding_label(check->findings, finding, guest_word_span(planned->guest, W_GUEST_DISTANCES, 0),
                          "distances of %u and %u", MIN(a_far, b_far), MAX(a_far, b_far));
            finding_help(check->findings, finding, "correct the latencies or the distances: a guest believes both");
            return;
        }
    }
}

/* ---- of the host ------------------------------------------------------------------------------------------------ */

static void hosts_tell_what_the_guest_asks(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    uint32_t without = 0, first = 0, with_memory = 0;
    if (planned->guest->hmat != HMAT_WORD_AUTO || !facts_of(planned))
        return;
    for (uint32_t c = plan->cell_count; c-- > 0;) {
        const struct plan_performance *performance = &plan->cells[c].performance;
        with_memory += plan->cells[c].memory_bytes != 0;
        if (!plan->cells[c].memory_bytes || performance->latency_count || performance->bandwidth_count)
            continue;
        without++;
        first = c;
    }
    if (!without)
        return;
    struct span span = guest_word_span(planned->guest, W_GUEST_HMAT, 1);
    struct finding *finding;
    if (!facts_of(planned)->access_count || without == with_memory) {
        finding = report(check->findings, NM_hmat_unknown, span,
                         "host '%s' tells no latencies and bandwidths of the memory of guest '%s'", planned->host->name,
                         plan->name);
        finding_note(check->findings, finding,
                     "the kernel shows them below /sys/devices/system/node where the firmware has an HMAT");
        finding_help(check->findings, finding,
                     "record the host anew with 'numac host record', write 'latency' and 'bandwidth' in the cells, or "
                     "remove 'hmat auto'");
        return;
    }
    finding = report(check->findings, NM_hmat_partly_unknown, span,
                     "host '%s' tells no latency and bandwidth of the memory of %s", planned->host->name,
                     cell_text(check, planned, first));
    finding_help(check->findings, finding, "write them in the cell, from the cells that access it");
}

/* ---- libvirt ---------------------------------------------------------------------------------------------------- */

static bool is_of_device(enum libvirt_gap gap)
{
    return gap == GAP_BINDING || gap == GAP_DEVICE;
}

static const char *device_text(const struct check *check, const struct plan_memory_device *device)
{
    return arena_printf(check->arena, "%s '%s'", memory_model_word(device->model), device->memory.name);
}

static struct span gap_span(const struct planned_guest *planned, enum libvirt_gap gap, uint32_t cell, uint32_t other)
{
    const struct guest *guest = planned->guest;
    if (gap == GAP_FIXED)
        return guest_word_span(guest, W_VCPUS_FIXED, 1);
    if (gap == GAP_CACHES || gap == GAP_MODULES)
        return guest_word_span(guest, gap == GAP_CACHES ? W_VCPUS_CACHES : W_VCPUS_MODULES, 0);
    if (gap == GAP_BOOKS)
        return guest_word_span(guest, is_said(&guest->said, W_VCPUS_BOOKS) ? W_VCPUS_BOOKS : W_VCPUS_DRAWERS, 0);
    if (gap == GAP_BOTH_WAYS) {
        struct hmat_row_of_plan row = { .initiator = cell, .target = other };
        if (planned->plan->cells[other].performance.latency_count == 0)
            row.is_bandwidth = true;
        return value_span(planned, &row);
    }
    if (gap == GAP_BINDING)
        return said_span(&said_memory_device(planned, other)->said, W_MEMORY_DEVICE_NODE, 0);
    if (gap == GAP_DEVICE)
        return planned->plan->memory_devices[other].uuid
                   ? said_span(&said_memory_device(planned, other)->said, W_MEMORY_DEVICE_UUID, 0)
                   : said_memory_device(planned, other)->span;
    return cell_word(guest, cell, gap == GAP_NO_MEMORY ? W_CELL_MEMORY : W_CELL_INITIATOR, 1);
}

static const char *gap_text(const struct check *check, const struct planned_guest *planned, enum libvirt_gap gap,
                            uint32_t cell, uint32_t other)
{
    const struct plan_guest *plan = planned->plan;
    const char *name = plan->cells[cell].name, *other_name = is_of_device(gap) ? "" : plan->cells[other].name;
    switch (gap) {
    case GAP_NO_MEMORY:
        return arena_printf(check->arena, "libvirt has no word for %s, which has no memory",
                            cell_text(check, planned, cell));
    case GAP_BOTH_WAYS:
        return arena_printf(check->arena,
                            "libvirt cannot say latencies or bandwidths from cell '%s' to '%s' and from '%s' to '%s'",
                            name, other_name, other_name, name);
    case GAP_INITIATOR:
        if (cell == other)
            return arena_printf(check->arena,
                                "libvirt cannot say the initiator of cell '%s' without a latency or bandwidth", name);
        return arena_printf(check->arena, "libvirt would take cell '%s' as the initiator of cell '%s'", other_name,
                            name);
    case GAP_BINDING:
        return arena_printf(check->arena, "libvirt would bind %s as its cell '%s' is bound",
                            device_text(check, &plan->memory_devices[other]), name);
    case GAP_DEVICE:
        return arena_printf(check->arena, "libvirt has no word for %s%s",
                            plan->memory_devices[other].uuid ? "'uuid' of " : "",
                            device_text(check, &plan->memory_devices[other]));
    case GAP_FIXED:
        return arena_printf(check->arena, "libvirt has fixed vCPUs before all others, and guest '%s' fixes %s",
                            planned->plan->name, ids_text(check->arena, planned->plan->fixed));
    case GAP_CACHES:
        return arena_printf(check->arena, "libvirt has no word for the caches that vCPUs of guest '%s' share",
                            plan->name);
    case GAP_MODULES:
        return arena_printf(check->arena, "libvirt has no word for the modules of guest '%s'", plan->name);
    case GAP_BOOKS:
        return arena_printf(check->arena, "libvirt has no word for the %s of guest '%s'",
                            plan->books == 1     ? "drawers"
                            : plan->drawers == 1 ? "books"
                                                 : "drawers and books",
                            plan->name);
    case GAP_COUNT:
        break;
    }
    bug("a gap that is none");
}

/* The device whose generic initiator a cell is, or NULL. */
static const struct device *initiator_of(const struct planned_guest *planned, uint32_t cell)
{
    for (uint32_t i = 0; i < planned->plan->device_count; i++)
        if (planned->plan->devices[i].initiator == cell)
            return &planned->guest->devices[i];
    return NULL;
}

static void report_initiator(const struct check *check, const struct planned_guest *planned, uint32_t cell,
                             const struct device *device)
{
    const struct plan_guest *plan = planned->plan;
    struct finding *finding =
        report(check->findings, plan->has_base ? NM_not_in_base : NM_initiator_not_in_libvirt,
               said_span(&device->said, W_DEVICE_INITIATOR, 1), "libvirt has no word for the generic initiator of %s",
               cell_text(check, planned, cell));
    if (plan->has_base)
        finding_label(check->findings, finding, said_span(&planned->guest->said, W_GUEST_BASE, 0),
                      "a guest with a base has the libvirt target only");
    else
        finding_note(check->findings, finding, "only the QEMU target is written for guest '%s'", plan->name);
    finding_help(check->findings, finding, "for libvirt remove 'initiator' and the cell");
}

static void libvirt_can_say_the_cells(const struct check *check, const struct planned_guest *planned)
{
    static const enum code codes[] = { [GAP_NO_MEMORY] = NM_cell_without_memory,
                                       [GAP_BOTH_WAYS] = NM_hmat_both_ways,
                                       [GAP_INITIATOR] = NM_initiator_by_libvirt,
                                       [GAP_FIXED] = NM_fixed_not_first,
                                       [GAP_BINDING] = NM_device_binding,
                                       [GAP_DEVICE] = NM_not_in_libvirt,
                                       [GAP_CACHES] = NM_not_in_libvirt,
                                       [GAP_MODULES] = NM_not_in_libvirt,
                                       [GAP_BOOKS] = NM_not_in_libvirt };
    static const char *const helps[] = {
        [GAP_NO_MEMORY] = "for libvirt give it memory, or put its vCPUs into another cell",
        [GAP_BOTH_WAYS] = "for libvirt keep one direction of the two",
        [GAP_INITIATOR] = "for libvirt give it the lowest latency from its initiator",
        [GAP_BINDING] = "for libvirt leave 'node' out, or bind its cell in the same way",
        [GAP_DEVICE] = "for libvirt remove it",
        [GAP_CACHES] = "for libvirt remove 'caches'",
        [GAP_MODULES] = "for libvirt remove 'modules'",
        [GAP_BOOKS] = "for libvirt remove 'books' and 'drawers'",
        [GAP_FIXED] = "for libvirt fix the first ones: 'fixed 0', or 0 to a number",
    };
    const struct plan_guest *plan = planned->plan;
    for (enum libvirt_gap gap = 0; gap < GAP_COUNT; gap++) {
        uint32_t cell, other;
        if (!has_libvirt_gap(plan, gap, &cell, &other))
            continue;
        const struct device *device = gap == GAP_NO_MEMORY ? initiator_of(planned, cell) : NULL;
        if (device) {
            report_initiator(check, planned, cell, device);
            continue;
        }
        struct finding *finding =
            report(check->findings, plan->has_base ? NM_not_in_base : codes[gap], gap_span(planned, gap, cell, other),
                   "%s", gap_text(check, planned, gap, cell, other));
        if (plan->has_base)
            finding_label(check->findings, finding, said_span(&planned->guest->said, W_GUEST_BASE, 0),
                          "a guest with a base has the libvirt target only");
        else
            finding_note(check->findings, finding, "only the QEMU target is written for guest '%s'", plan->name);
        finding_help(check->findings, finding, "%s", helps[gap]);
    }
}

const struct plan_rule plan_hmat_rules[] = {
    { .name = "values-fit-16-bits", .source = "peers 77, 78", .run = values_fit_16_bits },
    { .name = "side-caches-have-both-values", .source = "peers 80", .run = side_caches_have_both_values },
    { .name = "latencies-agree-with-distances", .source = "peers 87", .run = latencies_agree_with_distances },
    { .name = "hosts-tell-what-the-guest-asks", .source = "peers 91", .run = hosts_tell_what_the_guest_asks },
    { .name = "libvirt-can-say-the-cells", .source = "peers 14, 75", .run = libvirt_can_say_the_cells },
    { 0 }
};
