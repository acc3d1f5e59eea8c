/* SPDX-License-Identifier: MIT
 *
 * Latencies, bandwidths and side caches of a placed guest: what its cells say, and with `hmat auto` what the host tells
 * of the nodes chosen.  Also which cell a memory belongs to, and whether libvirt has words for all of it.
 */
#include "place/draft.h"

#include <stdlib.h>
#include <string.h>

struct making {
    struct arena *arena;
    const struct draft *draft;
    const struct plan_guest *plan; /* its cells, vCPUs and distances are there */
    const struct host *facts;      /* NULL: nothing is taken from the host */
    uint32_t *initiator_nodes;     /* by cell: the host node whose CPUs run its vCPUs; NO_INDEX */
};

/* ---- as said ---------------------------------------------------------------------------------------------------- */

static uint32_t cell_of_label(const struct draft *draft, const char *label)
{
    for (uint32_t c = 0; c < draft->cell_count; c++)
        if (strcmp(draft->cells[c].name, label) == 0)
            return c;
    bug("a label that the rules let through");
}

static int by_initiator(const void *a, const void *b)
{
    const struct plan_access *left = a, *right = b;
    return left->initiator < right->initiator ? -1 : left->initiator > right->initiator;
}

static const struct plan_access *said_accesses(const struct making *making, const struct list *list)
{
    const struct hmat_row *rows = list->items;
    struct plan_access *accesses = arena_array(making->arena, struct plan_access, list->count);
    for (uint32_t r = 0; r < list->count; r++) {
        bool is_split = rows[r].write != VALUE_UNSAID;
        accesses[r] = (struct plan_access){ .initiator = cell_of_label(making->draft, rows[r].initiator),
                                            .read = rows[r].read,
                                            .write = is_split ? rows[r].write : rows[r].read,
                                            .is_split = is_split };
    }
    if (list->count)
        qsort(accesses, list->count, sizeof *accesses, by_initiator);
    return accesses;
}

static void take_said(const struct making *making, const struct hmat_values *said, struct plan_performance *out)
{
    out->latencies = said_accesses(making, &said->latencies);
    out->latency_count = said->latencies.count;
    out->bandwidths = said_accesses(making, &said->bandwidths);
    out->bandwidth_count = said->bandwidths.count;
}

static int by_level(const void *a, const void *b)
{
    const struct plan_side_cache *left = a, *right = b;
    return left->level < right->level ? -1 : left->level > right->level;
}

static void take_said_caches(const struct making *making, const struct cell *said, struct plan_cell *out)
{
    static const enum hmat_associativity associativities[] = {
        [ASSOCIATIVITY_WORD_NONE] = ASSOCIATIVITY_NONE,
        [ASSOCIATIVITY_WORD_DIRECT] = ASSOCIATIVITY_DIRECT,
        [ASSOCIATIVITY_WORD_FULL] = ASSOCIATIVITY_FULL,
    };
    static const enum hmat_write_policy policies[] = {
        [WRITE_POLICY_WORD_NONE] = WRITE_POLICY_NONE,
        [WRITE_POLICY_WORD_WRITEBACK] = WRITE_POLICY_WRITEBACK,
        [WRITE_POLICY_WORD_WRITETHROUGH] = WRITE_POLICY_WRITETHROUGH,
    };
    struct plan_side_cache *caches = arena_array(making->arena, struct plan_side_cache, said->hmat_cache_count);
    for (uint32_t i = 0; i < said->hmat_cache_count; i++) {
        const struct hmat_cache *cache = &said->hmat_caches[i];
        caches[i] = (struct plan_side_cache){ .level = cache->level,
                                              .size_bytes = cache->size_bytes,
                                              .line_bytes = cache->line_bytes,
                                              .associativity = associativities[cache->associativity],
                                              .policy = policies[cache->policy] };
        take_said(making, &cache->values, &caches[i].performance);
    }
    if (said->hmat_cache_count)
        qsort(caches, said->hmat_cache_count, sizeof *caches, by_level);
    out->side_caches = caches;
    out->side_cache_count = said->hmat_cache_count;
}

