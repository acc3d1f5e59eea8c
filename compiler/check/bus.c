/* SPDX-License-Identifier: MIT
 *
 * Rules about PCI expander buses as declared: libvirt lets most of these mistakes pass, and QEMU, or the firmware of
 * the guest, stumbles over them.
 */
#include "check/subject.h"

#include <string.h>

enum { EXPANDERS_MOST = BUS_NUMBER_MOST / 2 };

static void buses_stand_on_cells(const struct check *check, const struct guest *guest)
{
    for (uint32_t i = 0; i < guest->expander_count; i++) {
        const struct expander_bus *expander = &guest->expanders[i];
        const char *first = guest->cell_count ? guest->cells[0].name : "0";
        struct finding *finding;
        if (!is_said(&expander->said, W_EXPANDER_CELL)) {
            finding = report(check->findings, NM_expander_without_cell, expander->span,
                             "expander bus '%s' of guest '%s' says no cell", expander->name, guest->name);
            finding_note(check->findings, finding, "a bus that stands on no cell is what the guest has already");
            finding_help(check->findings, finding, "write 'cell %s' in its block", first);
        } else if (is_sound(&expander->said, W_EXPANDER_CELL) && guest->cell_count &&
                   !find_cell(guest, expander->cell)) {
            finding = report(check->findings, NM_bus_cell, said_span(&expander->said, W_EXPANDER_CELL, 1),
                             "guest '%s' has no cell '%s'", guest->name, expander->cell);
            finding_note(check->findings, finding, "libvirt and QEMU refuse it");
            finding_help(check->findings, finding, "name one that it has: '%s'", first);
        }
    }
}

/* ---- ports ------------------------------------------------------------------------------------------------------ */

static void judge_base_ports(const struct check *check, const struct expander_bus *expander, struct span span)
{
    if (expander->ports == expander->base_ports)
        return;
    struct finding *finding =
        report(check->findings, NM_ports_of_base, span, "expander bus '%s' is of the base, and has %u ports there",
               expander->name, expander->base_ports);
    finding_note(check->findings, finding, "which slots of it are free is known to the base only");
    finding_help(check->findings, finding, "leave 'ports' out, or declare another 'expander-bus' on the same cell");
}

static void ports_are_there(const struct check *check, const struct guest *guest)
{
    for (uint32_t i = 0; i < guest->expander_count; i++) {
        const struct expander_bus *expander = &guest->expanders[i];
        struct span span = said_span(&expander->said, W_EXPANDER_PORTS, 1);
        if (!is_sound(&expander->said, W_EXPANDER_PORTS) || is_failed(&guest->said, W_GUEST_MACHINE))
            continue;
        if (expander->controller) {
            judge_base_ports(check, expander, span);
        } else if (!has_express(guest)) {
            struct finding *finding =
                report(check->findings, NM_expander_ports, span,
                       "the machine of guest '%s' has no PCI Express, and its buses have no ports", guest->name);
            const struct machine_family *newest = guest_architecture(guest)->families;
            if (newest->has_express)
                finding_help(check->findings, finding, "leave 'ports' out, or take a machine such as '%s'",
                             newest->name);
            else
                finding_help(check->findings, finding, "leave 'ports' out");
        } else if (!expander->ports || expander->ports > PORTS_MOST) {
            struct finding *finding =
                report(check->findings, NM_expander_ports, span, "expander bus '%s' has %u ports: it takes 1 to %d",
                       expander->name, expander->ports, PORTS_MOST);
            finding_help(check->findings, finding, "write as many as it has devices, such as 'ports 2'");
        }
    }
}

