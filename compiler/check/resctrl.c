/* SPDX-License-Identifier: MIT
 *
 * Rules about parts of caches and of memory bandwidth: groups of vCPUs as declared, and what the host's resctrl offers
 * them, alone and together with the groups of other guests.
 */
#include <hwloc/bitmap.h>

#include "check/subject.h"

static const enum word_id cache_words[CACHE_KINDS] = { W_RESCTRL_L2, W_RESCTRL_L2_CODE, W_RESCTRL_L2_DATA,
                                                       W_RESCTRL_L3, W_RESCTRL_L3_CODE, W_RESCTRL_L3_DATA };

/* ---- as declared: groups ---------------------------------------------------------------------------------------- */

static void groups_are_apart(const struct check *check, const struct guest *guest)
{
    if (guest->resctrl_count < 2)
        return;
    hwloc_bitmap_t seen = hwloc_bitmap_alloc(), own = hwloc_bitmap_alloc();
    for (uint32_t g = 0; g < guest->resctrl_count; g++) {
        hwloc_bitmap_zero(own);
        ids_add_to_bitmap(guest->resctrls[g].ids->plain, own);
        hwloc_bitmap_and(own, own, seen);
        ids_add_to_bitmap(guest->resctrls[g].ids->plain, seen);
        if (hwloc_bitmap_iszero(own))
            continue;
        uint32_t twice = (uint32_t)hwloc_bitmap_first(own), before = 0;
        while (!ids_contains(guest->resctrls[before].ids->plain, twice))
            before++;
        struct finding *finding = report(check->findings, NM_resctrl_overlap, guest->resctrls[g].span,
                                         "vCPU %u of guest '%s' is in two groups of 'resctrl'", twice, guest->name);
        finding_label(check->findings, finding, guest->resctrls[before].span, "here too");
        finding_note(check->findings, finding, "a thread is in one group of the kernel's; libvirt refuses it");
        finding_help(check->findings, finding, "leave it in one of them, or make one group of both");
        break;
    }
    hwloc_bitmap_free(own);
    hwloc_bitmap_free(seen);
}

static void groups_name_vcpus(const struct check *check, const struct guest *guest)
{
    uint64_t count = guest->resctrl_count ? declared_vcpus(guest) : 0;
    for (uint32_t g = 0; count && g < guest->resctrl_count; g++) {
        uint32_t last = ids_last(guest->resctrls[g].ids->plain);
        if (last < count)
            continue;
        struct finding *finding =
            report(check->findings, NM_resctrl_no_vcpu, guest->resctrls[g].span,
                   "a group of 'resctrl' names vCPU %u, and guest '%s' has %" G_GUINT64_FORMAT ", numbered from 0",
                   last, guest->name, count);
        finding_label(check->findings, finding, vcpus_span(guest), "%" G_GUINT64_FORMAT " vCPUs", count);
        finding_note(check->findings, finding, "libvirt would leave it out in silence");
        finding_help(check->findings, finding, "lower the number, or raise 'vcpus' to %u", last + 1);
        return;
    }
}

static bool says_anything(const struct resctrl *group)
{
    for (unsigned kind = 0; kind < CACHE_KINDS; kind++)
        if (is_said(&group->said, cache_words[kind]))
            return true;
    return is_said(&group->said, W_RESCTRL_BANDWIDTH) || is_said(&group->said, W_RESCTRL_MONITOR);
}

static void groups_say_something(const struct check *check, const struct guest *guest)
{
    for (uint32_t g = 0; g < guest->resctrl_count; g++) {
        if (says_anything(&guest->resctrls[g]))
            continue;
        struct finding *finding =
            report(check->findings, NM_missing_word, guest->resctrls[g].span, "'resctrl %s' of guest '%s' says nothing",
                   guest->resctrls[g].ids->text, guest->name);
        finding_help(check->findings, finding, "give it a part: 'l3 { 0 3MiB }', 'bandwidth { 0 50%%}', or 'monitor'");
    }
}

