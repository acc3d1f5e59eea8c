/* SPDX-License-Identifier: MIT
 *
 * One guest on one host: cells whose nodes are said are entered first, nodes are chosen for the others, memory is
 * counted, CPUs are picked.  All or nothing: what a guest took before it turned out not to fit is given back.
 */
#include "place/draft.h"

#include <hwloc/bitmap.h>

/* ---- sets of the site on this host ------------------------------------------------------------------------------ */

static struct findings *listener(const struct attempt *attempt)
{
    return attempt->is_only_host ? attempt->placing->findings : attempt->placing->unheard;
}

const struct ids *nodes_said(const struct attempt *attempt, const struct set *set, struct span span)
{
    if (set->plain)
        return set->plain;
    return nodes_on_host(attempt->placing->arena, listener(attempt), attempt->room->host, set, span);
}

const struct ids *cpus_said(const struct attempt *attempt, const struct set *set, struct span span)
{
    if (set->plain)
        return set->plain;
    return cpus_on_host(attempt->placing->arena, listener(attempt), attempt->room->host, set, NULL, span);
}

/* A place is a part of the machine: what guests may use of it.  Numbers beside it stay as written. */
static const struct ids *only_open(const struct attempt *attempt, const struct set *set, const struct ids *cpus)
{
    const struct ids *open = attempt->room->host->open;
    if (set->plain || ids_within(cpus, open))
        return cpus;
    hwloc_bitmap_t both = ids_to_bitmap(cpus), offered = ids_to_bitmap(open);
    ids_add_to_bitmap(numbers_of_set(attempt->placing->scratch, set), offered);
    hwloc_bitmap_and(both, both, offered);
    const struct ids *frozen = ids_from_bitmap(attempt->placing->arena, both);
    hwloc_bitmap_free(both);
    hwloc_bitmap_free(offered);
    return frozen;
}

bool fails(const struct attempt *attempt, enum shortage kind, uint32_t cell, uint32_t node, uint64_t needed,
           uint64_t left)
{
    *attempt->misfit = (struct misfit){
        .room = attempt->room, .kind = kind, .cell = cell, .node = node, .needed = needed, .left = left, .missing = 1
    };
    attempt->misfit->page_bytes = attempt->lens.page_bytes;
    return false;
}

/* A set that the host cannot answer: told by whoever read it, or no mistake at all where other hosts may do. */
bool fails_heard(const struct attempt *attempt)
{
    *attempt->misfit = (struct misfit){ .room = attempt->room, .node = NO_INDEX, .is_reported = true };
    return false;
}

/* ---- cells ------------------------------------------------------------------------------------------------------ */

/* The nodes that get a cell each where the site says `cells host`, `all`, or `cells auto` on several nodes. */
uint32_t own_nodes(const struct attempt *attempt, const struct guest *guest, uint32_t *out)
{
    const struct room *room = attempt->room;
    const struct ids *said =
        guest->locality.nodes ? nodes_said(attempt, guest->locality.nodes, placed_word_span(guest, W_NODE, 1)) : NULL;
    uint32_t count = 0;
    for (uint32_t n = 0; n < room->node_count; n++) {
        const struct room_node *node = &room->nodes[n];
        bool is_host = guest->cells_wanted == CELLS_HOST;
        if (said ? ids_contains(said, node->os_index) && (node->open_cpus || !is_host) : node->is_choice)
            out[count++] = n;
    }
    return count;
}

bool is_cut_by_node(const struct guest *guest)
{
    bool takes = guest->vcpu_count == COUNT_ALL || guest->memory_bytes == SIZE_ALL;
    bool several = guest->cells_wanted == CELLS_AUTO && guest->locality.nodes;
    return !guest->cell_count && (guest->cells_wanted == CELLS_HOST || several || takes);
}

