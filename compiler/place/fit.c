/* SPDX-License-Identifier: MIT
 *
 * One guest on one host: cells whose nodes are said are entered first, nodes are chosen for the others, memory is
 * counted, CPUs are picked.  All or nothing: what a guest took before it turned out not to fit is given back.
 */
#include "place/draft.h"
#include "place/nodes.h"

#include <string.h>

/* ---- sets of the site on this host ----------------------------------------------------------------------------------- */

static struct findings *listener(const struct attempt *attempt)
{
    return attempt->is_only_host ? attempt->placing->findings : attempt->placing->unheard;
}

static const struct ids *nodes_said(const struct attempt *attempt, const struct set *set, struct span span)
{
    if (set->plain)
        return set->plain;
    return nodes_on_host(attempt->placing->arena, listener(attempt), attempt->room->host, set, span);
}

static const struct ids *cpus_said(const struct attempt *attempt, const struct set *set, struct span span)
{
    if (set->plain)
        return set->plain;
    return cpus_on_host(attempt->placing->arena, listener(attempt), attempt->room->host, set, NULL, span);
}

static bool fails(const struct attempt *attempt, enum shortage kind, uint32_t cell, uint32_t node, uint64_t needed,
                  uint64_t left)
{
    *attempt->misfit = (struct misfit){ attempt->room, kind, cell, node, needed, left, false, false };
    return false;
}

/* A set that the host cannot answer: told by whoever read it, or no mistake at all where other hosts may do. */
static bool fails_heard(const struct attempt *attempt)
{
    *attempt->misfit = (struct misfit){ .room = attempt->room, .node = NO_INDEX, .is_reported = true };
    return false;
}

/* ---- cells ---------------------------------------------------------------------------------------------------------------- */

/* The nodes that get a cell each where the site says `cells host`, `all`, or `cells auto` on several nodes. */
static uint32_t own_nodes(const struct attempt *attempt, const struct guest *guest, uint32_t *out)
{
    const struct room *room = attempt->room;
    const struct ids *said = guest->locality.nodes ? nodes_said(attempt, guest->locality.nodes, placed_word_span(guest, W_NODE, 1)) : NULL;
    uint32_t count = 0;
    for (uint32_t n = 0; n < room->node_count; n++) {
        const struct room_node *node = &room->nodes[n];
        bool is_host = guest->cells_wanted == CELLS_HOST;
        if (said ? ids_contains(said, node->os_index) && (node->open_cpus || !is_host) : node->is_choice)
            out[count++] = n;
    }
    return count;
}

void lay_cells(const struct attempt *attempt, const struct guest *guest, uint32_t count)
{
    struct placing *placing = attempt->placing;
    struct draft *draft = attempt->draft;
    bool takes = guest->vcpu_count == COUNT_ALL || guest->memory_bytes == SIZE_ALL;
    bool several = guest->cells_wanted == CELLS_AUTO && guest->locality.nodes;
    bool by_node = !guest->cell_count && (guest->cells_wanted == CELLS_HOST || several || takes);
    if (!by_node) {
        draft_cells(placing->scratch, draft, guest, count);
        return;
    }
    uint32_t *nodes = arena_array(placing->scratch, uint32_t, attempt->room->node_count + 1);
    uint32_t found = own_nodes(attempt, guest, nodes);
    bool is_open = guest->cells_wanted == 0 || guest->cells_wanted == CELLS_AUTO || guest->cells_wanted == CELLS_HOST;
    bool is_one = guest->cells_wanted == 0 && guest->locality.nodes; /* one cell over the nodes that are said */
    draft_cells(placing->scratch, draft, guest, is_one ? 1 : is_open ? MAX(found, 1) : guest->cells_wanted);
    for (uint32_t i = 0; !is_one && i < draft->cell_count && i < found; i++)
        draft->cells[i].fixed = attempt->room->nodes[nodes[i]].self;
}

/* ---- what a cell needs ------------------------------------------------------------------------------------------------- */

static uint32_t pin_of(const struct draft_cell *cell)
{
    return cell->locality->pin_rows.count ? PIN_NODE : cell->locality->pin;
}

/* vCPUs of a cell that no row of the pin table places. */
static uint32_t unplaced(const struct draft *draft, const struct draft_cell *cell)
{
    uint32_t count = cell->vcpu_count;
    if (draft->guest->locality.pin_rows.count && draft->vcpu_cpus)
        for (ids_each(cell->vcpus, vcpu))
            count -= vcpu < draft->vcpu_count && draft->vcpu_cpus[vcpu];
    return count;
}