/* The kernel offers either the whole of a level's caches, or code and data apart. */
static void caches_are_parted_in_one_way(const struct check *check, const struct guest *guest)
{
    for (uint32_t g = 0; g < guest->resctrl_count; g++) {
        const struct resctrl *group = &guest->resctrls[g];
        for (unsigned level = 0; level < CACHE_KINDS; level += 3) {
            unsigned split = is_said(&group->said, cache_words[level + 1]) ? level + 1 : level + 2;
            if (!is_said(&group->said, cache_words[level]) || !is_said(&group->said, cache_words[split]))
                continue;
            const char *whole = word_row(cache_words[level])->word, *part = word_row(cache_words[split])->word;
            struct finding *finding =
                report(check->findings, NM_cache_both_and_split, said_span(&group->said, cache_words[split], 0),
                       "'resctrl %s' of guest '%s' says '%s' and '%s'", group->ids->text, guest->name, whole, part);
            finding_label(check->findings, finding, said_span(&group->said, cache_words[level], 0), "all of it");
            finding_note(check->findings, finding,
                         "a host parts the caches of a level as a whole, or those of code and data, never both");
            finding_help(check->findings, finding, "keep '%s', or '%s-code' and '%s-data'", whole, whole, whole);
        }
    }
}

static void shares_are_shares(const struct check *check, const struct guest *guest)
{
    for (uint32_t g = 0; g < guest->resctrl_count; g++) {
        const struct resctrl *group = &guest->resctrls[g];
        const struct bandwidth_row *rows = group->bandwidth.items;
        for (uint32_t r = 0; !is_failed(&group->said, W_RESCTRL_BANDWIDTH) && r < group->bandwidth.count; r++) {
            const struct share *share = &rows[r].share;
            if (share->is_rate ? share->bytes_per_second != 0 : share->percent && share->percent <= 100)
                continue;
            struct finding *finding;
            if (share->is_rate)
                finding = report(check->findings, NM_share_range, rows[r].span,
                                 "guest '%s' is left no memory bandwidth at all", guest->name);
            else
                finding = report(check->findings, NM_share_range, rows[r].span,
                                 "%u%% is no share of a memory bandwidth for guest '%s'", share->percent, guest->name);
            finding_help(check->findings, finding, "write 1%% to 100%%, or a rate such as '2048MiB/s'");
        }
    }
}

/* ---- as declared: monitors -------------------------------------------------------------------------------------- */

static bool same_sets(const struct set *a, const struct set *b)
{
    return ids_equal(a->plain, b->plain);
}

static void check_monitors(const struct check *check, const struct guest *guest, const struct resctrl *group)
{
    const struct monitor_row *rows = group->monitors.items;
    hwloc_bitmap_t seen = hwloc_bitmap_alloc(), own = hwloc_bitmap_alloc();
    for (uint32_t r = 0; r < group->monitors.count; r++) {
        struct finding *finding;
        if (!ids_within(rows[r].ids->plain, group->ids->plain)) {
            finding = report(check->findings, NM_monitor_outside, rows[r].span,
                             "a monitor of guest '%s' counts vCPUs %s, and its group has %s", guest->name,
                             rows[r].ids->text, group->ids->text);
            finding_label(check->findings, finding, group->span, "the group");
            finding_note(check->findings, finding, "libvirt drops what is outside, or refuses it");
            finding_help(check->findings, finding, "count vCPUs of the group, or enlarge the group");
            break;
        }
        if (same_sets(rows[r].ids, group->ids))
            continue; /* the group itself may be counted beside its parts */
        hwloc_bitmap_zero(own);
        ids_add_to_bitmap(rows[r].ids->plain, own);
        hwloc_bitmap_and(own, own, seen);
        ids_add_to_bitmap(rows[r].ids->plain, seen);
        if (hwloc_bitmap_iszero(own))
            continue;
        uint32_t twice = (uint32_t)hwloc_bitmap_first(own), before = 0;
        while (same_sets(rows[before].ids, group->ids) || !ids_contains(rows[before].ids->plain, twice))
            before++;
        if (same_sets(rows[before].ids, rows[r].ids))
            continue; /* spelled in two ways, it is one */
        finding = report(check->findings, NM_monitor_overlap, rows[r].span, "vCPU %u of guest '%s' is in two monitors",
                         twice, guest->name);
        finding_label(check->findings, finding, rows[before].span, "here too");
        finding_note(check->findings, finding, "a thread is counted in one place; libvirt refuses it");
        finding_help(check->findings, finding, "leave it in one of them, or count the whole group");
        break;
    }
    hwloc_bitmap_free(own);
    hwloc_bitmap_free(seen);
}

