/* SPDX-License-Identifier: MIT
 *
 * Where guests go, as a table: a site on small made-up hosts, and in a line a guest what it got, cell by cell,
 * "nodes:CPUs", or why it got nothing.
 */
#include "planning.h"

struct placement {
    const char *name, *site, *wanted;
};

#define TWO "host h { synthetic \"pack:2 [numa(memory=16GiB)] l3:2 core:2 pu:2\"; isolated 15 }\n"
#define FOUR "host h { synthetic \"pack:4 [numa(memory=8GiB)] core:4 pu:1\"; isolated 15 }\n"

static const struct placement placements[] = {
    /* ---- fewest nodes, whole cores, one L3 --------------------------------------------------------------------------
     */
    { "one-node", TWO "guest g { vcpus 4; memory 2GiB }", "g: 0:0-7\n" },
    { "cells-by-need", TWO "guest g { vcpus 4; memory 24GiB }", "g: 0:0-7 1:8-14\n" },
    { "whole-cores", TWO "guest g { vcpus 4; memory 2GiB; pin cores }", "g: 0:0,1,2,3\n" },
    { "a-core-each", TWO "guest g { vcpus 2 { threads 1 }; memory 2GiB; pin cores }", "g: 0:0,2\n" },
    /* c and b name places and come first; a packs beside them, on what is left of the core of b */
    { "broken-core-first",
      TWO "host i { like h }\nguest a { host h; vcpus 1; memory 1GiB; pin cpus }\n"
          "guest b { host h; vcpus 1; memory 1GiB; pin cpus; node 1; cpus 8 }\n"
          "guest c { host h; vcpus 1; memory 1GiB; pin cpus; node 1 }",
      "a: 1:9\nb: 1:8\nc: 1:15\n" },
    { "within-l3", TWO "guest g { count 2; vcpus 4; memory 1GiB; within l3 }", "g-1: 0:0-3\ng-2: 0:4-7\n" },
    { "pin-none", TWO "guest g { vcpus 2; memory 1GiB; pin none }", "g: 0:-\n" },

    /* ---- reserves, isolated and shared CPUs -------------------------------------------------------------------------
     */
    { "reserved", TWO "host r { like h; reserve os { cpus 0-1 } }\nguest g { host r; vcpus 2; memory 1GiB; pin cores }",
      "g: 0:2,3\n" },
    { "isolated-for-own", TWO "host r { like h; isolated 4-7 }\nguest g { host r; vcpus 2; memory 1GiB; pin cpus }",
      "g: 0:4,5\n" },
    { "isolated-not-floated", TWO "host r { like h; isolated 4-7 }\nguest g { host r; vcpus 2; memory 1GiB; node 0 }",
      "g: 0:0-3\n" },

    /* ---- what people fix --------------------------------------------------------------------------------------------
     */
    { "node", TWO "guest g { vcpus 2; memory 1GiB; node 1; pin cpus }", "g: 1:8,9\n" },
    { "fallback",
      TWO "guest a { vcpus 2; memory 12GiB; node 0 }\nguest b { vcpus 2; memory 12GiB; node 0 { fallback 1 } }",
      "a: 0:0-7\nb: 1:8-14\n" },
    { "interleave", TWO "guest g { vcpus 2; memory 8GiB; node 0-1 interleave }", "g: 0-1:0-14\n" },
    { "preferred", TWO "guest g { vcpus 2; memory 40GiB; node 1 preferred }", "g: 1:8-14\n" },
    { "table-before-all",
      TWO "guest a { vcpus 2; memory 1GiB; pin cpus }\nguest b { vcpus 2; memory 1GiB; pin { 0-1 0-1 each } }",
      "a: 0:2,3\nb: 0:0,1\n" },
    { "automatic-goes-around", TWO "guest a { vcpus 2; memory 10GiB }\nguest b { vcpus 2; memory 10GiB; node 0 }",
      "a: 1:8-14\nb: 0:0-7\n" },

    /* ---- several cells ----------------------------------------------------------------------------------------------
     */
    { "own-nodes", FOUR "guest g { vcpus 4; memory 4GiB; cells 2; pin cpus }", "g: 0:0,1 1:4,5\n" },
    { "share-nodes", TWO "guest g { vcpus 6; memory 3GiB; cells 3; pin cpus }", "g: 0:0,1 0:2,3 0:4,5\n" },
    { "cells-differ",
      FOUR "guest g { cell a { vcpus 4; memory 7GiB }; cell b { vcpus 1; memory 1GiB; node 0; pin cpus } }",
      "g: 1:4-7 0:0\n" },
    { "cells-host", FOUR "guest g { vcpus 8; memory 8GiB; cells host; pin cpus }", "g: 0:0,1 1:4,5 2:8,9 3:12,13\n" },
    { "takes-all", TWO "guest g { vcpus all; memory all; cells host; pin cores }",
      "g: 0:0,1,2,3,4,5,6,7 1:8,9,10,11,12,13,14,15\n" },

    /* ---- several hosts ----------------------------------------------------------------------------------------------
     */
    { "pack", TWO "host i { like h }\nguest g { count 2; vcpus 2; memory 1GiB; pin cpus }",
      "g-1: h 0:0,1\ng-2: h 0:2,3\n" },
    { "spread", "placement spread\n" TWO "host i { like h }\nguest g { count 2; vcpus 2; memory 1GiB; pin cores }",
      "g-1: h 0:0,1\ng-2: i 0:0,1\n" },
    { "named-hosts", TWO "host i { like h }\nhost j { like h }\nguest g { vcpus 2; memory 1GiB; host j i; pin cores }",
      "g: j 0:0,1\n" },
    { "at-a-host",
      TWO "host i { like h }\nguest g { vcpus 2; memory 1GiB; host i h; pin cores; at i { node 1 }; at h { vcpus 4 } }",
      "g: 1:8,9\n" },
    { "at-the-next-host",
      TWO "host i { like h }\nguest g { vcpus 2; memory 1GiB; host i h; pin cpus; at i { node 1; memory 20GiB }; "
          "at h { cells 2; node 0 } }",
      "g: 0:0 0:1\n" },
    { "next-host", TWO "host i { like h }\nguest g { count 3; vcpus 8; memory 15GiB }",
      "g-1: h 0:0-7\ng-2: i 0:0-7\ng-3: h 1:8-14\n" },

    /* ---- unknown is not zero ----------------------------------------------------------------------------------------
     */
    { "no-memory-known", "host h { synthetic \"pack:2 [numa] core:2 pu:1\" }\nguest g { vcpus 2; memory 900GiB }",
      "g: 0:0-1\n" },

    /* ---- refusals name the cause ------------------------------------------------------------------------------------
     */
    { "memory", TWO "guest g { vcpus 2; memory 18GiB; node 0 }",
      "NM1102 guest 'g' does not fit: it needs 18GiB, and node 0 of host 'h' has 16GiB free\n"
      "  ask for less: 'memory 16GiB'\n" },
    { "memory-in-all", TWO "guest g { vcpus 2; memory 64GiB }",
      "NM1102 guest 'g' does not fit: it needs 64GiB, and host 'h' has 32GiB free on all its nodes\n"
      "  ask for less: 'memory 32GiB'\n" },
    { "pages",
      "host h { synthetic \"pack:2 [numa(memory=16GiB)] core:4 pu:1\"; hugepages 1GiB { 0 2; 1 4 } }\n"
      "guest g { vcpus 2; memory 6GiB; pages 1GiB; node 0 }",
      "NM1103 guest 'g' does not fit: it needs 6 pages of 1GiB, and node 0 of host 'h' has 2 free\n"
      "  give node 0 of host 'h' 6 pages: 'hugepages 1GiB { 0 6 }'\n  write 'pages normal'\n  ask for less: 'memory "
      "2GiB'\n" },
    { "pages-of-one-node",
      "host h { synthetic \"pack:2 [numa(memory=16GiB)] core:4 pu:1\"; hugepages 1GiB { 0 2; 1 4 } }\n"
      "guest g { vcpus 2; memory 8GiB; cells 2; pages 1GiB; pin cores }",
      "NM1103 guest 'g' does not fit: each of its 2 cells needs 4 pages of 1GiB, and host 'h' has room for 1 of them, "
      "on node 1; "
      "node 0 has 2 free\n"
      "  give node 0 of host 'h' 4 pages: 'hugepages 1GiB { 0 4 }'\n  write 'pages normal'\n  ask for less: 'memory "
      "4GiB'\n" },
    { "cores", TWO "guest g { vcpus 6 { threads 1 }; memory 1GiB; pin cores; node 0 }",
      "NM1105 guest 'g' does not fit: it needs 6 whole cores, and node 0 of host 'h' has 4 free\n"
      "  give it single CPUs: 'pin cpus'\n  ask for fewer: 'vcpus 4'\n" },
    { "family", FOUR "guest g { count 6; vcpus 4; memory 2GiB; pin cpus }",
      "NM1104 only 4 of the 6 guests 'g' fit: the next needs 4 CPUs of its own, and host 'h' has 0 free on all its "
      "nodes\n"
      "  write 'count 4'\n  let its vCPUs share: 'pin node'\n  ask for fewer: 'vcpus 2'\n" },
    { "within", TWO "guest g { vcpus 6; memory 1GiB; pin cpus; within l3 }",
      "NM1104 guest 'g' does not fit: it needs 6 CPUs of its own, and L3 0 of host 'h' has 4 free\n"
      "  write 'within node'\n  let its vCPUs share: 'pin node'\n  ask for fewer: 'vcpus 4'\n" },
    { "apart",
      FOUR "guest m { vcpus 1; memory 7GiB; node 0 }\nguest c { vcpus 3; memory 1GiB; node 1-3; cpus 4-15; pin none }\n"
           "guest d { pin cpus; cell a { vcpus 4; memory 1GiB; node 1 }; cell b { vcpus 4; memory 1GiB; node 2 }; cell "
           "c { vcpus 4; memory 1GiB; node 3 } }\n"
           "guest g { vcpus 2; memory 4GiB; cells 1; pin cpus }",
      "NM1107 guest 'g' does not fit: there are CPUs and memory enough, but not on the same nodes of host 'h': node 0 "
      "is short of "
      "memory, node 1 is short of CPUs, node 2 is short of CPUs, node 3 is short of CPUs\n"
      "  ask for less: 'memory 1GiB'\n" },
    { "emulator", TWO "guest g { vcpus 8; memory 1GiB; pin cpus; node 0; emulator isolate }",
      "NM1104 guest 'g' does not fit: it needs 8 CPUs of its own beside one for its emulator, and node 0 of host 'h' "
      "has 7 free\n"
      "  let the emulator share CPUs: 'emulator shared'\n  let its vCPUs share: 'pin node'\n  ask for fewer: 'vcpus "
      "7'\n" },

    /* ---- what is not there is told by a rule, and takes nothing -----------------------------------------------------
     */
    { "astray", TWO "guest g { vcpus 6; memory 40GiB; node 5 }\nguest i { vcpus 2; memory 1GiB; cpus 70; pin cpus }",
      "g: 5:-\ni: 0:-\n" },
};

