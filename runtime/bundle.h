/* SPDX-License-Identifier: MIT
 *
 * What numac hands to the agent on a file descriptor: the plan of a site, the guests that are meant, what libvirt and
 * QEMU are given for each, and what is to be done.  The agent never sees a site, and never parses domain XML.
 *
 * JSON, so that a trace of it can be read: { "format_version", "verb", options..., "plan": the JSON form of the plan as
 * a string, "hosts": [{ "name", "nodes": [{ "node", "cpus", "memory_bytes" }] }], "guests": [{ "name", "xml", "argv",
 * "host": where it moved to }] }.
 */
#pragma once

#include "diag/diag.h"
#include "plan/plan.h"

#include <sys/types.h>

#define BUNDLE_FORMAT_VERSION 1

enum agent_verb { VERB_RUN, VERB_STOP, VERB_LIST, VERB_VERIFY, VERB_STAT, VERB_DUMP, VERB_DEFINE, VERB_COUNT };
enum engine_kind { ENGINE_EMBED, ENGINE_LIBVIRT, ENGINE_QEMU, ENGINE_COUNT };

struct bundle_node {
    uint32_t node;
    const struct ids *cpus; /* online; none of a node without */
    uint64_t memory_bytes;  /* 0: none, or not known */
};

struct bundle_host { /* what a plan took a host for */
    const char *name;
    const struct bundle_node *nodes;
    uint32_t node_count;
};

struct bundle_guest {
    const struct plan_guest *plan;
    const struct bundle_host *host;    /* NULL: not known */
    enum engine_kind engine;           /* as said; else the libvirt of its host, else the embedded one */
    const char *connect;               /* URI of ENGINE_LIBVIRT, as said, or of its host; NULL: libvirt's own choice */
    const char *xml;                   /* NULL: libvirt cannot have this guest */
    const char *const *argv;           /* ends with NULL; NULL: the guest is no matter of QEMU alone */
    const struct bundle_guest *by_tcg; /* the same without KVM; NULL: there is no need of it, or no leave */
    const struct bundle_guest *moves;  /* the same where it may move to, without forms: nobody starts it there */
    uint32_t move_count;
    bool is_away; /* one of these */
};

struct bundle {
    enum agent_verb verb;
    pid_t pid; /* of the QEMU of a guest that numac did not start; 0: not said */
    bool detach, dry_run, reserve_pages, repair, watch;
    enum finding_format format;
    enum severity fail_on;
    bool colour;             /* on standard error */
    const struct plan *plan; /* NULL: no site was named */
    const struct bundle_host *hosts;
    uint32_t host_count;
    const struct bundle_guest *guests;
    uint32_t guest_count;
};

/* Reads all of `file`, which is closed.  NULL with one finding: the agent was not started by numac, or by another
 * version of it. */
const struct bundle *bundle_read(struct arena *arena, struct sources *sources, struct findings *findings, int file);

const char *engine_word(enum engine_kind engine); /* "embed" */
bool engine_from_word(const char *word, enum engine_kind *out_engine);
