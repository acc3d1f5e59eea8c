/* SPDX-License-Identifier: MIT
 *
 * The numbers that assertions are about, read off the plan and the facts of hosts.  A fact that nobody tells makes a
 * number unknown, never smaller.
 */
#include "check/measures.h"

#include <hwloc/bitmap.h>

static const char record_cure[] = "record the machine with 'numac host record'";

struct measuring {
    struct arena *arena;
    const struct planned_site *planned;
    uint32_t **guests_on; /* by host: by core, how many guests may run there; NULL until somebody asks */
};

struct measuring *measuring_new(struct arena *arena, const struct planned_site *planned)
{
    struct measuring *measuring = g_new0(struct measuring, 1);
    measuring->arena = arena;
    measuring->planned = planned;
    return measuring;
}

void measuring_free(struct measuring *measuring)
{
    for (uint32_t h = 0; measuring->guests_on && h < measuring->planned->hosts->count; h++)
        g_free(measuring->guests_on[h]);
    g_free(measuring->guests_on);
    g_free(measuring);
}

static bool is_whole(const struct measuring *measuring)
{
    return measuring->planned->plan->guest_count == measuring->planned->site->guest_count;
}

static void forget(struct reading *reading, const char *why, const char *cure)
{
    *reading = (struct reading){ .unknown = why, .cure = cure };
}

/* ---- the CPUs of a guest ---------------------------------------------------------------------------------------- */

/* Those that a vCPU may run on: without a pin all of the host. */
static const struct ids *cpus_of_vcpu(const struct planned_guest *planned, uint32_t vcpu)
{
    const struct ids *cpus = planned->plan->vcpu_cpus[vcpu];
    return cpus ? cpus : facts_of(planned)->online;
}

static bool is_left_to_numad(const struct plan_guest *plan)
{
    for (uint32_t v = 0; plan->cpus_by_numad && v < plan->vcpu_count; v++)
        if (!plan->vcpu_cpus[v])
            return true;
    return false;
}

/* Of these vCPUs; NULL: of all.  The caller frees it. */
static hwloc_bitmap_t cpus_of(const struct planned_guest *planned, const struct ids *vcpus)
{
    hwloc_bitmap_t all = hwloc_bitmap_alloc();
    const struct ids *before = NULL;
    for (uint32_t v = 0; v < planned->plan->vcpu_count; v++) {
        const struct ids *cpus = cpus_of_vcpu(planned, v);
        if (cpus == before || (vcpus && !ids_contains(vcpus, v)))
            continue;
        ids_add_to_bitmap(cpus, all);
        before = cpus;
    }
    return all;
}

static uint32_t part_of(const struct host_cpu *cpu, uint32_t measure)
{
    switch (measure) {
    case MEASURE_SOCKETS:
        return cpu->package;
    case MEASURE_NODES:
        return cpu->node_index;
    case MEASURE_L3:
        return cpu->l3;
    case MEASURE_CORES:
    case MEASURE_SHARED_CORES:
        return cpu->core;
    default:
        return cpu->os_index;
    }
}

/* The parts of a host that CPUs are in: false where the host does not tell of one. */
static bool parts_of(const struct host *facts, hwloc_const_bitmap_t cpus, uint32_t measure, hwloc_bitmap_t out_parts)
{
    for (int number = hwloc_bitmap_first(cpus); number >= 0; number = hwloc_bitmap_next(cpus, number)) {
        const struct host_cpu *cpu = host_cpu(facts, (uint32_t)number);
        uint32_t part = cpu ? part_of(cpu, measure) : NO_INDEX;
        if (cpu && part == NO_INDEX)
            return false;
        if (cpu)
            hwloc_bitmap_set(out_parts, part);
    }
    return true;
}

static const char *untold_part(const struct measuring *measuring, const struct planned_guest *planned, uint32_t measure)
{
    static const char *const parts[MEASURE_COUNT] = { [MEASURE_SOCKETS] = "the sockets",
                                                      [MEASURE_NODES] = "the nodes",
                                                      [MEASURE_L3] = "the L3 caches",
                                                      [MEASURE_CORES] = "the cores",
                                                      [MEASURE_SHARED_CORES] = "the cores" };
    return arena_printf(measuring->arena, "host '%s' does not tell %s of its CPUs", planned->host->name,
                        parts[measure] ? parts[measure] : "something");
}

