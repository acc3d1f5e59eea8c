/* SPDX-License-Identifier: MIT
 *
 * Guests that run somewhere already, as a site: what their XML, or the command line that runs them, says of memory and
 * CPUs in as few words as a person would use, and their XML as it stands for the base that keeps all the rest.
 */
#pragma once

#include "notation/notation.h"

struct import_base { /* the bytes of one guest's XML, for the file that its `base` names */
    const char *file_name;
    const char *text;
    size_t length;
};

struct imported {
    GString *site;                   /* the caller frees it; NULL where anything was refused */
    const struct import_base *bases; /* of guests that had XML, in their order; texts are those of the sources */
    uint32_t count;
};

struct import_options {
    enum notation notation;
    bool with_bases; /* the site names the bases; else one hint says what it lacks without them */
    bool in_full;    /* nothing is folded or left out: what the short form is measured by in the tests */
};

#define IMPORT_BYTES_LIMIT (256u << 20) /* of one file; a guest in it may have BASE_BYTES_LIMIT */

/* Reads sources read before with sources_read_words(), each one either domain XML (one `<domain>`, several of them, or
 * a `<domains>` list) or command lines of QEMU: a shell's, one word a line, or those of a process.  All guests or none:
 * what cannot be taken over is a finding with its place (NM1221 to NM1237 of the guest's XML, NM1260 to NM1267, NM1270
 * to NM1284 of command lines), and after an error there is no site. */
struct imported import_guests(struct arena *arena, struct syntax *syntax, const uint32_t *files, size_t count,
                              const struct import_options *options);
