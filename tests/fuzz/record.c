/* SPDX-License-Identifier: MIT
 *
 * Any bytes as the record of a guest: none, or one that is written and read the same, and that names no other guest
 * and no process that cannot be.
 */
#include <glib/gstdio.h>
#include <string.h>

#include "record.h"

#define UUID "5e6c2e5e-8a52-5b7c-9d5a-0123456789ab"

int LLVMFuzzerInitialize(int *argument_count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static char *folder, *file;

static void forget(void)
{
    g_autofree char *parent = g_path_get_dirname(folder);
    g_remove(file);
    g_rmdir(folder);
    g_rmdir(parent);
}

int LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
    (void)argument_count;
    (void)arguments;
    g_autofree char *parent = g_strdup("/dev/shm/numac-fuzz-XXXXXX"); /* in memory: a record is synced when written */
    if (!g_mkdtemp(parent))
        bug("no folder in memory");
    folder = g_build_filename(parent, UUID, NULL);
    file = g_build_filename(folder, "guest.json", NULL);
    if (g_mkdir(folder, 0700) != 0)
        bug("no folder in memory");
    return atexit(forget);
}

static char *contents(void)
{
    char *text = NULL;
    if (!g_file_get_contents(file, &text, NULL, NULL))
        bug("a record that was written is not there");
    return text;
}

static void check_record(const struct record *record)
{
    if (strcmp(record->uuid, UUID) != 0)
        bug("a record of another guest than its folder is of");
    if (record->pid < 0 || record->keeper < 0)
        bug("a process that cannot be");
    if (record->engine >= ENGINE_COUNT || record->phase > PHASE_RUNNING || !record->name || !record->site)
        bug("a record that does not say what it must");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct agent agent = { .arena = arena_new() };
    struct record record;
    if (!g_file_set_contents_full(file, (const char *)bytes, (gssize)length, G_FILE_SET_CONTENTS_NONE, 0600, NULL))
        bug("no file in memory");
    if (record_read(&agent, folder, &record)) {
        check_record(&record);
        if (record_prepare(folder, &record) != 0 || record_commit(folder) != 0)
            bug("a record that cannot be written");
        g_autofree char *once = contents();
        if (!record_read(&agent, folder, &record) || record_prepare(folder, &record) != 0 || record_commit(folder) != 0)
            bug("a record that was written cannot be read");
        g_autofree char *twice = contents();
        if (strcmp(once, twice) != 0)
            bug("a record that changes when it is read and written");
    }
    arena_free(agent.arena);
    return 0;
}
