/* SPDX-License-Identifier: MIT
 *
 * Reads a machine through hwloc 2.x: live, XML v2, a recorded folder, a synthetic description.  The only file that
 * opens topologies; what hwloc does not read is left to from_sysfs.c, our own additions to its XML to additions.c.
 * All but the live machine run in a child (child.c).
 */
#include "host/facts.h"

#include <hwloc.h>
#include <stdlib.h>
#include <string.h>

struct facts_in { /* one reading under way */
    struct arena *arena;
    const struct reading *reading;
    struct trouble *trouble;
    hwloc_topology_t topology;
    hwloc_bitmap_t usable; /* online and allowed */
    struct host *host;
};

/* ---- opening ---------------------------------------------------------------------------------------------------- */

static void set_filters(hwloc_topology_t topology, unsigned wants)
{
    hwloc_topology_set_all_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_NONE);
    static const hwloc_obj_type_t needed[] = { HWLOC_OBJ_PACKAGE, HWLOC_OBJ_DIE, HWLOC_OBJ_CORE, HWLOC_OBJ_L3CACHE };
    for (unsigned i = 0; i < G_N_ELEMENTS(needed); i++)
        hwloc_topology_set_type_filter(topology, needed[i], HWLOC_TYPE_FILTER_KEEP_ALL);
    hwloc_topology_set_type_filter(topology, HWLOC_OBJ_GROUP, HWLOC_TYPE_FILTER_KEEP_STRUCTURE); /* clusters */
    if (wants & HOST_CACHES)
        hwloc_topology_set_cache_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_ALL);
    if (wants & HOST_CACHES)
        hwloc_topology_set_icache_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_ALL);
    if (wants & HOST_ACCESSES)
        hwloc_topology_set_type_filter(topology, HWLOC_OBJ_MEMCACHE, HWLOC_TYPE_FILTER_KEEP_ALL);
    if (wants & HOST_DEVICES) {
        /* any PCI function can be given to a guest, also those that hwloc finds unimportant */
        hwloc_topology_set_type_filter(topology, HWLOC_OBJ_PCI_DEVICE, HWLOC_TYPE_FILTER_KEEP_ALL);
        hwloc_topology_set_type_filter(topology, HWLOC_OBJ_OS_DEVICE, HWLOC_TYPE_FILTER_KEEP_IMPORTANT);
    }
}

