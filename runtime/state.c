/* SPDX-License-Identifier: MIT
 *
 * The state folder: records, locks, and taking back what a dead agent began.  A guest's folder is locked by a lock on
 * the folder itself, so that none is left behind when it goes.
 */
#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup.h"
#include "embedded.h"
#include "host_pages.h"
#include "proc.h"
#include "record.h"

enum { END_MILLISECONDS = 5000, LOOK_MILLISECONDS = 20, FOLDER_DEPTH = 12 };

struct state {
    struct agent *agent;
    const char *folder;
};

const char *state_folder(const struct state *state)
{
    return state->folder;
}

uint64_t process_start(pid_t pid)
{
    return pid > 0 ? proc_start_ticks(pid) : 0;
}

bool process_is(pid_t pid, uint64_t start)
{
    return pid > 0 && start && proc_start_ticks(pid) == start;
}

/* The kernel tells at once when it ends; one that cannot is asked again and again. */
bool process_ends(pid_t pid, uint64_t start, int milliseconds)
{
    bool lives = process_is(pid, start);
    struct pollfd watched = { .fd = lives ? pidfd_open(pid, 0) : -1, .events = POLLIN };
    for (; lives && milliseconds > 0; milliseconds -= LOOK_MILLISECONDS) {
        poll(&watched, 1, LOOK_MILLISECONDS);
        lives = process_is(pid, start);
    }
    if (watched.fd >= 0)
        close(watched.fd);
    return !lives;
}

bool is_elsewhere(enum engine_kind engine, const char *connect)
{
    const char *uri = connect ? connect : g_getenv("LIBVIRT_DEFAULT_URI");
    const char *host = engine == ENGINE_LIBVIRT && uri ? strstr(uri, "://") : NULL;
    return host && host[strlen("://")] && host[strlen("://")] != '/';
}

/* ---- the folder ------------------------------------------------------------------------------------------------- */

static struct state *refuse_folder(struct agent *agent, const char *folder, const char *why)
{
    struct finding *finding =
        tell(agent, NM_state_folder, "'%s' cannot hold what numac knows of guests: %s", folder, why);
    finding_help(agent->findings, finding, "set XDG_RUNTIME_DIR to a folder of your own on a local file system");
    agent->is_refused = true;
    return NULL;
}

/* Root's guests are the system's: they must not go with a login session, whose folder in /run/user is emptied, nor end
 * up with the user whose environment `sudo -E` or `su` kept.  Any other folder was chosen on purpose. */
static bool is_chosen(const char *runtime)
{
    struct stat about;
    if (!runtime || *runtime != '/')
        return false;
    if (geteuid() != 0)
        return true;
    return !g_str_has_prefix(runtime, "/run/user/") && (stat(runtime, &about) < 0 || about.st_uid == 0);
}

static char *folder_name(void)
{
    const char *runtime = g_getenv("XDG_RUNTIME_DIR");
    if (is_chosen(runtime))
        return g_build_filename(runtime, "numac", NULL);
    return geteuid() == 0 ? g_strdup("/run/numac") : g_strdup_printf("/tmp/numac-%u", geteuid());
}

struct state *state_open(struct agent *agent)
{
    g_autofree char *name = folder_name();
    const char *folder = arena_string(agent->arena, name, strlen(name));
    struct stat about;
    if (mkdir(folder, 0700) < 0 && errno != EEXIST)
        return refuse_folder(agent, folder, g_strerror(errno));
    if (lstat(folder, &about) < 0 || !S_ISDIR(about.st_mode))
        return refuse_folder(agent, folder, "it is no folder");
    if (about.st_uid != geteuid() || (about.st_mode & 077))
        return refuse_folder(agent, folder, "others can write or look into it");
    struct state *state = arena_take(agent->arena, struct state);
    *state = (struct state){ agent, folder };
    return state;
}

/* ---- one guest -------------------------------------------------------------------------------------------------- */

static bool is_same_folder(int lock, const char *path)
{
    struct stat held, there;
    return fstat(lock, &held) == 0 && lstat(path, &there) == 0 && held.st_dev == there.st_dev &&
           held.st_ino == there.st_ino;
}

