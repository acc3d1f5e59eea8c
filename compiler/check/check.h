/* SPDX-License-Identifier: MIT
 *
 * The rules.  Each is a row and a static function: it sees the model or the plan, never both, gets only const input,
 * and repairs nothing.  A rule is silent about a value that failed before (is_failed), about a broken guest, and about
 * what its host's source does not tell.
 */
#pragma once

#include "ground/ground.h"

struct check {           /* what a rule is given beside its subject */
    struct arena *arena; /* for the texts of messages */
    struct findings *findings;
    const struct site *site;
};

struct model_rule {     /* one guest as declared; count families are checked once, at their first instance */
    const char *name;   /* the truth that should hold: "cells-cover-all-vcpus" */
    const char *source; /* where the rule comes from: "peers 11" */
    bool of_whole;      /* judges what is missing, or sums: silent where a part of the guest could not be read */
    void (*run)(const struct check *check, const struct guest *guest);
};

struct plan_rule { /* one guest as planned */
    const char *name;
    const char *source;
    void (*run)(const struct check *check, const struct planned_guest *planned);
};

struct site_rule { /* all guests together; says by about_guest() or about_host() whom a warning or hint is about */
    const char *name;
    const char *source;
    void (*run)(const struct check *check, const struct planned_site *planned);
};

/* Rows by subject, each table ends with a zeroed row. */
extern const struct model_rule cell_rules[], topology_rules[], distance_rules[], policy_rules[], pin_rules[],
    page_rules[], guest_rules[], scheduler_rules[], resctrl_rules[], hmat_rules[], bus_rules[], device_rules[],
    hotplug_rules[], numad_rules[], arch_rules[], memory_device_rules[], cache_rules[], cxl_rules[], moving_rules[],
    pseries_rules[];
extern const struct plan_rule plan_topology_rules[], plan_distance_rules[], plan_policy_rules[], plan_pin_rules[],
    plan_cpu_rules[], plan_page_rules[], plan_feature_rules[], plan_scheduler_rules[], plan_resctrl_rules[],
    plan_hmat_rules[], plan_device_rules[], plan_numad_rules[], plan_arch_rules[], plan_socket_rules[],
    plan_memory_rules[], plan_pseries_rules[], plan_cache_rules[], plan_moving_rules[];
extern const struct site_rule site_rules[], host_rules[], resctrl_site_rules[], device_site_rules[], numad_site_rules[],
    group_rules[], assertion_rules[];

/* Runs the model rules and marks guests with errors as broken: the one thing that a check leaves behind. */
void check_model(struct arena *arena, struct findings *findings, struct site *site);
void check_plan(struct arena *arena, struct findings *findings, const struct planned_site *planned);