/* ---- of the host ------------------------------------------------------------------------------------------------ */

/* The host node of the CPUs that a cell runs on; pins may lie elsewhere than its memory. */
static uint32_t initiator_node(const struct draft *draft, const struct host *facts, const struct draft_cell *cell)
{
    const struct ids *cpus = NULL;
    if (!cell->vcpu_count)
        return NO_INDEX;
    cpus = draft->vcpu_cpus[ids_first(cell->vcpus)];
    if (!cpus && cell->node != NO_INDEX)
        cpus = facts->nodes[cell->node].cpus;
    const struct host_cpu *cpu = cpus && cpus->count ? host_cpu(facts, ids_first(cpus)) : NULL;
    return cpu ? cpu->node_index : NO_INDEX;
}

/* One kind of value of the pair; false where the host does not tell it. */
static bool host_value(const struct host_access *access, bool is_bandwidth, struct plan_access *out)
{
    struct known_size read = is_bandwidth ? access->read_bandwidth : access->read_latency_ns;
    struct known_size write = is_bandwidth ? access->write_bandwidth : access->write_latency_ns;
    if (!read.known && !write.known)
        return false;
    out->read = read.known ? read.value : write.value;
    out->write = write.known ? write.value : read.value;
    out->is_split = out->read != out->write;
    return true;
}

static uint32_t take_host_values(const struct making *making, uint32_t target, bool is_bandwidth,
                                 const struct plan_access **out_accesses)
{
    const struct draft *draft = making->draft;
    struct plan_access *accesses = arena_array(making->arena, struct plan_access, draft->cell_count);
    uint32_t count = 0, node = draft->cells[target].node;
    for (uint32_t c = 0; node != NO_INDEX && c < draft->cell_count; c++) {
        const struct host_access *access = NULL;
        if (making->initiator_nodes[c] != NO_INDEX)
            access = host_access(making->facts, making->initiator_nodes[c], node);
        accesses[count] = (struct plan_access){ .initiator = c };
        if (access && host_value(access, is_bandwidth, &accesses[count]))
            count++;
    }
    *out_accesses = accesses;
    return count;
}

/* Levels from 1 on without a gap, each larger than the one below: what QEMU takes. */
static void take_host_caches(const struct making *making, uint32_t target, struct plan_cell *out)
{
    static const enum hmat_associativity associativities[] = {
        [SIDE_CACHE_UNKNOWN] = ASSOCIATIVITY_NONE,
        [SIDE_CACHE_DIRECT] = ASSOCIATIVITY_DIRECT,
        [SIDE_CACHE_COMPLEX] = ASSOCIATIVITY_FULL,
    };
    const struct host *facts = making->facts;
    struct plan_side_cache *caches = arena_array(making->arena, struct plan_side_cache, HMAT_LEVEL_COUNT);
    for (uint32_t i = 0; i < facts->side_cache_count; i++) {
        const struct host_side_cache *cache = &facts->side_caches[i];
        uint32_t count = out->side_cache_count;
        if (cache->node_index != making->draft->cells[target].node || cache->level != count + 1 ||
            count + 1 == HMAT_LEVEL_COUNT || cache->bytes <= (count ? caches[count - 1].size_bytes : 0) ||
            cache->bytes % KIB)
            continue;
        caches[count] = (struct plan_side_cache){ .level = cache->level,
                                                  .size_bytes = cache->bytes,
                                                  .line_bytes = MIN(cache->line_bytes, UINT16_MAX),
                                                  .associativity = associativities[cache->indexing] };
        out->side_cache_count++;
    }
    out->side_caches = caches;
}

static void take_host(const struct making *making, uint32_t target, struct plan_cell *out)
{
    struct plan_performance *performance = &out->performance;
    if (!out->memory_bytes)
        return;
    if (!performance->latency_count)
        performance->latency_count = take_host_values(making, target, false, &performance->latencies);
    if (!performance->bandwidth_count)
        performance->bandwidth_count = take_host_values(making, target, true, &performance->bandwidths);
    if (!out->side_cache_count && performance->latency_count && performance->bandwidth_count)
        take_host_caches(making, target, out);
}