/* ---- memory of a guest ------------------------------------------------------------------------------------------ */

/* Nodes by position, of a set of OS numbers. */
static void add_nodes(const struct host *facts, const struct ids *numbers, hwloc_bitmap_t nodes)
{
    for (ids_each(numbers, number)) {
        const struct host_node *node = host_node(facts, number);
        if (node)
            hwloc_bitmap_set(nodes, (unsigned)(node - facts->nodes));
    }
}

static bool is_placed(const struct planned_guest *planned, const struct plan_cell *memory)
{
    return !memory->memory_bytes || (memory->nodes && !planned->plan->memory_by_numad);
}

/* Calls visit for the memory of each cell, and for each memory device, with the cell it belongs to. */
struct visit {
    struct measuring *measuring;
    const struct planned_guest *planned;
    struct reading *reading;
    hwloc_bitmap_t cpu_nodes; /* of the cell that is visited, by position */
    uint32_t cell;
    void (*take)(struct visit *visit, const struct plan_cell *memory);
};

static void take_nodes(struct visit *visit, const struct plan_cell *memory)
{
    add_nodes(facts_of(visit->planned), memory->nodes, visit->cpu_nodes);
}

/* What of it may lie beyond the nodes of the CPUs: interleaved memory an even share, else all as soon as one of its
 * nodes is another; preferred memory is where it is wished to be. */
static uint64_t remote_bytes(const struct host *facts, const struct plan_cell *memory, hwloc_const_bitmap_t near)
{
    uint32_t far = 0, count = 0;
    for (ids_each(memory->nodes, number)) {
        const struct host_node *node = host_node(facts, number);
        bool is_far = !node || !hwloc_bitmap_isset(near, (unsigned)(node - facts->nodes));
        if (memory->policy == POLICY_PREFERRED && count)
            break;
        far += is_far;
        count++;
    }
    if (!far)
        return 0;
    return memory->policy == POLICY_INTERLEAVE ? memory->memory_bytes / count * far : memory->memory_bytes;
}

static void take_remote(struct visit *visit, const struct plan_cell *memory)
{
    uint64_t bytes = remote_bytes(facts_of(visit->planned), memory, visit->cpu_nodes);
    visit->reading->value += bytes;
    if (bytes && !visit->reading->note)
        visit->reading->note =
            arena_printf(visit->measuring->arena, "cell '%s': its vCPUs and %s of its memory are on different nodes",
                         visit->planned->plan->cells[visit->cell].name, size_text(visit->measuring->arena, bytes));
}

static void take_distance(struct visit *visit, const struct plan_cell *memory)
{
    const struct host *facts = facts_of(visit->planned);
    for (int from = hwloc_bitmap_first(visit->cpu_nodes); from >= 0; from = hwloc_bitmap_next(visit->cpu_nodes, from)) {
        for (ids_each(memory->nodes, number)) {
            const struct host_node *node = host_node(facts, number);
            uint32_t to = node ? (uint32_t)(node - facts->nodes) : (uint32_t)from;
            uint32_t distance = host_distance(facts, (uint32_t)from, to);
            if (to != (uint32_t)from && !facts->distances)
                forget(visit->reading,
                       arena_printf(visit->measuring->arena, "host '%s' does not tell distances",
                                    visit->planned->host->name),
                       record_cure);
            if (visit->reading->unknown || distance <= visit->reading->value)
                continue;
            visit->reading->value = distance;
            visit->reading->note =
                arena_printf(visit->measuring->arena, "cell '%s': CPUs on node %u, memory on node %u",
                             visit->planned->plan->cells[visit->cell].name, facts->nodes[from].os_index, number);
        }
    }
}

static void take_memory(struct visit *visit, const struct plan_cell *memory)
{
    if (!memory->memory_bytes || visit->reading->unknown)
        return;
    if (is_placed(visit->planned, memory))
        visit->take(visit, memory);
    else
        forget(visit->reading, "where its memory lies is decided when it starts", "bind its memory: 'node 0'");
}

static void visit_cell(struct visit *visit)
{
    const struct plan_guest *plan = visit->planned->plan;
    take_memory(visit, &plan->cells[visit->cell]);
    for (uint32_t i = 0; i < plan->memory_device_count; i++)
        if (plan->memory_devices[i].cell == visit->cell && plan->memory_devices[i].model != MEMORY_VIRTIO_PMEM)
            take_memory(visit, &plan->memory_devices[i].memory);
}

