/* SPDX-License-Identifier: MIT
 *
 * A guest on another machine: what libvirt sees there of its threads, and what QEMU was told of its memory.  Nothing
 * of this machine is looked at.  Where pages really lie, libvirt has no way to say, and so that stays open.
 */
#include <stdlib.h>
#include <string.h>

#include "backing.h"
#include "engine.h"
#include "verify.h"

struct elsewhere {
    struct arena *arena;
    const struct plan_guest *guest;
    GArray *facts;
    const char *places; /* lines of ERRAND_PLACES */
};

static const char *listed(struct elsewhere *look, const char *word, const struct ids *ids)
{
    return arena_printf(look->arena, "%s %s", word, ids_text(look->arena, ids));
}

/* ---- threads ---------------------------------------------------------------------------------------------------- */

/* "vcpu 0 2 3"; NULL: there is no such line. */
static const struct ids *place_of(struct elsewhere *look, const char *kind, uint32_t number)
{
    g_autofree char *head = g_strdup_printf("%s %u", kind, number);
    size_t length = strlen(head);
    const char *line = look->places;
    while (line && !(strncmp(line, head, length) == 0 && (line[length] == ' ' || line[length] == '\n')))
        line = (line = strchr(line, '\n')) ? line + 1 : NULL;
    if (!line)
        return NULL;
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (const char *at = line + length; *at == ' ';) {
        char *end;
        uint32_t cpu = (uint32_t)strtoul(at + 1, &end, 10);
        g_array_append_val(numbers, cpu);
        at = end;
    }
    return ids_from_sorted(look->arena, (const uint32_t *)(const void *)numbers->data, numbers->len);
}

static void compare_thread(struct elsewhere *look, enum thread_kind kind, uint32_t number, const char *what,
                           const struct ids *planned, enum verdict where_same)
{
    static const char *const words[] = {
        [THREADS_VCPU] = "vcpu", [THREADS_EMULATOR] = "emulator", [THREADS_IOTHREAD] = "iothread"
    };
    if (!planned)
        return;
    const struct ids *real = place_of(look, words[kind], number);
    struct fact fact = { .kind = FACT_THREAD,
                         .what = what,
                         .threads = kind,
                         .number = number,
                         .cpus = planned,
                         .planned = listed(look, "cpus", planned),
                         .real = real ? listed(look, "cpus", real) : "none",
                         .verdict = real && ids_equal(real, planned) ? where_same : VERDICT_WRONG };
    g_array_append_val(look->facts, fact);
}

static void compare_threads(struct elsewhere *look)
{
    const struct plan_guest *guest = look->guest;
    for (uint32_t vcpu = 0; vcpu < guest->vcpu_count; vcpu++)
        compare_thread(look, THREADS_VCPU, vcpu, arena_printf(look->arena, "vcpu %u", vcpu), guest->vcpu_cpus[vcpu],
                       VERDICT_EXACT);
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        compare_thread(look, THREADS_IOTHREAD, guest->iothreads[i].id,
                       arena_printf(look->arena, "iothread %u", guest->iothreads[i].id), guest->iothreads[i].cpus,
                       VERDICT_EXACT);
    compare_thread(look, THREADS_EMULATOR, 0, "emulator", guest->emulator_cpus, VERDICT_TOLD);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static const char *qemu_policy(enum memory_policy policy)
{
    switch (policy) {
    case POLICY_STRICT:
        return "bind";
    case POLICY_PREFERRED:
        return "preferred";
    case POLICY_INTERLEAVE:
        return "interleave";
    case POLICY_RESTRICTIVE:
        break;
    }
    return NULL; /* the cgroup rules, and the memory itself has none */
}

/* How QEMU was told to bind it.  libvirt binds the memory of a guest without cells as that of a process. */
static void compare_binding(struct elsewhere *look, const struct plan_cell *cell, const struct backing *backing)
{
    const char *policy = cell->nodes ? qemu_policy(cell->policy) : NULL;
    if (!policy || !look->guest->has_numa)
        return;
    bool same = backing->nodes && backing->policy && strcmp(backing->policy, policy) == 0 &&
                ids_equal(backing->nodes, cell->nodes);
    struct fact fact = {
        .kind = FACT_POLICY,
        .what = arena_printf(look->arena, "cell %s", cell->name),
        .planned = arena_printf(look->arena, "%s:%s", policy, ids_text(look->arena, cell->nodes)),
        .real = backing->nodes ? arena_printf(look->arena, "%s:%s", backing->policy ? backing->policy : "default",
                                              ids_text(look->arena, backing->nodes))
                               : "not bound",
        .verdict = same ? VERDICT_TOLD : VERDICT_WRONG,
    };
    g_array_append_val(look->facts, fact);
}

static bool compare_bindings(struct run *run, struct elsewhere *look, char **out_error)
{
    struct backing *backings = arena_array(look->arena, struct backing, look->guest->cell_count);
    if (!backing_find(run->monitor, look->arena, look->guest, backings, out_error))
        return false;
    for (uint32_t c = 0; c < look->guest->cell_count; c++)
        if (look->guest->cells[c].memory_bytes)
            compare_binding(look, &look->guest->cells[c], &backings[c]);
    return true;
}

/* ---- what stays open -------------------------------------------------------------------------------------------- */

static void leave_open(struct elsewhere *look, enum fact_kind kind, const char *what, const char *planned)
{
    struct fact fact = {
        .kind = kind, .what = what, .planned = planned, .real = "not told by libvirt", .verdict = VERDICT_UNKNOWN
    };
    g_array_append_val(look->facts, fact);
}

static bool has_class(const struct plan_guest *guest)
{
    bool has = guest->scheduling_count || guest->emulator_scheduling.class != THREAD_NORMAL;
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        has |= guest->iothreads[i].scheduling.class != THREAD_NORMAL;
    return has;
}

bool elsewhere_look(struct run *run, GArray *facts, char **out_error)
{
    g_autofree char *places = NULL;
    if (!run->engine->places(run, &places, out_error))
        return false;
    struct elsewhere look = { .arena = run->agent->arena, .guest = run->guest->plan, .facts = facts, .places = places };
    compare_threads(&look);
    if (!compare_bindings(run, &look, out_error))
        return false;
    if (has_class(look.guest))
        leave_open(&look, FACT_CLASS, "threads", "their classes");
    if (look.guest->vhost_cpus)
        leave_open(&look, FACT_THREAD, "vhost workers", "their cpus");
    leave_open(&look, FACT_PAGES, "pages", "their nodes");
    return true;
}
