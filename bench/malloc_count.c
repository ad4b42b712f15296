/* SPDX-License-Identifier: MIT */
/*
 * bench/malloc_count.c - a preloaded library that counts every allocation of a process, all threads.
 *
 *   MALLOC_COUNT_FILE=/path LD_PRELOAD=malloc_count.so covara serve ...
 *
 * The file holds two native 64-bit counters, shared while the process runs: calls that give memory (malloc,
 * calloc, realloc and the aligned kinds), and calls of free with a pointer. It needs glibc, whose own
 * allocator stays reachable under the __libc_ names.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

typedef struct counters {
    _Atomic uint64_t allocations;
    _Atomic uint64_t frees;
} counters;

/* Until the file is mapped, early allocations of the loader are counted where nobody looks. */
static counters early;
static counters *_Atomic shared = &early;

__attribute__((constructor)) static void map_counters(void)
{
    const char *path = getenv("MALLOC_COUNT_FILE");
    void *map;
    int fd;

    if (path == NULL)
        return;
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof(counters)) != 0)
        return;
    map = mmap(NULL, sizeof(counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (map != MAP_FAILED)
        atomic_store(&shared, map);
}

static void count_allocation(void)
{
    atomic_fetch_add_explicit(&atomic_load(&shared)->allocations, 1, memory_order_relaxed);
}

void *malloc(size_t size)
{
    count_allocation();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    count_allocation();
    return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    count_allocation();
    return __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    count_allocation();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *memory;

    count_allocation();
    memory = __libc_memalign(alignment, size);
    if (memory == NULL)
        return ENOMEM;
    *out = memory;
    return 0;
}

void free(void *memory)
{
    if (memory != NULL)
        atomic_fetch_add_explicit(&atomic_load(&shared)->frees, 1, memory_order_relaxed);
    __libc_free(memory);
}
