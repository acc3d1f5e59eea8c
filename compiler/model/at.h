/* SPDX-License-Identifier: MIT
 *
 * A part of model.h: guests that are not the same on every host, and what their `at` blocks make of them.
 */
#pragma once

#include "base/base.h"
#include "source/source.h"

struct guest;
struct list;

struct variant { /* a guest on one host: all its layers once more, and the `at` blocks of that host on top */
    const char *host;
    struct span span; /* of the host's name, in the last of the blocks */
    struct guest *guest;
};

const struct guest *guest_on(const struct guest *guest, const char *host); /* the guest as it is on this host */
bool is_among(const struct list *names, const char *name);                 /* const char * */
