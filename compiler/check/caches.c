/* SPDX-License-Identifier: MIT
 *
 * Rules about the caches that vCPUs share in the guest: against what the CPU shows of caches, against each other, and
 * against the caches of the host that the vCPUs run under.
 */
#include "check/subject.h"

static const struct shared_cache_row *said_row(const struct guest *guest, enum cpu_cache cache)
{
    const struct shared_cache_row *rows = guest->shared_caches.items, *found = NULL;
    for (uint32_t i = 0; i < guest->shared_caches.count; i++)
        if (rows[i].cache == cache)
            found = &rows[i];
    return found;
}

/* ---- against each other ----------------------------------------------------------------------------------------- */

/* Tells the first cache that is shared by more than the one behind it; of those that are as on the host, or of the
 * others. */
static void compare_levels(const struct check *check, const struct guest *guest, const struct plan_guest *levels,
                           bool of_host)
{
    static const enum cpu_cache pairs[][2] = { { CPU_CACHE_L1D, CPU_CACHE_L2 },
                                               { CPU_CACHE_L1I, CPU_CACHE_L2 },
                                               { CPU_CACHE_L2, CPU_CACHE_L3 } };
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        enum cpu_cache small = pairs[i][0], large = pairs[i][1];
        const struct shared_cache_row *of_small = said_row(guest, small), *of_large = said_row(guest, large);
        bool is_of_host =
            (of_small && of_small->level == SHARED_WORD_HOST) || (of_large && of_large->level == SHARED_WORD_HOST);
        const struct shared_cache_row *first = of_small ? of_small : of_large; /* NULL: as QEMU has both */
        if (level_of_cache(levels, small) <= level_of_cache(levels, large) || is_of_host != of_host || !first)
            continue;
        struct finding *finding = report(check->findings, NM_cache_order, first->span,
                                         "cache '%s' is shared by a %s, and '%s' behind it by a %s only",
                                         cpu_cache_word(small), shared_level_word(level_of_cache(levels, small)),
                                         cpu_cache_word(large), shared_level_word(level_of_cache(levels, large)));
        if (of_small && of_large)
            finding_label(check->findings, finding, of_large->span, "a smaller part of the guest");
        else
            finding_note(check->findings, finding, "where nothing is said QEMU takes core, and die for l3");
        finding_help(check->findings, finding, "write '%s %s' in 'caches'", cpu_cache_word(large),
                     shared_level_word(level_of_cache(levels, small)));
        return;
    }
}

/* ---- as declared ------------------------------------------------------------------------------------------------ */

static void larger_caches_have_no_fewer_vcpus(const struct check *check, const struct guest *guest)
{
    const struct shared_cache_row *rows = guest->shared_caches.items;
    struct plan_guest said = { 0 };
    if (!is_sound(&guest->said, W_VCPUS_CACHES))
        return;
    for (uint32_t i = 0; i < guest->shared_caches.count; i++)
        if (rows[i].level != SHARED_WORD_HOST)
            said.cache_levels[rows[i].cache] = shared_level_of_word(rows[i].level);
    compare_levels(check, guest, &said, false);
}

static void caches_are_qemus_own(const struct check *check, const struct guest *guest)
{
    const struct shared_cache_row *row = guest->shared_caches.items;
    if (!is_sound(&guest->said, W_VCPUS_CACHES) || !guest->shared_caches.count ||
        !is_sound(&guest->said, W_CPU_CACHE) || guest->cache_mode == CACHE_WORD_EMULATE)
        return;
    bool passes = guest->cache_mode == CACHE_WORD_PASSTHROUGH;
    if (!passes && !(row = said_row(guest, CPU_CACHE_L3)))
        return;
    struct finding *finding =
        report(check->findings, NM_caches_in_vain, row->span,
               passes ? "guest '%s' says who shares a cache, and its CPU shows the caches of the host as they are"
                      : "guest '%s' says who shares the L3 cache, and its CPU has none",
               guest->name);
    finding_label(check->findings, finding, said_span(&guest->said, W_CPU_CACHE, 1),
                  passes ? "as they are" : "QEMU leaves out the L3 cache");
    finding_note(check->findings, finding, "QEMU takes both and leaves the row without effect");
    finding_help(check->findings, finding, "remove 'cache' from 'cpu', or the row");
}

const struct model_rule cache_rules[] = {
    { .name = "larger-caches-have-no-fewer-vcpus",
      .source = "QEMU hw/core/machine-smp.c",
      .run = larger_caches_have_no_fewer_vcpus },
    { .name = "caches-are-qemus-own", .source = "QEMU target/i386/cpu.c", .run = caches_are_qemus_own },
    { 0 }
};

/* ---- as planned ------------------------------------------------------------------------------------------------- */

static void caches_of_the_host_fit_the_others(const struct check *check, const struct planned_guest *planned)
{
    compare_levels(check, planned->guest, planned->plan, true);
}

