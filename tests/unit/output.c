/* SPDX-License-Identifier: MIT
 *
 * The output folder: all or nothing, unchanged files untouched, other people's files safe.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diag/findings.h"
#include "emit_plans.h"

struct bench {
    char *folder;
    struct sources *sources;
    struct findings *findings;
};

static void set_up(struct bench *bench, const void *unused)
{
    (void)unused;
    bench->folder = g_dir_make_tmp("numac-output-XXXXXX", NULL);
    g_assert_nonnull(bench->folder);
    bench->sources = sources_new();
    bench->findings = findings_new(bench->sources);
}

static void tear_down(struct bench *bench, const void *unused)
{
    (void)unused;
    const char *arguments[] = { "rm", "-rf", bench->folder, NULL };
    chmod(bench->folder, 0700);
    g_assert_true(g_spawn_sync(NULL, (char **)(uintptr_t)arguments, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                               NULL, NULL));
    findings_free(bench->findings);
    sources_free(bench->sources);
    g_free(bench->folder);
}

static char *path_in(const struct bench *bench, const char *name)
{
    return g_build_filename(bench->folder, name, NULL);
}

static void put(const struct bench *bench, const char *name, const char *text)
{
    g_autofree char *path = path_in(bench, name);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void check(const struct bench *bench, const char *name, const char *wanted)
{
    g_autofree char *path = path_in(bench, name), *text = NULL;
    gboolean is_there = g_file_get_contents(path, &text, NULL, NULL);
    g_assert_true(is_there == (wanted != NULL));
    g_assert_cmpstr(text, ==, wanted);
}

static unsigned files_in(const struct bench *bench)
{
    g_autoptr(GDir) folder = g_dir_open(bench->folder, 0, NULL);
    unsigned count = 0;
    while (g_dir_read_name(folder))
        count++;
    return count;
}

static ino_t inode_of(const struct bench *bench, const char *name)
{
    struct stat about;
    g_autofree char *path = path_in(bench, name);
    g_assert_cmpint(lstat(path, &about), ==, 0);
    return about.st_ino;
}

static bool add(struct output *output, const char *name, const char *text)
{
    return output_add(output, name, text, strlen(text));
}

/* One finding of this code and no more. */
static void check_finding(const struct bench *bench, enum code code)
{
    g_assert_cmpuint(bench->findings->list->len, ==, 1);
    const struct finding *finding = g_ptr_array_index(bench->findings->list, 0);
    g_assert_cmpint(finding->code, ==, code);
}

static struct output *open_fine(struct bench *bench)
{
    struct output *output = output_open(bench->findings, bench->folder);
    g_assert_nonnull(output);
    return output;
}

/* A plan of these guests, written for libvirt and QEMU. */
static void add_plan(struct output *output, const char *const *names)
{
    static const char *const targets[] = { "libvirt", "qemu" };
    struct arena *arena = arena_new();
    struct plan_guest guests[4];
    uint32_t count = 0;
    for (; names[count]; count++)
        guests[count] = *plain_guest(arena, names[count], 1);
    struct plan plan = { .site = "s", .guests = guests, .guest_count = count, .targets = targets, .target_count = 2 };
    g_autoptr(GString) text = g_string_new(NULL);
    write_plan_json(&plan, text);
    g_assert_true(output_add(output, "plan.json", text->str, text->len));
    arena_free(arena);
}

/* An earlier build of these guests, whose XML all said this. */
static void build_before(struct bench *bench, const char *const *names, const char *text)
{
    struct output *output = open_fine(bench);
    add_plan(output, names);
    for (; *names; names++) {
        g_autofree char *file = g_strconcat(*names, ".xml", NULL);
        g_assert_true(add(output, file, text));
    }
    g_assert_true(output_commit(output));
}

static void test_first_build(struct bench *bench, const void *unused)
{
    (void)unused;
    g_autofree char *deeper = g_build_filename(bench->folder, "a", "b", NULL);
    struct output *output = output_open(bench->findings, deeper);
    g_assert_nonnull(output);
    g_assert_true(add(output, "g.xml", "<x/>"));
    g_assert_true(add(output, "g.sh", "#!/bin/sh\n"));
    check(bench, "a/b/g.xml", NULL); /* not before the commit */
    g_assert_true(output_commit(output));
    check(bench, "a/b/g.xml", "<x/>");
    g_autofree char *script = g_build_filename(deeper, "g.sh", NULL);
    g_assert_cmpint(access(script, X_OK), ==, 0);
    g_assert_cmpuint(bench->findings->list->len, ==, 0);
}

