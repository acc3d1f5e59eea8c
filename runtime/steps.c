/* SPDX-License-Identifier: MIT
 *
 * The steps of a guest, from its plan.  Nothing is asked of the machine here: the same plan gives the same steps.
 */
#include "cgroup.h"
#include "engine.h"

static void add(GArray *steps, struct step step)
{
    g_array_append_val(steps, step);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

struct demand {
    uint32_t node;
    uint64_t page_bytes, bytes;
};

static void want(GArray *demands, uint32_t node, uint64_t page_bytes, uint64_t bytes)
{
    for (unsigned i = 0; i < demands->len; i++) {
        struct demand *demand = &g_array_index(demands, struct demand, i);
        if (demand->node == node && demand->page_bytes == page_bytes) {
            demand->bytes += bytes;
            return;
        }
    }
    struct demand demand = { node, page_bytes, bytes };
    g_array_append_val(demands, demand);
}

static int by_node(const void *a, const void *b)
{
    const struct demand *one = a, *other = b;
    if (one->node != other->node)
        return one->node < other->node ? -1 : 1;
    return (one->page_bytes > other->page_bytes) - (one->page_bytes < other->page_bytes);
}

/* Only a cell on one node says how much that node must have; over several nodes the kernel chooses. */
static void memory_steps(GArray *steps, const struct plan_guest *guest, bool reserves)
{
    g_autoptr(GArray) demands = g_array_new(FALSE, FALSE, sizeof(struct demand));
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        const struct plan_cell *cell = &guest->cells[c];
        if (cell->memory_bytes && cell->nodes && cell->policy == POLICY_STRICT && ids_size(cell->nodes) == 1)
            want(demands, ids_first(cell->nodes), cell->page_bytes, cell->memory_bytes);
    }
    g_array_sort(demands, by_node);
    for (unsigned i = 0; i < demands->len; i++) {
        const struct demand *demand = &g_array_index(demands, struct demand, i);
        struct step step = { .kind = STEP_ROOM, .node = demand->node, .bytes = demand->bytes };
        if (demand->page_bytes) {
            step.kind = reserves ? STEP_RESERVE : STEP_PAGES;
            step.page_bytes = demand->page_bytes;
            step.count = demand->bytes / demand->page_bytes;
        }
        add(steps, step);
    }
}

/* ---- threads ---------------------------------------------------------------------------------------------------- */

static void pin(GArray *steps, enum thread_kind threads, uint32_t number, const struct ids *cpus)
{
    if (cpus)
        add(steps, (struct step){ .kind = STEP_PIN, .threads = threads, .number = number, .cpus = cpus });
}

static void schedule(GArray *steps, enum thread_kind threads, uint32_t number, struct plan_scheduling scheduling)
{
    if (scheduling.class != THREAD_NORMAL)
        add(steps,
            (struct step){ .kind = STEP_SCHEDULE, .threads = threads, .number = number, .scheduling = scheduling });
}

/* One that waits to be plugged has no thread yet. */
static bool is_there(const struct plan_guest *guest, uint32_t vcpu)
{
    return !guest->online || ids_contains(guest->online, vcpu);
}

static void thread_steps(GArray *steps, const struct plan_guest *guest)
{
    pin(steps, THREADS_EMULATOR, 0, guest->emulator_cpus);
    for (uint32_t vcpu = 0; vcpu < guest->vcpu_count; vcpu++)
        if (is_there(guest, vcpu))
            pin(steps, THREADS_VCPU, vcpu, guest->vcpu_cpus[vcpu]);
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        pin(steps, THREADS_IOTHREAD, i, guest->iothreads[i].cpus);
    schedule(steps, THREADS_EMULATOR, 0, guest->emulator_scheduling);
    for (uint32_t i = 0; i < guest->scheduling_count; i++)
        for (ids_each(guest->schedulings[i].vcpus, vcpu))
            if (is_there(guest, vcpu))
                schedule(steps, THREADS_VCPU, vcpu, guest->schedulings[i].scheduling);
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        schedule(steps, THREADS_IOTHREAD, i, guest->iothreads[i].scheduling);
}

