/* SPDX-License-Identifier: MIT
 *
 * Where a running guest's memory is, node by node, how much of it is remote to the vCPUs of its cell, and on which CPU
 * each thread ran last.  Nothing is judged here: verify does.
 */
#include "stat.h"

#include <string.h>

#include "backing.h"
#include "host_pages.h"
#include "proc.h"

enum { MOST_NODES = 1024 };

struct usage { /* bytes by node */
    const char *what;
    uint64_t *bytes;
    uint64_t all;
};

struct usages {
    const struct task *tasks;
    uint32_t task_count;
    GArray *rows; /* cells, then the rest, then the sum */
    uint32_t node_count;
    uint64_t cells, remote;
};

static void count(struct usage *usage, const struct memory *memory, uint32_t *node_count)
{
    for (uint32_t a = 0; a < memory->count; a++) {
        const struct memory_area *area = &memory->areas[a];
        for (uint32_t node = 0; node < area->node_count && node < MOST_NODES; node++) {
            usage->bytes[node] += area->pages[node] * area->page_bytes;
            usage->all += area->pages[node] * area->page_bytes;
            if (area->pages[node])
                *node_count = MAX(*node_count, node + 1);
        }
    }
}

/* Nodes on which the vCPUs of a cell ran last. */
static void local_nodes(const struct run *run, const struct usages *usages, const struct plan_cell *cell, bool *local)
{
    for (ids_each(cell->vcpus, vcpu))
        for (uint32_t i = 0; i < usages->task_count; i++) {
            const struct task *task = &usages->tasks[i];
            uint32_t node;
            if (task->id == run->threads.vcpus[vcpu] && node_of_cpu(task->last_cpu, &node) && node < MOST_NODES)
                local[node] = true;
        }
}

static void add_remote(struct run *run, const struct plan_cell *cell, const struct usage *usage, struct usages *out)
{
    bool local[MOST_NODES] = { false };
    if (!ids_size(cell->vcpus) || run->threads.is_nameless)
        return;
    local_nodes(run, out, cell, local);
    out->cells += usage->all;
    for (uint32_t node = 0; node < out->node_count; node++)
        out->remote += local[node] ? 0 : usage->bytes[node];
}

static bool gather(struct run *run, struct usages *out, char **out_error)
{
    const struct plan_guest *guest = run->guest->plan;
    struct arena *arena = run->agent->arena;
    struct backing *backings = arena_array(arena, struct backing, guest->cell_count);
    struct memory all;
    struct usage rest = { .what = "QEMU itself", .bytes = arena_array(arena, uint64_t, MOST_NODES) };
    struct usage sum = { .what = "total", .bytes = arena_array(arena, uint64_t, MOST_NODES) };
    if (run->monitor && !backing_find(run->monitor, arena, guest, backings, out_error))
        return false;
    if (!proc_memory(arena, run->threads.qemu, &all) ||
        !proc_tasks(arena, run->threads.qemu, &out->tasks, &out->task_count)) {
        *out_error = g_strdup("its process is not ours to look into, or is gone");
        return false;
    }
    if (!run->monitor)
        backing_of_process(arena, &all, guest, backings);
    count(&sum, &all, &out->node_count);
    memcpy(rest.bytes, sum.bytes, MOST_NODES * sizeof *rest.bytes);
    rest.all = sum.all;
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        struct usage usage = { .what = arena_printf(arena, "cell %s", guest->cells[c].name),
                               .bytes = arena_array(arena, uint64_t, MOST_NODES) };
        struct memory own = memory_within(&all, backings[c].begin, backings[c].begin + backings[c].bytes);
        count(&usage, &own, &out->node_count);
        add_remote(run, &guest->cells[c], &usage, out);
        for (uint32_t node = 0; node < MOST_NODES; node++)
            rest.bytes[node] -= MIN(rest.bytes[node], usage.bytes[node]);
        rest.all -= MIN(rest.all, usage.all);
        g_array_append_val(out->rows, usage);
    }
    g_array_append_val(out->rows, rest);
    g_array_append_val(out->rows, sum);
    return true;
}

/* ---- threads ---------------------------------------------------------------------------------------------------- */

static const char *role_of(struct run *run, const struct task *task)
{
    for (uint32_t i = 0; i < run->threads.vcpu_count; i++)
        if (run->threads.vcpus[i] == task->id)
            return arena_printf(run->agent->arena, "vcpu %u", i);
    for (uint32_t i = 0; i < run->threads.iothread_count; i++)
        if (run->threads.iothreads[i] == task->id)
            return arena_printf(run->agent->arena, "iothread %u", run->guest->plan->iothreads[i].id);
    if (task->id == run->threads.qemu)
        return "emulator";
    return run->threads.is_nameless ? "some thread" : NULL;
}