/* A folder may go between its opening and its locking: whoever had it locked forgot the guest. */
static enum guest_lookup lock_folder(const char *path, bool create, int *out_lock)
{
    for (;;) {
        if (create && mkdir(path, 0700) < 0 && errno != EEXIST)
            return GUEST_TROUBLE;
        int lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        if (lock < 0)
            return errno == ENOENT && !create ? GUEST_ABSENT : errno == ENOENT ? GUEST_BUSY : GUEST_TROUBLE;
        if (flock(lock, LOCK_EX | LOCK_NB) < 0) {
            close(lock);
            return GUEST_BUSY;
        }
        if (is_same_folder(lock, path)) {
            *out_lock = lock;
            return GUEST_HELD;
        }
        close(lock);
    }
}

enum guest_lookup guest_take(struct agent *agent, const char *uuid, bool create, struct guest_state **out)
{
    struct guest_state *guest = arena_take(agent->arena, struct guest_state);
    guest->state = agent->state;
    guest->path = arena_printf(agent->arena, "%s/%s", agent->state->folder, uuid);
    enum guest_lookup found = lock_folder(guest->path, create, &guest->lock);
    if (found == GUEST_TROUBLE)
        refuse_folder(agent, guest->path, g_strerror(errno));
    if (found != GUEST_HELD)
        return found;
    if (!record_read(agent, guest->path, &guest->record))
        guest->record = (struct record){ .uuid = arena_string(agent->arena, uuid, strlen(uuid)) };
    *out = guest;
    return GUEST_HELD;
}

void guest_release(struct guest_state *guest)
{
    close(guest->lock);
    guest->lock = -1;
}

bool guest_prepare(struct agent *agent, struct guest_state *guest)
{
    int trouble = record_prepare(guest->path, &guest->record);
    if (trouble)
        refuse_folder(agent, guest->path, g_strerror(trouble));
    return !trouble;
}

bool guest_commit(struct agent *agent, struct guest_state *guest)
{
    int trouble = record_commit(guest->path);
    if (trouble)
        refuse_folder(agent, guest->path, g_strerror(trouble));
    return !trouble;
}

bool guest_write(struct agent *agent, struct guest_state *guest)
{
    return guest_prepare(agent, guest) && guest_commit(agent, guest);
}

/* ---- taking back ------------------------------------------------------------------------------------------------ */

/* What libvirt inside numac starts has its folder in the arguments; what a daemon starts has only the guest's UUID,
 * and so would a guest that somebody else started: that one is older than this start. */
static bool is_of_start(struct agent *agent, const struct record *record, const char *words, gsize length, pid_t pid)
{
    const char *root = record->engine == ENGINE_EMBED ? embedded_root(agent, record->uuid) : NULL;
    bool has_uuid = false, has_root = false;
    for (const char *word = words, *before = ""; word < words + length; before = word, word += strlen(word) + 1) {
        has_uuid |= strcmp(before, "-uuid") == 0 && strcmp(word, record->uuid) == 0;
        has_root |= root && strstr(word, root);
    }
    return has_uuid && (root ? has_root : process_start(pid) >= record->begun);
}

/* The QEMU of an agent that died just behind its start. */
static pid_t unwritten_process(struct agent *agent, const struct record *record)
{
    if (record->pid || !record->begun || record->engine == ENGINE_QEMU) /* its keeper ends it */
        return 0;
    if (is_elsewhere(record->engine, record->connect))
        return 0;
    GDir *folder = g_dir_open("/proc", 0, NULL);
    pid_t found = 0;
    for (const char *name; folder && !found && (name = g_dir_read_name(folder));) {
        pid_t pid = (pid_t)strtol(name, NULL, 10); /* 0 of what is no process */
        gsize length = 0;
        g_autofree char *words = pid > 0 ? proc_words(pid, &length) : NULL;
        if (length && is_of_start(agent, record, words, length, pid))
            found = pid;
    }
    if (folder)
        g_dir_close(folder);
    return found;
}

