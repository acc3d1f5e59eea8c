/* SPDX-License-Identifier: MIT
 *
 * Inside emit only: the parts of <cputune> and <iothreadids> that are no pins.
 */
#pragma once

#include "emit/xml_writer.h"
#include "plan/plan.h"

bool iothread_says_more(const struct plan_iothread *iothread); /* than its number */
void xml_iothread(struct xml *xml, const struct plan_iothread *iothread);
void xml_schedulers(struct xml *xml, const struct plan_guest *guest);
void xml_resctrls(struct xml *xml, const struct plan_guest *guest);
