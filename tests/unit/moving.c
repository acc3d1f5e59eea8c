/* SPDX-License-Identifier: MIT
 *
 * That a guest looks the same where it moves to, and stands there as its groups want: a plan as placed is found sound,
 * and one that differs there in a single thing is not, as the only judge of what the placer made.
 */
#include "finding_bench.h"
#include "planning.h"

static const char site_text[] =
    "host h { synthetic \"pack:2 [numa(memory=16GiB)] core:4 pu:2\" }\n"
    "host i { synthetic \"pack:4 [numa(memory=16GiB)] core:4 pu:2\" }\n"
    "guest g { vcpus 4 { max 8 }; memory 4GiB { max 8GiB; slots 2 }; cells 2; iothreads 2; host h; migrate i\n"
    "    hmat auto; cpu { features topoext }; expander-bus pcie1 { cell 0; ports 2 }\n"
    "    dimm d0 { size 1GiB; cell 1; slot 0 }; at i { node 2-3 } }\n";

/* ---- what may not differ ---------------------------------------------------------------------------------------- */

static struct plan_cell *cells_of(struct plan_guest *guest)
{
    return (struct plan_cell *)(uintptr_t)guest->cells;
}

static struct plan_memory_device *device_of(struct plan_guest *guest)
{
    return (struct plan_memory_device *)(uintptr_t)guest->memory_devices;
}

static void nothing(struct arena *arena, struct plan_guest *guest)
{
    (void)arena;
    guest->emulator_cpus = NULL;
}

static void uuid(struct arena *arena, struct plan_guest *guest)
{
    guest->uuid = arena_string(arena, "5e6c2e5e-8a52-5b7c-9d5a-0123456789ab", 36);
}

static void machine(struct arena *arena, struct plan_guest *guest)
{
    guest->machine = arena_string(arena, "pc", 2);
}

static void cpu(struct arena *arena, struct plan_guest *guest)
{
    guest->cpu_model = arena_string(arena, "Haswell", 7);
}

static void features(struct arena *arena, struct plan_guest *guest)
{
    (void)arena;
    guest->feature_count = 0;
}

static void topology(struct arena *arena, struct plan_guest *guest)
{
    (void)arena;
    guest->sockets /= 2;
    guest->cores *= 2;
}

static void books(struct arena *arena, struct plan_guest *guest)
{
    (void)arena;
    guest->books = 2;
}

static void online(struct arena *arena, struct plan_guest *guest)
{
    guest->online = ids_from_range(arena, 0, 1);
}

static void caches(struct arena *arena, struct plan_guest *guest)
{
    (void)arena;
    guest->cache_levels[CPU_CACHE_L3] = SHARED_DIE;
}

static void memory_of_cells(struct arena *arena, struct plan_guest *guest)
{
    (void)arena;
    cells_of(guest)[0].memory_bytes -= MIB;
    cells_of(guest)[1].memory_bytes += MIB;
}

static void vcpus_of_cells(struct arena *arena, struct plan_guest *guest)
{
    const struct ids *first = cells_of(guest)[0].vcpus;
    (void)arena;
    cells_of(guest)[0].vcpus = cells_of(guest)[1].vcpus;
    cells_of(guest)[1].vcpus = first;
}

static void distances(struct arena *arena, struct plan_guest *guest)
{
    uint32_t *values = arena_copy(arena, guest->distances, 4 * sizeof *values);
    values[1]++;
    guest->distances = values;
}

static void initiators(struct arena *arena, struct plan_guest *guest)
{
    (void)arena;
    cells_of(guest)[0].initiator = 1;
}

static void slots(struct arena *arena, struct plan_guest *guest)
{
    (void)arena;
    guest->memory_slots++;
}

static void device_slot(struct arena *arena, struct plan_guest *guest)
{
    (void)arena;
    device_of(guest)[0].slot++;
}

static void devices(struct arena *arena, struct plan_guest *guest)
{
    (void)arena;
    guest->memory_device_count = 0;
}

