/* SPDX-License-Identifier: MIT
 *
 * The vCPUs of a command line: how many, their topology with what QEMU makes of what is not said, those that are
 * plugged at start, and those that wait.
 */
#include "import/argv.h"

#include <hwloc/bitmap.h>
#include <stdio.h>
#include <string.h>

const char *const argv_levels[ARGV_LEVELS] = { "drawers",  "books",   "sockets", "dies",
                                               "clusters", "modules", "cores",   "threads" };

/* ---- places ----------------------------------------------------------------------------------------------------- */

struct place {
    const struct argv_guest *guest;
    uint32_t wanted[ARGV_LEVELS]; /* ARGV_NOWHERE: any */
    hwloc_bitmap_t set;
};

/* The vCPUs from `first` on, one for each unit below the level, as far as they are wanted. */
static void add_below(const struct place *place, unsigned level, uint32_t first)
{
    uint32_t each = 1;
    bool is_any = true;
    for (unsigned i = level; i < ARGV_LEVELS; i++) {
        is_any &= place->wanted[i] == ARGV_NOWHERE;
        each *= place->guest->levels[i];
    }
    if (is_any) {
        hwloc_bitmap_set_range(place->set, first, (int)(first + each - 1));
        return;
    }
    each /= place->guest->levels[level];
    uint32_t wanted = place->wanted[level];
    for (uint32_t unit = wanted == ARGV_NOWHERE ? 0 : wanted; unit < place->guest->levels[level]; unit++) {
        add_below(place, level + 1, first + unit * each);
        if (wanted != ARGV_NOWHERE)
            return;
    }
}

/* Where `core-id` counts through the whole guest it says all, and the levels above are as usual or another topology. */
static bool core_of_guest(struct argv_guest *guest, struct option *option, hwloc_bitmap_t set)
{
    static const char *const above[] = {
        [ARGV_DRAWERS] = "drawer-id", [ARGV_BOOKS] = "book-id", [ARGV_SOCKETS] = "socket-id"
    };
    const struct property *core = option_take(option, "core-id");
    uint64_t vcpu = 0;
    if (!core)
        return argv_refuse(guest, option->span, "say core-id, the number of the vCPU", "a vCPU without its place");
    if (!property_number(guest, core, guest->vcpu_count - 1, &vcpu))
        return false;
    uint64_t unit = vcpu / guest->levels[ARGV_CORES];
    for (unsigned i = ARGV_SOCKETS + 1; i-- > 0; unit /= guest->levels[i]) {
        const struct property *said = option_take(option, above[i]);
        uint64_t number;
        if (said && property_number(guest, said, guest->levels[i] - 1, &number) && number != unit % guest->levels[i])
            argv_not_carried(guest, said->where, "numac numbers them level by level, as QEMU does by itself",
                             "where vCPU %" G_GUINT64_FORMAT " is", vcpu);
    }
    hwloc_bitmap_set(set, (unsigned)vcpu);
    return true;
}

/* A core of ppc64 goes by the number of its first thread. */
static bool add_core(struct argv_guest *guest, struct option *option, hwloc_bitmap_t set)
{
    const struct property *core = option_take(option, "core-id");
    uint32_t threads = guest->levels[ARGV_THREADS];
    uint64_t first;
    if (!core)
        return argv_refuse(guest, option->span, "write all that QEMU wants there", "it lacks its 'core-id'");
    if (!property_number(guest, core, guest->vcpu_count - 1, &first))
        return false;
    if (first % threads)
        return argv_refuse(guest, core->where, "cores count the threads before them", "no core begins at thread %u",
                           (uint32_t)first);
    hwloc_bitmap_set_range(set, (unsigned)first, (int)(first + threads - 1));
    return true;
}

