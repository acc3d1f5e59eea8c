/* SPDX-License-Identifier: MIT
 *
 * The table of words made from vocabulary.def, and the one way to find a row: by where it stands and its text.
 */
#include "model/binder.h"

#include <string.h>

static const char *const program_choices[] = { "libvirt", "qemu", "kernel", "libnuma", NULL };
static const char *const placement_choices[] = { "pack", "spread", NULL };
static const char *const ksm_choices[] = { "no", "yes", "local", NULL };
static const char *const arch_choices[] = { "x86_64", "aarch64", "ppc64", "riscv64", "loongarch64", NULL };
static const char *const accel_choices[] = { "kvm", "tcg", NULL };
static const char *const cache_choices[] = { "emulate", "passthrough", "disable", NULL };
static const char *const cpu_cache_choices[] = { "l1d", "l1i", "l2", "l3", NULL };
static const char *const cache_level_choices[] = { "core", "module", "die", "socket", "host", NULL };
static const char *const maxphysaddr_choices[] = { "emulate", "passthrough", NULL };
static const char *const firmware_choices[] = { "bios", "uefi", NULL };
static const char *const emulator_choices[] = { "shared", "isolate", "vcpus", NULL };
static const char *const policy_choices[] = { "strict", "preferred", "interleave", "restrictive", NULL };
static const char *const pin_choices[] = { "none", "node", "cpus", "cores", NULL };
static const char *const each_choices[] = { "each", NULL };
static const char *const level_choices[] = { "socket", "node", "l3", "core", NULL };
static const char *const group_level_choices[] = { "host", "socket", "node", "l3", "core", NULL };
static const char *const spare_choices[] = { "host", "node", NULL };
static const char *const backing_choices[] = { "anonymous", "file", "memfd", "shm", NULL };
static const char *const access_choices[] = { "shared", "private", NULL };
static const char *const allocation_choices[] = { "immediate", "ondemand", NULL };
static const char *const context_choices[] = { "auto", "none", NULL };
static const char *const class_choices[] = { "batch", "idle", "fifo", "rr", NULL };
static const char *const monitor_choices[] = { "cache", "bandwidth", NULL };
static const char *const affinity_choices[] = { "required", "preferred", NULL };
static const char *const hmat_choices[] = { "no", "auto", NULL };
static const char *const associativity_choices[] = { "none", "direct", "full", NULL };
static const char *const write_policy_choices[] = { "none", "writeback", "writethrough", NULL };

#define GUEST_MEASURES "sockets", "nodes", "l3", "cores", "cpus", "distance", "remote-memory", "shared-cores"
#define HOST_MEASURES "free-cpus", "free-memory", "free-pages"
static const char *const site_measure_choices[] = { GUEST_MEASURES, HOST_MEASURES, NULL };
static const char *const guest_measure_choices[] = { GUEST_MEASURES, NULL };
static const char *const host_measure_choices[] = { HOST_MEASURES, NULL };
_Static_assert(G_N_ELEMENTS(site_measure_choices) == MEASURE_COUNT + 1 &&
                   G_N_ELEMENTS(guest_measure_choices) == MEASURE_FREE_CPUS + 1,
               "measures and their words differ");
static const char *const relation_choices[] = { "is", "max", "min", NULL };

#define ARG(word, value, flag, owner, member)                                                \
    {                                                                                        \
        .name = (word), .type = (value), .flags = (flag), .offset = offsetof(owner, member), \
        .bytes = sizeof((owner *)0)->member                                                  \
    }
#define LIST(word, value, flag, owner, member) ARG(word, value, (flag) | MANY, owner, member)
#define CHOICE(word, flag, owner, member, list)                                               \
    {                                                                                         \
        .name = (word), .type = V_CHOICE, .flags = (flag), .offset = offsetof(owner, member), \
        .bytes = sizeof((owner *)0)->member, .choices = (list)                                \
    }
