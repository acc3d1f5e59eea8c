/* SPDX-License-Identifier: MIT
 *
 * The vCPUs of a domain XML as items: how many, in which topology, which of them are there at start and which can be
 * unplugged.  libvirt says the latter in `current` alone, or vCPU by vCPU.
 */
#include "syntax/domain.h"

#include <hwloc/bitmap.h>

static void add_levels(struct domain *domain, struct item *vcpus, struct item_list *block)
{
    static const char *const levels[] = { "sockets", "dies", "clusters", "modules", "cores", "threads" };
    const struct element *topology = domain_first(domain, PART_TOPOLOGY);
    for (size_t i = 0; topology && i < G_N_ELEMENTS(levels); i++) {
        const struct text_value *value = element_value(topology, levels[i]);
        if (!value->text)
            continue;
        struct word word = word_value(domain, value);
        item_add(vcpus, block, item_of(domain, word_named(domain, value->name, levels[i]), &word, 1));
    }
}

/* ---- vCPU by vCPU ----------------------------------------------------------------------------------------------- */

struct plugged { /* one that has a place in the order */
    uint64_t order;
    const struct text_value *id;
};

struct each_vcpu { /* what `<vcpus>` says */
    struct domain *domain;
    hwloc_bitmap_t online, fixed;
    GArray *plugged; /* struct plugged */
};

/* True, false, or -1 where it is not said; a finding and -1 where it is neither. */
static int yes_or_no(struct domain *domain, const struct text_value *value)
{
    if (!value->text)
        return -1;
    if (value_is(value, "yes") || value_is(value, "no"))
        return value_is(value, "yes");
    struct finding *finding = domain_report(domain, NM_base_value, value->where, "'%.*s' is neither yes nor no",
                                            value_shown(value), value->text);
    finding_help(domain->findings, finding, "write yes or no");
    return -1;
}

/* libvirt takes a vCPU that is there for one that stays, where nothing is said. */
static void take_vcpu(struct each_vcpu *each, const struct element *element)
{
    struct domain *domain = each->domain;
    const struct text_value *id = domain_needed(domain, element, "id"), *order = element_value(element, "order");
    uint64_t vcpu, place;
    if (!id || !domain_needed(domain, element, "enabled") ||
        !domain_whole(domain, id, "the number of a vCPU", IDS_LIMIT, &vcpu))
        return;
    bool is_online = yes_or_no(domain, element_value(element, "enabled")) == 1;
    int is_hotpluggable = yes_or_no(domain, element_value(element, "hotpluggable"));
    if (is_online)
        hwloc_bitmap_set(each->online, (unsigned)vcpu);
    if (!is_hotpluggable || (is_online && is_hotpluggable < 0))
        hwloc_bitmap_set(each->fixed, (unsigned)vcpu);
    if (is_online && order->text && domain_whole(domain, order, "a place in the order", UINT32_MAX, &place)) {
        struct plugged plugged = { place, id };
        g_array_append_val(each->plugged, plugged);
    }
}

static gint by_order(gconstpointer a, gconstpointer b)
{
    const struct plugged *one = a, *other = b;
    if (one->order != other->order)
        return one->order < other->order ? -1 : 1;
    return one->id->where.begin < other->id->where.begin ? -1 : 1;
}

/* ---- words of hotplug ------------------------------------------------------------------------------------------- */

struct words { /* cooked ones begin at the next byte of what said them */
    struct domain *domain;
    struct item *vcpus;
    struct item_list *block;
    struct extent next;
};

static struct word next_word(struct words *words, const char *text)
{
    struct word word = word_named(words->domain, words->next, text);
    words->next.begin++;
    return word;
}

static void add_set(struct words *words, const char *name, hwloc_const_bitmap_t set)
{
    struct arena *arena = words->domain->syntax->arena;
    struct word word_name = next_word(words, name),
                value = next_word(words, ids_text(arena, ids_from_bitmap(arena, set)));
    item_add(words->vcpus, words->block, item_of(words->domain, word_name, &value, 1));
}

static void add_order(struct words *words, GArray *plugged)
{
    struct domain *domain = words->domain;
    if (!plugged->len)
        return;
    g_array_sort(plugged, by_order);
    struct word *ids = arena_array(domain->syntax->arena, struct word, plugged->len);
    for (guint i = 0; i < plugged->len; i++)
        ids[i] = word_value(domain, g_array_index(plugged, struct plugged, i).id);
    item_add(words->vcpus, words->block, item_of(domain, next_word(words, "order"), ids, plugged->len));
}

