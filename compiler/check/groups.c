/* SPDX-License-Identifier: MIT
 *
 * Whether guests stand as their groups want them, at home and where they may move, judged by the plan alone: the CPUs
 * that vCPUs are pinned to and the nodes of their memory, against the facts of the host.  However it was placed, no
 * plan passes that breaks a group.
 */
#include "check/subject.h"

/* ---- parts of a host -------------------------------------------------------------------------------------------- */

static uint32_t part_of_cpu(const struct host_cpu *cpu, uint32_t level)
{
    switch (level) {
    case GROUP_SOCKET:
        return cpu->package;
    case GROUP_NODE:
        return cpu->node_index;
    case GROUP_L3:
        if (cpu->l3 == NO_INDEX && cpu->die == NO_INDEX)
            return (cpu->package << 16) + cpu->node_index; /* CPUs of one node and one socket share what there is */
        return cpu->l3 == NO_INDEX ? cpu->die : cpu->l3;
    default:
        return cpu->core == NO_INDEX ? cpu->os_index : cpu->core;
    }
}

/* Whose sockets memory counts to: for a node without CPUs the nearest that has some. */
static const struct host_node *cpus_near(const struct host *facts, const struct host_node *node)
{
    uint32_t from = (uint32_t)(node - facts->nodes), best = NO_INDEX, least = 0;
    if (node->cpus->count)
        return node;
    for (uint32_t n = 0; n < facts->node_count; n++) {
        uint32_t far = host_distance(facts, from, n) + host_distance(facts, n, from);
        if (!facts->nodes[n].cpus->count || (best != NO_INDEX && far >= least))
            continue;
        best = n;
        least = far;
    }
    return best == NO_INDEX ? node : &facts->nodes[best];
}

/* Calls `touch` for each part that memory is in; it ends where that is false. */
typedef bool (*touch_function)(void *state, uint32_t part);

static bool touch_node(const struct host *facts, uint32_t number, uint32_t level, touch_function touch, void *state)
{
    const struct host_node *node = host_node(facts, number);
    if (node && level == GROUP_NODE)
        return touch(state, (uint32_t)(node - facts->nodes));
    if (!node || level != GROUP_SOCKET)
        return true; /* below a node memory is nowhere */
    for (ids_each(cpus_near(facts, node)->cpus, cpu))
        if (!touch(state, part_of_cpu(host_cpu(facts, cpu), level)))
            return false;
    return true;
}

/* ---- members ---------------------------------------------------------------------------------------------------- */

struct muster { /* of a site: who was planned */
    const struct check *check;
    const struct planned_site *site;
    const struct planned_guest **by_number; /* NULL: not planned, which was told */
};

/* Memory of a guest on host nodes: cells first, then memory devices; NULL where there is none or it is not bound. */
static const struct ids *memory_at(const struct plan_guest *plan, uint32_t position)
{
    const struct plan_cell *memory = position < plan->cell_count
                                         ? &plan->cells[position]
                                         : &plan->memory_devices[position - plan->cell_count].memory;
    return memory->memory_bytes ? memory->nodes : NULL;
}

static bool each_part(const struct planned_guest *planned, uint32_t level, touch_function touch, void *state)
{
    const struct plan_guest *plan = planned->plan;
    const struct host *facts = facts_of(planned);
    const struct ids *before = NULL;
    for (uint32_t v = 0; v < plan->vcpu_count; v++) {
        if (!plan->vcpu_cpus[v] || plan->vcpu_cpus[v] == before)
            continue;
        before = plan->vcpu_cpus[v];
        for (ids_each(before, number)) {
            const struct host_cpu *cpu = host_cpu(facts, number);
            if (cpu && !touch(state, part_of_cpu(cpu, level)))
                return false;
        }
    }
    for (uint32_t i = 0; i < plan->cell_count + plan->memory_device_count; i++) {
        const struct ids *nodes = memory_at(plan, i);
        if (nodes)
            for (ids_each(nodes, number))
                if (!touch_node(facts, number, level, touch, state))
                    return false;
    }
    return true;
}