#define CALLED(word, value, flag)                                              \
    {                                                                          \
        .name = (word), .type = (value), .flags = (flag), .offset = NOT_STORED \
    }
#define COLUMN(word, value, flag, owner, member, list)                                       \
    {                                                                                        \
        .name = (word), .type = (value), .flags = (flag), .offset = offsetof(owner, member), \
        .bytes = sizeof((owner *)0)->member, .choices = (list)                               \
    }
#define LABEL(word, value) .label = { .name = (word), .type = (value), .offset = NOT_STORED }
#define ARGUMENTS(...) .arguments = { __VA_ARGS__ }
#define TABLE(owner, member, row, ...) \
    .table_offset = offsetof(owner, member), .row_bytes = sizeof(row), .columns = { __VA_ARGS__ }
#define CACHE_TABLE(kind)                                                                                           \
    TABLE(struct resctrl, caches[kind], struct cache_row, COLUMN("cache", V_INT, 0, struct cache_row, cache, NULL), \
          COLUMN("size", V_SIZE, 0, struct cache_row, bytes, NULL))
#define ASSERTIONS(owner, measures)                                                                                 \
    .collects = true,                                                                                               \
    TABLE(owner, assertions, struct assertion, COLUMN("measure", V_CHOICE, 0, struct assertion, measure, measures), \
          COLUMN("relation", V_CHOICE, 0, struct assertion, limits[0].relation, relation_choices),                  \
          COLUMN("value", V_AMOUNT, 0, struct assertion, limits[0].amount, NULL),                                   \
          COLUMN("relation", V_CHOICE, OPTIONAL, struct assertion, limits[1].relation, relation_choices),           \
          COLUMN("value", V_AMOUNT, OPTIONAL, struct assertion, limits[1].amount, NULL))
#define WORD(word_id, text, places, is_a, children, owner, unsaid, meaning, ...) \
    { .id = W_##word_id,                                                         \
      .word = (text),                                                            \
      .in = (places),                                                            \
      .kind = (is_a),                                                            \
      .opens = (children),                                                       \
      .object = OBJECT_##owner,                                                  \
      .default_text = (unsaid),                                                  \
      .about = (meaning),                                                        \
      __VA_ARGS__ },
#define LATER(text, places, meaning, ...) \
    { .id = W_NONE, .word = (text), .in = (places), .default_text = "", .about = (meaning), __VA_ARGS__ },
#define SEEN .is_seen = true
#define LABELS(word, value) .kind = LABELLED, LABEL(word, value)

static const struct word_row rows[] = {
#include "model/vocabulary.def"
};

#undef WORD
#undef LATER

const struct word_row *vocabulary(size_t *out_count)
{
    *out_count = G_N_ELEMENTS(rows);
    return rows;
}

const struct word_row *word_row(enum word_id id)
{
    static const struct word_row *by_id[WORD_COUNT];
    if (!by_id[id])
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
            if (rows[i].id != W_NONE)
                by_id[rows[i].id] = &rows[i];
    return by_id[id];
}

/* ---- finding a row: a hash of the text, filled once ------------------------------------------------------------- */

enum { SLOTS = 1024 };
_Static_assert(G_N_ELEMENTS(rows) * 3 < SLOTS, "the hash of words is too full");

static unsigned hash(const char *text, size_t length)
{
    unsigned value = 2166136261u;
    for (size_t i = 0; i < length; i++)
        value = (value ^ (unsigned char)text[i]) * 16777619u;
    return value ^ value >> 15;
}

static void fill(const struct word_row **slots)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        unsigned slot = hash(rows[i].word, strlen(rows[i].word)) % SLOTS;
        while (slots[slot])
            slot = (slot + 1) % SLOTS;
        slots[slot] = &rows[i];
    }
}

