/* SPDX-License-Identifier: MIT
 *
 * Hosts as guests find them: recorded facts, what the site declares over them, and what reserves take away.
 */
#include "ground/ground.h"

#include <hwloc/bitmap.h>
#include <stdlib.h>
#include <string.h>

struct grounding {
    struct arena *arena;
    struct sources *sources;
    struct findings *findings;
    const struct site *site;
    GHashTable *loaded;      /* source text to const struct host * */
    uint64_t synthetic_work; /* of the descriptions so far */
    bool refuses_synthetic;
    uint64_t host_parts; /* CPUs and nodes of the hosts so far */
};

/* ---- declared over recorded ------------------------------------------------------------------------------------- */

static void differs(struct grounding *grounding, const struct site_host *host, struct span span, const char *what,
                    const char *recorded, const char *declared)
{
    struct finding *finding =
        report(grounding->findings, NM_declared_differs, span, "host '%s': %s is %s here, and %s as recorded",
               host->name, what, declared, recorded);
    finding_note(grounding->findings, finding, "what the site declares is used");
    finding_help(grounding->findings, finding, "remove the line if the recording is right, or record the host anew");
}

/* The nodes of a row, each on the host; NULL with a finding. */
static const struct ids *row_nodes(struct grounding *grounding, const struct site_host *host, const struct set *set,
                                   struct span span)
{
    const struct ids *nodes = nodes_on_host(grounding->arena, grounding->findings, host, set, span);
    for (uint32_t i = 0; nodes && i < nodes->count; i++)
        for (uint32_t node = nodes->range[i].first; node <= nodes->range[i].last; node++)
            if (!host_node(host->facts, node)) {
                struct finding *finding = report(grounding->findings, NM_node_not_on_host, span,
                                                 "host '%s' has no node %u", host->name, node);
                uint32_t *numbers = arena_array(grounding->arena, uint32_t, host->facts->node_count);
                for (uint32_t n = 0; n < host->facts->node_count; n++)
                    numbers[n] = host->facts->nodes[n].os_index;
                finding_help(
                    grounding->findings, finding, "its nodes are %s",
                    ids_text(grounding->arena, ids_from_sorted(grounding->arena, numbers, host->facts->node_count)));
                return NULL;
            }
    return nodes;
}

/* A node told twice in one table: neither row is better than the other. */
static bool refuse_repeated(struct grounding *grounding, const struct ids *nodes, struct span span,
                            const struct ids **seen)
{
    bool repeats = nodes && ids_overlap(nodes, *seen);
    if (repeats) {
        uint32_t shared = UINT32_MAX;
        for (ids_each(nodes, node))
            if (shared == UINT32_MAX && ids_contains(*seen, node))
                shared = node;
        struct finding *finding =
            report(grounding->findings, NM_repeated_word, span, "node %u stands in two rows of one table", shared);
        finding_help(grounding->findings, finding, "leave it in one of the two");
    } else if (nodes) {
        hwloc_bitmap_t both = ids_to_bitmap(*seen);
        ids_add_to_bitmap(nodes, both);
        *seen = ids_from_bitmap(grounding->arena, both);
        hwloc_bitmap_free(both);
    }
    return repeats;
}

static void declare_memory(struct grounding *grounding, struct site_host *host, struct host *facts)
{
    const struct node_size_row *rows = host->declared->memory.items;
    const struct ids *seen = &ids_none;
    for (uint32_t r = 0; r < host->declared->memory.count; r++) {
        const struct ids *nodes = row_nodes(grounding, host, rows[r].nodes, rows[r].span);
        if (refuse_repeated(grounding, nodes, rows[r].span, &seen))
            continue;
        for (uint32_t n = 0; nodes && n < facts->node_count; n++) {
            struct host_node *node = &facts->nodes[n];
            if (!ids_contains(nodes, node->os_index))
                continue;
            if (node->memory_bytes.known && node->memory_bytes.value != rows[r].bytes) {
                g_autofree char *what = g_strdup_printf("memory of node %u", node->os_index);
                differs(grounding, host, rows[r].span, what, size_text(grounding->arena, node->memory_bytes.value),
                        size_text(grounding->arena, rows[r].bytes));
            }
            node->memory_bytes = (struct known_size){ true, rows[r].bytes };
        }
    }
}