static void monitors_are_of_their_group(const struct check *check, const struct guest *guest)
{
    for (uint32_t g = 0; g < guest->resctrl_count; g++)
        if (!is_failed(&guest->resctrls[g].said, W_RESCTRL_MONITOR))
            check_monitors(check, guest, &guest->resctrls[g]);
}

const struct model_rule resctrl_rules[] = {
    { .name = "groups-are-apart", .source = "peers 154", .run = groups_are_apart },
    { .name = "groups-name-vcpus", .source = "peers 154", .of_whole = true, .run = groups_name_vcpus },
    { .name = "groups-say-something", .source = "language 7", .of_whole = true, .run = groups_say_something },
    { .name = "caches-are-parted-in-one-way", .source = "peers 155", .run = caches_are_parted_in_one_way },
    { .name = "shares-are-shares", .source = "peers 158", .run = shares_are_shares },
    { .name = "monitors-are-of-their-group",
      .source = "libvirt conf/domain_conf.c",
      .run = monitors_are_of_their_group },
    { 0 }
};

/* ---- the plan: what the host offers ----------------------------------------------------------------------------- */

static char type_of(enum cache_content content)
{
    return content == CACHE_CODE ? 'i' : content == CACHE_DATA ? 'd' : 'u';
}

static const char *word_of_part(const struct plan_cache_part *part)
{
    return word_row(cache_words[(part->level - 2) * 3 + (unsigned)part->content])->word;
}

static struct span part_span(const struct resctrl *group, const struct plan_cache_part *part)
{
    const struct list *list = &group->caches[(part->level - 2) * 3 + (unsigned)part->content];
    const struct cache_row *rows = list->items;
    for (uint32_t r = 0; r < list->count; r++)
        if (rows[r].cache == part->cache)
            return rows[r].span;
    return group->span;
}

static const struct cache_control *find_control(const struct host *facts, const struct plan_cache_part *part)
{
    for (uint32_t i = 0; i < facts->cache_control_count; i++) {
        const struct cache_control *control = &facts->cache_controls[i];
        if (control->level == part->level && control->cache == part->cache && control->type == type_of(part->content))
            return control;
    }
    return NULL;
}

/* "0, 1": caches of this level and type that have a control. */
static char *offered_caches(const struct check *check, const struct host *facts, uint32_t level, char type)
{
    g_autoptr(GString) list = g_string_new(NULL);
    for (uint32_t i = 0; i < facts->cache_control_count && list->len < 200; i++)
        if (facts->cache_controls[i].level == level && facts->cache_controls[i].type == type)
            g_string_append_printf(list, "%s%u", list->len ? ", " : "", facts->cache_controls[i].cache);
    return list->len ? arena_string(check->arena, list->str, list->len) : NULL;
}

