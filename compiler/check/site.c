/* SPDX-License-Identifier: MIT
 *
 * Rules about all guests together: who has which CPU for its own.  One pass over the guests fills a ledger for each
 * host, a second one looks into it; guests are never compared in pairs.
 */
#include "check/subject.h"

#include <hwloc/bitmap.h>

struct ledger {      /* of one host: by CPU, who has it for its own */
    uint32_t *guest; /* position in the plan + 1; 0: nobody */
    uint32_t *vcpu;
    uint32_t size;
    const struct ids *owned;
};

struct ledgers {
    struct ledger *list; /* in the order of the hosts */
    const struct site_host *first;
};

static struct ledger *ledger_of(const struct ledgers *ledgers, const struct planned_guest *planned)
{
    return facts_of(planned) ? &ledgers->list[planned->host - ledgers->first] : NULL;
}

static void report_two_owners(const struct check *check, const struct planned_site *site, const struct ledger *ledger,
                              const struct planned_guest *planned, uint32_t vcpu, uint32_t cpu)
{
    const struct planned_guest *owner = &site->guests[ledger->guest[cpu] - 1];
    struct finding *finding =
        report(check->findings, NM_cpu_of_two_guests, vcpu_span(planned, vcpu),
               "vCPU %u of guest '%s' is pinned to CPU %u, which vCPU %u of guest '%s' has for its own", vcpu,
               planned->plan->name, cpu, ledger->vcpu[cpu], owner->plan->name);
    finding_label(check->findings, finding, vcpu_span(owner, ledger->vcpu[cpu]), "guest '%s'", owner->plan->name);
    finding_note(check->findings, finding,
                 "libvirt sees one guest at a time and accepts it; each would wait for the other");
    finding_help(check->findings, finding, "pin one of them elsewhere, or write 'pin cpus' to have CPUs chosen");
}

/* Only one finding a guest: a table that is off is off in all its rows. */
static void enter_guest(const struct check *check, const struct planned_site *site, struct ledger *ledger,
                        uint32_t index)
{
    const struct planned_guest *planned = &site->guests[index];
    const uint32_t *own = planned->own_cpus;
    bool is_told = false;
    for (uint32_t v = 0; own && v < planned->plan->vcpu_count; v++) {
        if (own[v] >= ledger->size)
            continue;
        if (!ledger->guest[own[v]]) {
            ledger->guest[own[v]] = index + 1;
            ledger->vcpu[own[v]] = v;
        } else if (ledger->guest[own[v]] != index + 1 && !is_told) {
            report_two_owners(check, site, ledger, planned, v, own[v]);
            is_told = true;
        }
    }
}

static struct ledgers open_ledgers(struct arena *arena, const struct planned_site *site)
{
    struct ledgers ledgers = { .list = arena_array(arena, struct ledger, site->hosts->count),
                               .first = site->hosts->list };
    for (uint32_t i = 0; i < site->plan->guest_count; i++) {
        struct ledger *ledger = ledger_of(&ledgers, &site->guests[i]);
        if (!ledger || ledger->size || !has_own_cpus(&site->guests[i]))
            continue;
        const struct ids *online = site->guests[i].host->facts->online;
        ledger->size = online->count ? ids_last(online) + 1 : 0;
        ledger->guest = arena_array(arena, uint32_t, ledger->size);
        ledger->vcpu = arena_array(arena, uint32_t, ledger->size);
    }
    return ledgers;
}

static void close_ledgers(struct arena *arena, const struct planned_site *site, const struct ledgers *ledgers)
{
    hwloc_bitmap_t owned = hwloc_bitmap_alloc();
    for (uint32_t h = 0; h < site->hosts->count; h++) {
        struct ledger *ledger = &ledgers->list[h];
        hwloc_bitmap_zero(owned);
        for (uint32_t cpu = 0; cpu < ledger->size; cpu++)
            if (ledger->guest[cpu])
                hwloc_bitmap_set(owned, cpu);
        ledger->owned = ids_from_bitmap(arena, owned);
    }
    hwloc_bitmap_free(owned);
}

/* The first CPU of a set that another guest has for its own; NO_INDEX. */
static uint32_t others_cpu(const struct ledger *ledger, uint32_t index, const struct ids *cpus)
{
    if (!cpus || !ids_overlap(cpus, ledger->owned))
        return NO_INDEX;
    for (ids_each(cpus, cpu))
        if (cpu < ledger->size && ledger->guest[cpu] && ledger->guest[cpu] != index + 1)
            return cpu;
    return NO_INDEX;
}

static void report_visitor(const struct check *check, const struct planned_site *site, const struct ledger *ledger,
                           uint32_t index, const char *who, uint32_t cpu, struct span span)
{
    const struct planned_guest *owner = &site->guests[ledger->guest[cpu] - 1];
    about_guest(check->findings, site->guests[index].guest);
    struct finding *finding = report(check->findings, NM_dedicated_cpu_shared, span,
                                     "%s of guest '%s' may run on CPU %u, which vCPU %u of guest '%s' has for its own",
                                     who, site->guests[index].plan->name, cpu, ledger->vcpu[cpu], owner->plan->name);
    finding_label(check->findings, finding, vcpu_span(owner, ledger->vcpu[cpu]), "guest '%s'", owner->plan->name);
    finding_note(check->findings, finding, "libvirt sees one guest at a time and accepts it");
    finding_help(check->findings, finding, "leave CPU %u out of the set", cpu);
}