static bool open_topology(hwloc_topology_t topology, const struct reading *reading)
{
    set_filters(topology, reading->wants);
    unsigned long flags = HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED;
    if (!reading->recording && !(reading->wants & HOST_ACCESSES))
        flags |= HWLOC_TOPOLOGY_FLAG_NO_MEMATTRS;
    hwloc_topology_set_flags(topology, flags);
    if (reading->origin == ORIGIN_SYNTHETIC && hwloc_topology_set_synthetic(topology, reading->text) != 0)
        return false;
    if (reading->origin == ORIGIN_HWLOC_XML &&
        hwloc_topology_set_xmlbuffer(topology, reading->text, (int)reading->length + 1) != 0)
        return false;
    /* CPUID on every CPU tells nothing that Linux did not */
    if (reading->origin == ORIGIN_LIVE)
        hwloc_topology_set_components(topology, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
    return hwloc_topology_load(topology) == 0;
}

/* ---- for the files that may not know hwloc ---------------------------------------------------------------------- */

enum level_word level_of_word(const char *word)
{
    hwloc_obj_type_t type;
    if (hwloc_type_sscanf(word, &type, NULL, 0) < 0 || hwloc_obj_type_is_io(type) || type == HWLOC_OBJ_MISC)
        return LEVEL_WORD_NONE;
    return type == HWLOC_OBJ_NUMANODE ? LEVEL_WORD_NODE : type == HWLOC_OBJ_PU ? LEVEL_WORD_PU : LEVEL_WORD_OTHER;
}

struct hwloc_obj *machine_object(struct hwloc_topology *topology)
{
    return hwloc_get_root_obj(topology);
}

struct hwloc_obj *node_object(struct hwloc_topology *topology, uint32_t os_index)
{
    return hwloc_get_numanode_obj_by_os_index(topology, os_index);
}

const char *info_of(struct hwloc_obj *object, const char *name)
{
    return hwloc_obj_get_info_by_name(object, name);
}

const char *info_at(struct hwloc_obj *object, unsigned position, const char **name)
{
    if (position >= object->infos_count)
        return NULL;
    *name = object->infos[position].name;
    return object->infos[position].value;
}

void info_add(struct hwloc_obj *object, const char *name, const char *value)
{
    hwloc_obj_add_info(object, name, value);
}

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

/* Names of hwloc 2.0 to 2.12; devdax says how memory-only nodes came to be. */
static enum node_kind kind_of(hwloc_obj_t node)
{
    static const struct {
        const char *word;
        enum node_kind kind;
    } words[] = { { .word = "MCDRAM", .kind = NODE_HBM }, { .word = "HBM", .kind = NODE_HBM },
                  { .word = "CXL", .kind = NODE_CXL },    { .word = "NVM", .kind = NODE_NVM },
                  { .word = "GPU", .kind = NODE_GPU },    { .word = "SPM", .kind = NODE_HBM } };
    const char *parent = hwloc_obj_get_info_by_name(node, "DAXParent");
    if (parent && (strstr(parent, "ACPI0017") || strstr(parent, "cxl")))
        return NODE_CXL;
    const char *said[] = { node->subtype, hwloc_obj_get_info_by_name(node, "DAXType") };
    for (unsigned s = 0; s < G_N_ELEMENTS(said); s++)
        for (unsigned i = 0; said[s] && i < G_N_ELEMENTS(words); i++)
            if (g_ascii_strncasecmp(said[s], words[i].word, strlen(words[i].word)) == 0)
                return words[i].kind;
    return NODE_DRAM;
}

/* hwloc lists the base page with the huge ones.  A row of 0 base pages on a node with memory means that nobody
 * counted, since the base row is what is left of the memory. */
static void take_pools(struct facts_in *in, hwloc_obj_t object, struct host_node *node)
{
    const struct hwloc_numanode_attr_s *attributes = &object->attr->numanode;
    uint64_t base = 0;
    bool was_counted = true;
    for (unsigned i = 0; i < attributes->page_types_len; i++) {
        uint64_t bytes = attributes->page_types[i].size;
        if (bytes && bytes <= 64 * KIB && (!base || bytes < base)) {
            base = bytes;
            was_counted = attributes->page_types[i].count || !attributes->local_memory;
        }
    }
    struct page_pool pools[HOST_POOL_LIMIT] = { 0 };
    uint32_t count = 0;
    for (unsigned i = 0; i < attributes->page_types_len && count < HOST_POOL_LIMIT; i++) {
        uint64_t bytes = attributes->page_types[i].size, pages = attributes->page_types[i].count;
        if (!bytes || bytes == base)
            continue;
        uint32_t at = count;
        while (at && pools[at - 1].page_bytes > bytes)
            at--;
        if (at && pools[at - 1].page_bytes == bytes)
            continue; /* said twice: the first holds */
        memmove(&pools[at + 1], &pools[at], (count - at) * sizeof pools[0]);
        pools[at] = (struct page_pool){ .page_bytes = bytes };
        pools[at].total = (struct known_size){ .known = pages || was_counted, .value = pages };
        count++;
    }
    node->pools = arena_copy(in->arena, pools, count * sizeof pools[0]);
    node->pool_count = count;
    node->pools_known = count > 0;
}

static const struct ids *usable_part(struct facts_in *in, hwloc_const_bitmap_t cpus)
{
    hwloc_bitmap_t part = hwloc_bitmap_alloc();
    hwloc_bitmap_and(part, cpus, in->usable);
    const struct ids *ids = ids_from_bitmap(in->arena, part);
    hwloc_bitmap_free(part);
    return ids;
}

static int by_os_index(const void *a, const void *b)
{
    const hwloc_obj_t *left = a, *right = b;
    return (*left)->os_index < (*right)->os_index ? -1 : (*left)->os_index > (*right)->os_index;
}

static bool take_nodes(struct facts_in *in)
{
    int count = hwloc_get_nbobjs_by_type(in->topology, HWLOC_OBJ_NUMANODE);
    if (count < 1 || count > (int)HOST_NODE_LIMIT) {
        trouble_set(in->trouble, count < 1 ? NM_host_damaged : NM_host_too_large, NULL,
                    "'%s' has %d nodes, numac reads 1 to %u", in->reading->name, count, HOST_NODE_LIMIT);
        return false;
    }
    g_autofree hwloc_obj_t *objects = g_new(hwloc_obj_t, (size_t)count);
    bool has_memory = false,
         is_invented = in->reading->origin == ORIGIN_SYNTHETIC && !strstr(in->reading->text, "memory=");
    for (int i = 0; i < count; i++) {
        objects[i] = hwloc_get_obj_by_type(in->topology, HWLOC_OBJ_NUMANODE, (unsigned)i);
        uint64_t *bytes = &objects[i]->attr->numanode.local_memory;
        if (in->reading->origin == ORIGIN_SYNTHETIC && (is_invented || *bytes == SYNTHETIC_NO_MEMORY))
            *bytes = 0; /* the marker stays out of recordings */
        has_memory |= objects[i]->attr->numanode.local_memory != 0;
    }
    qsort(objects, (size_t)count, sizeof(hwloc_obj_t), by_os_index);
    in->host->nodes = arena_array(in->arena, struct host_node, count);
    in->host->node_count = (uint32_t)count;
    for (int i = 0; i < count; i++) {
        hwloc_obj_t object = objects[i];
        if (object->os_index > IDS_LIMIT || (i && objects[i - 1]->os_index == object->os_index)) {
            trouble_set(in->trouble, NM_host_damaged, NULL, "'%s' is damaged: a node has no number of its own",
                        in->reading->name);
            return false;
        }
        struct host_node *node = &in->host->nodes[i];
        node->os_index = object->os_index;
        node->cpus = usable_part(in, object->cpuset);
        /* hwloc writes 0 and "not said" alike; a machine whose nodes all have none did not say */
        bool is_said = in->reading->origin != ORIGIN_SYNTHETIC ? has_memory : object->attr->numanode.local_memory != 0;
        node->memory_bytes = (struct known_size){ .known = is_said, .value = object->attr->numanode.local_memory };
        node->kind = kind_of(object);
        node->is_allowed = hwloc_bitmap_isset(hwloc_topology_get_allowed_nodeset(in->topology), object->os_index) > 0;
        take_pools(in, object, node);
    }
    return true;
}

/* ---- CPUs ------------------------------------------------------------------------------------------------------- */

/* Gives the objects of one level numbers from 0 in the order in which they are first asked for. */
struct numbering {
    GHashTable *seen;
    uint32_t next;
};

static uint32_t number_of(struct numbering *numbering, hwloc_obj_t object)
{
    if (!object)
        return NO_INDEX;
    gpointer found = g_hash_table_lookup(numbering->seen, object);
    if (!found) {
        found = GUINT_TO_POINTER(++numbering->next);
        g_hash_table_insert(numbering->seen, object, found);
    }
    return GPOINTER_TO_UINT(found) - 1;
}

enum level { LEVEL_PACKAGE, LEVEL_DIE, LEVEL_CLUSTER, LEVEL_L3, LEVEL_CORE, LEVEL_COUNT };

static void levels_of(hwloc_obj_t pu, hwloc_obj_t above[LEVEL_COUNT])
{
    for (hwloc_obj_t object = pu->parent; object; object = object->parent) {
        if (object->type == HWLOC_OBJ_PACKAGE)
            above[LEVEL_PACKAGE] = object;
        else if (object->type == HWLOC_OBJ_DIE)
            above[LEVEL_DIE] = object;
        else if (object->type == HWLOC_OBJ_L3CACHE)
            above[LEVEL_L3] = object;
        else if (object->type == HWLOC_OBJ_CORE)
            above[LEVEL_CORE] = object;
        else if (object->type == HWLOC_OBJ_GROUP && object->subtype && !above[LEVEL_PACKAGE] &&
                 strcmp(object->subtype, "Cluster") == 0 &&
                 !(above[LEVEL_L3] && hwloc_bitmap_isequal(above[LEVEL_L3]->cpuset, object->cpuset)))
            above[LEVEL_CLUSTER] = object;
    }
}

/* Hybrid kinds, where hwloc could rank them. */
static uint32_t kind_of_cpu(struct facts_in *in, hwloc_obj_t pu, int kind_count)
{
    if (kind_count < 2)
        return NO_INDEX;
    int kind = hwloc_cpukinds_get_by_cpuset(in->topology, pu->cpuset, 0);
    int efficiency = -1;
    if (kind < 0 || hwloc_cpukinds_get_info(in->topology, (unsigned)kind, NULL, &efficiency, NULL, NULL, 0) != 0)
        return NO_INDEX;
    return efficiency < 0 ? NO_INDEX : (uint32_t)efficiency;
}

static void take_cpus(struct facts_in *in)
{
    struct host *host = in->host;
    host->cpu_count = ids_size(host->online);
    host->cpus = arena_array(in->arena, struct host_cpu, host->cpu_count);
    struct numbering levels[LEVEL_COUNT];
    for (unsigned i = 0; i < LEVEL_COUNT; i++)
        levels[i] = (struct numbering){ .seen = g_hash_table_new(NULL, NULL) };
    g_autofree uint32_t *threads = g_new0(uint32_t, (size_t)host->cpu_count + 1);
    uint32_t last = ids_last(host->online);
    g_autofree hwloc_obj_t *by_os = g_new0(hwloc_obj_t, (size_t)last + 1);
    g_autofree uint32_t *order = g_new0(uint32_t, (size_t)last + 1);
    uint32_t position = 0;
    for (hwloc_obj_t pu = NULL; (pu = hwloc_get_next_obj_by_type(in->topology, HWLOC_OBJ_PU, pu));) {
        if (pu->os_index > last || !ids_contains(host->online, pu->os_index))
            continue;
        by_os[pu->os_index] = pu;
        order[pu->os_index] = position++;
    }
    int kind_count = hwloc_cpukinds_get_nr(in->topology, 0);
    uint32_t at = 0;
    for (ids_each(host->online, number)) {
        struct host_cpu *cpu = &host->cpus[at++];
        hwloc_obj_t above[LEVEL_COUNT] = { NULL };
        if (by_os[number])
            levels_of(by_os[number], above);
        *cpu = (struct host_cpu){ .os_index = number, .order = order[number], .kind = NO_INDEX };
        cpu->package = number_of(&levels[LEVEL_PACKAGE], above[LEVEL_PACKAGE]);
        cpu->die = number_of(&levels[LEVEL_DIE], above[LEVEL_DIE]);
        cpu->cluster = number_of(&levels[LEVEL_CLUSTER], above[LEVEL_CLUSTER]);
        cpu->l3 = number_of(&levels[LEVEL_L3], above[LEVEL_L3]);
        cpu->core = number_of(&levels[LEVEL_CORE], above[LEVEL_CORE]);
        cpu->thread = cpu->core == NO_INDEX ? 0 : threads[cpu->core]++;
        if (by_os[number])
            cpu->kind = kind_of_cpu(in, by_os[number], kind_count);
    }
    for (unsigned i = 0; i < LEVEL_COUNT; i++)
        g_hash_table_destroy(levels[i].seen);
    facts_count_logically(host);
}

static bool take_sets(struct facts_in *in)
{
    hwloc_const_bitmap_t here = hwloc_topology_get_topology_cpuset(in->topology);
    hwloc_const_bitmap_t complete = hwloc_topology_get_complete_cpuset(in->topology);
    hwloc_const_bitmap_t allowed = hwloc_topology_get_allowed_cpuset(in->topology);
    if (hwloc_bitmap_last(here) < 0 || hwloc_bitmap_last(complete) < 0) {
        trouble_set(in->trouble, NM_host_damaged, NULL, "'%s' is damaged: its set of cpus is empty or endless",
                    in->reading->name);
        return false;
    }
    if (hwloc_bitmap_last(complete) > (int)IDS_LIMIT) {
        trouble_set(in->trouble, NM_host_too_large, NULL, "'%s' has cpu %d, numac reads up to cpu %u",
                    in->reading->name, hwloc_bitmap_last(complete), IDS_LIMIT);
        return false;
    }
    int listed = hwloc_bitmap_weight(here), described = hwloc_get_nbobjs_by_type(in->topology, HWLOC_OBJ_PU);
    if (in->reading->origin == ORIGIN_SYNTHETIC)
        listed = (int)in->reading->synthetic_cpus;
    if (listed != described) {
        trouble_set(in->trouble, in->reading->origin == ORIGIN_SYNTHETIC ? NM_host_synthetic : NM_host_contradiction,
                    in->reading->origin == ORIGIN_SYNTHETIC ? "give each cpu an index of its own" : NULL,
                    "'%s' counts %d cpus but describes %d different ones", in->reading->name, listed, described);
        return false;
    }
    hwloc_bitmap_t rest = hwloc_bitmap_alloc();
    hwloc_bitmap_and(in->usable, here, allowed);
    in->host->online = ids_from_bitmap(in->arena, in->usable);
    if (!in->host->online->count) {
        hwloc_bitmap_free(rest);
        trouble_set(in->trouble, NM_host_contradiction, NULL, "'%s' allows no cpu at all", in->reading->name);
        return false;
    }
    hwloc_bitmap_andnot(rest, complete, here);
    in->host->offline = ids_from_bitmap(in->arena, rest);
    hwloc_bitmap_andnot(rest, here, allowed);
    in->host->disallowed = ids_from_bitmap(in->arena, rest);
    hwloc_bitmap_free(rest);
    return true;
}

/* ---- distances, caches, devices --------------------------------------------------------------------------------- */

/* A file may hold several matrices; the one that numactl shows is of nodes, means latency and covers them all. */
static const struct hwloc_distances_s *is_numa_matrix(hwloc_topology_t topology, struct hwloc_distances_s *matrix,
                                                      const struct host *host, bool must_be_named)
{
    const char *name = hwloc_distances_get_name(topology, matrix);
    if (matrix->nbobjs != host->node_count || !(matrix->kind & HWLOC_DISTANCES_KIND_MEANS_LATENCY))
        return NULL;
    if (must_be_named ? !name || strcmp(name, "NUMALatency") != 0 : name != NULL)
        return NULL;
    for (unsigned i = 0; i < matrix->nbobjs; i++)
        if (!matrix->objs[i] || !host_node(host, matrix->objs[i]->os_index))
            return NULL;
    for (size_t i = 0; i < (size_t)matrix->nbobjs * matrix->nbobjs; i++)
        if (matrix->values[i] > UINT32_MAX || !matrix->values[i])
            return NULL;
    return matrix;
}

static void copy_matrix(struct facts_in *in, const struct hwloc_distances_s *matrix)
{
    struct host *host = in->host;
    uint32_t *distances = arena_array(in->arena, uint32_t, (size_t)host->node_count * host->node_count);
    for (unsigned from = 0; from < matrix->nbobjs; from++)
        for (unsigned to = 0; to < matrix->nbobjs; to++) {
            size_t row = (size_t)(host_node(host, matrix->objs[from]->os_index) - host->nodes);
            size_t column = (size_t)(host_node(host, matrix->objs[to]->os_index) - host->nodes);
            distances[row * host->node_count + column] = (uint32_t)matrix->values[from * matrix->nbobjs + to];
        }
    host->distances = distances;
}

static void take_distances(struct facts_in *in)
{
    unsigned count = 0;
    if (hwloc_distances_get_by_type(in->topology, HWLOC_OBJ_NUMANODE, &count, NULL, 0, 0) != 0 || !count)
        return;
    g_autofree struct hwloc_distances_s **found = g_new0(struct hwloc_distances_s *, count);
    if (hwloc_distances_get_by_type(in->topology, HWLOC_OBJ_NUMANODE, &count, found, 0, 0) != 0)
        return;
    /* files of hwloc before 2.1 have no names in them */
    for (int pass = 0; pass < 2; pass++)
        for (unsigned i = 0; i < count && !in->host->distances; i++)
            if (is_numa_matrix(in->topology, found[i], in->host, pass == 0))
                copy_matrix(in, found[i]);
    for (unsigned i = 0; i < count; i++)
        hwloc_distances_release(in->topology, found[i]);
}

static void take_caches(struct facts_in *in)
{
    g_autoptr(GArray) caches = g_array_new(FALSE, TRUE, sizeof(struct host_cache));
    static const char letters[] = {
        [HWLOC_OBJ_CACHE_UNIFIED] = 'u', [HWLOC_OBJ_CACHE_DATA] = 'd', [HWLOC_OBJ_CACHE_INSTRUCTION] = 'i'
    };
    static const hwloc_obj_type_t types[] = { HWLOC_OBJ_L5CACHE,  HWLOC_OBJ_L4CACHE, HWLOC_OBJ_L3CACHE,
                                              HWLOC_OBJ_L3ICACHE, HWLOC_OBJ_L2CACHE, HWLOC_OBJ_L2ICACHE,
                                              HWLOC_OBJ_L1CACHE,  HWLOC_OBJ_L1ICACHE };
    for (unsigned t = 0; t < G_N_ELEMENTS(types); t++)
        for (hwloc_obj_t object = NULL; (object = hwloc_get_next_obj_by_type(in->topology, types[t], object));) {
            const struct ids *cpus = usable_part(in, object->cpuset);
            unsigned type = (unsigned)object->attr->cache.type;
            if (!cpus->count || caches->len == HOST_THING_LIMIT || object->attr->cache.depth > 9 ||
                type >= sizeof letters)
                continue;
            struct host_cache cache = { .level = object->attr->cache.depth,
                                        .type = letters[type],
                                        .bytes = object->attr->cache.size,
                                        .cpus = cpus };
            g_array_append_val(caches, cache);
        }
    in->host->caches = arena_copy(in->arena, caches->data, caches->len * sizeof(struct host_cache));
    in->host->cache_count = caches->len;
}

static char kind_of_device(hwloc_obj_t pci, hwloc_obj_t named)
{
    unsigned class = pci->attr->pcidev.class_id >> 8;
    if (named && named->attr->osdev.type == HWLOC_OBJ_OSDEV_NETWORK)
        return 'n';
    if (named && named->attr->osdev.type == HWLOC_OBJ_OSDEV_BLOCK)
        return 'b';
    return class == 0x02 ? 'n' : class == 0x01 ? 'b' : class == 0x03 || class == 0x12 ? 'g' : 'o';
}

/* A PCI function can carry several names; those that an admin types are of the network and of disks. */
static hwloc_obj_t name_of_device(hwloc_obj_t pci)
{
    hwloc_obj_t best = NULL;
    for (hwloc_obj_t child = pci->io_first_child; child; child = child->next_sibling) {
        if (child->type != HWLOC_OBJ_OS_DEVICE || !child->name)
            continue;
        bool is_plain =
            child->attr->osdev.type == HWLOC_OBJ_OSDEV_NETWORK || child->attr->osdev.type == HWLOC_OBJ_OSDEV_BLOCK;
        if (is_plain)
            return child;
        best = best ? best : child;
    }
    return best;
}

static const char *sound_text(struct arena *arena, const char *text)
{
    g_autofree char *sound = text ? g_utf8_make_valid(text, (gssize)MIN(strlen(text), 4096)) : NULL;
    return sound ? arena_string(arena, sound, strlen(sound)) : NULL;
}

/* The node of a device: the one whose CPUs are those near the device. */
static uint32_t node_near(struct facts_in *in, hwloc_obj_t pci)
{
    hwloc_obj_t near = hwloc_get_non_io_ancestor_obj(in->topology, pci);
    if (!near || !near->nodeset)
        return NO_INDEX;
    uint32_t found = NO_INDEX;
    unsigned count = 0;
    for (uint32_t i = 0; i < in->host->node_count; i++) {
        const struct host_node *node = &in->host->nodes[i];
        if (!hwloc_bitmap_isset(near->nodeset, node->os_index))
            continue;
        if (node->kind != NODE_DRAM && hwloc_bitmap_weight(near->nodeset) != 1)
            continue;
        found = node->os_index;
        count++;
    }
    return count == 1 ? found : NO_INDEX;
}

static void take_devices(struct facts_in *in)
{
    g_autoptr(GArray) devices = g_array_new(FALSE, TRUE, sizeof(struct host_device));
    for (hwloc_obj_t pci = NULL; (pci = hwloc_get_next_pcidev(in->topology, pci)) && devices->len < HOST_THING_LIMIT;) {
        const struct hwloc_pcidev_attr_s *at = &pci->attr->pcidev;
        hwloc_obj_t near = hwloc_get_non_io_ancestor_obj(in->topology, pci), named = name_of_device(pci);
        struct host_device device = {
            .pci = arena_printf(in->arena, "%04x:%02x:%02x.%x", (unsigned)at->domain, at->bus, at->dev, at->func),
            .name = named ? sound_text(in->arena, named->name) : NULL,
            .kind = kind_of_device(pci, named),
            .node_os_index = node_near(in, pci),
            .cpus = near && near->cpuset ? usable_part(in, near->cpuset) : &ids_none,
        };
        g_array_append_val(devices, device);
    }
    in->host->devices = arena_copy(in->arena, devices->data, devices->len * sizeof(struct host_device));
    in->host->device_count = devices->len;
    in->host->devices_known =
        (in->reading->wants & HOST_DEVICES) && (devices->len || in->reading->origin == ORIGIN_LIVE);
}

static void take_names(struct facts_in *in)
{
    hwloc_obj_t root = hwloc_get_root_obj(in->topology);
    static const char *const machine[] = { "DMIProductName", "PlatformModel", "PlatformName", "DMIBoardName" };
    for (unsigned i = 0; i < G_N_ELEMENTS(machine) && !in->host->machine_name; i++)
        in->host->machine_name = sound_text(in->arena, hwloc_obj_get_info_by_name(root, machine[i]));
    in->host->architecture = sound_text(in->arena, hwloc_obj_get_info_by_name(root, "Architecture"));
    hwloc_obj_t package = hwloc_get_obj_by_type(in->topology, HWLOC_OBJ_PACKAGE, 0);
    in->host->cpu_name = sound_text(in->arena, hwloc_obj_get_info_by_name(package ? package : root, "CPUModel"));
    const char *release = hwloc_obj_get_info_by_name(root, "OSRelease"), *system;
    system = hwloc_obj_get_info_by_name(root, "OSName");
    if (release && (!system || strcmp(system, "Linux") == 0))
        version_parse(release, &in->host->versions[PROGRAM_KERNEL]);
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static bool take_facts(struct facts_in *in)
{
    if (!take_sets(in) || !take_nodes(in))
        return false;
    take_cpus(in);
    take_names(in);
    take_distances(in);
    take_caches(in);
    if (in->reading->root)
        read_kernel_facts(in->arena, in->reading->root, in->host);
    additions_read(in->arena, in->host, in->topology);
    if (in->reading->wants & HOST_PROGRAMS && in->reading->origin == ORIGIN_LIVE)
        read_program_versions(in->host);
    facts_link_nodes(in->host);
    if (in->reading->wants & HOST_ACCESSES)
        memory_attributes_read(in->arena, in->host, in->topology);
    take_devices(in);
    return true;
}

static bool write_recording(struct facts_in *in)
{
    additions_write(in->host, in->topology);
    char *text = NULL;
    int length = 0;
    if (hwloc_topology_export_xmlbuffer(in->topology, &text, &length, 0) != 0) {
        trouble_set(in->trouble, NM_host_not_recordable, NULL, "hwloc cannot write '%s' as XML", in->reading->name);
        return false;
    }
    g_string_append_len(in->reading->recording, text, (gssize)strnlen(text, (size_t)length));
    hwloc_free_xmlbuffer(in->topology, text);
    return true;
}

/* XML that hwloc's reader does not take gets a second chance in plain form.  What is not even XML is told with its
 * line. */
static bool reopen_plain(struct facts_in *in)
{
    g_autoptr(GString) plain = g_string_new(NULL);
    if (!xml_make_plain(in->reading, plain, in->trouble))
        return false;
    struct reading again = *in->reading;
    again.text = plain->str;
    again.length = plain->len;
    hwloc_topology_destroy(in->topology);
    in->topology = NULL;
    return hwloc_topology_init(&in->topology) == 0 && open_topology(in->topology, &again);
}

struct host *read_hwloc(struct arena *arena, const struct reading *reading, struct trouble *trouble)
{
    struct facts_in in = { .arena = arena, .reading = reading, .trouble = trouble };
    if (reading->origin == ORIGIN_FOLDER && !kernel_sets_are_there(reading->root, trouble))
        return NULL;
    settle_environment(reading);
    in.host = arena_take(arena, struct host);
    in.host->online = in.host->offline = in.host->disallowed = &ids_none;
    in.host->isolated = in.host->nohz_full = &ids_none;
    if (hwloc_topology_init(&in.topology) != 0) {
        say_unreadable(reading, trouble);
        return NULL;
    }
    in.usable = hwloc_bitmap_alloc();
    bool is_fine = open_topology(in.topology, reading);
    if (!is_fine && reading->origin == ORIGIN_HWLOC_XML)
        is_fine = reopen_plain(&in);
    if (!is_fine)
        say_unreadable(reading, trouble);
    is_fine = is_fine && take_facts(&in) && (!reading->recording || write_recording(&in));
    hwloc_bitmap_free(in.usable);
    if (in.topology)
        hwloc_topology_destroy(in.topology);
    return is_fine ? in.host : NULL;
}