void lay_cells(const struct attempt *attempt, const struct guest *guest, uint32_t count)
{
    struct placing *placing = attempt->placing;
    struct draft *draft = attempt->draft;
    if (!is_cut_by_node(guest)) {
        draft_cells(placing->scratch, draft, guest, is_cut_by_table(guest) ? nodes_of_table(attempt, guest) : count);
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

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

uint32_t indexes_of(const struct room *room, const struct ids *nodes, uint32_t *out, bool *out_all_there)
{
    uint32_t count = 0, asked = 0;
    for (ids_each(nodes, node)) {
        uint32_t index = room_find_node(room, node);
        asked++;
        if (index != NO_INDEX && room->host->facts->nodes[index].is_allowed)
            out[count++] = index;
    }
    *out_all_there = count == asked;
    return count;
}

/* ---- taking and giving back ------------------------------------------------------------------------------------- */

static void give_claims(struct room *room, const struct draft *draft)
{
    for (uint32_t i = draft->claim_count; i-- > 0;)
        room_set_cpu(room, draft->claims[i] & ~CLAIM_NAMED, draft->claims[i] & CLAIM_NAMED ? CPU_NAMED : CPU_FREE);
}

static void give_back(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    for (uint32_t i = 0; i < draft->cell_count; i++)
        give_memory(attempt->room, &draft->cells[i]);
    give_devices(attempt->room, draft);
    give_claims(attempt->room, draft);
    draft->claim_count = 0;
}

bool site_spreads(const struct attempt *attempt)
{
    return attempt->placing->site->placement == PLACEMENT_SPREAD;
}

/* Where vCPUs float in less than a node, or beside cells of the same guest with CPUs of their own, one CPU there stays
 * loose whoever comes later; it is claimed, so that it is given back with the rest.  A core that is broken already is
 * taken before others. */
static void keep_loose(const struct attempt *attempt, const struct draft_cell *cell, const uint32_t *nodes,
                       uint32_t count)
{
    struct draft *draft = attempt->draft;
    struct room *room = attempt->room;
    uint32_t kept = NO_INDEX;
    if (!cell->allowed && cell->own_scope.level == NO_LEVEL && draft->scope.level == NO_LEVEL && !wants_own_cpus(draft))
        return;
    for (uint32_t n = 0; n < count; n++) {
        const struct room_node *node = &room->nodes[nodes[n]];
        for (uint32_t c = node->first_core; c < node->first_core + node->core_count; c++) {
            if (!is_core_in(room, c, draft->scope) || !is_core_in(room, c, cell->own_scope))
                continue;
            for (uint32_t i = room->cores[c].first; i < room->cores[c].first + room->cores[c].count; i++) {
                const struct room_cpu *cpu = &room->cpus[i];
                bool is_offered = cell->allowed ? ids_contains(cell->allowed, cpu->os_index) : !cpu->is_isolated;
                if (is_offered && cpu->state == CPU_NAMED)
                    return;
                bool is_whole = room->cores[c].free == room->cores[c].count;
                if (is_offered && cpu->state == CPU_FREE && (kept == NO_INDEX || !is_whole))
                    kept = i;
            }
        }
    }
    if (kept == NO_INDEX)
        return;
    room_set_cpu(room, kept, CPU_NAMED);
    draft->claims[draft->claim_count++] = kept;
}

bool take_cpus(const struct attempt *attempt, uint32_t index, const uint32_t *nodes, uint32_t count)
{
    struct draft *draft = attempt->draft;
    struct draft_cell *cell = &draft->cells[index];
    struct need need = need_of(attempt, index);
    uint32_t most = need.cores ? need.cores * need.threads : need.singles, claimed = 0, at = 0;
    uint32_t *picks = arena_array(attempt->placing->brief, uint32_t, most);
    if (!pick_cpus(attempt->placing->brief, attempt->room, nodes, count, &need, site_spreads(attempt), picks,
                   draft->claims + draft->claim_count, &claimed, &cell->own_scope))
        return false;
    draft->claim_count += claimed;
    for (ids_each(cell->vcpus, vcpu))
        if (most && vcpu < draft->vcpu_count && !draft->vcpu_cpus[vcpu])
            draft->vcpu_cpus[vcpu] = room_single(attempt->room, picks[at++]);
    if (need.floating)
        keep_loose(attempt, cell, nodes, count);
    return true;
}

void enter_memory(const struct attempt *attempt, struct draft_cell *cell, const uint32_t *nodes, uint32_t count)
{
    cell->node = count ? nodes[0] : NO_INDEX;
    if (!counts_memory(attempt, cell))
        return;
    if (cell->page_bytes == PAGES_LARGEST)
        cell->page_bytes = largest_page(attempt->room, nodes, count, cell);
    take_memory(attempt->placing->scratch, attempt->room, cell, nodes, count);
}

bool enter_cell(const struct attempt *attempt, uint32_t index, uint32_t node)
{
    uint32_t at = attempt->room->nodes[node].cpus_at;
    attempt->draft->cells[index].nodes = attempt->room->nodes[node].self;
    enter_memory(attempt, &attempt->draft->cells[index], &node, 1);
    return take_cpus(attempt, index, &at, 1);
}

bool memory_has_room(const struct attempt *attempt, const struct draft_cell *cell, const uint32_t *nodes,
                     uint32_t count)
{
    uint64_t page = cell->page_bytes;
    if (!devices_have_room(attempt, cell, nodes, count))
        return false;
    if (!counts_memory(attempt, cell))
        return true;
    if (page == PAGES_LARGEST)
        page = largest_page(attempt->room, nodes, count, cell);
    return memory_fits(attempt->room, nodes, count, cell->locality->policy, page, wanted_bytes(cell));
}

uint64_t left_on(const struct attempt *attempt, const uint32_t *nodes, uint32_t count, uint64_t page_bytes)
{
    uint64_t sum = 0;
    for (uint32_t n = 0; n < count; n++)
        sum += room_bytes_left(attempt->room, nodes[n], page_bytes == PAGES_LARGEST ? 0 : page_bytes);
    return sum;
}

/* ---- cells whose nodes are said --------------------------------------------------------------------------------- */

/* Memory that interleaves lacks its share on one node; other memory lacks the sum. */
void fails_memory(const struct attempt *attempt, uint32_t index, const struct draft_cell *memory, const uint32_t *nodes,
                  uint32_t count)
{
    uint64_t page = memory->page_bytes == PAGES_LARGEST ? PAGES_NORMAL : memory->page_bytes,
             needed = wanted_bytes(memory);
    uint32_t node = count == 1 ? nodes[0] : NO_INDEX;
    for (uint32_t n = 0; memory->locality->policy == POLICY_WORD_INTERLEAVE && n < count; n++) {
        uint64_t share = even_share(wanted_bytes(memory), page, count, n);
        if (node == NO_INDEX && room_bytes_left(attempt->room, nodes[n], page) < share) {
            node = nodes[n];
            needed = share;
        }
    }
    uint64_t left = left_on(attempt, node == NO_INDEX ? nodes : &node, node == NO_INDEX ? count : 1, page);
    fails(attempt, page ? SHORT_PAGES : SHORT_MEMORY, index, node, needed, left);
}

static const struct ids *fitting_nodes(const struct attempt *attempt, uint32_t index, const struct ids *first,
                                       uint32_t *nodes, uint32_t *out_count)
{
    struct draft_cell *cell = &attempt->draft->cells[index];
    const struct guest *guest = attempt->draft->guest;
    const struct set *const *fallback = cell->locality->fallback.items;
    uint32_t tries = 1 + (first == cell->fixed && cell->locality->nodes ? cell->locality->fallback.count : 0);
    for (uint32_t t = 0; t < tries; t++) {
        bool all_there;
        const struct ids *set =
            t ? nodes_said(attempt, fallback[t - 1], cell_span(guest, cell, W_NODE_FALLBACK, t)) : first;
        if (!set) {
            fails_heard(attempt);
            return NULL;
        }
        *out_count = indexes_of(attempt->room, set, nodes, &all_there);
        if (!all_there && !attempt->is_only_host) {
            fails_heard(attempt);
            return NULL;
        }
        cell->is_astray |= !all_there;
        if (cell->is_astray || memory_has_room(attempt, cell, nodes, *out_count))
            return set;
    }
    bool all_there;
    *out_count = indexes_of(attempt->room, first, nodes, &all_there);
    fails_memory(attempt, index, cell, nodes, *out_count);
    return NULL;
}

/* CPUs stand beside the memory: those of the cell's nodes, or, for nodes without CPUs, the nearest that have enough.
 * `cpus` may name any, wherever the memory is. */
uint32_t cpu_nodes(const struct attempt *attempt, uint32_t index, uint32_t *nodes, uint32_t count)
{
    const struct room *room = attempt->room;
    struct need need = need_of(attempt, index);
    bool has_cpus = false;
    for (uint32_t n = 0; n < count; n++)
        has_cpus |= room->nodes[nodes[n]].open_cpus > 0;
    if (has_cpus && !need.allowed)
        return count;
    uint32_t found = 0;
    const uint32_t *far = count ? room->between + (size_t)nodes[0] * room->node_count : room->between;
    for (uint32_t n = 0; n < room->node_count; n++) {
        uint32_t at = room->nodes[n].open_cpus ? found++ : NO_INDEX;
        if (at == NO_INDEX)
            continue;
        for (; at && far[nodes[at - 1]] > far[n]; at--)
            nodes[at] = nodes[at - 1];
        nodes[at] = n;
    }
    if (room->nodes[room->node_count].open_cpus)
        nodes[found++] = room->node_count;
    uint32_t enough = need.allowed ? found : MIN(found, 1);
    while (enough < found && cpu_shortage(room, nodes, enough, &need) != FITS)
        enough++;
    return enough;
}

/* Cells on nodes without CPUs, beside the same other CPUs, share these out. */
static uint32_t share_of(const struct attempt *attempt, uint32_t node, uint32_t amount)
{
    const struct room_node *nodes = attempt->room->nodes;
    uint32_t sharers = 0, before = 0;
    for (uint32_t n = 0; nodes[node].cpus_at != node && n < attempt->room->node_count; n++)
        for (uint32_t c = 0; nodes[n].cpus_at == nodes[node].cpus_at && c < attempt->draft->cell_count; c++) {
            const struct draft_cell *cell = &attempt->draft->cells[c];
            bool is_here = cell->takes_vcpus && cell->fixed && ids_contains(cell->fixed, nodes[n].os_index);
            sharers += is_here;
            before += is_here && n < node;
        }
    return sharers ? amount / sharers + (before < amount % sharers) : amount;
}

static void take_all(const struct attempt *attempt, uint32_t index, const uint32_t *nodes, uint32_t count)
{
    struct draft_cell *cell = &attempt->draft->cells[index];
    const struct guest *guest = attempt->draft->guest;
    uint32_t threads = guest->threads ? MIN(guest->threads, MAX(attempt->room->smt, 1)) : MAX(attempt->room->smt, 1);
    uint32_t sum = 0, cores;
    for (uint32_t n = 0; n < count; n++) {
        const struct room_node *node = &attempt->room->nodes[nodes[n]];
        uint32_t own = guest->emulator == EMULATOR_ISOLATE && index == 0 && n == 0 ? 1 : 0;
        node = node->is_choice ? &attempt->room->nodes[node->cpus_at] : node;
        switch (pin_of(cell)) {
        case PIN_CORES:
            cores = whole_cores_of(attempt->room, (uint32_t)(node - attempt->room->nodes), threads);
            sum += share_of(attempt, nodes[n], cores > own ? cores - own : 0) * threads;
            break;
        case PIN_CPUS:
            sum += share_of(attempt, nodes[n], node->free_cpus > own ? node->free_cpus - own : 0);
            break;
        default:
            sum += share_of(attempt, nodes[n], node->loose_cpus);
        }
    }
    cell->vcpu_count = sum;
}

static bool fill_cell(const struct attempt *attempt, uint32_t index, const uint32_t *nodes, uint32_t count)
{
    struct draft_cell *cell = &attempt->draft->cells[index];
    uint64_t block = guest_architecture(attempt->draft->guest)->memory_block;
    if (cell->is_astray) { /* 'all' of what is not there: as little as makes a guest */
        cell->vcpu_count = cell->takes_vcpus ? MAX(attempt->draft->guest->threads, 1) : cell->vcpu_count;
        cell->memory_bytes = cell->takes_memory ? MAX(MIB, block) : cell->memory_bytes;
        return true;
    }
    if (cell->takes_vcpus)
        take_all(attempt, index, nodes, count);
    if (cell->takes_memory && !all_memory(attempt->room, nodes, count, block, &cell->page_bytes, &cell->memory_bytes))
        return fails(attempt, SHORT_MEMORY, index, nodes[0], SIZE_ALL, UINT64_MAX);
    if (cell->takes_memory)
        cell->memory_bytes -= MIN(cell->memory_bytes, cell->device_bytes);
    if ((cell->takes_vcpus && !cell->vcpu_count) || (cell->takes_memory && !cell->memory_bytes))
        return fails(attempt, cell->takes_vcpus && !cell->vcpu_count ? SHORT_CPUS : SHORT_MEMORY, index, nodes[0],
                     SIZE_ALL, 0);
    return true;
}

bool check_cpus(const struct attempt *attempt, uint32_t index, const uint32_t *nodes, uint32_t count)
{
    struct need need = need_of(attempt, index);
    enum shortage kind = cpu_shortage(attempt->room, nodes, count, &need);
    if (kind == FITS)
        return true;
    uint64_t needed = need.cores ? need.cores : need.singles ? need.singles : need.floating;
    uint64_t left = attempt->wants_reason ? cpus_found(attempt->room, nodes, count, &need) : 0;
    bool is_one = count == 1 && nodes[0] < attempt->room->node_count;
    return fails(attempt, kind, index, is_one ? nodes[0] : NO_INDEX, needed, left);
}

static bool enter_fixed(const struct attempt *attempt, uint32_t index)
{
    struct draft_cell *cell = &attempt->draft->cells[index];
    uint32_t count, *nodes = arena_array(attempt->placing->brief, uint32_t, attempt->room->node_count + 1);
    cell->nodes = fitting_nodes(attempt, index, cell->fixed, nodes, &count);
    if (!cell->nodes || cell->is_astray)
        return cell->nodes;
    uint32_t near = count,
             *beside = arena_copy(attempt->placing->brief, nodes, (attempt->room->node_count + 1) * sizeof *nodes);
    near = cpu_nodes(attempt, index, beside, near);
    if (!check_cpus(attempt, index, beside, near))
        return false;
    enter_memory(attempt, cell, nodes, count);
    return take_cpus(attempt, index, beside, near) || fails(attempt, SHORT_CPUS, index, cell->node, 0, 0);
}

/* ---- the whole guest -------------------------------------------------------------------------------------------- */

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
            cell->allowed = only_open(attempt, cell->locality->cpus, cell->allowed);
            cell->is_astray = !ids_within(cell->allowed, attempt->room->host->open);
        }
        if (cell->fixed || !cell->locality->nodes)
            continue;
        cell->fixed = nodes_said(attempt, cell->locality->nodes, cell_span(guest, cell, W_NODE, 1));
        if (!cell->fixed)
            return fails_heard(attempt);
    }
    return read_device_sets(attempt) && (claim_devices(attempt, listener(attempt)) || fails_heard(attempt));
}

