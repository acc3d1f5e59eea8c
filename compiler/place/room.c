/* SPDX-License-Identifier: MIT
 *
 * Rooms: laying the CPUs of a host out in slices, and counting what is taken and given back.  Which CPUs and nodes a
 * guest gets is not decided here.
 */
#include "place/room.h"

#include <hwloc/bitmap.h>
#include <stdlib.h>
#include <string.h>

/* ---- laying out ------------------------------------------------------------------------------------------------- */

struct layout { /* a CPU on its way into its slice */
    const struct host_cpu *cpu;
    uint32_t position, l3; /* l3: the die where the source knows no L3 */
};

/* CPUs whose node a cgroup hides have none: they come last, in a node of their own without memory. */
static uint32_t home_of(const struct room *room, const struct host_cpu *cpu)
{
    return MIN(cpu->node_index, room->node_count);
}

static int compare(uint32_t a, uint32_t b)
{
    return a < b ? -1 : a > b;
}

static int by_slice(const void *a, const void *b)
{
    const struct layout *left = a, *right = b;
    int order = compare(left->cpu->node_index, right->cpu->node_index);
    if (!order)
        order = compare(left->cpu->package, right->cpu->package);
    if (!order)
        order = compare(left->cpu->die, right->cpu->die);
    if (!order)
        order = compare(left->l3, right->l3);
    if (!order)
        order = compare(left->cpu->core, right->cpu->core);
    return order ? order : compare(left->cpu->os_index, right->cpu->os_index);
}

static bool same_group(const struct layout *a, const struct layout *b)
{
    return a->cpu->node_index == b->cpu->node_index && a->cpu->package == b->cpu->package &&
           a->cpu->die == b->cpu->die && a->l3 == b->l3;
}

static void add_cpu(struct room *room, const struct layout *row, const struct layout *before)
{
    struct room_node *node = &room->nodes[home_of(room, row->cpu)];
    bool is_new = !before || !same_group(before, row);
    if (is_new) {
        struct room_group *group = &room->groups[room->group_count];
        *group =
            (struct room_group){ .first_core = room->core_count, .node = home_of(room, row->cpu), .l3 = row->cpu->l3 };
        if (!node->group_count++) {
            node->first_group = room->group_count;
            node->first_core = room->core_count;
        }
        room->group_count++;
    }
    if (is_new || row->cpu->core == NO_INDEX || row->cpu->core != before->cpu->core) {
        struct room_core *core = &room->cores[room->core_count++];
        *core = (struct room_core){ .first = room->cpu_count,
                                    .group = room->group_count - 1,
                                    .package = row->cpu->package };
        room->groups[core->group].core_count++;
        node->core_count++;
    }
    room->cores[room->core_count - 1].count++;
    room->order[row->position] = room->cpu_count;
    room->cpus[room->cpu_count++] = (struct room_cpu){ .os_index = row->cpu->os_index, .core = room->core_count - 1 };
}

static void lay_out(struct room *room, struct arena *scratch)
{
    const struct host *facts = room->host->facts;
    g_autofree struct layout *rows = g_new(struct layout, facts->cpu_count);
    g_autofree struct room_group *groups = g_new0(struct room_group, facts->cpu_count);
    uint32_t count = facts->cpu_count;
    room->groups = groups;
    for (uint32_t i = 0; i < count; i++) {
        const struct host_cpu *cpu = &facts->cpus[i];
        rows[i] = (struct layout){ cpu, i, cpu->l3 == NO_INDEX ? cpu->die : cpu->l3 };
    }
    for (uint32_t i = 1; i < count; i++)
        if (by_slice(&rows[i - 1], &rows[i]) > 0) { /* most machines number their CPUs node by node */
            qsort(rows, count, sizeof *rows, by_slice);
            break;
        }
    for (uint32_t i = 0; i < count; i++)
        add_cpu(room, &rows[i], i ? &rows[i - 1] : NULL);
    room->groups = arena_copy(scratch, groups, room->group_count * sizeof *groups);
}

