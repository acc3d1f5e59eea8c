/* SPDX-License-Identifier: MIT
 *
 * Rules about vCPUs that are plugged and unplugged: how many there can be, which are there at start, which stay.
 * libvirt checks the rest of it when the domain is defined, and says each mistake without its place.
 */
#include "check/subject.h"

/* Its words all need to know how many vCPUs there are. */
static void hotplug_has_a_number(const struct check *check, const struct guest *guest)
{
    static const enum word_id words[] = { W_VCPUS_MAX, W_VCPUS_ONLINE, W_VCPUS_FIXED, W_VCPUS_ORDER };
    if (guest->vcpus_at_start != COUNT_ALL || is_failed(&guest->said, W_GUEST_VCPUS))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (!is_said(&guest->said, words[i]))
            continue;
        struct finding *finding =
            report(check->findings, NM_hotplug_of_all, said_span(&guest->said, words[i], 0),
                   "guest '%s' takes all CPUs that are left, and so many vCPUs cannot be planned ahead", guest->name);
        finding_label(check->findings, finding, said_span(&guest->said, W_GUEST_VCPUS, 1), "no number");
        finding_help(check->findings, finding, "write a number in place of 'all', or remove '%s'",
                     word_row(words[i])->word);
        return;
    }
}

static void the_count_is_within_the_maximum(const struct check *check, const struct guest *guest)
{
    struct span count = said_span(&guest->said, W_GUEST_VCPUS, 1);
    if (!is_sound(&guest->said, W_VCPUS_MAX) || is_failed(&guest->said, W_GUEST_VCPUS) || !guest->says_start ||
        guest->vcpus_at_start == COUNT_ALL || !guest->vcpu_most)
        return;
    if (!guest->vcpus_at_start) {
        struct finding *finding =
            report(check->findings, NM_vcpu_0_offline, count, "guest '%s' has no vCPU at start", guest->name);
        finding_help(check->findings, finding, "write 1 or more: 'max' says how many there can be");
    } else if (guest->vcpus_at_start > guest->vcpu_most) {
        struct finding *finding = report(
            check->findings, NM_vcpus_above_maximum, count, "guest '%s' has %u vCPU%s at start and a maximum of %u",
            guest->name, guest->vcpus_at_start, guest->vcpus_at_start == 1 ? "" : "s", guest->vcpu_most);
        finding_label(check->findings, finding, said_span(&guest->said, W_VCPUS_MAX, 1), "the maximum");
        finding_help(check->findings, finding, "lower the count, or write 'max %u'", guest->vcpus_at_start);
    }
}

static void online_ones_make_the_count(const struct check *check, const struct guest *guest)
{
    struct span count = said_span(&guest->said, W_GUEST_VCPUS, 1);
    uint32_t online = guest->online ? ids_size(guest->online->plain) : 0;
    if (!online || !guest->says_start || is_failed(&guest->said, W_GUEST_VCPUS) || !guest->vcpus_at_start ||
        guest->vcpus_at_start == COUNT_ALL || guest->vcpus_at_start == online)
        return;
    struct finding *finding =
        report(check->findings, NM_online_differs, said_span(&guest->said, W_VCPUS_ONLINE, 1),
               "'online' names %u vCPUs, and guest '%s' has %u at start", online, guest->name, guest->vcpus_at_start);
    finding_label(check->findings, finding, count, "the count");
    if (is_said(&guest->said, W_VCPUS_MAX))
        finding_help(check->findings, finding, "write 'vcpus %u', or name %u of them", online, guest->vcpus_at_start);
    else
        finding_help(check->findings, finding, "write 'vcpus %u { max %u; ... }': 'max' is for all that there can be",
                     online, guest->vcpus_at_start);
}

/* ---- which ones ------------------------------------------------------------------------------------------------- */

/* A vCPU that is not there; false with a finding. */
static bool is_below(const struct check *check, const struct guest *guest, enum word_id word, unsigned argument,
                     uint32_t vcpu)
{
    uint64_t total = declared_vcpus(guest);
    if (!total || vcpu < total)
        return true;
    struct finding *finding =
        report(check->findings, NM_hotplug_beyond_count, said_span(&guest->said, word, argument),
               "'%s' names vCPU %u, and guest '%s' can have %" G_GUINT64_FORMAT ", numbered from 0",
               word_row(word)->word, vcpu, guest->name, total);
    finding_label(check->findings, finding, vcpus_span(guest), "%" G_GUINT64_FORMAT " vCPUs", total);
    finding_help(check->findings, finding, "lower the number, or write 'max %u'", vcpu + 1);
    return false;
}

static void sets_name_vcpus_that_there_can_be(const struct check *check, const struct guest *guest)
{
    if (guest->online)
        is_below(check, guest, W_VCPUS_ONLINE, 1, ids_last(guest->online->plain));
    if (guest->fixed)
        is_below(check, guest, W_VCPUS_FIXED, 1, ids_last(guest->fixed->plain));
}

static void vcpu_0_is_there_and_fixed(const struct check *check, const struct guest *guest)
{
    const struct {
        enum word_id word;
        const struct set *set;
        const char *text;
    } sets[] = { { W_VCPUS_ONLINE, guest->online, "there at start" }, { W_VCPUS_FIXED, guest->fixed, "fixed" } };
    for (size_t i = 0; i < G_N_ELEMENTS(sets); i++) {
        if (!sets[i].set || ids_contains(sets[i].set->plain, 0))
            continue;
        struct finding *finding = report(check->findings, NM_vcpu_0_offline, said_span(&guest->said, sets[i].word, 1),
                                         "vCPU 0 of guest '%s' is not %s", guest->name, sets[i].text);
        finding_note(check->findings, finding, "a guest boots on vCPU 0, and libvirt and QEMU never unplug it");
        finding_help(check->findings, finding, "write '%s 0,%s'", word_row(sets[i].word)->word, sets[i].set->text);
        return;
    }
}