static bool has_sound_ports(const struct guest *guest, const struct expander_bus *expander)
{
    uint32_t ports = expander_ports(guest, expander);
    return !is_failed(&expander->said, W_EXPANDER_PORTS) && ports <= PORTS_MOST && (ports || !has_express(guest));
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

static void numbers_are_in_range(const struct check *check, const struct guest *guest)
{
    uint32_t most = bus_number_most(expander_kind_of(guest_machine(guest)));
    for (uint32_t i = 0; i < guest->expander_count; i++) {
        const struct expander_bus *expander = &guest->expanders[i];
        if (!is_sound(&expander->said, W_EXPANDER_NUMBER) || (expander->number && expander->number <= most))
            continue;
        struct finding *finding =
            report(check->findings, NM_bus_number, said_span(&expander->said, W_EXPANDER_NUMBER, 1),
                   "expander bus '%s' has the number %u: it is 1 to %u", expander->name, expander->number, most);
        finding_note(check->findings, finding,
                     most == PHB_MOST ? "host bridge 0 is on no cell, and 30 is the last that QEMU has addresses for"
                                      : "bus 0 is the root bus, and behind 254 there must be room for one more");
        finding_help(check->findings, finding, "leave 'number' out: numac takes a free one");
    }
}

/* The numbers that an expander takes, where it says its own and all about them is sound. */
static bool said_numbers(const struct guest *guest, const struct expander_bus *expander, struct bus_numbers *out)
{
    enum expander_kind kind = expander_kind_of(guest_machine(guest));
    if (!is_sound(&expander->said, W_EXPANDER_NUMBER) || !has_sound_ports(guest, expander) || !expander->number ||
        expander->number > bus_number_most(kind))
        return false;
    *out = (struct bus_numbers){ expander->number, bus_numbers_of(kind, expander_ports(guest, expander)) };
    return true;
}

static void report_meeting(const struct check *check, const struct guest *guest, const struct expander_bus *expander,
                           const struct expander_bus *lower, struct bus_numbers numbers)
{
    struct finding *finding =
        report(check->findings, NM_bus_numbers_meet, said_span(&expander->said, W_EXPANDER_NUMBER, 1),
               expander->number == lower->number ? "expander buses '%s' and '%s' of guest '%s' have one number"
                                                 : "expander bus '%s' takes a number that '%s' of guest '%s' needs",
               expander->name, lower->name, guest->name);
    finding_label(check->findings, finding, said_span(&lower->said, W_EXPANDER_NUMBER, 1),
                  "'%s' takes %u to %u, one for each bus behind it", lower->name, numbers.first,
                  numbers.first + numbers.count - 1);
    finding_note(check->findings, finding,
                 "libvirt lets it pass; QEMU refuses equal numbers, and with others the guest loses devices");
    finding_help(check->findings, finding, "leave 'number' out, or write one from %u on",
                 numbers.first + numbers.count);
}

static void report_beyond(const struct check *check, const struct expander_bus *expander, struct bus_numbers numbers)
{
    struct finding *finding =
        report(check->findings, NM_bus_numbers_meet, said_span(&expander->said, W_EXPANDER_NUMBER, 1),
               "expander bus '%s' needs the numbers %u to %u, and 255 is the last", expander->name, numbers.first,
               numbers.first + numbers.count - 1);
    finding_help(check->findings, finding, "write 'number %u' at most", BUS_NUMBERS_END - numbers.count);
}

static void numbers_do_not_meet(const struct check *check, const struct guest *guest)
{
    struct bus_numbers numbers, below;
    for (uint32_t i = 0; i < guest->expander_count && guest->expander_count <= EXPANDERS_MOST; i++) {
        const struct expander_bus *expander = &guest->expanders[i];
        if (!said_numbers(guest, expander, &numbers))
            continue;
        if (numbers.first + numbers.count > BUS_NUMBERS_END)
            report_beyond(check, expander, numbers);
        for (uint32_t o = 0; o < guest->expander_count; o++) {
            const struct expander_bus *other = &guest->expanders[o];
            if (o == i || !said_numbers(guest, other, &below) || below.first + below.count <= numbers.first ||
                below.first > numbers.first || (below.first == numbers.first && o > i))
                continue;
            report_meeting(check, guest, expander, other, below);
            break;
        }
    }
}

static bool all_find_numbers(const struct check *check, const struct guest *guest)
{
    uint32_t count = guest->expander_count;
    enum expander_kind kind = expander_kind_of(guest_machine(guest));
    struct bus_numbers *taken = arena_array(check->arena, struct bus_numbers, count + 1);
    taken[count] = bus_numbers_of_base(kind, guest->base_buses_end);
    for (uint32_t i = 0; i < count; i++)
        said_numbers(guest, &guest->expanders[i], &taken[i]);
    for (uint32_t i = 0; i < count; i++) {
        const struct expander_bus *expander = &guest->expanders[i];
        if (is_said(&expander->said, W_EXPANDER_NUMBER) || !has_sound_ports(guest, expander))
            continue;
        uint32_t needed = bus_numbers_of(kind, expander_ports(guest, expander));
        taken[i] = (struct bus_numbers){ free_bus_number(kind, taken, count + 1, needed), needed };
        if (!taken[i].first)
            return false;
    }
    return true;
}

static void numbers_suffice(const struct check *check, const struct guest *guest)
{
    uint32_t controllers = MAX(guest->base_controllers, 1);
    for (uint32_t i = 0; i < guest->expander_count && i <= EXPANDERS_MOST; i++)
        controllers +=
            guest->expanders[i].controller ? 0 : 1 + MIN(expander_ports(guest, &guest->expanders[i]), PORTS_MOST);
    if (guest->expander_count <= EXPANDERS_MOST && controllers <= CONTROLLER_MOST + 1 && all_find_numbers(check, guest))
        return;
    bool are_phbs = expander_kind_of(guest_machine(guest)) == EXPANDER_PHB;
    struct finding *finding =
        report(check->findings, NM_no_bus_number, guest->expanders[guest->expander_count - 1].span,
               are_phbs ? "guest '%s' has more expander buses than the 30 host bridges there are beside the first"
                        : "the expander buses of guest '%s' need more bus numbers than the 255 there are",
               guest->name);
    if (are_phbs) {
        finding_help(check->findings, finding, "put more devices on one: each has 31 slots");
        return;
    }
    finding_note(check->findings, finding, "each takes one, and one more for each port");
    finding_help(check->findings, finding, "say fewer 'ports', or leave 'number' out, so that no gap is too small");
}

const struct model_rule bus_rules[] = {
    { .name = "buses-stand-on-cells", .source = "peers 181, 182", .of_whole = true, .run = buses_stand_on_cells },
    { .name = "ports-are-there", .source = "QEMU hw/pci-bridge", .run = ports_are_there },
    { .name = "numbers-are-in-range", .source = "peers 185", .run = numbers_are_in_range },
    { .name = "numbers-do-not-meet", .source = "peers 184", .run = numbers_do_not_meet },
    { .name = "numbers-suffice", .source = "PCI: 256 buses in a segment", .of_whole = true, .run = numbers_suffice },
    { 0 }
};