static const char *part_text(struct arena *arena, const struct planned_guest *planned, uint32_t level, uint32_t part)
{
    const struct host *facts = facts_of(planned);
    const char *host = planned->host->name;
    if (level == GROUP_HOST)
        return arena_printf(arena, "host '%s'", host);
    if (level == GROUP_NODE && part < facts->node_count)
        return arena_printf(arena, "node %u of host '%s'", facts->nodes[part].os_index, host);
    for (uint32_t c = 0; level == GROUP_CORE && c < facts->cpu_count; c++)
        if (part_of_cpu(&facts->cpus[c], level) == part)
            return arena_printf(arena, "the core of CPU %u of host '%s'", facts->cpus[c].os_index, host);
    return arena_printf(arena, "%s %u of host '%s'", level == GROUP_L3 ? "L3" : "socket", part, host);
}

/* ---- apart ------------------------------------------------------------------------------------------------------ */

struct apart { /* a group while its guests are entered */
    const struct muster *muster;
    const struct guest_group *group;
    const struct planned_guest *planned;
    GHashTable *owners; /* of one host: part to the guest that stands there */
    bool is_arrival;    /* it may move there, and the owners are at home */
};

static void tell_apart(const struct apart *apart, const struct planned_guest *other, uint32_t part)
{
    const struct check *check = apart->muster->check;
    const struct guest_group *group = apart->group;
    struct finding *finding =
        report(check->findings, NM_group_broken, said_span(&group->said, W_GROUP_APART, 1),
               "guests '%s' and '%s' of group '%s' both stand on %s", other->plan->name, apart->planned->plan->name,
               group->name, part_text(check->arena, apart->planned, group->apart, part));
    finding_label(check->findings, finding, other->guest->span, "guest '%s'", other->plan->name);
    finding_label(check->findings, finding, apart->planned->guest->span, "guest '%s'", apart->planned->plan->name);
    if (apart->is_arrival)
        finding_note(check->findings, finding, "guest '%s' may move there", apart->planned->plan->name);
    finding_help(check->findings, finding, "leave their hosts, nodes and CPUs open, or name others for one of them");
}

static bool touch_apart(void *state, uint32_t part)
{
    struct apart *apart = state;
    const struct planned_guest *other = g_hash_table_lookup(apart->owners, GUINT_TO_POINTER(part));
    if (!other && !apart->is_arrival)
        g_hash_table_insert(apart->owners, GUINT_TO_POINTER(part), (gpointer)(uintptr_t)apart->planned);
    if (!other || other == apart->planned)
        return true;
    tell_apart(apart, other, part);
    return false;
}

static bool stands_apart(struct apart *apart)
{
    uint32_t level = apart->group->apart;
    return level == GROUP_HOST ? touch_apart(apart, 0) : each_part(apart->planned, level, touch_apart, apart);
}

/* Each for itself: where others may move to is not looked at. */
static void arrive_apart(const struct muster *muster, const struct guest_group *group, GHashTable *hosts)
{
    bool is_kept = true;
    for (uint32_t m = 0; m < group->member_count; m++) {
        const struct planned_guest *planned = muster->by_number[group->members[m]];
        for (uint32_t i = 0; planned && i < planned->plan->move_count && is_kept; i++) {
            struct apart apart = { muster, group, &planned->moves[i], NULL, true };
            apart.owners = g_hash_table_lookup(hosts, apart.planned->host);
            is_kept = !apart.owners || stands_apart(&apart);
        }
    }
}

static void stand_apart(const struct muster *muster, const struct guest_group *group)
{
    g_autoptr(GHashTable) hosts = g_hash_table_new_full(NULL, NULL, NULL, (GDestroyNotify)g_hash_table_destroy);
    bool is_kept = true;
    for (uint32_t m = 0; m < group->member_count && is_kept; m++) {
        struct apart apart = { muster, group, muster->by_number[group->members[m]], NULL, false };
        if (!apart.planned || !facts_of(apart.planned))
            continue;
        apart.owners = g_hash_table_lookup(hosts, apart.planned->host);
        if (!apart.owners) {
            apart.owners = g_hash_table_new(NULL, NULL);
            g_hash_table_insert(hosts, (gpointer)(uintptr_t)apart.planned->host, apart.owners);
        }
        is_kept = stands_apart(&apart);
    }
    if (is_kept)
        arrive_apart(muster, group, hosts);
}

