/* SPDX-License-Identifier: MIT
 *
 * Rules about where the memory of a guest comes from: nodes, policies, fallbacks, locks.  The kernel takes a mask of
 * nodes when one of them is there, so most of these mistakes start without a word.  Whether the memory fits is told by
 * placement.
 */
#include "check/subject.h"

#include "ground/features.h"

enum { NODE_LIMIT = 128 }; /* QEMU: MAX_NODES holds for host-nodes too */

/* ---- as declared: fallbacks ------------------------------------------------------------------------------------- */

/* Cells that take the word from their guest would repeat its mistake: only the first who says it is looked at. */
static bool says_itself(const struct guest *guest, uint32_t cell, enum word_id word)
{
    if (cell < guest->cell_count && is_said(&guest->cells[cell].said, word))
        return true;
    return cell == 0 && is_said(&guest->said, word);
}

static void fallbacks_go_with_strict_nodes(const struct check *check, const struct guest *guest)
{
    for (uint32_t c = 0; c < blocks_of(guest); c++) {
        const struct locality *locality = locality_of(guest, c);
        if (!cell_has_word(guest, c, W_NODE_FALLBACK) || !says_itself(guest, c, W_NODE_FALLBACK) ||
            cell_word_failed(guest, c, W_NODE_FALLBACK) || cell_word_failed(guest, c, W_NODE))
            continue;
        struct span span = cell_word(guest, c, W_NODE_FALLBACK, 0);
        if (locality->policy != POLICY_WORD_STRICT) {
            struct finding *finding =
                report(check->findings, NM_fallback_policy, span, "'fallback' stands behind '%s', which never fails",
                       memory_policy_word((enum memory_policy)locality->policy));
            finding_label(check->findings, finding, cell_word(guest, c, W_NODE, 2), "not strict");
            finding_help(check->findings, finding, "remove 'fallback', or the policy: strict is the default");
        } else if (!locality->nodes) {
            struct finding *finding =
                report(check->findings, NM_fallback_of_auto, span, "'fallback' has no nodes to fall back from");
            finding_note(check->findings, finding, "'node auto' tries every node of the host by itself");
            finding_help(check->findings, finding, "write the node to try first: 'node 0 { fallback 1 }'");
        }
    }
}

static void fallbacks_are_new(const struct check *check, const struct guest *guest)
{
    for (uint32_t c = 0; c < blocks_of(guest); c++) {
        const struct locality *locality = locality_of(guest, c);
        const struct set *const *sets = locality->fallback.items;
        if (!cell_has_word(guest, c, W_NODE_FALLBACK) || !says_itself(guest, c, W_NODE_FALLBACK) ||
            cell_word_failed(guest, c, W_NODE_FALLBACK) || !locality->nodes)
            continue;
        uint32_t looked_at = MIN(locality->fallback.count, 64); /* the pairs of a hostile list would take for ever */
        for (uint32_t f = 0; f < looked_at; f++)
            for (uint32_t before = 0; before <= f; before++) {
                const struct set *tried = before ? sets[before - 1] : locality->nodes;
                if (!sets[f]->plain || !tried->plain || !ids_within(sets[f]->plain, tried->plain))
                    continue;
                struct finding *finding =
                    report(check->findings, NM_fallback_repeats, cell_word(guest, c, W_NODE_FALLBACK, f + 1),
                           "falling back to %s is no help where %s had no room", sets[f]->text, tried->text);
                finding_help(check->findings, finding, "remove it, or name other nodes");
                break;
            }
    }
}

/* ---- as declared: locks ----------------------------------------------------------------------------------------- */