static void append_cell(GString *out, struct arena *arena, const struct plan_guest *guest, const struct plan_cell *cell)
{
    g_autoptr(GString) cpus = g_string_new(NULL);
    const struct ids *before = NULL;
    g_string_append_printf(out, " %s:", cell->nodes ? ids_text(arena, cell->nodes) : "-");
    for (ids_each(cell->vcpus, vcpu)) {
        const struct ids *pin = guest->vcpu_cpus[vcpu];
        if (!pin || pin == before)
            continue;
        g_string_append_printf(cpus, "%s%s", before ? "," : "", ids_text(arena, pin));
        before = pin;
    }
    g_string_append(out, cpus->len ? cpus->str : "-");
}

static void append_guest(GString *out, struct arena *arena, const struct plan_guest *guest, bool names_host)
{
    g_string_append_printf(out, "%s:%s%s", guest->name, names_host ? " " : "", names_host ? guest->host : "");
    for (uint32_t c = 0; c < guest->cell_count; c++)
        append_cell(out, arena, guest, &guest->cells[c]);
    g_string_append_c(out, '\n');
}

static void append_refusals(GString *out, const struct findings *findings)
{
    size_t count = findings_count(findings, HINT);
    for (size_t i = 0; i < count; i++) {
        const struct finding *finding = findings_nth(findings, i);
        if (finding->severity != ERROR)
            continue;
        g_string_append_printf(out, "NM%04d %s\n", (int)finding->code, finding->message);
        for (unsigned h = 0; h < finding->help_count; h++)
            g_string_append_printf(out, "  %s\n", finding->helps[h]);
    }
}

static void places_as_wanted(const void *placement_pointer)
{
    const struct placement *placement = placement_pointer;
    struct planning planning;
    g_autoptr(GString) got = g_string_new(NULL);
    planning_open(&planning, placement->site);
    const struct plan *plan = planning.planned->plan;
    if (!findings_have_errors(planning.findings))
        for (uint32_t g = 0; g < plan->guest_count; g++)
            append_guest(got, planning.arena, &plan->guests[g],
                         strstr(placement->wanted, "-1: h") || strstr(placement->wanted, ": j"));
    append_refusals(got, planning.findings);
    g_assert_cmpstr(got->str, ==, placement->wanted);
    planning_close(&planning);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    for (size_t i = 0; i < G_N_ELEMENTS(placements); i++) {
        g_autofree char *path = g_strconcat("/place/", placements[i].name, NULL);
        g_test_add_data_func(path, &placements[i], places_as_wanted);
    }
    return g_test_run();
}