static void tell_nothing_fixed(struct domain *domain, const struct element *element)
{
    struct finding *finding =
        domain_report(domain, NM_base_value, element_extent(element), "no vCPU is there at start and stays");
    finding_help(domain->findings, finding, "write <vcpu id='0' enabled='yes' hotpluggable='no'/>");
}

static void add_max(struct domain *domain, struct words *words, const struct element *vcpu)
{
    struct word name = word_named(domain, (struct extent){ vcpu->name.begin + 1, vcpu->name.end }, "max"),
                count = word_value(domain, &vcpu->content);
    item_add(words->vcpus, words->block, item_of(domain, name, &count, 1));
}

/* All of them there for good is what the language takes where nothing is said. */
static struct item *individual(struct domain *domain, const struct element *vcpu, uint64_t count,
                               struct item_list *block)
{
    const struct element *all = domain_first(domain, PART_VCPUS);
    struct each_vcpu each = { domain, hwloc_bitmap_alloc(), hwloc_bitmap_alloc(),
                              g_array_new(FALSE, FALSE, sizeof(struct plugged)) };
    for (const struct element *one = domain_first(domain, PART_VCPUS_VCPU); one; one = one->next)
        take_vcpu(&each, one);
    uint64_t online = (uint64_t)hwloc_bitmap_weight(each.online);
    struct words words = { domain, NULL, block, all->name };
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, online);
    const struct text_value *current = element_value(vcpu, "current");
    struct word start =
        current->text && value_is(current, text) ? word_value(domain, current) : next_word(&words, text);
    bool is_sound = !hwloc_bitmap_iszero(each.online) && !hwloc_bitmap_iszero(each.fixed);
    bool waits = is_sound && online < count; /* some of them do */
    words.vcpus = item_with(domain, vcpu, "vcpus", waits ? start : word_value(domain, &vcpu->content));
    if (waits)
        add_max(domain, &words, vcpu);
    if (!is_sound) {
        tell_nothing_fixed(domain, all);
    } else if (waits || !hwloc_bitmap_isequal(each.online, each.fixed) || each.plugged->len) {
        add_set(&words, "online", each.online);
        add_set(&words, "fixed", each.fixed);
        add_order(&words, each.plugged);
    }
    g_array_free(each.plugged, TRUE);
    hwloc_bitmap_free(each.online);
    hwloc_bitmap_free(each.fixed);
    return words.vcpus;
}

/* The first ones are there, and stay. */
static struct item *first_ones(struct domain *domain, const struct element *vcpu, uint64_t online,
                               struct item_list *block)
{
    const struct text_value *current = element_value(vcpu, "current");
    struct words words = { domain, item_with(domain, vcpu, "vcpus", word_value(domain, current)), block,
                           current->name };
    add_max(domain, &words, vcpu);
    if (!online || online > IDS_LIMIT)
        return words.vcpus; /* what is wrong with that number is told of the number */
    hwloc_bitmap_t set = hwloc_bitmap_alloc();
    hwloc_bitmap_set_range(set, 0, (int)online - 1);
    add_set(&words, "online", set);
    add_set(&words, "fixed", set);
    hwloc_bitmap_free(set);
    return words.vcpus;
}

void vcpus_to_items(struct domain *domain, struct item_list *top)
{
    const struct element *vcpu = domain_first(domain, PART_VCPU), *topology = domain_first(domain, PART_TOPOLOGY);
    uint64_t count = 0, online;
    struct item *item = NULL;
    struct item_list block = { 0 };
    if (vcpu && domain_whole(domain, &vcpu->content, "a number of vCPUs", UINT32_MAX, &count)) {
        const struct text_value *current = element_value(vcpu, "current");
        online = count;
        if (current->text)
            domain_whole(domain, current, "a number of vCPUs", UINT32_MAX, &online);
        if (domain_first(domain, PART_VCPUS_VCPU))
            item = individual(domain, vcpu, count, &block);
        else if (online != count)
            item = first_ones(domain, vcpu, online, &block);
        else
            item = item_with(domain, vcpu, "vcpus", word_value(domain, &vcpu->content));
    } else if (topology) {
        item = item_of(domain, word_implied(domain, topology, SLOT_NAME, "vcpus"), NULL, 0);
    }
    if (!item)
        return;
    add_levels(domain, item, &block);
    if (block.first || item->argument_count)
        item_add(NULL, top, item);
}
