#include "footprint.h"

#include <sys/mman.h>
#include <unistd.h>

#include "library.h"

/* A guest whose code comes to more has huge pages from there on. */
#define SMALL_CODE ((uintptr_t)2 << 20)
/*
 * Of the table of blocks. The library doubles it when an eighth as many buckets as it has were added for what did not fit, and makes
 * none that is smaller than the first: one that has few is of that size, and the rest of it is not in use.
 */
#define TABLE_BUCKETS 8192u
#define FEW_BUCKETS 512u
#define BUCKET_SIZE 64u
#define GROWTH_DIVISOR 8u

static void *table(void *tcg) { return FIELD(void *, tcg, TCG_TABLE); }

static void use(void *table, size_t buckets) {
    FIELD(size_t, table, TABLE_COUNT) = buckets;
    FIELD(size_t, table, TABLE_THRESHOLD) = buckets / GROWTH_DIVISOR;
}

/* Of an empty table. A bucket of no blocks is all zeroes, as is a page that was given back, if none was ever added to it. */
static void use_few(void *table) {
    if (FIELD(size_t, table, TABLE_COUNT) != TABLE_BUCKETS || FIELD(size_t, table, TABLE_ADDED)) return;
    uintptr_t page = (uintptr_t)getpagesize(), buckets = FIELD(uintptr_t, table, TABLE_PLACE);
    uintptr_t begin = (buckets + FEW_BUCKETS * BUCKET_SIZE + page - 1) & -page;
    uintptr_t end = (buckets + TABLE_BUCKETS * BUCKET_SIZE) & -page;
    madvise((void *)begin, end - begin, MADV_DONTNEED);
    use(table, FEW_BUCKETS);
}

/* The first that is written to the code buffer. */
EXPORT void ARCH(tcg_prologue_init)(void *tcg) {
    uintptr_t begin = FIELD(uintptr_t, tcg, TCG_CODE_BUFFER), end = (begin + SMALL_CODE) & -SMALL_CODE;
    madvise((void *)begin, end - begin, MADV_NOHUGEPAGE);
    use_few(table(tcg));
    unicorn.prologue_init(tcg);
}

/* The library keeps a table only if that has the size with which one begins. */
void footprint_flush(void *cpu) {
    void *tcg = FIELD(void *, FIELD(void *, cpu, CS_UC), UC_TCG_CTX);
    bool few = FIELD(size_t, table(tcg), TABLE_COUNT) == FEW_BUCKETS;
    if (few) use(table(tcg), TABLE_BUCKETS);
    unicorn.tb_flush(cpu); /* it goes through the whole table */
    use_few(table(tcg));
}