static struct need need_of(const struct attempt *attempt, uint32_t index)
{
    const struct draft *draft = attempt->draft;
    const struct draft_cell *cell = &draft->cells[index];
    struct need need = { .within = cell->within, .scope = draft->scope, .allowed = cell->allowed };
    uint32_t count = unplaced(draft, cell), threads = MIN(draft->threads, MAX(attempt->room->smt, 1));
    switch (pin_of(cell)) {
    case PIN_CPUS:
        need.singles = count;
        break;
    case PIN_CORES:
        need.threads = threads;
        need.cores = (count + threads - 1) / threads;
        break;
    case PIN_NODE:
        need.floating = count;
        break;
    default:
        break;
    }
    need.bytes = cell->memory_bytes;
    need.page_bytes = cell->page_bytes;
    return need;
}

static uint32_t indexes_of(const struct room *room, const struct ids *nodes, uint32_t *out, bool *out_all_there)
{
    uint32_t count = 0, asked = 0;
    for (ids_each(nodes, node)) {
        uint32_t index = room_find_node(room, node);
        asked++;
        if (index != NO_INDEX)
            out[count++] = index;
    }
    *out_all_there = count == asked;
    return count;
}

/* ---- taking and giving back -------------------------------------------------------------------------------------------- */

static void give_back(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    for (uint32_t i = 0; i < draft->cell_count; i++)
        give_memory(attempt->room, &draft->cells[i]);
    for (uint32_t i = draft->claim_count; i-- > 0;)
        room_set_cpu(attempt->room, draft->claims[i], CPU_FREE);
    draft->claim_count = 0;
}

static bool is_spread(const struct attempt *attempt)
{
    return attempt->placing->site->placement == PLACEMENT_SPREAD;
}

static bool take_cpus(const struct attempt *attempt, uint32_t index, const uint32_t *nodes, uint32_t count)
{
    struct draft *draft = attempt->draft;
    struct draft_cell *cell = &draft->cells[index];
    struct need need = need_of(attempt, index);
    uint32_t most = need.cores ? need.cores * need.threads : need.singles, claimed = 0, at = 0;
    uint32_t *picks = arena_array(attempt->placing->scratch, uint32_t, most);
    if (!pick_cpus(attempt->placing->scratch, attempt->room, nodes, count, &need, is_spread(attempt), picks,
                   draft->claims + draft->claim_count, &claimed, &cell->own_scope))
        return false;
    draft->claim_count += claimed;
    for (ids_each(cell->vcpus, vcpu))
        if (most && vcpu < draft->vcpu_count && !draft->vcpu_cpus[vcpu])
            draft->vcpu_cpus[vcpu] = room_single(attempt->room, picks[at++]);
    return true;
}

/* Enters a cell whose nodes are known and were found to have room. */
static bool enter_cell(const struct attempt *attempt, uint32_t index, const uint32_t *nodes, uint32_t count)
{
    struct draft_cell *cell = &attempt->draft->cells[index];
    cell->node = count ? nodes[0] : NO_INDEX;
    if (cell->page_bytes == PAGES_LARGEST)
        cell->page_bytes = largest_page(attempt->room, nodes, count, cell->locality->policy, cell->memory_bytes);
    take_memory(attempt->placing->scratch, attempt->room, cell, nodes, count);
    return take_cpus(attempt, index, nodes, count);
}

static bool memory_has_room(const struct attempt *attempt, const struct draft_cell *cell, const uint32_t *nodes,
                            uint32_t count)
{
    uint64_t page = cell->page_bytes;
    if (page == PAGES_LARGEST)
        page = largest_page(attempt->room, nodes, count, cell->locality->policy, cell->memory_bytes);
    return memory_fits(attempt->room, nodes, count, cell->locality->policy, page, cell->memory_bytes);
}

static uint64_t left_on(const struct attempt *attempt, const uint32_t *nodes, uint32_t count, uint64_t page_bytes)
{
    uint64_t sum = 0;
    for (uint32_t n = 0; n < count; n++)
        sum += room_bytes_left(attempt->room, nodes[n], page_bytes == PAGES_LARGEST ? 0 : page_bytes);
    return sum;
}

