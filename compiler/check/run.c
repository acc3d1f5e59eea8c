/* SPDX-License-Identifier: MIT
 *
 * Runs the rules over their subjects: guests as declared, guests as planned, the site as a whole.
 */
#include "check/check.h"
#include "check/subject.h"

#include <string.h>

static const struct model_rule *const model_tables[] = {
    guest_rules,     cell_rules,          topology_rules, distance_rules, policy_rules, pin_rules,     page_rules,
    scheduler_rules, resctrl_rules,       hmat_rules,     bus_rules,      device_rules, hotplug_rules, numad_rules,
    arch_rules,      memory_device_rules, cache_rules,    cxl_rules,      moving_rules, pseries_rules
};
static const struct plan_rule *const plan_tables[] = { plan_topology_rules, plan_distance_rules, plan_policy_rules,
                                                       plan_pin_rules,      plan_cpu_rules,      plan_page_rules,
                                                       plan_feature_rules,  plan_hmat_rules,     plan_scheduler_rules,
                                                       plan_resctrl_rules,  plan_device_rules,   plan_numad_rules,
                                                       plan_arch_rules,     plan_socket_rules,   plan_memory_rules,
                                                       plan_cache_rules,    plan_moving_rules,   plan_pseries_rules };
static const struct site_rule *const site_tables[] = { site_rules,        host_rules,       resctrl_site_rules,
                                                       device_site_rules, numad_site_rules, group_rules,
                                                       assertion_rules };

/* A guest, or a variant of it. */
static void check_guest(const struct check *check, struct guest *guest)
{
    size_t errors = findings_errors_met(check->findings), all = findings_count(check->findings, HINT);
    about_guest(check->findings, guest);
    for (size_t t = 0; t < G_N_ELEMENTS(model_tables); t++)
        for (const struct model_rule *rule = model_tables[t]; rule->run; rule++)
            if (!rule->of_whole || !guest->is_incomplete)
                rule->run(check, guest);
    guest->is_broken |= findings_errors_met(check->findings) > errors;
    tell_origins_since(check->findings, all, check->site, guest);
}

void check_model(struct arena *arena, struct findings *findings, struct site *site)
{
    struct check check = { .arena = arena, .findings = findings, .site = site };
    for (uint32_t i = 0; i < site->guest_count; i++) {
        struct guest *guest = &site->guests[i];
        if (guest->instance > 1) { /* alike: told at the first */
            guest->is_broken |= site->guests[i - 1].is_broken;
            continue;
        }
        check_guest(&check, guest);
        for (uint32_t v = 0; v < guest->variant_count; v++) {
            check_guest(&check, guest->variants[v].guest);
            guest->is_broken |= guest->variants[v].guest->is_broken;
        }
    }
    about_guest(findings, NULL);
}

static void check_planned_guest(const struct check *check, const struct planned_guest *planned)
{
    about_guest(check->findings, planned->guest);
    for (size_t t = 0; t < G_N_ELEMENTS(plan_tables); t++)
        for (const struct plan_rule *rule = plan_tables[t]; rule->run; rule++)
            rule->run(check, planned);
}

/* The same site, with what several rules ask of each guest found out once. */
static struct planned_site prepared(struct arena *arena, const struct planned_site *planned)
{
    struct planned_site site = *planned;
    struct planned_guest *guests = arena_copy(arena, planned->guests, planned->plan->guest_count * sizeof guests[0]);
    for (uint32_t i = 0; i < planned->plan->guest_count; i++) {
        uint32_t move_count = guests[i].plan->move_count;
        struct planned_guest *moves =
            move_count ? arena_copy(arena, guests[i].moves, move_count * sizeof moves[0]) : NULL;
        guests[i].own_cpus = find_own_cpus(arena, &guests[i]);
        guests[i].moves = moves;
        for (uint32_t m = 0; m < move_count; m++)
            moves[m].own_cpus = find_own_cpus(arena, &moves[m]);
    }
    site.guests = guests;
    return site;
}

void check_plan(struct arena *arena, struct findings *findings, const struct planned_site *as_placed)
{
    struct check check = { .arena = arena, .findings = findings, .site = as_placed->site };
    struct planned_site with_owners = prepared(arena, as_placed);
    const struct planned_site *planned = &with_owners;
    const char *failed = NULL; /* the family whose mistake was told at an earlier instance */
    for (uint32_t i = 0; i < planned->plan->guest_count; i++) {
        const struct guest *guest = planned->guests[i].guest;
        if (guest->instance > 1 && guest->family == failed)
            continue;
        size_t errors = findings_errors_met(findings), all = findings_count(findings, HINT);
        check_planned_guest(&check, &planned->guests[i]);
        for (uint32_t m = 0; m < planned->guests[i].plan->move_count; m++)
            check_planned_guest(&check, &planned->guests[i].moves[m]);
        tell_origins_since(findings, all, as_placed->site, guest);
        failed = findings_errors_met(findings) > errors ? guest->family : NULL;
    }
    for (size_t t = 0; t < G_N_ELEMENTS(site_tables); t++)
        for (const struct site_rule *rule = site_tables[t]; rule->run; rule++) {
            about_guest(findings, NULL);
            rule->run(&check, planned);
        }
    about_guest(findings, NULL);
}
