/* SPDX-License-Identifier: MIT
 *
 * Answers about one guest that more than one output gives, among them its pins folded for people: neighbours on the
 * same CPUs become one entry, neighbours on one CPU each become a list in order.
 */
#include "emit/guest_parts.h"

bool disk_is_device(const char *path)
{
    return g_str_has_prefix(path, "/dev/");
}

const char *disk_format(const char *path)
{
    return g_str_has_suffix(path, ".qcow2") ? "qcow2" : "raw";
}

bool guest_has_acpi(const struct plan_guest *guest)
{
    enum acpi acpi = architecture_of(guest->architecture)->acpi;
    return acpi == ACPI_ALWAYS || (acpi == ACPI_BESIDE_UEFI && strcmp(guest->firmware, "uefi") == 0);
}

bool any_pin(const struct plan_guest *guest)
{
    for (uint32_t i = 0; i < guest->vcpu_count; i++)
        if (guest->vcpu_cpus[i])
            return true;
    for (uint32_t i = 0; i < guest->iothread_count; i++)
        if (guest->iothreads[i].cpus)
            return true;
    return guest->emulator_cpus;
}

bool every_vcpu_pinned(const struct plan_guest *guest)
{
    for (uint32_t i = 0; i < guest->vcpu_count; i++)
        if (!guest->vcpu_cpus[i])
            return false;
    return true;
}

enum { CPUS_A_LINE = 16 };

static bool is_single(const struct ids *ids)
{
    return ids->count == 1 && ids->range[0].first == ids->range[0].last;
}

static void append_vcpus(GString *out, const char *margin, uint32_t first, uint32_t last)
{
    append(out, margin);
    append(out, first == last ? "vcpu " : "vcpus ");
    append_number(out, first);
    if (first != last) {
        append(out, "-");
        append_number(out, last);
    }
}

/* The CPU behind each of the vCPUs first..last, in order of the vCPUs: "8-11" or "4,52,5,53". */
static void append_in_order(GString *out, const struct plan_guest *guest, uint32_t first, uint32_t last)
{
    for (uint32_t i = first; i <= last;) {
        uint32_t cpu = ids_first(guest->vcpu_cpus[i]), end = i;
        while (end < last && ids_first(guest->vcpu_cpus[end + 1]) == cpu + (end + 1 - i))
            end++;
        if (end == i + 1)
            end = i;
        append_number(out, cpu);
        if (end > i) {
            append(out, "-");
            append_number(out, cpu + (end - i));
        }
        i = end + 1;
        if (i <= last)
            append(out, ",");
    }
}

static uint32_t end_of_same(const struct plan_guest *guest, uint32_t first)
{
    uint32_t last = first;
    while (last + 1 < guest->vcpu_count && guest->vcpu_cpus[last + 1] &&
           ids_equal(guest->vcpu_cpus[last + 1], guest->vcpu_cpus[first]))
        last++;
    return last;
}

/* A run of vCPUs with a CPU each; a run of neighbouring CPUs may be long, others are cut at CPUS_A_LINE. */
static uint32_t end_of_singles(const struct plan_guest *guest, uint32_t first)
{
    uint32_t last = first, pieces = 1;
    while (last + 1 < guest->vcpu_count && guest->vcpu_cpus[last + 1] && is_single(guest->vcpu_cpus[last + 1])) {
        uint32_t next = last + 1;
        if (ids_first(guest->vcpu_cpus[next]) != ids_first(guest->vcpu_cpus[last]) + 1 && ++pieces > CPUS_A_LINE)
            break;
        if (end_of_same(guest, next) > next)
            break;
        last = next;
    }
    return last;
}

static void append_vcpu_pins(GString *out, const struct plan_guest *guest, const char *margin)
{
    for (uint32_t i = 0; i < guest->vcpu_count;) {
        if (!guest->vcpu_cpus[i]) {
            i++;
            continue;
        }
        uint32_t last = end_of_same(guest, i);
        bool in_order = false;
        if (last == i && is_single(guest->vcpu_cpus[i])) {
            last = end_of_singles(guest, i);
            in_order = last > i;
        }
        append_vcpus(out, margin, i, last);
        append(out, is_single(guest->vcpu_cpus[i]) && !in_order ? " on cpu " : " on cpus ");
        if (in_order)
            append_in_order(out, guest, i, last);
        else
            ids_append(out, guest->vcpu_cpus[i]);
        append(out, in_order ? ", one each\n" : "\n");
        i = last + 1;
    }
}

static void append_thread_pin(GString *out, const struct ids *cpus)
{
    append(out, is_single(cpus) ? " on cpu " : " on cpus ");
    ids_append(out, cpus);
    append(out, "\n");
}

void append_pins(GString *out, const struct plan_guest *guest, const char *margin)
{
    append_vcpu_pins(out, guest, margin);
    if (guest->emulator_cpus) {
        append(out, margin);
        append(out, "emulator");
        append_thread_pin(out, guest->emulator_cpus);
    }
    for (uint32_t i = 0; i < guest->iothread_count; i++) {
        if (!guest->iothreads[i].cpus)
            continue;
        append(out, margin);
        append(out, "iothread ");
        append_number(out, guest->iothreads[i].id);
        append_thread_pin(out, guest->iothreads[i].cpus);
    }
}
