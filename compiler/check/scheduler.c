/* SPDX-License-Identifier: MIT
 *
 * Rules about scheduling classes and iothreads: priorities, vCPUs that stand twice, real-time threads that would take
 * the CPU from others, and what a target cannot say of it.
 */
#include <hwloc/bitmap.h>

#include "check/subject.h"
#include "ground/features.h"

enum { MOST_PRIORITY = 99 };

static const char *const class_words[] = { "batch", "idle", "fifo", "rr" };

static bool is_real_time(uint32_t class)
{
    return class == CLASS_WORD_FIFO || class == CLASS_WORD_RR;
}

/* ---- as declared: priorities ------------------------------------------------------------------------------------ */

static void check_priority(const struct check *check, const struct guest *guest, struct scheduling scheduling,
                           struct span span)
{
    const char *class = class_words[scheduling.class];
    bool is_said = scheduling.priority != PRIORITY_UNSAID;
    struct finding *finding;
    if (is_real_time(scheduling.class) && !is_said) {
        finding = report(check->findings, NM_priority_missing, span, "the class '%s' of guest '%s' lacks a priority",
                         class, guest->name);
        finding_note(check->findings, finding, "libvirt refuses it");
        finding_help(check->findings, finding, "write '%s 1', or a higher one up to %d", class, MOST_PRIORITY);
    } else if (is_real_time(scheduling.class) && (!scheduling.priority || scheduling.priority > MOST_PRIORITY)) {
        finding = report(check->findings, NM_priority_range, span, "the class '%s' of guest '%s' has no priority %u",
                         class, guest->name, scheduling.priority);
        finding_note(check->findings, finding, "libvirt defines such a guest, and cannot start it");
        finding_help(check->findings, finding, "write 1 to %d", MOST_PRIORITY);
    } else if (!is_real_time(scheduling.class) && is_said) {
        finding = report(check->findings, NM_priority_in_vain, span,
                         "the class '%s' of guest '%s' has no priorities, and %u is said", class, guest->name,
                         scheduling.priority);
        finding_note(check->findings, finding, "libvirt and the kernel pass over it");
        finding_help(check->findings, finding, "remove the number, or write 'fifo %u'",
                     CLAMP(scheduling.priority, 1, MOST_PRIORITY));
    }
}

/* The priority where it stands, else the class. */
static struct span class_span(const struct said *said, enum word_id word)
{
    struct span span = said_span(said, word, 2);
    return span.file ? span : said_span(said, word, 1);
}

static void check_said(const struct check *check, const struct guest *guest, const struct said *said, enum word_id word,
                       struct scheduling scheduling)
{
    if (is_said(said, word) && !is_failed(said, word))
        check_priority(check, guest, scheduling, class_span(said, word));
}

static void priorities_go_with_their_class(const struct check *check, const struct guest *guest)
{
    const struct scheduler_row *rows = guest->scheduler_rows.items;
    bool fine = !is_failed(&guest->said, W_GUEST_SCHEDULER);
    for (uint32_t r = 0; fine && r < guest->scheduler_rows.count; r++)
        check_priority(check, guest, rows[r].scheduling, rows[r].span);
    if (!guest->scheduler_rows.count)
        check_said(check, guest, &guest->said, W_GUEST_SCHEDULER, guest->scheduling);
    check_said(check, guest, &guest->said, W_EMULATOR_SCHEDULER, guest->emulator_scheduling);
    check_said(check, guest, &guest->said, W_VHOST_SCHEDULER, guest->vhost_scheduling);
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        check_said(check, guest, &guest->iothreads[i].said, W_IOTHREAD_SCHEDULER, guest->iothreads[i].scheduling);
}

/* ---- as declared: rows ------------------------------------------------------------------------------------------ */

static void vcpus_are_scheduled_once(const struct check *check, const struct guest *guest)
{
    const struct scheduler_row *rows = guest->scheduler_rows.items;
    if (is_failed(&guest->said, W_GUEST_SCHEDULER) || guest->scheduler_rows.count < 2)
        return;
    hwloc_bitmap_t seen = hwloc_bitmap_alloc(), row = hwloc_bitmap_alloc();
    for (uint32_t r = 0; r < guest->scheduler_rows.count; r++) {
        hwloc_bitmap_zero(row);
        ids_add_to_bitmap(rows[r].ids->plain, row);
        bool is_new = !hwloc_bitmap_intersects(row, seen);
        hwloc_bitmap_and(row, row, seen);
        uint32_t twice = is_new ? 0 : (uint32_t)hwloc_bitmap_first(row), before = 0;
        ids_add_to_bitmap(rows[r].ids->plain, seen);
        if (is_new)
            continue;
        while (!ids_contains(rows[before].ids->plain, twice))
            before++;
        struct finding *finding = report(check->findings, NM_scheduled_twice, rows[r].span,
                                         "vCPU %u of guest '%s' is in two rows of 'scheduler'", twice, guest->name);
        finding_label(check->findings, finding, rows[before].span, "here too");
        finding_note(check->findings, finding, "libvirt refuses it");
        finding_help(check->findings, finding, "leave it in one of them");
        break;
    }
    hwloc_bitmap_free(row);
    hwloc_bitmap_free(seen);
}