/* Gives a node a pool of this size, over one that was recorded. */
static void set_pool(struct grounding *grounding, struct host_node *node, uint64_t page_bytes, uint64_t total,
                     struct known_size *out_before)
{
    struct page_pool *pools = arena_array(grounding->arena, struct page_pool, node->pool_count + 1);
    uint32_t at = 0;
    while (at < node->pool_count && node->pools[at].page_bytes < page_bytes)
        at++;
    bool replaces = at < node->pool_count && node->pools[at].page_bytes == page_bytes;
    *out_before = replaces ? node->pools[at].total : (struct known_size){ 0 };
    if (at)
        memcpy(pools, node->pools, at * sizeof *pools);
    pools[at] = (struct page_pool){ .page_bytes = page_bytes, .total = { true, total } };
    uint32_t rest = at + (replaces ? 1 : 0);
    if (node->pool_count > rest)
        memcpy(pools + at + 1, node->pools + rest, (node->pool_count - rest) * sizeof *pools);
    node->pool_count += replaces ? 0 : 1;
    node->pools = pools;
}

/* Pages of a node, in bytes, as far as they are told; UINT64_MAX where that overflows. */
static uint64_t pool_bytes(const struct host_node *node)
{
    uint64_t sum = 0, bytes;
    for (uint32_t p = 0; p < node->pool_count; p++)
        if (node->pools[p].total.known &&
            (__builtin_mul_overflow(node->pools[p].total.value, node->pools[p].page_bytes, &bytes) ||
             __builtin_add_overflow(sum, bytes, &sum)))
            return UINT64_MAX;
    return sum;
}

/* A source whose pools are larger than the node has told one of the two wrongly, and numac cannot know which: pools
 * that nobody checked are forgotten on all nodes, and one finding says so. */
static void doubt_pools(struct grounding *grounding, struct site_host *host, struct host *facts)
{
    uint32_t n = 0;
    while (n < facts->node_count &&
           !(facts->nodes[n].memory_bytes.known && pool_bytes(&facts->nodes[n]) > facts->nodes[n].memory_bytes.value))
        n++;
    if (n == facts->node_count)
        return;
    uint64_t bytes = pool_bytes(&facts->nodes[n]);
    struct finding *finding =
        report(grounding->findings, NM_pools_not_believed, host->declared->span,
               "the source of host '%s' tells of %s of huge pages on node %u, which has %s", host->name,
               bytes == UINT64_MAX ? "more than any machine" : size_text(grounding->arena, bytes),
               facts->nodes[n].os_index, size_text(grounding->arena, facts->nodes[n].memory_bytes.value));
    finding_note(grounding->findings, finding, "its huge pages count as unknown");
    finding_help(
        grounding->findings, finding,
        "record the machine again with 'numac host record', or declare what it has: 'hugepages 1GiB { 0 16 }'");
    for (n = 0; n < facts->node_count; n++) {
        facts->nodes[n].pools_known = false;
        facts->nodes[n].pools = NULL;
        facts->nodes[n].pool_count = 0;
    }
}

enum { POOL_SIZES = 32 }; /* Linux knows four at most */

static bool refuse_sizes(struct grounding *grounding, const struct site_host *host)
{
    const GPtrArray *pools = host->declared->hugepages;
    if (!pools || pools->len <= POOL_SIZES)
        return false;
    struct finding *finding = report(
        grounding->findings, NM_site_too_large, ((const struct hugepages *)g_ptr_array_index(pools, POOL_SIZES))->span,
        "host '%s' has huge pages of %u sizes, and numac knows of machines with 4", host->name, pools->len);
    finding_help(grounding->findings, finding, "declare the sizes of /sys/kernel/mm/hugepages");
    return true;
}

