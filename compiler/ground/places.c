/* SPDX-License-Identifier: MIT
 *
 * What a set means on a host: "core:0-3.pu:0", "node:1", "pci:0000:41:00.0", "all".  socket, die, cluster, l3, core and
 * pu count from 0 inside each thing that stands before the dot, as hwloc-calc does.
 */
#include "ground/ground.h"

#include <hwloc/bitmap.h>
#include <string.h>

struct view { /* of one set being resolved */
    struct arena *arena;
    struct findings *findings;
    const struct site_host *host;
    struct span span;
    bool has_failed;
};

static bool fail(struct view *view, enum code code, const char *help, const char *format, ...) G_GNUC_PRINTF(4, 5);
static bool fail(struct view *view, enum code code, const char *help, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    struct finding *finding = report(view->findings, code, view->span, "%s", text);
    finding_help(view->findings, finding, "%s", help);
    view->has_failed = true;
    return false;
}

/* ---- steps that count: which CPUs (by position in facts->cpus) ---------------------------------------------------- */

static const char *step_word(enum step_kind kind)
{
    static const char *const words[STEP_KINDS] = { [STEP_NODE] = "node", [STEP_CPU] = "cpu", [STEP_SOCKET] = "socket",
        [STEP_DIE] = "die", [STEP_CLUSTER] = "cluster", [STEP_L3] = "l3", [STEP_CORE] = "core", [STEP_PU] = "pu",
        [STEP_CPUKIND] = "cpukind", [STEP_PCI] = "pci", [STEP_NETDEV] = "netdev", [STEP_BLOCK] = "block",
        [STEP_DEVICE] = "device", [STEP_TIER] = "tier" };
    return words[kind];
}

static uint32_t level_of(const struct host_cpu *cpu, enum step_kind kind)
{
    if (kind == STEP_SOCKET)
        return cpu->package;
    if (kind == STEP_DIE)
        return cpu->die;
    if (kind == STEP_CLUSTER)
        return cpu->cluster;
    if (kind == STEP_L3)
        return cpu->l3;
    if (kind == STEP_CORE)
        return cpu->core;
    if (kind == STEP_CPUKIND)
        return cpu->kind;
    return cpu->os_index; /* pu: each a thing of its own */
}

static int by_logical_order(const void *left, const void *right, void *cpus_pointer)
{
    const struct host_cpu *cpus = cpus_pointer;
    uint32_t a = cpus[*(const uint32_t *)left].order, b = cpus[*(const uint32_t *)right].order;
    return a < b ? -1 : a > b;
}

/* Members of a scope in logical order, which also puts the things they belong to in order of their first CPU. */
static GArray *ordered(const struct host *facts, hwloc_const_bitmap_t scope)
{
    GArray *members = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (int i = hwloc_bitmap_first(scope); i >= 0; i = hwloc_bitmap_next(scope, i)) {
        uint32_t position = (uint32_t)i;
        g_array_append_val(members, position);
    }
    g_array_sort_with_data(members, by_logical_order, facts->cpus);
    return members;
}

/* Adds each selected thing inside `scope` to `out` as a scope of its own. */
static bool count_step(struct view *view, const struct place_step *step, hwloc_const_bitmap_t scope, GPtrArray *out)
{
    const struct host *facts = view->host->facts;
    GArray *members = ordered(facts, scope);
    GHashTable *things = g_hash_table_new(g_direct_hash, g_direct_equal); /* level to position + 1 */
    uint32_t count = 0;
    bool known = true;
    guint first_out = out->len;
    for (guint i = 0; known && i < members->len; i++) {
        uint32_t cpu = g_array_index(members, uint32_t, i), level = level_of(&facts->cpus[cpu], step->kind);
        known = level != NO_INDEX;
        uint32_t position = GPOINTER_TO_UINT(g_hash_table_lookup(things, GUINT_TO_POINTER(level)));
        if (known && !position) {
            position = ++count;
            g_hash_table_insert(things, GUINT_TO_POINTER(level), GUINT_TO_POINTER(position));
            if (step->is_all || (position - 1 >= step->first && position - 1 <= step->last))
                g_ptr_array_add(out, hwloc_bitmap_alloc());
        }
        if (known && (step->is_all || (position - 1 >= step->first && position - 1 <= step->last)))
            hwloc_bitmap_set(g_ptr_array_index(out, first_out + position - 1 - (step->is_all ? 0 : step->first)), cpu);
    }
    g_hash_table_destroy(things);
    g_array_free(members, TRUE);
    if (!known)
        return fail(view, NM_place_not_known, "name CPUs or nodes by number, or record the host with 'numac host record'",
                    "the source of host '%s' does not tell '%s'", view->host->name, step_word(step->kind));
    if (!step->is_all && step->last >= count) {
        g_autofree char *help = count ? g_strdup_printf("there are %u, counted from 0 to %u", count, count - 1) : g_strdup("there is none");
        return fail(view, NM_place_not_on_host, help, "host '%s' has no '%s:%u' there", view->host->name, step_word(step->kind), step->last);
    }
    return true;
}