static void report_no_vcpu(const struct check *check, const struct guest *guest, struct span span, const char *what,
                           uint32_t vcpu, uint64_t count)
{
    struct finding *finding = report(check->findings, NM_scheduled_no_vcpu, span,
                                     "%s names vCPU %u, and guest '%s' has %" G_GUINT64_FORMAT ", numbered from 0",
                                     what, vcpu, guest->name, count);
    finding_label(check->findings, finding, vcpus_span(guest), "%" G_GUINT64_FORMAT " vCPUs", count);
    finding_help(check->findings, finding, "lower the number, or raise 'vcpus' to %u", vcpu + 1);
}

static void rows_name_vcpus(const struct check *check, const struct guest *guest)
{
    const struct scheduler_row *rows = guest->scheduler_rows.items;
    uint64_t count = is_failed(&guest->said, W_GUEST_SCHEDULER) ? 0 : declared_vcpus(guest);
    for (uint32_t r = 0; count && r < guest->scheduler_rows.count; r++)
        if (ids_last(rows[r].ids->plain) >= count) {
            report_no_vcpu(check, guest, rows[r].span, "a row of 'scheduler'", ids_last(rows[r].ids->plain), count);
            return; /* the rows behind it are off for the same reason */
        }
}

/* ---- as declared: iothreads, kernel workers --------------------------------------------------------------------- */

static void pools_have_room(const struct check *check, const struct guest *guest)
{
    for (uint32_t i = 0; i < guest->iothread_count; i++) {
        const struct iothread *thread = &guest->iothreads[i];
        if (!is_said(&thread->said, W_IOTHREAD_POOL) || is_failed(&thread->said, W_IOTHREAD_POOL) ||
            (thread->pool_most && thread->pool_least <= thread->pool_most))
            continue;
        struct finding *finding;
        if (thread->pool_most)
            finding = report(check->findings, NM_pool_range, said_span(&thread->said, W_IOTHREAD_POOL, 1),
                             "iothread %u of guest '%s' is to have at least %u workers, and at most %u", thread->id,
                             guest->name, thread->pool_least, thread->pool_most);
        else
            finding = report(check->findings, NM_pool_range, said_span(&thread->said, W_IOTHREAD_POOL, 2),
                             "iothread %u of guest '%s' is to have no workers at all", thread->id, guest->name);
        finding_note(check->findings, finding, "QEMU does not start with it");
        finding_help(check->findings, finding, "the fewest stand first: 'pool %u %u'",
                     MIN(thread->pool_least, MAX(thread->pool_most, 1)),
                     MAX(thread->pool_least, MAX(thread->pool_most, 1)));
    }
}

static void kernel_workers_have_one_place(const struct check *check, const struct guest *guest)
{
    if (!is_said(&guest->said, W_VHOST_CPUS) || !is_said(&guest->said, W_VHOST_NODE))
        return;
    struct finding *finding = report(check->findings, NM_helper_placed_twice, said_span(&guest->said, W_VHOST_CPUS, 0),
                                     "the kernel's workers of guest '%s' have two places", guest->name);
    finding_label(check->findings, finding, said_span(&guest->said, W_VHOST_NODE, 0), "the other one");
    finding_help(check->findings, finding, "keep 'cpus' or 'node'");
}

const struct model_rule scheduler_rules[] = {
    { .name = "priorities-go-with-their-class", .source = "peers 124, 125", .run = priorities_go_with_their_class },
    { .name = "vcpus-are-scheduled-once", .source = "peers 126", .run = vcpus_are_scheduled_once },
    { .name = "scheduler-rows-name-vcpus", .source = "peers 128", .of_whole = true, .run = rows_name_vcpus },
    { .name = "pools-have-room", .source = "QEMU util/async.c", .run = pools_have_room },
    { .name = "kernel-workers-have-one-place", .source = "language 7", .run = kernel_workers_have_one_place },
    { 0 }
};

