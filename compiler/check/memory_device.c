/* SPDX-License-Identifier: MIT
 *
 * Rules about memory that grows, as declared: slots, what each memory device must say, and sizes.  What depends on the
 * whole memory of a guest is left to memory_plan.c.
 */
#include "check/subject.h"

#include <string.h>

enum { SLOTS_MOST = 256 };
#define CXL_STEP (256 * MIB)            /* in which CXL counts memory */
#define DEVICE_LEAST (2 * MIB)          /* what QEMU aligns memory to where its pages are normal ones */
#define DEVICE_MOST (UINT64_C(1) << 52) /* bytes that x86_64 can address, and no other can more */

static bool can_grow(const struct guest *guest)
{
    return is_said(&guest->said, W_MEMORY_MAX);
}

static const char *device_text(const struct check *check, const struct memory_device *device)
{
    return arena_printf(check->arena, "%s '%s'", word_row(device->model)->word, device->name);
}

static struct span device_word(const struct memory_device *device, enum word_id word)
{
    struct span span = said_span(&device->said, word, 1);
    return span.file ? span : device->span;
}

/* ---- room to grow ----------------------------------------------------------------------------------------------- */

/* The first that takes a part of what the guest can grow to, which is any but cxl; NULL: there is none. */
static const struct memory_device *first_plugged(const struct guest *guest)
{
    for (uint32_t i = 0; i < guest->memory_device_count; i++)
        if (guest->memory_devices[i].model != W_GUEST_CXL)
            return &guest->memory_devices[i];
    return NULL;
}

static void devices_have_a_maximum(const struct check *check, const struct guest *guest)
{
    const struct memory_device *first = first_plugged(guest);
    if (!first || can_grow(guest))
        return;
    struct finding *finding = report(check->findings, NM_device_without_max, first->span,
                                     "guest '%s' has %s and no room to grow", guest->name, device_text(check, first));
    finding_note(check->findings, finding, "libvirt and QEMU refuse it");
    finding_help(check->findings, finding,
                 "add 'max' to its memory, with what the devices have: 'memory 16GiB { max 64GiB }'");
}

/* Of a guest without KVM some machines take fewer. */
static uint32_t slots_most(const struct guest *guest)
{
    uint32_t emulated = guest->accel == ACCEL_TCG && !guest->base_file ? guest_architecture(guest)->slots_most : 0;
    return emulated ? emulated : SLOTS_MOST;
}

static void slots_have_a_maximum(const struct check *check, const struct guest *guest)
{
    if (!is_sound(&guest->said, W_MEMORY_SLOTS))
        return;
    struct span span = said_span(&guest->said, W_MEMORY_SLOTS, 1);
    struct finding *finding;
    if (!guest->memory_slots || guest->memory_slots > slots_most(guest)) {
        finding = report(check->findings, NM_slots_range, span, "guest '%s' has %u slots for memory devices: 1 to %u",
                         guest->name, guest->memory_slots, slots_most(guest));
        finding_note(check->findings, finding, "%s",
                     guest->memory_slots ? "libvirt accepts the definition; QEMU would refuse to start"
                                         : "libvirt refuses it");
        finding_help(check->findings, finding, "write 1 to %u, or leave it out: then there are as many as are used",
                     slots_most(guest));
    } else if (!can_grow(guest) && !first_plugged(guest)) {
        finding = report(check->findings, NM_slots_without_max, span,
                         "guest '%s' has slots for memory devices and no room to grow", guest->name);
        finding_note(check->findings, finding, "libvirt and QEMU refuse it");
        finding_help(check->findings, finding, "add 'max': 'memory 16GiB { max 64GiB; slots %u }'",
                     guest->memory_slots);
    }
}

static void growth_has_slots(const struct check *check, const struct guest *guest)
{
    if (!is_sound(&guest->said, W_MEMORY_MAX) || is_said(&guest->said, W_MEMORY_SLOTS) || first_plugged(guest))
        return;
    struct finding *finding = report(check->findings, NM_grows_nowhere, said_span(&guest->said, W_MEMORY_MAX, 0),
                                     "guest '%s' can grow, and has no slot for a memory device", guest->name);
    finding_note(check->findings, finding, "libvirt wants slots beside the maximum");
    finding_help(check->findings, finding, "say how many devices may be plugged: 'slots 8'");
}

