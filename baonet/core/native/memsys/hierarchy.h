/*
 * The memory system of one pcpu: first-level caches, micro-TLBs, main TLB, walk cache, IPA cache, prefetcher, write streaming.
 *
 * Every call that can cost time gives the cycles for which the pcpu stalls. Calls come after the access: what ownership,
 * residency or a fault has refused has not happened.
 *
 * A hit changes nothing here (replacement is pseudo-random or in turn), but for a store's first to a clean line. So what is
 * known to be a hit need not be asked: data by the filter, code by a filter of its own.
 *
 * A pcpu runs one vCPU for good, so there is no VMID: what another VM invalidates does not come here.
 */
#ifndef BAONET_MEMSYS_HIERARCHY_H
#define BAONET_MEMSYS_HIERARCHY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "counters.h"
#include "parameters.h"

struct memsys_channel;
struct memsys_cluster;
struct memsys_l2;
struct memsys_log;
struct memsys_moves;

/* ---- State: `struct memsys` at the head of memsys_size bytes ---- */

/*
 * The filters: what is known to be a hit. Of data there is an entry for a virtual page, which tells of it as long as the micro-TLB has
 * it. What is known of a page's lines is there again when the page is back.
 */
#define MEMSYS_DATA_PAGES 256u
struct memsys_page { /* whose an entry is: hierarchy's own */
    uint64_t key, target; /* the micro-TLB's, when the entry was made */
    uint32_t slot;        /* where in it the page is, as long as it is */
    uint32_t many;        /* its pages whose entry this would be */
    uint64_t held;        /* of the main TLB, the entry plus 1 that was last found for such a page; 0: none */
};
struct memsys_data_page { /* a line of the host's */
    uint64_t page;  /* its address, as long as the micro-TLB has it; else MEMSYS_NOWHERE */
    uint64_t lines; /* a bit for each that is in the L1D, so that a load from it has nothing to do */
    uint64_t owned; /* and of these for each to which a store has nothing to do either */
    uint64_t reserved;
    struct memsys_page of;
};
/* No virtual line: bit 54 is unlike bit 55, as Armv8's 48 bits extend, with any tag; and bit 62 unlike 63, as RISC-V's do. */
#define MEMSYS_NOWHERE ((uint64_t)1 << 62 | (uint64_t)1 << 54)

/*
 * Of code, whose address is known when a block is translated, one look at one word is enough for all lines of most blocks. Word n has the page's virtual address, as
 * long as the micro-TLB of instructions has it, else MEMSYS_NOWHERE; and where an address within the page would be, a bit for each of
 * 12 lines, from number 8 * n on, that is not known to be in the L1I.
 */
#define MEMSYS_CODE_PAGES 256u
#define MEMSYS_CODE_WORDS 8u
#define MEMSYS_CODE_LINES 12u
#define MEMSYS_CODE_BITS (((uint64_t)1 << MEMSYS_CODE_LINES) - 1)
struct memsys_code_page {
    uint64_t words[MEMSYS_CODE_WORDS];
};

struct memsys {
    struct memsys_data_page data[MEMSYS_DATA_PAGES]; /* by the virtual page */
    struct memsys_code_page code[MEMSYS_CODE_PAGES]; /* by the virtual page */
    struct memsys_counters counters[2]; /* the guest's; the hypervisor's below it */
    uint32_t hypervisor;                /* which of them counts */
    uint32_t context;                   /* memsys_set_context */
    struct memsys_parameters parameters;
    /* the rest is hierarchy's own */
};

size_t memsys_size(const struct memsys_parameters *parameters);
/* Cold. The parameters have been checked. */
void memsys_init(struct memsys *memsys, const struct memsys_parameters *parameters);
/* Whether what was kept of one is of one with these parameters, and nothing in it leads elsewhere. */
bool memsys_plausible(const struct memsys *memsys, const struct memsys_parameters *parameters);

/* ---- What a pcpu is wired to: pointers, never saved ---- */

/* Attributes of a page, both stages taken together. Write-through is non-cacheable (TRM 6.2). */
enum memsys_memory { MEMSYS_CACHED, MEMSYS_UNCACHED, MEMSYS_DEVICE };

/* A stage-1 walk: what was read, and what came of it. */
#define MEMSYS_LEVELS 5u
struct memsys_walk {
    uint64_t descriptors[MEMSYS_LEVELS]; /* addresses in the stage-1 output space (IPA) of the descriptors read, the root's first */
    uint32_t levels;                     /* how many; 0: stage 1 is off, the address is the IPA */
    uint32_t shift;                      /* log2 of the page or block; 0 levels: at least 12 */
    uint64_t ipa;                        /* of the address that was asked for */
    bool page;                           /* at the last level: what is above it may go into the walk cache */
    bool global;                         /* for all ASIDs */
    uint8_t memory;                      /* enum memsys_memory: what a load or store is, with caches enabled */
    uint8_t code;                        /* likewise a fetch: without stage 1 they differ */
};