static void look_up_vcpus(const struct check *check, const struct planned_site *site, const struct ledger *ledger,
                          uint32_t index)
{
    const struct planned_guest *planned = &site->guests[index];
    const struct ids *before = NULL;
    const uint32_t *own = planned->own_cpus;
    for (uint32_t v = 0; v < planned->plan->vcpu_count; v++) {
        const struct ids *cpus = planned->plan->vcpu_cpus[v];
        if (cpus == before || (own && own[v] != NO_INDEX))
            continue;
        before = cpus;
        uint32_t cpu = others_cpu(ledger, index, cpus);
        if (cpu == NO_INDEX)
            continue;
        report_visitor(check, site, ledger, index, "a vCPU", cpu, vcpu_span(planned, v));
        return;
    }
}

static void look_up_helpers(const struct check *check, const struct planned_site *site, const struct ledger *ledger,
                            uint32_t index)
{
    const struct planned_guest *planned = &site->guests[index];
    const struct guest *guest = planned->guest;
    uint32_t cpu = guest->emulator_cpus ? others_cpu(ledger, index, planned->plan->emulator_cpus) : NO_INDEX;
    if (cpu != NO_INDEX)
        report_visitor(check, site, ledger, index, "the emulator", cpu, guest_word_span(guest, W_EMULATOR_CPUS, 1));
    for (uint32_t i = 0; i < guest->iothread_count; i++) {
        const struct set *cpus = guest->iothreads[i].cpus;
        cpu = cpus && cpus->plain ? others_cpu(ledger, index, cpus->plain) : NO_INDEX;
        if (cpu != NO_INDEX)
            report_visitor(check, site, ledger, index, "an iothread", cpu,
                           said_span(&guest->iothreads[i].said, W_IOTHREAD_CPUS, 1));
    }
}

static void cpus_have_one_owner(const struct check *check, const struct planned_site *site)
{
    struct arena *scratch = arena_new();
    struct ledgers ledgers = open_ledgers(scratch, site);
    for (uint32_t i = 0; i < site->plan->guest_count; i++) {
        struct ledger *ledger = ledger_of(&ledgers, &site->guests[i]);
        if (ledger && ledger->size)
            enter_guest(check, site, ledger, i);
    }
    close_ledgers(scratch, site, &ledgers);
    for (uint32_t i = 0; i < site->plan->guest_count; i++) {
        const struct ledger *ledger = ledger_of(&ledgers, &site->guests[i]);
        const struct guest *guest = site->guests[i].guest;
        if (!ledger || !ledger->owned->count)
            continue;
        if (guest->locality.pin_rows.count || is_said(&guest->said, W_CPUS) || guest->cell_count)
            look_up_vcpus(check, site, ledger, i);
        if (guest->emulator_cpus || guest->iothread_count)
            look_up_helpers(check, site, ledger, i);
    }
    arena_free(scratch);
}

/* ---- several hosts ---------------------------------------------------------------------------------------------- */

/* `position`: of the host among those of the guest, as it is there. */
static void check_host(const struct check *check, const struct site_host *host, const struct guest *guest,
                       uint32_t cell, uint32_t position)
{
    const struct set *nodes = locality_of(guest, cell)->nodes;
    if (!nodes || !nodes->plain)
        return;
    for (ids_each(nodes->plain, number)) {
        if (host_node(host->facts, number))
            continue;
        about_guest(check->findings, guest);
        struct finding *finding =
            report(check->findings, NM_host_lacks_node, cell_word(guest, cell, W_NODE, 1),
                   "guest '%s' may live on host '%s', which has no node %u", guest->name, host->name, number);
        finding_label(check->findings, finding, said_span(&guest->said, W_GUEST_HOST, position + 1),
                      "one of its hosts");
        finding_note(check->findings, finding, "that host is passed over");
        finding_help(check->findings, finding, "write 'node auto', or remove the host");
        return;
    }
}

static void check_hosts(const struct check *check, GHashTable *hosts, const struct guest *guest)
{
    const char *const *names = guest->hosts.items;
    for (uint32_t h = 0; h < guest->hosts.count; h++) {
        const struct site_host *host = g_hash_table_lookup(hosts, names[h]);
        const struct guest *there = guest_on(guest, names[h]);
        for (uint32_t c = 0; host && host->facts && c < blocks_of(there); c++)
            check_host(check, host, there, c, h);
    }
}

static GHashTable *hosts_by_name(const struct planned_site *site)
{
    GHashTable *hosts = g_hash_table_new(g_str_hash, g_str_equal);
    for (uint32_t h = 0; h < site->hosts->count; h++)
        g_hash_table_insert(hosts, (gpointer)(uintptr_t)site->hosts->list[h].name,
                            (gpointer)(uintptr_t)&site->hosts->list[h]);
    return hosts;
}

static void all_hosts_have_the_nodes(const struct check *check, const struct planned_site *site)
{
    g_autoptr(GHashTable) hosts = NULL;
    for (uint32_t i = 0; i < site->plan->guest_count; i++) {
        const struct guest *guest = site->guests[i].anywhere;
        if (guest->hosts.count < 2 || guest->instance > 1)
            continue;
        if (!hosts)
            hosts = hosts_by_name(site);
        check_hosts(check, hosts, guest);
    }
}

const struct site_rule site_rules[] = {
    { .name = "cpus-have-one-owner", .source = "peers 137, 212", .run = cpus_have_one_owner },
    { .name = "all-hosts-have-the-nodes", .source = "peers 217", .run = all_hosts_have_the_nodes },
    { 0 }
};