/* ---- slots ------------------------------------------------------------------------------------------------------ */

/* The first device for which there is no slot left; NULL: there are enough. */
static const struct memory_device *without_slot(const struct guest *guest, uint32_t slots, uint32_t *out_wanted)
{
    const struct memory_device *first = NULL;
    *out_wanted = 0;
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct memory_device *device = &guest->memory_devices[i];
        bool sits_in_one = device->model == W_GUEST_DIMM || device->model == W_GUEST_NVDIMM;
        *out_wanted += sits_in_one;
        if (!first && ((sits_in_one && *out_wanted > slots) || i == SLOTS_MOST))
            first = device;
    }
    return first;
}

static void slots_are_enough(const struct check *check, const struct guest *guest)
{
    uint32_t slots = guest->memory_slots, wanted;
    if (!is_sound(&guest->said, W_MEMORY_SLOTS) || !slots || slots > SLOTS_MOST)
        slots = SLOTS_MOST;
    const struct memory_device *first = without_slot(guest, slots, &wanted);
    if (!first)
        return;
    struct finding *finding = report(
        check->findings, NM_slots_short, first->span, "guest '%s' has %u memory devices and %u slots for them",
        guest->name, MAX(wanted, guest->memory_device_count > SLOTS_MOST ? guest->memory_device_count : 0), slots);
    if (is_said(&guest->said, W_MEMORY_SLOTS))
        finding_label(check->findings, finding, said_span(&guest->said, W_MEMORY_SLOTS, 1), "the slots");
    finding_note(check->findings, finding, "libvirt and QEMU refuse it");
    if (guest->memory_device_count <= SLOTS_MOST)
        finding_help(check->findings, finding, "write 'slots %u' or more, or leave it out", wanted);
    else
        finding_help(check->findings, finding, "make fewer and larger devices: a guest has at most %d slots",
                     SLOTS_MOST);
}

static void slots_are_there_and_free(const struct check *check, const struct guest *guest)
{
    const struct memory_device *taken[SLOTS_MOST] = { NULL };
    uint32_t slots = is_sound(&guest->said, W_MEMORY_SLOTS) && guest->memory_slots ? guest->memory_slots : SLOTS_MOST;
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct memory_device *device = &guest->memory_devices[i];
        struct finding *finding;
        if (!is_sound(&device->said, W_MEMORY_DEVICE_SLOT))
            continue;
        if (device->slot >= MIN(slots, SLOTS_MOST)) {
            finding = report(check->findings, NM_slot_number, device_word(device, W_MEMORY_DEVICE_SLOT),
                             "%s of guest '%s' is in slot %u, and there are slots 0 to %u", device_text(check, device),
                             guest->name, device->slot, MIN(slots, SLOTS_MOST) - 1);
            finding_note(check->findings, finding, "libvirt and QEMU refuse it");
            finding_help(check->findings, finding, "leave 'slot' out: the next free one is taken");
        } else if (taken[device->slot]) {
            finding = report(check->findings, NM_slot_taken, device_word(device, W_MEMORY_DEVICE_SLOT),
                             "%s and %s of guest '%s' are both in slot %u", device_text(check, taken[device->slot]),
                             device_text(check, device), guest->name, device->slot);
            finding_label(check->findings, finding, device_word(taken[device->slot], W_MEMORY_DEVICE_SLOT),
                          "the other one");
            finding_note(check->findings, finding, "libvirt and QEMU refuse it");
            finding_help(check->findings, finding, "leave one of them out: the next free one is taken");
        } else {
            taken[device->slot] = device;
        }
    }
}

/* ---- what a device must say ------------------------------------------------------------------------------------- */

static bool is_file(const struct memory_device *device)
{
    return device->model == W_GUEST_NVDIMM || device->model == W_GUEST_VIRTIO_PMEM;
}

static bool needs(const struct guest *guest, const struct memory_device *device, enum word_id word)
{
    bool wants_labels = guest_architecture(guest)->labels_nvdimms && device->model == W_GUEST_NVDIMM;
    return word == W_MEMORY_DEVICE_SIZE || (word == W_MEMORY_DEVICE_LABEL_SIZE && wants_labels) ||
           (word == W_MEMORY_DEVICE_CELL && device->model != W_GUEST_VIRTIO_PMEM) ||
           (word == W_MEMORY_DEVICE_PATH && (is_file(device) || device->persistent));
}