static void report_no_control(const struct check *check, const struct planned_guest *planned,
                              const struct plan_cache_part *part, struct span span)
{
    const struct host *facts = facts_of(planned);
    const char *host = planned->host->name,
               *offered = offered_caches(check, facts, part->level, type_of(part->content));
    bool has_whole = offered_caches(check, facts, part->level, 'u'),
         has_split = offered_caches(check, facts, part->level, 'd');
    struct finding *finding;
    if (offered) {
        finding = report(check->findings, NM_cache_not_on_host, span,
                         "guest '%s' wants a part of L%u cache %u, which host '%s' does not have", planned->plan->name,
                         part->level, part->cache, host);
        finding_help(check->findings, finding, "its L%u caches are %s", part->level, offered);
    } else if (has_whole || has_split) {
        finding =
            report(check->findings, NM_cache_kind_not_offered, span,
                   "guest '%s' says '%s', and host '%s' parts its L%u caches %s", planned->plan->name,
                   word_of_part(part), host, part->level, has_split ? "for code and data apart" : "as a whole only");
        finding_note(check->findings, finding, "that is settled when resctrl is mounted, by its option cdp%s",
                     part->level == 2 ? "l2" : "");
        if (has_split)
            finding_help(check->findings, finding, "write 'l%u-code' and 'l%u-data'", part->level, part->level);
        else
            finding_help(check->findings, finding, "write 'l%u'", part->level);
    } else {
        finding = report(check->findings, NM_cache_not_on_host, span,
                         "guest '%s' wants a part of an L%u cache, and host '%s' offers none", planned->plan->name,
                         part->level, host);
        finding_help(check->findings, finding, "mount resctrl there if its processors have it, or remove '%s'",
                     word_of_part(part));
    }
}

/* True: the size is one that the kernel can give. */
static void check_size(const struct check *check, const struct planned_guest *planned,
                       const struct plan_cache_part *part, const struct cache_control *control, struct span span)
{
    const char *size = size_text(check->arena, part->bytes), *granule = size_text(check->arena, control->granule_bytes),
               *why = NULL;
    uint64_t most = control->bytes - MIN(control->bytes, control->granule_bytes),
             fitting = (part->bytes + control->granule_bytes - 1) / control->granule_bytes * control->granule_bytes;
    if (part->bytes < control->least_bytes)
        why = arena_printf(check->arena, "at least %s", size_text(check->arena, control->least_bytes));
    else if (part->bytes >= control->bytes)
        why = arena_printf(check->arena, "less than all of it, %s", size_text(check->arena, control->bytes));
    else if (part->bytes % control->granule_bytes)
        why = arena_printf(check->arena, "in steps of %s", granule);
    if (!why)
        return;
    struct finding *finding =
        report(check->findings, NM_cache_part_size, span, "guest '%s' wants %s of L%u cache %u, and host '%s' gives %s",
               planned->plan->name, size, part->level, part->cache, planned->host->name, why);
    finding_note(check->findings, finding, "libvirt would refuse it at start");
    finding_help(check->findings, finding, "write %s",
                 size_text(check->arena, CLAMP(fitting, control->least_bytes, MAX(most, control->least_bytes))));
}

/* Whether all vCPUs of a group are pinned, and none of them to these CPUs. */
static bool runs_elsewhere(const struct plan_guest *plan, const struct plan_resctrl *group, const struct ids *cpus)
{
    const struct ids *before = NULL;
    for (ids_each(group->vcpus, vcpu)) {
        const struct ids *own = vcpu < plan->vcpu_count ? plan->vcpu_cpus[vcpu] : NULL;
        if (!own || (own != before && ids_overlap(own, cpus)))
            return false;
        before = own;
    }
    return true;
}

static void report_far(const struct check *check, const struct planned_guest *planned, uint32_t group, const char *what,
                       const struct ids *cpus, struct span span)
{
    const struct ids *vcpus = planned->plan->resctrls[group].vcpus;
    uint32_t vcpu = ids_first(vcpus);
    bool is_one = ids_size(vcpus) == 1;
    struct finding *finding = report(check->findings, NM_cache_far, span,
                                     "vCPU%s %s of guest '%s' %s a part of %s, and %s on none of its CPUs",
                                     is_one ? "" : "s", ids_text(check->arena, vcpus), planned->plan->name,
                                     is_one ? "has" : "have", what, is_one ? "runs" : "run");
    const struct ids *own = planned->plan->vcpu_cpus[vcpu];
    finding_label(check->findings, finding, vcpu_span(planned, vcpu), "vCPU %u runs on CPU%s %s", vcpu,
                  ids_size(own) == 1 ? "" : "s", ids_text(check->arena, own));
    finding_note(check->findings, finding, "its CPUs are %s", ids_text(check->arena, cpus));
    finding_help(check->findings, finding, "name the cache of the CPUs that the vCPUs run on");
}