/* Threads of a guest core: said, else those of the host where whole cores are pinned and all cells divide by them. */
static void choose_threads(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    if (draft->guest->threads || guest_architecture(draft->guest)->threads_most == 1)
        return;
    bool on_cores = false, divides_all = true;
    for (uint32_t c = 0; c < draft->cell_count; c++) {
        on_cores |= pin_of(&draft->cells[c]) == PIN_CORES;
        divides_all &= attempt->room->smt && draft->cells[c].vcpu_count % attempt->room->smt == 0;
    }
    draft->threads = on_cores && divides_all ? attempt->room->smt : 1;
}

/* A CPU beside cell 0. */
static bool enter_emulator(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    const struct draft_cell *cell = &draft->cells[0];
    bool all_there;
    if (!isolates_emulator(draft->guest) || !counts_cpus(attempt) || cell->node == NO_INDEX || cell->is_astray)
        return true;
    uint32_t *nodes = arena_array(attempt->placing->brief, uint32_t, attempt->room->node_count + 1);
    uint32_t count = indexes_of(attempt->room, cell->nodes, nodes, &all_there), claimed = 0;
    bool has_cpus = false;
    for (uint32_t n = 0; n < count; n++)
        has_cpus |= attempt->room->nodes[nodes[n]].open_cpus > 0;
    if (!has_cpus) {
        nodes[0] = attempt->room->nodes[cell->node].cpus_at;
        count = 1;
    }
    struct need need = { .singles = 1, .within = NO_LEVEL, .scope = ANYWHERE };
    struct scope where;
    if (!pick_cpus(attempt->placing->brief, attempt->room, nodes, count, &need, site_spreads(attempt),
                   &draft->emulator_cpu, draft->claims + draft->claim_count, &claimed, &where))
        return fails(attempt, SHORT_EMULATOR, 0, cell->node, 1, 0);
    draft->claim_count += claimed;
    return true;
}

