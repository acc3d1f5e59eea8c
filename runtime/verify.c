/* SPDX-License-Identifier: MIT
 *
 * Gathers the facts of one running guest and compares each with the plan.
 */
#include "verify.h"

#include <stdlib.h>
#include <string.h>

#include "affinity.h"
#include "backing.h"
#include "cgroup.h"
#include "proc.h"

struct look {
    struct run *run;
    struct arena *arena;
    const struct plan_guest *guest;
    GArray *facts;
    const struct task *tasks;
    uint32_t task_count;
};

static void add(struct look *look, struct fact fact)
{
    g_array_append_val(look->facts, fact);
}

static void not_seen(struct look *look, enum fact_kind kind, const char *what, const char *planned, const char *why)
{
    add(look, (struct fact){ .kind = kind, .what = what, .planned = planned, .real = why, .verdict = VERDICT_UNKNOWN });
}

static const char *listed(struct look *look, const char *word, const struct ids *ids)
{
    return arena_printf(look->arena, "%s %s", word, ids_text(look->arena, ids));
}

/* ---- threads ---------------------------------------------------------------------------------------------------- */

static const struct task *task_of(const struct look *look, pid_t id)
{
    for (uint32_t i = 0; i < look->task_count; i++)
        if (look->tasks[i].id == id)
            return &look->tasks[i];
    return NULL;
}

static const char *class_text(struct look *look, enum thread_class class, int priority)
{
    return class == THREAD_FIFO || class == THREAD_RR
               ? arena_printf(look->arena, "%s %d", thread_class_word(class), priority)
               : thread_class_word(class);
}

static void compare_class(struct look *look, const char *what, const struct task *task,
                          const struct plan_scheduling *planned)
{
    if (planned->class == THREAD_NORMAL)
        return;
    enum thread_class real = class_of_policy(task->policy);
    int priority = task->real_time_priority;
    bool same = real == planned->class && (!planned->priority || priority == (int)planned->priority);
    add(look, (struct fact){ .kind = FACT_CLASS,
                             .what = what,
                             .planned = class_text(look, planned->class, (int)planned->priority),
                             .real = class_text(look, real, priority),
                             .verdict = same ? VERDICT_EXACT : VERDICT_WRONG,
                             .task = task->id,
                             .scheduling = *planned });
}

static void compare_task(struct look *look, const char *what, const struct task *task, const struct ids *cpus,
                         const struct plan_scheduling *scheduling)
{
    if (cpus)
        add(look, (struct fact){ .kind = FACT_THREAD,
                                 .what = what,
                                 .planned = listed(look, "cpus", cpus),
                                 .real = listed(look, "cpus", task->cpus),
                                 .verdict = ids_equal(cpus, task->cpus) ? VERDICT_EXACT : VERDICT_WRONG,
                                 .task = task->id,
                                 .cpus = cpus });
    compare_class(look, what, task, scheduling);
}

static void compare_thread(struct look *look, const char *what, pid_t id, const struct ids *cpus,
                           const struct plan_scheduling *scheduling)
{
    const struct task *task = task_of(look, id);
    if (task)
        compare_task(look, what, task, cpus, scheduling);
    else
        add(look,
            (struct fact){
                .kind = FACT_THREAD, .what = what, .planned = "a thread", .real = "none", .verdict = VERDICT_WRONG });
}

static struct plan_scheduling scheduling_of_vcpu(const struct plan_guest *guest, uint32_t vcpu)
{
    for (uint32_t i = 0; i < guest->scheduling_count; i++)
        if (ids_contains(guest->schedulings[i].vcpus, vcpu))
            return guest->schedulings[i].scheduling;
    return (struct plan_scheduling){ .class = THREAD_NORMAL };
}