const struct word_row *find_word(enum context in, const char *text, size_t length)
{
    static const struct word_row *slots[SLOTS];
    static bool filled;
    if (G_UNLIKELY(!filled)) {
        fill(slots);
        filled = true;
    }
    for (unsigned slot = hash(text, length) % SLOTS; slots[slot]; slot = (slot + 1) % SLOTS) {
        const struct word_row *row = slots[slot];
        if ((row->in & in) && strncmp(row->word, text, length) == 0 && !row->word[length])
            return row;
    }
    return NULL;
}

const char *context_word(enum context in)
{
    switch (in) {
    case IN_SITE:
        return "a site";
    case IN_HOST:
        return "a host";
    case IN_RESERVE:
        return "a reserve";
    case IN_GUEST:
        return "a guest";
    case IN_PROFILE:
        return "a profile";
    case IN_CELL:
        return "a cell";
    case IN_CPU:
        return "'cpu'";
    case IN_BOOT:
        return "'boot'";
    case IN_MEMORY:
        return "'memory'";
    case IN_VCPUS:
        return "'vcpus'";
    case IN_LOCKED:
        return "'locked'";
    case IN_EMULATOR:
        return "'emulator'";
    case IN_IOTHREAD:
        return "an iothread";
    case IN_NODE:
        return "'node'";
    case IN_BACKING:
        return "'backing'";
    case IN_ALLOCATION:
        return "'allocation'";
    case IN_VHOST:
        return "'vhost'";
    case IN_RESCTRL:
        return "'resctrl'";
    case IN_EXPANDER:
        return "'expander-bus'";
    case IN_DEVICE:
        return "'device'";
    case IN_HMAT_CACHE:
        return "'hmat-cache'";
    case IN_DIMM:
        return "a 'dimm'";
    case IN_VIRTIO_MEM:
        return "a 'virtio-mem'";
    case IN_NVDIMM:
        return "an 'nvdimm'";
    case IN_VIRTIO_PMEM:
        return "a 'virtio-pmem'";
    case IN_SGX_EPC:
        return "an 'sgx-epc'";
    case IN_CXL:
        return "a 'cxl'";
    case IN_AT:
        return "an 'at'";
    case IN_GROUP:
        return "a group";
    case IN_SUPPRESS:
        return "a 'suppress'";
    case IN_NOWHERE:
    case IN_OWNER:
    case IN_G:
    case IN_GC:
    case IN_CELL_DEVICE:
    case IN_MEMORY_DEVICE:
    case IN_ADDRESSED_DEVICE:
        break;
    }
    return "this place";
}

const char *value_type_word(enum value_type type)
{
    static const char *const words[V_TYPES] = {
        [V_NONE] = "nothing",
        [V_ANY] = "ANY",
        [V_NAME] = "NAME",
        [V_REF] = "REF",
        [V_LABEL] = "LABEL",
        [V_VARIABLE] = "VAR",
        [V_TEXT] = "TEXT",
        [V_FILE] = "FILE",
        [V_SOURCE] = "FILE",
        [V_WHAT] = "WHAT",
        [V_FEATURE] = "FEATURE",
        [V_CHOICE] = "one of",
        [V_BOOL] = "BOOL",
        [V_INT] = "INT",
        [V_COUNT] = "COUNT",
        [V_CELLS] = "CELLS",
        [V_DISTANCE] = "DISTANCE",
        [V_SIZE] = "SIZE",
        [V_SIZE_OR_ALL] = "SIZE",
        [V_PAGES] = "PAGES",
        [V_SET] = "SET",
        [V_CPUS] = "CPUS",
        [V_NODES] = "NODES",
        [V_NODES_OR_AUTO] = "NODES",
        [V_CPUS_OR_NUMAD] = "CPUS",
        [V_VERSION] = "VERSION",
        [V_TIME] = "TIME",
        [V_RATE] = "RATE",
        [V_SHARE] = "SHARE",
        [V_ADDRESS] = "ADDRESS",
        [V_PCI] = "PCI",
        [V_URI] = "URI",
        [V_CODE] = "CODE",
        [V_DATE] = "DATE",
        [V_AMOUNT] = "AMOUNT",
    };
    return words[type];
}