struct step_list steps_of(struct agent *agent, const struct bundle_guest *guest, const struct engine *engine)
{
    g_autoptr(GArray) steps = g_array_new(FALSE, TRUE, sizeof(struct step));
    if (!agent->is_remote && guest->host)
        add(steps, (struct step){ .kind = STEP_HOST });
    if (!agent->is_remote)
        memory_steps(steps, guest->plan, agent->bundle->reserve_pages);
    struct cgroup_limits limits = cgroup_limits(agent->arena, guest->plan);
    if (!engine->places_threads && (limits.cpus || limits.nodes))
        add(steps, (struct step){ .kind = STEP_CGROUP });
    add(steps, (struct step){ .kind = STEP_START });
    if (!engine->places_threads)
        thread_steps(steps, guest->plan);
    if (!agent->is_remote) { /* libvirt has no words for them */
        pin(steps, THREADS_VHOST, 0, guest->plan->vhost_cpus);
        schedule(steps, THREADS_VHOST, 0, guest->plan->vhost_scheduling);
    }
    add(steps, (struct step){ .kind = STEP_VERIFY });
    add(steps, (struct step){ .kind = STEP_CONTINUE });
    return (struct step_list){ arena_copy(agent->arena, steps->data, steps->len * sizeof(struct step)), steps->len };
}

/* ---- as text ---------------------------------------------------------------------------------------------------- */

static void describe_threads(const struct bundle_guest *guest, const struct step *step, GString *out)
{
    switch (step->threads) {
    case THREADS_VCPU:
        g_string_append_printf(out, "vcpu %u", step->number);
        return;
    case THREADS_EMULATOR:
        append(out, "the emulator");
        return;
    case THREADS_IOTHREAD:
        g_string_append_printf(out, "iothread %u", guest->plan->iothreads[step->number].id);
        return;
    case THREADS_VHOST:
        append(out, "the vhost workers");
        return;
    }
}

static void describe_pages(const struct step *step, GString *out)
{
    g_string_append_printf(out, "%" G_GUINT64_FORMAT " free pages of ", step->count);
    size_append(out, step->page_bytes);
}

void step_describe(const struct bundle_guest *guest, const struct step *step, GString *out)
{
    switch (step->kind) {
    case STEP_HOST:
        g_string_append_printf(out, "see that this machine is host %s as planned", guest->host->name);
        return;
    case STEP_ROOM:
        g_string_append_printf(out, "see that node %u has ", step->node);
        size_append(out, step->bytes);
        append(out, " free");
        return;
    case STEP_PAGES:
    case STEP_RESERVE:
        g_string_append_printf(out, "see that node %u has ", step->node);
        describe_pages(step, out);
        append(out, step->kind == STEP_RESERVE ? ", or add them to its pool" : "");
        return;
    case STEP_CGROUP:
        append(out, "make a cgroup for QEMU, where it can have one");
        return;
    case STEP_START:
        append(out, "start QEMU, its CPUs stopped");
        return;
    case STEP_PIN:
        append(out, "pin ");
        describe_threads(guest, step, out);
        append(out, " to cpus ");
        ids_append(out, step->cpus);
        return;
    case STEP_SCHEDULE:
        append(out, "schedule ");
        describe_threads(guest, step, out);
        g_string_append_printf(out, " as %s", thread_class_word(step->scheduling.class));
        if (step->scheduling.priority)
            g_string_append_printf(out, " %u", step->scheduling.priority);
        return;
    case STEP_VERIFY:
        append(out, "verify that it is where the plan says");
        return;
    case STEP_CONTINUE:
        append(out, "start its CPUs");
        return;
    case STEP_KINDS:
        break;
    }
    bug("a step of no kind");
}
