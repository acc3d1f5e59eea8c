/* SPDX-License-Identifier: MIT
 *
 * Rules about CXL memory, as declared: on which machines it is, its windows, and what goes with persistent memory. What
 * it shares with other memory devices is left to memory_device.c.
 */
#include "check/subject.h"

#define CXL_STEP (CXL_STEP_MIB * MIB)

static struct span device_word(const struct memory_device *device, enum word_id word)
{
    struct span span = said_span(&device->said, word, 1);
    return span.file ? span : device->span;
}

/* The nth, from 0; NULL: there are not so many. */
static const struct memory_device *nth_cxl(const struct guest *guest, uint32_t nth)
{
    for (uint32_t i = 0; i < guest->memory_device_count; i++)
        if (guest->memory_devices[i].model == W_GUEST_CXL && !nth--)
            return &guest->memory_devices[i];
    return NULL;
}

static void cxl_is_of_the_machine(const struct check *check, const struct guest *guest)
{
    const struct memory_device *first = nth_cxl(guest, 0);
    const struct machine_family *machine = guest_machine(guest);
    if (!first || guest->base_file || !machine || machine->has_cxl || is_failed(&guest->said, W_GUEST_MACHINE) ||
        is_failed(&guest->said, W_GUEST_ARCH))
        return;
    struct finding *finding =
        report(check->findings, NM_cxl_of_machine, first->span,
               "guest '%s' has cxl '%s', and its machine has no CXL host bridges", guest->name, first->name);
    finding_label(check->findings, finding,
                  said_span(&guest->said, is_said(&guest->said, W_GUEST_MACHINE) ? W_GUEST_MACHINE : W_GUEST_ARCH, 1),
                  "its machine");
    finding_note(check->findings, finding, "of the machines that numac writes, q35 of x86_64 alone has them");
    const struct architecture *architecture = guest_architecture(guest);
    finding_help(check->findings, finding,
                 architecture->families->has_cxl           ? "write 'machine q35', or plug a 'dimm' instead"
                 : architecture->memory_kinds & TAKES_DIMM ? "plug a 'dimm' instead"
                                                           : "remove it");
}

static void machines_have_so_many_bridges(const struct check *check, const struct guest *guest)
{
    const struct memory_device *over = nth_cxl(guest, CXL_BRIDGES_MOST);
    if (!over)
        return;
    struct finding *finding = report(check->findings, NM_too_many_cxl, over->span, "guest '%s' has more than %d cxl",
                                     guest->name, CXL_BRIDGES_MOST);
    finding_note(check->findings, finding, "each has a host bridge, and QEMU has room for the registers of %d",
                 CXL_BRIDGES_MOST);
    finding_help(check->findings, finding, "make fewer and larger ones");
}

static void windows_hold_their_device(const struct check *check, const struct guest *guest)
{
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct memory_device *device = &guest->memory_devices[i];
        bool is_whole = device->window_bytes && device->window_bytes % CXL_STEP == 0;
        bool is_short = is_sound(&device->said, W_MEMORY_DEVICE_SIZE) && device->window_bytes < device->size_bytes;
        if (!is_sound(&device->said, W_MEMORY_DEVICE_WINDOW) || (is_whole && !is_short))
            continue;
        struct finding *finding;
        if (is_whole) {
            finding =
                report(check->findings, NM_cxl_window, device_word(device, W_MEMORY_DEVICE_WINDOW),
                       "cxl '%s' of guest '%s' has %s, and a window of %s", device->name, guest->name,
                       size_text(check->arena, device->size_bytes), size_text(check->arena, device->window_bytes));
            finding_label(check->findings, finding, device_word(device, W_MEMORY_DEVICE_SIZE), "its size");
            finding_note(check->findings, finding, "QEMU accepts it, and the guest cannot map it whole");
        } else {
            finding =
                report(check->findings, NM_cxl_window, device_word(device, W_MEMORY_DEVICE_WINDOW),
                       "the window of cxl '%s' of guest '%s' is %s, which is no whole number of %s", device->name,
                       guest->name, size_text(check->arena, device->window_bytes), size_text(check->arena, CXL_STEP));
            finding_note(check->findings, finding, "QEMU would refuse to start");
        }
        finding_help(check->findings, finding, "leave it out: it is as large as its device");
    }
}

static void words_of_files_are_of_persistent_memory(const struct check *check, const struct guest *guest)
{
    static const enum word_id words[] = { W_MEMORY_DEVICE_PATH, W_MEMORY_DEVICE_LABEL_SIZE };
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct memory_device *device = &guest->memory_devices[i];
        for (size_t w = 0; device->model == W_GUEST_CXL && w < G_N_ELEMENTS(words); w++) {
            if (!is_sound(&device->said, words[w]) || device->persistent ||
                is_failed(&device->said, W_MEMORY_DEVICE_PERSISTENT))
                continue;
            struct finding *finding = report(check->findings, NM_cxl_not_persistent, device_word(device, words[w]),
                                             "cxl '%s' of guest '%s' has a '%s' and is not persistent", device->name,
                                             guest->name, word_row(words[w])->word);
            finding_note(check->findings, finding, "what is not persistent has neither a file nor labels");
            finding_help(check->findings, finding, "write 'persistent yes', or remove it");
            break;
        }
    }
}

const struct model_rule cxl_rules[] = {
    { .name = "cxl-is-of-the-machine", .source = "QEMU hw/i386/pc.c", .run = cxl_is_of_the_machine },
    { .name = "machines-have-so-many-bridges",
      .source = "QEMU hw/pci-bridge/pci_expander_bridge.c",
      .run = machines_have_so_many_bridges },
    { .name = "windows-hold-their-device", .source = "QEMU hw/cxl/cxl-host.c", .run = windows_hold_their_device },
    { .name = "words-of-files-are-of-persistent-memory",
      .source = "QEMU hw/mem/cxl_type3.c",
      .run = words_of_files_are_of_persistent_memory },
    { 0 }
};