/* node: and cpu: are OS indexes. */
static bool index_step(struct view *view, const struct place_step *step, hwloc_const_bitmap_t scope, GPtrArray *out)
{
    const struct host *facts = view->host->facts;
    hwloc_bitmap_t chosen = hwloc_bitmap_alloc();
    bool found_last = step->is_all;
    for (int i = hwloc_bitmap_first(scope); i >= 0; i = hwloc_bitmap_next(scope, i)) {
        const struct host_cpu *cpu = &facts->cpus[i];
        if (step->kind == STEP_CPU) {
            if (step->is_all || (cpu->os_index >= step->first && cpu->os_index <= step->last))
                hwloc_bitmap_set(chosen, (unsigned)i);
            found_last |= cpu->os_index == step->last;
            continue;
        }
        for (uint32_t n = 0; n < facts->node_count; n++) {
            const struct host_node *node = &facts->nodes[n];
            if ((step->is_all || (node->os_index >= step->first && node->os_index <= step->last)) && ids_contains(node->cpus, cpu->os_index))
                hwloc_bitmap_set(chosen, (unsigned)i);
        }
    }
    if (step->kind == STEP_NODE)
        found_last |= host_node(facts, step->last) != NULL;
    g_ptr_array_add(out, chosen);
    return found_last || fail(view, NM_place_not_on_host, "see 'numac host show'", "host '%s' has no '%s:%u' there", view->host->name, step_word(step->kind), step->last);
}

static const struct host_device *find_device(const struct host *facts, const struct place_step *step)
{
    for (uint32_t i = 0; i < facts->device_count; i++) {
        const struct host_device *device = &facts->devices[i];
        bool by_name = step->kind != STEP_PCI && device->name && strcmp(device->name, step->name) == 0;
        bool by_address = step->kind != STEP_NETDEV && step->kind != STEP_BLOCK && device->pci && g_ascii_strcasecmp(device->pci, step->name) == 0;
        if (by_name || by_address)
            return device;
    }
    return NULL;
}

static const struct host_device *device_of(struct view *view, const struct place_step *step)
{
    const struct host *facts = view->host->facts;
    const struct host_device *device = find_device(facts, step);
    if (!device && !facts->devices_known)
        fail(view, NM_place_not_known, "name the node by number, or record the host with 'numac host record'", "the source of host '%s' does not tell devices", view->host->name);
    else if (!device)
        fail(view, NM_place_not_on_host, "'numac host show' lists the devices", "host '%s' has no device '%s'", view->host->name, step->name);
    return device;
}

static bool named_step(struct view *view, const struct place_step *step, hwloc_const_bitmap_t scope, GPtrArray *out)
{
    const struct host *facts = view->host->facts;
    hwloc_bitmap_t chosen = hwloc_bitmap_alloc();
    g_ptr_array_add(out, chosen);
    const struct host_device *device = step->kind == STEP_TIER ? NULL : device_of(view, step);
    if (step->kind != STEP_TIER && !device)
        return false;
    for (int i = hwloc_bitmap_first(scope); i >= 0; i = hwloc_bitmap_next(scope, i)) {
        uint32_t os_index = facts->cpus[i].os_index;
        bool near = device && ids_contains(device->cpus, os_index);
        for (uint32_t n = 0; !device && n < facts->node_count; n++)
            near |= strcmp(node_kind_word(facts->nodes[n].kind), step->name) == 0 && ids_contains(facts->nodes[n].cpus, os_index);
        if (near)
            hwloc_bitmap_set(chosen, (unsigned)i);
    }
    return true;
}