/* ---- cells whose nodes are said ------------------------------------------------------------------------------------------ */

static const struct ids *fitting_nodes(const struct attempt *attempt, uint32_t index, const struct ids *first,
                                       uint32_t *nodes, uint32_t *out_count)
{
    struct draft_cell *cell = &attempt->draft->cells[index];
    const struct guest *guest = attempt->draft->guest;
    const struct set *const *fallback = cell->locality->fallback.items;
    uint32_t tries = 1 + (first == cell->fixed && cell->locality->nodes ? cell->locality->fallback.count : 0);
    for (uint32_t t = 0; t < tries; t++) {
        bool all_there;
        const struct ids *set = t ? nodes_said(attempt, fallback[t - 1], cell_span(guest, cell, W_NODE_FALLBACK, t)) : first;
        if (!set) {
            fails_heard(attempt);
            return NULL;
        }
        *out_count = indexes_of(attempt->room, set, nodes, &all_there);
        if (!all_there && !attempt->is_only_host) {
            fails_heard(attempt);
            return NULL;
        }
        if (!all_there || memory_has_room(attempt, cell, nodes, *out_count))
            return set; /* nodes that the host lacks are told by a rule of the plan */
    }
    bool all_there;
    *out_count = indexes_of(attempt->room, first, nodes, &all_there);
    enum shortage kind = cell->page_bytes && cell->page_bytes != PAGES_LARGEST ? SHORT_PAGES : SHORT_MEMORY;
    fails(attempt, kind, index, *out_count == 1 ? nodes[0] : NO_INDEX, cell->memory_bytes,
          left_on(attempt, nodes, *out_count, cell->page_bytes));
    return NULL;
}

/* CPUs stand beside the memory: those of the cell's nodes, or, for nodes without CPUs, those of the whole host. */
static uint32_t cpu_nodes(const struct room *room, const struct draft_cell *cell, uint32_t *nodes, uint32_t count)
{
    bool has_cpus = false;
    for (uint32_t n = 0; n < count; n++)
        has_cpus |= room->nodes[nodes[n]].open_cpus > 0;
    if (has_cpus && !cell->allowed)
        return count;
    for (uint32_t n = 0; n < room->node_count; n++) /* `cpus` may name any, wherever the memory is */
        nodes[n] = n;
    return room->node_count;
}

static void take_all(const struct attempt *attempt, uint32_t index, const uint32_t *nodes, uint32_t count)
{
    struct draft_cell *cell = &attempt->draft->cells[index];
    const struct guest *guest = attempt->draft->guest;
    uint32_t threads = guest->threads ? MIN(guest->threads, MAX(attempt->room->smt, 1)) : MAX(attempt->room->smt, 1);
    uint32_t sum = 0;
    for (uint32_t n = 0; n < count; n++) {
        const struct room_node *node = &attempt->room->nodes[nodes[n]];
        uint32_t own = guest->emulator == EMULATOR_ISOLATE && index == 0 && n == 0 ? 1 : 0;
        switch (pin_of(cell)) {
        case PIN_CORES:
            sum += (node->whole_cores > own ? node->whole_cores - own : 0) * threads;
            break;
        case PIN_CPUS:
            sum += node->free_cpus > own ? node->free_cpus - own : 0;
            break;
        default:
            sum += node->loose_cpus;
        }
    }
    cell->vcpu_count = sum;
}

static bool fill_cell(const struct attempt *attempt, uint32_t index, const uint32_t *nodes, uint32_t count)
{
    struct draft_cell *cell = &attempt->draft->cells[index];
    if (cell->takes_vcpus)
        take_all(attempt, index, nodes, count);
    if (cell->takes_memory && !all_memory(attempt->room, nodes, count, &cell->page_bytes, &cell->memory_bytes))
        return fails(attempt, SHORT_MEMORY, index, nodes[0], SIZE_ALL, UINT64_MAX);
    if ((cell->takes_vcpus && !cell->vcpu_count) || (cell->takes_memory && !cell->memory_bytes))
        return fails(attempt, cell->takes_vcpus && !cell->vcpu_count ? SHORT_CPUS : SHORT_MEMORY, index, nodes[0], SIZE_ALL, 0);
    return true;
}

