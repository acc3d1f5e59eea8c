/* SPDX-License-Identifier: MIT
 *
 * Fences: the parts of a host where a guest may not stand, since another of its group stands there, or since the group
 * stands elsewhere.  A vCPU that floats stands on every core that it may run on.
 */
#include "place/groups.h"

#include <string.h>

struct fence {
    struct room *room;
    bool *core_shut, *node_shut;
    GArray *cpus, *nodes; /* what it changed while it is up */
};

/* ---- who is in which group -------------------------------------------------------------------------------------- */

static uint32_t root_of(uint32_t *unit, uint32_t guest)
{
    while (unit[guest] != guest)
        guest = unit[guest] = unit[unit[guest]];
    return guest;
}

/* Guests that groups hold together, by way of others too, have one least guest. */
static void join_units(struct grouping *grouping)
{
    const struct site *site = grouping->site;
    for (uint32_t i = 0; i < site->group_count; i++) {
        const struct guest_group *group = &site->groups[i];
        for (uint32_t m = 1; !group->is_broken && group->together != GROUP_UNSAID && m < group->member_count; m++) {
            uint32_t a = root_of(grouping->unit, group->members[0]), b = root_of(grouping->unit, group->members[m]);
            grouping->unit[MAX(a, b)] = MIN(a, b);
        }
    }
    for (uint32_t g = 0; g < site->guest_count; g++) { /* a root stands before its guests */
        grouping->unit[g] = grouping->unit[grouping->unit[g]];
        grouping->unit_size[grouping->unit[g]]++;
    }
}

struct grouping *grouping_new(struct arena *arena, const struct site *site)
{
    if (!site->group_count)
        return NULL;
    struct grouping *grouping = arena_take(arena, struct grouping);
    uint32_t guests = site->guest_count, members = 0;
    grouping->site = site;
    grouping->first = arena_array(arena, uint32_t, (size_t)guests + 2);
    grouping->unit = arena_array(arena, uint32_t, guests);
    grouping->unit_size = arena_array(arena, uint32_t, guests);
    grouping->is_done = arena_array(arena, bool, guests);
    grouping->is_told = arena_array(arena, bool, site->group_count);
    for (uint32_t i = 0; i < site->group_count; i++)
        for (uint32_t m = 0; !site->groups[i].is_broken && m < site->groups[i].member_count; m++, members++)
            grouping->first[site->groups[i].members[m] + 2]++;
    for (uint32_t g = 0; g < guests; g++) {
        grouping->unit[g] = g;
        grouping->first[g + 2] += grouping->first[g + 1];
    }
    grouping->of_guest = arena_array(arena, uint32_t, members);
    for (uint32_t i = 0; i < site->group_count; i++)
        for (uint32_t m = 0; !site->groups[i].is_broken && m < site->groups[i].member_count; m++)
            grouping->of_guest[grouping->first[site->groups[i].members[m] + 1]++] = i;
    join_units(grouping);
    return grouping;
}

bool is_grouped(const struct grouping *grouping, const struct guest *guest)
{
    return grouping && grouping->first[guest->number] < grouping->first[guest->number + 1];
}

uint64_t demand_in_groups(const struct grouping *grouping, const struct guest *guest)
{
    uint64_t demand = demand_of(guest);
    for (uint32_t i = grouping->first[guest->number]; demand && i < grouping->first[guest->number + 1]; i++)
        demand = mixed(demand, grouping->of_guest[i]);
    return demand;
}

const struct guest_group *next_group(const struct grouping *grouping, const struct guest *guest, uint32_t *at)
{
    if (!grouping || grouping->ignores_all)
        return NULL;
    for (uint32_t i = grouping->first[guest->number] + *at; i < grouping->first[guest->number + 1]; i++) {
        ++*at;
        const struct guest_group *group = &grouping->site->groups[grouping->of_guest[i]];
        if (group != grouping->ignored)
            return group;
    }
    return NULL;
}

/* ---- what a guest stands on ------------------------------------------------------------------------------------- */

/* Whether vCPUs that float for a cell may come to a core, as things are now: CPUs that are others' own are not theirs,
 * and never will be. */
