/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: the places words stand in, by the names documents and schemas give them.
 */
#pragma once

#include "model/model.h"

struct context_row {
    enum context in;
    const char *name;  /* "guest", "vcpus": also the word that opens it */
    const char *title; /* of its table in the language reference */
};

const struct context_row *context_rows(size_t *out_count); /* in the order people read them */
const char *context_name(unsigned in);                     /* of the first place among the bits of a row */