/* ---- together --------------------------------------------------------------------------------------------------- */

struct together {
    uint32_t part; /* where the first vCPU is; NO_INDEX: not known yet */
    uint32_t other;
};

static bool touch_first(void *state, uint32_t part)
{
    ((struct together *)state)->part = part;
    return false;
}

static bool touch_same(void *state, uint32_t part)
{
    struct together *together = state;
    together->other = part;
    return part == together->part;
}

/* Memory on a node of several sockets is in each of them. */
static bool touch_any(void *state, uint32_t part)
{
    return !touch_same(state, part);
}

static bool is_inside(const struct planned_guest *planned, uint32_t level, struct together *together)
{
    const struct plan_guest *plan = planned->plan;
    const struct host *facts = facts_of(planned);
    struct plan_guest without_memory = *plan;
    struct planned_guest vcpus = *planned;
    without_memory.cell_count = without_memory.memory_device_count = 0;
    vcpus.plan = &without_memory;
    if (!each_part(&vcpus, level, touch_same, together))
        return false;
    for (uint32_t i = 0;
         (level == GROUP_SOCKET || level == GROUP_NODE) && i < plan->cell_count + plan->memory_device_count; i++) {
        const struct ids *nodes = memory_at(plan, i);
        if (!nodes)
            continue;
        for (ids_each(nodes, number))
            if (host_node(facts, number) && touch_node(facts, number, level, touch_any, together))
                return false;
    }
    return true;
}

static void tell_together(const struct muster *muster, const struct guest_group *group,
                          const struct planned_guest *first, const struct planned_guest *second,
                          const struct together *together)
{
    const struct check *check = muster->check;
    bool is_host = first->host != second->host;
    uint32_t level = is_host ? GROUP_HOST : group->together;
    const char *one = part_text(check->arena, first, level, together->part);
    const char *other = part_text(check->arena, second, level, together->other);
    struct finding *finding =
        first == second
            ? report(check->findings, NM_group_broken, said_span(&group->said, W_GROUP_TOGETHER, 1),
                     "guest '%s' of group '%s' stands on %s and on %s", first->plan->name, group->name, one, other)
            : report(check->findings, NM_group_broken, said_span(&group->said, W_GROUP_TOGETHER, 1),
                     "guest '%s' of group '%s' stands on %s, and guest '%s' on %s", first->plan->name, group->name, one,
                     second->plan->name, other);
    finding_label(check->findings, finding, first->guest->span, "guest '%s'", first->plan->name);
    if (first != second)
        finding_label(check->findings, finding, second->guest->span, "guest '%s'", second->plan->name);
    finding_help(check->findings, finding, "leave their hosts, nodes and CPUs open, or name the same for all of them");
}

/* All of a group, at home or where all of them may move to. */
static void stand_together(const struct muster *muster, const struct guest_group *group,
                           const struct planned_guest *const *members)
{
    const struct planned_guest *first = NULL;
    struct together together = { .part = NO_INDEX };
    for (uint32_t m = 0; m < group->member_count; m++) {
        const struct planned_guest *planned = members[m];
        if (!facts_of(planned))
            continue;
        first = first ? first : planned;
        bool is_together = planned->host == first->host;
        if (is_together && group->together != GROUP_HOST) {
            if (together.part == NO_INDEX)
                each_part(planned, group->together, touch_first, &together);
            is_together = is_inside(planned, group->together, &together);
        }
        if (is_together)
            continue;
        tell_together(muster, group, first, planned, &together);
        return;
    }
}

/* ---- moving together -------------------------------------------------------------------------------------------- */