static void test_unchanged_is_untouched(struct bench *bench, const void *unused)
{
    (void)unused;
    build_before(bench, (const char *const[]){ "same", "longer", "other", NULL }, "one");
    ino_t same = inode_of(bench, "same.xml"), other = inode_of(bench, "other.xml");
    struct output *output = open_fine(bench);
    g_assert_true(add(output, "same.xml", "one") && add(output, "longer.xml", "one more") &&
                  add(output, "other.xml", "two"));
    g_assert_true(output_commit(output));
    g_assert_true(inode_of(bench, "same.xml") == same);
    g_assert_true(inode_of(bench, "other.xml") != other);
    check(bench, "longer.xml", "one more");
    check(bench, "other.xml", "two");
    g_assert_cmpuint(files_in(bench), ==, 4);
}

static void test_discard(struct bench *bench, const void *unused)
{
    (void)unused;
    build_before(bench, (const char *const[]){ "g", NULL }, "old");
    struct output *output = open_fine(bench);
    g_assert_true(add(output, "g.xml", "new"));
    output_discard(output);
    output_discard(NULL);
    check(bench, "g.xml", "old");
    g_assert_cmpuint(files_in(bench), ==, 2);
}

/* What no build wrote is somebody's own, unless it says the very same. */
static void test_foreign_files_stay(struct bench *bench, const void *unused)
{
    (void)unused;
    put(bench, "g.xml", "mine");
    struct output *output = open_fine(bench);
    g_assert_false(add(output, "g.xml", "new"));
    output_discard(output);
    check(bench, "g.xml", "mine");
    check_finding(bench, NM_output_in_the_way);
    output = open_fine(bench);
    g_assert_true(add(output, "g.xml", "mine"));
    g_assert_true(output_commit(output));
}

static void test_old_files_go(struct bench *bench, const void *unused)
{
    (void)unused;
    struct output *output = open_fine(bench);
    add_plan(output, (const char *const[]){ "a", "b", NULL });
    g_assert_true(add(output, "a.xml", "1") && add(output, "b.xml", "1") && add(output, "b.sh", "1"));
    g_assert_true(output_commit(output));
    put(bench, "c.xml", "mine"); /* no guest of ours */
    put(bench, "b.txt", "mine"); /* no ending of ours */
    put(bench, "b.argv", "1");   /* of the target qemu, which the plan names */
    g_autofree char *folder = path_in(bench, "a.argv");
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0); /* no file, so never ours */
    output = open_fine(bench);
    add_plan(output, (const char *const[]){ "a", NULL });
    g_assert_true(add(output, "a.xml", "1"));
    g_assert_true(output_commit(output));
    check(bench, "a.xml", "1");
    check(bench, "b.xml", NULL);
    check(bench, "b.sh", NULL);
    check(bench, "b.argv", NULL);
    check(bench, "c.xml", "mine");
    check(bench, "b.txt", "mine");
    g_assert_true(g_file_test(folder, G_FILE_TEST_IS_DIR));
}

/* What a guest was on hosts that it could move to goes too, and nothing else that is called like it. */
static void test_old_moves_go(struct bench *bench, const void *unused)
{
    (void)unused;
    put(bench, "plan.json",
        "{\"format_version\":1,\"targets\":[\"libvirt\"],\"guests\":[{\"name\":\"a\",\"migrate\":[{\"host\":\"near\"},"
        "{\"host\":\"../up\"},{\"host\":7},{},9]},{\"name\":\"b\",\"migrate\":{\"host\":\"far\"}}]}");
    put(bench, "a.on-near.xml", "1");
    put(bench, "a.on-near.argv", "mine");
    put(bench, "a.on-far.xml", "mine");
    put(bench, "b.on-far.xml", "mine");
    struct output *output = open_fine(bench);
    add_plan(output, (const char *const[]){ "a", "b", NULL });
    g_assert_true(output_commit(output));
    check(bench, "a.on-near.xml", NULL);
    check(bench, "a.on-near.argv", "mine");
    check(bench, "a.on-far.xml", "mine");
    check(bench, "b.on-far.xml", "mine");
}

/* Whatever stands in plan.json, nothing but files of guests is removed. */
static void test_foreign_plans(struct bench *bench, const void *unused)
{
    (void)unused;
    static const char *const plans[] = {
        "",
        "[1,2",
        "{\"guests\":[{\"name\":\"x\"}],\"targets\":[\"libvirt\"]}",
        "{\"format_version\":1,\"guests\":[{\"name\":\"x\"}]}",
        "{\"format_version\":1,\"guests\":[{\"name\":\"x\"}],\"targets\":[\"qemu\",7]}",
        "{\"format_version\":1,\"guests\":[7,null,{\"name\":7},{\"name\":\"../up\"}],\"targets\":[\"libvirt\"]}",
        "{\"format_version\":1,\"guests\":{},\"targets\":{}}",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(plans); i++) {
        put(bench, "plan.json", plans[i]);
        put(bench, "x.xml", "mine");
        struct output *output = open_fine(bench);
        g_assert_true(output_commit(output));
        check(bench, "x.xml", "mine");
        check(bench, "plan.json", plans[i]);
    }
}