static bool check_cpus(const struct attempt *attempt, uint32_t index, const uint32_t *nodes, uint32_t count,
                       enum ease ease)
{
    struct need need = need_of(attempt, index);
    enum shortage kind = cpu_shortage(attempt->room, nodes, count, &need, ease);
    if (kind == FITS)
        return true;
    uint64_t left = 0;
    for (uint32_t n = 0; n < count; n++) {
        const struct room_node *node = &attempt->room->nodes[nodes[n]];
        left += need.cores ? node->whole_cores : need.singles ? node->free_cpus : node->loose_cpus;
    }
    uint64_t needed = need.cores ? need.cores : need.singles ? need.singles : need.floating;
    return fails(attempt, kind, index, count == 1 ? nodes[0] : NO_INDEX, needed, left);
}

static bool enter_fixed(const struct attempt *attempt, uint32_t index)
{
    struct draft_cell *cell = &attempt->draft->cells[index];
    uint32_t count, *nodes = arena_array(attempt->placing->scratch, uint32_t, attempt->room->node_count + 1);
    cell->nodes = fitting_nodes(attempt, index, cell->fixed, nodes, &count);
    if (!cell->nodes)
        return false;
    uint32_t near = count, *beside = arena_copy(attempt->placing->scratch, nodes, (attempt->room->node_count + 1) * sizeof *nodes);
    near = cpu_nodes(attempt->room, cell, beside, near);
    if (!check_cpus(attempt, index, beside, near, EASE_CROWDED))
        return false;
    cell->node = count ? nodes[0] : NO_INDEX;
    if (cell->page_bytes == PAGES_LARGEST)
        cell->page_bytes = largest_page(attempt->room, nodes, count, cell->locality->policy, cell->memory_bytes);
    take_memory(attempt->placing->scratch, attempt->room, cell, nodes, count);
    return take_cpus(attempt, index, beside, near) || fails(attempt, SHORT_CPUS, index, cell->node, 0, 0);
}

/* ---- cells whose nodes are left open ------------------------------------------------------------------------------------ */

struct open_cells { /* the state behind node_problem.fits_beside */
    const struct attempt *attempt;
    const uint32_t *index; /* of each open cell, in the draft */
    uint32_t count;
};

static bool node_fits(const struct attempt *attempt, uint32_t index, uint32_t node, const struct need *need)
{
    const struct draft_cell *cell = &attempt->draft->cells[index];
    if (!attempt->room->nodes[node].is_choice || !memory_has_room(attempt, cell, &node, 1))
        return false;
    return cpu_shortage(attempt->room, &node, 1, need, attempt->ease) == FITS;
}

static bool same_need(const struct need *a, const struct need *b)
{
    return a->singles == b->singles && a->cores == b->cores && a->threads == b->threads && a->floating == b->floating &&
           a->within == b->within && a->allowed == b->allowed && a->bytes == b->bytes && a->page_bytes == b->page_bytes;
}

/* Several cells on one node: their needs together must fit it, under the narrowest wishes of each of them. */
static bool fits_beside(const void *state, uint32_t cell, uint32_t node, const uint32_t *chosen)
{
    const struct open_cells *open = state;
    struct need own = need_of(open->attempt, open->index[cell]), sum = own;
    uint64_t bytes = own.bytes;
    for (uint32_t other = 0; other < open->count; other++) {
        if (other == cell || chosen[other] != node)
            continue;
        struct need need = need_of(open->attempt, open->index[other]);
        sum.singles += need.singles;
        sum.cores += need.cores;
        sum.floating += need.floating;
        bytes += need.page_bytes == own.page_bytes ? need.bytes : 0;
    }
    const struct draft_cell *here = &open->attempt->draft->cells[open->index[cell]];
    uint64_t page = own.page_bytes == PAGES_LARGEST ? PAGES_NORMAL : own.page_bytes;
    if (!memory_fits(open->attempt->room, &node, 1, here->locality->policy, page, bytes))
        return false;
    struct need cores = sum, singles = sum, floating = sum;
    cores.floating = cores.singles = singles.cores = singles.floating = floating.cores = floating.singles = 0;
    singles.singles += sum.cores * open->attempt->room->smt;
    return cpu_shortage(open->attempt->room, &node, 1, &cores, open->attempt->ease) == FITS &&
           (!sum.singles || cpu_shortage(open->attempt->room, &node, 1, &singles, open->attempt->ease) == FITS) &&
           cpu_shortage(open->attempt->room, &node, 1, &floating, open->attempt->ease) == FITS;
}