/* One row for the main thread, and one for each other thread that is somewhere else. */
static void compare_emulator(struct look *look)
{
    const struct guest_threads *threads = &look->run->threads;
    compare_thread(look, "emulator", threads->qemu, look->guest->emulator_cpus, &look->guest->emulator_scheduling);
    for (uint32_t i = 0; look->guest->emulator_cpus && i < look->task_count; i++) {
        const struct task *task = &look->tasks[i];
        if (task->id == threads->qemu || is_guest_thread(threads, task->id) || task_is_vhost(task) ||
            g_str_has_prefix(task->name, "kvm-") || ids_within(task->cpus, look->guest->emulator_cpus))
            continue;
        compare_thread(look, arena_printf(look->arena, "thread %d (%s)", task->id, task->name), task->id,
                       look->guest->emulator_cpus, &(struct plan_scheduling){ .class = THREAD_NORMAL });
    }
}

/* Nobody tells which thread is which: none may run where no thread of the guest is meant to. */
static void compare_nameless(struct look *look)
{
    const struct ids *all = cpus_of_guest(look->arena, look->guest);
    pid_t qemu = look->run->threads.qemu;
    compare_thread(look, "emulator", qemu, look->guest->emulator_cpus, &look->guest->emulator_scheduling);
    for (uint32_t i = 0; all && i < look->task_count; i++)
        if (look->tasks[i].id != qemu && !task_is_vhost(&look->tasks[i]) && !ids_within(look->tasks[i].cpus, all))
            compare_thread(look, arena_printf(look->arena, "thread %d", look->tasks[i].id), look->tasks[i].id, all,
                           &(struct plan_scheduling){ .class = THREAD_NORMAL });
    not_seen(look, FACT_THREAD, "which thread is which vcpu", "", "QEMU was started without '-name debug-threads=on'");
}

/* Of one that numac started, and that got one. */
static void compare_cgroup(struct look *look)
{
    const struct guest_state *state = look->run->state;
    if (!state || !state->record.cgroup)
        return;
    struct cgroup_limits planned = cgroup_planned(look->arena, look->guest);
    struct cgroup_limits real = cgroup_read(look->arena, state->record.cgroup);
    const char *path = cgroup_of(look->arena, look->run->threads.qemu);
    bool is_in = path && strcmp(path, state->record.cgroup) == 0;
    add(look, (struct fact){ .kind = FACT_CGROUP,
                             .what = "cgroup",
                             .planned = cgroup_limits_text(look->arena, &planned),
                             .real = is_in ? cgroup_limits_text(look->arena, &real) : "QEMU is in another one",
                             .verdict = is_in && cgroup_fits(&planned, &real) ? VERDICT_EXACT : VERDICT_WRONG });
}

static void compare_vhost(struct look *look)
{
    const struct task *workers;
    uint32_t count;
    proc_vhost_workers(look->arena, look->run->threads.qemu, &workers, &count);
    for (uint32_t i = 0; i < count; i++)
        compare_task(look, workers[i].name, &workers[i], look->guest->vhost_cpus, &look->guest->vhost_scheduling);
}

static void compare_threads(struct look *look)
{
    const struct guest_threads *threads = &look->run->threads;
    if (threads->is_nameless) {
        compare_nameless(look);
        return;
    }
    for (uint32_t vcpu = 0; vcpu < look->guest->vcpu_count; vcpu++) {
        if (!threads->vcpus[vcpu] && look->guest->online && !ids_contains(look->guest->fixed, vcpu))
            continue; /* one that waits, or was unplugged */
        struct plan_scheduling scheduling = scheduling_of_vcpu(look->guest, vcpu);
        compare_thread(look, arena_printf(look->arena, "vcpu %u", vcpu), threads->vcpus[vcpu],
                       look->guest->vcpu_cpus[vcpu], &scheduling);
    }
    for (uint32_t i = 0; i < look->guest->iothread_count; i++)
        compare_thread(look, arena_printf(look->arena, "iothread %u", look->guest->iothreads[i].id),
                       threads->iothreads[i], look->guest->iothreads[i].cpus, &look->guest->iothreads[i].scheduling);
    compare_emulator(look);
    compare_cgroup(look);
    if (look->guest->vhost_cpus)
        compare_vhost(look);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

struct count_of_pages {
    uint64_t *by_node; /* bytes */
    uint32_t node_count;
    uint64_t all, outside, page_bytes; /* of the largest page in use */
};

static void count_pages(struct look *look, const struct memory *memory, const struct ids *nodes,
                        struct count_of_pages *out)
{
    for (uint32_t a = 0; a < memory->count; a++)
        out->node_count = MAX(out->node_count, memory->areas[a].node_count);
    out->by_node = arena_array(look->arena, uint64_t, out->node_count + 1);
    for (uint32_t a = 0; a < memory->count; a++) {
        const struct memory_area *area = &memory->areas[a];
        for (uint32_t node = 0; node < area->node_count; node++) {
            uint64_t bytes = area->pages[node] * area->page_bytes;
            out->by_node[node] += bytes;
            out->all += bytes;
            if (nodes && !ids_contains(nodes, node))
                out->outside += bytes;
            if (bytes)
                out->page_bytes = MAX(out->page_bytes, area->page_bytes);
        }
    }
}

static const char *pages_text(struct look *look, const struct count_of_pages *count)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (uint32_t node = 0; node < count->node_count; node++) {
        if (!count->by_node[node])
            continue;
        g_string_append(out, out->len ? ", " : "");
        size_append(out, count->by_node[node]);
        g_string_append_printf(out, " on node %u", node);
    }
    return out->len ? arena_string(look->arena, out->str, out->len) : "no page used yet";
}