static const char *trouble_text(const struct check *check, const struct planned_guest *planned, enum cpu_cache cache,
                                const struct host_sharing *sharing)
{
    const char *name = cpu_cache_word(cache);
    switch (sharing->trouble) {
    case SHARING_UNKNOWN:
        return arena_printf(check->arena, "host '%s' tells no %s caches, so guest '%s' cannot have theirs",
                            planned->host->name, name, planned->plan->name);
    case SHARING_LOOSE:
        return arena_printf(check->arena, "vCPU %u of guest '%s' may run under several %s caches of host '%s'",
                            sharing->vcpu, planned->plan->name, name, planned->host->name);
    case SHARING_UNEVEN:
        return arena_printf(check->arena,
                            "the vCPUs of guest '%s' lie unevenly under the %s caches of host '%s': %u under the first",
                            planned->plan->name, name, planned->host->name, sharing->vcpus);
    case SHARING_FINE:
        break;
    }
    return arena_printf(check->arena,
                        "%u vCPUs of guest '%s' are under each %s cache of host '%s', and no level has %u",
                        sharing->vcpus, planned->plan->name, name, planned->host->name, sharing->vcpus);
}

static void guests_can_have_the_caches_of_the_host(const struct check *check, const struct planned_guest *planned)
{
    if (!facts_of(planned))
        return;
    for (enum cpu_cache cache = 0; cache < CPU_CACHES; cache++) {
        const struct shared_cache_row *row = said_row(planned->guest, cache);
        if (!row || row->level != SHARED_WORD_HOST || planned->plan->cache_levels[cache] != SHARED_UNSAID)
            continue;
        struct host_sharing sharing = sharing_on_host(facts_of(planned), planned->plan, cache);
        struct finding *finding =
            report(check->findings, NM_cache_of_host, row->span, "%s", trouble_text(check, planned, cache, &sharing));
        if (sharing.trouble == SHARING_LOOSE)
            finding_help(check->findings, finding, "write 'pin cores' or 'pin cpus', or say the level");
        else if (sharing.trouble == SHARING_UNKNOWN)
            finding_help(check->findings, finding, "say the level: '%s %s'", cpu_cache_word(cache),
                         shared_level_word(level_of_cache(planned->plan, cache)));
        else
            finding_help(check->findings, finding,
                         "take as many vCPUs under each, leave sockets to cores open where they are said, or say the "
                         "level");
    }
}

/* The part of the guest with a vCPU that its L3 is shown for: as planned, or with the host's own numbers. */
static uint32_t shown_part(const struct plan_guest *plan, uint32_t vcpu, uint32_t host_bits)
{
    return plan->cache_mode == CACHE_PASSTHROUGH ? apic_id(plan, vcpu) >> host_bits
                                                 : vcpu / vcpus_at_level(plan, level_of_cache(plan, CPU_CACHE_L3));
}

static uint32_t bits_of_host_l3(const struct host *facts)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < facts->cache_count; i++)
        while (facts->caches[i].level == 3 && UINT32_C(1) << bits < ids_size(facts->caches[i].cpus))
            bits++;
    return bits;
}

static struct span shown_span(const struct planned_guest *planned)
{
    const struct shared_cache_row *row = said_row(planned->guest, CPU_CACHE_L3);
    return row ? row->span : guest_word_span(planned->guest, W_CPU_CACHE, 1);
}

static void vcpus_share_the_l3_that_they_see(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    const struct host *facts = facts_of(planned);
    bool is_shown = plan->cache_mode == CACHE_PASSTHROUGH || plan->cache_levels[CPU_CACHE_L3] != SHARED_UNSAID;
    if (!facts || !is_shown || plan->has_base)
        return;
    uint32_t *caches = caches_of_vcpus(facts, plan, CPU_CACHE_L3), bits = bits_of_host_l3(facts), first = 0;
    for (uint32_t vcpu = 1; caches && vcpu < plan->vcpu_count; vcpu++) {
        if (shown_part(plan, vcpu, bits) != shown_part(plan, first, bits))
            first = vcpu;
        if (caches[vcpu] == caches[first] || caches[vcpu] == NO_INDEX || caches[first] == NO_INDEX)
            continue;
        struct finding *finding =
            report(check->findings, NM_cache_not_shared, shown_span(planned),
                   "vCPUs %u and %u of guest '%s' share an L3 cache in the guest and not on host '%s'", first, vcpu,
                   plan->name, planned->host->name);
        finding_note(check->findings, finding, "the guest's scheduler then puts together what is apart");
        finding_help(check->findings, finding, "write 'vcpus { caches { l3 host } }'%s, or 'within l3'",
                     plan->cache_mode == CACHE_PASSTHROUGH ? " in place of 'cache passthrough'" : "");
        break;
    }
    g_free(caches);
}

const struct plan_rule plan_cache_rules[] = {
    { .name = "caches-of-the-host-fit-the-others",
      .source = "QEMU hw/core/machine-smp.c",
      .run = caches_of_the_host_fit_the_others },
    { .name = "guests-can-have-the-caches-of-the-host",
      .source = "language 7",
      .run = guests_can_have_the_caches_of_the_host },
    { .name = "vcpus-share-the-l3-that-they-see", .source = "peers 55", .run = vcpus_share_the_l3_that_they_see },
    { 0 }
};