/* A cell that takes all of a node without saying which: the lowest that no other cell names. */
static void give_own_node(const struct attempt *attempt, struct draft_cell *cell)
{
    const struct draft *draft = attempt->draft;
    for (uint32_t n = 0; n < attempt->room->node_count && !cell->fixed; n++) {
        const struct room_node *node = &attempt->room->nodes[n];
        bool is_named = !node->is_choice;
        for (uint32_t c = 0; c < draft->cell_count; c++)
            is_named |= draft->cells[c].fixed && ids_contains(draft->cells[c].fixed, node->os_index);
        if (!is_named)
            cell->fixed = node->self;
    }
}

static bool count_all(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    uint32_t *nodes = arena_array(attempt->placing->brief, uint32_t, attempt->room->node_count + 1);
    for (uint32_t c = 0; c < draft->cell_count; c++) {
        struct draft_cell *cell = &draft->cells[c];
        bool all_there;
        if (!cell->takes_vcpus && !cell->takes_memory)
            continue;
        if (!cell->fixed)
            give_own_node(attempt, cell);
        uint32_t count = cell->fixed ? indexes_of(attempt->room, cell->fixed, nodes, &all_there) : 0;
        cell->is_astray |= cell->fixed && !all_there;
        if (!count && !cell->is_astray)
            return fails(attempt, SHORT_CPUS, c, NO_INDEX, SIZE_ALL, 0);
        if (!fill_cell(attempt, c, nodes, count))
            return false;
    }
    return true;
}