static void compare_pages(struct look *look, const char *what, const struct plan_cell *cell,
                          const struct memory *memory)
{
    struct count_of_pages count = { 0 };
    count_pages(look, memory, cell->nodes, &count);
    bool must = cell->nodes && cell->policy != POLICY_PREFERRED; /* preferred: elsewhere is allowed */
    struct fact fact = { .kind = FACT_PAGES,
                         .what = what,
                         .planned = cell->nodes
                                        ? listed(look, ids_size(cell->nodes) == 1 ? "node" : "nodes", cell->nodes)
                                        : "any node",
                         .real = pages_text(look, &count),
                         .memory = *memory,
                         .nodes = cell->nodes };
    fact.verdict = !count.all ? VERDICT_UNTOUCHED : must && count.outside ? VERDICT_WRONG : VERDICT_EXACT;
    add(look, fact);
    if (!cell->page_bytes)
        return;
    uint64_t size = memory->areas[0].page_bytes;
    add(look,
        (struct fact){ .kind = FACT_PAGE_SIZE,
                       .what = what,
                       .planned = arena_printf(look->arena, "pages of %s", size_text(look->arena, cell->page_bytes)),
                       .real = arena_printf(look->arena, "pages of %s", size_text(look->arena, size)),
                       .verdict = size == cell->page_bytes ? VERDICT_EXACT : VERDICT_WRONG });
}

static const char *kernel_policy(enum memory_policy policy)
{
    switch (policy) {
    case POLICY_STRICT:
        return "bind";
    case POLICY_PREFERRED:
        return "prefer";
    case POLICY_INTERLEAVE:
        return "interleave";
    case POLICY_RESTRICTIVE:
        break;
    }
    return NULL; /* the cgroup rules, and the memory itself has none */
}

/* "bind:0-1", "prefer (many):0", "bind=static:1", as numa_maps words them. */
static bool policy_fits(const char *real, const char *word, const struct ids *nodes)
{
    const char *colon = strrchr(real, ':');
    if (!g_str_has_prefix(real, word) || !colon)
        return false;
    g_autoptr(GString) list = g_string_new(NULL);
    ids_append(list, nodes);
    return strcmp(colon + 1, list->str) == 0;
}

static void compare_policy(struct look *look, const char *what, const struct plan_cell *cell,
                           const struct memory *memory)
{
    const char *word = cell->nodes ? kernel_policy(cell->policy) : NULL;
    if (!word)
        return;
    const char *wrong = NULL;
    for (uint32_t a = 0; a < memory->count && !wrong; a++)
        if (!policy_fits(memory->areas[a].policy, word, cell->nodes))
            wrong = memory->areas[a].policy;
    const char *planned = arena_printf(look->arena, "%s:%s", word, ids_text(look->arena, cell->nodes));
    add(look, (struct fact){ .kind = FACT_POLICY,
                             .what = what,
                             .planned = planned,
                             .real = wrong ? wrong : planned,
                             .verdict = wrong ? VERDICT_WRONG : VERDICT_EXACT,
                             .memory = *memory,
                             .nodes = cell->nodes });
}

