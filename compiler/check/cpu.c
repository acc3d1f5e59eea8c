/* SPDX-License-Identifier: MIT
 *
 * Rules about the CPUs that threads of a guest may use, whoever names them: `cpus`, rows of a pin table, emulator,
 * iothreads.  libvirt checks none of it before the start.
 */
#include "check/subject.h"

/* ---- is the CPU there ------------------------------------------------------------------------------------------- */

struct use { /* a set of CPUs that somebody named, and where */
    const struct check *check;
    const struct planned_guest *planned;
    struct span span;
};

/* One finding for a set: its other CPUs are wrong for the same reason, more often than not. */
static void check_cpu(const struct use *use, uint32_t cpu)
{
    const struct check *check = use->check;
    const struct site_host *host = use->planned->host;
    const struct host *facts = host->facts;
    const char *guest = use->planned->plan->name;
    struct finding *finding;
    if (ids_contains(host->reserved, cpu)) {
        const struct reserve *reserve = reserve_of_cpu(host, cpu);
        finding = report(check->findings, NM_cpu_reserved, use->span,
                         "guest '%s' uses CPU %u, which is reserved on host '%s'", guest, cpu, host->name);
        if (reserve)
            finding_label(check->findings, finding, said_span(&reserve->said, W_RESERVE_CPUS, 1), "for '%s'",
                          reserve->owner);
        finding_help(check->findings, finding, "use others: %s are open", ids_text(check->arena, host->open));
    } else if (ids_contains(facts->offline, cpu)) {
        finding = report(check->findings, NM_cpu_offline, use->span,
                         "guest '%s' uses CPU %u, which is offline on host '%s'", guest, cpu, host->name);
        finding_note(check->findings, finding, "libvirt would accept the definition and fail at the start");
        finding_help(check->findings, finding, "use CPUs that are online: %s", ids_text(check->arena, host->open));
    } else if (ids_contains(facts->disallowed, cpu)) {
        finding = report(check->findings, NM_cpu_forbidden, use->span,
                         "guest '%s' uses CPU %u, which a cgroup takes away on host '%s'", guest, cpu, host->name);
        finding_help(check->findings, finding,
                     "allow it in cpuset.cpus, record the host outside of the cgroup, or use others: %s",
                     ids_text(check->arena, host->open));
    } else {
        finding = report(check->findings, NM_cpu_not_on_host, use->span,
                         "guest '%s' uses CPU %u, which host '%s' does not have", guest, cpu, host->name);
        finding_note(check->findings, finding,
                     "libvirt would accept the definition and fail at the start, or use what is left of the set");
        finding_help(check->findings, finding, "use CPUs that it has: %s", ids_text(check->arena, host->open));
    }
}

static void check_cpus(const struct use *use, const struct ids *cpus)
{
    if (!cpus || ids_within(cpus, use->planned->host->open))
        return;
    for (ids_each(cpus, cpu))
        if (!ids_contains(use->planned->host->open, cpu)) {
            check_cpu(use, cpu);
            return;
        }
}

static void check_vcpus(struct use *use)
{
    const struct planned_guest *planned = use->planned;
    const struct guest *guest = planned->guest;
    const struct ids *before = NULL;
    const struct set *named = NULL;
    for (uint32_t c = 0; c < planned->plan->cell_count; c++) {
        const struct set *said = locality_of(guest, c)->cpus;
        if (!said || said == named)
            continue;
        named = said;
        use->span = cell_word(guest, c, W_CPUS, 1);
        before = numbers_of_set(use->check->arena, said);
        check_cpus(use, before);
    }
    for (uint32_t v = 0; guest->locality.pin_rows.count && v < planned->plan->vcpu_count; v++) {
        const struct ids *cpus = planned->plan->vcpu_cpus[v];
        if (!cpus || cpus == before || ids_within(cpus, planned->host->open))
            continue;
        use->span = vcpu_span(planned, v);
        check_cpus(use, cpus);
        return; /* the other rows are off for the same reason, more often than not */
    }
}

/* Most guests number their iothreads from 1 on. */
static const struct ids *planned_iothread_cpus(const struct plan_guest *plan, uint32_t id)
{
    if (id <= plan->iothread_count && id && plan->iothreads[id - 1].id == id)
        return plan->iothreads[id - 1].cpus;
    for (uint32_t i = 0; i < plan->iothread_count; i++)
        if (plan->iothreads[i].id == id)
            return plan->iothreads[i].cpus;
    return NULL;
}

static struct span emulator_span(const struct guest *guest)
{
    return guest_word_span(guest,
                           guest->emulator_cpus    ? W_EMULATOR_CPUS
                           : guest->emulator_nodes ? W_EMULATOR_NODE
                                                   : W_GUEST_EMULATOR,
                           1);
}

static struct span iothread_span(const struct iothread *thread)
{
    struct span span = said_span(&thread->said, thread->cpus ? W_IOTHREAD_CPUS : W_IOTHREAD_NODE, 1);
    return span.file ? span : thread->span;
}