/* A stage-2 walk: where an IPA is, and what is to be read to find out. */
struct memsys_stage2 {
    uint64_t descriptors[MEMSYS_LEVELS]; /* physical, the root's first */
    uint32_t levels;                     /* 0: there is no stage 2 */
    uint32_t shift;                      /* log2 of the page or block; 0 levels: of what is as it is here */
    uint64_t pa;                         /* of the IPA that was asked for */
    uint8_t memory;                      /* enum memsys_memory: the stronger of the two stages' holds */
    bool shared;                         /* other pcpus can reach it: who has which right to a page is told (memsys_lose) */
};

struct memsys_view {
    struct memsys *memsys;
    struct memsys_l2 *l2;           /* the pcpu's replica */
    struct memsys_log *log;         /* of its window; NULL: nothing is written down */
    struct memsys_cluster *cluster; /* for coherence with the first levels of its other parties; NULL: there are none */
    struct memsys_moves *moves;     /* where there is a cluster */
    unsigned party;                 /* of it */
    struct memsys_channel *channel; /* NULL: the pcpu's idea of it; another: of who interleaves pcpus exactly, on one l2 */
    void *of;                       /* for the functions below */
    uint64_t (*now)(void *of);      /* what time it is, before what the access takes; for what is not told at what time it is */
    /* Asked on a miss of the main TLB; false: there is no translation (any more), and the access is not modelled. */
    bool (*walk)(void *of, uint64_t va, bool fetch, struct memsys_walk *walk);
    /* Asked on a miss of the IPA cache, for descriptors of stage 1 and for what they lead to. */
    bool (*stage2)(void *of, uint64_t ipa, struct memsys_stage2 *stage2);
};

/* ---- Accesses ---- */

enum memsys_kind {
    MEMSYS_LOAD,
    MEMSYS_STORE,
    MEMSYS_ATOMIC,   /* a load that makes the line its own: LSE, AMO; an exclusive pair is a load, and a store if it succeeds */
    MEMSYS_ZERO,     /* a full line is written at once: DC ZVA */
    /* PRFM, PLD: a hint, which no walk is made for: it has accessed nothing, so what a walk would read may be another's */
    MEMSYS_PREFETCH,
};

static inline uint32_t memsys_data_index(uint64_t va) { return va >> MEMSYS_PAGE_SHIFT & (MEMSYS_DATA_PAGES - 1); }
/* Whether a page that is known has a line which an access has nothing to do with. */
static inline bool memsys_knows_line(const struct memsys_data_page *known, uint64_t va, bool store) {
    return (store ? known->owned : known->lines) >> (va >> MEMSYS_LINE_SHIFT & 63) & 1;
}
static inline void memsys_count(struct memsys *memsys, bool store) {
    if (store) memsys->counters[0].stores++;
    else memsys->counters[0].loads++;
}

/* Whether a load or store (`store`) of the guest's of `size` bytes has nothing to do; counts it then. */
static inline bool memsys_filtered(struct memsys *memsys, uint64_t va, unsigned size, bool store) {
    const struct memsys_data_page *known = &memsys->data[memsys_data_index(va)];
    if ((known->page ^ va) >> MEMSYS_PAGE_SHIFT || (va ^ (va + size - 1)) >> MEMSYS_LINE_SHIFT) return false;
    if (!memsys_knows_line(known, va, store)) return false;
    memsys_count(memsys, store);
    return true;
}

/*
 * The same of one that is aligned to its size, a power of two up to that of a line; false of any other. It is told as a mask of which
 * bits of the address say that: as few instructions as can be, since each access comes here.
 */
static inline int32_t memsys_aligned_mask(unsigned size) { return (int32_t)(size - 1) | -(1 << MEMSYS_PAGE_SHIFT); }
static inline unsigned memsys_aligned_size(int32_t mask) { return ((unsigned)mask & (MEMSYS_LINE - 1)) + 1; }
static inline bool memsys_filtered_aligned(struct memsys *memsys, uint64_t va, int32_t mask, bool store) {
    const struct memsys_data_page *known = &memsys->data[memsys_data_index(va)];
    if (__builtin_expect(known->page != (va & (uint64_t)(int64_t)mask), false)) return false;
    if (__builtin_expect(!memsys_knows_line(known, va, store), false)) return false;
    memsys_count(memsys, store);
    return true;
}

static inline uint32_t memsys_code_index(uint64_t va) { return va >> MEMSYS_PAGE_SHIFT & (MEMSYS_CODE_PAGES - 1); }
/* Whether the line of code at an address is where it was known to be, so that fetching it would change nothing. */
static inline bool memsys_fetched(const struct memsys *memsys, uint64_t va) {
    uint32_t line = va >> MEMSYS_LINE_SHIFT & 63;
    uint64_t word = memsys->code[memsys_code_index(va)].words[line / 8];
    return (word ^ va) >> MEMSYS_PAGE_SHIFT == 0 && !(word >> line % 8 & 1);
}