static void open_cpus(struct room *room)
{
    const struct host *facts = room->host->facts;
    for (uint32_t i = 0; i < room->cpu_count; i++) {
        struct room_cpu *cpu = &room->cpus[i];
        if (!ids_contains(room->host->open, cpu->os_index))
            continue;
        cpu->is_isolated = facts->isolated_known && ids_contains(facts->isolated, cpu->os_index);
        room->nodes[room->groups[room->cores[cpu->core].group].node].open_cpus++;
        bool is_shared = room->host->has_shared && ids_contains(room->host->shared, cpu->os_index);
        room_set_cpu(room, i, is_shared ? CPU_NAMED : CPU_FREE);
    }
    room->smt = room->least_smt = 0;
    for (uint32_t i = 0; i < room->core_count; i++) {
        const struct room_core *core = &room->cores[i];
        room->smt = MAX(room->smt, core->count);
        room->least_smt = room->least_smt ? MIN(room->least_smt, core->count) : core->count;
    }
}

/* Automatic placement takes plain memory with CPUs beside it; a host that has none (all of it HBM) gives what has CPUs,
 * and one whose memory and CPUs stand apart, what has memory. */
static void mark_choices(struct room *room)
{
    enum { PLAIN, ANY_KIND, APART, PASSES };
    const struct host *facts = room->host->facts;
    for (unsigned pass = PLAIN, found = 0; pass < PASSES && !found; pass++)
        for (uint32_t n = 0; n < room->node_count; n++) {
            bool has_memory = !facts->nodes[n].memory_bytes.known || facts->nodes[n].memory_bytes.value;
            bool has_cpus = room->nodes[pass == APART ? room->nodes[n].cpus_at : n].open_cpus;
            room->nodes[n].is_choice = facts->nodes[n].is_allowed && has_cpus && has_memory &&
                                       (pass > PLAIN || facts->nodes[n].kind == NODE_DRAM);
            found |= room->nodes[n].is_choice;
        }
}

/* For a node without CPUs, the nearest with some; those of no node are the farthest. */
static void find_cpus(struct room *room)
{
    for (uint32_t n = 0; n < room->node_count; n++) {
        const uint32_t *far = room->between + (size_t)n * room->node_count;
        uint32_t best = room->node_count;
        for (uint32_t m = 0; m < room->node_count; m++)
            if (room->nodes[m].open_cpus && (best == room->node_count || far[m] < far[best]))
                best = m;
        room->nodes[n].cpus_at = room->nodes[n].core_count ? n : best;
    }
    room->nodes[room->node_count].cpus_at = room->node_count;
}

static void measure_memory(struct room *room, struct arena *scratch)
{
    const struct host *facts = room->host->facts;
    for (uint32_t n = 0; n < room->node_count; n++) {
        struct room_node *node = &room->nodes[n];
        const struct node_room *ground = &room->host->rooms[n];
        node->os_index = facts->nodes[n].os_index;
        node->self = ids_from_range(room->arena, node->os_index, node->os_index);
        room->pools_known |= facts->nodes[n].pools_known || facts->nodes[n].pool_count;
        node->memory_known = ground->memory_bytes.known;
        node->memory_left = ground->memory_bytes.value;
        node->pages_left = arena_copy(scratch, ground->pool_free, facts->nodes[n].pool_count * sizeof(uint64_t));
        for (uint32_t m = 0; m < room->node_count; m++)
            room->between[n * room->node_count + m] = host_distance(facts, n, m) + host_distance(facts, m, n);
    }
}

static guint hash_ids(const void *key)
{
    const struct ids *ids = key;
    guint hash = ids->count;
    for (uint32_t i = 0; i < ids->count; i++)
        hash = (hash * 31 + ids->range[i].first) * 31 + ids->range[i].last;
    return hash;
}

static gboolean same_ids(const void *a, const void *b)
{
    return ids_equal(a, b);
}

struct room *room_open(struct arena *arena, struct arena *scratch, const struct ids **singles,
                       const struct site_host *host, uint32_t number)
{
    const struct host *facts = host->facts;
    struct room *room = arena_take(scratch, struct room);
    room->arena = arena;
    room->host = host;
    room->number = number;
    room->node_count = facts->node_count;
    room->nodes = arena_array(scratch, struct room_node, facts->node_count + 1);
    room->cpus = arena_array(scratch, struct room_cpu, facts->cpu_count);
    room->order = arena_array(scratch, uint32_t, facts->cpu_count);
    room->cores = arena_array(scratch, struct room_core, facts->cpu_count);
    room->nodes[room->node_count] = (struct room_node){ .os_index = NO_INDEX, .memory_known = true, .self = &ids_none };
    room->between = arena_array(scratch, uint32_t, (size_t)facts->node_count * facts->node_count);
    room->singles = singles;
    room->loose = g_hash_table_new(hash_ids, same_ids);
    lay_out(room, scratch);
    open_cpus(room);
    measure_memory(room, scratch);
    find_cpus(room);
    mark_choices(room);
    return room;
}