static void test_leftovers_are_swept(struct bench *bench, const void *unused)
{
    (void)unused;
    put(bench, ".numac-tmp-1", "half a file of a run that was killed");
    put(bench, ".numac-tmp-77", "another");
    struct output *output = open_fine(bench);
    g_assert_true(add(output, "g.xml", "new"));
    g_assert_true(output_commit(output));
    g_assert_cmpuint(files_in(bench), ==, 1);
}

/* A run that was killed while it put files in place left its plan: what it had put there is no stranger's. */
static void test_killed_run_is_made_up_for(struct bench *bench, const void *unused)
{
    (void)unused;
    put(bench, ".numac-tmp-plan-9",
        "{\"format_version\":1,\"guests\":[{\"name\":\"g\"},{\"name\":\"gone\"}],\"targets\":[\"libvirt\"]}");
    put(bench, ".numac-tmp-3", "half a file");
    put(bench, "g.xml", "of the run that was killed");
    put(bench, "gone.xml", "of the run that was killed");
    put(bench, "mine.xml", "mine");
    struct output *output = open_fine(bench);
    g_assert_true(add(output, "g.xml", "new"));
    output_discard(output); /* and so was the next one, before it put anything in place */
    output = open_fine(bench);
    g_assert_true(add(output, "g.xml", "new"));
    add_plan(output, (const char *const[]){ "g", NULL });
    g_assert_true(output_commit(output));
    check(bench, "g.xml", "new");
    check(bench, "gone.xml", NULL);
    check(bench, "mine.xml", "mine");
    g_assert_cmpuint(files_in(bench), ==, 3);
}

static void test_bad_names(struct bench *bench, const void *unused)
{
    (void)unused;
    static const char *const names[] = { "", ".", "..", "a/b", "/etc/passwd", "../x", ".numac-tmp-1" };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        struct output *output = open_fine(bench);
        g_assert_true(add(output, "good.xml", "x"));
        g_assert_false(add(output, names[i], "x"));
        g_assert_false(add(output, "later.xml", "x")); /* and after a failure nothing more is written */
        g_assert_false(output_commit(output));
        g_assert_cmpuint(files_in(bench), ==, 0);
        g_assert_cmpuint(bench->findings->list->len, ==, i + 1);
    }
    g_autofree char *long_name = g_strnfill(256, 'a');
    struct output *output = open_fine(bench);
    g_assert_false(add(output, long_name, "x"));
    output_discard(output);
}

static void test_twice(struct bench *bench, const void *unused)
{
    (void)unused;
    struct output *output = open_fine(bench);
    g_assert_true(add(output, "g.xml", "1"));
    g_assert_false(add(output, "g.xml", "2"));
    output_discard(output);
    check_finding(bench, NM_output_name);
}

static void test_folder_in_the_way(struct bench *bench, const void *unused)
{
    (void)unused;
    g_autofree char *path = path_in(bench, "g.xml");
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    struct output *output = open_fine(bench);
    g_assert_true(add(output, "a.xml", "x"));
    g_assert_false(add(output, "g.xml", "x"));
    g_assert_false(output_commit(output));
    check_finding(bench, NM_output_in_the_way);
    g_assert_cmpuint(files_in(bench), ==, 1);
}

static void test_link_in_the_way(struct bench *bench, const void *unused)
{
    (void)unused;
    put(bench, "precious", "text");
    g_autofree char *path = path_in(bench, "g.xml");
    g_assert_cmpint(symlink("precious", path), ==, 0);
    struct output *output = open_fine(bench);
    g_assert_false(add(output, "g.xml", "text")); /* not even where it says the same */
    output_discard(output);
    check_finding(bench, NM_output_in_the_way);
    check(bench, "precious", "text");
}

static void test_pipe_in_the_way(struct bench *bench, const void *unused)
{
    (void)unused;
    g_autofree char *path = path_in(bench, "g.xml"), *plan = path_in(bench, "plan.json");
    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    g_assert_cmpint(mkfifo(plan, 0600), ==, 0); /* must not hang when the old plan is read */
    struct output *output = open_fine(bench);
    g_assert_false(add(output, "g.xml", ""));
    output_discard(output);
    check_finding(bench, NM_output_in_the_way);
}

static void test_no_folder(struct bench *bench, const void *unused)
{
    (void)unused;
    put(bench, "file", "x");
    g_autofree char *path = path_in(bench, "file");
    g_assert_null(output_open(bench->findings, path));
    check_finding(bench, NM_output_folder);
    g_autofree char *below = path_in(bench, "file/below");
    g_assert_null(output_open(bench->findings, below));
    g_assert_null(output_open(bench->findings, ""));
}