/*
 * What the filters do not know of. Most of it the TLBs and the L1 have, for which it need not be known what time it is: the view is asked
 * for that where it is needed. May be asked for what memsys_filtered would have taken, and the code of a block, `bytes` from `va`, for
 * what memsys_fetched would have.
 */
unsigned memsys_load(const struct memsys_view *view, uint64_t va, unsigned size);
unsigned memsys_store(const struct memsys_view *view, uint64_t va, unsigned size);
unsigned memsys_fetch(const struct memsys_view *view, uint64_t va, unsigned bytes);

/* Any data access, at `now`, of `size` bytes, in as many lines as that is. */
unsigned memsys_data(const struct memsys_view *view, uint64_t now, uint64_t va, unsigned size, enum memsys_kind kind);

/* Lines that the hypervisor reads, writes or executes, by physical addresses: counted as its own. LOAD, STORE, or FETCH of them. */
enum memsys_touch { MEMSYS_TOUCH_LOAD, MEMSYS_TOUCH_STORE, MEMSYS_TOUCH_FETCH };
unsigned memsys_touch(const struct memsys_view *view, uint64_t now, const uint64_t *addresses, unsigned count, enum memsys_touch kind);

/* ---- Translation ---- */

/*
 * By what addresses are translated from here on: an ASID, and whether stage 1 is on; and which caches are disabled, which no TLB
 * keeps: it is so at once for what was translated before, too. To be told at every change of these (TTBR, TCR.A1, SCTLR.M, .C and
 * .I; satp); costs little when nothing has changed.
 */
#define MEMSYS_STAGE1_OFF 0x10000u
#define MEMSYS_DATA_UNCACHED 0x40000u
#define MEMSYS_CODE_UNCACHED 0x80000u
void memsys_set_context(struct memsys *memsys, uint32_t context);

enum memsys_tlbi {
    MEMSYS_TLBI_ALL,    /* of this VM, both stages */
    MEMSYS_TLBI_STAGE1, /* VMALLE1, SFENCE.VMA: all of stage 1 */
    MEMSYS_TLBI_ASID,   /* ASIDE1: what is not global of an ASID */
    MEMSYS_TLBI_VA,     /* VAE1: of an address, of an ASID or global */
    MEMSYS_TLBI_VA_ALL, /* VAAE1: of an address, whatever the ASID */
};
/* `asid`, `va` as the kind has them. Costs what the caller counts for it. */
void memsys_tlbi(struct memsys *memsys, enum memsys_tlbi kind, uint16_t asid, uint64_t va);

/* ---- Cache maintenance and coherence ---- */

enum memsys_maintenance {
    MEMSYS_CLEAN_UNIFICATION, /* DC CVAU: a dirty line goes to the second level */
    MEMSYS_CLEAN,             /* DC CVAC: and on to memory */
    MEMSYS_INVALIDATE,        /* DC IVAC; as the A53, cleans too */
    MEMSYS_CLEAN_INVALIDATE,  /* DC CIVAC */
    MEMSYS_CODE,              /* IC IVAU: out of the L1I */
};
/* Of one line, by the virtual address (translated as a load's is). */
unsigned memsys_maintain(const struct memsys_view *view, uint64_t now, uint64_t va, enum memsys_maintenance what);

/* Likewise of `bytes` from a physical address, as another core has asked for them: first level only, costs this pcpu nothing.
 * A dirty line goes to the second level. For pages that change hands and for broadcasts. CLEAN*: keeps the line, clean (others
 * read it). */
void memsys_forget(const struct memsys_view *view, uint64_t now, uint64_t pa, uint64_t bytes, enum memsys_maintenance what);

/* By set and way: level 1 (data) or 2. */
unsigned memsys_maintain_way(const struct memsys_view *view, uint64_t now, unsigned level, uint32_t set, uint32_t way,
                             enum memsys_maintenance what);

/* IC IALLU. */
void memsys_forget_code(struct memsys *memsys);

/*
 * Another pcpu has got a right to a page that this one had, which stands: what accesses may do unasked is asked again.
 * For that alone lines of shared pages are not forgotten: by whom they were written is found out line by line (coherence.h).
 */
void memsys_lose(struct memsys *memsys, uint64_t pa);
void memsys_lose_all(struct memsys *memsys);

/* A window has begun: what others have asked for at the last edge goes to memory now. */
void memsys_coherence_begin(const struct memsys_view *view, uint64_t now);

/* A vCPU that begins anew: TLBs, micro-TLBs and the L1I are empty, dirty lines of the L1D have gone to the second level. */
void memsys_reset(const struct memsys_view *view, uint64_t now);

#endif
