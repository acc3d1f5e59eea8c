/* SPDX-License-Identifier: MIT
 *
 * Guests that may move: what `at` may not change, what does not move with them, and whether they would look the same
 * where they arrive, as libvirt and QEMU demand.
 */
#include "check/check.h"
#include "check/subject.h"

#include <string.h>

/* ---- words of one host ------------------------------------------------------------------------------------------ */

struct keeping { /* a guest that may move, and what it is on one host */
    const struct check *check;
    const struct guest *guest;
    const struct variant *variant;
};

static void refuse_seen(const struct keeping *keeping, struct span span, const char *what)
{
    struct finding *finding =
        report(keeping->check->findings, NM_at_is_seen, span, "guest '%s' may move, and %s would be other on host '%s'",
               keeping->guest->name, what, keeping->variant->host);
    finding_label(keeping->check->findings, finding, said_span(&keeping->guest->said, W_GUEST_MIGRATE, 0),
                  "it may move");
    finding_note(keeping->check->findings, finding,
                 "a guest keeps what it saw when it started; libvirt refuses to move it");
    finding_help(keeping->check->findings, finding, "say it for all hosts, outside 'at'");
}

/* Words that the guest sees, and that an `at` says. */
static void judge_words(const struct keeping *keeping, const struct said *said)
{
    for (uint32_t i = 0; i < said->count; i++) {
        const struct place *place = &said->places[i];
        const struct word_row *row = word_row((enum word_id)place->word);
        if (place->layer != LAYER_AT || place->argument || !row->is_seen)
            continue;
        g_autofree char *what = g_strdup_printf("its '%s'", row->word);
        refuse_seen(keeping, place_span(place), what);
    }
}

static bool judge_count(const struct keeping *keeping, uint32_t before, uint32_t there, const char *what)
{
    if (before != there)
        refuse_seen(keeping, keeping->variant->span, what);
    return before == there;
}

/* What `remove` takes away is said nowhere. */
static void judge_removed(const struct keeping *keeping, const struct said *before, const struct said *there)
{
    size_t count;
    const struct word_row *rows = vocabulary(&count);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].id == W_NONE || !rows[i].is_seen || !is_said(before, rows[i].id) || is_said(there, rows[i].id))
            continue;
        g_autofree char *what = g_strdup_printf("its '%s'", rows[i].word);
        refuse_seen(keeping, keeping->variant->span, what);
    }
}

static void judge_cells(const struct keeping *keeping, const struct guest *there)
{
    const struct guest *guest = keeping->guest;
    if (!judge_count(keeping, guest->cell_count, there->cell_count, "its cells"))
        return;
    for (uint32_t c = 0; c < there->cell_count; c++) {
        const struct cell *cell = &there->cells[c];
        if (strcmp(cell->name, guest->cells[c].name) != 0)
            refuse_seen(keeping, cell->span, "the order of its cells");
        judge_words(keeping, &cell->said);
        if (!judge_count(keeping, guest->cells[c].hmat_cache_count, cell->hmat_cache_count, "a side cache"))
            continue;
        for (uint32_t i = 0; i < cell->hmat_cache_count; i++)
            judge_words(keeping, &cell->hmat_caches[i].said);
    }
}

static void judge_devices(const struct keeping *keeping, const struct guest *there)
{
    const struct guest *guest = keeping->guest;
    for (uint32_t i = 0; i < there->memory_device_count; i++)
        judge_words(keeping, &there->memory_devices[i].said);
    for (uint32_t i = 0; i < there->expander_count; i++)
        judge_words(keeping, &there->expanders[i].said);
    for (uint32_t i = 0; i < there->device_count; i++)
        judge_words(keeping, &there->devices[i].said);
    judge_count(keeping, guest->memory_device_count, there->memory_device_count, "its memory devices");
    judge_count(keeping, guest->expander_count, there->expander_count, "its expander buses");
    judge_count(keeping, guest->device_count, there->device_count, "its devices");
}

static uint32_t iothreads_of(const struct guest *guest)
{
    uint32_t count = guest->iothread_total;
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        count = MAX(count, guest->iothreads[i].id);
    return count;
}

static void at_keeps_what_the_guest_sees(const struct check *check, const struct guest *guest)
{
    for (uint32_t v = 0; guest->migrate.count && v < guest->variant_count; v++) {
        const char *host = guest->variants[v].host;
        if (guest->hosts.count && !is_among(&guest->hosts, host) && !is_among(&guest->migrate, host))
            continue; /* it never is there */
        const struct keeping keeping = { .check = check, .guest = guest, .variant = &guest->variants[v] };
        const struct guest *there = guest->variants[v].guest;
        judge_words(&keeping, &there->said);
        judge_removed(&keeping, &guest->said, &there->said);
        judge_cells(&keeping, there);
        judge_devices(&keeping, there);
        if (!is_said(&there->said, W_GUEST_IOTHREADS))
            judge_count(&keeping, iothreads_of(guest), iothreads_of(there), "the number of its iothreads");
    }
}

/* ---- what stays behind ------------------------------------------------------------------------------------------ */