/* ---- as a table ------------------------------------------------------------------------------------------------- */

static void show_usages(const struct usages *usages, GString *out)
{
    g_string_append_printf(out, "  %-14s", "MiB");
    for (uint32_t node = 0; node < usages->node_count; node++) {
        g_autofree char *name = g_strdup_printf("node %u", node);
        g_string_append_printf(out, "%12s", name);
    }
    g_string_append_printf(out, "%12s\n", "total");
    for (unsigned i = 0; i < usages->rows->len; i++) {
        const struct usage *usage = &g_array_index(usages->rows, struct usage, i);
        g_string_append_printf(out, "  %-14s", usage->what);
        for (uint32_t node = 0; node < usages->node_count; node++)
            g_string_append_printf(out, "%12.1f", (double)usage->bytes[node] / (double)MIB);
        g_string_append_printf(out, "%12.1f\n", (double)usage->all / (double)MIB);
    }
}

static void show_threads(struct run *run, const struct usages *usages, GString *out)
{
    g_string_append_printf(out, "  %-14s%12s%8s  %s\n", "thread", "now on cpu", "node", "may use");
    for (uint32_t i = 0; i < usages->task_count; i++) {
        const struct task *task = &usages->tasks[i];
        const char *role = role_of(run, task);
        uint32_t node;
        if (!role)
            continue;
        g_autofree char *place = node_of_cpu(task->last_cpu, &node) ? g_strdup_printf("%u", node) : g_strdup("?");
        g_string_append_printf(out, "  %-14s%12u%8s  %s\n", role, task->last_cpu, place,
                               ids_text(run->agent->arena, task->cpus));
    }
}

static void show_text(struct run *run, const struct usages *usages, GString *out)
{
    g_string_append_printf(out, "guest %s, process %d", run->guest->plan->name, run->threads.qemu);
    if (usages->cells)
        g_string_append_printf(out, ", %.1f %% of its memory remote",
                               (double)usages->remote * 100 / (double)usages->cells);
    append(out, "\n");
    show_usages(usages, out);
    show_threads(run, usages, out);
}

/* ---- as JSON ---------------------------------------------------------------------------------------------------- */

static void write_json(struct run *run, const struct usages *usages, struct json *json)
{
    json_object(json, NULL);
    json_string(json, "name", run->guest->plan->name);
    json_number(json, "pid", (uint64_t)run->threads.qemu);
    json_number(json, "remote_bytes", usages->remote);
    json_array(json, "memory");
    for (unsigned i = 0; i < usages->rows->len; i++) {
        const struct usage *usage = &g_array_index(usages->rows, struct usage, i);
        json_object(json, NULL);
        json_string(json, "what", usage->what);
        json_inline_array(json, "bytes_by_node");
        for (uint32_t node = 0; node < usages->node_count; node++)
            json_number(json, NULL, usage->bytes[node]);
        json_end(json, ']');
        json_end(json, '}');
    }
    json_end(json, ']');
    json_array(json, "threads");
    for (uint32_t i = 0; i < usages->task_count; i++) {
        const struct task *task = &usages->tasks[i];
        const char *role = role_of(run, task);
        if (!role)
            continue;
        json_object(json, NULL);
        json_string(json, "what", role);
        json_number(json, "thread", (uint64_t)task->id);
        json_number(json, "last_cpu", task->last_cpu);
        json_ids(json, "cpus", task->cpus);
        json_end(json, '}');
    }
    json_end(json, ']');
    json_end(json, '}');
}

void stat_show(struct run *run)
{
    g_autofree char *error = NULL;
    struct usages usages = { .rows = g_array_new(FALSE, FALSE, sizeof(struct usage)) };
    if (run->agent->is_remote)
        error = g_strdup("it runs on another machine");
    if (error || !gather(run, &usages, &error)) {
        run->agent->is_refused = true;
        tell(run->agent, NM_cannot_verify, "guest '%s' cannot be looked into: %s", run->guest->plan->name, error);
    } else if (run->agent->json) {
        write_json(run, &usages, run->agent->json);
    } else {
        show_text(run, &usages, run->agent->result);
    }
    g_array_free(usages.rows, TRUE);
}