/* ---- tables ----------------------------------------------------------------------------------------------------- */

/* Rows of one table of the HMAT: made in this file, so that they may be changed. */
static struct plan_access *rows_of(const struct plan_cell *cell, uint32_t level, bool is_bandwidth, uint32_t *out_count)
{
    const struct plan_performance *performance = level ? NULL : &cell->performance;
    for (uint32_t i = 0; i < cell->side_cache_count; i++)
        if (cell->side_caches[i].level == level)
            performance = &cell->side_caches[i].performance;
    *out_count = !performance ? 0 : is_bandwidth ? performance->bandwidth_count : performance->latency_count;
    return !performance ? NULL : (void *)(uintptr_t)(is_bandwidth ? performance->bandwidths : performance->latencies);
}

/* ---- values of the host into 16 bits ---------------------------------------------------------------------------- */

/* The least base with which the largest value fits. */
static uint64_t base_for(uint64_t most, bool is_bandwidth)
{
    uint64_t base = is_bandwidth ? MIB : 1;
    while ((most + base / 2) / base > HMAT_MOST)
        base *= is_bandwidth ? 2 : 10;
    return base;
}

static uint64_t rounded(uint64_t value, uint64_t base)
{
    uint64_t steps = value / base + (value % base >= base - value % base);
    return MAX(steps, 1) * base;
}

/* Those that were measured lose what the table cannot hold; said ones were refused if they do not fit. */
static void round_accesses(const struct plan_cell *cells, uint32_t cell_count, bool is_bandwidth)
{
    uint64_t most = 0;
    for (int pass = 0; pass < 2; pass++) {
        uint64_t base = base_for(most, is_bandwidth);
        for (uint32_t c = 0; c < cell_count; c++) {
            uint32_t count;
            struct plan_access *accesses = rows_of(&cells[c], 0, is_bandwidth, &count);
            for (uint32_t i = 0; i < count; i++) {
                most = MAX(most, MAX(accesses[i].read, accesses[i].write));
                if (!pass)
                    continue;
                accesses[i].read = rounded(accesses[i].read, base);
                accesses[i].write = rounded(accesses[i].write, base);
                accesses[i].is_split = accesses[i].is_split && accesses[i].read != accesses[i].write;
            }
        }
    }
}

/* ---- one kind of access for each table -------------------------------------------------------------------------- */

/* Linux reads the tables of access, read and write one after another and takes what a later one lacks for 0.  Where one
 * row tells reads and writes apart, all rows do. */
static void split_alike(const struct plan_cell *cells, uint32_t cell_count, uint32_t level, bool is_bandwidth)
{
    bool is_split = false;
    for (int pass = 0; pass < 2; pass++)
        for (uint32_t c = 0; c < cell_count; c++) {
            uint32_t count;
            struct plan_access *rows = rows_of(&cells[c], level, is_bandwidth, &count);
            for (uint32_t i = 0; i < count; i++) {
                is_split |= rows[i].is_split;
                rows[i].is_split = is_split;
            }
        }
}

/* ---- the guest -------------------------------------------------------------------------------------------------- */

static uint32_t best_of(const struct plan_access *accesses, uint32_t count, bool highest)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++) {
        uint64_t here = highest ? MAX(accesses[i].read, accesses[i].write) : MIN(accesses[i].read, accesses[i].write);
        uint64_t there =
            highest ? MAX(accesses[best].read, accesses[best].write) : MIN(accesses[best].read, accesses[best].write);
        if (highest ? here > there : here < there)
            best = i;
    }
    return accesses[best].initiator;
}

