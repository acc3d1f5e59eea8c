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

/* The edits from a to b, or more than `limit`: only the cells of the table that can stay below it are filled, so that
 * many misspelt names among many do no harm.  The lengths differ by at most `limit`. */
static unsigned distance(const char *a, unsigned a_length, const char *b, unsigned b_length, unsigned limit)
{
    unsigned rows[3][LONGEST + 2];
    unsigned *before = rows[0], *last = rows[1], *now = rows[2];
    for (unsigned j = 0; j <= b_length; j++)
        last[j] = j;
    for (unsigned i = 1; i <= a_length; i++) {
        unsigned from = i > limit ? i - limit : 1, to = smaller(b_length, i + limit), least = limit + 1;
        now[from - 1] = from == 1 ? i : limit + 1;
        for (unsigned j = from; j <= to; j++) {
            unsigned differs = a[i - 1] != b[j - 1];
            now[j] = smaller(last[j - 1] + differs, now[j - 1] + 1);
            if (j < i + limit) /* the cell above is filled */
                now[j] = smaller(now[j], last[j] + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = smaller(now[j], before[j - 2] + 1);
            least = smaller(least, now[j]);
        }
        if (least > limit)
            return least;
        unsigned *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[b_length];
}

static void lower(const char *text, size_t length, char out[LONGEST])
{
    for (size_t i = 0; i < length; i++)
        out[i] = g_ascii_tolower(text[i]);
}

const char *nearest_name(const char *wrong, size_t length, const char *(*next)(void *state), void *state)
{
    const char *best = NULL;
    unsigned most = length < 3 ? 1 : length < 6 ? 2 : 3; /* edits: fewer than those of the best so far */
    if (!length || length > LONGEST)
        return NULL;
    char ours[LONGEST], theirs[LONGEST];
    lower(wrong, length, ours);
    for (const char *name; (name = next(state));) {
        size_t name_length = strlen(name);
        if (!name_length || name_length > LONGEST || name_length > length + most || length > name_length + most)
            continue;
        lower(name, name_length, theirs);
        unsigned edits = distance(ours, (unsigned)length, theirs, (unsigned)name_length, most);
        if (edits <= most && edits < name_length) {
            best = name;
            if (!edits)
                break;
            most = edits - 1;
        }
    }
    return best;
}
