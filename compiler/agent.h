/* SPDX-License-Identifier: MIT
 *
 * numac-agent, as numac sees it: another program that is handed a bundle and does what numac itself never does.
 */
#pragma once

#include "compile.h"

/* What the agent is told of one guest instead of what the emitters make of it. */
struct agent_guest {
    const char *name, *xml;
    const char *host; /* that it moved to; NULL: it is at home */
};

/* Puts the agent in the place of this process.  Comes back, with a finding, only if that cannot be done.
 * `compiled` NULL: no site was named. */
void agent_become(struct session *session, const struct compiled *compiled);

/* Runs the agent for `verb` and gives what it writes; its findings go to standard error.  NULL with a finding: it
 * cannot be run.  `guests` NULL: those that the command line chose. */
GString *agent_ask(struct session *session, const struct compiled *compiled, const char *verb,
                   const struct agent_guest *guests, size_t guest_count, int *out_status);

bool agent_guests_are_known(struct session *session, const struct plan *plan); /* those on the command line */
bool agent_guest_is_chosen(const struct options *options, const char *name);