static void iothreads(struct arena *arena, struct plan_guest *guest)
{
    (void)arena;
    guest->iothread_count--;
}

static void buses(struct arena *arena, struct plan_guest *guest)
{
    (void)arena;
    ((struct plan_expander *)(uintptr_t)guest->expanders)[0].number--;
}

static const struct {
    const char *name, *told; /* told: a part of the message; NULL: nothing is */
    void (*change)(struct arena *arena, struct plan_guest *guest);
} changes[] = {
    { "pins-may-differ", NULL, nothing },
    { "uuid", "its name or UUID", uuid },
    { "machine", "its machine", machine },
    { "cpu", "its CPU model", cpu },
    { "features", "its CPU model", features },
    { "topology", "the topology of its vCPUs", topology },
    { "books", "the topology of its vCPUs", books },
    { "online", "which of its vCPUs are there", online },
    { "caches", "the caches of its vCPUs", caches },
    { "memory-of-cells", "the memory of its cells", memory_of_cells },
    { "vcpus-of-cells", "the vCPUs of its cells", vcpus_of_cells },
    { "distances", "its distances", distances },
    { "initiators", "its latencies, bandwidths or side caches", initiators },
    { "slots", "its memory", slots },
    { "device-slot", "its memory devices", device_slot },
    { "devices", "its memory devices", devices },
    { "iothreads", "the number of its iothreads", iothreads },
    { "buses", "the buses of its devices", buses },
};

/* ---- judging ---------------------------------------------------------------------------------------------------- */

static void judge(const void *position)
{
    size_t at = (size_t)(uintptr_t)position;
    struct planning planning;
    planning_open(&planning, site_text);
    const struct plan *plan = planning.planned->plan;
    g_assert_false(findings_have_errors(planning.findings));
    g_assert_cmpuint(plan->guest_count, ==, 1);
    g_assert_cmpuint(plan->guests[0].move_count, ==, 1);
    changes[at].change(planning.arena, (struct plan_guest *)(uintptr_t)&plan->guests[0].moves[0]);
    check_plan(planning.arena, planning.findings, planning.planned);
    const struct finding *finding = found(planning.findings, NM_move_is_seen);
    if (!changes[at].told)
        g_assert_null(finding);
    else if (!finding)
        g_test_fail_printf("nothing was told");
    else
        g_assert_nonnull(strstr(finding->message, changes[at].told));
    planning_close(&planning);
}

/* A place of a variant that the placer would never give it is found by the rule alone. */
static void stands_as_grouped(void)
{
    struct planning planning;
    planning_open(&planning, "host h { synthetic \"pack:2 [numa(memory=16GiB)] core:4 pu:1\" }\n"
                             "host i { like h }\n"
                             "guest g { vcpus 1; memory 1GiB; pin cpus; host h; migrate i }\n"
                             "guest o { vcpus 1; memory 1GiB; pin cpus; host i; node 0 }\n"
                             "guest p { vcpus 1; memory 1GiB; pin cpus; host h; migrate i }\n"
                             "group a { guests g o; apart node }\n"
                             "group t { guests g p; together socket }\n");
    const struct plan_guest *guests = planning.planned->plan->guests;
    check_plan(planning.arena, planning.findings, planning.planned);
    g_assert_null(found(planning.findings, NM_group_broken));
    struct plan_guest *moved = (struct plan_guest *)(uintptr_t)&guests[0].moves[0];
    moved->vcpu_cpus = guests[1].vcpu_cpus; /* where the other one is */
    moved->cells = guests[1].cells;
    check_plan(planning.arena, planning.findings, planning.planned);
    g_assert_nonnull(found(planning.findings, NM_group_broken));
    g_assert_cmpuint(findings_count(planning.findings, ERROR), ==, 2);
    planning_close(&planning);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/moving/stands-as-grouped", stands_as_grouped);
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++) {
        g_autofree char *path = g_strconcat("/moving/", changes[i].name, NULL);
        g_test_add_data_func(path, (const void *)(uintptr_t)i, judge);
    }
    return g_test_run();
}
