/* SPDX-License-Identifier: MIT
 *
 * The list of places for what is written of the vocabulary.
 */
#include "notation/contexts.h"

static const struct context_row rows[] = {
    { .in = IN_SITE, .name = "site", .title = "In a site" },
    { .in = IN_HOST, .name = "host", .title = "In a `host`" },
    { .in = IN_RESERVE, .name = "reserve", .title = "In a `reserve` of a host" },
    { .in = IN_GUEST, .name = "guest", .title = "In a `guest`" },
    { .in = IN_PROFILE, .name = "profile", .title = "In a `profile`" },
    { .in = IN_AT, .name = "at", .title = "In an `at` of a guest" },
    { .in = IN_SUPPRESS, .name = "suppress", .title = "In a `suppress`" },
    { .in = IN_CPU, .name = "cpu", .title = "In `cpu`" },
    { .in = IN_BOOT, .name = "boot", .title = "In `boot`" },
    { .in = IN_MEMORY, .name = "memory", .title = "In `memory` of a guest" },
    { .in = IN_VCPUS, .name = "vcpus", .title = "In `vcpus` of a guest" },
    { .in = IN_CELL, .name = "cell", .title = "In a `cell`" },
    { .in = IN_HMAT_CACHE, .name = "hmat-cache", .title = "In `hmat-cache` of a cell" },
    { .in = IN_NODE, .name = "node", .title = "In `node`" },
    { .in = IN_BACKING, .name = "backing", .title = "In `backing`" },
    { .in = IN_ALLOCATION, .name = "allocation", .title = "In `allocation`" },
    { .in = IN_LOCKED, .name = "locked", .title = "In `locked`" },
    { .in = IN_EMULATOR, .name = "emulator", .title = "In `emulator`" },
    { .in = IN_IOTHREAD, .name = "iothread", .title = "In an `iothread`" },
    { .in = IN_VHOST, .name = "vhost", .title = "In `vhost`" },
    { .in = IN_EXPANDER, .name = "expander-bus", .title = "In an `expander-bus`" },
    { .in = IN_DEVICE, .name = "device", .title = "In a `device`" },
    { .in = IN_RESCTRL, .name = "resctrl", .title = "In a `resctrl`" },
    { .in = IN_DIMM, .name = "dimm", .title = "In a `dimm`" },
    { .in = IN_VIRTIO_MEM, .name = "virtio-mem", .title = "In a `virtio-mem`" },
    { .in = IN_NVDIMM, .name = "nvdimm", .title = "In an `nvdimm`" },
    { .in = IN_VIRTIO_PMEM, .name = "virtio-pmem", .title = "In a `virtio-pmem`" },
    { .in = IN_SGX_EPC, .name = "sgx-epc", .title = "In an `sgx-epc`" },
    { .in = IN_CXL, .name = "cxl", .title = "In a `cxl`" },
};

const struct context_row *context_rows(size_t *out_count)
{
    *out_count = G_N_ELEMENTS(rows);
    return rows;
}

const char *context_name(unsigned in)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (rows[i].in & in)
            return rows[i].name;
    bug("a word that stands nowhere");
}