static void test_read_only(struct bench *bench, const void *unused)
{
    (void)unused;
    if (geteuid() == 0) {
        g_test_skip("root may write anywhere");
        return;
    }
    put(bench, "g.xml", "same");
    g_assert_cmpint(chmod(bench->folder, 0500), ==, 0);
    struct output *output = open_fine(bench);
    g_assert_true(add(output, "g.xml", "same")); /* nothing to do needs no permission */
    g_assert_false(add(output, "h.xml", "new"));
    output_discard(output);
    check_finding(bench, NM_output_write);
}

/* A limit on file size fails a write in the middle, as a full disk does. */
static void test_full(struct bench *bench, const void *unused)
{
    (void)unused;
    build_before(bench, (const char *const[]){ "a", NULL }, "old");
    struct rlimit before, small = { .rlim_cur = 4096 };
    g_assert_cmpint(getrlimit(RLIMIT_FSIZE, &before), ==, 0);
    small.rlim_max = before.rlim_max;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    struct output *output = open_fine(bench);
    g_autofree char *text = g_strnfill(10000, 'x');
    g_assert_true(add(output, "a.xml", "new"));
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &small), ==, 0);
    bool added = add(output, "b.xml", text);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &before), ==, 0);
    signal(SIGXFSZ, handler);
    g_assert_false(added);
    g_assert_false(output_commit(output));
    check_finding(bench, NM_output_write);
    check(bench, "a.xml", "old");
    g_assert_cmpuint(files_in(bench), ==, 2);
}

static void test_busy(struct bench *bench, const void *unused)
{
    (void)unused;
    struct output *first = open_fine(bench);
    g_assert_null(output_open(bench->findings, bench->folder));
    check_finding(bench, NM_output_busy);
    g_assert_true(add(first, "g.xml", "x"));
    g_assert_true(output_commit(first));
    output_discard(open_fine(bench)); /* free again */
}

/* A rename that fails is told; a folder appears at the last moment. */
static void test_replace_fails(struct bench *bench, const void *unused)
{
    (void)unused;
    struct output *output = open_fine(bench);
    g_assert_true(add(output, "plan.json", "{}"));
    g_assert_true(add(output, "g.xml", "x"));
    g_autofree char *path = path_in(bench, "g.xml");
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    g_assert_false(output_commit(output));
    check_finding(bench, NM_output_replace);
    check(bench, "plan.json", NULL);          /* it comes last, so it is not there, */
    g_assert_cmpuint(files_in(bench), ==, 2); /* but stays beside its place: the next run knows what this one wrote */
}

static void test_ten_thousand(struct bench *bench, const void *unused)
{
    (void)unused;
    if (!g_test_slow()) {
        g_test_skip("run with -m slow");
        return;
    }
    g_autofree char *text = g_strnfill(3000, 'x');
    for (int round = 0; round < 2; round++) {
        gint64 start = g_get_monotonic_time();
        struct output *output = open_fine(bench);
        for (int i = 0; i < 10000; i++) {
            char name[32];
            g_snprintf(name, sizeof name, "guest-%d.xml", i);
            g_assert_true(add(output, name, text));
        }
        g_assert_true(output_commit(output));
        printf("# round %d: %.3f s\n", round, (double)(g_get_monotonic_time() - start) / 1e6);
    }
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*run)(struct bench *bench, const void *unused);
    } tests[] = {
        { "/output/first-build", test_first_build },
        { "/output/unchanged-is-untouched", test_unchanged_is_untouched },
        { "/output/discard", test_discard },
        { "/output/foreign-files", test_foreign_files_stay },
        { "/output/old-files-go", test_old_files_go },
        { "/output/old-moves-go", test_old_moves_go },
        { "/output/foreign-plans", test_foreign_plans },
        { "/output/leftovers-are-swept", test_leftovers_are_swept },
        { "/output/killed-run-is-made-up-for", test_killed_run_is_made_up_for },
        { "/output/bad-names", test_bad_names },
        { "/output/twice", test_twice },
        { "/output/folder-in-the-way", test_folder_in_the_way },
        { "/output/link-in-the-way", test_link_in_the_way },
        { "/output/pipe-in-the-way", test_pipe_in_the_way },
        { "/output/no-folder", test_no_folder },
        { "/output/read-only", test_read_only },
        { "/output/full", test_full },
        { "/output/busy", test_busy },
        { "/output/replace-fails", test_replace_fails },
        { "/output/ten-thousand", test_ten_thousand },
    };
    g_test_init(&count, &arguments, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].name, struct bench, NULL, set_up, tests[i].run, tear_down);
    return g_test_run();
}
