/* SPDX-License-Identifier: MIT
 *
 * Sets of vCPUs that name places of the guest itself, "socket:1", "core:0-3.pu:0", "all": turned into numbers by the
 * guest's own topology.  Host places are no business of this file.
 */
#include "model/binder.h"

#include <hwloc/bitmap.h>
#include <string.h>

struct topology { /* how many vCPUs each thing holds; 0: not known */
    uint32_t vcpus, socket, die, cluster, core;
};

static uint32_t said_or_one(const struct guest *guest, enum word_id word, uint32_t number)
{
    return is_said(&guest->said, word) ? number : 1;
}

/* Books of all drawers, each with its sockets. */
static uint64_t above_sockets(const struct guest *guest)
{
    return (uint64_t)said_or_one(guest, W_VCPUS_DRAWERS, guest->drawers) *
           said_or_one(guest, W_VCPUS_BOOKS, guest->books);
}

/* What the number of vCPUs and a part of the levels tell: half of 8 are in each of 2 sockets, however many cores that
 * is. */
static void measure_parts(const struct guest *guest, struct topology *topology)
{
    uint64_t sockets = guest->sockets * above_sockets(guest), threads = guest->threads,
             dies = said_or_one(guest, W_VCPUS_DIES, guest->dies),
             clusters = said_or_one(guest, W_VCPUS_CLUSTERS, guest->clusters);
    if (sockets && dies && clusters && topology->vcpus % sockets == 0 && topology->vcpus / sockets % dies == 0 &&
        topology->vcpus / sockets / dies % clusters == 0) {
        topology->socket = (uint32_t)(topology->vcpus / sockets);
        topology->die = (uint32_t)(topology->socket / dies);
        topology->cluster = (uint32_t)(topology->die / clusters);
    }
    if (threads && topology->vcpus % threads == 0)
        topology->core = (uint32_t)threads;
}

/* The levels as said; one of sockets, cores and threads may be left to the number of vCPUs. */
static struct topology topology_of(const struct guest *guest)
{
    struct topology topology = { .vcpus = guest->vcpu_count == COUNT_ALL ? 0 : guest->vcpu_count };
    uint64_t sockets = guest->sockets, cores = guest->cores, threads = guest->threads;
    uint32_t dies = said_or_one(guest, W_VCPUS_DIES, guest->dies),
             clusters = said_or_one(guest, W_VCPUS_CLUSTERS, guest->clusters);
    uint64_t books = above_sockets(guest),
             between = books * dies * clusters * said_or_one(guest, W_VCPUS_MODULES, guest->modules);
    uint64_t *open = !sockets ? &sockets : !cores ? &cores : !threads ? &threads : NULL;
    if (open && topology.vcpus) {
        *open = 1;
        uint64_t rest = sockets && cores && threads ? sockets * cores * threads * between : 0;
        *open = rest && topology.vcpus % rest == 0 ? topology.vcpus / rest : 0;
    }
    uint64_t total = sockets * cores * threads * between;
    if (!total && topology.vcpus)
        measure_parts(guest, &topology);
    if (!total || total > IDS_LIMIT || (topology.vcpus && topology.vcpus != total))
        return topology;
    topology.vcpus = (uint32_t)total;
    topology.socket = (uint32_t)(total / sockets / books);
    topology.die = topology.socket / dies;
    topology.cluster = topology.die / clusters;
    topology.core = (uint32_t)threads;
    return topology;
}

/* Levels that cannot make up the vCPUs: a rule tells that, and then no place is to be had for the same reason. */
static bool is_contradictory(const struct guest *guest)
{
    uint64_t product = 1, vcpus = guest->vcpu_count == COUNT_ALL ? 0 : guest->vcpu_count;
    const uint64_t levels[] = {
        said_or_one(guest, W_VCPUS_DRAWERS, guest->drawers),   said_or_one(guest, W_VCPUS_BOOKS, guest->books),
        said_or_one(guest, W_VCPUS_SOCKETS, guest->sockets),   said_or_one(guest, W_VCPUS_DIES, guest->dies),
        said_or_one(guest, W_VCPUS_CLUSTERS, guest->clusters), said_or_one(guest, W_VCPUS_MODULES, guest->modules),
        said_or_one(guest, W_VCPUS_CORES, guest->cores),       said_or_one(guest, W_VCPUS_THREADS, guest->threads)
    };
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
        if (!levels[i])
            return true;
        product = MIN(product * levels[i], UINT32_MAX);
    }
    bool decides_all = is_said(&guest->said, W_VCPUS_SOCKETS) && is_said(&guest->said, W_VCPUS_CORES) &&
                       is_said(&guest->said, W_VCPUS_THREADS);
    return vcpus && (decides_all ? product != vcpus : vcpus % product != 0);
}