/* Said, else itself, else by latency, bandwidth, distance; the first of equals. */
static uint32_t initiator_of(const struct making *making, uint32_t target, const struct plan_cell *cell)
{
    const struct plan_guest *plan = making->plan;
    const struct cell *said = making->draft->cells[target].said;
    if (said && said->initiator)
        return cell_of_label(making->draft, said->initiator);
    if (cell->vcpus->count)
        return target;
    if (cell->performance.latency_count)
        return best_of(cell->performance.latencies, cell->performance.latency_count, false);
    if (cell->performance.bandwidth_count)
        return best_of(cell->performance.bandwidths, cell->performance.bandwidth_count, true);
    uint32_t best = NO_INDEX;
    for (uint32_t c = 0; c < plan->cell_count; c++) {
        if (!plan->cells[c].vcpus->count)
            continue;
        if (best == NO_INDEX || plan->distances[(size_t)c * plan->cell_count + target] <
                                    plan->distances[(size_t)best * plan->cell_count + target])
            best = c;
    }
    return best;
}

static bool says_hmat(const struct draft *draft)
{
    if (draft->guest->hmat == HMAT_WORD_AUTO)
        return true;
    for (uint32_t c = 0; c < draft->cell_count; c++) {
        const struct cell *said = draft->cells[c].said;
        if (said &&
            (said->initiator || said->hmat.latencies.count || said->hmat.bandwidths.count || said->hmat_cache_count))
            return true;
    }
    return false;
}

static void find_initiator_nodes(struct making *making)
{
    const struct draft *draft = making->draft;
    making->facts = draft->room->host->facts;
    making->initiator_nodes = arena_array(making->arena, uint32_t, draft->cell_count);
    for (uint32_t c = 0; c < draft->cell_count; c++)
        making->initiator_nodes[c] = initiator_node(draft, making->facts, &draft->cells[c]);
}

static void find_gaps(struct plan_guest *out)
{
    uint32_t cell, other;
    out->is_qemu_only = false;
    for (enum libvirt_gap gap = 0; gap < GAP_COUNT; gap++)
        out->is_qemu_only |= has_libvirt_gap(out, gap, &cell, &other);
}

/* What all values together come to. */
static void settle(const struct making *making, bool is_auto, struct plan_cell *cells, struct plan_guest *out)
{
    uint32_t count = out->cell_count;
    if (is_auto) {
        round_accesses(cells, count, false);
        round_accesses(cells, count, true);
    }
    for (uint32_t level = 0; out->has_hmat && level < HMAT_LEVEL_COUNT; level++) {
        split_alike(cells, count, level, false);
        split_alike(cells, count, level, true);
    }
    for (uint32_t c = 0; out->has_hmat && c < count; c++)
        cells[c].initiator = initiator_of(making, c, &cells[c]);
    find_gaps(out);
}

void finish_hmat(struct arena *arena, const struct draft *draft, struct plan_cell *cells, struct plan_guest *out)
{
    struct making making = { .arena = arena, .draft = draft, .plan = out };
    out->has_hmat = out->has_numa && says_hmat(draft);
    bool is_auto = out->has_hmat && draft->guest->hmat == HMAT_WORD_AUTO && draft->room;
    if (is_auto)
        find_initiator_nodes(&making);
    for (uint32_t c = 0; out->has_hmat && c < draft->cell_count; c++) {
        const struct cell *said = draft->cells[c].said;
        if (said) {
            take_said(&making, &said->hmat, &cells[c].performance);
            take_said_caches(&making, said, &cells[c]);
        }
        if (is_auto)
            take_host(&making, c, &cells[c]);
    }
    settle(&making, is_auto, cells, out);
}

/* ---- on several hosts ------------------------------------------------------------------------------------------- */

static const struct plan_access *access_from(const struct plan_guest *guest, uint32_t target, bool is_bandwidth,
                                             uint32_t initiator)
{
    const struct plan_performance *here = &guest->cells[target].performance;
    const struct plan_access *rows = is_bandwidth ? here->bandwidths : here->latencies;
    uint32_t count = is_bandwidth ? here->bandwidth_count : here->latency_count;
    for (uint32_t i = 0; i < count; i++)
        if (rows[i].initiator == initiator)
            return &rows[i];
    return NULL;
}