/* Room for every CPU of the host, lent to one guest at a time: what a guest keeps is mostly a few of them. */
static uint32_t *lend_claims(const struct attempt *attempt)
{
    struct placing *placing = attempt->placing;
    uint32_t most = 2 * attempt->room->cpu_count + 1; /* a table may claim a CPU twice */
    if (placing->claim_room < most) {
        placing->claim_room = most;
        placing->claims = arena_array(placing->scratch, uint32_t, placing->claim_room);
    }
    return placing->claims;
}

static bool enter_all(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    if (!read_sets(attempt) || !count_all(attempt))
        return false;
    number_vcpus(attempt->placing->arena, draft);
    choose_threads(attempt);
    draft->vcpu_cpus = arena_array(attempt->placing->arena, const struct ids *, draft->vcpu_count);
    draft->claims = lend_claims(attempt);
    draft->claim_count = 0;
    if (draft->guest->locality.pin_rows.count && !enter_table(attempt))
        return false;
    if (draft->guest->memory_by_numad)
        return enter_by_numad(attempt);
    for (uint32_t c = 0; c < draft->cell_count; c++)
        if (draft->cells[c].fixed && !enter_fixed(attempt, c))
            return false;
    return enter_open(attempt) && enter_devices(attempt) && enter_emulator(attempt);
}