static void fixed_ones_are_online(const struct check *check, const struct guest *guest)
{
    const struct ids *online = guest->online ? guest->online->plain : NULL,
                     *fixed = guest->fixed ? guest->fixed->plain : NULL;
    if (!online || !fixed || ids_within(fixed, online))
        return;
    for (ids_each(fixed, vcpu)) {
        if (ids_contains(online, vcpu))
            continue;
        struct finding *finding = report(check->findings, NM_fixed_offline, said_span(&guest->said, W_VCPUS_FIXED, 1),
                                         "vCPU %u of guest '%s' is fixed and not there at start", vcpu, guest->name);
        finding_label(check->findings, finding, said_span(&guest->said, W_VCPUS_ONLINE, 1), "those at start");
        finding_help(check->findings, finding, "name it in 'online', or leave it out here");
        return;
    }
}

/* ---- the order -------------------------------------------------------------------------------------------------- */

struct order { /* of plugging, while it is looked at */
    const struct check *check;
    const struct guest *guest;
    const uint32_t *vcpus;
    uint32_t count;
};

static void report_order(const struct order *order, unsigned argument, const char *format, ...) G_GNUC_PRINTF(3, 4);
static void report_order(const struct order *order, unsigned argument, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    struct finding *finding = report(order->check->findings, NM_plug_order,
                                     said_span(&order->guest->said, W_VCPUS_ORDER, argument), "%s", text);
    finding_help(order->check->findings, finding,
                 "name each vCPU of 'online' once, the fixed ones first and rising, or leave 'order' out");
}

static bool names_each_once(const struct order *order)
{
    g_autoptr(GHashTable) met = g_hash_table_new(NULL, NULL);
    const struct guest *guest = order->guest;
    for (uint32_t i = 0; i < order->count; i++) {
        if (!is_below(order->check, guest, W_VCPUS_ORDER, i + 1, order->vcpus[i]))
            return false;
        if (!g_hash_table_add(met, GUINT_TO_POINTER(order->vcpus[i]))) {
            report_order(order, i + 1, "vCPU %u stands twice in the order of guest '%s'", order->vcpus[i], guest->name);
            return false;
        }
        if (guest->online && !ids_contains(guest->online->plain, order->vcpus[i])) {
            report_order(order, i + 1, "vCPU %u of guest '%s' is not there at start", order->vcpus[i], guest->name);
            return false;
        }
    }
    return true;
}

static bool fixes(const struct guest *guest, uint32_t vcpu)
{
    return guest->fixed ? ids_contains(guest->fixed->plain, vcpu) : !vcpu;
}

static void check_order(const struct order *order)
{
    const struct guest *guest = order->guest;
    uint32_t wanted = guest->online ? ids_size(guest->online->plain) : guest->vcpus_at_start;
    if (!names_each_once(order))
        return;
    if (wanted && order->count != wanted) {
        report_order(order, 0, "the order of guest '%s' has %u vCPU%s, and %u are there at start", guest->name,
                     order->count, order->count == 1 ? "" : "s", wanted);
        return;
    }
    if (!guest->online && order->count < declared_vcpus(guest)) {
        report_order(order, 0, "guest '%s' says an order, and not which vCPUs are there at start", guest->name);
        return;
    }
    for (uint32_t i = 1; i < order->count; i++) {
        if (!fixes(guest, order->vcpus[i]) ||
            (fixes(guest, order->vcpus[i - 1]) && order->vcpus[i - 1] < order->vcpus[i]))
            continue;
        report_order(order, i + 1, "vCPU %u of guest '%s' is fixed and stands behind vCPU %u", order->vcpus[i],
                     guest->name, order->vcpus[i - 1]);
        return;
    }
}

static void orders_are_whole(const struct check *check, const struct guest *guest)
{
    struct order order = { check, guest, guest->plug_order.items, guest->plug_order.count };
    bool is_known = !is_failed(&guest->said, W_VCPUS_ONLINE) && !is_failed(&guest->said, W_VCPUS_FIXED) &&
                    !is_failed(&guest->said, W_GUEST_VCPUS) && guest->vcpus_at_start != COUNT_ALL;
    if (is_sound(&guest->said, W_VCPUS_ORDER) && is_known && order.count)
        check_order(&order);
}

const struct model_rule hotplug_rules[] = {
    { .name = "hotplug-has-a-number", .source = "language 7", .run = hotplug_has_a_number },
    { .name = "the-count-is-within-the-maximum", .source = "peers 39", .run = the_count_is_within_the_maximum },
    { .name = "online-ones-make-the-count", .source = "language 7", .run = online_ones_make_the_count },
    { .name = "sets-name-vcpus-that-there-can-be",
      .source = "libvirt domain_conf.c",
      .of_whole = true,
      .run = sets_name_vcpus_that_there_can_be },
    { .name = "vcpu-0-is-there-and-fixed", .source = "peers 53", .run = vcpu_0_is_there_and_fixed },
    { .name = "fixed-ones-are-online", .source = "peers 53", .run = fixed_ones_are_online },
    { .name = "orders-are-whole", .source = "peers 53", .of_whole = true, .run = orders_are_whole },
    { 0 }
};