/* pack: the fullest node first; spread: the emptiest; then the lowest. */
static bool ranks_before(const struct attempt *attempt, uint32_t a, uint32_t b)
{
    const struct room_node *left = &attempt->room->nodes[a], *right = &attempt->room->nodes[b];
    uint64_t left_cpus = left->loose_cpus + left->free_isolated, right_cpus = right->loose_cpus + right->free_isolated;
    bool spread = is_spread(attempt);
    if (left_cpus != right_cpus)
        return spread ? left_cpus > right_cpus : left_cpus < right_cpus;
    if (left->memory_guests != right->memory_guests)
        return spread ? left->memory_guests < right->memory_guests : left->memory_guests > right->memory_guests;
    if (left->floating_sum != right->floating_sum)
        return spread ? left->floating_sum < right->floating_sum : left->floating_sum > right->floating_sum;
    return a < b;
}

static const uint32_t *rank_nodes(const struct attempt *attempt)
{
    uint32_t count = attempt->room->node_count;
    uint32_t *rank = arena_array(attempt->placing->scratch, uint32_t, count);
    for (uint32_t a = 0; a < count; a++)
        for (uint32_t b = a + 1; b < count; b++)
            rank[ranks_before(attempt, a, b) ? b : a]++;
    return rank;
}

static const uint32_t *fixed_distances(const struct attempt *attempt, bool *is_used, bool *out_any)
{
    const struct room *room = attempt->room;
    uint32_t *sums = arena_array(attempt->placing->scratch, uint32_t, room->node_count);
    for (uint32_t c = 0; c < attempt->draft->cell_count; c++) {
        uint32_t at = attempt->draft->cells[c].node;
        if (at == NO_INDEX)
            continue;
        *out_any = is_used[at] = true;
        for (uint32_t n = 0; n < room->node_count; n++)
            sums[n] += room->between[at * room->node_count + n];
    }
    return sums;
}

/* Why no choice exists: the first cell that fits nowhere, at the node where least is missing; else the crowd. */
static bool explain(const struct attempt *attempt, const struct node_problem *problem, const uint32_t *index)
{
    const struct room *room = attempt->room;
    for (uint32_t c = 0; c < problem->cell_count; c++) {
        bool fits = false;
        for (uint32_t n = 0; n < room->node_count; n++)
            fits |= problem->fits[(size_t)c * room->node_count + n];
        if (fits)
            continue;
        const struct draft_cell *cell = &attempt->draft->cells[index[c]];
        uint64_t most = 0;
        uint32_t best = NO_INDEX, roomy = NO_INDEX;
        for (uint32_t n = 0; n < room->node_count; n++) {
            uint64_t left = room->nodes[n].is_choice ? left_on(attempt, &n, 1, cell->page_bytes) : 0;
            if (room->nodes[n].is_choice && (best == NO_INDEX || left > most)) {
                best = n;
                most = left;
            }
            if (room->nodes[n].is_choice && memory_has_room(attempt, cell, &n, 1) && roomy == NO_INDEX)
                roomy = n;
        }
        if (roomy != NO_INDEX)
            for (uint32_t n = roomy; n < room->node_count; n++)
                if (room->nodes[n].is_choice && memory_has_room(attempt, cell, &n, 1) &&
                    room->nodes[n].free_cpus > room->nodes[roomy].free_cpus)
                    roomy = n;
        if (roomy != NO_INDEX)
            return check_cpus(attempt, index[c], &roomy, 1, attempt->ease);
        bool pages = cell->page_bytes && cell->page_bytes != PAGES_LARGEST;
        return fails(attempt, pages ? SHORT_PAGES : SHORT_MEMORY, index[c], best, cell->memory_bytes, most);
    }
    fails(attempt, SHORT_MEMORY, index[0], NO_INDEX, 0, 0);
    attempt->misfit->is_crowd = true;
    return false;
}

