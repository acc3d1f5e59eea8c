/* SPDX-License-Identifier: MIT
 *
 * A site in the notation of people, planned as far as it goes, with whatever was found on the way.
 */
#pragma once

#include <string.h>

#include "check/check.h"
#include "place/place.h"

struct planning {
    struct arena *arena;
    struct sources *sources;
    struct findings *findings;
    struct syntax *syntax;
    struct site_hosts hosts;
    const struct planned_site *planned;
};

static inline void planning_open(struct planning *planning, const char *text)
{
    struct model_options options = { 0 };
    planning->arena = arena_new();
    planning->sources = sources_new();
    planning->findings = findings_new(planning->sources);
    planning->syntax = syntax_new(planning->sources, planning->findings);
    uint32_t file = sources_add_text(planning->sources, "site.numa", text, strlen(text));
    struct site *site = build_site(planning->arena, planning->syntax, file, &options);
    planning->hosts = ground_hosts(planning->arena, planning->sources, planning->findings, site);
    check_model(planning->arena, planning->findings, site);
    planning->planned = place_site(planning->arena, planning->findings, site, &planning->hosts);
}

static inline void planning_close(struct planning *planning)
{
    syntax_free(planning->syntax);
    findings_free(planning->findings);
    sources_free(planning->sources);
    arena_free(planning->arena);
}