static bool floats_on(const struct room *room, const struct draft *draft, const struct draft_cell *cell, uint32_t index)
{
    const struct room_core *core = &room->cores[index];
    uint32_t node = room->groups[core->group].node;
    bool is_beside = !cell->nodes || ids_contains(cell->nodes, room->nodes[node].os_index) ||
                     (cell->node != NO_INDEX && room->nodes[cell->node].cpus_at == node);
    if ((!cell->allowed && !is_beside) || !is_core_in(room, index, draft->scope) ||
        !is_core_in(room, index, cell->own_scope))
        return false;
    for (uint32_t i = core->first; i < core->first + core->count; i++) {
        const struct room_cpu *cpu = &room->cpus[i];
        bool is_open = cpu->state == CPU_FREE || cpu->state == CPU_NAMED;
        if (is_open && (cell->allowed ? ids_contains(cell->allowed, cpu->os_index) : !cpu->is_isolated))
            return true;
    }
    return false;
}

static void mark_pins(const struct room *room, const struct draft *draft, bool *cores)
{
    const struct ids *before = NULL;
    for (uint32_t v = 0; v < draft->vcpu_count; v++) {
        const struct ids *cpus = draft->vcpu_cpus[v];
        if (!cpus || cpus == before)
            continue;
        before = cpus;
        for (ids_each(cpus, number)) {
            uint32_t cpu = room_find_cpu(room, number);
            if (cpu != NO_INDEX)
                cores[room->cpus[cpu].core] = true;
        }
    }
}

static bool has_floating(const struct draft *draft, const struct draft_cell *cell)
{
    if (pin_of(cell) == PIN_NODE && !cell->is_astray)
        for (ids_each(cell->vcpus, vcpu))
            if (vcpu < draft->vcpu_count && !draft->vcpu_cpus[vcpu])
                return true;
    return false;
}

static void mark_nodes(const struct room *room, const struct ids *nodes, bool *marks)
{
    for (ids_each(nodes, number)) {
        uint32_t node = room_find_node(room, number);
        if (node != NO_INDEX)
            marks[node] = true;
    }
}

/* The positions that are marked. */
static const uint32_t *listed(struct arena *arena, const bool *marks, uint32_t size, uint32_t *out_count)
{
    uint32_t count = 0, at = 0;
    for (uint32_t i = 0; i < size; i++)
        count += marks[i];
    uint32_t *list = arena_array(arena, uint32_t, count);
    for (uint32_t i = 0; i < size; i++)
        if (marks[i])
            list[at++] = i;
    *out_count = count;
    return list;
}

struct footprint *footprint_of(struct placing *placing, const struct draft *draft, const struct room *room)
{
    g_autofree bool *cores = g_new0(bool, (size_t)room->core_count + 1);
    g_autofree bool *nodes = g_new0(bool, (size_t)room->node_count + 1);
    mark_pins(room, draft, cores);
    for (uint32_t c = 0; c < draft->cell_count; c++) {
        const struct draft_cell *cell = &draft->cells[c];
        if (has_floating(draft, cell))
            for (uint32_t core = 0; core < room->core_count; core++)
                cores[core] |= floats_on(room, draft, cell, core);
        if (cell->memory_bytes && cell->nodes)
            mark_nodes(room, cell->nodes, nodes);
    }
    for (uint32_t i = 0; i < draft->guest->memory_device_count; i++)
        if (draft->devices[i].is_apart && draft->devices[i].memory.nodes)
            mark_nodes(room, draft->devices[i].memory.nodes, nodes);
    placing->work_left -= MIN(placing->work_left, room->core_count);
    struct footprint *print = arena_take(placing->scratch, struct footprint);
    print->cores = listed(placing->scratch, cores, room->core_count, &print->core_count);
    print->nodes = listed(placing->scratch, nodes, room->node_count, &print->node_count);
    return print;
}

/* ---- parts ------------------------------------------------------------------------------------------------------ */

/* Memory is in a socket with the CPUs beside it; at the levels below a node it is nowhere. */
static bool is_node_in(const struct room *room, uint32_t node, struct scope part)
{
    if (part.level == LEVEL_NODE)
        return node == part.number;
    return part.level == LEVEL_SOCKET && node_is_in(room, room->nodes[node].cpus_at, part);
}

static bool has_nodes(uint32_t level)
{
    return level == LEVEL_NODE || level == LEVEL_SOCKET;
}

