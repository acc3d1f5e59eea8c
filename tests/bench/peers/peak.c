/* SPDX-License-Identifier: MIT
 *
 * The peak memory of a command: peak COMMAND [ARGUMENT]... ends standard error with "peak BYTES".  It takes
 * a small program to start it: the kernel counts what the starter had mapped as the child's.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int status;
    struct rusage usage;
    if (argc < 2)
        return 2;
    pid_t child = fork();
    if (child == 0) {
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &usage) != child || !WIFEXITED(status))
        return 1;
    fprintf(stderr, "\npeak %ld\n", usage.ru_maxrss * 1024);
    return WEXITSTATUS(status);
}