static void declare_pools(struct grounding *grounding, struct site_host *host, struct host *facts)
{
    if (refuse_sizes(grounding, host))
        return;
    for (guint p = 0; host->declared->hugepages && p < host->declared->hugepages->len; p++) {
        const struct hugepages *pool = g_ptr_array_index(host->declared->hugepages, p);
        const struct node_count_row *rows = pool->rows.items;
        const struct ids *seen = &ids_none;
        for (uint32_t r = 0; r < pool->rows.count; r++) {
            const struct ids *nodes = row_nodes(grounding, host, rows[r].nodes, rows[r].span);
            if (refuse_repeated(grounding, nodes, rows[r].span, &seen))
                continue;
            for (uint32_t n = 0; nodes && n < facts->node_count; n++) {
                struct known_size before;
                if (!ids_contains(nodes, facts->nodes[n].os_index))
                    continue;
                set_pool(grounding, &facts->nodes[n], pool->page_bytes, rows[r].count, &before);
                if (before.known && before.value != rows[r].count) {
                    g_autofree char *what =
                        g_strdup_printf("the pool of %s pages on node %u",
                                        size_text(grounding->arena, pool->page_bytes), facts->nodes[n].os_index);
                    g_autofree char *recorded = g_strdup_printf("%" G_GUINT64_FORMAT, before.value),
                                    *declared = g_strdup_printf("%u", rows[r].count);
                    differs(grounding, host, rows[r].span, what, recorded, declared);
                }
            }
        }
    }
}

static void declare_versions(const struct list *list, struct host *facts)
{
    static const enum host_program programs[] = { [PROGRAM_WORD_LIBVIRT] = PROGRAM_LIBVIRT,
                                                  [PROGRAM_WORD_QEMU] = PROGRAM_QEMU,
                                                  [PROGRAM_WORD_KERNEL] = PROGRAM_KERNEL,
                                                  [PROGRAM_WORD_LIBNUMA] = PROGRAM_LIBNUMA };
    const struct version_row *rows = list->items;
    for (uint32_t i = 0; i < list->count; i++)
        facts->versions[programs[rows[i].program]] =
            (struct version){ true, rows[i].version.major, rows[i].version.minor, rows[i].version.micro };
}

/* What `isolated` and `shared` name, each CPU on the host; NULL with a finding. */
static const struct ids *host_cpus(struct grounding *grounding, const struct site_host *host, const struct set *set,
                                   const struct ids *parent, enum word_id word)
{
    struct span span = said_span(&host->declared->said, word, 1);
    const struct ids *cpus = cpus_on_host(grounding->arena, grounding->findings, host, set, parent, span);
    for (uint32_t i = 0; cpus && i < cpus->count; i++)
        for (uint32_t cpu = cpus->range[i].first; cpu <= cpus->range[i].last; cpu++)
            if (!host_cpu(host->facts, cpu) &&
                !(host->facts->isolated_known && ids_contains(host->facts->isolated, cpu))) {
                struct finding *finding = report(grounding->findings, NM_place_not_on_host, span,
                                                 "host '%s' has no CPU %u online", host->name, cpu);
                finding_help(grounding->findings, finding, "its CPUs are %s",
                             ids_text(grounding->arena, host->facts->online));
                return NULL;
            }
    return cpus;
}

static void declare_states(struct grounding *grounding, struct site_host *host, struct host *facts)
{
    const struct declared_host *declared = host->declared;
    if (is_said(&declared->said, W_HOST_KSM)) {
        facts->ksm = declared->ksm == KSM_NO ? STATE_NO : STATE_YES;
        facts->ksm_merge_across_nodes = declared->ksm == KSM_YES ? STATE_YES : STATE_NO;
    }
    if (is_said(&declared->said, W_HOST_BALANCING))
        facts->balancing = declared->balancing ? STATE_YES : STATE_NO;
    if (declared->isolated) {
        const struct ids *isolated = host_cpus(grounding, host, declared->isolated, facts->online, W_HOST_ISOLATED);
        if (isolated && facts->isolated_known && !ids_equal(isolated, facts->isolated))
            differs(grounding, host, said_span(&declared->said, W_HOST_ISOLATED, 1), "the isolated CPUs",
                    ids_text(grounding->arena, facts->isolated), ids_text(grounding->arena, isolated));
        if (isolated) {
            facts->isolated = isolated;
            facts->isolated_known = true;
        }
    }
    declare_versions(&grounding->site->versions, facts);
    declare_versions(&declared->versions, facts);
}

/* ---- reserves --------------------------------------------------------------------------------------------------- */