bool argv_vcpus_at(struct argv_guest *guest, struct option *option, hwloc_bitmap_t set)
{
    if (architecture_of(guest->architecture)->counts_cores)
        return core_of_guest(guest, option, set);
    if (architecture_of(guest->architecture)->plugs_cores)
        return add_core(guest, option, set);
    static const char *const keys[ARGV_LEVELS] = { "drawer-id",  "book-id",   "socket-id", "die-id",
                                                   "cluster-id", "module-id", "core-id",   "thread-id" };
    struct place place = { .guest = guest, .set = set };
    for (unsigned i = 0; i < ARGV_LEVELS; i++) {
        const struct property *property = option_take(option, keys[i]);
        uint64_t wanted = ARGV_NOWHERE;
        if (property && !property_number(guest, property, guest->levels[i] - 1, &wanted))
            return false;
        place.wanted[i] = (uint32_t)wanted;
    }
    add_below(&place, 0, 0);
    return true;
}

/* ---- those that are plugged ------------------------------------------------------------------------------------- */

struct plugging {
    hwloc_bitmap_t online, fixed, one;
    GArray *order; /* uint32_t: vCPUs that devices plug */
};

bool argv_is_vcpu(struct option *option)
{
    const char *driver = option_text(option, "driver");
    return driver && (g_str_has_suffix(driver, "-cpu") || g_str_has_suffix(driver, "-spapr-cpu-core"));
}

static bool refuse_place(struct argv_guest *guest, const struct option *option, const char *why)
{
    return argv_refuse(guest, option->span, "say socket-id, core-id and thread-id of one that is not there yet", "%s",
                       why);
}

/* What has no id cannot be unplugged. */
static bool plug(struct argv_guest *guest, struct option *option, struct plugging *plugging)
{
    hwloc_bitmap_zero(plugging->one);
    if (!argv_vcpus_at(guest, option, plugging->one))
        return false;
    if (hwloc_bitmap_weight(plugging->one) != 1 && !architecture_of(guest->architecture)->plugs_cores)
        return refuse_place(guest, option, "this is the place of more than one vCPU");
    if (hwloc_bitmap_intersects(plugging->online, plugging->one))
        return refuse_place(guest, option, "the vCPU of this place is there already");
    hwloc_bitmap_or(plugging->online, plugging->online, plugging->one);
    if (!option_take(option, "id"))
        hwloc_bitmap_or(plugging->fixed, plugging->fixed, plugging->one);
    argv_leave_unused(guest, option, NULL);
    for (ids_each(ids_from_bitmap(guest->arena, plugging->one), vcpu))
        g_array_append_val(plugging->order, vcpu);
    return true;
}

static void say_set(struct argv_guest *guest, struct line *line, const char *word, hwloc_bitmap_t set)
{
    argv_line(guest, &line->children, word, "%s", ids_text(guest->arena, ids_from_bitmap(guest->arena, set)));
}

/* The first ones are there before any device; numbers that rise are the usual order. */
static void say_order(struct argv_guest *guest, struct line *vcpus, uint32_t at_start, const GArray *plugged)
{
    bool rises = true;
    for (guint i = 1; i < plugged->len; i++)
        rises &= g_array_index(plugged, uint32_t, i - 1) < g_array_index(plugged, uint32_t, i);
    if (rises)
        return;
    struct line *line = line_add(&vcpus->children, line_new(guest->arena, "order", NULL));
    line->arguments = arena_array(guest->arena, const char *, at_start + plugged->len);
    for (uint32_t vcpu = 0; vcpu < at_start; vcpu++)
        line->arguments[line->count++] = arena_printf(guest->arena, "%u", vcpu);
    for (guint i = 0; i < plugged->len; i++)
        line->arguments[line->count++] = arena_printf(guest->arena, "%u", g_array_index(plugged, uint32_t, i));
}

static struct line *say_hotplug(struct argv_guest *guest, uint32_t at_start, const struct plugging *plugging)
{
    uint32_t online = at_start + plugging->order->len;
    struct line *line = argv_line(guest, &guest->lines, "vcpus", "%u", online);
    if (online < guest->vcpu_count)
        argv_line(guest, &line->children, "max", "%u", guest->vcpu_count);
    if (at_start < guest->vcpu_count) {
        say_set(guest, line, "online", plugging->online);
        say_set(guest, line, "fixed", plugging->fixed);
    }
    say_order(guest, line, at_start, plugging->order);
    return line;
}

