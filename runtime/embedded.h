/* SPDX-License-Identifier: MIT
 *
 * The folder that libvirt lives in when it runs inside numac-libvirt: one a guest, since only one process may have such
 * a folder open, with what libvirt found out about QEMU shared among them.
 */
#pragma once

#include "agent.h"

const char *embedded_root(struct agent *agent, const char *uuid);    /* its path, short enough for sockets inside */
const char *embedded_prepare(struct agent *agent, const char *uuid); /* makes it; NULL with a finding */
void embedded_keep_cache(struct agent *agent, const char *uuid);     /* for the next guest */