static void reserve_cpus(struct grounding *grounding, const struct site_host *host, const struct reserve *reserve,
                         hwloc_bitmap_t out)
{
    if (!reserve->cpus)
        return;
    const struct ids *cpus = cpus_on_host(grounding->arena, grounding->findings, host, reserve->cpus,
                                          host->facts->online, said_span(&reserve->said, W_RESERVE_CPUS, 1));
    if (!cpus)
        return;
    ids_add_to_bitmap(cpus, out);
    for (ids_each(cpus, cpu))
        if (!host_cpu(host->facts, cpu)) {
            struct finding *finding = report(
                grounding->findings, NM_reserve_too_large, said_span(&reserve->said, W_RESERVE_CPUS, 1),
                "reserve '%s' takes CPU %u, which host '%s' does not have online", reserve->owner, cpu, host->name);
            finding_help(grounding->findings, finding, "its CPUs are %s",
                         ids_text(grounding->arena, host->facts->online));
            return;
        }
}

static void reserve_pages(struct grounding *grounding, const struct site_host *host, const struct reserve *reserve,
                          uint64_t **free)
{
    for (guint p = 0; reserve->hugepages && p < reserve->hugepages->len; p++) {
        const struct hugepages *pool = g_ptr_array_index(reserve->hugepages, p);
        const struct node_count_row *rows = pool->rows.items;
        const struct ids *seen = &ids_none;
        for (uint32_t r = 0; r < pool->rows.count; r++) {
            const struct ids *nodes = row_nodes(grounding, host, rows[r].nodes, rows[r].span);
            if (refuse_repeated(grounding, nodes, rows[r].span, &seen))
                continue;
            for (uint32_t n = 0; nodes && n < host->facts->node_count; n++) {
                const struct host_node *node = &host->facts->nodes[n];
                if (!ids_contains(nodes, node->os_index))
                    continue;
                const struct page_pool *found = node_pool(node, pool->page_bytes);
                uint64_t *left = found ? &free[n][found - node->pools] : NULL;
                if (left && (*left == UINT64_MAX || *left >= rows[r].count)) {
                    *left -= *left == UINT64_MAX ? 0 : rows[r].count;
                    continue;
                }
                struct finding *finding =
                    report(grounding->findings, NM_reserve_too_large, rows[r].span,
                           "reserve '%s' takes %u pages of %s on node %u, which has %" G_GUINT64_FORMAT " left",
                           reserve->owner, rows[r].count, size_text(grounding->arena, pool->page_bytes), node->os_index,
                           left ? *left : 0);
                finding_help(grounding->findings, finding, "lower the count, or declare the pool of host '%s'",
                             host->name);
            }
        }
    }
}

/* Each node may lose no more than it has; `memory SIZE` for every node may take all of a small one. */
static void refuse_excess(struct grounding *grounding, const struct site_host *host, const struct reserve *reserve,
                          const struct node_size_row *row, const struct host_node *node)
{
    if (!node->memory_bytes.known || row->bytes <= node->memory_bytes.value)
        return;
    struct finding *finding = report(grounding->findings, NM_reserve_too_large, row->span,
                                     "reserve '%s' takes %s of node %u, and host '%s' has %s there", reserve->owner,
                                     size_text(grounding->arena, row->bytes), node->os_index, host->name,
                                     size_text(grounding->arena, node->memory_bytes.value));
    finding_help(grounding->findings, finding, "lower it to what the owner needs");
}

static void reserve_memory(struct grounding *grounding, const struct site_host *host, const struct reserve *reserve,
                           struct node_room *rooms)
{
    const struct node_size_row *rows = reserve->memory.items;
    const struct ids *seen = &ids_none;
    for (uint32_t r = 0; r < reserve->memory.count; r++) {
        const struct ids *nodes = row_nodes(grounding, host, rows[r].nodes, rows[r].span);
        if (refuse_repeated(grounding, nodes, rows[r].span, &seen))
            continue;
        for (uint32_t n = 0; nodes && n < host->facts->node_count; n++)
            if (ids_contains(nodes, host->facts->nodes[n].os_index)) {
                refuse_excess(grounding, host, reserve, &rows[r], &host->facts->nodes[n]);
                rooms[n].reserved_bytes += rows[r].bytes;
            }
    }
    for (uint32_t n = 0; reserve->each_bytes && n < host->facts->node_count; n++) {
        const struct known_size memory = host->facts->nodes[n].memory_bytes;
        if (!memory.known || memory.value)
            rooms[n].reserved_bytes += reserve->each_bytes;
    }
}