static void devices_say_all(const struct check *check, const struct guest *guest)
{
    static const struct {
        enum word_id word;
        const char *example;
    } words[] = { { W_MEMORY_DEVICE_SIZE, "4GiB" },
                  { W_MEMORY_DEVICE_CELL, "0" },
                  { W_MEMORY_DEVICE_PATH, "\"/srv/file\"" },
                  { W_MEMORY_DEVICE_LABEL_SIZE, "128KiB" } };
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct memory_device *device = &guest->memory_devices[i];
        g_autoptr(GString) missing = g_string_new(NULL);
        g_autoptr(GString) example = g_string_new(NULL);
        for (size_t w = 0; w < G_N_ELEMENTS(words); w++) {
            if (!needs(guest, device, words[w].word) || is_said(&device->said, words[w].word))
                continue;
            const char *word = word_row(words[w].word)->word;
            g_string_append_printf(missing, "%s'%s'", missing->len ? ", " : "", word);
            g_string_append_printf(example, "%s%s %s", example->len ? "; " : "", word,
                                   words[w].word == W_MEMORY_DEVICE_CELL && guest->cell_count ? guest->cells[0].name
                                                                                              : words[w].example);
        }
        if (!missing->len)
            continue;
        struct finding *finding =
            report(check->findings, NM_device_incomplete, device->span, "%s of guest '%s' lacks %s",
                   device_text(check, device), guest->name, missing->str);
        finding_help(check->findings, finding, "add '%s' to its block", example->str);
    }
}

/* How many cells a guest without blocks has by its words; 0: placement decides. */
static uint32_t numbered_cells(const struct guest *guest)
{
    return is_said(&guest->said, W_GUEST_CELLS) ? guest->cells_wanted : 1;
}

static bool has_cell(const struct guest *guest, const char *label)
{
    for (uint32_t c = 0; c < guest->cell_count; c++)
        if (strcmp(guest->cells[c].name, label) == 0)
            return true;
    if (guest->cell_count)
        return false;
    char *end;
    uint64_t number = g_ascii_strtoull(label, &end, 10);
    return g_ascii_isdigit(*label) && !*end && number < numbered_cells(guest);
}

static void devices_are_of_cells(const struct check *check, const struct guest *guest)
{
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct memory_device *device = &guest->memory_devices[i];
        if (!is_sound(&device->said, W_MEMORY_DEVICE_CELL) || has_cell(guest, device->cell) ||
            is_failed(&guest->said, W_GUEST_CELLS))
            continue;
        struct finding *finding = report(check->findings, NM_device_cell, device_word(device, W_MEMORY_DEVICE_CELL),
                                         "guest '%s' has no cell '%s'", guest->name, device->cell);
        if (guest->cell_count)
            finding_help(check->findings, finding, "write the label of one of its cells, as in '%s'",
                         guest->cells[0].name);
        else
            finding_help(check->findings, finding,
                         "cells without a block are numbered from 0: write '0', or add 'cells 2' and more");
    }
}

/* ---- sizes ------------------------------------------------------------------------------------------------------ */

static const struct locality *locality_of_device(const struct guest *guest, const struct memory_device *device)
{
    for (uint32_t c = 0; device->cell && c < guest->cell_count; c++)
        if (strcmp(guest->cells[c].name, device->cell) == 0)
            return &guest->cells[c].locality;
    return &guest->locality;
}

/* The huge pages of a device; 0: normal ones, or nobody knows yet. */
static uint64_t pages_of(const struct guest *guest, const struct memory_device *device)
{
    uint64_t page = is_said(&device->said, W_MEMORY_DEVICE_PAGES) ? device->page_bytes
                                                                  : locality_of_device(guest, device)->page_bytes;
    return page == PAGES_LARGEST ? 0 : page;
}

/* The step of virtio-mem. */
static uint64_t block_of(const struct guest *guest, const struct memory_device *device)
{
    return is_sound(&device->said, W_MEMORY_DEVICE_BLOCK) ? device->block_bytes
                                                          : MAX(DEVICE_LEAST, pages_of(guest, device));
}

static bool is_power_of_two(uint64_t number)
{
    return number && (number & (number - 1)) == 0;
}