static void cpus_are_open_to_guests(const struct check *check, const struct planned_guest *planned)
{
    const struct guest *guest = planned->guest;
    struct use use = { .check = check, .planned = planned };
    if (!facts_of(planned))
        return;
    check_vcpus(&use);
    if (guest->emulator_cpus) {
        use.span = emulator_span(guest);
        check_cpus(&use, guest->emulator_cpus->plain);
        check_cpus(&use, planned->plan->emulator_cpus);
    }
    if (guest->vhost_cpus) {
        use.span = guest_word_span(guest, W_VHOST_CPUS, 1);
        check_cpus(&use, guest->vhost_cpus->plain);
        check_cpus(&use, planned->plan->vhost_cpus);
    }
    for (uint32_t i = 0; i < guest->iothread_count; i++) {
        use.span = iothread_span(&guest->iothreads[i]);
        if (!guest->iothreads[i].cpus)
            continue;
        check_cpus(&use, guest->iothreads[i].cpus->plain);
        check_cpus(&use, planned_iothread_cpus(planned->plan, guest->iothreads[i].id));
    }
}

static void check_helper_nodes(const struct check *check, const struct planned_guest *planned, const char *who,
                               const struct set *set, struct span span)
{
    const struct host *facts = facts_of(planned);
    for (ids_each(set ? numbers_of_set(check->arena, set) : &ids_none, number)) {
        if (host_node(facts, number))
            continue;
        struct finding *finding = report(check->findings, NM_helper_node_missing, span,
                                         "%s of guest '%s' is to run beside node %u, which host '%s' does not have",
                                         who, planned->plan->name, number, planned->host->name);
        finding_note(check->findings, finding, "it would run anywhere, or beside the other nodes of the set");
        finding_help(check->findings, finding, "name a node that it has: see 'numac host show'");
        return; /* the others of one set are wrong for the same reason */
    }
}

static void helpers_run_beside_nodes_that_are_there(const struct check *check, const struct planned_guest *planned)
{
    const struct guest *guest = planned->guest;
    if (!facts_of(planned))
        return;
    if (guest->emulator_nodes)
        check_helper_nodes(check, planned, "the emulator", guest->emulator_nodes, emulator_span(guest));
    if (guest->vhost_nodes)
        check_helper_nodes(check, planned, "the kernel's workers", guest->vhost_nodes,
                           guest_word_span(guest, W_VHOST_NODE, 1));
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        check_helper_nodes(check, planned, "an iothread", guest->iothreads[i].nodes,
                           iothread_span(&guest->iothreads[i]));
}

/* ---- isolated CPUs ---------------------------------------------------------------------------------------------- */

static bool floats_over_isolated(const struct host *facts, const struct ids *cpus)
{
    return cpus && ids_size(cpus) > 1 && ids_overlap(cpus, facts->isolated);
}

static void report_isolated(const struct check *check, const struct planned_guest *planned, struct span span,
                            const char *who, const struct ids *cpus)
{
    uint32_t isolated = NO_INDEX;
    for (ids_each(cpus, cpu))
        if (isolated == NO_INDEX && ids_contains(planned->host->facts->isolated, cpu))
            isolated = cpu;
    struct finding *finding = report(check->findings, NM_isolated_floats, span,
                                     "%s of guest '%s' may use several CPUs, and CPU %u of them is isolated", who,
                                     planned->plan->name, isolated);
    finding_note(check->findings, finding,
                 "the kernel balances nothing there: all threads would stay on the CPU where they began");
    finding_help(check->findings, finding,
                 "pin each vCPU to one CPU ('pin cpus', or a row with 'each'), or leave %s out",
                 ids_text(check->arena, planned->host->facts->isolated));
}

static void isolated_cpus_have_one_thread(const struct check *check, const struct planned_guest *planned)
{
    const struct host *facts = facts_of(planned);
    const struct plan_guest *plan = planned->plan;
    if (!facts || !facts->isolated_known || !facts->isolated->count)
        return;
    const struct ids *before = NULL;
    for (uint32_t v = 0; v < plan->vcpu_count; v++) {
        if (plan->vcpu_cpus[v] == before)
            continue;
        before = plan->vcpu_cpus[v];
        if (!floats_over_isolated(facts, before))
            continue;
        report_isolated(check, planned, vcpu_span(planned, v), "vCPUs", before);
        break;
    }
    if (planned->guest->emulator_cpus && floats_over_isolated(facts, plan->emulator_cpus))
        report_isolated(check, planned, emulator_span(planned->guest), "the emulator", plan->emulator_cpus);
    for (uint32_t i = 0; i < planned->guest->iothread_count; i++) {
        const struct iothread *thread = &planned->guest->iothreads[i];
        const struct ids *cpus = thread->cpus ? planned_iothread_cpus(plan, thread->id) : NULL;
        if (floats_over_isolated(facts, cpus))
            report_isolated(check, planned, iothread_span(thread), "an iothread", cpus);
    }
}

