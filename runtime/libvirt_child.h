/* SPDX-License-Identifier: MIT
 *
 * libvirt in a process of its own, which does errands.  Its embedded driver knows one folder a process, so each guest
 * has a process; numac stays free of libvirt's threads, and can be interrupted while libvirt is at work.  A guest that
 * it started ends with it unless its CPUs were started, also where numac is killed.
 */
#pragma once

#include "base/base.h"

enum errand {
    ERRAND_OPEN,    /* URI, or "" for libvirt's own choice; gives the one that it came to */
    ERRAND_CREATE,  /* XML; CPUs stopped */
    ERRAND_FIND,    /* UUID, or UUID and name on a line each, of a guest: gives FOUND_RUNNING, FOUND_STILL, or ""
                       where there is none */
    ERRAND_ASK,     /* QMP command; gives QEMU's answer */
    ERRAND_PLACES,  /* ""; gives the CPUs of its threads, a line each: "vcpu 0 2 3", "iothread 1 4", as the kernel of
                       libvirt's machine has them; "emulator 0 0 1", as libvirt was told */
    ERRAND_RESUME,  /* "" */
    ERRAND_DESTROY, /* "" */
    ERRAND_PIN,     /* "vcpu 3 4-5", "iothread 1 4-5", "emulator 0 4-5" */
    ERRAND_DUMP, /* UUID and name on a line each: of one that is defined or runs; gives its XML, "" if there is none */
    ERRAND_DEFINE, /* XML */
    ERRAND_COUNT
};

#define FOUND_RUNNING "runs"
#define FOUND_STILL "it is defined, and stands still"

struct libvirt_child;

struct libvirt_child *libvirt_child_start(void); /* NULL: errno */
/* False: *out_answer says why.  It is to be freed in both cases. */
bool libvirt_child_do(struct libvirt_child *child, enum errand errand, const char *argument, char **out_answer);
/* No more errands: closes what it opened and ends.  False: not yet, ask again. */
bool libvirt_child_end(struct libvirt_child *child, int milliseconds);
void libvirt_child_free(struct libvirt_child *child);