static bool is_right_block(const struct guest *guest, const struct memory_device *device)
{
    uint64_t block = block_of(guest, device);
    return is_power_of_two(block) && block >= DEVICE_LEAST && block >= pages_of(guest, device);
}

/* `beside`: what stands beside the steps. */
static void help_with_size(const struct check *check, struct finding *finding, uint64_t bytes, uint64_t step,
                           uint64_t beside)
{
    if (bytes < step)
        finding_help(check->findings, finding, "write %s or more", size_text(check->arena, step + beside));
    else
        finding_help(check->findings, finding, "write %s or %s", size_text(check->arena, bytes / step * step + beside),
                     size_text(check->arena, (bytes / step + 1) * step + beside));
}

static uint64_t step_of(const struct guest *guest, const struct memory_device *device)
{
    switch ((unsigned)device->model) {
    case W_GUEST_VIRTIO_MEM:
        return block_of(guest, device);
    case W_GUEST_SGX_EPC:
        return 4 * KIB;
    case W_GUEST_CXL:
        return MAX(CXL_STEP, pages_of(guest, device));
    default:
        return MAX(guest_architecture(guest)->memory_block,
                   is_file(device) ? DEVICE_LEAST : MAX(DEVICE_LEAST, pages_of(guest, device)));
    }
}

/* What the step is about: of ppc64 not the labels at the end of the file. */
static uint64_t stepped_bytes(const struct guest *guest, const struct memory_device *device)
{
    bool has_labels = guest_architecture(guest)->labels_nvdimms && device->model == W_GUEST_NVDIMM;
    return device->size_bytes - (has_labels ? MIN(device->label_bytes, device->size_bytes) : 0);
}

/* libvirt rounds sizes up, and a base is for libvirt alone: only what it does in silence is told. */
static bool is_rounded(const struct guest *guest, const struct memory_device *device)
{
    return guest->base_file && device->size_bytes && device->model != W_GUEST_VIRTIO_MEM;
}

static void judge_size(const struct check *check, const struct guest *guest, const struct memory_device *device)
{
    bool is_cxl = device->model == W_GUEST_CXL;
    bool is_virtio = device->model == W_GUEST_VIRTIO_MEM, rounds = is_rounded(guest, device);
    uint64_t step = step_of(guest, device), bytes = stepped_bytes(guest, device), labels = device->size_bytes - bytes;
    struct span span = device_word(device, W_MEMORY_DEVICE_SIZE);
    struct finding *finding;
    if (bytes > DEVICE_MOST) {
        finding = report(check->findings, NM_device_size, span,
                         "%s of guest '%s' has %s: no machine addresses above %s", device_text(check, device),
                         guest->name, size_text(check->arena, bytes), size_text(check->arena, DEVICE_MOST));
        finding_help(check->findings, finding, "write what it really has");
        return;
    }
    if ((bytes && bytes % step == 0) || (labels && !bytes)) /* NM0922 tells of labels that leave nothing */
        return;
    finding = report(check->findings, rounds ? NM_device_rounded : NM_device_size, span,
                     "%s of guest '%s' has %s%s, which is no whole number of %s%s", device_text(check, device),
                     guest->name, size_text(check->arena, bytes), labels ? " without its labels" : "",
                     is_virtio ? "its blocks of " : "", size_text(check->arena, step));
    finding_note(check->findings, finding, "%s",
                 is_virtio ? "libvirt and QEMU refuse it"
                 : is_cxl  ? "QEMU would start, and the guest's driver give up"
                 : labels  ? "libvirt rounds it down without a word; QEMU would refuse to start"
                 : rounds  ? "libvirt rounds it up without a word, so the guest has more than the plan"
                           : "libvirt rounds it up without a word; QEMU would refuse to start");
    help_with_size(check, finding, bytes, step, labels);
}

static void devices_have_whole_sizes(const struct check *check, const struct guest *guest)
{
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct memory_device *device = &guest->memory_devices[i];
        if (is_sound(&device->said, W_MEMORY_DEVICE_SIZE) && !is_failed(&device->said, W_MEMORY_DEVICE_PAGES) &&
            (device->model != W_GUEST_VIRTIO_MEM || is_right_block(guest, device)))
            judge_size(check, guest, device);
    }
}

/* ---- virtio-mem ------------------------------------------------------------------------------------------------- */