static struct line *say_plugged(struct argv_guest *guest, uint32_t at_start)
{
    struct plugging plugging = { .online = hwloc_bitmap_alloc(),
                                 .fixed = hwloc_bitmap_alloc(),
                                 .one = hwloc_bitmap_alloc(),
                                 .order = g_array_new(FALSE, FALSE, sizeof(uint32_t)) };
    hwloc_bitmap_set_range(plugging.online, 0, (int)at_start - 1);
    hwloc_bitmap_set_range(plugging.fixed, 0, (int)at_start - 1);
    bool fine = true;
    for (struct option *option = argv_next(guest, ARGV_DEVICE, NULL); option && fine;
         option = argv_next(guest, ARGV_DEVICE, option))
        fine = !argv_is_vcpu(option) || plug(guest, option, &plugging);
    struct line *line = say_hotplug(guest, at_start, &plugging);
    hwloc_bitmap_free(plugging.online);
    hwloc_bitmap_free(plugging.fixed);
    hwloc_bitmap_free(plugging.one);
    g_array_free(plugging.order, TRUE);
    return line;
}

/* ---- caches that they share ------------------------------------------------------------------------------------- */

/* All -machine are one; a later value wins. */
static const struct property *machine_value(struct argv_guest *guest, const char *key)
{
    const struct property *found = NULL;
    for (struct option *option = argv_next(guest, ARGV_MACHINE, NULL); option;
         option = argv_next(guest, ARGV_MACHINE, option)) {
        const struct property *said = option_take(option, key);
        found = said ? said : found;
    }
    return found;
}

static bool is_one_of(const char *text, const char *const *words)
{
    while (*words && strcmp(text, *words) != 0)
        words++;
    return *words;
}

/* "smp-cache.0.cache=l3,smp-cache.0.topology=die"; `default` is what QEMU does by itself. */
static void say_caches(struct argv_guest *guest, struct line *vcpus)
{
    static const char *const caches[] = { "l1d", "l1i", "l2", "l3", NULL };
    static const char *const levels[] = { "core", "module", "die", "socket", "default", NULL };
    struct line *line = NULL;
    for (unsigned i = 0;; i++) {
        const struct property *cache = machine_value(guest, arena_printf(guest->arena, "smp-cache.%u.cache", i)),
                              *level = machine_value(guest, arena_printf(guest->arena, "smp-cache.%u.topology", i));
        const struct property *either = cache ? cache : level;
        if (!either)
            return;
        if (!cache || !level || !is_one_of(cache->value, caches) || !is_one_of(level->value, levels)) {
            argv_not_carried(guest, either->where,
                             "a row names l1d, l1i, l2 or l3, and one of core, module, die and socket",
                             "a cache that vCPUs share, '%.40s'", either->value);
            continue;
        }
        if (strcmp(level->value, "default") == 0)
            continue;
        line = line ? line : line_add(&vcpus->children, line_new(guest->arena, "caches", NULL));
        argv_line(guest, &line->children, cache->value, "%s", level->value);
    }
}

/* ---- how many --------------------------------------------------------------------------------------------------- */

/* Machine types of QEMU before 6.2 make sockets of what is not said, later ones cores; those of RHEL from 8.6 on. */
static bool prefers_sockets(const char *machine)
{
    const char *rhel = strstr(machine, "rhel");
    unsigned major, minor;
    if (rhel && sscanf(rhel, "rhel%3u.%3u", &major, &minor) == 2)
        return major < 8 || (major == 8 && minor < 6);
    return machine_is_before(machine, 6, 2);
}

static uint64_t product(const uint64_t *levels, unsigned except)
{
    uint64_t all = 1;
    for (unsigned i = 0; i < ARGV_LEVELS; i++)
        if (i != except && (!levels[i] || __builtin_mul_overflow(all, levels[i], &all)))
            return levels[i] ? UINT64_MAX : 0;
    return all;
}