/* True: one that its vCPUs do not use was told; their bandwidth is far for the same reason. */
static bool check_parts(const struct check *check, const struct planned_guest *planned, uint32_t g)
{
    const struct plan_resctrl *group = &planned->plan->resctrls[g];
    bool is_far = false;
    for (uint32_t i = 0; i < group->part_count; i++) {
        const struct plan_cache_part *part = &group->parts[i];
        const struct cache_control *control = find_control(facts_of(planned), part);
        struct span span = part_span(&planned->guest->resctrls[g], part);
        if (!control) {
            report_no_control(check, planned, part, span);
            return is_far; /* the others lack it for the same reason */
        }
        check_size(check, planned, part, control, span);
        if (is_far || !runs_elsewhere(planned->plan, group, control->cpus))
            continue;
        is_far = true;
        report_far(check, planned, g, arena_printf(check->arena, "L%u cache %u", part->level, part->cache),
                   control->cpus, span);
    }
    return is_far;
}

static const struct bandwidth_control *find_bandwidth(const struct host *facts, uint32_t node)
{
    for (uint32_t i = 0; i < facts->bandwidth_control_count; i++)
        if (facts->bandwidth_controls[i].node == node)
            return &facts->bandwidth_controls[i];
    return NULL;
}

static struct span bandwidth_span(const struct resctrl *group, uint32_t node)
{
    const struct bandwidth_row *rows = group->bandwidth.items;
    for (uint32_t r = 0; r < group->bandwidth.count; r++)
        if (rows[r].node == node)
            return rows[r].span;
    return group->span;
}

static void report_no_bandwidth(const struct check *check, const struct planned_guest *planned, uint32_t node,
                                struct span span)
{
    const struct host *facts = facts_of(planned);
    struct finding *finding;
    if (!facts->bandwidth_control_count) {
        finding = report(check->findings, NM_bandwidth_not_on_host, span,
                         "guest '%s' wants a share of the memory bandwidth, and host '%s' offers none",
                         planned->plan->name, planned->host->name);
        finding_help(check->findings, finding, "mount resctrl there if its processors have it, or remove 'bandwidth'");
        return;
    }
    finding = report(check->findings, NM_bandwidth_not_on_host, span,
                     "guest '%s' wants bandwidth of L3 cache %u, which host '%s' does not have", planned->plan->name,
                     node, planned->host->name);
    finding_help(check->findings, finding, "the first of its %u is %u", facts->bandwidth_control_count,
                 facts->bandwidth_controls[0].node);
}

static void check_share(const struct check *check, const struct planned_guest *planned, uint32_t percent,
                        const struct bandwidth_control *control, struct span span)
{
    struct finding *finding;
    if (percent < control->least)
        finding = report(check->findings, NM_bandwidth_step, span,
                         "guest '%s' wants %u%% of the bandwidth of L3 cache %u, and host '%s' gives at least %u%%",
                         planned->plan->name, percent, control->node, planned->host->name, control->least);
    else if (percent % control->granule)
        finding = report(check->findings, NM_bandwidth_step, span,
                         "guest '%s' wants %u%% of the bandwidth of L3 cache %u, and host '%s' gives steps of %u%%",
                         planned->plan->name, percent, control->node, planned->host->name, control->granule);
    else
        return;
    uint32_t fitting = (percent + control->granule - 1) / control->granule * control->granule;
    finding_note(check->findings, finding, "libvirt would refuse it at start");
    finding_help(check->findings, finding, "write %u%%", MIN(MAX(fitting, control->least), 100));
}