void room_close(struct room *room)
{
    g_hash_table_destroy(room->loose);
}

/* ---- finding ---------------------------------------------------------------------------------------------------- */

uint32_t room_find_cpu(const struct room *room, uint32_t os_index)
{
    const struct host_cpu *cpu = host_cpu(room->host->facts, os_index);
    return cpu ? room->order[cpu - room->host->facts->cpus] : NO_INDEX;
}

uint32_t room_find_node(const struct room *room, uint32_t os_index)
{
    const struct host_node *node = host_node(room->host->facts, os_index);
    return node ? (uint32_t)(node - room->host->facts->nodes) : NO_INDEX;
}

const struct ids *room_single(struct room *room, uint32_t cpu)
{
    uint32_t number = room->cpus[cpu].os_index;
    if (!room->singles[number])
        room->singles[number] = ids_from_range(room->arena, number, number);
    return room->singles[number];
}

/* ---- counting CPUs ---------------------------------------------------------------------------------------------- */

static void count_cpu(struct room *room, const struct room_cpu *cpu, bool is_there)
{
    struct room_core *core = &room->cores[cpu->core];
    struct room_node *node = &room->nodes[room->groups[core->group].node];
    uint32_t one = is_there ? 1 : UINT32_MAX; /* adds or takes away */
    if (cpu->state == CPU_FREE) {
        if (core->free == core->count)
            node->whole_cores--;
        core->free += one;
        if (core->free == core->count)
            node->whole_cores++;
        node->free_cpus += one;
        if (cpu->is_isolated)
            node->free_isolated += one;
    }
    if ((cpu->state == CPU_FREE || cpu->state == CPU_NAMED) && !cpu->is_isolated)
        node->loose_cpus += one;
    if (cpu->state == CPU_DEDICATED)
        room->dedicated += one;
}

void room_set_cpu(struct room *room, uint32_t cpu, enum cpu_state state)
{
    count_cpu(room, &room->cpus[cpu], false);
    room->cpus[cpu].state = state;
    count_cpu(room, &room->cpus[cpu], true);
}

/* ---- counting memory -------------------------------------------------------------------------------------------- */

static uint64_t *pool_of(const struct room *room, uint32_t node, uint64_t page_bytes)
{
    const struct host_node *facts = &room->host->facts->nodes[node];
    const struct page_pool *pool = node_pool(facts, page_bytes);
    return pool ? &room->nodes[node].pages_left[pool - facts->pools] : NULL;
}

uint64_t room_pages_left(const struct room *room, uint32_t node, uint64_t page_bytes)
{
    const uint64_t *left = pool_of(room, node, page_bytes);
    if (left)
        return *left;
    return room->pools_known ? 0 : UINT64_MAX;
}

uint64_t room_bytes_left(const struct room *room, uint32_t node, uint64_t page_bytes)
{
    uint64_t pages = page_bytes ? room_pages_left(room, node, page_bytes) : UINT64_MAX, bytes;
    if (pages == UINT64_MAX) {
        uint64_t left = room->nodes[node].memory_left;
        return !room->nodes[node].memory_known ? UINT64_MAX : page_bytes ? left / page_bytes * page_bytes : left;
    }
    return __builtin_mul_overflow(pages, page_bytes, &bytes) ? UINT64_MAX : bytes;
}

/* What memory in pages of this size is taken from: its pool, or the rest of the node; NULL where nobody knows either.
 */
static uint64_t *store_of(const struct room *room, uint32_t node, uint64_t page_bytes, uint64_t *out_unit)
{
    uint64_t *left = page_bytes ? pool_of(room, node, page_bytes) : NULL;
    bool is_pool = left && *left != UINT64_MAX;
    *out_unit = is_pool ? page_bytes : 1;
    if (is_pool)
        return left;
    return room->nodes[node].memory_known ? &room->nodes[node].memory_left : NULL;
}

void room_take_memory(struct room *room, uint32_t node, uint64_t page_bytes, uint64_t bytes)
{
    struct room_node *here = &room->nodes[node];
    here->memory_guests += bytes;
    room->memory_guests += bytes;
    uint64_t unit, *left = store_of(room, node, page_bytes, &unit);
    if (left)
        *left -= bytes / unit;
}