/* QEMU's own rule for what is not said (0). */
static void complete(uint64_t *levels, uint64_t *cpus, uint64_t *most, bool by_sockets)
{
    uint64_t total = *most ? *most : *cpus;
    for (unsigned i = 0; i < ARGV_CORES; i++)
        levels[i] = levels[i] || i == ARGV_SOCKETS ? levels[i] : 1;
    unsigned first = by_sockets ? ARGV_SOCKETS : ARGV_CORES, second = by_sockets ? ARGV_CORES : ARGV_SOCKETS;
    unsigned open = !levels[first] ? first : !levels[second] ? second : ARGV_THREADS;
    bool is_open = total && !levels[open];
    for (unsigned i = 0; i < ARGV_LEVELS; i++)
        if (!levels[i] && !(is_open && i == open))
            levels[i] = 1;
    if (is_open)
        levels[open] = MAX(total / MAX(product(levels, open), 1), 1);
    *most = *most ? *most : *cpus ? *cpus : product(levels, ARGV_LEVELS);
    *cpus = *cpus ? *cpus : *most;
}

/* All -smp are one; a later value wins. */
static void smp_value(struct argv_guest *guest, const char *key, uint64_t *out_number)
{
    for (struct option *option = argv_next(guest, ARGV_SMP, NULL); option;
         option = argv_next(guest, ARGV_SMP, option)) {
        const struct property *property = option_take(option, key);
        if (property)
            property_number(guest, property, ARGV_VCPU_LIMIT, out_number);
    }
}

static void say_vcpus(struct argv_guest *guest, const uint64_t *levels, uint32_t at_start)
{
    for (unsigned i = 0; i < ARGV_LEVELS; i++)
        guest->levels[i] = (uint32_t)levels[i];
    struct line *line = say_plugged(guest, at_start);
    for (unsigned i = 0; i < ARGV_LEVELS && guest->vcpu_count > 1; i++)
        if (levels[i] > 1 || i == ARGV_SOCKETS || i >= ARGV_CORES)
            argv_line(guest, &line->children, argv_levels[i], "%u", (unsigned)levels[i]);
    say_caches(guest, line);
}

void argv_vcpus(struct argv_guest *guest)
{
    uint64_t levels[ARGV_LEVELS] = { 0 }, cpus = 0, most = 0;
    const struct option *option = argv_last(guest, ARGV_SMP);
    smp_value(guest, "cpus", &cpus);
    smp_value(guest, "maxcpus", &most);
    for (unsigned i = 0; i < ARGV_LEVELS; i++)
        smp_value(guest, argv_levels[i], &levels[i]);
    for (struct option *each = argv_next(guest, ARGV_SMP, NULL); each; each = argv_next(guest, ARGV_SMP, each))
        argv_leave_unused(guest, each, "numac has no such level of the topology");
    if (!option)
        cpus = 1;
    complete(levels, &cpus, &most, prefers_sockets(guest->machine));
    uint64_t all = product(levels, ARGV_LEVELS);
    if (guest->failed)
        return;
    if (most > ARGV_VCPU_LIMIT) {
        struct finding *finding =
            argv_report(guest, NM_argv_limit, option->span, "more than %d vCPUs", ARGV_VCPU_LIMIT);
        finding_help(guest->findings, finding, "QEMU gives no guest so many: is the line what it seems?");
        return;
    }
    if (option && (all != most || cpus > most)) {
        argv_refuse(guest, option->span, "make the product of all levels the number of vCPUs, with those to be plugged",
                    cpus > most ? "%" G_GUINT64_FORMAT " vCPUs at start, and room for %" G_GUINT64_FORMAT
                                : "a topology for %" G_GUINT64_FORMAT " vCPUs, and there can be %" G_GUINT64_FORMAT,
                    cpus > most ? cpus : all, most);
        return;
    }
    guest->vcpu_count = (uint32_t)most;
    say_vcpus(guest, levels, (uint32_t)cpus);
}