/* What is left of one node when pools and reserves are taken off. */
static void measure_node(struct grounding *grounding, const struct site_host *host, uint32_t n, struct node_room *room)
{
    const struct host_node *node = &host->facts->nodes[n];
    uint64_t taken = pool_bytes(node);
    if (!node->memory_bytes.known)
        return;
    uint64_t memory = node->memory_bytes.value;
    bool is_declared = host->declared->hugepages && host->declared->hugepages->len;
    if (taken > memory && is_declared) {
        const struct hugepages *pool = g_ptr_array_index(host->declared->hugepages, 0);
        struct finding *finding =
            report(grounding->findings, NM_pages_exceed_node, pool->span,
                   "the huge pages of node %u come to %s, and the node has %s", node->os_index,
                   taken == UINT64_MAX ? "more than any machine" : size_text(grounding->arena, taken),
                   size_text(grounding->arena, memory));
        finding_help(grounding->findings, finding, "lower the count for node %u", node->os_index);
    }
    uint64_t left = taken > memory ? 0 : memory - taken;
    room->memory_bytes = (struct known_size){ true, left > room->reserved_bytes ? left - room->reserved_bytes : 0 };
}

static void take_reserves(struct grounding *grounding, struct site_host *host)
{
    const struct host *facts = host->facts;
    struct node_room *rooms = arena_array(grounding->arena, struct node_room, facts->node_count);
    uint64_t **free = arena_array(grounding->arena, uint64_t *, facts->node_count);
    for (uint32_t n = 0; n < facts->node_count; n++) {
        free[n] = arena_array(grounding->arena, uint64_t, facts->nodes[n].pool_count);
        for (uint32_t p = 0; p < facts->nodes[n].pool_count; p++)
            free[n][p] = facts->nodes[n].pools[p].total.known ? facts->nodes[n].pools[p].total.value : UINT64_MAX;
        rooms[n].pool_free = free[n];
    }
    hwloc_bitmap_t reserved = hwloc_bitmap_alloc(), open = ids_to_bitmap(facts->online);
    for (guint i = 0; host->declared->reserves && i < host->declared->reserves->len; i++) {
        const struct reserve *reserve = g_ptr_array_index(host->declared->reserves, i);
        reserve_cpus(grounding, host, reserve, reserved);
        reserve_memory(grounding, host, reserve, rooms);
        reserve_pages(grounding, host, reserve, free);
    }
    hwloc_bitmap_andnot(open, open, reserved);
    host->reserved = ids_from_bitmap(grounding->arena, reserved);
    host->open = ids_from_bitmap(grounding->arena, open);
    if (facts->isolated_known)
        for (ids_each(facts->isolated, cpu))
            hwloc_bitmap_clr(open, cpu);
    host->shared = ids_from_bitmap(grounding->arena, open);
    hwloc_bitmap_free(reserved);
    hwloc_bitmap_free(open);
    for (uint32_t n = 0; n < facts->node_count; n++)
        measure_node(grounding, host, n, &rooms[n]);
    host->rooms = rooms;
    if (!host->open->count) {
        struct finding *finding =
            report(grounding->findings, NM_guest_cpus_all_reserved, host->declared->span,
                   "host '%s' has no CPU left for guests: %s online, %s reserved", host->name,
                   ids_text(grounding->arena, facts->online), ids_text(grounding->arena, host->reserved));
        finding_help(grounding->findings, finding, "reserve fewer CPUs");
    }
}

/* ---- one host --------------------------------------------------------------------------------------------------- */

static unsigned facts_for(const struct guest *guest)
{
    bool has_threads = guest->iothread_count || guest->iothread_total;
    unsigned wants = guest->hmat == HMAT_WORD_AUTO ? HOST_ACCESSES : 0;
    if (guest->disk && has_threads && g_str_has_prefix(guest->disk, "/dev/"))
        wants |= HOST_DEVICES; /* on which node it is */
    return wants;
}

static unsigned wanted_facts(const struct site *site)
{
    unsigned wants = HOST_CACHES | (site->wants_devices ? HOST_DEVICES : 0);
    for (uint32_t g = 0; g < site->guest_count; g++) {
        const struct guest *guest = &site->guests[g];
        wants |= facts_for(guest);
        for (uint32_t v = 0; v < guest->variant_count && guest->instance < 2; v++)
            wants |= facts_for(guest->variants[v].guest);
    }
    return wants;
}