/* The longest way and the least rate; a host that does not tell it says nothing against the others. */
static uint32_t slowest(struct arena *arena, const struct plan_guest *home, const struct plan_guest *moves,
                        uint32_t target, bool is_bandwidth, const struct plan_access **out_rows)
{
    struct plan_access *rows = arena_array(arena, struct plan_access, home->cell_count);
    uint32_t count = 0;
    for (uint32_t initiator = 0; initiator < home->cell_count; initiator++) {
        struct plan_access row = { .initiator = initiator };
        bool is_known = false;
        for (uint32_t m = 0; m <= home->move_count; m++) {
            const struct plan_access *here = access_from(m ? &moves[m - 1] : home, target, is_bandwidth, initiator);
            if (!here)
                continue;
            row.read = !is_known ? here->read : is_bandwidth ? MIN(row.read, here->read) : MAX(row.read, here->read);
            row.write = !is_known      ? here->write
                        : is_bandwidth ? MIN(row.write, here->write)
                                       : MAX(row.write, here->write);
            is_known = true;
        }
        row.is_split = row.read != row.write;
        if (is_known)
            rows[count++] = row;
    }
    *out_rows = rows;
    return count;
}

static bool same_caches(const struct plan_cell *a, const struct plan_cell *b)
{
    bool same = a->side_cache_count == b->side_cache_count;
    for (uint32_t i = 0; same && i < a->side_cache_count; i++) {
        const struct plan_side_cache *left = &a->side_caches[i], *right = &b->side_caches[i];
        same = left->level == right->level && left->size_bytes == right->size_bytes &&
               left->line_bytes == right->line_bytes && left->associativity == right->associativity &&
               left->policy == right->policy;
    }
    return same;
}

static void drop_other_caches(struct placing *placing, const struct draft *draft, uint32_t target,
                              struct plan_cell *out, const struct plan_guest *home, const struct plan_guest *moves)
{
    for (uint32_t m = 0; m < home->move_count; m++) {
        if (same_caches(out, &moves[m].cells[target]))
            continue;
        struct finding *finding =
            report(placing->findings, NM_moved_caches, placed_word_span(draft->guest, W_GUEST_HMAT, 1),
                   "guest '%s' is told of no cache beside the memory of cell '%s': hosts '%s' and '%s' differ in it",
                   draft->guest->name, out->name, home->host, moves[m].host);
        finding_help(placing->findings, finding, "say it in the cell: 'hmat-cache'");
        out->side_cache_count = 0;
        return;
    }
}

void finish_moved_hmat(struct placing *placing, const struct draft *draft, struct plan_guest *home,
                       struct plan_guest *moves)
{
    struct making making = { .arena = placing->arena, .draft = draft, .plan = home };
    if (!home->has_hmat || !home->move_count)
        return;
    bool is_auto = draft->guest->hmat == HMAT_WORD_AUTO;
    struct plan_cell *cells = arena_copy(placing->arena, home->cells, home->cell_count * sizeof *cells);
    for (uint32_t c = 0; is_auto && c < home->cell_count; c++) {
        struct plan_performance *worst = &cells[c].performance;
        worst->latency_count = slowest(placing->arena, home, moves, c, false, &worst->latencies);
        worst->bandwidth_count = slowest(placing->arena, home, moves, c, true, &worst->bandwidths);
        drop_other_caches(placing, draft, c, &cells[c], home, moves);
    }
    home->cells = cells;
    settle(&making, is_auto, cells, home);
    for (uint32_t m = 0; m < home->move_count; m++) {
        struct plan_cell *there = arena_copy(placing->arena, moves[m].cells, home->cell_count * sizeof *there);
        for (uint32_t c = 0; c < home->cell_count; c++) {
            there[c].performance = cells[c].performance;
            there[c].side_caches = cells[c].side_caches;
            there[c].side_cache_count = cells[c].side_cache_count;
            there[c].initiator = cells[c].initiator;
        }
        moves[m].cells = there;
        find_gaps(&moves[m]);
    }
}