static void blocks_can_be_plugged(const struct check *check, const struct guest *guest)
{
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct memory_device *device = &guest->memory_devices[i];
        if (!is_sound(&device->said, W_MEMORY_DEVICE_BLOCK) || is_right_block(guest, device))
            continue;
        uint64_t least = MAX(DEVICE_LEAST, pages_of(guest, device));
        struct finding *finding =
            report(check->findings, NM_block_size, device_word(device, W_MEMORY_DEVICE_BLOCK),
                   "%s of guest '%s' grows by %s: a block is a power of two from %s on", device_text(check, device),
                   guest->name, size_text(check->arena, device->block_bytes), size_text(check->arena, least));
        finding_note(check->findings, finding, "libvirt and QEMU refuse it");
        finding_help(check->findings, finding, "write '%s', or leave it out", size_text(check->arena, least));
    }
}

static void requests_can_be_met(const struct check *check, const struct guest *guest)
{
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct memory_device *device = &guest->memory_devices[i];
        uint64_t requested = device->requested_bytes, block = block_of(guest, device);
        struct finding *finding;
        if (!is_sound(&device->said, W_MEMORY_DEVICE_REQUESTED) || !is_sound(&device->said, W_MEMORY_DEVICE_SIZE))
            continue;
        if (requested > device->size_bytes) {
            finding =
                report(check->findings, NM_requested_size, device_word(device, W_MEMORY_DEVICE_REQUESTED),
                       "guest '%s' is to take %s of %s, which has %s", guest->name, size_text(check->arena, requested),
                       device_text(check, device), size_text(check->arena, device->size_bytes));
            finding_label(check->findings, finding, device_word(device, W_MEMORY_DEVICE_SIZE), "its size");
            finding_help(check->findings, finding, "request at most its size");
        } else if (is_right_block(guest, device) && requested % block) {
            finding =
                report(check->findings, NM_requested_size, device_word(device, W_MEMORY_DEVICE_REQUESTED),
                       "guest '%s' is to take %s of %s, which is no whole number of its blocks of %s", guest->name,
                       size_text(check->arena, requested), device_text(check, device), size_text(check->arena, block));
            help_with_size(check, finding, requested, block, 0);
        } else {
            continue;
        }
        finding_note(check->findings, finding, "libvirt and QEMU refuse it");
    }
}

static void locked_memory_is_all_there(const struct check *check, const struct guest *guest)
{
    if (!guest->locked)
        return;
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct memory_device *device = &guest->memory_devices[i];
        if (device->model != W_GUEST_VIRTIO_MEM)
            continue;
        struct finding *finding = report(check->findings, NM_locked_virtio_mem, device->span,
                                         "the memory of guest '%s' is locked, and %s is not there until it is taken",
                                         guest->name, device_text(check, device));
        finding_label(check->findings, finding, said_span(&guest->said, W_GUEST_LOCKED, 1), "locked");
        finding_note(check->findings, finding, "libvirt accepts the definition; QEMU would refuse to start");
        finding_help(check->findings, finding, "plug a 'dimm' instead, or remove 'locked'");
        return;
    }
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static void labels_fit_their_file(const struct check *check, const struct guest *guest)
{
    const uint64_t least = 128 * KIB;
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct memory_device *device = &guest->memory_devices[i];
        uint64_t label = device->label_bytes;
        bool has_size = is_sound(&device->said, W_MEMORY_DEVICE_SIZE);
        if (!is_sound(&device->said, W_MEMORY_DEVICE_LABEL_SIZE) ||
            (label >= least && (!has_size || label < device->size_bytes || device->model == W_GUEST_CXL)))
            continue;
        struct finding *finding;
        if (label < least) {
            finding = report(check->findings, NM_label_size, device_word(device, W_MEMORY_DEVICE_LABEL_SIZE),
                             "%s of guest '%s' has %s for labels: %s is the least", device_text(check, device),
                             guest->name, size_text(check->arena, label), size_text(check->arena, least));
            finding_help(check->findings, finding, "write %s, or leave it out", size_text(check->arena, least));
        } else {
            finding = report(check->findings, NM_label_size, device_word(device, W_MEMORY_DEVICE_LABEL_SIZE),
                             "%s of guest '%s' has %s, and its labels take %s of it", device_text(check, device),
                             guest->name, size_text(check->arena, device->size_bytes), size_text(check->arena, label));
            finding_label(check->findings, finding, device_word(device, W_MEMORY_DEVICE_SIZE), "its size");
            finding_help(check->findings, finding, "make the file larger, or write 'label-size %s'",
                         size_text(check->arena, least));
        }
        finding_note(check->findings, finding, "%s",
                     device->model == W_GUEST_CXL ? "Linux keeps labels in nothing smaller"
                                                  : "libvirt and QEMU refuse it");
    }
}