/* Floating vCPUs are counted once the guest stands, on each node they may use; CPUs they name are kept for them as
 * long as there are others. */
static void count_floating(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    for (uint32_t c = 0; c < draft->cell_count; c++) {
        struct draft_cell *cell = &draft->cells[c];
        struct need need = need_of(attempt, c);
        if (!need.floating || !cell->nodes)
            continue;
        count_floaters(attempt->room, cell->nodes, cell->own_scope.level != NO_LEVEL ? cell->own_scope : draft->scope,
                       need.floating);
        if (cell->allowed)
            for (ids_each(cell->allowed, number)) {
                uint32_t cpu = room_find_cpu(attempt->room, number);
                if (cpu != NO_INDEX)
                    attempt->room->cpus[cpu].is_wished = true;
            }
    }
}

void release_guest(struct draft *draft)
{
    for (uint32_t c = 0; c < draft->cell_count; c++)
        for (uint32_t p = 0; p < draft->cells[c].portion_count; p++)
            room_give_memory(draft->room, draft->cells[c].portions[p].node, draft->cells[c].page_bytes,
                             draft->cells[c].portions[p].bytes);
    give_devices(draft->room, draft);
    give_claims(draft->room, draft);
    draft->room->memory_by_numad -= memory_for_numad(draft);
}

bool fit_guest(const struct attempt *attempt)
{
    struct draft *draft = attempt->draft;
    arena_reset(attempt->placing->brief);
    bool fits = enter_all(attempt);
    if (!fits || attempt->is_trial) {
        give_back(attempt);
        return fits;
    }
    count_floating(attempt);
    attempt->room->memory_by_numad += memory_for_numad(draft);
    draft->claims = arena_copy(attempt->placing->scratch, draft->claims, draft->claim_count * sizeof *draft->claims);
    draft->room = attempt->room;
    draft->before = attempt->room->guests;
    attempt->room->guests = draft;
    draft->is_placed = true;
    return true;
}