static void end_process(pid_t pid, uint64_t start)
{
    if (!process_is(pid, start))
        return;
    kill(pid, SIGKILL);
    process_ends(pid, start, END_MILLISECONDS);
}

/* Never follows a link; what libvirt makes is some five folders deep. */
static void empty_folder(int place, const char *name, unsigned depth)
{
    int lock = openat(place, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    DIR *folder = lock < 0 ? NULL : fdopendir(lock);
    if (lock >= 0 && !folder)
        close(lock);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(folder), entry->d_name, 0) == 0 || !depth)
            continue;
        empty_folder(dirfd(folder), entry->d_name, depth - 1);
        unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
    }
    if (folder)
        closedir(folder);
}

static void remove_folder(const char *path)
{
    empty_folder(AT_FDCWD, path, FOLDER_DEPTH);
    rmdir(path);
}

void guest_end_unwritten(struct guest_state *guest)
{
    pid_t pid = unwritten_process(guest->state->agent, &guest->record);
    end_process(pid, process_start(pid));
}

void guest_end(struct guest_state *guest)
{
    end_process(guest->record.pid, guest->record.pid_start);
    guest_end_unwritten(guest);
}

void guest_forget(struct guest_state *guest)
{
    struct record *record = &guest->record;
    guest_end(guest);
    for (uint32_t i = 0; i < record->reservation_count; i++)
        pages_give_back(&record->reservations[i]);
    if (record->cgroup)
        cgroup_remove(record->cgroup);
    if (record->uuid && record->engine == ENGINE_EMBED)
        remove_folder(embedded_root(guest->state->agent, record->uuid));
    remove_folder(guest->path);
    close(guest->lock);
    guest->lock = -1;
}

/* ---- all of them ------------------------------------------------------------------------------------------------ */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of the guests' folders, rising. */
static GPtrArray *folder_names(const struct state *state)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    DIR *folder = opendir(state->folder);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        if (g_uuid_string_is_valid(entry->d_name))
            g_ptr_array_add(names, g_strdup(entry->d_name));
    if (folder)
        closedir(folder);
    g_ptr_array_sort(names, by_text);
    return names;
}

bool guest_has_ended(const struct guest_state *guest)
{
    const struct record *record = &guest->record;
    if (record->phase == PHASE_STARTING)
        return true;
    return !is_elsewhere(record->engine, record->connect) && !process_is(record->pid, record->pid_start);
}

void state_recover(struct agent *agent)
{
    g_autoptr(GPtrArray) names = folder_names(agent->state);
    for (unsigned i = 0; i < names->len; i++) {
        struct guest_state *guest;
        if (guest_take(agent, names->pdata[i], false, &guest) != GUEST_HELD)
            continue; /* somebody is at work on it */
        if (!guest_has_ended(guest)) {
            guest_release(guest);
            continue;
        }
        bool was_starting = guest->record.phase == PHASE_STARTING;
        const char *name = guest->record.name;
        guest_forget(guest);
        if (name) /* without a record nothing was done yet that outlives anybody */
            tell(agent, NM_state_recovered,
                 was_starting ? "the start of guest '%s' was cut off; what it left is taken back"
                              : "guest '%s' ended without numac; what it left is taken back",
                 name);
    }
}

static int by_site_and_name(const void *a, const void *b)
{
    const struct record *one = a, *other = b;
    int order = strcmp(one->site, other->site);
    return order ? order : strcmp(one->name, other->name);
}

void state_each(struct agent *agent, void (*visit)(struct agent *agent, const struct record *record, void *context),
                void *context)
{
    g_autoptr(GPtrArray) names = folder_names(agent->state);
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct record));
    for (unsigned i = 0; i < names->len; i++) {
        const char *path = arena_printf(agent->arena, "%s/%s", agent->state->folder, (const char *)names->pdata[i]);
        struct record record;
        if (record_read(agent, path, &record))
            g_array_append_val(records, record);
    }
    g_array_sort(records, by_site_and_name);
    for (unsigned i = 0; i < records->len; i++)
        visit(agent, &g_array_index(records, struct record, i), context);
}