static void devices_do_not_move(const struct check *check, const struct guest *guest)
{
    if (!guest->migrate.count || !guest->device_count)
        return;
    const struct device *device = &guest->devices[0];
    struct finding *finding =
        report(check->findings, NM_moved_device, device->span,
               "guest '%s' may move, and has device '%s' of its host for itself", guest->name, device->name);
    finding_label(check->findings, finding, said_span(&guest->said, W_GUEST_MIGRATE, 0), "it may move");
    finding_note(check->findings, finding, "libvirt moves such a guest only where the driver of the device can");
    finding_help(check->findings, finding, "unplug it before the guest moves, or leave 'migrate' out");
}

static const char *cpu_of(const struct planned_guest *planned)
{
    const struct host *facts = facts_of(planned);
    return facts ? facts->cpu_name : NULL;
}

static void hosts_have_the_same_cpu(const struct check *check, const struct planned_guest *planned)
{
    const struct guest *guest = planned->anywhere;
    const char *here = cpu_of(planned);
    if (strcmp(planned->plan->cpu_model, "host-passthrough") != 0 || !here)
        return; /* libvirt finds a model of both where it has a word in it */
    for (uint32_t m = 0; m < planned->plan->move_count; m++) {
        const struct planned_guest *there = &planned->moves[m];
        if (!cpu_of(there) || strcmp(here, cpu_of(there)) == 0)
            continue;
        struct finding *finding = report(check->findings, NM_moved_cpu, guest_word_span(guest, W_GUEST_MIGRATE, 0),
                                         "guest '%s' has the CPU of its host, and that of host '%s' is another",
                                         guest->name, there->plan->host);
        finding_note(check->findings, finding, "host '%s' has '%s', host '%s' has '%s'", planned->plan->host, here,
                     there->plan->host, cpu_of(there));
        finding_note(check->findings, finding, "the guest would run on with the features of a CPU that is gone");
        finding_help(check->findings, finding, "name a CPU model that both have: 'cpu Haswell'");
        return;
    }
}

/* ---- what the guest sees ---------------------------------------------------------------------------------------- */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_ids(const struct ids *a, const struct ids *b)
{
    return a == b || (a && b && ids_equal(a, b));
}

static const char *other_machine(const struct plan_guest *a, const struct plan_guest *b)
{
    if (!same_text(a->uuid, b->uuid) || !same_text(a->name, b->name))
        return "its name or UUID";
    if (!same_text(a->architecture, b->architecture) || !same_text(a->machine, b->machine) ||
        !same_text(a->accel, b->accel) || a->gic_version != b->gic_version || !same_text(a->firmware, b->firmware) ||
        a->remaps_interrupts != b->remaps_interrupts)
        return "its machine";
    bool same_cpu = same_text(a->cpu_model, b->cpu_model) && a->cache_mode == b->cache_mode &&
                    a->cache_level == b->cache_level && a->maxphysaddr_mode == b->maxphysaddr_mode &&
                    a->maxphysaddr_bits == b->maxphysaddr_bits && a->feature_count == b->feature_count;
    for (uint32_t i = 0; same_cpu && i < a->feature_count; i++)
        same_cpu = same_text(a->features[i].name, b->features[i].name) &&
                   a->features[i].is_required == b->features[i].is_required;
    if (!same_cpu)
        return "its CPU model";
    if (!same_text(a->kernel, b->kernel) || !same_text(a->initrd, b->initrd) || !same_text(a->cmdline, b->cmdline))
        return "what it boots";
    return a->iothread_count != b->iothread_count ? "the number of its iothreads" : NULL;
}

static const char *other_vcpus(const struct plan_guest *a, const struct plan_guest *b)
{
    if (a->vcpu_count != b->vcpu_count)
        return "the number of its vCPUs";
    if (a->drawers != b->drawers || a->books != b->books || a->sockets != b->sockets || a->dies != b->dies ||
        a->clusters != b->clusters || a->modules != b->modules || a->cores != b->cores || a->threads != b->threads)
        return "the topology of its vCPUs";
    if (!same_ids(a->online, b->online) || !same_ids(a->fixed, b->fixed))
        return "which of its vCPUs are there";
    return memcmp(a->cache_levels, b->cache_levels, sizeof a->cache_levels) != 0 ? "the caches of its vCPUs" : NULL;
}

struct hmat_sum { /* of all rows, each with its place */
    uint64_t value;
};

static void add_row(void *state, const struct hmat_row_of_plan *row)
{
    struct hmat_sum *sum = state;
    const uint64_t parts[] = { row->initiator, row->target, row->level, row->is_bandwidth, row->access, row->value };
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        sum->value = (sum->value ^ parts[i]) * UINT64_C(1099511628211);
}

