/* SPDX-License-Identifier: MIT
 *
 * What a site asserts of its plan: rows of a measure, a relation and a value.
 */
#pragma once

#include "base/base.h"
#include "source/source.h"

/* Positions in the lists of words of vocabulary.c. */
enum {
    MEASURE_SOCKETS,
    MEASURE_NODES,
    MEASURE_L3,
    MEASURE_CORES,
    MEASURE_CPUS,
    MEASURE_DISTANCE,
    MEASURE_REMOTE_MEMORY,
    MEASURE_SHARED_CORES,
    MEASURE_FREE_CPUS, /* the first of those of a host */
    MEASURE_FREE_MEMORY,
    MEASURE_FREE_PAGES,
    MEASURE_COUNT
};
enum { RELATION_IS, RELATION_MAX, RELATION_MIN };
#define RELATION_UNSAID UINT32_MAX

struct amount {
    uint64_t value; /* bytes of a size */
    bool is_size;
    struct span span;
};

struct limit {
    uint32_t relation; /* RELATION_.. */
    struct amount amount;
};

struct assertion { /* a row of `assert` */
    struct span span;
    uint32_t measure; /* MEASURE_.. */
    struct limit limits[2];
    uint32_t limit_count;
    uint32_t layer; /* that said it: LAYER_.. */
};

bool is_measured_in_bytes(uint32_t measure);
const char *measure_word(uint32_t measure);   /* "remote-memory" */
const char *relation_word(uint32_t relation); /* "max" */
