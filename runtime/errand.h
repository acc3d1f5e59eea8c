/* SPDX-License-Identifier: MIT
 *
 * What numac-agent asks numac-libvirt to do, and the messages over the socket between them: an errand with its
 * argument, and then its answer.  What an errand does is runtime/libvirt's, when it is sent is the engine's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

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
    ERRAND_DEFINE,  /* XML */
    ERRAND_MACHINE, /* ""; gives the name of libvirt's machine */
    ERRAND_COUNT
};

enum errand_end { ERRAND_FAILED, ERRAND_DONE }; /* of an answer: why not, or what it gives */

#define FOUND_RUNNING "runs"
#define FOUND_STILL "it is defined, and stands still"

/* `what`: an errand, or how it ended.  False: nobody is there to read it. */
bool errand_send(int socket, uint32_t what, const char *text);
/* To be freed; NULL: nothing comes any more, or `stop`, a descriptor, can be read from (-1: nothing stops it). */
char *errand_receive(int socket, uint32_t *out_what, int stop);