static void check_bandwidths(const struct check *check, const struct planned_guest *planned, uint32_t g, bool is_far)
{
    const struct plan_resctrl *group = &planned->plan->resctrls[g];
    for (uint32_t i = 0; i < group->bandwidth_count; i++) {
        const struct plan_bandwidth *bandwidth = &group->bandwidths[i];
        const struct bandwidth_control *control = find_bandwidth(facts_of(planned), bandwidth->node);
        struct span span = bandwidth_span(&planned->guest->resctrls[g], bandwidth->node);
        if (!control) {
            report_no_bandwidth(check, planned, bandwidth->node, span);
            return;
        }
        if (bandwidth->percent)
            check_share(check, planned, bandwidth->percent, control, span);
        if (is_far || !runs_elsewhere(planned->plan, group, control->cpus))
            continue;
        is_far = true;
        report_far(check, planned, g, arena_printf(check->arena, "the bandwidth of L3 cache %u", control->node),
                   control->cpus, span);
    }
}

static void check_watching(const struct check *check, const struct planned_guest *planned, uint32_t g)
{
    const struct host *facts = facts_of(planned);
    const struct plan_resctrl *group = &planned->plan->resctrls[g];
    const struct monitor_row *rows = planned->guest->resctrls[g].monitors.items;
    for (uint32_t i = 0; i < group->monitor_count; i++) {
        bool lacks_cache = group->monitors[i].counts_cache && facts->watches_cache == STATE_NO,
             lacks_bandwidth = group->monitors[i].counts_bandwidth && facts->watches_bandwidth == STATE_NO;
        if (!lacks_cache && !lacks_bandwidth)
            continue;
        struct finding *finding = report(check->findings, NM_monitor_not_on_host, rows[i].span,
                                         "guest '%s' is to be watched for its %s, which host '%s' does not count",
                                         planned->plan->name, lacks_cache ? "cache" : "bandwidth", planned->host->name);
        finding_note(check->findings, finding, "libvirt would refuse it at start");
        finding_help(check->findings, finding, "mount resctrl there if its processors have it, or remove '%s'",
                     lacks_cache ? "cache" : "bandwidth");
        return;
    }
}

/* A host without resctrl lacks all of it for one reason. */
static bool offers_anything(const struct host *facts)
{
    return facts->cache_control_count || facts->bandwidth_control_count || facts->watches_cache == STATE_YES ||
           facts->watches_bandwidth == STATE_YES;
}

static void hosts_offer_the_parts(const struct check *check, const struct planned_guest *planned)
{
    const struct host *facts = facts_of(planned);
    for (uint32_t g = 0; facts && facts->resctrl_known && g < planned->plan->resctrl_count; g++) {
        const struct plan_resctrl *group = &planned->plan->resctrls[g];
        bool is_far = check_parts(check, planned, g);
        if (group->part_count && !offers_anything(facts))
            return;
        check_bandwidths(check, planned, g, is_far);
        if (group->bandwidth_count && !offers_anything(facts))
            return;
        check_watching(check, planned, g);
    }
}

const struct plan_rule plan_resctrl_rules[] = {
    { .name = "hosts-offer-the-parts", .source = "peers 155, 156, 158, 159", .run = hosts_offer_the_parts }, { 0 }
};

/* ---- the site: all groups of a host ----------------------------------------------------------------------------- */

struct sum { /* of one control of one host */
    uint64_t bytes;
    uint32_t groups;
    const struct planned_guest *last;
    struct span span;
};

struct host_sums {
    struct sum *caches;
    uint32_t groups; /* with a part of anything */
    const struct planned_guest *last;
    struct span span;
};