static bool take_step(struct view *view, const struct place_step *step, hwloc_const_bitmap_t scope, GPtrArray *out)
{
    if (step->kind == STEP_NODE || step->kind == STEP_CPU)
        return index_step(view, step, scope, out);
    if (step->kind >= STEP_PCI)
        return named_step(view, step, scope, out);
    return count_step(view, step, scope, out);
}

static void free_bitmap(void *bitmap)
{
    hwloc_bitmap_free(bitmap);
}

/* The CPUs of a place, as OS indexes, into `out`. */
static bool place_cpus(struct view *view, const struct set_term *term, hwloc_bitmap_t out)
{
    const struct host *facts = view->host->facts;
    GPtrArray *scopes = g_ptr_array_new_with_free_func(free_bitmap);
    hwloc_bitmap_t all = hwloc_bitmap_alloc();
    if (facts->cpu_count)
        hwloc_bitmap_set_range(all, 0, (int)facts->cpu_count - 1);
    g_ptr_array_add(scopes, all);
    bool fine = true;
    for (uint32_t s = 0; fine && s < term->step_count; s++) {
        GPtrArray *narrower = g_ptr_array_new_with_free_func(free_bitmap);
        for (guint i = 0; fine && i < scopes->len; i++)
            fine = take_step(view, &term->steps[s], g_ptr_array_index(scopes, i), narrower);
        g_ptr_array_free(scopes, TRUE);
        scopes = narrower;
    }
    for (guint i = 0; fine && i < scopes->len; i++) {
        hwloc_const_bitmap_t scope = g_ptr_array_index(scopes, i);
        for (int cpu = hwloc_bitmap_first(scope); cpu >= 0; cpu = hwloc_bitmap_next(scope, cpu))
            hwloc_bitmap_set(out, facts->cpus[cpu].os_index);
    }
    g_ptr_array_free(scopes, TRUE);
    return fine;
}

/* ---- nodes of a place ----------------------------------------------------------------------------------------------- */

static bool place_nodes(struct view *view, const struct set_term *term, hwloc_bitmap_t out)
{
    const struct host *facts = view->host->facts;
    const struct place_step *first = &term->steps[0];
    if (term->step_count == 1 && first->kind == STEP_NODE && !first->is_all) {
        hwloc_bitmap_set_range(out, first->first, (int)first->last);
        return true;
    }
    if (term->step_count == 1 && first->kind == STEP_TIER) {
        for (uint32_t n = 0; n < facts->node_count; n++)
            if (strcmp(node_kind_word(facts->nodes[n].kind), first->name) == 0)
                hwloc_bitmap_set(out, facts->nodes[n].os_index);
        return !hwloc_bitmap_iszero(out) || fail(view, NM_place_not_on_host, "'numac host show' lists the nodes and their kinds", "host '%s' has no '%s' node", view->host->name, first->name);
    }
    if (term->step_count == 1 && first->kind >= STEP_PCI) {
        const struct host_device *device = device_of(view, first);
        if (device && device->node_os_index != NO_INDEX) {
            hwloc_bitmap_set(out, device->node_os_index);
            return true;
        }
        return device && fail(view, NM_place_not_known, "name the node by number", "the source of host '%s' does not tell the node of '%s'", view->host->name, first->name);
    }
    hwloc_bitmap_t cpus = hwloc_bitmap_alloc();
    bool fine = place_cpus(view, term, cpus);
    for (int cpu = hwloc_bitmap_first(cpus); fine && cpu >= 0; cpu = hwloc_bitmap_next(cpus, cpu))
        hwloc_bitmap_set(out, facts->nodes[host_cpu(facts, (uint32_t)cpu)->node_index].os_index);
    hwloc_bitmap_free(cpus);
    return fine;
}