void add_parts(const struct room *room, const struct footprint *print, uint32_t level, GHashTable *parts)
{
    for (uint32_t i = 0; i < print->core_count; i++)
        g_hash_table_add(parts, GUINT_TO_POINTER(core_number(room, print->cores[i], level)));
    for (uint32_t i = 0; has_nodes(level) && i < print->node_count; i++) {
        const struct room_node *beside = &room->nodes[room->nodes[print->nodes[i]].cpus_at];
        if (level == LEVEL_NODE)
            g_hash_table_add(parts, GUINT_TO_POINTER(print->nodes[i]));
        for (uint32_t c = 0; level == LEVEL_SOCKET && c < beside->core_count; c++)
            g_hash_table_add(parts, GUINT_TO_POINTER(core_number(room, beside->first_core + c, level)));
    }
}

/* Parts lie in each other, but for nodes and L3 caches, of which either may be the larger. */
static bool is_narrower(const struct room *room, struct scope a, struct scope b)
{
    bool either_way = (a.level == LEVEL_NODE && b.level == LEVEL_L3) || (a.level == LEVEL_L3 && b.level == LEVEL_NODE);
    int64_t more = 0; /* cores of b than of a */
    if (b.level == NO_LEVEL || !either_way)
        return b.level == NO_LEVEL || a.level > b.level;
    for (uint32_t c = 0; c < room->core_count; c++)
        more += (int64_t)is_core_in(room, c, b) - (int64_t)is_core_in(room, c, a);
    return more > 0;
}

/* Of a part and what a unit is confined to, the narrowest. */
static struct scope narrowest(const struct attempt *attempt, struct scope part)
{
    struct scope best = part;
    for (uint32_t i = 0; attempt->confines && i < attempt->confines->count; i++)
        if (is_narrower(attempt->room, attempt->confines->parts[i], best))
            best = attempt->confines->parts[i];
    return best;
}

/* ---- closing ---------------------------------------------------------------------------------------------------- */

/* Closes all but a part. */
static void keep_part(struct fence *fence, struct scope part)
{
    const struct room *room = fence->room;
    for (uint32_t c = 0; c < room->core_count; c++)
        fence->core_shut[c] |= !is_core_in(room, c, part);
    for (uint32_t n = 0; has_nodes(part.level) && n < room->node_count; n++)
        fence->node_shut[n] |= !is_node_in(room, n, part);
}

/* Closes the parts at a level that have these numbers. */
static void shut_parts(struct fence *fence, uint32_t level, GHashTable *parts)
{
    const struct room *room = fence->room;
    for (uint32_t c = 0; c < room->core_count; c++)
        fence->core_shut[c] |= g_hash_table_contains(parts, GUINT_TO_POINTER(core_number(room, c, level)));
    for (uint32_t n = 0; n < room->node_count; n++) {
        const struct room_node *beside = &room->nodes[room->nodes[n].cpus_at];
        if (level == LEVEL_NODE)
            fence->node_shut[n] |= g_hash_table_contains(parts, GUINT_TO_POINTER(n));
        for (uint32_t c = 0; level == LEVEL_SOCKET && c < beside->core_count; c++)
            fence->node_shut[n] |=
                g_hash_table_contains(parts, GUINT_TO_POINTER(core_number(room, beside->first_core + c, level)));
    }
}

static bool is_member(const struct guest_group *group, uint32_t guest)
{
    uint32_t low = 0, high = group->member_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (group->members[middle] < guest)
            low = middle + 1;
        else
            high = middle;
    }
    return low < group->member_count && group->members[low] == guest;
}

/* False: the whole host is closed. */
static bool shut_for_group(const struct attempt *attempt, struct fence *fence, const struct guest *guest,
                           const struct guest_group *group)
{
    uint64_t *work = &attempt->placing->work_left;
    g_autoptr(GHashTable) parts = g_hash_table_new(NULL, NULL);
    for (const struct draft *other = fence->room->guests; other; other = other->before) {
        *work -= MIN(*work, 1);
        if (other->guest->number == guest->number || !is_member(group, other->guest->number))
            continue;
        if (group->apart == GROUP_HOST)
            return false;
        if (other->print)
            add_parts(fence->room, other->print, level_of_group(group->apart), parts);
    }
    *work -= MIN(*work, g_hash_table_size(parts) ? fence->room->core_count : 1);
    if (g_hash_table_size(parts))
        shut_parts(fence, level_of_group(group->apart), parts);
    return true;
}