static void locked_guests_have_a_limit(const struct check *check, const struct guest *guest)
{
    bool has_limit = is_said(&guest->said, W_LOCKED_HARD_LIMIT);
    if (is_failed(&guest->said, W_GUEST_LOCKED) || is_failed(&guest->said, W_LOCKED_HARD_LIMIT) ||
        guest->locked == has_limit)
        return;
    struct finding *finding;
    if (guest->locked) {
        finding = report(check->findings, NM_locked_without_limit, said_span(&guest->said, W_GUEST_LOCKED, 0),
                         "guest '%s' may lock all memory of its host", guest->name);
        finding_note(
            check->findings, finding,
            "libvirt lifts the limit on locked memory altogether, and a guest that leaks takes the host with it");
        finding_help(check->findings, finding, "add a limit above its memory: 'locked yes { hard-limit 10GiB }'");
        return;
    }
    finding = report(check->findings, NM_limit_without_lock, said_span(&guest->said, W_LOCKED_HARD_LIMIT, 0),
                     "guest '%s' has a limit on its memory and does not lock it", guest->name);
    finding_note(check->findings, finding,
                 "the kernel would kill QEMU at the limit, and nobody knows its overhead beforehand");
    finding_help(check->findings, finding, "write 'locked yes', or remove 'hard-limit'");
}

const struct model_rule policy_rules[] = {
    { .name = "fallbacks-go-with-strict-nodes", .source = "language 7", .run = fallbacks_go_with_strict_nodes },
    { .name = "fallbacks-are-new", .source = "language 7", .run = fallbacks_are_new },
    { .name = "locked-guests-have-a-limit", .source = "peers 109", .run = locked_guests_have_a_limit },
    { 0 }
};

/* ---- the plan: the nodes ---------------------------------------------------------------------------------------- */

static const struct ids *node_numbers(struct arena *arena, const struct host *facts)
{
    uint32_t *numbers = arena_array(arena, uint32_t, facts->node_count);
    for (uint32_t n = 0; n < facts->node_count; n++)
        numbers[n] = facts->nodes[n].os_index;
    return ids_from_sorted(arena, numbers, facts->node_count);
}

struct binding { /* of a cell or memory device to a set of nodes, as somebody said it */
    const struct check *check;
    const struct planned_guest *planned;
    const char *who;
    enum memory_policy policy;
    struct span span;
    const struct ids *nodes;
};

static void report_missing(const struct binding *binding, const char *who, uint32_t number)
{
    const struct check *check = binding->check;
    const struct site_host *host = binding->planned->host;
    struct finding *finding =
        report(check->findings, NM_memory_node_missing, binding->span,
               "the memory of %s is bound to node %u, which host '%s' does not have", who, number, host->name);
    finding_note(
        check->findings, finding,
        "libvirt would refuse at the start; QEMU takes a set when one of its nodes is there, and says nothing");
    finding_help(check->findings, finding, "its nodes are %s",
                 ids_text(check->arena, node_numbers(check->arena, host->facts)));
}

static void report_forbidden(const struct binding *binding, const char *who, uint32_t number)
{
    struct findings *findings = binding->check->findings;
    struct finding *finding = report(findings, NM_memory_node_forbidden, binding->span,
                                     "the memory of %s is bound to node %u, which a cgroup takes away on host '%s'",
                                     who, number, binding->planned->host->name);
    finding_help(findings, finding,
                 "allow the node in cpuset.mems, record the host outside of the cgroup, or name another node");
}

static void report_empty(const struct binding *binding, const char *who, uint32_t number)
{
    struct findings *findings = binding->check->findings;
    struct finding *finding = report(findings, NM_memory_node_empty, binding->span,
                                     "the memory of %s is bound to node %u, which has none", who, number);
    finding_note(findings, finding, "the kernel would take it from somewhere else without a word");
    finding_help(findings, finding, "leave the node out");
}

static void report_number(const struct binding *binding, const char *who, uint32_t number)
{
    struct findings *findings = binding->check->findings;
    struct finding *finding =
        report(findings, NM_memory_node_number, binding->span,
               "the memory of %s is bound to node %u, and QEMU takes numbers below %d", who, number, NODE_LIMIT);
    finding_note(findings, finding, "libvirt would accept the definition; QEMU would refuse to start");
    finding_help(findings, finding, "use a node with a lower number");
}

/* The first wrong node is told: the others of a set are wrong for the same reason. */
static void check_nodes(const struct binding *binding)
{
    const struct host *facts = facts_of(binding->planned);
    bool is_qemus = binding->policy != POLICY_RESTRICTIVE;
    for (ids_each(binding->nodes, number)) {
        const struct host_node *node = facts ? host_node(facts, number) : NULL;
        void (*tell)(const struct binding *binding, const char *who, uint32_t number) = NULL;
        if (facts && !node)
            tell = report_missing;
        else if (node && !node->is_allowed)
            tell = report_forbidden;
        else if (node && node->memory_bytes.known && !node->memory_bytes.value)
            tell = report_empty;
        else if (number >= NODE_LIMIT && is_qemus)
            tell = report_number;
        if (!tell)
            continue;
        tell(binding, binding->who, number);
        return;
    }
}