/* What depends on where the vCPUs of a cell are and where its memory is; cells without vCPUs have none to be far
 * from. */
static void measure_cells(struct visit *visit)
{
    const struct plan_guest *plan = visit->planned->plan;
    const struct host *facts = facts_of(visit->planned);
    for (visit->cell = 0; visit->cell < plan->cell_count && !visit->reading->unknown; visit->cell++) {
        if (!plan->cells[visit->cell].vcpus->count)
            continue;
        hwloc_bitmap_t cpus = cpus_of(visit->planned, plan->cells[visit->cell].vcpus);
        visit->cpu_nodes = hwloc_bitmap_alloc();
        if (parts_of(facts, cpus, MEASURE_NODES, visit->cpu_nodes))
            visit_cell(visit);
        else
            forget(visit->reading, untold_part(visit->measuring, visit->planned, MEASURE_NODES), record_cure);
        hwloc_bitmap_free(visit->cpu_nodes);
        hwloc_bitmap_free(cpus);
    }
}

/* ---- cores that guests share ------------------------------------------------------------------------------------ */

static void enter_cores(struct measuring *measuring, const struct planned_guest *planned)
{
    const struct host *facts = facts_of(planned);
    uint32_t h = (uint32_t)(planned->host - measuring->planned->hosts->list);
    hwloc_bitmap_t cpus = cpus_of(planned, NULL), cores = hwloc_bitmap_alloc();

    if (!measuring->guests_on[h])
        measuring->guests_on[h] = g_new0(uint32_t, facts->cpu_count + 1);
    parts_of(facts, cpus, MEASURE_CORES, cores);
    for (int core = hwloc_bitmap_first(cores); core >= 0; core = hwloc_bitmap_next(cores, core))
        measuring->guests_on[h][core]++;
    hwloc_bitmap_free(cores);
    hwloc_bitmap_free(cpus);
}

static uint32_t shared_among(struct measuring *measuring, const struct planned_guest *planned,
                             hwloc_const_bitmap_t cores)
{
    const struct planned_site *site = measuring->planned;
    if (!measuring->guests_on) {
        measuring->guests_on = g_new0(uint32_t *, site->hosts->count);
        for (uint32_t i = 0; i < site->plan->guest_count; i++)
            if (facts_of(&site->guests[i]))
                enter_cores(measuring, &site->guests[i]);
    }
    uint32_t shared = 0;
    for (int core = hwloc_bitmap_first(cores); core >= 0; core = hwloc_bitmap_next(cores, core))
        shared += measuring->guests_on[planned->host - site->hosts->list][core] > 1;
    return shared;
}

/* ---- a guest ---------------------------------------------------------------------------------------------------- */

static void count_parts(struct measuring *measuring, uint32_t measure, const struct planned_guest *planned,
                        struct reading *reading)
{
    const struct host *facts = facts_of(planned);
    hwloc_bitmap_t cpus = cpus_of(planned, NULL), parts = hwloc_bitmap_alloc();
    if (!parts_of(facts, cpus, measure, parts))
        forget(reading, untold_part(measuring, planned, measure), record_cure);
    if (measure == MEASURE_NODES && !reading->unknown) {
        struct visit visit = { measuring, planned, reading, parts, 0, take_nodes };
        for (; visit.cell < planned->plan->cell_count; visit.cell++)
            visit_cell(&visit);
    }
    if (!reading->unknown)
        reading->value = measure == MEASURE_SHARED_CORES ? shared_among(measuring, planned, parts)
                                                         : (uint64_t)hwloc_bitmap_weight(parts);
    hwloc_bitmap_free(parts);
    hwloc_bitmap_free(cpus);
}