void room_give_memory(struct room *room, uint32_t node, uint64_t page_bytes, uint64_t bytes)
{
    struct room_node *here = &room->nodes[node];
    here->memory_guests -= bytes;
    room->memory_guests -= bytes;
    uint64_t unit, *left = store_of(room, node, page_bytes, &unit);
    if (left)
        *left += bytes / unit;
}

bool room_add_pages(struct room *room, uint32_t node, uint64_t page_bytes, uint64_t count)
{
    struct room_node *here = &room->nodes[node];
    uint64_t *left = pool_of(room, node, page_bytes), bytes;
    if (!left || *left == UINT64_MAX || __builtin_mul_overflow(count, page_bytes, &bytes) ||
        (here->memory_known && here->memory_left < bytes))
        return false;
    *left += count;
    if (here->memory_known)
        here->memory_left -= bytes;
    return true;
}

/* ---- trials ----------------------------------------------------------------------------------------------------- */

struct saved_room {
    struct room *room, before;
    struct room_cpu *cpus;
    struct room_core *cores;
    struct room_group *groups;
    struct room_node *nodes;
    uint64_t **pages_left; /* by node */
};

static size_t pages_size(const struct room *room, uint32_t node)
{
    return room->host->facts->nodes[node].pool_count * sizeof(uint64_t);
}

struct saved_room *room_save(struct arena *arena, struct room *room)
{
    struct saved_room *saved = arena_take(arena, struct saved_room);
    saved->room = room;
    saved->before = *room;
    saved->cpus = arena_copy(arena, room->cpus, room->cpu_count * sizeof *room->cpus);
    saved->cores = arena_copy(arena, room->cores, room->core_count * sizeof *room->cores);
    saved->groups = arena_copy(arena, room->groups, room->group_count * sizeof *room->groups);
    saved->nodes = arena_copy(arena, room->nodes, (room->node_count + 1) * sizeof *room->nodes);
    saved->pages_left = arena_array(arena, uint64_t *, room->node_count);
    for (uint32_t n = 0; n < room->node_count; n++)
        saved->pages_left[n] = arena_copy(arena, room->nodes[n].pages_left, pages_size(room, n));
    return saved;
}

void room_restore(const struct saved_room *saved)
{
    struct room *room = saved->room;
    if (room->loose != saved->before.loose)
        g_hash_table_destroy(room->loose);
    *room = saved->before;
    memcpy(room->cpus, saved->cpus, room->cpu_count * sizeof *room->cpus);
    memcpy(room->cores, saved->cores, room->core_count * sizeof *room->cores);
    memcpy(room->groups, saved->groups, room->group_count * sizeof *room->groups);
    memcpy(room->nodes, saved->nodes, (room->node_count + 1) * sizeof *room->nodes);
    for (uint32_t n = 0; n < room->node_count; n++)
        memcpy(room->nodes[n].pages_left, saved->pages_left[n], pages_size(room, n));
}

void room_forget_loose(struct room *room)
{
    room->loose = g_hash_table_new(hash_ids, same_ids);
}

/* ---- where vCPUs float ------------------------------------------------------------------------------------------ */

static void add_loose(const struct room *room, uint32_t node, hwloc_bitmap_t out)
{
    const struct room_node *here = &room->nodes[node];
    for (uint32_t c = here->first_core; c < here->first_core + here->core_count; c++)
        for (uint32_t i = 0; i < room->cores[c].count; i++) {
            const struct room_cpu *cpu = &room->cpus[room->cores[c].first + i];
            if ((cpu->state == CPU_FREE || cpu->state == CPU_NAMED) && !cpu->is_isolated)
                hwloc_bitmap_set(out, cpu->os_index);
        }
}

const struct ids *room_loose(struct room *room, const struct ids *nodes)
{
    const struct ids *key = nodes ? nodes : &ids_none, *found = g_hash_table_lookup(room->loose, key);
    if (found)
        return found;
    hwloc_bitmap_t loose = hwloc_bitmap_alloc();
    for (uint32_t n = 0; n < room->node_count; n++)
        if (!nodes || ids_contains(nodes, room->nodes[n].os_index))
            add_loose(room, n, loose);
    if (!nodes)
        add_loose(room, room->node_count, loose);
    found = ids_from_bitmap(room->arena, loose);
    hwloc_bitmap_free(loose);
    g_hash_table_insert(room->loose, (gpointer)(guintptr)key, (gpointer)(guintptr)found);
    return found;
}
