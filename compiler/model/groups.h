/* SPDX-License-Identifier: MIT
 *
 * Groups as declared: which guests stand together in one part of a host, or no two of them in one.  A part of model.h.
 */
#pragma once

#define GROUP_UNSAID UINT32_MAX

struct guest_group { /* guests that stand together in one part of a host, or no two of them in one */
    const char *name;
    struct span span; /* of its name */
    struct said said;
    bool is_broken;           /* an error stands in it: nobody is held to it */
    struct list names;        /* const char *, PLACED: as written */
    uint32_t together, apart; /* GROUP_HOST, ..; GROUP_UNSAID */
    const uint32_t *members;  /* numbers of guests, rising */
    uint32_t member_count;
};

const char *group_level_word(uint32_t level);  /* "host", "socket", .. */
const char *group_part_text(uint32_t level);   /* "a host", "an L3", .. */
uint32_t level_of_group(uint32_t group_level); /* LEVEL_SOCKET, ..; of all but GROUP_HOST */