/* ---- the plan: real time ---------------------------------------------------------------------------------------- */

static bool is_planned_real_time(const struct plan_scheduling *scheduling)
{
    return scheduling->class == THREAD_FIFO || scheduling->class == THREAD_RR;
}

/* Where the class of a vCPU was said. */
static struct span scheduler_span(const struct planned_guest *planned, uint32_t vcpu)
{
    const struct scheduler_row *rows = planned->guest->scheduler_rows.items;
    for (uint32_t r = 0; r < planned->guest->scheduler_rows.count; r++)
        if (ids_contains(rows[r].ids->plain, vcpu))
            return rows[r].span;
    return guest_word_span(planned->guest, W_GUEST_SCHEDULER, 1);
}

static void report_floating(const struct check *check, const struct planned_guest *planned, uint32_t vcpu)
{
    const struct ids *cpus = planned->plan->vcpu_cpus[vcpu];
    struct finding *finding =
        report(check->findings, NM_real_time_floats, scheduler_span(planned, vcpu),
               "vCPU %u of guest '%s' runs in real time, and has no CPU of its own", vcpu, planned->plan->name);
    if (cpus)
        finding_label(check->findings, finding, vcpu_span(planned, vcpu), "it may run on CPUs %s",
                      ids_text(check->arena, cpus));
    finding_note(check->findings, finding,
                 "it would keep whatever else runs there from running, the host's threads too");
    finding_help(check->findings, finding, "pin it: 'pin cpus', or a row of 'pin' with 'each'");
}

static void real_time_has_own_cpus(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    const uint32_t *own = planned->own_cpus;
    for (uint32_t i = 0; i < plan->scheduling_count; i++) {
        if (!is_planned_real_time(&plan->schedulings[i].scheduling))
            continue;
        for (ids_each(plan->schedulings[i].vcpus, vcpu))
            if (vcpu < plan->vcpu_count && (!own || own[vcpu] == NO_INDEX)) {
                report_floating(check, planned, vcpu);
                return;
            }
    }
}

/* The CPUs on which a real-time vCPU may keep the emulator waiting.  One without a CPU of its own was told above. */
static hwloc_bitmap_t taken_cpus(const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    hwloc_bitmap_t taken = hwloc_bitmap_alloc();
    const uint32_t *own = planned->own_cpus;
    const struct plan_scheduling *emulator = &plan->emulator_scheduling;
    for (uint32_t i = 0; i < plan->scheduling_count; i++) {
        const struct plan_vcpu_scheduling *row = &plan->schedulings[i];
        if (!is_planned_real_time(&row->scheduling) ||
            (is_planned_real_time(emulator) && emulator->priority > row->scheduling.priority))
            continue;
        for (ids_each(row->vcpus, vcpu))
            if (own && vcpu < plan->vcpu_count && own[vcpu] != NO_INDEX)
                hwloc_bitmap_set(taken, own[vcpu]);
    }
    return taken;
}

bool emulator_starves(const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    if (!plan->scheduling_count || !plan->emulator_cpus)
        return false;
    hwloc_bitmap_t taken = taken_cpus(planned), wanted = ids_to_bitmap(plan->emulator_cpus);
    bool is_starved = !hwloc_bitmap_iszero(wanted) && hwloc_bitmap_isincluded(wanted, taken);
    hwloc_bitmap_free(wanted);
    hwloc_bitmap_free(taken);
    return is_starved;
}

static void emulators_keep_a_cpu(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    if (!emulator_starves(planned))
        return;
    const struct guest *guest = planned->guest;
    enum word_id word = guest->emulator_cpus    ? W_EMULATOR_CPUS
                        : guest->emulator_nodes ? W_EMULATOR_NODE
                                                : W_GUEST_EMULATOR;
    struct finding *finding =
        report(check->findings, NM_emulator_starves, guest_word_span(guest, W_GUEST_SCHEDULER, 0),
               "the emulator of guest '%s' may run on CPUs %s only, where real-time vCPUs come first", plan->name,
               ids_text(check->arena, plan->emulator_cpus));
    finding_label(check->findings, finding, guest_word_span(guest, word, 1), "its CPUs");
    finding_note(check->findings, finding, "a vCPU that waits for the emulator would wait for ever");
    finding_help(check->findings, finding,
                 "give the emulator a CPU of its own: 'emulator isolate'; or leave a vCPU without real time");
}

/* ---- the plan: what a target cannot say ------------------------------------------------------------------------- */

static void add_word(GString *list, bool is_there, const char *word)
{
    if (is_there)
        g_string_append_printf(list, "%s%s", list->len ? ", " : "", word);
}