/* Chosen nodes are right; what can be wrong was said, as the first choice or to fall back to. */
static void nodes_can_hold_memory(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    for (uint32_t c = 0; c < plan->cell_count; c++) {
        const struct locality *locality = locality_of(planned->guest, c);
        const struct set *const *fallback = locality->fallback.items;
        if (!plan->cells[c].nodes || !locality->nodes)
            continue;
        struct binding binding = { .check = check, .planned = planned, .policy = plan->cells[c].policy };
        binding.who = cell_text(check, planned, c);
        binding.span = cell_word(planned->guest, c, W_NODE, 1);
        binding.nodes = locality->nodes->plain ? locality->nodes->plain : plan->cells[c].nodes;
        check_nodes(&binding);
        for (uint32_t f = 0; f < locality->fallback.count; f++) {
            if (!fallback[f]->plain)
                continue;
            binding.span = cell_word(planned->guest, c, W_NODE_FALLBACK, f + 1);
            binding.nodes = fallback[f]->plain;
            check_nodes(&binding);
        }
    }
    for (uint32_t i = 0; i < plan->memory_device_count; i++) {
        const struct memory_device *said = said_memory_device(planned, i);
        const struct plan_memory_device *device = &plan->memory_devices[i];
        struct binding binding = { .check = check, .planned = planned, .policy = device->memory.policy };
        if (!device->memory.nodes || !said->nodes)
            continue;
        binding.who = arena_printf(check->arena, "%s '%s' of guest '%s'", memory_model_word(device->model), said->name,
                                   plan->name);
        binding.span = said_span(&said->said, W_MEMORY_DEVICE_NODE, 1);
        binding.nodes = device->memory.nodes;
        check_nodes(&binding);
    }
}

/* ---- the plan: policies ----------------------------------------------------------------------------------------- */

static void restrictive_cells_stand_alone(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    uint32_t restrictive = NO_INDEX, other = NO_INDEX;
    for (uint32_t c = 0; c < plan->cell_count; c++)
        if (plan->cells[c].nodes)
            *(plan->cells[c].policy == POLICY_RESTRICTIVE ? &restrictive : &other) = c;
    if (restrictive == NO_INDEX)
        return;
    struct span span = cell_word(planned->guest, restrictive, W_NODE, 2);
    struct finding *finding;
    if (other != NO_INDEX) {
        finding = report(check->findings, NM_restrictive_mixed, span,
                         "cell '%s' of guest '%s' is restrictive, and cell '%s' is %s", plan->cells[restrictive].name,
                         plan->name, plan->cells[other].name, memory_policy_word(plan->cells[other].policy));
        finding_label(check->findings, finding, cell_word(planned->guest, other, W_NODE, 1), "bound in another way");
        finding_note(check->findings, finding,
                     "libvirt refuses it since 9.4; before, it depended on which of the two came first");
        finding_help(check->findings, finding, "make all cells restrictive, or none");
    } else if (!plan->has_base) {
        finding = report(check->findings, NM_restrictive_in_qemu, span,
                         "QEMU run without libvirt does not bind the memory of guest '%s'", plan->name);
        finding_note(check->findings, finding,
                     "restrictive is the work of libvirt's cgroup, so that the memory can be moved later");
        finding_help(check->findings, finding, "use the libvirt target, or write 'strict'");
    }
}

static void preferred_is_one_node(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    for (uint32_t c = 0; c < plan->cell_count; c++) {
        const struct plan_cell *cell = &plan->cells[c];
        if (!cell->nodes || cell->policy != POLICY_PREFERRED || ids_size(cell->nodes) < 2 ||
            host_has_feature(planned->programs, FEATURE_PREFERRED_MANY))
            continue;
        struct finding *finding = report(check->findings, NM_preferred_several, cell_word(planned->guest, c, W_NODE, 1),
                                         "of the preferred nodes %s only %u counts",
                                         ids_text(check->arena, cell->nodes), ids_first(cell->nodes));
        finding_note(check->findings, finding,
                     "to have all of them it %s; older programs drop the others without a word",
                     feature_text(check->arena, planned->programs, FEATURE_PREFERRED_MANY));
        finding_help(check->findings, finding, "name one node, or write 'interleave'");
    }
}

