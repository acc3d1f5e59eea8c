/* SPDX-License-Identifier: MIT
 *
 * What a set means on a host: "core:0-3.pu:0", "node:1", "pci:0000:41:00.0", "all".  socket, die, cluster, l3, core and
 * pu count from 0 inside each thing that stands before the dot, as hwloc-calc does.
 */
#include "ground/ground.h"

#include <hwloc/bitmap.h>
#include <string.h>

/* Parts of the host, each its CPUs by position in logical order.  No CPU is in two of them. */
struct scopes {
    uint32_t *cpus, *ends; /* ends: of each scope, in cpus */
    uint32_t count, room;
};

struct view { /* of one set being resolved */
    struct arena *arena;
    struct findings *findings;
    const struct site_host *host;
    struct span span;
    bool has_failed;
    struct scopes whole; /* all of the host; made for the first place */
    uint32_t *seats;     /* by number of a thing; 0 between steps */
    uint32_t seat_count;
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

/* ---- steps that count: which CPUs (by position in facts->cpus) -------------------------------------------------- */

static const char *step_word(enum step_kind kind)
{
    static const char *const words[STEP_KINDS] = {
        [STEP_NODE] = "node",       [STEP_CPU] = "cpu",  [STEP_SOCKET] = "socket", [STEP_DIE] = "die",
        [STEP_CLUSTER] = "cluster", [STEP_L3] = "l3",    [STEP_CORE] = "core",     [STEP_PU] = "pu",
        [STEP_CPUKIND] = "cpukind", [STEP_PCI] = "pci",  [STEP_NETDEV] = "netdev", [STEP_BLOCK] = "block",
        [STEP_DEVICE] = "device",   [STEP_TIER] = "tier"
    };
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

static struct scopes scopes_new(uint32_t room)
{
    return (struct scopes){ .cpus = g_new(uint32_t, (size_t)room + 1),
                            .ends = g_new(uint32_t, (size_t)room + 1),
                            .room = room };
}

static void scopes_free(struct scopes *scopes)
{
    g_free(scopes->cpus);
    g_free(scopes->ends);
}

static uint32_t scope_begin(const struct scopes *scopes, uint32_t index)
{
    return index ? scopes->ends[index - 1] : 0;
}

static int by_logical_order(const void *left, const void *right, void *cpus_pointer)
{
    const struct host_cpu *cpus = cpus_pointer;
    uint32_t a = cpus[*(const uint32_t *)left].order, b = cpus[*(const uint32_t *)right].order;
    return a < b ? -1 : a > b;
}

static struct scopes whole_host(const struct host *facts)
{
    struct scopes whole = scopes_new(MAX(facts->cpu_count, 1));
    for (uint32_t i = 0; i < facts->cpu_count; i++)
        whole.cpus[i] = i;
    g_qsort_with_data(whole.cpus, (gint)facts->cpu_count, sizeof *whole.cpus, by_logical_order, facts->cpus);
    whole.ends[whole.count++] = facts->cpu_count;
    return whole;
}

/* The things of one level in a scope, counted as they come: seat + 1 of each by its number, and back to 0 after. */
static bool seat_things(struct view *view, const struct place_step *step, const uint32_t *cpus, uint32_t cpu_count,
                        uint32_t *out_count)
{
    const struct host_cpu *all = view->host->facts->cpus;
    *out_count = 0;
    for (uint32_t i = 0; i < cpu_count; i++) {
        uint32_t level = level_of(&all[cpus[i]], step->kind);
        if (level == NO_INDEX)
            return false;
        uint32_t *seat = &view->seats[MIN(level, view->seat_count - 1)];
        if (!*seat)
            *seat = ++*out_count;
    }
    return true;
}

/* Adds each selected thing inside a scope to `out` as a scope of its own. */
static void add_things(struct view *view, const struct place_step *step, const uint32_t *cpus, uint32_t cpu_count,
                       uint32_t first, uint32_t last, struct scopes *out)
{
    const struct host_cpu *all = view->host->facts->cpus;
    uint32_t begin = scope_begin(out, out->count), *ends = out->ends + out->count, things = last - first + 1;
    memset(ends, 0, things * sizeof *ends);
    for (int pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < cpu_count; i++) {
            uint32_t seat = view->seats[MIN(level_of(&all[cpus[i]], step->kind), view->seat_count - 1)] - 1;
            if (seat < first || seat > last)
                continue;
            if (pass)
                out->cpus[ends[seat - first]] = cpus[i];
            ends[seat - first]++;
        }
        for (uint32_t t = 0, at = begin; !pass && t < things; t++) { /* sizes become beginnings, which grow to ends */
            uint32_t size = ends[t];
            ends[t] = at;
            at += size;
        }
    }
    out->count += things;
}

static bool count_step(struct view *view, const struct place_step *step, const uint32_t *cpus, uint32_t cpu_count,
                       struct scopes *out)
{
    const struct host_cpu *all = view->host->facts->cpus;
    uint32_t count;
    bool known = seat_things(view, step, cpus, cpu_count, &count);
    bool is_there = step->is_all || step->last < count;
    if (known && is_there && count)
        add_things(view, step, cpus, cpu_count, step->is_all ? 0 : step->first, step->is_all ? count - 1 : step->last,
                   out);
    for (uint32_t i = 0; i < cpu_count; i++)
        view->seats[MIN(level_of(&all[cpus[i]], step->kind), view->seat_count - 1)] = 0;
    if (!known)
        return fail(view, NM_place_not_known,
                    "name CPUs or nodes by number, or record the host with 'numac host record'",
                    "the source of host '%s' does not tell '%s'", view->host->name, step_word(step->kind));
    if (!is_there) {
        g_autofree char *help =
            count ? g_strdup_printf("there are %u, counted from 0 to %u", count, count - 1) : g_strdup("there is none");
        return fail(view, NM_place_not_on_host, help, "host '%s' has no '%s:%u' there", view->host->name,
                    step_word(step->kind), step->last);
    }
    return true;
}

/* Adds the CPUs of a scope that are in a set of OS indexes to `out` as one scope. */
static void add_chosen(struct view *view, hwloc_const_bitmap_t chosen, const uint32_t *cpus, uint32_t cpu_count,
                       struct scopes *out)
{
    uint32_t at = scope_begin(out, out->count);
    for (uint32_t i = 0; i < cpu_count; i++)
        if (hwloc_bitmap_isset(chosen, view->host->facts->cpus[cpus[i]].os_index))
            out->cpus[at++] = cpus[i];
    out->ends[out->count++] = at;
}

/* node: and cpu: are OS indexes. */
static bool index_step(struct view *view, const struct place_step *step, const uint32_t *cpus, uint32_t cpu_count,
                       struct scopes *out)
{
    const struct host *facts = view->host->facts;
    hwloc_bitmap_t chosen = hwloc_bitmap_alloc();
    bool found_last = step->is_all;
    if (step->kind == STEP_CPU) {
        if (step->is_all)
            hwloc_bitmap_fill(chosen);
        else
            hwloc_bitmap_set_range(chosen, step->first, (int)step->last);
        for (uint32_t i = 0; i < cpu_count && !found_last; i++)
            found_last = facts->cpus[cpus[i]].os_index == step->last;
    } else {
        for (uint32_t n = 0; n < facts->node_count; n++)
            if (step->is_all || (facts->nodes[n].os_index >= step->first && facts->nodes[n].os_index <= step->last))
                ids_add_to_bitmap(facts->nodes[n].cpus, chosen);
        found_last |= host_node(facts, step->last) != NULL;
    }
    add_chosen(view, chosen, cpus, cpu_count, out);
    hwloc_bitmap_free(chosen);
    return found_last || fail(view, NM_place_not_on_host, "see 'numac host show'", "host '%s' has no '%s:%u' there",
                              view->host->name, step_word(step->kind), step->last);
}

static const struct host_device *find_device(const struct site_host *host, const struct place_step *step)
{
    const struct host *facts = host->facts;
    const char *declared = step->kind == STEP_DEVICE ? device_address(host, step->name, NULL) : NULL;
    if (declared)
        return device_at(host, declared);
    for (uint32_t i = 0; i < facts->device_count; i++) {
        const struct host_device *device = &facts->devices[i];
        bool by_name = step->kind != STEP_PCI && device->name && strcmp(device->name, step->name) == 0;
        bool by_address = step->kind != STEP_NETDEV && step->kind != STEP_BLOCK && device->pci &&
                          g_ascii_strcasecmp(device->pci, step->name) == 0;
        if (by_name || by_address)
            return device;
    }
    return NULL;
}

static const struct host_device *device_of(struct view *view, const struct place_step *step)
{
    const struct host *facts = view->host->facts;
    const struct host_device *device = find_device(view->host, step);
    if (!device && !facts->devices_known)
        fail(view, NM_place_not_known, "name the node by number, or record the host with 'numac host record'",
             "the source of host '%s' does not tell devices", view->host->name);
    else if (!device)
        fail(view, NM_place_not_on_host, "'numac host show' lists the devices", "host '%s' has no device '%s'",
             view->host->name, step->name);
    return device;
}

static bool named_step(struct view *view, const struct place_step *step, const uint32_t *cpus, uint32_t cpu_count,
                       struct scopes *out)
{
    const struct host *facts = view->host->facts;
    const struct host_device *device = step->kind == STEP_TIER ? NULL : device_of(view, step);
    if (step->kind != STEP_TIER && !device)
        return false;
    hwloc_bitmap_t chosen = hwloc_bitmap_alloc();
    if (device)
        ids_add_to_bitmap(device->cpus, chosen);
    for (uint32_t n = 0; !device && n < facts->node_count; n++)
        if (strcmp(node_kind_word(facts->nodes[n].kind), step->name) == 0)
            ids_add_to_bitmap(facts->nodes[n].cpus, chosen);
    add_chosen(view, chosen, cpus, cpu_count, out);
    hwloc_bitmap_free(chosen);
    return true;
}

static bool take_step(struct view *view, const struct place_step *step, const uint32_t *cpus, uint32_t cpu_count,
                      struct scopes *out)
{
    if (step->kind == STEP_NODE || step->kind == STEP_CPU)
        return index_step(view, step, cpus, cpu_count, out);
    if (step->kind >= STEP_PCI)
        return named_step(view, step, cpus, cpu_count, out);
    return count_step(view, step, cpus, cpu_count, out);
}

/* The CPUs of a place, as OS indexes, into `out`. */
static bool place_cpus(struct view *view, const struct set_term *term, hwloc_bitmap_t out)
{
    const struct host *facts = view->host->facts;
    if (!view->whole.cpus) {
        view->whole = whole_host(facts);
        view->seat_count = facts->online->count ? ids_last(facts->online) + 1 : 1;
        view->seats = g_new0(uint32_t, view->seat_count);
    }
    struct scopes scopes = view->whole;
    bool fine = true;
    for (uint32_t s = 0; fine && s < term->step_count; s++) {
        struct scopes narrower = scopes_new(scopes.room);
        for (uint32_t i = 0, begin = 0; fine && i < scopes.count; begin = scopes.ends[i++])
            fine = take_step(view, &term->steps[s], scopes.cpus + begin, scopes.ends[i] - begin, &narrower);
        if (s)
            scopes_free(&scopes);
        scopes = narrower;
    }
    for (uint32_t i = 0; fine && i < scope_begin(&scopes, scopes.count); i++)
        hwloc_bitmap_set(out, facts->cpus[scopes.cpus[i]].os_index);
    if (term->step_count)
        scopes_free(&scopes);
    return fine;
}

/* ---- nodes of a place ------------------------------------------------------------------------------------------- */

static bool place_nodes(struct view *view, const struct set_term *term, hwloc_bitmap_t out)
{
    const struct host *facts = view->host->facts;
    const struct place_step *first = &term->steps[0];
    if (term->step_count == 1 && first->kind == STEP_NODE && !first->is_all) {
        hwloc_bitmap_set_range(out, first->first, (int)first->last);
        return host_node(facts, first->last) || fail(view, NM_place_not_on_host, "see 'numac host show'",
                                                     "host '%s' has no 'node:%u' there", view->host->name, first->last);
    }
    if (term->step_count == 1 && first->kind == STEP_TIER) {
        for (uint32_t n = 0; n < facts->node_count; n++)
            if (strcmp(node_kind_word(facts->nodes[n].kind), first->name) == 0)
                hwloc_bitmap_set(out, facts->nodes[n].os_index);
        return !hwloc_bitmap_iszero(out) ||
               fail(view, NM_place_not_on_host, "'numac host show' lists the nodes and their kinds",
                    "host '%s' has no '%s' node", view->host->name, first->name);
    }
    if (term->step_count == 1 && first->kind >= STEP_PCI) {
        const struct host_device *device = device_of(view, first);
        if (device && device->node_os_index != NO_INDEX) {
            hwloc_bitmap_set(out, device->node_os_index);
            return true;
        }
        return device && fail(view, NM_place_not_known, "name the node by number",
                              "the source of host '%s' does not tell the node of '%s'", view->host->name, first->name);
    }
    hwloc_bitmap_t cpus = hwloc_bitmap_alloc();
    bool fine = place_cpus(view, term, cpus);
    for (int cpu = hwloc_bitmap_first(cpus); fine && cpu >= 0; cpu = hwloc_bitmap_next(cpus, cpu)) {
        uint32_t node = host_cpu(facts, (uint32_t)cpu)->node_index;
        if (node != NO_INDEX) /* a CPU may be of no node */
            hwloc_bitmap_set(out, facts->nodes[node].os_index);
    }
    hwloc_bitmap_free(cpus);
    return fine;
}

static void all_nodes(const struct host *facts, hwloc_bitmap_t out)
{
    for (uint32_t n = 0; n < facts->node_count; n++)
        if (facts->nodes[n].is_allowed &&
            !(facts->nodes[n].memory_bytes.known && facts->nodes[n].memory_bytes.value == 0))
            hwloc_bitmap_set(out, facts->nodes[n].os_index);
}

/* ---- sets ------------------------------------------------------------------------------------------------------- */

static bool term_on_host(struct view *view, const struct set_term *term, const struct ids *parent, bool wants_nodes,
                         hwloc_bitmap_t out)
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

/* Instances of a guest, and guests of a profile, ask for the same few sets again and again. */
struct known_set {
    const struct set *set;
    const struct ids *parent, *ids;
    bool wants_nodes;
    struct known_set *next;
};

struct place_memo {
    struct arena *arena;         /* of the run: those who ask may have one that ends before */
    struct known_set *sets[256]; /* by address of the set */
};

struct place_memo *place_memo_new(struct arena *arena)
{
    struct place_memo *memo = arena_take(arena, struct place_memo);
    memo->arena = arena;
    return memo;
}

static struct known_set **known_sets(const struct site_host *host, const struct set *set)
{
    return &host->memo->sets[((uintptr_t)set >> 4) % G_N_ELEMENTS(host->memo->sets)];
}

static const struct ids *known_ids(const struct site_host *host, const struct set *set, const struct ids *parent,
                                   bool wants_nodes)
{
    for (const struct known_set *known = host->memo ? *known_sets(host, set) : NULL; known; known = known->next)
        if (known->set == set && known->parent == parent && known->wants_nodes == wants_nodes)
            return known->ids;
    return NULL;
}

static const struct ids *remember(struct view *view, const struct set *set, const struct ids *parent, bool wants_nodes,
                                  hwloc_const_bitmap_t result)
{
    if (!view->host->memo)
        return ids_from_bitmap(view->arena, result);
    struct arena *arena = view->host->memo->arena;
    struct known_set **first = known_sets(view->host, set), *known = arena_take(arena, struct known_set);
    *known = (struct known_set){
        .set = set, .parent = parent, .ids = ids_from_bitmap(arena, result), .wants_nodes = wants_nodes, .next = *first
    };
    *first = known;
    return known->ids;
}

static const struct ids *on_host(struct view *view, const struct set *set, const struct ids *parent, bool wants_nodes)
{
    if (set->plain)
        return set->plain;
    if (!view->host || !view->host->facts) {
        if (!view->host)
            fail(view, NM_needs_host, "declare a host, or give one: --host NAME=SOURCE; or write plain numbers",
                 "'%s' has a meaning only on a host, and the site has none", set->text);
        return NULL;
    }
    const struct ids *known = known_ids(view->host, set, parent, wants_nodes);
    if (known)
        return known;
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
        fail(view, NM_empty_set, "name at least one that the host has", "'%s' is nothing on host '%s'", set->text,
             view->host->name);
    else if (!view->has_failed)
        ids = remember(view, set, parent, wants_nodes, result);
    scopes_free(&view->whole);
    g_free(view->seats);
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

const struct ids *numbers_of_set(struct arena *arena, const struct set *set)
{
    if (set->plain)
        return set->plain;
    hwloc_bitmap_t numbers = hwloc_bitmap_alloc();
    for (uint32_t i = 0; i < set->term_count; i++)
        if (set->terms[i].kind == TERM_RANGE && !set->terms[i].is_excluded)
            hwloc_bitmap_set_range(numbers, set->terms[i].first, (int)set->terms[i].last);
        else if (set->terms[i].kind == TERM_RANGE)
            hwloc_bitmap_clr_range(numbers, set->terms[i].first, (int)set->terms[i].last);
    const struct ids *result = ids_from_bitmap(arena, numbers);
    hwloc_bitmap_free(numbers);
    return result;
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
        if (found && found->node_index != NO_INDEX)
            hwloc_bitmap_set(nodes, facts->nodes[found->node_index].os_index);
    }
    const struct ids *result = ids_from_bitmap(arena, nodes);
    hwloc_bitmap_free(nodes);
    return result;
}
