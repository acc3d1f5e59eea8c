/* SPDX-License-Identifier: MIT
 *
 * Any bytes as QEMU's answers, one a line, to all that it is asked: the threads and the memory of a guest, or a reason
 * why they are not known.
 */
#include <string.h>

#include "../unit/emit_plans.h"
#include "backing.h"
#include "monitor.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct answers {
    struct monitor monitor;
    const char *next, *end;
};

static bool exchange(struct monitor *monitor, const char *const *commands, size_t count, char **out_answers,
                     char **out_error)
{
    struct answers *answers = (struct answers *)(void *)monitor; /* its first member */
    for (size_t i = 0; i < count; i++) {
        if (!g_utf8_validate(commands[i], -1, NULL))
            bug("a question that is no UTF-8");
        if (answers->next >= answers->end) {
            *out_error = g_strdup("QEMU closed its monitor");
            return false;
        }
        size_t left = (size_t)(answers->end - answers->next);
        const char *line = answers->next, *stop = memchr(line, '\n', left);
        size_t length = stop ? (size_t)(stop - line) : left;
        answers->next += length + (stop != NULL);
        out_answers[i] = g_strndup(line, length);
    }
    return true;
}

static void check_answer(bool fine, char **error)
{
    if (fine == (*error != NULL))
        bug("an answer and a reason against it, or neither");
    g_clear_pointer(error, g_free);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct arena *arena = arena_new();
    const struct plan_guest *guest = database_guest(arena);
    struct answers answers = { .monitor = { .exchange = exchange },
                               .next = (const char *)bytes,
                               .end = (const char *)bytes + length };
    struct guest_threads threads;
    struct backing *backings = arena_array(arena, struct backing, guest->cell_count);
    char *error = NULL;
    check_answer(monitor_threads(&answers.monitor, arena, guest, &threads, &error), &error);
    for (uint32_t i = 0; i < threads.vcpu_count; i++)
        if (threads.vcpus[i] < 0)
            bug("a thread that cannot be");
    check_answer(backing_find(&answers.monitor, arena, guest, backings, &error), &error);
    arena_free(arena);
    return 0;
}
