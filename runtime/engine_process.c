/* SPDX-License-Identifier: MIT
 *
 * A QEMU that somebody else started, known by its process alone: its threads by the names that QEMU gives them, its
 * memory by what the kernel maps (backing.c).  Its monitor is not ours, and is never asked.
 */
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "proc.h"

static bool refuse(struct run *run, const char *why)
{
    const struct plan_guest *guest = run->guest->plan;
    run->agent->is_refused = true;
    struct finding *finding =
        tell(run->agent, NM_process_other, "process %d is not QEMU of guest '%s': %s", run->pid, guest->name, why);
    finding_help(run->agent->findings, finding, "'pgrep -a qemu' shows each QEMU with its words, such as '-name'");
    return false;
}

/* "NAME", "guest=NAME,debug-threads=on": QEMU doubles a comma that is part of the name. */
static char *guest_name_of(const char *value)
{
    GString *name = g_string_new(NULL);
    const char *at = g_str_has_prefix(value, "guest=") ? value + strlen("guest=") : value;
    for (; *at && (*at != ',' || at[1] == ','); at++) {
        g_string_append_c(name, *at);
        at += *at == ',';
    }
    return g_string_free(name, FALSE);
}

/* A wrong number would let --repair move another guest. */
static bool is_meant(struct run *run)
{
    gsize length;
    g_autofree char *words = proc_words(run->pid, &length);
    if (!length) /* not there, or a thread of the kernel's */
        return refuse(run, words ? "it has no words" : "it does not run");
    g_autofree char *program = g_path_get_basename(words);
    if (!g_str_has_prefix(program, "qemu-") && strcmp(program, "kvm") != 0) {
        g_autofree char *why = g_strdup_printf("it is '%s'", program);
        return refuse(run, why);
    }
    for (const char *word = words, *before = ""; word < words + length; before = word, word += strlen(word) + 1) {
        if (strcmp(before, "-name") != 0 && strcmp(before, "--name") != 0)
            continue;
        g_autofree char *name = guest_name_of(word);
        if (!*name || strcmp(name, run->guest->plan->name) == 0)
            continue;
        g_autofree char *why = g_strdup_printf("its name is '%s'", name);
        return refuse(run, why);
    }
    return true;
}

/* ---- threads ---------------------------------------------------------------------------------------------------- */

/* "CPU 3/KVM"; "ALL CPUs/TCG" where one thread is all of them. */
static bool take_vcpu(struct guest_threads *threads, const struct task *task)
{
    bool is_all = g_str_has_prefix(task->name, "ALL CPUs/");
    if (!is_all && !g_str_has_prefix(task->name, "CPU "))
        return false;
    char *end;
    uint64_t number = is_all ? 0 : strtoull(task->name + strlen("CPU "), &end, 10);
    for (uint32_t vcpu = 0; vcpu < threads->vcpu_count; vcpu++)
        if (is_all || (*end == '/' && vcpu == number))
            threads->vcpus[vcpu] = task->id;
    return true;
}

/* "IO iothread1"; under other names they are told apart by when they were started. */
static bool take_iothread(const struct plan_guest *guest, struct guest_threads *threads, const struct task *task,
                          uint32_t order)
{
    if (!g_str_has_prefix(task->name, "IO "))
        return false;
    for (uint32_t i = 0; i < guest->iothread_count; i++) {
        g_autofree char *name = g_strdup_printf("IO iothread%u", guest->iothreads[i].id);
        if (strcmp(name, task->name) == 0) {
            threads->iothreads[i] = task->id;
            return true;
        }
    }
    if (order < guest->iothread_count && !threads->iothreads[order])
        threads->iothreads[order] = task->id;
    return true;
}

static void take_threads(const struct plan_guest *guest, struct guest_threads *threads, const struct task *tasks,
                         uint32_t count)
{
    threads->is_nameless = true;
    for (uint32_t i = 0, iothreads = 0; i < count; i++) {
        bool is_iothread = take_iothread(guest, threads, &tasks[i], iothreads);
        iothreads += is_iothread;
        if (is_iothread || take_vcpu(threads, &tasks[i]))
            threads->is_nameless = false;
    }
}

static bool attach(struct run *run)
{
    const struct plan_guest *guest = run->guest->plan;
    struct arena *arena = run->agent->arena;
    const struct task *tasks;
    uint32_t count;
    if (!is_meant(run))
        return false;
    if (!proc_tasks(arena, run->pid, &tasks, &count))
        return refuse(run, "it has just ended");
    run->threads = (struct guest_threads){
        .qemu = run->pid,
        .vcpu_count = guest->vcpu_count,
        .iothread_count = guest->iothread_count,
        .vcpus = arena_array(arena, pid_t, guest->vcpu_count),
        .iothreads = arena_array(arena, pid_t, guest->iothread_count + 1),
    };
    take_threads(guest, &run->threads, tasks, count);
    return true;
}

static void detach(G_GNUC_UNUSED struct run *run)
{
}

const struct engine engine_process = {
    .kind = ENGINE_QEMU,
    .attach = attach,
    .detach = detach,
};
