/* SPDX-License-Identifier: MIT
 *
 * The only writer of results: a finished plan in, text out.  An emitter decides nothing and cannot fail; whatever it
 * needs stands in the plan.
 */
#pragma once

#include "base/base.h"
#include "diag/diag.h"
#include "plan/plan.h"
#include "source/source.h"

struct base_text { /* the domain XML a guest overlays; checked when the site was read */
    const char *text;
    size_t length;
};

/* One output file for each guest. */
struct emitter {
    const char *target;                     /* "libvirt": what --target names; several rows may share one */
    const char *suffix;                     /* ".xml" */
    const char *about;                      /* one line for --help */
    bool takes_base;                        /* can write a guest that has a base */
    bool takes_any_cell;                    /* can write a guest that libvirt has no words for */
    bool takes_numad;                       /* can leave a choice to numad */
    const char *stream_open, *stream_close; /* around the guests of `-o -`; NULL: written one behind another */
    bool writes_moves;                      /* also GUEST.on-HOST for each host that a guest may move to */
    void (*write)(const struct plan_guest *guest, const struct base_text *base, GString *out);
};

const struct emitter *emitters(size_t *out_count);
bool emitter_takes(const struct emitter *emitter, const struct plan_guest *guest);
char *output_name(const char *guest, const char *host, const char *suffix); /* host NULL: where it lives; g_free() it */

void write_libvirt_xml(const struct plan_guest *guest, const struct base_text *base, GString *out);
void write_qemu_argv(const struct plan_guest *guest, const struct base_text *base,
                     GString *out); /* a shell word a line */
void write_qemu_script(const struct plan_guest *guest, const struct base_text *base, GString *out); /* taskset + QEMU */

/* How the guest's disk is read, as far as its path tells: "qcow2" or "raw". */
const char *disk_format(const char *path);

void write_plan_text(const struct plan *plan, GString *out); /* what a person reads before deploying */

/* ---- the output folder ------------------------------------------------------------------------------------------
 * Files are written as temporaries in the folder, compared with what is there, renamed where they differ, the plan
 * last.  A failure before the first rename changes nothing.  Files named by the plan that was there and not by the
 * new one are removed; others are never touched. */
struct output;

struct output *output_open(struct findings *findings, const char *folder);     /* NULL with one finding */
struct output *output_open_new(struct findings *findings, const char *folder); /* replaces and removes nothing */
bool output_add(struct output *output, const char *name, const char *text, size_t length);
bool output_commit(struct output *output);  /* true: all is in place; frees the output either way */
void output_discard(struct output *output); /* removes the temporaries; accepts NULL */
