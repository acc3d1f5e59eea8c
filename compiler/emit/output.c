/* SPDX-License-Identifier: MIT
 *
 * The output folder: all of a build or nothing of it.  A file that says the same already is not touched, since
 * replacing files is the dearest part of a build; others are written beside their place and renamed at the end.
 * Nothing is written through a symbolic link, and only one run at a time writes.
 */
#include "emit/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "emit/emit.h"

enum { NAME_BYTES = 255 };

struct output_file {
    char *name;
    uint32_t temporary; /* number of the temporary file, 0 where the file needs no writing */
};

struct output {
    struct findings *findings;
    char *path; /* as given, for messages */
    int folder;
    GArray *files;      /* struct output_file */
    GHashTable *names;  /* of the files, pointing into them */
    GHashTable *before; /* names of an earlier build; NULL until somebody asks: its plan may be long */
    uint32_t temporaries;
    bool keeps;              /* nothing that stands there is replaced or removed */
    sigset_t signals;        /* that were blocked before */
    bool failed, keeps_plan; /* files were put in place and the plan was not: the next run must know of them */
};

static struct finding *tell(struct output *output, enum code code, const char *step, const char *name, int error)
{
    output->failed = true;
    struct finding *finding =
        report(output->findings, code, SPAN_NONE, "%s '%s/%s': %s", step, output->path, name, g_strerror(error));
    if (error == ENOSPC || error == EDQUOT)
        finding_help(output->findings, finding, "make room there, or choose another folder with -o");
    else if (error == EACCES || error == EPERM || error == EROFS)
        finding_help(output->findings, finding, "make the folder writable, or choose another with -o");
    return finding;
}

enum { TEMPORARY_BYTES = 40 };

static void temporary_name(char name[TEMPORARY_BYTES], const struct output_file *file)
{
    bool is_plan = strcmp(file->name, PLAN_FILE) == 0;
    g_snprintf(name, TEMPORARY_BYTES, "%s%u", is_plan ? TEMPORARY_PLAN : TEMPORARY, file->temporary);
}

/* ---- interruptions: a run that is told to end tidies up first, and what it has begun to put in place it ends ---- */

static void signals_to_wait(sigset_t *out)
{
    sigemptyset(out);
    sigaddset(out, SIGINT);
    sigaddset(out, SIGTERM);
    sigaddset(out, SIGHUP);
}

static bool is_interrupted(const struct output *output)
{
    sigset_t waiting, ours;
    signals_to_wait(&ours);
    sigpending(&waiting);
    for (int signal = 1; signal < NSIG; signal++)
        if (sigismember(&ours, signal) == 1 && sigismember(&output->signals, signal) == 0 &&
            sigismember(&waiting, signal) == 1)
            return true;
    return false;
}

/* ---- opening ---------------------------------------------------------------------------------------------------- */

/* What a run that was killed left behind.  Those names are ours alone, and the lock says that nobody writes.  True: a
 * plan was among it. */
static bool sweep(int folder, bool with_plans)
{
    bool has_plans = false;
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = copy < 0 ? NULL : fdopendir(copy);
    if (!list) {
        if (copy >= 0)
            close(copy);
        return false;
    }
    for (struct dirent *entry; (entry = readdir(list));) {
        bool is_plan = g_str_has_prefix(entry->d_name, TEMPORARY_PLAN);
        has_plans |= is_plan;
        if (g_str_has_prefix(entry->d_name, TEMPORARY) && (with_plans || !is_plan))
            unlinkat(folder, entry->d_name, 0);
    }
    closedir(list);
    return has_plans;
}

static GHashTable *ask_before(struct output *output)
{
    if (!output->before)
        output->before = files_of_old_plans(output->folder);
    return output->before;
}