static void alignment_is_right(const struct check *check, const struct guest *guest)
{
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct memory_device *device = &guest->memory_devices[i];
        uint64_t align = device->align_bytes;
        if (!is_sound(&device->said, W_MEMORY_DEVICE_ALIGN) || (is_power_of_two(align) && align >= 4 * KIB))
            continue;
        struct finding *finding = report(check->findings, NM_device_align, device_word(device, W_MEMORY_DEVICE_ALIGN),
                                         "%s of guest '%s' is aligned to %s: it must be a power of two from 4KiB on",
                                         device_text(check, device), guest->name, size_text(check->arena, align));
        finding_note(check->findings, finding, "libvirt accepts the definition; QEMU would refuse to start");
        finding_help(check->findings, finding, "write 2MiB, or leave it out");
    }
}

static void virtio_pmem_is_shared(const struct check *check, const struct guest *guest)
{
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct memory_device *device = &guest->memory_devices[i];
        if (device->model != W_GUEST_VIRTIO_PMEM || !is_sound(&device->said, W_MEMORY_DEVICE_ACCESS) ||
            device->access == ACCESS_SHARED)
            continue;
        struct finding *finding =
            report(check->findings, NM_pmem_not_shared, device_word(device, W_MEMORY_DEVICE_ACCESS),
                   "%s of guest '%s' is private, and what the guest writes would not reach its file",
                   device_text(check, device), guest->name);
        finding_note(check->findings, finding, "libvirt refuses it");
        finding_help(check->findings, finding, "write 'access shared', or leave it out");
    }
}

static void uuids_are_right(const struct check *check, const struct guest *guest)
{
    for (uint32_t i = 0; i < guest->memory_device_count; i++) {
        const struct memory_device *device = &guest->memory_devices[i];
        if (!is_sound(&device->said, W_MEMORY_DEVICE_UUID) || g_uuid_string_is_valid(device->uuid))
            continue;
        struct finding *finding =
            report(check->findings, NM_device_uuid, device_word(device, W_MEMORY_DEVICE_UUID),
                   "'%s' of %s of guest '%s' is no UUID", device->uuid, device_text(check, device), guest->name);
        finding_help(check->findings, finding, "write one as 'uuidgen' prints it, or leave it out");
    }
}

const struct model_rule memory_device_rules[] = {
    { .name = "devices-have-a-maximum", .source = "peers 196", .of_whole = true, .run = devices_have_a_maximum },
    { .name = "slots-have-a-maximum", .source = "peers 197, 198", .of_whole = true, .run = slots_have_a_maximum },
    { .name = "growth-has-slots", .source = "libvirt formatdomain", .of_whole = true, .run = growth_has_slots },
    { .name = "slots-are-enough", .source = "peers 199", .run = slots_are_enough },
    { .name = "slots-are-there-and-free", .source = "peers 199", .run = slots_are_there_and_free },
    { .name = "devices-say-all", .source = "language 7", .of_whole = true, .run = devices_say_all },
    { .name = "devices-are-of-cells", .source = "peers 194, 200", .of_whole = true, .run = devices_are_of_cells },
    { .name = "devices-have-whole-sizes", .source = "peers 202", .run = devices_have_whole_sizes },
    { .name = "blocks-can-be-plugged", .source = "peers 204", .run = blocks_can_be_plugged },
    { .name = "requests-can-be-met", .source = "peers 204", .run = requests_can_be_met },
    { .name = "labels-fit-their-file", .source = "peers 207", .run = labels_fit_their_file },
    { .name = "alignment-is-right", .source = "peers 207", .run = alignment_is_right },
    { .name = "virtio-pmem-is-shared", .source = "peers 206", .run = virtio_pmem_is_shared },
    { .name = "uuids-are-right", .source = "QEMU hw/mem/nvdimm.c", .run = uuids_are_right },
    { .name = "locked-memory-is-all-there", .source = "peers 110", .run = locked_memory_is_all_there },
    { 0 }
};