static void cells_are_all_bound_or_none(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    uint32_t bound = NO_INDEX, floating = NO_INDEX;
    for (uint32_t c = 0; c < plan->cell_count; c++)
        if (plan->cells[c].memory_bytes)
            *(plan->cells[c].nodes ? &bound : &floating) = c;
    if (bound == NO_INDEX || floating == NO_INDEX)
        return;
    struct finding *finding = report(
        check->findings, NM_cells_half_bound, cell_word(planned->guest, floating, W_NODE, 0),
        "%s is bound to no node, and cell '%s' is", cell_text(check, planned, floating), plan->cells[bound].name);
    finding_label(check->findings, finding, cell_word(planned->guest, bound, W_NODE, 1), "bound");
    finding_note(check->findings, finding, "libvirt would bind the others and let this one float");
    finding_help(check->findings, finding,
                 planned->host ? "say 'node' for this cell too"
                               : "declare the host, so that numac can choose, or say 'node' for this cell too");
}

static void interleaving_is_among_equals(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    const struct host *facts = facts_of(planned);
    for (uint32_t c = 0; facts && c < plan->cell_count; c++) {
        const struct plan_cell *cell = &plan->cells[c];
        const struct host_node *first = NULL, *other = NULL;
        if (!cell->nodes || cell->policy != POLICY_INTERLEAVE)
            continue;
        for (ids_each(cell->nodes, number)) {
            const struct host_node *node = host_node(facts, number);
            if (node && !first)
                first = node;
            else if (node && node->kind != first->kind)
                other = node;
        }
        if (!other)
            continue;
        struct finding *finding =
            report(check->findings, NM_interleave_kinds, cell_word(planned->guest, c, W_NODE, 1),
                   "memory of %s interleaves over node %u (%s) and node %u (%s)", cell_text(check, planned, c),
                   first->os_index, node_kind_word(first->kind), other->os_index, node_kind_word(other->kind));
        finding_note(check->findings, finding, "every second page would have the speed of the slower one");
        finding_help(check->findings, finding, "give each kind a cell of its own, as in 'cell far { node tier:%s }'",
                     node_kind_word(other->kind));
    }
}

static void limits_are_above_the_memory(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    uint64_t total = plan_total_bytes(plan);
    if (!plan->hard_limit_bytes || plan->hard_limit_bytes > total)
        return;
    struct finding *finding =
        report(check->findings, NM_limit_below_memory, guest_word_span(planned->guest, W_LOCKED_HARD_LIMIT, 1),
               "guest '%s' may lock %s and has %s of memory", plan->name,
               size_text(check->arena, plan->hard_limit_bytes), size_text(check->arena, total));
    finding_label(check->findings, finding, guest_word_span(planned->guest, W_GUEST_MEMORY, 1), "its memory");
    finding_note(check->findings, finding, "QEMU needs more than the guest sees; the kernel would kill it");
    finding_help(check->findings, finding, "write 'hard-limit %s' or more",
                 size_text(check->arena, total + MAX(total / 8, GIB)));
}

const struct plan_rule plan_policy_rules[] = {
    { .name = "nodes-can-hold-memory", .source = "peers 91, 92, 93", .run = nodes_can_hold_memory },
    { .name = "restrictive-cells-stand-alone", .source = "peers 98", .run = restrictive_cells_stand_alone },
    { .name = "preferred-is-one-node", .source = "peers 99", .run = preferred_is_one_node },
    { .name = "cells-are-all-bound-or-none", .source = "peers 101", .run = cells_are_all_bound_or_none },
    { .name = "interleaving-is-among-equals", .source = "peers 114", .run = interleaving_is_among_equals },
    { .name = "limits-are-above-the-memory", .source = "peers 109, 167", .run = limits_are_above_the_memory },
    { 0 }
};