/* Each description is built in a process of its own, so many small ones cost as much as a large one. */
static bool refuse_more_work(struct grounding *grounding, const struct declared_host *declared, struct span span)
{
    if (grounding->synthetic_work <= HOST_SYNTHETIC_WORK)
        grounding->synthetic_work += host_synthetic_work(declared->synthetic);
    if (grounding->synthetic_work <= HOST_SYNTHETIC_WORK)
        return false;
    if (grounding->refuses_synthetic) /* told */
        return true;
    grounding->refuses_synthetic = true;
    struct finding *finding =
        report(grounding->findings, NM_site_too_large, span,
               "the site has too many different synthetic hosts, or too large ones, with '%s'", declared->name);
    finding_help(grounding->findings, finding,
                 "write 'like' for hosts that are alike, which costs nothing, or record them: numac host record");
    return true;
}

static const struct host *load(struct grounding *grounding, const struct declared_host *declared)
{
    const char *source = declared->synthetic ? declared->synthetic : declared->topology;
    g_autofree char *key = g_strdup_printf("%c%s", declared->synthetic ? 's' : 'f', source);
    if (g_hash_table_contains(grounding->loaded, key))
        return g_hash_table_lookup(grounding->loaded, key);
    struct span span = SPAN_NONE; /* what the command line named stands nowhere in the site */
    if (!declared->is_overridden)
        span = said_span(&declared->said, declared->synthetic ? W_HOST_SYNTHETIC : W_HOST_TOPOLOGY, 1);
    span = span.file ? span : declared->span;
    if (declared->synthetic && refuse_more_work(grounding, declared, span))
        return NULL;
    const struct host *facts =
        host_load(grounding->arena, grounding->sources, grounding->findings, source, declared->synthetic != NULL,
                  wanted_facts(grounding->site) | (declared->is_overridden ? 0 : HOST_NO_PIPE), span);
    g_hash_table_insert(grounding->loaded, arena_string(grounding->arena, key, strlen(key)),
                        (gpointer)(uintptr_t)facts);
    return facts;
}

/* Each host has nodes of its own, also one that is like another. */
static bool refuse_more_hosts(struct grounding *grounding, const struct declared_host *declared,
                              const struct host *facts)
{
    uint64_t most = 600000 + 420 * (uint64_t)grounding->site->host_count, before = grounding->host_parts;
    grounding->host_parts += facts->cpu_count + 16 * (uint64_t)facts->node_count;
    if (grounding->host_parts <= most)
        return false;
    if (before > most) /* told */
        return true;
    struct finding *finding =
        report(grounding->findings, NM_site_too_large, declared->span,
               "with host '%s' the hosts of the site have too many CPUs and nodes", declared->name);
    finding_help(grounding->findings, finding, "plan fewer of them at once, in sites of their own");
    return true;
}

static int by_address(const void *left, const void *right)
{
    const struct host_device *a = *(const struct host_device *const *)left,
                             *b = *(const struct host_device *const *)right;
    return strcmp(a->pci, b->pci);
}

static const struct host_device *const *sort_devices(struct arena *arena, const struct host *facts)
{
    const struct host_device **sorted = arena_array(arena, const struct host_device *, facts->device_count);
    for (uint32_t i = 0; i < facts->device_count; i++)
        sorted[i] = &facts->devices[i];
    qsort(sorted, facts->device_count, sizeof *sorted, by_address);
    return sorted;
}

const struct host_device *device_at(const struct site_host *host, const char *address)
{
    struct host_device sought = { .pci = address };
    const struct host_device *key = &sought, *const *found = NULL;
    if (host->facts && host->facts->device_count)
        found = bsearch(&key, host->devices, host->facts->device_count, sizeof *host->devices, by_address);
    return found ? *found : NULL;
}

const char *device_address(const struct site_host *host, const char *name, const char *said_address)
{
    const GPtrArray *named = host ? host->declared->devices : NULL;
    for (guint i = 0; !said_address && named && i < named->len; i++) {
        const struct named_device *device = g_ptr_array_index(named, i);
        if (strcmp(device->name, name) == 0)
            return device->address;
    }
    return said_address;
}

