/* SPDX-License-Identifier: MIT
 *
 * Inside check only: what rules of several files ask of a guest.
 */
#pragma once

#include "check/check.h"

/* ---- as declared ------------------------------------------------------------------------------------------------ */

/* The vCPUs of a guest as its words give them; 0 where they do not. */
uint64_t declared_vcpus(const struct guest *guest);
/* Where that number stands, and under which word: `vcpus`, or `max` in it. */
struct span vcpus_span(const struct guest *guest);
const char *vcpus_word(const struct guest *guest);
/* The memory of a cell as the words give it; of the guest where it has no blocks (`cell` 0), an even share of `cells`
 * 2.  0 where they do not. */
uint64_t declared_memory(const struct guest *guest, uint32_t cell);

static inline bool is_sound(const struct said *said, enum word_id word)
{
    return is_said(said, word) && !is_failed(said, word);
}

const struct cell *find_cell(const struct guest *guest, const char *label); /* among its blocks; NULL: none is */

/* What a cell says or its guest says for it.  Guests without blocks: cell 0, and the guest itself answers. */
const struct locality *locality_of(const struct guest *guest, uint32_t cell);
bool cell_has_word(const struct guest *guest, uint32_t cell, enum word_id word);
bool cell_word_failed(const struct guest *guest, uint32_t cell, enum word_id word);
uint32_t blocks_of(const struct guest *guest); /* at least 1 */
/* The span of a word of a cell: its argument, else the word, else the cell or the guest. */
struct span cell_word(const struct guest *guest, uint32_t cell, enum word_id word, unsigned argument);

/* ---- as planned ------------------------------------------------------------------------------------------------- */

/* The facts of the guest's host, or NULL. */
const struct host *facts_of(const struct planned_guest *planned);

/* "cell 'a' of guest 'g'", or "guest 'g'" where it has one cell that nobody named. */
const char *cell_text(const struct check *check, const struct planned_guest *planned, uint32_t cell);

/* By vCPU the CPU it has for its own: pinned by `pin cpus`, `pin cores`, a row with `each` or a row of one vCPU and one
 * CPU; NO_INDEX for vCPUs that float or share.  NULL where none has; else free it with g_free(). */
const uint32_t *find_own_cpus(struct arena *arena, const struct planned_guest *planned);
/* Whether real-time vCPUs, which come first, have all CPUs that the emulator may use (scheduler.c). */
bool emulator_starves(const struct planned_guest *planned);
bool has_own_cpus(const struct planned_guest *planned); /* the same question, answered cheaply from the words */

/* What a memory device of the plan was made from. */
const struct memory_device *said_memory_device(const struct planned_guest *planned, uint32_t number);

/* Where the CPUs of a vCPU were said: its row, `cpus` or `pin` of its cell, else the guest. */
struct span vcpu_span(const struct planned_guest *planned, uint32_t vcpu);
bool has_one_way_distances(const struct plan_guest *plan); /* pseries.c: some pair differs in its two directions */
uint32_t cell_of_vcpu(const struct plan_guest *plan, uint32_t vcpu); /* NO_INDEX: in none */
