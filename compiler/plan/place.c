/* SPDX-License-Identifier: MIT
 *
 * Finds a value in JSON text by the way that leads to it.  The text parsed before, so this is a walk that only has to
 * skip; on text that is not what it expects it stops where it is.
 */
#include "plan/place.h"

#include <string.h>

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

static const char *skip_string(const char *at)
{
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at + 1 : at;
}

static const char *skip_value(const char *at)
{
    size_t depth = 0;
    do {
        if (*at == '"') {
            at = skip_string(at);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if ((*at == '}' || *at == ']') && depth)
            depth--;
        else if (!depth && (*at == ',' || *at == '}' || *at == ']'))
            return at;
        if (*at)
            at++;
    } while (*at && (depth || !strchr(",}] \t\r\n", *at)));
    return at;
}

/* The key of a member of the object at `at`, or NULL. */
static const char *find_key(const char *at, const char *key)
{
    size_t length = strlen(key);
    if (*at != '{')
        return NULL;
    for (at = skip_blanks(at + 1); *at == '"';) {
        if (strncmp(at + 1, key, length) == 0 && at[1 + length] == '"')
            return at;
        at = skip_blanks(skip_string(at));
        if (*at != ':')
            return NULL;
        at = skip_blanks(skip_value(skip_blanks(at + 1)));
        if (*at != ',')
            return NULL;
        at = skip_blanks(at + 1);
    }
    return NULL;
}

static const char *find_element(const char *at, size_t index)
{
    if (*at != '[')
        return NULL;
    at = skip_blanks(at + 1);
    while (index--) {
        at = skip_blanks(skip_value(at));
        if (*at != ',')
            return NULL;
        at = skip_blanks(at + 1);
    }
    return at;
}

/* An object or array is marked by its bracket: underlining all of it would show nothing. */
static const char *end_of_mark(const char *at)
{
    if (*at == '{' || *at == '[')
        return at + 1;
    return *at == '"' ? skip_string(at) : skip_value(at);
}

struct span plan_place(const struct sources *sources, uint32_t file, const struct plan_path *path, bool at_key)
{
    const char *text = source_at(sources, file)->text, *at = skip_blanks(text);
    for (unsigned i = 0; i < path->count; i++) {
        const struct plan_step *step = &path->steps[i];
        const char *next = step->key ? find_key(at, step->key) : find_element(at, step->index);
        if (!next)
            break;
        bool is_last = i + 1 == path->count;
        if (step->key && !(is_last && at_key)) {
            const char *colon = skip_blanks(skip_string(next));
            next = skip_blanks(*colon ? colon + 1 : colon);
        }
        at = next;
    }
    return (struct span){ file, (uint32_t)(at - text), (uint32_t)(end_of_mark(at) - text) };
}

void plan_path_text(GString *out, const struct plan_path *path)
{
    for (unsigned i = 0; i < path->count; i++) {
        if (!path->steps[i].key)
            g_string_append_printf(out, "[%zu]", path->steps[i].index);
        else
            g_string_append_printf(out, "%s%s", i ? "." : "", path->steps[i].key);
    }
}
