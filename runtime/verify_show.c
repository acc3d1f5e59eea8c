/* SPDX-License-Identifier: MIT
 *
 * The facts of a guest as a table for people, and as JSON.
 */
#include "verify.h"

#include <string.h>

static const char *const verdicts[] = {
    [VERDICT_EXACT] = "exact", [VERDICT_WRONG] = "WRONG",     [VERDICT_UNTOUCHED] = "untouched",
    [VERDICT_TOLD] = "told",   [VERDICT_UNKNOWN] = "unknown",
};

static const char *const kinds[] = {
    [FACT_THREAD] = "cpus",   [FACT_CLASS] = "class", [FACT_PAGES] = "memory",  [FACT_PAGE_SIZE] = "pages",
    [FACT_POLICY] = "policy", [FACT_CELL] = "cell",   [FACT_CGROUP] = "cgroup",
};

static void pad(GString *out, const char *text, size_t width)
{
    append(out, text);
    for (size_t length = (size_t)g_utf8_strlen(text, -1); length < width; length++)
        append(out, " ");
}

void facts_text(const struct bundle_guest *guest, const struct facts *facts, GString *out)
{
    size_t what = strlen("what"), planned = strlen("planned"), real = strlen("real");
    for (uint32_t i = 0; i < facts->count; i++) {
        what = MAX(what, (size_t)g_utf8_strlen(facts->rows[i].what, -1));
        planned = MAX(planned, (size_t)g_utf8_strlen(facts->rows[i].planned, -1));
        real = MAX(real, (size_t)g_utf8_strlen(facts->rows[i].real, -1));
    }
    g_string_append_printf(out, "guest %s", guest->plan->name);
    if (guest->is_away)
        g_string_append_printf(out, " on host %s", guest->plan->host);
    g_string_append_printf(out, ": %s\n",
                           facts->wrong     ? "NOT as planned"
                           : facts->unknown ? "as planned, where it can be seen"
                                            : "as planned");
    for (uint32_t i = 0; i < facts->count; i++) {
        const struct fact *fact = &facts->rows[i];
        append(out, "  ");
        pad(out, fact->what, what + 2);
        pad(out, fact->planned, planned + 2);
        pad(out, fact->real, real + 2);
        append(out, verdicts[fact->verdict]);
        append(out, "\n");
    }
}

void facts_json(struct json *json, const struct bundle_guest *guest, const struct facts *facts)
{
    json_object(json, NULL);
    json_string(json, "name", guest->plan->name);
    if (guest->is_away)
        json_string(json, "host", guest->plan->host);
    json_bool(json, "exact", !facts->wrong && !facts->unknown);
    json_array(json, "facts");
    for (uint32_t i = 0; i < facts->count; i++) {
        const struct fact *fact = &facts->rows[i];
        g_autofree char *verdict = g_ascii_strdown(verdicts[fact->verdict], -1);
        json_object(json, NULL);
        json_string(json, "what", fact->what);
        json_string(json, "kind", kinds[fact->kind]);
        json_string(json, "planned", fact->planned);
        json_string(json, "real", fact->real);
        json_string(json, "verdict", verdict);
        if (fact->task)
            json_number(json, "thread", (uint64_t)fact->task);
        json_end(json, '}');
    }
    json_end(json, ']');
    json_end(json, '}');
}