static void tell_parted(const struct check *check, const struct guest_group *group, const struct guest *mover,
                        uint32_t position, const struct guest *stays)
{
    const char *host = ((const char *const *)mover->migrate.items)[position];
    size_t before = findings_count(check->findings, HINT);
    about_guest(check->findings, mover);
    struct finding *finding =
        report(check->findings, NM_move_parted, guest_word_span(mover, W_GUEST_MIGRATE, position + 1),
               "guest '%s' may move to host '%s', and guest '%s' of group '%s' may not", mover->name, host, stays->name,
               group->name);
    finding_label(check->findings, finding, said_span(&group->said, W_GROUP_TOGETHER, 1), "together here");
    finding_note(check->findings, finding, "they no longer stand together when it has moved");
    finding_help(check->findings, finding, "let all of the group move there: 'migrate %s' in guest '%s'", host,
                 stays->family);
    tell_origins_since(check->findings, before, check->site, mover);
    about_guest(check->findings, NULL);
}

/* One host that some of a group may move to. */
static void move_together(const struct muster *muster, const struct guest_group *group,
                          const struct planned_guest *const *members, uint32_t mover, uint32_t position)
{
    const char *host = ((const char *const *)members[mover]->anywhere->migrate.items)[position];
    g_autofree const struct planned_guest **there = g_new(const struct planned_guest *, group->member_count);
    bool are_there = true;
    for (uint32_t m = 0; m < group->member_count; m++) {
        if (!is_among(&members[m]->anywhere->migrate, host)) {
            tell_parted(muster->check, group, members[mover]->anywhere, position, members[m]->anywhere);
            return;
        }
        there[m] = find_move(members[m], host);
        are_there &= there[m] != NULL;
    }
    if (are_there) /* else it was told who does not fit */
        stand_together(muster, group, there);
}

static void keep_together(const struct muster *muster, const struct guest_group *group)
{
    g_autofree const struct planned_guest **members = g_new(const struct planned_guest *, group->member_count);
    g_autoptr(GHashTable) hosts = g_hash_table_new(g_str_hash, g_str_equal);
    for (uint32_t m = 0; m < group->member_count; m++) {
        members[m] = muster->by_number[group->members[m]];
        if (!members[m])
            return; /* guests without the one that was told stand where they like */
        if (members[m]->host)
            g_hash_table_add(hosts, (gpointer)(uintptr_t)members[m]->host->name);
    }
    stand_together(muster, group, members);
    for (uint32_t m = 0; m < group->member_count; m++) {
        const struct list *names = &members[m]->anywhere->migrate;
        for (uint32_t i = 0; i < names->count; i++)
            if (g_hash_table_add(hosts, ((gpointer *)(uintptr_t)names->items)[i]))
                move_together(muster, group, members, m, i);
    }
}

/* ---- the rule --------------------------------------------------------------------------------------------------- */

static void tell_no_host(const struct check *check, const struct guest_group *group)
{
    struct finding *finding =
        report(check->findings, NM_word_needs_host, group->span, "'group' needs a host, and the site declares none");
    finding_help(check->findings, finding,
                 "declare one: 'host NAME { topology \"FILE\" }', recorded with 'numac host record'");
    finding_help(check->findings, finding, "give one for this run: '--host NAME=FILE'");
}

static void guests_stand_as_grouped(const struct check *check, const struct planned_site *site)
{
    struct muster muster = { check, site, NULL };
    if (!site->site->group_count)
        return;
    muster.by_number = g_new0(const struct planned_guest *, site->site->guest_count);
    for (uint32_t i = 0; i < site->plan->guest_count; i++)
        muster.by_number[site->guests[i].guest->number] = &site->guests[i];
    for (uint32_t i = 0; i < site->site->group_count; i++) {
        const struct guest_group *group = &site->site->groups[i];
        if (group->is_broken)
            continue;
        if (!site->hosts->count) {
            tell_no_host(check, group);
            continue;
        }
        if (group->apart != GROUP_UNSAID)
            stand_apart(&muster, group);
        if (group->together != GROUP_UNSAID)
            keep_together(&muster, group);
    }
    g_free(muster.by_number);
}

const struct site_rule group_rules[] = {
    { .name = "guests-stand-as-grouped", .source = "language 7", .run = guests_stand_as_grouped }, { 0 }
};
