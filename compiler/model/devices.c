/* SPDX-License-Identifier: MIT
 *
 * What the words of a guest come to where its PCI buses and devices are concerned, for rules and placement alike; and
 * the names that a guest gives its devices, in its own sets.
 */
#include "model/binder.h"

#include <string.h>

const struct architecture *guest_architecture(const struct guest *guest)
{
    if (is_failed(&guest->said, W_GUEST_ARCH))
        return architecture_of("");
    return architecture_of(guest->base_ruled ? guest->base_ruled[BASE_ARCH].text
                                             : word_row(W_GUEST_ARCH)->arguments[0].choices[guest->arch]);
}

const struct machine_family *guest_machine(const struct guest *guest)
{
    const char *machine = guest->base_ruled ? guest->base_ruled[BASE_MACHINE].text : guest->machine;
    return machine_family_of(guest_architecture(guest), machine);
}

bool has_express(const struct guest *guest)
{
    const struct machine_family *family = guest_machine(guest);
    return !family || family->has_express;
}

const struct expander_bus *find_expander(const struct guest *guest, const char *name)
{
    for (uint32_t i = 0; i < guest->expander_count; i++)
        if (strcmp(guest->expanders[i].name, name) == 0)
            return &guest->expanders[i];
    return NULL;
}

uint32_t expander_devices(const struct guest *guest, const struct expander_bus *expander)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < guest->device_count; i++)
        count += guest->devices[i].bus && strcmp(guest->devices[i].bus, expander->name) == 0;
    return count;
}

uint32_t expander_ports(const struct guest *guest, const struct expander_bus *expander)
{
    if (!has_express(guest))
        return 0;
    return is_said(&expander->said, W_EXPANDER_PORTS) ? expander->ports : MAX(expander_devices(guest, expander), 1);
}

/* What a base has was good enough so far. */
bool is_required_near(const struct device *device)
{
    return device->affinity == AFFINITY_REQUIRED && (!device->is_of_base || is_said(&device->said, W_DEVICE_AFFINITY));
}

const char *device_cell(const struct guest *guest, const struct device *device)
{
    const struct expander_bus *expander = device->bus ? find_expander(guest, device->bus) : NULL;
    return device->cell ? device->cell : expander ? expander->cell : NULL;
}

/* ---- places that name a device ---------------------------------------------------------------------------------- */

static const struct device *device_of_step(const struct guest *guest, const struct place_step *step)
{
    for (uint32_t i = 0; step->kind == STEP_DEVICE && i < guest->device_count; i++)
        if (guest->devices[i].address && strcmp(guest->devices[i].name, step->name) == 0)
            return &guest->devices[i];
    return NULL;
}

/* Sets are shared by all who write them alike, and the name is this guest's: it gets a set of its own. */
static const struct set *with_addresses(struct binder *binder, const struct guest *guest, const struct set *set)
{
    struct set *copy = NULL;
    for (uint32_t t = 0; set && !set->plain && t < set->term_count; t++)
        for (uint32_t s = 0; s < set->terms[t].step_count; s++) {
            const struct device *device = device_of_step(guest, &set->terms[t].steps[s]);
            if (!device)
                continue;
            if (!copy)
                copy = arena_copy(binder->arena, set, sizeof *set + set->term_count * sizeof set->terms[0]);
            struct set_term *term = &copy->terms[t];
            struct place_step *steps = arena_copy(binder->arena, term->steps, term->step_count * sizeof *steps);
            steps[s] = (struct place_step){ .kind = STEP_PCI, .name = device->address };
            term->steps = steps;
        }
    return copy ? copy : set;
}

static void settle_locality(struct binder *binder, const struct guest *guest, struct locality *locality)
{
    locality->nodes = with_addresses(binder, guest, locality->nodes);
    locality->cpus = with_addresses(binder, guest, locality->cpus);
    const struct set **fallback =
        arena_copy(binder->arena, locality->fallback.items, locality->fallback.count * sizeof *fallback);
    for (uint32_t i = 0; i < locality->fallback.count; i++)
        fallback[i] = with_addresses(binder, guest, fallback[i]);
    locality->fallback.items = fallback;
    struct pin_row *rows = arena_copy(binder->arena, locality->pin_rows.items, locality->pin_rows.count * sizeof *rows);
    for (uint32_t i = 0; i < locality->pin_rows.count; i++)
        rows[i].cpus = with_addresses(binder, guest, rows[i].cpus);
    locality->pin_rows.items = rows;
}

void settle_device_places(struct binder *binder, struct guest *guest)
{
    if (!guest->device_count)
        return;
    settle_locality(binder, guest, &guest->locality);
    for (uint32_t c = 0; c < guest->cell_count; c++)
        settle_locality(binder, guest, &guest->cells[c].locality);
    for (uint32_t i = 0; i < guest->iothread_count; i++) {
        guest->iothreads[i].cpus = with_addresses(binder, guest, guest->iothreads[i].cpus);
        guest->iothreads[i].nodes = with_addresses(binder, guest, guest->iothreads[i].nodes);
    }
    guest->emulator_cpus = with_addresses(binder, guest, guest->emulator_cpus);
    guest->emulator_nodes = with_addresses(binder, guest, guest->emulator_nodes);
    guest->vhost_cpus = with_addresses(binder, guest, guest->vhost_cpus);
    guest->vhost_nodes = with_addresses(binder, guest, guest->vhost_nodes);
}