/* The narrowest part that all floating vCPUs of a guest keep to, if they keep to one: a level below the node, else the
 * node.  NO_LEVEL: none float, or CPUs are said for them. */
static uint32_t floating_level(const struct attempt *attempt, const struct guest *guest)
{
    uint32_t widest = NO_LEVEL, confined = LEVEL_NODE;
    for (uint32_t i = 0; attempt->confines && i < attempt->confines->count; i++)
        confined = MAX(confined, attempt->confines->parts[i].level);
    if (is_said(&guest->said, W_WITHIN))
        confined = MAX(confined, guest->locality.within);
    for (uint32_t c = 0; c < MAX(guest->cell_count, 1); c++) {
        const struct cell *cell = guest->cell_count ? &guest->cells[c] : NULL;
        const struct locality *locality = cell ? &cell->locality : &guest->locality;
        bool is_own = cell && is_said(&cell->said, W_WITHIN);
        if (locality->cpus || (locality->pin != PIN_NODE && !guest->locality.pin_rows.count))
            continue;
        uint32_t level = is_own ? MAX(confined, locality->within) : confined;
        widest = widest == NO_LEVEL ? level : MIN(widest, level);
    }
    return widest;
}

/* vCPUs float over whole parts: a part of which something is closed is none for them. */
static void widen(struct fence *fence, uint32_t level)
{
    const struct room *room = fence->room;
    g_autoptr(GHashTable) parts = g_hash_table_new(NULL, NULL);
    for (uint32_t c = 0; c < room->core_count; c++)
        if (fence->core_shut[c])
            g_hash_table_add(parts, GUINT_TO_POINTER(core_number(room, c, level)));
    for (uint32_t c = 0; g_hash_table_size(parts) && c < room->core_count; c++)
        fence->core_shut[c] |= g_hash_table_contains(parts, GUINT_TO_POINTER(core_number(room, c, level)));
}

/* ---- the room inside of it -------------------------------------------------------------------------------------- */

struct shut_cpu {
    uint32_t cpu;
    enum cpu_state before;
};

struct shut_node {
    uint32_t node;
    struct room_node before;
    uint64_t *pages_left;
};

static void put_up(struct fence *fence)
{
    struct room *room = fence->room;
    fence->cpus = g_array_new(FALSE, FALSE, sizeof(struct shut_cpu));
    fence->nodes = g_array_new(FALSE, FALSE, sizeof(struct shut_node));
    for (uint32_t i = 0; i < room->cpu_count; i++) {
        struct shut_cpu shut = { i, room->cpus[i].state };
        if (!fence->core_shut[room->cpus[i].core] || (shut.before != CPU_FREE && shut.before != CPU_NAMED))
            continue;
        room_set_cpu(room, i, CPU_CLOSED);
        g_array_append_val(fence->cpus, shut);
    }
    for (uint32_t n = 0; n < room->node_count; n++) {
        struct room_node *node = &room->nodes[n];
        size_t pages = room->host->facts->nodes[n].pool_count * sizeof(uint64_t);
        if (!fence->node_shut[n])
            continue;
        struct shut_node shut = { n, *node, pages ? g_memdup2(node->pages_left, pages) : NULL };
        g_array_append_val(fence->nodes, shut);
        node->is_choice = false;
        node->memory_known = true;
        node->memory_left = 0;
        if (pages)
            memset(node->pages_left, 0, pages);
    }
}

static void take_down(struct fence *fence)
{
    for (guint i = 0; i < fence->cpus->len; i++) {
        const struct shut_cpu *shut = &g_array_index(fence->cpus, struct shut_cpu, i);
        room_set_cpu(fence->room, shut->cpu, shut->before);
    }
    for (guint i = 0; i < fence->nodes->len; i++) {
        const struct shut_node *shut = &g_array_index(fence->nodes, struct shut_node, i);
        struct room_node *node = &fence->room->nodes[shut->node];
        size_t pages = fence->room->host->facts->nodes[shut->node].pool_count * sizeof(uint64_t);
        node->is_choice = shut->before.is_choice;
        node->memory_known = shut->before.memory_known;
        node->memory_left = shut->before.memory_left;
        if (pages)
            memcpy(node->pages_left, shut->pages_left, pages);
        g_free(shut->pages_left);
    }
    g_array_free(fence->cpus, TRUE);
    g_array_free(fence->nodes, TRUE);
}

