/* SPDX-License-Identifier: MIT */
/*
 * DESIGN: SQLite allocates a few small blocks for each run of a statement. Its own pool for them (lookaside) is
 * left out of Debian's build, so this gives SQLite an allocator that keeps freed small blocks in lists of the
 * freeing thread: a warmed-up read calls malloc no more, and takes no lock. Statistics are off for the same
 * reason: they would put a process-wide lock around every allocation.
 *
 * Blocks may be freed by another thread than the one that got them; they then stay in that thread's lists. A list is
 * bounded, and given back when its thread ends. Under AddressSanitizer SQLite keeps its own allocator.
 */
#define _GNU_SOURCE
#include "driver/db/sqlite/internal.h"

#include <pthread.h>
#include <stdlib.h>

#include "covara/compiler.h"

enum {
    MIN_SHIFT = 5,  /* 32 bytes */
    MAX_SHIFT = 12, /* 4 KiB; larger blocks are rare and go to malloc */
    N_CLASSES = MAX_SHIFT - MIN_SHIFT + 1,
    KEPT_BYTES = 64 * 1024 /* of each class and thread */
};

/* In front of each block; as large as the strictest alignment. */
typedef union header {
    struct {
        union header *next; /* while free */
        size_t size;        /* usable bytes */
    } block;
    max_align_t align;
} header;

typedef struct block_list {
    header *head;
    size_t kept;
} block_list;

static _Thread_local block_list lists[N_CLASSES];
static pthread_key_t thread_end;

/* The smallest class that holds `size`, or N_CLASSES. */
static size_t class_of(size_t size)
{
    size_t i = 0;

    while (i < N_CLASSES && ((size_t)1 << (MIN_SHIFT + i)) < size)
        i++;
    return i;
}

static void give_back(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < N_CLASSES; i++) {
        while (lists[i].head != NULL) {
            header *block = lists[i].head;

            lists[i].head = block->block.next;
            free(block);
        }
        lists[i].kept = 0;
    }
}

static void *pool_malloc(int size)
{
    size_t i = class_of((size_t)size);
    size_t usable = i < N_CLASSES ? (size_t)1 << (MIN_SHIFT + i) : (size_t)size;
    header *block = i < N_CLASSES ? lists[i].head : NULL;

    if (block != NULL) {
        lists[i].head = block->block.next;
        lists[i].kept -= usable;
        return block + 1;
    }
    block = malloc(sizeof *block + usable);
    if (block == NULL)
        return NULL;
    block->block.size = usable;
    return block + 1;
}

static void pool_free(void *memory)
{
    header *block = (header *)memory - 1;
    size_t i = class_of(block->block.size);

    if (i == N_CLASSES || lists[i].kept + block->block.size > KEPT_BYTES) {
        free(block);
        return;
    }
    /* The value only makes the key's destructor run at the end of this thread. */
    if (lists[i].head == NULL && pthread_getspecific(thread_end) == NULL)
        pthread_setspecific(thread_end, lists);
    block->block.next = lists[i].head;
    lists[i].head = block;
    lists[i].kept += block->block.size;
}

static int pool_size(void *memory)
{
    return memory != NULL ? (int)((header *)memory - 1)->block.size : 0;
}

static int pool_roundup(int size)
{
    size_t i = class_of((size_t)size);

    return i < N_CLASSES ? 1 << (MIN_SHIFT + (int)i) : (size + 7) & ~7;
}

static void *pool_realloc(void *memory, int size)
{
    size_t old = (size_t)pool_size(memory);
    void *moved;

    if ((size_t)size <= old && (size_t)size * 2 > old)
        return memory;
    moved = pool_malloc(size);
    if (moved == NULL)
        return NULL;
    memcpy(moved, memory, old < (size_t)size ? old : (size_t)size);
    pool_free(memory);
    return moved;
}

static int pool_init(void *unused)
{
    (void)unused;
    return pthread_key_create(&thread_end, give_back) == 0 ? SQLITE_OK : SQLITE_ERROR;
}

static void pool_shutdown(void *unused)
{
    give_back(unused);
    pthread_key_delete(thread_end);
}

static void configure_once(void)
{
    static const sqlite3_mem_methods methods = { pool_malloc,  pool_free, pool_realloc,  pool_size,
                                                 pool_roundup, pool_init, pool_shutdown, NULL };

    /* Refused, harmlessly, when the process used SQLite before. */
    if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK)
        sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

void cov__sqlite_configure_memory(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (!COV_ADDRESS_SANITIZER)
        pthread_once(&once, configure_once);
}
