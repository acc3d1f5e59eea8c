/* SPDX-License-Identifier: MIT
 *
 * Sets as they are said: numbers, and places whose numbers only a host (or a guest) knows.
 */
#pragma once

#include "base/base.h"

enum step_kind {
    STEP_NODE,
    STEP_CPU,
    STEP_SOCKET,
    STEP_DIE,
    STEP_CLUSTER,
    STEP_L3,
    STEP_CORE,
    STEP_PU,
    STEP_CPUKIND,
    STEP_PCI,
    STEP_NETDEV,
    STEP_BLOCK,
    STEP_DEVICE,
    STEP_TIER,
    STEP_KINDS
};

struct place_step { /* "core:0-3": node and cpu by OS index, pci .. tier by name, the others counted from 0 in what
                       stands before the dot */
    enum step_kind kind;
    bool is_all;
    uint32_t first, last;
    const char *name; /* of pci, netdev, block, device, tier */
};

enum term_kind { TERM_ALL, TERM_RANGE, TERM_PLACE };

struct set_term {
    enum term_kind kind;
    bool is_excluded; /* "^" */
    uint32_t first, last;
    const struct place_step *steps;
    uint32_t step_count;
    const char *text; /* of a place, as written, for messages */
};

struct set {
    const char *text;        /* as written */
    const struct ids *plain; /* the whole set where it holds numbers only; NULL: needs a host (or a guest) to say */
    uint32_t term_count;
    struct set_term terms[];
};

/* The word `numad` while layers are merged; settled locality has flags instead. */
extern const struct set set_numad;