static void all_nodes(const struct host *facts, hwloc_bitmap_t out)
{
    for (uint32_t n = 0; n < facts->node_count; n++)
        if (facts->nodes[n].is_allowed && !(facts->nodes[n].memory_bytes.known && facts->nodes[n].memory_bytes.value == 0))
            hwloc_bitmap_set(out, facts->nodes[n].os_index);
}

/* ---- sets --------------------------------------------------------------------------------------------------------------- */

static bool term_on_host(struct view *view, const struct set_term *term, const struct ids *parent, bool wants_nodes, hwloc_bitmap_t out)
{
    if (term->kind == TERM_RANGE)
        hwloc_bitmap_set_range(out, term->first, (int)term->last);
    else if (term->kind == TERM_PLACE)
        return wants_nodes ? place_nodes(view, term, out) : place_cpus(view, term, out);
    else if (wants_nodes)
        all_nodes(view->host->facts, out);
    else
        ids_add_to_bitmap(parent ? parent : view->host->open, out);
    return true;
}

static const struct ids *on_host(struct view *view, const struct set *set, const struct ids *parent, bool wants_nodes)
{
    if (set->plain)
        return set->plain;
    if (!view->host || !view->host->facts) {
        if (!view->host)
            fail(view, NM_needs_host, "declare a host, or give one: --host NAME=SOURCE; or write plain numbers", "'%s' has a meaning only on a host, and the site has none", set->text);
        return NULL;
    }
    hwloc_bitmap_t result = hwloc_bitmap_alloc(), term = hwloc_bitmap_alloc();
    for (uint32_t i = 0; !view->has_failed && i < set->term_count; i++) {
        hwloc_bitmap_zero(term);
        if (!term_on_host(view, &set->terms[i], parent, wants_nodes, term))
            break;
        if (set->terms[i].is_excluded)
            hwloc_bitmap_andnot(result, result, term);
        else
            hwloc_bitmap_or(result, result, term);
    }
    const struct ids *ids = NULL;
    if (!view->has_failed && hwloc_bitmap_iszero(result))
        fail(view, NM_empty_set, "name at least one that the host has", "'%s' is nothing on host '%s'", set->text, view->host->name);
    else if (!view->has_failed)
        ids = ids_from_bitmap(view->arena, result);
    hwloc_bitmap_free(result);
    hwloc_bitmap_free(term);
    return ids;
}

const struct ids *cpus_on_host(struct arena *arena, struct findings *findings, const struct site_host *host,
                               const struct set *set, const struct ids *parent, struct span span)
{
    struct view view = { .arena = arena, .findings = findings, .host = host, .span = span };
    return on_host(&view, set, parent, false);
}

const struct ids *nodes_on_host(struct arena *arena, struct findings *findings, const struct site_host *host,
                                const struct set *set, struct span span)
{
    struct view view = { .arena = arena, .findings = findings, .host = host, .span = span };
    return on_host(&view, set, NULL, true);
}

const struct ids *cpus_of_nodes(struct arena *arena, const struct host *facts, const struct ids *nodes)
{
    if (ids_size(nodes) == 1) {
        const struct host_node *node = host_node(facts, ids_first(nodes));
        return node ? node->cpus : &ids_none;
    }
    hwloc_bitmap_t cpus = hwloc_bitmap_alloc();
    for (uint32_t n = 0; n < facts->node_count; n++)
        if (ids_contains(nodes, facts->nodes[n].os_index))
            ids_add_to_bitmap(facts->nodes[n].cpus, cpus);
    const struct ids *result = ids_from_bitmap(arena, cpus);
    hwloc_bitmap_free(cpus);
    return result;
}

const struct ids *nodes_of_cpus(struct arena *arena, const struct host *facts, const struct ids *cpus)
{
    hwloc_bitmap_t nodes = hwloc_bitmap_alloc();
    for (ids_each(cpus, cpu)) {
        const struct host_cpu *found = host_cpu(facts, cpu);
        if (found)
            hwloc_bitmap_set(nodes, facts->nodes[found->node_index].os_index);
    }
    const struct ids *result = ids_from_bitmap(arena, nodes);
    hwloc_bitmap_free(nodes);
    return result;
}