static void ground(struct grounding *grounding, const struct declared_host *declared, struct site_host *host)
{
    *host = (struct site_host){
        .name = declared->name, .declared = declared, .reserved = &ids_none, .open = &ids_none, .shared = &ids_none
    };
    if (declared->is_broken)
        return;
    const struct host *recorded = load(grounding, declared);
    if (!recorded || refuse_more_hosts(grounding, declared, recorded))
        return;
    struct host *facts = arena_copy(grounding->arena, recorded, sizeof *recorded);
    facts->name = declared->name;
    facts->nodes = arena_copy(grounding->arena, recorded->nodes, recorded->node_count * sizeof recorded->nodes[0]);
    host->facts = facts;
    host->devices = sort_devices(grounding->arena, facts);
    host->open = facts->online;
    size_t errors = findings_errors_met(grounding->findings);
    declare_memory(grounding, host, facts);
    doubt_pools(grounding, host, facts);
    declare_pools(grounding, host, facts);
    declare_states(grounding, host, facts);
    take_reserves(grounding, host);
    if (declared->shared) {
        const struct ids *shared = host_cpus(grounding, host, declared->shared, host->open, W_HOST_SHARED);
        host->has_shared = shared != NULL;
        if (shared)
            host->shared = shared;
    }
    if (findings_errors_met(grounding->findings) > errors)
        host->facts = NULL; /* a host told wrongly is no ground to place on */
    host->memo = place_memo_new(grounding->arena);
}

static int by_host_name(const void *left, const void *right)
{
    const struct site_host *a = *(const struct site_host *const *)left, *b = *(const struct site_host *const *)right;
    return strcmp(a->name, b->name);
}

static struct site_host ground_nowhere(struct arena *arena, const struct site *site)
{
    struct host *facts = arena_take(arena, struct host);
    declare_versions(&site->versions, facts);
    return (struct site_host){ .facts = facts };
}

struct site_hosts ground_hosts(struct arena *arena, struct sources *sources, struct findings *findings,
                               const struct site *site)
{
    struct grounding grounding = { .arena = arena,
                                   .sources = sources,
                                   .findings = findings,
                                   .site = site,
                                   .loaded = g_hash_table_new(g_str_hash, g_str_equal) };
    struct site_host *list = arena_array(arena, struct site_host, site->host_count);
    size_t before = findings_count(findings, HINT);
    for (uint32_t i = 0; i < site->host_count; i++) {
        about_host(findings, &site->hosts[i]);
        ground(&grounding, &site->hosts[i], &list[i]);
    }
    about_host(findings, NULL);
    tell_origins_since(findings, before, site, NULL);
    g_hash_table_destroy(grounding.loaded);
    const struct site_host **by_name = arena_array(arena, const struct site_host *, site->host_count);
    for (uint32_t i = 0; i < site->host_count; i++)
        by_name[i] = &list[i];
    if (site->host_count)
        qsort(by_name, site->host_count, sizeof *by_name, by_host_name);
    return (struct site_hosts){
        .list = list, .by_name = by_name, .count = site->host_count, .nowhere = ground_nowhere(arena, site)
    };
}

const struct planned_guest *find_move(const struct planned_guest *planned, const char *host)
{
    for (uint32_t i = 0; i < planned->plan->move_count; i++)
        if (strcmp(planned->plan->moves[i].host, host) == 0)
            return &planned->moves[i];
    return NULL;
}

const struct site_host *find_site_host(const struct site_hosts *hosts, const char *name)
{
    struct site_host wanted = { .name = name };
    const struct site_host *key = &wanted;
    const struct site_host *const *found =
        hosts->count ? bsearch(&key, hosts->by_name, hosts->count, sizeof key, by_host_name) : NULL;
    return found ? *found : NULL;
}

const struct reserve *reserve_of_cpu(const struct site_host *host, uint32_t cpu)
{
    for (guint i = 0; host->declared->reserves && i < host->declared->reserves->len; i++) {
        const struct reserve *reserve = g_ptr_array_index(host->declared->reserves, i);
        if (reserve->cpus && reserve->cpus->plain && ids_contains(reserve->cpus->plain, cpu))
            return reserve;
    }
    return NULL;
}

struct span guest_word_span(const struct guest *guest, enum word_id word, unsigned argument)
{
    struct span span = said_span(&guest->said, word, argument);
    return span.file ? span : guest->span;
}

struct span cell_word_span(const struct guest *guest, uint32_t cell_index, enum word_id word, unsigned argument)
{
    struct span span =
        cell_index < guest->cell_count ? said_span(&guest->cells[cell_index].said, word, argument) : SPAN_NONE;
    return span.file ? span : guest_word_span(guest, word, argument);
}
