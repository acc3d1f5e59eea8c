/* SPDX-License-Identifier: MIT
 *
 * Did you mean: the name at the smallest edit distance, counting a swap of neighbours as one edit.
 */
#include "diag/diag.h"

#include <string.h>

enum { LONGEST = 64 };

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    unsigned rows[3][LONGEST + 1];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];
    for (unsigned j = 0; j <= b_length; j++)
        last[j] = j;
    for (unsigned i = 1; i <= a_length; i++) {
        now[0] = i;
        for (unsigned j = 1; j <= b_length; j++) {
            unsigned differs = g_ascii_tolower(a[i - 1]) != g_ascii_tolower(b[j - 1]);
            now[j] = smaller(smaller(last[j] + 1, now[j - 1] + 1), last[j - 1] + differs);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = smaller(now[j], before[j - 2] + 1);
        }
        unsigned *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[b_length];
}

const char *nearest_name(const char *wrong, size_t length, const char *(*next)(void *state), void *state)
{
    const char *best = NULL;
    unsigned best_distance = (unsigned)(length < 3 ? 1 : length < 6 ? 2 : 3);
    if (!length || length > LONGEST)
        return NULL;
    best_distance++;
    for (const char *name; (name = next(state));) {
        size_t name_length = strlen(name);
        if (!name_length || name_length > LONGEST)
            continue;
        unsigned edits = distance(wrong, length, name, name_length);
        if (edits < best_distance && edits < name_length) {
            best = name;
            best_distance = edits;
        }
    }
    return best;
}
