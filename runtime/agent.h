/* SPDX-License-Identifier: MIT
 *
 * numac-agent: the only actor.  It does on this machine what a bundle asks for, proves it, and takes back what it did
 * if any step fails.
 */
#pragma once

#include "bundle.h"
#include "source/source.h"

struct state;

struct agent {
    const struct bundle *bundle;
    struct arena *arena;
    struct sources *sources;
    struct findings *findings;
    struct state *state;
    GString *result;   /* for standard output */
    struct json *json; /* written into it, for programs */
    const char *step;  /* that is being done, for what is told; NULL: none */
    bool is_remote;    /* its libvirt is on another machine */
    bool has_progress; /* a line of it stands on the terminal */
    int guest_status;  /* how a guest in the foreground ended */
    bool has_failed;   /* something was told that makes the exit status 1 */
    bool is_refused;   /* an engine or the host refused something: exit status 3 */
};

/* A finding about no place in a file; `guest` NULL where it is about none. */
struct finding *tell(struct agent *agent, enum code code, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* Notes in somebody's own words, one for each line: "QEMU says: ...". */
void quote(struct agent *agent, struct finding *finding, const char *who, const char *text);

void verb_run(struct agent *agent);
void verb_stop(struct agent *agent);
void verb_list(struct agent *agent);
void verb_verify(struct agent *agent);
void verb_stat(struct agent *agent);
void verb_dump(struct agent *agent);
void verb_define(struct agent *agent);

/* What was found so far, in front of what takes long; not to programs, which get one document. */
void agent_tell_now(struct agent *agent);
bool agent_flush(struct agent *agent); /* writes the result so far to standard output, and empties it */

/* A line on a terminal while QEMU fills a large memory (progress.c). */
void progress_memory(struct agent *agent, const struct plan_guest *guest, uint64_t bytes);
void progress_done(struct agent *agent);

/* ---- interruption (interrupt.c) ---------------------------------------------------------------------------------
 * The first SIGINT, SIGTERM or SIGHUP asks for an orderly end: whoever waits looks, and what was done is undone.  The
 * second ends the program at once, and the next command cleans up. */
void interrupt_watch(void);
bool interrupted(void);
int interrupt_signal(void);                      /* the one that came, 0 for none */
int interrupt_descriptor(void);                  /* can be read from once a signal came */
bool pause_unless_interrupted(int milliseconds); /* false: interrupted */