static uint32_t size_of(const struct topology *topology, enum step_kind kind)
{
    if (kind == STEP_SOCKET)
        return topology->socket;
    if (kind == STEP_DIE)
        return topology->die;
    if (kind == STEP_CLUSTER)
        return topology->cluster;
    return kind == STEP_CORE ? topology->core : 1;
}

struct asking { /* for one set of one guest */
    struct binder *binder;
    const struct guest *guest;
    struct topology topology;
    struct span span;
};

static bool report_place(struct asking *asking, const struct set_term *term, const char *help, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
static bool report_place(struct asking *asking, const struct set_term *term, const char *help, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *why = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    struct finding *finding =
        report(asking->binder->findings, NM_guest_place, asking->span, "'%s' is no place of guest '%s': %s",
               term->text ? term->text : "all", asking->guest->name, why);
    finding_help(asking->binder->findings, finding, "%s", help);
    return false;
}

/* The vCPUs of the steps from `step` on, inside the `size` vCPUs from `base` on. */
static bool place_vcpus(struct asking *asking, const struct set_term *term, uint32_t step, uint32_t base, uint32_t size,
                        hwloc_bitmap_t out)
{
    if (step == term->step_count) {
        hwloc_bitmap_set_range(out, base, (int)(base + size - 1));
        return true;
    }
    const struct place_step *at = &term->steps[step];
    uint32_t each = size_of(&asking->topology, at->kind), count = each ? size / each : 0;
    if (!each && is_contradictory(asking->guest))
        return false;
    if (!each)
        return report_place(asking, term, "say 'vcpus' with sockets, cores and threads, or write the numbers",
                            "its topology is not said");
    if (!count || (!at->is_all && at->last >= count)) {
        g_autofree char *help =
            g_strdup_printf("they are counted from 0 inside what stands before the dot; there are %u", count);
        return report_place(asking, term, help, "there is no number %u", at->last);
    }
    bool fine = true;
    for (uint32_t i = at->is_all ? 0 : at->first; fine && i <= (at->is_all ? count - 1 : at->last); i++)
        fine = place_vcpus(asking, term, step + 1, base + i * each, each, out);
    return fine;
}

static bool term_vcpus(struct asking *asking, const struct set_term *term, hwloc_bitmap_t out)
{
    uint32_t vcpus = asking->topology.vcpus;
    if (term->kind == TERM_RANGE) {
        hwloc_bitmap_set_range(out, term->first, (int)term->last);
        return true;
    }
    if (!vcpus || vcpus > IDS_LIMIT)
        return report_place(asking, term, "say 'vcpus' in the guest, or write the numbers",
                            "its number of vCPUs is not said");
    if (term->kind == TERM_PLACE)
        return place_vcpus(asking, term, 0, 0, vcpus, out);
    hwloc_bitmap_set_range(out, 0, (int)vcpus - 1);
    return true;
}

/* The same set with its numbers; NULL with a finding. */
static const struct set *numbered(struct binder *binder, const struct guest *guest, const struct set *set,
                                  struct span span)
{
    struct asking asking = { .binder = binder, .guest = guest, .topology = topology_of(guest), .span = span };
    hwloc_bitmap_t result = hwloc_bitmap_alloc(), term = hwloc_bitmap_alloc();
    bool fine = true;
    for (uint32_t i = 0; fine && i < set->term_count; i++) {
        hwloc_bitmap_zero(term);
        fine = term_vcpus(&asking, &set->terms[i], term);
        if (set->terms[i].is_excluded)
            hwloc_bitmap_andnot(result, result, term);
        else
            hwloc_bitmap_or(result, result, term);
    }
    struct set *copy = NULL;
    if (fine && hwloc_bitmap_iszero(result)) {
        struct finding *finding =
            report(binder->findings, NM_empty_set, span, "'%s' is no vCPU of guest '%s'", set->text, guest->name);
        finding_help(binder->findings, finding, "name at least one");
    } else if (fine) {
        copy = arena_copy(binder->arena, set, sizeof *set + set->term_count * sizeof set->terms[0]);
        copy->plain = ids_from_bitmap(binder->arena, result);
    }
    hwloc_bitmap_free(result);
    hwloc_bitmap_free(term);
    return copy;
}

/* In place; false with a finding where a place is not there. */
static bool number_set(struct binder *binder, const struct guest *guest, const struct set **set, struct span span)
{
    if (!(*set)->plain)
        *set = numbered(binder, guest, *set, span);
    return *set != NULL;
}

static void number_cells(struct binder *binder, struct guest *guest)
{
    for (uint32_t c = 0; c < guest->cell_count; c++) {
        struct cell *cell = &guest->cells[c];
        if (!cell->ids || cell->ids->plain)
            continue;
        cell->ids = numbered(binder, guest, cell->ids, said_span(&cell->said, W_CELL_IDS, 1));
        said_mark(&cell->said, W_CELL_IDS, cell->ids != NULL);
        guest->is_broken |= !cell->ids;
    }
}

static void number_pins(struct binder *binder, struct guest *guest)
{
    struct pin_row *rows = guest->locality.pin_rows.items;
    uint32_t kept = 0;
    for (uint32_t r = 0; r < guest->locality.pin_rows.count; r++) {
        if (number_set(binder, guest, &rows[r].ids, rows[r].span))
            rows[kept++] = rows[r];
        else
            said_mark(&guest->said, W_PIN, false);
    }
    guest->is_broken |= kept < guest->locality.pin_rows.count;
    guest->locality.pin_rows.count = kept;
}

static void number_schedulers(struct binder *binder, struct guest *guest)
{
    struct scheduler_row *rows = guest->scheduler_rows.items;
    uint32_t kept = 0;
    for (uint32_t r = 0; r < guest->scheduler_rows.count; r++) {
        if (number_set(binder, guest, &rows[r].ids, rows[r].span))
            rows[kept++] = rows[r];
        else
            said_mark(&guest->said, W_GUEST_SCHEDULER, false);
    }
    guest->is_broken |= kept < guest->scheduler_rows.count;
    guest->scheduler_rows.count = kept;
}

static void number_resctrls(struct binder *binder, struct guest *guest)
{
    uint32_t kept = 0;
    for (uint32_t g = 0; g < guest->resctrl_count; g++) {
        struct resctrl *group = &guest->resctrls[g];
        struct monitor_row *rows = group->monitors.items;
        uint32_t watched = 0;
        for (uint32_t r = 0; r < group->monitors.count; r++)
            if (number_set(binder, guest, &rows[r].ids, rows[r].span))
                rows[watched++] = rows[r];
        guest->is_broken |= watched < group->monitors.count;
        group->monitors.count = watched;
        if (number_set(binder, guest, &group->ids, group->span))
            guest->resctrls[kept++] = *group;
    }
    guest->is_broken |= kept < guest->resctrl_count;
    guest->resctrl_count = kept;
}

static void number_hotplug(struct binder *binder, struct guest *guest)
{
    const struct {
        enum word_id word;
        const struct set **set;
    } words[] = { { W_VCPUS_ONLINE, &guest->online }, { W_VCPUS_FIXED, &guest->fixed } };
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (!*words[i].set || number_set(binder, guest, words[i].set, said_span(&guest->said, words[i].word, 1)))
            continue;
        said_mark(&guest->said, words[i].word, false);
        guest->is_broken = true;
    }
}

void number_guest_places(struct binder *binder, struct guest *guest)
{
    number_cells(binder, guest);
    number_hotplug(binder, guest);
    number_pins(binder, guest);
    number_schedulers(binder, guest);
    number_resctrls(binder, guest);
}
