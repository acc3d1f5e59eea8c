/* SPDX-License-Identifier: MIT
 *
 * The least that taking memory can cost: so many threads write each byte of so many MiB, in transparent huge pages.
 * touch MIB THREADS prints the nanoseconds from the first write to the last.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { MOST_THREADS = 64, HUGE_BYTES = 2 << 20 };

struct share {
    pthread_t thread;
    char *begin;
    size_t bytes;
};

static void *fill(void *of)
{
    struct share *share = of;
    memset(share->begin, 1, share->bytes);
    return NULL;
}

static long long now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int argc, char **argv)
{
    size_t bytes = argc == 3 ? strtoul(argv[1], NULL, 10) << 20 : 0, count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    if (!bytes || !count || count > MOST_THREADS || bytes / count % HUGE_BYTES != 0)
        return 2;
    char *room =
        mmap(NULL, bytes + HUGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return 1;
    char *memory = room + (HUGE_BYTES - (size_t)room % HUGE_BYTES) % HUGE_BYTES;
    madvise(memory, bytes, MADV_HUGEPAGE);
    struct share shares[MOST_THREADS];
    long long begin = now();
    for (size_t i = 0; i < count; i++) {
        shares[i] = (struct share){ .begin = memory + bytes / count * i, .bytes = bytes / count };
        if (pthread_create(&shares[i].thread, NULL, fill, &shares[i]) != 0)
            return 1;
    }
    for (size_t i = 0; i < count; i++)
        pthread_join(shares[i].thread, NULL);
    printf("%lld\n", now() - begin);
    return 0;
}