static bool iothreads_have_classes(const struct plan_guest *plan)
{
    for (uint32_t i = 0; i < plan->iothread_count; i++)
        if (plan->iothreads[i].scheduling.class)
            return true;
    return false;
}

static struct span first_word(const struct guest *guest)
{
    static const enum word_id words[] = { W_GUEST_SCHEDULER, W_EMULATOR_SCHEDULER, W_VHOST_CPUS, W_VHOST_NODE,
                                          W_VHOST_SCHEDULER };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (is_said(&guest->said, words[i]))
            return said_span(&guest->said, words[i], 0);
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        if (is_said(&guest->iothreads[i].said, W_IOTHREAD_SCHEDULER))
            return said_span(&guest->iothreads[i].said, W_IOTHREAD_SCHEDULER, 0);
    return guest->resctrl_count ? guest->resctrls[0].span : guest->span;
}

static void targets_apply_what_is_said(const struct check *check, const struct planned_guest *planned)
{
    const struct plan_guest *plan = planned->plan;
    bool has_vhost = plan->vhost_cpus || plan->vhost_scheduling.class;
    g_autoptr(GString) words = g_string_new(NULL);
    if (!plan->has_base) { /* else libvirt is the only target, and applies these */
        add_word(words, plan->scheduling_count || plan->emulator_scheduling.class || iothreads_have_classes(plan),
                 "scheduler");
        add_word(words, plan->resctrl_count, "resctrl");
    }
    add_word(words, has_vhost, "vhost");
    if (!words->len)
        return;
    struct finding *finding =
        plan->has_base ? report(check->findings, NM_left_to_runtime, first_word(planned->guest),
                                "no target applies of guest '%s': vhost", plan->name)
                       : report(check->findings, NM_left_to_runtime, first_word(planned->guest),
                                "QEMU run without libvirt does not apply of guest '%s': %s", plan->name, words->str);
    if (has_vhost && !plan->has_base)
        finding_note(check->findings, finding, "libvirt has no word for vhost either");
    finding_note(check->findings, finding, "it stands in the plan, where a runtime finds it");
    finding_help(check->findings, finding,
                 plan->has_base ? "apply it by hand once the guest runs: 'taskset -p', 'chrt -p'"
                                : "use the libvirt target, or apply it by hand: 'taskset -p', 'chrt -p'");
}

static bool is_of_base(const struct said *said, enum word_id word)
{
    for (uint32_t i = said->count; i-- > 0;)
        if (said->places[i].word == word)
            return said->places[i].layer == LAYER_BASE;
    return false;
}

/* QEMU polls as it is told; an older libvirt has no word for it. */
static void libvirt_knows_polling(const struct check *check, const struct planned_guest *planned)
{
    const struct guest *guest = planned->guest;
    if (host_has_feature(planned->programs, FEATURE_IOTHREAD_POLL))
        return;
    for (uint32_t i = 0; i < guest->iothread_count; i++) {
        const struct said *said = &guest->iothreads[i].said;
        if (!is_said(said, W_IOTHREAD_POLL) || is_of_base(said, W_IOTHREAD_POLL))
            continue;
        bool has_base = planned->plan->has_base;
        struct finding *finding =
            report(check->findings, NM_poll_not_in_libvirt, said_span(said, W_IOTHREAD_POLL, 0), "guest '%s' %s",
                   planned->plan->name, feature_text(check->arena, planned->programs, FEATURE_IOTHREAD_POLL));
        const char *row = feature_version_row(check->arena, planned->programs, FEATURE_IOTHREAD_POLL);
        finding_note(check->findings, finding,
                     has_base
                         ? "an older libvirt passes over it, and its QEMU polls as it likes"
                         : "its XML leaves 'poll' out, and libvirt's QEMU polls as it likes; the QEMU target has it");
        finding_help(check->findings, finding,
                     has_base ? "remove it, or say what runs there: 'versions { %s }'"
                              : "use the QEMU target, or say what runs there: 'versions { %s }'",
                     row);
        return;
    }
}

const struct plan_rule plan_scheduler_rules[] = {
    { .name = "real-time-has-own-cpus", .source = "peers 129", .run = real_time_has_own_cpus },
    { .name = "emulators-keep-a-cpu", .source = "peers 127", .run = emulators_keep_a_cpu },
    { .name = "targets-apply-what-is-said", .source = "language 7", .run = targets_apply_what_is_said },
    { .name = "libvirt-knows-polling", .source = "ground/features.def", .run = libvirt_knows_polling },
    { 0 }
};