static bool same_hmat(const struct plan_guest *a, const struct plan_guest *b)
{
    struct hmat_sum left = { 1 }, right = { 1 };
    bool same = a->has_hmat == b->has_hmat;
    for (uint32_t c = 0; same && c < a->cell_count; c++) {
        const struct plan_cell *here = &a->cells[c], *there = &b->cells[c];
        same = here->initiator == there->initiator && here->side_cache_count == there->side_cache_count;
        for (uint32_t i = 0; same && i < here->side_cache_count; i++)
            same = here->side_caches[i].level == there->side_caches[i].level &&
                   here->side_caches[i].size_bytes == there->side_caches[i].size_bytes &&
                   here->side_caches[i].line_bytes == there->side_caches[i].line_bytes &&
                   here->side_caches[i].associativity == there->side_caches[i].associativity &&
                   here->side_caches[i].policy == there->side_caches[i].policy;
    }
    hmat_each(a, add_row, &left);
    hmat_each(b, add_row, &right);
    return same && left.value == right.value;
}

static const char *other_cells(const struct plan_guest *a, const struct plan_guest *b)
{
    if (a->has_numa != b->has_numa || a->cell_count != b->cell_count)
        return "the number of its cells";
    for (uint32_t c = 0; c < a->cell_count; c++) {
        if (a->cells[c].memory_bytes != b->cells[c].memory_bytes)
            return "the memory of its cells";
        if (!same_ids(a->cells[c].vcpus, b->cells[c].vcpus))
            return "the vCPUs of its cells";
    }
    size_t bytes = (size_t)a->cell_count * a->cell_count * sizeof *a->distances;
    if (!a->distances != !b->distances || (a->distances && memcmp(a->distances, b->distances, bytes) != 0))
        return "its distances";
    return same_hmat(a, b) ? NULL : "its latencies, bandwidths or side caches";
}

static const char *other_memory(const struct plan_guest *a, const struct plan_guest *b)
{
    if (a->memory_bytes != b->memory_bytes || a->max_memory_bytes != b->max_memory_bytes ||
        a->memory_slots != b->memory_slots || a->current_memory_bytes != b->current_memory_bytes)
        return "its memory";
    bool same = a->memory_device_count == b->memory_device_count;
    for (uint32_t i = 0; same && i < a->memory_device_count; i++) {
        const struct plan_memory_device *here = &a->memory_devices[i], *there = &b->memory_devices[i];
        same = here->model == there->model && here->cell == there->cell && here->slot == there->slot &&
               here->memory.memory_bytes == there->memory.memory_bytes && here->address == there->address &&
               here->block_bytes == there->block_bytes && here->requested_bytes == there->requested_bytes &&
               here->label_bytes == there->label_bytes && here->readonly == there->readonly &&
               here->window_bytes == there->window_bytes && here->is_persistent == there->is_persistent &&
               same_text(here->uuid, there->uuid);
    }
    return same ? NULL : "its memory devices";
}

static const char *other_buses(const struct plan_guest *a, const struct plan_guest *b)
{
    bool same = a->expander_count == b->expander_count && a->device_count == b->device_count;
    for (uint32_t i = 0; same && i < a->expander_count; i++)
        same = a->expanders[i].kind == b->expanders[i].kind && a->expanders[i].cell == b->expanders[i].cell &&
               a->expanders[i].number == b->expanders[i].number && a->expanders[i].ports == b->expanders[i].ports &&
               a->expanders[i].controller == b->expanders[i].controller;
    for (uint32_t i = 0; same && i < a->device_count; i++)
        same = a->devices[i].expander == b->devices[i].expander && a->devices[i].initiator == b->devices[i].initiator &&
               a->devices[i].controller == b->devices[i].controller && a->devices[i].slot == b->devices[i].slot;
    return same ? NULL : "the buses of its devices";
}

static void moved_guests_look_the_same(const struct check *check, const struct planned_guest *planned)
{
    static const char *(*const judges[])(const struct plan_guest *,
                                         const struct plan_guest *) = { other_machine, other_vcpus, other_memory,
                                                                        other_cells, other_buses };
    for (uint32_t m = 0; m < planned->plan->move_count; m++) {
        const struct plan_guest *there = planned->moves[m].plan;
        const char *other = NULL;
        for (size_t j = 0; !other && j < G_N_ELEMENTS(judges); j++)
            other = judges[j](planned->plan, there);
        if (!other)
            continue;
        struct finding *finding =
            report(check->findings, NM_move_is_seen, guest_word_span(planned->anywhere, W_GUEST_MIGRATE, 0),
                   "guest '%s' would have %s changed by moving from host '%s' to '%s'", planned->plan->name, other,
                   planned->plan->host, there->host);
        finding_note(check->findings, finding, "libvirt compares both and refuses to move it");
        finding_help(check->findings, finding, "say it, so that nothing is left to the hosts");
    }
}

const struct model_rule moving_rules[] = {
    { .name = "at-keeps-what-the-guest-sees",
      .source = "peers 218",
      .of_whole = true,
      .run = at_keeps_what_the_guest_sees },
    { .name = "devices-do-not-move", .source = "libvirt qemu_migration.c", .run = devices_do_not_move },
    { 0 }
};

const struct plan_rule plan_moving_rules[] = {
    { .name = "hosts-have-the-same-cpu", .source = "peers 218", .run = hosts_have_the_same_cpu },
    { .name = "moved-guests-look-the-same", .source = "peers 218, 219", .run = moved_guests_look_the_same },
    { 0 }
};