/* Which memory is whose was taken from the order of addresses: true of every QEMU so far, and proof of nothing. */
static void tell_order(struct look *look, const struct backing *backings)
{
    g_autoptr(GString) names = g_string_new(NULL);
    for (uint32_t c = 0; c < look->guest->cell_count; c++)
        if (backings[c].is_by_order)
            g_string_append_printf(names, "%s%s", names->len ? ", " : "", look->guest->cells[c].name);
    if (names->len)
        not_seen(look, FACT_PAGES, arena_printf(look->arena, "which memory is which of cells %s", names->str),
                 "of one size,", "in the order of their addresses");
}

/* Where each cell's memory is; without a monitor as far as the kernel tells. */
static bool find_memory(struct look *look, const struct memory *all, struct backing *backings, char **out_error)
{
    if (look->run->monitor)
        return backing_find(look->run->monitor, look->arena, look->guest, backings, out_error);
    backing_of_process(look->arena, all, look->guest, backings);
    tell_order(look, backings);
    return true;
}

static bool compare_memory(struct look *look, char **out_error)
{
    struct backing *backings = arena_array(look->arena, struct backing, look->guest->cell_count);
    struct memory all;
    proc_memory(look->arena, look->run->threads.qemu, &all); /* none: no cell's is found */
    if (!find_memory(look, &all, backings, out_error))
        return false;
    for (uint32_t c = 0; c < look->guest->cell_count; c++) {
        const struct plan_cell *cell = &look->guest->cells[c];
        const char *what = arena_printf(look->arena, "cell %s", cell->name);
        if (!cell->memory_bytes)
            continue;
        struct memory own = memory_within(&all, backings[c].begin, backings[c].begin + backings[c].bytes);
        if (!own.count) {
            not_seen(look, FACT_PAGES, what, "its memory", look->run->monitor ? "not found" : "not found by its size");
            continue;
        }
        compare_pages(look, what, cell, &own);
        compare_policy(look, what, cell, &own);
    }
    return true;
}

/* ---- cells as the guest gets them ------------------------------------------------------------------------------- */

/* Those that can be plugged may be there or not. */
static bool are_of_cell(const struct plan_guest *guest, const struct plan_cell *cell, const struct ids *real)
{
    if (!guest->online)
        return ids_equal(real, cell->vcpus);
    for (ids_each(cell->vcpus, vcpu))
        if (ids_contains(guest->fixed, vcpu) && !ids_contains(real, vcpu))
            return false;
    return ids_within(real, cell->vcpus);
}

/* What stands behind "node 0 size:"; 0 without it. */
static uint64_t told_megabytes(const char *told, uint32_t number, const char *what)
{
    g_autofree char *words = g_strdup_printf("node %u %s: ", number, what);
    const char *at = strstr(told, words);
    return at ? strtoull(at + strlen(words), NULL, 10) : 0;
}

/* "node 0 cpus: 0 1", "node 0 size: 512 MB", "node 0 plugged: 256 MB": that of memory devices, which the size has too.
 */
static void compare_cell(struct look *look, const char *told, uint32_t number)
{
    const struct plan_cell *cell = &look->guest->cells[number];
    g_autofree char *cpus = g_strdup_printf("node %u cpus:", number);
    const char *at = strstr(told, cpus);
    g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    for (const char *word = at ? at + strlen(cpus) : ""; *word == ' ';) {
        char *end;
        uint32_t one = (uint32_t)strtoul(word + 1, &end, 10);
        if (end == word + 1)
            break;
        g_array_append_val(numbers, one);
        word = end;
    }
    const struct ids *real = ids_from_sorted(look->arena, (const uint32_t *)(const void *)numbers->data, numbers->len);
    uint64_t megabytes = told_megabytes(told, number, "size") - told_megabytes(told, number, "plugged");
    bool same = at && are_of_cell(look->guest, cell, real) && megabytes == cell->memory_bytes / MIB;
    add(look, (struct fact){
                  .kind = FACT_CELL,
                  .what = arena_printf(look->arena, "cell %s", cell->name),
                  .planned = arena_printf(look->arena, "vcpus %s, %s", ids_text(look->arena, cell->vcpus),
                                          size_text(look->arena, cell->memory_bytes)),
                  .real = arena_printf(look->arena, "vcpus %s, %s", ids_text(look->arena, real),
                                       size_text(look->arena, megabytes * MIB)),
                  .verdict = same ? VERDICT_EXACT : VERDICT_WRONG,
              });
}