/* False: the guest may not stand on this host at all. */
static bool measure(const struct attempt *attempt, const struct guest *guest, struct fence *fence)
{
    uint32_t at = 0;
    for (const struct guest_group *group; (group = next_group(attempt->placing->grouping, guest, &at));)
        if (group->apart != GROUP_UNSAID && !shut_for_group(attempt, fence, guest, group))
            return false;
    uint32_t level = floating_level(attempt, guest);
    if (level != NO_LEVEL)
        widen(fence, level);
    for (uint32_t i = 0; attempt->confines && i < attempt->confines->count; i++)
        keep_part(fence, attempt->confines->parts[i]);
    return true;
}

/* ---- a guest inside of it --------------------------------------------------------------------------------------- */

/* What a pin table or a set of CPUs names is taken wherever it is. */
static bool keeps_inside(const struct fence *fence, const struct footprint *print)
{
    for (uint32_t i = 0; i < print->core_count; i++)
        if (fence->core_shut[print->cores[i]])
            return false;
    for (uint32_t i = 0; i < print->node_count; i++)
        if (fence->node_shut[print->nodes[i]])
            return false;
    return true;
}

/* Inside of the fence, which is down where it fits. */
static bool fit_inside(struct attempt *attempt, struct fence *fence, const struct saved_room *before)
{
    struct draft *draft = attempt->draft;
    if (!fit_guest(attempt))
        return false;
    take_down(fence);
    draft->print = footprint_of(attempt->placing, draft, fence->room);
    if (keeps_inside(fence, draft->print))
        return true;
    draft->is_placed = false;
    draft->room = NULL;
    draft->print = NULL;
    if (before)
        room_restore(before);
    put_up(fence);
    return false;
}

/* Numbers of the parts at a level in which something is open. */
static GHashTable *open_parts(const struct fence *fence, uint32_t level)
{
    GHashTable *parts = g_hash_table_new(NULL, NULL);
    for (uint32_t c = 0; level != NO_LEVEL && c < fence->room->core_count; c++)
        if (!fence->core_shut[c])
            g_hash_table_add(parts, GUINT_TO_POINTER(core_number(fence->room, c, level)));
    return parts;
}

/* Part after part, as without groups. */
static bool fit_somewhere(struct attempt *attempt, struct fence *fence, const struct guest *guest, uint32_t cells)
{
    struct arena *scratch = arena_new();
    struct saved_room *before = attempt->is_trial ? NULL : room_save(scratch, fence->room);
    uint64_t *work = &attempt->placing->work_left;
    g_autoptr(GArray) parts = parts_of(attempt->room, guest);
    g_autoptr(GHashTable) open = open_parts(fence, g_array_index(parts, struct scope, 0).level);
    struct scope last = { 0 };
    bool fits = false, is_first = true;
    put_up(fence);
    for (guint i = 0; i < parts->len && !fits && *work; i++) {
        struct scope part = g_array_index(parts, struct scope, i), scope = narrowest(attempt, part);
        bool is_open = part.level == NO_LEVEL || g_hash_table_contains(open, GUINT_TO_POINTER(part.number));
        if (!is_open || (!is_first && scope.level == last.level && scope.number == last.number))
            continue;
        is_first = false;
        last = scope;
        lay_cells(attempt, guest, cells);
        attempt->draft->scope = scope;
        fits = fit_inside(attempt, fence, before);
        *work -= MIN(*work, fence->room->core_count / 4);
    }
    if (!fits)
        take_down(fence);
    arena_free(scratch);
    return fits;
}

bool try_grouped(struct attempt *attempt, const struct guest *guest, uint32_t cells)
{
    uint64_t *work = &attempt->placing->work_left;
    struct fence fence = { .room = attempt->room };
    *work -= MIN(*work, attempt->room->core_count);
    fence.core_shut = g_new0(bool, (size_t)attempt->room->core_count + 1);
    fence.node_shut = g_new0(bool, (size_t)attempt->room->node_count + 1);
    bool fits = *work && measure(attempt, guest, &fence) && fit_somewhere(attempt, &fence, guest, cells);
    g_free(fence.core_shut);
    g_free(fence.node_shut);
    return fits;
}