bool measure_guest(struct measuring *measuring, uint32_t measure, const struct planned_guest *planned,
                   struct reading *out_reading)
{
    *out_reading = (struct reading){ 0 };
    if (measure == MEASURE_SHARED_CORES && !is_whole(measuring))
        return false;
    if (!facts_of(planned)) {
        forget(out_reading, "it has no host", "declare a host");
    } else if (is_left_to_numad(planned->plan)) {
        forget(out_reading, "numad chooses its CPUs when it starts", "leave 'numad' out: numac chooses in the plan");
    } else if (measure == MEASURE_DISTANCE || measure == MEASURE_REMOTE_MEMORY) {
        struct visit visit = { measuring, planned, out_reading,
                               NULL,      0,       measure == MEASURE_DISTANCE ? take_distance : take_remote };
        measure_cells(&visit);
    } else {
        count_parts(measuring, measure, planned, out_reading);
    }
    return true;
}

/* ---- what is left of a host ------------------------------------------------------------------------------------- */

static uint64_t left_of_node(const struct plan_node *node, uint32_t measure)
{
    uint64_t left = 0;
    if (measure == MEASURE_FREE_CPUS)
        return (uint64_t)ids_size(node->shared_cpus) + ids_size(node->isolated_cpus);
    if (measure == MEASURE_FREE_MEMORY)
        return node->memory_left_bytes;
    for (uint32_t p = 0; p < node->pool_count; p++)
        left += node->pools[p].pages_left * node->pools[p].page_bytes;
    return left;
}

static bool is_left_known(const struct plan_node *node, uint32_t measure, const struct site_host *host)
{
    if (measure == MEASURE_FREE_PAGES) {
        const struct host_node *facts = host_node(host->facts, node->os_index);
        return facts && (facts->pools_known || facts->pool_count);
    }
    return measure == MEASURE_FREE_CPUS || node->memory_known;
}

bool measure_host(const struct measuring *measuring, uint32_t measure, const struct plan_host *plan,
                  const struct site_host *host, struct reading *out_reading)
{
    static const char *const what[MEASURE_COUNT] = {
        [MEASURE_FREE_MEMORY] = "memory", [MEASURE_FREE_PAGES] = "huge pages"
    };
    uint64_t least = UINT64_MAX;
    uint32_t least_node = 0;
    *out_reading = (struct reading){ 0 };
    if (!is_whole(measuring))
        return false;
    for (uint32_t n = 0; n < plan->node_count; n++) {
        if (!is_left_known(&plan->nodes[n], measure, host)) {
            forget(out_reading,
                   arena_printf(measuring->arena, "host '%s' does not tell the %s of node %u", host->name,
                                what[measure], plan->nodes[n].os_index),
                   record_cure);
            return true;
        }
        uint64_t left = left_of_node(&plan->nodes[n], measure);
        out_reading->value += left;
        if (left >= least)
            continue;
        least = left;
        least_node = plan->nodes[n].os_index;
    }
    if (plan->node_count > 1)
        out_reading->note =
            arena_printf(measuring->arena, "node %u has the least of it: %s", least_node,
                         is_measured_in_bytes(measure) ? size_text(measuring->arena, least)
                                                       : arena_printf(measuring->arena, "%" G_GUINT64_FORMAT, least));
    return true;
}

const char *measure_cure(uint32_t measure, const struct planned_guest *guest)
{
    bool is_least = (measure == MEASURE_CORES && guest->guest->locality.pin == PIN_CORES) ||
                    (measure == MEASURE_CPUS && has_own_cpus(guest));
    if (is_least)
        return "ask for fewer vCPUs: each has its own already";
    static const char *const cures[MEASURE_COUNT] = {
        [MEASURE_SOCKETS] = "keep it together: 'within socket'",
        [MEASURE_NODES] = "keep it together: 'within node', or 'node 0'",
        [MEASURE_L3] = "keep it together: 'within l3'",
        [MEASURE_CORES] = "give its vCPUs CPUs of their own: 'pin cores'",
        [MEASURE_CPUS] = "give each vCPU a CPU of its own: 'pin cpus'",
        [MEASURE_DISTANCE] = "bring CPUs and memory of each cell together: leave 'node' or 'cpus' out",
        [MEASURE_REMOTE_MEMORY] = "bring CPUs and memory of each cell together: leave 'node' or 'cpus' out",
        [MEASURE_SHARED_CORES] = "give the guests cores of their own: 'pin cores'",
        [MEASURE_FREE_CPUS] = "let guests use more of it",
        [MEASURE_FREE_MEMORY] = "let guests use more of it",
        [MEASURE_FREE_PAGES] = "make its pools smaller, or let guests use more of them",
    };
    return cures[measure];
}