static bool compare_cells(struct look *look, char **out_error)
{
    if (!look->guest->has_numa)
        return true;
    if (!look->run->monitor) {
        not_seen(look, FACT_CELL, "what the guest is told of its cells", "", "QEMU's monitor is not asked");
        return true;
    }
    struct json_c_object *told;
    if (!monitor_ask_all(look->run->monitor, &(struct question){ .line = "info numa" }, 1, &told, out_error))
        return false;
    for (uint32_t c = 0; c < look->guest->cell_count; c++)
        compare_cell(look, json_object_get_string(told), c);
    json_object_put(told);
    return true;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

static bool look_here(struct look *look, char **out_error)
{
    if (!proc_tasks(look->arena, look->run->threads.qemu, &look->tasks, &look->task_count)) {
        *out_error = g_strdup("its process is not ours to look into, or is gone");
        return false;
    }
    compare_threads(look);
    return compare_memory(look, out_error);
}

bool verify_look(struct run *run, struct facts *out)
{
    struct look look = { .run = run, .arena = run->agent->arena, .guest = run->guest->plan };
    g_autoptr(GArray) facts = look.facts = g_array_new(FALSE, TRUE, sizeof(struct fact));
    g_autofree char *error = NULL;
    bool fine;
    if (run->agent->is_remote)
        fine = elsewhere_look(run, facts, &error);
    else
        fine = look_here(&look, &error);
    fine = fine && compare_cells(&look, &error);
    if (!fine && interrupted())
        return false;
    if (!fine) {
        tell(run->agent, NM_cannot_verify, "guest '%s' cannot be verified: %s", run->guest->plan->name, error);
        run->agent->is_refused = true;
        return false;
    }
    *out = (struct facts){ arena_copy(look.arena, facts->data, facts->len * sizeof(struct fact)), facts->len, 0, 0 };
    for (uint32_t i = 0; i < out->count; i++) {
        out->wrong += out->rows[i].verdict == VERDICT_WRONG;
        out->unknown += out->rows[i].verdict == VERDICT_UNKNOWN;
    }
    return true;
}

static enum code code_of(enum fact_kind kind)
{
    switch (kind) {
    case FACT_THREAD:
        return NM_thread_elsewhere;
    case FACT_CLASS:
        return NM_thread_class;
    case FACT_PAGES:
        return NM_pages_elsewhere;
    case FACT_PAGE_SIZE:
        return NM_page_size_other;
    case FACT_POLICY:
        return NM_policy_other;
    case FACT_CELL:
        return NM_cell_other;
    case FACT_CGROUP:
        return NM_cgroup_other;
    }
    bug("a fact of no kind");
}

void verify_tell(struct run *run, const struct facts *facts)
{
    for (uint32_t i = 0; i < facts->count; i++) {
        const struct fact *fact = &facts->rows[i];
        if (fact->verdict == VERDICT_UNKNOWN)
            tell(run->agent, NM_not_seen, "%s of guest '%s' cannot be seen: %s%s%s", fact->what, run->guest->plan->name,
                 fact->planned, *fact->planned && *fact->real ? " " : "", fact->real);
        if (fact->verdict != VERDICT_WRONG)
            continue;
        struct finding *finding = tell(run->agent, code_of(fact->kind), "%s of guest '%s': %s, not %s as planned",
                                       fact->what, run->guest->plan->name, fact->real, fact->planned);
        if (fact->task)
            finding_note(run->agent->findings, finding, "it is thread %d", fact->task);
    }
}

bool verify_run(struct run *run)
{
    struct facts facts;
    if (!verify_look(run, &facts))
        return false;
    verify_tell(run, &facts);
    run->agent->is_refused |= facts.wrong > 0;
    return !facts.wrong;
}