static bool choose_nodes(const struct attempt *attempt, const uint32_t *index, uint32_t count, uint32_t *chosen)
{
    struct arena *scratch = attempt->placing->scratch;
    uint32_t nodes = attempt->room->node_count;
    bool *fits = arena_array(scratch, bool, (size_t)count * nodes), *is_used = arena_array(scratch, bool, nodes);
    uint32_t *alike = arena_array(scratch, uint32_t, count);
    struct open_cells open = { attempt, index, count };
    bool any_fixed = false;
    struct need before = { 0 };
    for (uint32_t c = 0; c < count; c++) {
        struct need need = need_of(attempt, index[c]);
        const struct locality *here = attempt->draft->cells[index[c]].locality;
        bool is_alike = c && same_need(&before, &need) && here->policy == attempt->draft->cells[index[c - 1]].locality->policy;
        alike[c] = is_alike ? c - 1 : NO_NODE;
        for (uint32_t n = 0; n < nodes; n++)
            fits[c * nodes + n] = is_alike ? fits[(c - 1) * nodes + n] : node_fits(attempt, index[c], n, &need);
        before = need;
    }
    struct node_problem problem = { .cell_count = count, .node_count = nodes, .fits = fits, .between = attempt->room->between,
                                    .rank = rank_nodes(attempt), .alike = alike, .fits_beside = fits_beside, .state = &open };
    problem.fixed = fixed_distances(attempt, is_used, &any_fixed);
    problem.is_used = is_used;
    if (exact_placer.on_own_nodes(scratch, &problem, chosen))
        return true;
    bool is_settled = attempt->draft->guest->cell_count || attempt->draft->guest->cells_wanted || any_fixed;
    if (is_settled && exact_placer.sharing_nodes(scratch, &problem, chosen))
        return true;
    return explain(attempt, &problem, index);
}

static bool enter_open(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    uint32_t *index = arena_array(attempt->placing->scratch, uint32_t, draft->cell_count), count = 0;
    for (uint32_t c = 0; c < draft->cell_count; c++)
        if (!draft->cells[c].fixed)
            index[count++] = c;
    if (!count)
        return true;
    uint32_t *chosen = arena_array(attempt->placing->scratch, uint32_t, count);
    if (!choose_nodes(attempt, index, count, chosen))
        return false;
    for (uint32_t i = 0; i < count; i++) {
        draft->cells[index[i]].nodes = attempt->room->nodes[chosen[i]].self;
        if (!enter_cell(attempt, index[i], &chosen[i], 1))
            return fails(attempt, SHORT_CPUS, index[i], chosen[i], 0, 0);
    }
    return true;
}

/* ---- the whole guest ----------------------------------------------------------------------------------------------------- */

/* The site's own sets on this host. */
static bool read_sets(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    const struct guest *guest = draft->guest;
    for (uint32_t c = 0; c < draft->cell_count; c++) {
        struct draft_cell *cell = &draft->cells[c];
        if (cell->locality->cpus) {
            cell->allowed = cpus_said(attempt, cell->locality->cpus, cell_span(guest, cell, W_CPUS, 1));
            if (!cell->allowed)
                return fails_heard(attempt);
        }
        if (cell->fixed || !cell->locality->nodes)
            continue;
        cell->fixed = nodes_said(attempt, cell->locality->nodes, cell_span(guest, cell, W_NODE, 1));
        if (!cell->fixed)
            return fails_heard(attempt);
    }
    return true;
}

/* vCPUs of `pin { 0-3 4-7 each }`: as said; their CPUs are taken from then on. */
static bool enter_table(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    const struct pin_row *rows = draft->guest->locality.pin_rows.items;
    for (uint32_t r = 0; r < draft->guest->locality.pin_rows.count; r++) {
        const struct ids *cpus = cpus_said(attempt, rows[r].cpus, rows[r].span);
        if (!cpus)
            return fails_heard(attempt);
        uint32_t at = 0, size = ids_size(cpus);
        bool is_own = rows[r].each != EACH_UNSAID || size == 1;
        for (ids_each(cpus, number)) {
            uint32_t cpu = room_find_cpu(attempt->room, number);
            if (cpu == NO_INDEX || attempt->room->cpus[cpu].state != CPU_FREE)
                continue;
            room_set_cpu(attempt->room, cpu, is_own ? CPU_DEDICATED : CPU_NAMED);
            draft->claims[draft->claim_count++] = cpu;
        }
        if (!rows[r].ids->plain)
            continue;
        for (ids_each(rows[r].ids->plain, vcpu)) {
            uint32_t nth = rows[r].each == EACH_UNSAID ? 0 : at++;
            if (vcpu >= draft->vcpu_count || nth >= size)
                continue;
            uint32_t number = ids_nth(cpus, nth), cpu = room_find_cpu(attempt->room, number);
            draft->vcpu_cpus[vcpu] = rows[r].each == EACH_UNSAID ? cpus : cpu != NO_INDEX ? room_single(attempt->room, cpu) : ids_from_range(attempt->placing->arena, number, number);
        }
    }
    return true;
}