static void enter_group(struct host_sums *sums, const struct planned_guest *planned, uint32_t g)
{
    const struct host *facts = facts_of(planned);
    const struct plan_resctrl *group = &planned->plan->resctrls[g];
    if (!group->part_count && !group->bandwidth_count)
        return; /* watched only, inside the host's own group */
    sums->groups++;
    sums->last = planned;
    sums->span = planned->guest->resctrls[g].span;
    for (uint32_t i = 0; i < group->part_count; i++) {
        const struct cache_control *control = find_control(facts, &group->parts[i]);
        if (!control || group->parts[i].bytes >= control->bytes)
            continue; /* told with its guest */
        struct sum *sum = &sums->caches[control - facts->cache_controls];
        sum->bytes += group->parts[i].bytes;
        sum->groups++;
        sum->last = planned;
        sum->span = part_span(&planned->guest->resctrls[g], &group->parts[i]);
    }
}

static void report_full(const struct check *check, const struct site_host *host, const struct host_sums *sums)
{
    for (uint32_t i = 0; i < host->facts->cache_control_count; i++) {
        const struct cache_control *control = &host->facts->cache_controls[i];
        const struct sum *sum = &sums->caches[i];
        if (sum->groups < 2 || sum->bytes + control->least_bytes <= control->bytes)
            continue;
        struct finding *finding = report(check->findings, NM_cache_exceeded, sum->span,
                                         "%u groups take %s of L%u cache %u of host '%s', which has %s", sum->groups,
                                         size_text(check->arena, sum->bytes), control->level, control->cache,
                                         host->name, size_text(check->arena, control->bytes));
        finding_label(check->findings, finding, host->declared->span, "the host itself keeps at least %s",
                      size_text(check->arena, control->least_bytes));
        finding_note(check->findings, finding,
                     "libvirt never lets parts overlap: guest '%s' or another would not start", sum->last->plan->name);
        finding_help(check->findings, finding, "take less of it, together at most %s",
                     size_text(check->arena, control->bytes - MIN(control->bytes, control->least_bytes)));
    }
}

/* The fewest groups that any control of the host can tell apart. */
static uint32_t most_groups(const struct host *facts)
{
    uint32_t most = UINT32_MAX;
    for (uint32_t i = 0; i < facts->cache_control_count; i++)
        most = MIN(most, facts->cache_controls[i].most_groups);
    for (uint32_t i = 0; i < facts->bandwidth_control_count; i++)
        most = MIN(most, facts->bandwidth_controls[i].most_groups);
    return most;
}

static void report_groups(const struct check *check, const struct site_host *host, const struct host_sums *sums)
{
    uint32_t most = most_groups(host->facts);
    if (!most || sums->groups < most)
        return;
    struct finding *finding = report(check->findings, NM_too_many_groups, sums->span,
                                     "guests want %u groups of 'resctrl' on host '%s', which has room for %u",
                                     sums->groups, host->name, most - 1);
    finding_label(check->findings, finding, host->declared->span, "its processors know %u, and one is its own", most);
    finding_help(check->findings, finding, "make one group of vCPUs that may share a part, or spread the guests");
}

static void parts_fit_together(const struct check *check, const struct planned_site *site)
{
    struct arena *scratch = arena_new();
    struct host_sums *sums = arena_array(scratch, struct host_sums, site->hosts->count);
    for (uint32_t i = 0; i < site->plan->guest_count; i++) {
        const struct planned_guest *planned = &site->guests[i];
        const struct host *facts = facts_of(planned);
        if (!facts || !facts->resctrl_known || !planned->plan->resctrl_count)
            continue;
        struct host_sums *own = &sums[planned->host - site->hosts->list];
        if (!own->caches)
            own->caches = arena_array(scratch, struct sum, facts->cache_control_count);
        for (uint32_t g = 0; g < planned->plan->resctrl_count; g++)
            enter_group(own, planned, g);
    }
    for (uint32_t h = 0; h < site->hosts->count; h++) {
        if (!sums[h].groups)
            continue;
        report_full(check, &site->hosts->list[h], &sums[h]);
        report_groups(check, &site->hosts->list[h], &sums[h]);
    }
    arena_free(scratch);
}

const struct site_rule resctrl_site_rules[] = {
    { .name = "parts-fit-together", .source = "peers 157", .run = parts_fit_together }, { 0 }
};