static void tables_use_the_isolated_cpus(const struct check *check, const struct planned_guest *planned)
{
    const struct host *facts = facts_of(planned);
    if (!facts || !facts->isolated_known || !facts->isolated->count || !planned->guest->locality.pin_rows.count)
        return;
    const uint32_t *own = planned->own_cpus;
    for (uint32_t v = 0; own && v < planned->plan->vcpu_count; v++) {
        if (own[v] == NO_INDEX || ids_contains(facts->isolated, own[v]) || !ids_contains(planned->host->open, own[v]))
            continue;
        struct finding *finding = report(check->findings, NM_pins_miss_isolated, vcpu_span(planned, v),
                                         "vCPU %u of guest '%s' has CPU %u for its own, which is not isolated", v,
                                         planned->plan->name, own[v]);
        finding_note(check->findings, finding, "host '%s' keeps %s free of other threads", planned->host->name,
                     ids_text(check->arena, facts->isolated));
        finding_help(check->findings, finding, "pin to those, or write 'pin cpus' to have them chosen");
        return;
    }
}

/* ---- emulator and iothreads ------------------------------------------------------------------------------------- */

static void check_helper(const struct check *check, const struct planned_guest *planned, const uint32_t *own,
                         const char *who, struct span span, const struct ids *cpus)
{
    for (uint32_t v = 0; cpus && v < planned->plan->vcpu_count; v++) {
        if (own[v] == NO_INDEX || !ids_contains(cpus, own[v]))
            continue;
        struct finding *finding = report(check->findings, NM_helper_on_vcpu, span,
                                         "%s of guest '%s' may run on CPU %u, which vCPU %u has for its own", who,
                                         planned->plan->name, own[v], v);
        finding_label(check->findings, finding, vcpu_span(planned, v), "vCPU %u", v);
        finding_note(check->findings, finding, "the vCPU would wait whenever it runs");
        finding_help(check->findings, finding, "name other CPUs, or write 'emulator isolate'");
        return;
    }
}

static void helpers_leave_vcpus_alone(const struct check *check, const struct planned_guest *planned)
{
    const struct guest *guest = planned->guest;
    bool says_emulator = guest->emulator_cpus || guest->emulator_nodes;
    if ((!says_emulator && !guest->iothread_count) || !has_own_cpus(planned))
        return;
    const uint32_t *own = planned->own_cpus;
    if (!own)
        return;
    if (says_emulator && !emulator_starves(planned)) /* which is told as the graver of the two */
        check_helper(check, planned, own, "the emulator", emulator_span(guest), planned->plan->emulator_cpus);
    for (uint32_t i = 0; i < guest->iothread_count; i++) {
        const struct iothread *thread = &guest->iothreads[i];
        if (thread->cpus || thread->nodes)
            check_helper(check, planned, own, "an iothread", iothread_span(thread),
                         planned_iothread_cpus(planned->plan, thread->id));
    }
}

/* ---- pins and `cpus` -------------------------------------------------------------------------------------------- */

static void pins_lie_inside_cpus(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    const struct guest *guest = planned->guest;
    for (uint32_t c = 0; guest->locality.pin_rows.count && c < plan->cell_count; c++) {
        const struct set *said = locality_of(guest, c)->cpus;
        if (!said)
            continue;
        struct span span = cell_word(guest, c, W_CPUS, 1);
        const struct ids *allowed =
            said->plain ? said->plain : cpus_on_host(check->arena, check->findings, planned->host, said, NULL, span);
        for (ids_each(plan->cells[c].vcpus, vcpu)) {
            const struct ids *cpus = allowed && vcpu < plan->vcpu_count ? plan->vcpu_cpus[vcpu] : NULL;
            if (!cpus || ids_within(cpus, allowed))
                continue;
            struct finding *finding = report(check->findings, NM_pin_outside_cpus, vcpu_span(planned, vcpu),
                                             "vCPU %u of guest '%s' is pinned to %s, and 'cpus' allows %s", vcpu,
                                             plan->name, ids_text(check->arena, cpus), ids_text(check->arena, allowed));
            finding_label(check->findings, finding, span, "allowed");
            finding_note(check->findings, finding, "libvirt lets the pin win without a word");
            finding_help(check->findings, finding, "pin inside of 'cpus', or remove 'cpus'");
            return;
        }
    }
}

const struct plan_rule plan_cpu_rules[] = {
    { .name = "cpus-are-open-to-guests", .source = "peers 116, 117, 140", .run = cpus_are_open_to_guests },
    { .name = "helpers-run-beside-nodes-that-are-there",
      .source = "peers 121",
      .run = helpers_run_beside_nodes_that_are_there },
    { .name = "isolated-cpus-have-one-thread", .source = "peers 141", .run = isolated_cpus_have_one_thread },
    { .name = "tables-use-the-isolated-cpus", .source = "peers 141", .run = tables_use_the_isolated_cpus },
    { .name = "helpers-leave-vcpus-alone", .source = "peers 145", .run = helpers_leave_vcpus_alone },
    { .name = "pins-lie-inside-cpus", .source = "peers 148", .run = pins_lie_inside_cpus },
    { 0 }
};