/* Threads of a guest core: said, else those of the host where whole cores are pinned and all cells divide by them. */
static void choose_threads(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    if (draft->guest->threads)
        return;
    bool on_cores = false, divides_all = true;
    for (uint32_t c = 0; c < draft->cell_count; c++) {
        on_cores |= pin_of(&draft->cells[c]) == PIN_CORES;
        divides_all &= attempt->room->smt && draft->cells[c].vcpu_count % attempt->room->smt == 0;
    }
    draft->threads = on_cores && divides_all ? attempt->room->smt : 1;
}

static bool enter_emulator(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    if (draft->guest->emulator != EMULATOR_ISOLATE || draft->guest->emulator_cpus || draft->guest->emulator_nodes)
        return true;
    uint32_t node = draft->cells[0].node, claimed = 0;
    if (node == NO_INDEX)
        return true;
    struct need need = { .singles = 1, .within = NO_LEVEL, .scope = ANYWHERE };
    struct scope where;
    if (!pick_cpus(attempt->placing->scratch, attempt->room, &node, 1, &need, is_spread(attempt), &draft->emulator_cpu,
                   draft->claims + draft->claim_count, &claimed, &where))
        return fails(attempt, SHORT_CPUS, 0, node, 1, 0);
    draft->claim_count += claimed;
    return true;
}

static bool count_all(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    uint32_t *nodes = arena_array(attempt->placing->scratch, uint32_t, attempt->room->node_count + 1);
    for (uint32_t c = 0; c < draft->cell_count; c++) {
        struct draft_cell *cell = &draft->cells[c];
        bool all_there;
        if (!cell->takes_vcpus && !cell->takes_memory)
            continue;
        uint32_t count = cell->fixed ? indexes_of(attempt->room, cell->fixed, nodes, &all_there) : 0;
        if (!count) {
            nodes[0] = NO_INDEX;
            return fails(attempt, SHORT_CPUS, c, NO_INDEX, SIZE_ALL, 0);
        }
        if (!fill_cell(attempt, c, nodes, count))
            return false;
    }
    return true;
}

static bool enter_all(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    struct arena *scratch = attempt->placing->scratch;
    if (!read_sets(attempt) || !count_all(attempt))
        return false;
    number_vcpus(attempt->placing->arena, draft);
    choose_threads(attempt);
    draft->vcpu_cpus = arena_array(attempt->placing->arena, const struct ids *, draft->vcpu_count);
    uint32_t most = MAX(attempt->room->smt, 1) * draft->vcpu_count + 1;
    draft->claims = arena_array(scratch, uint32_t, MIN(most, attempt->room->cpu_count + 1));
    draft->claim_count = 0;
    if (draft->guest->locality.pin_rows.count) {
        draft->claims = arena_array(scratch, uint32_t, attempt->room->cpu_count + 1);
        if (!enter_table(attempt))
            return false;
    }
    for (uint32_t c = 0; c < draft->cell_count; c++)
        if (draft->cells[c].fixed && !enter_fixed(attempt, c))
            return false;
    return enter_open(attempt) && enter_emulator(attempt);
}

/* Floating vCPUs are counted once the guest stands, on each node they may use. */
static void count_floating(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    for (uint32_t c = 0; c < draft->cell_count; c++) {
        struct draft_cell *cell = &draft->cells[c];
        struct need need = need_of(attempt, c);
        if (!need.floating || !cell->nodes)
            continue;
        for (ids_each(cell->nodes, number)) {
            uint32_t node = room_find_node(attempt->room, number);
            if (node == NO_INDEX)
                continue;
            attempt->room->nodes[node].floating_sum += need.floating;
            attempt->room->nodes[node].floating_most = MAX(attempt->room->nodes[node].floating_most, need.floating);
        }
    }
}

bool fit_guest(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    if (!enter_all(attempt)) {
        give_back(attempt);
        return false;
    }
    count_floating(attempt);
    draft->room = attempt->room;
    draft->before = attempt->room->guests;
    attempt->room->guests = draft;
    draft->is_placed = true;
    return true;
}