static int open_folder(struct findings *findings, const char *path)
{
    const char *step = "cannot make the folder";
    int folder = -1;
    if (g_mkdir_with_parents(path, 0777) == 0) {
        step = "cannot open the folder";
        folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (folder < 0) {
        int error = errno == EEXIST ? ENOTDIR : errno;
        struct finding *finding =
            report(findings, NM_output_folder, SPAN_NONE, "%s '%s': %s", step, path, g_strerror(error));
        finding_help(findings, finding, "choose another folder with -o");
        return -1;
    }
    /* file systems that know no locks are taken as they are */
    if (flock(folder, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        struct finding *finding =
            report(findings, NM_output_busy, SPAN_NONE, "another run of numac is writing into '%s'", path);
        finding_help(findings, finding, "wait for it to end, or choose another folder with -o");
        close(folder);
        return -1;
    }
    return folder;
}

static void file_clear(void *file_pointer)
{
    struct output_file *file = file_pointer;
    g_free(file->name);
}

static struct output *open_output(struct findings *findings, const char *path, bool keeps)
{
    int folder = open_folder(findings, path);
    if (folder < 0)
        return NULL;
    bool has_plans = sweep(folder, false);
    struct output *output = g_new0(struct output, 1);
    sigset_t waiting;
    signals_to_wait(&waiting);
    sigprocmask(SIG_BLOCK, &waiting, &output->signals);
    output->findings = findings;
    output->path = g_strdup(path);
    output->folder = folder;
    output->files = g_array_new(FALSE, FALSE, sizeof(struct output_file));
    g_array_set_clear_func(output->files, file_clear);
    output->names = g_hash_table_new(g_str_hash, g_str_equal);
    output->keeps = keeps;
    if (has_plans && !keeps)
        ask_before(output);
    return output;
}

struct output *output_open(struct findings *findings, const char *path)
{
    return open_output(findings, path, false);
}

struct output *output_open_new(struct findings *findings, const char *path)
{
    return open_output(findings, path, true);
}

void output_discard(struct output *output)
{
    if (!output)
        return;
    for (guint i = 0; i < output->files->len; i++) {
        const struct output_file *file = &g_array_index(output->files, struct output_file, i);
        char temporary[TEMPORARY_BYTES];
        temporary_name(temporary, file);
        if (file->temporary && !(output->keeps_plan && strcmp(file->name, PLAN_FILE) == 0))
            unlinkat(output->folder, temporary, 0);
    }
    close(output->folder);                            /* gives the lock up */
    sigprocmask(SIG_SETMASK, &output->signals, NULL); /* ends the run here, where it was interrupted */
    g_hash_table_destroy(output->names);
    g_clear_pointer(&output->before, g_hash_table_destroy);
    g_array_free(output->files, TRUE);
    g_free(output->path);
    g_free(output);
}

/* ---- adding ----------------------------------------------------------------------------------------------------- */

/* The rules refuse such names with a place in the site; this is the second lock on the door. */
static bool name_is_safe(struct output *output, const char *name)
{
    const char *why = NULL;
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        why = "is no name of a file";
    else if (strchr(name, '/'))
        why = "would leave the folder";
    else if (strlen(name) > NAME_BYTES)
        why = "is longer than 255 bytes";
    else if (g_str_has_prefix(name, TEMPORARY))
        why = "is kept for temporary files";
    else if (g_hash_table_contains(output->names, name))
        why = "is written twice";
    if (!why)
        return true;
    output->failed = true;
    struct finding *finding = report(output->findings, NM_output_name, SPAN_NONE, "the output file '%s' %s", name, why);
    finding_help(output->findings, finding, "give the guest another name");
    return false;
}

static bool is_script(const char *name)
{
    return g_str_has_suffix(name, ".sh");
}

enum found { FOUND_NOTHING, FOUND_SAME, FOUND_OTHER, FOUND_TROUBLE };

/* What stands at the place of a file.  Sizes are compared before anything is read. */
static enum found look(struct output *output, const char *name, const char *text, size_t length)
{
    struct stat about;
    if (fstatat(output->folder, name, &about, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT)
            return FOUND_NOTHING;
        tell(output, NM_output_write, "cannot look at", name, errno);
        return FOUND_TROUBLE;
    }
    if (!S_ISREG(about.st_mode)) {
        const char *what = S_ISDIR(about.st_mode) ? "a folder" : S_ISLNK(about.st_mode) ? "a symbolic link" : "no file";
        output->failed = true;
        struct finding *finding = report(output->findings, NM_output_in_the_way, SPAN_NONE,
                                         "'%s/%s' is to be written, but it is %s", output->path, name, what);
        finding_help(output->findings, finding, "move it away, or choose another folder with -o");
        return FOUND_TROUBLE;
    }
    if ((uintmax_t)about.st_size != length || (is_script(name) && !(about.st_mode & S_IXUSR)))
        return FOUND_OTHER;
    size_t old_length = 0;
    g_autofree char *old = read_plain_file(output->folder, name, length, &old_length);
    return old && old_length == length && memcmp(old, text, length) == 0 ? FOUND_SAME : FOUND_OTHER;
}

/* A file with other content that no earlier build wrote is somebody's own. */
static bool is_foreign(struct output *output, const char *name, enum found found)
{
    if (found != FOUND_OTHER || output->keeps || strcmp(name, PLAN_FILE) == 0 ||
        g_hash_table_contains(ask_before(output), name))
        return false;
    output->failed = true;
    struct finding *finding =
        report(output->findings, NM_output_in_the_way, SPAN_NONE,
               "'%s/%s' is to be written, but it holds something that no build wrote there", output->path, name);
    finding_note(output->findings, finding, "the plan.json of that folder does not name it");
    finding_help(output->findings, finding, "move it away, or choose another folder with -o");
    return true;
}

static int write_all(int file, const char *text, size_t length)
{
    while (length) {
        ssize_t written = write(file, text, length);
        if (written < 0 && errno != EINTR)
            return errno;
        if (written > 0) {
            text += written;
            length -= (size_t)written;
        }
    }
    return 0;
}

static bool write_temporary(struct output *output, struct output_file *added, const char *text, size_t length)
{
    char temporary[TEMPORARY_BYTES];
    int file;
    do { /* there may be the plan of a run that was killed */
        added->temporary = ++output->temporaries;
        temporary_name(temporary, added);
        file = openat(output->folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                      is_script(added->name) ? 0777 : 0666);
    } while (file < 0 && errno == EEXIST);
    if (file < 0) {
        tell(output, NM_output_write, "cannot write", added->name, errno);
        added->temporary = 0;
        return false;
    }
    int error = write_all(file, text, length);
    if (close(file) != 0 && !error)
        error = errno;
    if (!error)
        return true;
    tell(output, NM_output_write, "cannot write", added->name, error);
    return false;
}

/* What is there may hold a person's work. */
static bool refuse_replacing(struct output *output, const char *name)
{
    output->failed = true;
    struct finding *finding = report(output->findings, NM_import_replaces, SPAN_NONE,
                                     "'%s/%s' is there already and says something else", output->path, name);
    finding_help(output->findings, finding, "choose another folder with -o, or move that file away");
    return false;
}

bool output_add(struct output *output, const char *name, const char *text, size_t length)
{
    output->failed |= is_interrupted(output);
    if (output->failed || !name_is_safe(output, name))
        return false;
    enum found found = look(output, name, text, length);
    if (found == FOUND_TROUBLE || is_foreign(output, name, found))
        return false;
    if (found == FOUND_OTHER && output->keeps)
        return refuse_replacing(output, name);
    if (found != FOUND_SAME && !output->keeps && strcmp(name, PLAN_FILE) == 0)
        ask_before(output); /* the new plan would be taken for one that was left behind */
    struct output_file file = { .name = g_strdup(name) };
    bool fine = found == FOUND_SAME || write_temporary(output, &file, text, length);
    g_array_append_val(output->files, file);
    g_hash_table_add(output->names, file.name);
    return fine;
}

/* ---- putting in place ------------------------------------------------------------------------------------------- */

static bool rename_one(struct output *output, struct output_file *file)
{
    char temporary[TEMPORARY_BYTES];
    if (!file->temporary)
        return true;
    temporary_name(temporary, file);
    if (renameat(output->folder, temporary, output->folder, file->name) != 0) {
        tell(output, NM_output_replace, "cannot put in place", file->name, errno);
        return false;
    }
    file->temporary = 0;
    return true;
}

/* Before the new plan stands there, so that a run cut short here is made up for by the next one.  Where nobody asked
 * for the names of before, the plan says what it said, so they are those of now. */
static bool remove_old(struct output *output)
{
    if (!output->before)
        return true;
    GHashTableIter names;
    void *key;
    g_hash_table_iter_init(&names, output->before);
    while (g_hash_table_iter_next(&names, &key, NULL)) {
        const char *name = key;
        struct stat about;
        if (g_hash_table_contains(output->names, name) ||
            fstatat(output->folder, name, &about, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(about.st_mode))
            continue;
        if (unlinkat(output->folder, name, 0) != 0 && errno != ENOENT) {
            tell(output, NM_output_replace, "cannot remove the old", name, errno);
            return false;
        }
    }
    return true;
}

bool output_commit(struct output *output)
{
    struct output_file *plan = NULL;
    bool fine = !output->failed && !is_interrupted(output), has_begun = fine;
    for (guint i = 0; fine && i < output->files->len; i++) {
        struct output_file *file = &g_array_index(output->files, struct output_file, i);
        if (strcmp(file->name, PLAN_FILE) == 0)
            plan = file;
        else
            fine = rename_one(output, file);
    }
    fine = fine && remove_old(output) && (!plan || rename_one(output, plan));
    output->keeps_plan = has_begun && !fine;
    if (fine)
        sweep(output->folder, true);
    output_discard(output);
    return fine;
}
