/*
 * Which pages hold translated code, and the instruction-cache maintenance that follows from it: of a line, or all of
 * it. A page is code, or modified, or busy: code_map.h has the bits.
 *
 * The order of the steps is tests/core/code_pages.py, a model that is tried in all interleavings; the comments
 * "procedure: step" are its names. What it rests on:
 *
 * - Bytes are read for a translation after a look that found CODE and not BUSY, and nothing is served from that look
 *   until the library has the translation in its tables (tb_gen_code). They may be of another page than the look was at,
 *   where another vCPU has mapped one since: then that translation goes, unused, and the next look is at that page too.
 * - While there is CODE and not BUSY, every vCPU's stores to the page take the library's slow path. TLB entries are
 *   opened for fast stores after a look that found no CODE, and nothing is served from that look until the store is
 *   done; who sets CODE waits until every sibling has closed its entries.
 * - CODE goes when no vCPU has a translation any more. BUSY keeps new ones away meanwhile.
 * - MODIFIED is set before the store lands, and nothing is served in between: who drops the translations of a page that
 *   is modified waits for the store in the same way as for the translations.
 */
#include "pages.h"

#include <emmintrin.h>

#include "architecture.h"
#include "broadcast.h"
#include "code_map.h"
#include "common_blocks.h"
#include "jumps.h"
#include "leave.h"
#include "regions.h"
#include "tlb.h"

#define CACHE_LINE 64u
#define ALL_CODE ((1ull << PAGES_OF_A_WORD) - 1)

/* Whoever is busy with the page may wait for what it has asked of this vCPU. */
static void become_busy(struct core *core, uint64_t page) {
    for (unsigned spins = 0; atomic_fetch_or(code_map_word(core, page), BUSY(page)) & BUSY(page); spins++)
        broadcast_wait(core, spins); /* busy: serve */
}

/* True: nothing was served, so that what the caller knows of its TLB still holds. */
static bool mark(struct core *core, uint64_t page) {
    _Atomic uint64_t *word = code_map_word(core, page);
    if ((atomic_load(word) & (CODE(page) | BUSY(page))) == CODE(page)) return true; /* mark: it is code */
    become_busy(core, page);                                                       /* mark: busy */
    if (!(atomic_load(word) & CODE(page))) {
        atomic_fetch_or(word, CODE(page)); /* mark: code */
        tlb_track_page(core, page);
        broadcast_code(core, page * PAGE_SIZE, TRACK_PAGE);
    }
    atomic_fetch_and(word, ~BUSY(page)); /* mark: not busy */
    return false;
}

/* Pages of RAM that are looked at before bytes are read: where the block is by the tables now, and where the last try read. */
#define PAGES_OF_A_BLOCK 2
struct looked {
    uint64_t now[PAGES_OF_A_BLOCK], last[PAGES_OF_A_BLOCK]; /* or NO_PAGE */
};
#define NO_PAGE UINT64_MAX

static bool mark_all(struct core *core, const uint64_t *pages) {
    bool ready = true;
    for (int i = 0; i < PAGES_OF_A_BLOCK; i++) ready &= pages[i] == NO_PAGE || mark(core, pages[i]);
    return ready;
}

static bool was_looked_at(const struct looked *looked, uint64_t page) {
    bool was = page == NO_PAGE;
    for (int i = 0; i < PAGES_OF_A_BLOCK; i++) was |= looked->now[i] == page || looked->last[i] == page;
    return was;
}

/* Before the bytes are read. Where a block may end in the next page, that is marked too, if there is one. */
static void mark_block(struct core *core, uint64_t pc, uint32_t flags, struct looked *looked) {
    uint64_t next_pc = (pc & PAGE_MASK) + PAGE_SIZE, ipa;
    bool ready;
    do {
        uint64_t ram_offset = unicorn.page_addr_code(core->env, pc);
        struct region *region = arch_goes_on(core, flags, next_pc, &ipa) ? region_find(core, ipa) : NULL;
        looked->now[0] = ram_offset == UINT64_MAX ? NO_PAGE : ram_offset / PAGE_SIZE;
        looked->now[1] = region && region->host ? region_page(region, ipa) : NO_PAGE;
        ready = mark_all(core, looked->now);
        ready &= mark_all(core, looked->last);
    } while (!ready);
}

/* Whether the pages that it was read from had been looked at; if not it is of no use. */
static bool check_block(struct core *core, const void *block, struct looked *looked) {
    bool all = true;
    for (int i = 0; i < PAGES_OF_A_BLOCK; i++) {
        uint64_t ram_offset = FIELD(const uint64_t, block, TB_PAGES + 8 * i);
        uint64_t page = ram_offset == UINT64_MAX ? NO_PAGE : ram_offset / PAGE_SIZE;
        all &= was_looked_at(looked, page);
        looked->last[i] = page;
    }
    if (all) return true;
    uint64_t start = looked->last[0] * PAGE_SIZE + (FIELD(const uint64_t, block, TB_PC) & ~PAGE_MASK);
    unicorn.tb_invalidate(core->uc, start, start + 1);
    return false;
}

EXPORT void *ARCH(tb_gen_code)(void *cpu, uint64_t pc, uint64_t cs_base, uint32_t flags, int cflags) {
    struct core *core = running && running->cpu == cpu ? running : NULL;
    struct looked looked = {{NO_PAGE, NO_PAGE}, {NO_PAGE, NO_PAGE}};
    for (;;) {
        if (core) mark_block(core, pc, flags, &looked);
        uint8_t *block = unicorn.gen_code(cpu, pc, cs_base, flags, cflags);
        if (!core) return block;
        if (!check_block(core, block, &looked)) continue;
        common_blocks_keep(core, block);
        jumps_shorten(block);
        return block;
    }
}

/* The page is data again; nobody keeps a translation of what it was. */
static void forget(struct core *core, uint64_t page) {
    _Atomic uint64_t *word = code_map_word(core, page);
    become_busy(core, page); /* forget: busy */
    if (atomic_load(word) & CODE(page)) {
        unicorn.tb_invalidate(core->uc, page * PAGE_SIZE, (page + 1) * PAGE_SIZE);
        broadcast_code(core, page * PAGE_SIZE, DROP_PAGE); /* forget: drop */
    } /* forget: no code */
    atomic_fetch_and(word, ~(CODE(page) | MODIFIED(page) | BUSY(page))); /* forget: data */
}

/*
 * A store to a page that is seen: the library drops this core's translations of what is written (the others' wait for
 * maintenance), then may open the TLB entry, then stores. Nothing may be served until then, so a page of which this core has no
 * translation left is forgotten at the next block.
 */
EXPORT void ARCH(tb_invalidate_phys_page_fast)(void *uc, void *pages, uint64_t ram_offset, int length, uintptr_t from) {
    struct core *core = running;
    if (core) core->scratch.code_emptied = false;
    unicorn.store_to_code(uc, pages, ram_offset, length, from); /* store: drop my own */
    if (!core) return;
    uint64_t page = ram_offset / PAGE_SIZE;
    if (!code_map_is_code(core, page)) return; /* store: no code */
    atomic_fetch_or(code_map_word(core, page), MODIFIED(page)); /* store: modified */
    if (!core->scratch.code_emptied) return;
    core->scratch.emptied_page = page + 1;
    slot_kick(core->slot, KICK_MAINTENANCE);
}

EXPORT void ARCH(tlb_unprotect_code)(void *uc, uint64_t ram_offset) {
    if (running) running->scratch.code_emptied = true;
    unicorn.unprotect_code(uc, ram_offset);
}

/* At the start of a block, which may be one of those that are dropped. */
void pages_settle(struct core *core) {
    if (!core->scratch.emptied_page) return;
    uint64_t page = core->scratch.emptied_page - 1;
    core->scratch.emptied_page = 0;
    forget(core, page);
    core->scratch.leave_block = true;
}

/*
 * Of one line. A page of which nobody has translated code costs one look at its word. Of others the line is invalidated; a
 * guest that goes on through the lines of a page (it loads a program) gets the whole page invalidated and forgotten, so
 * that the rest costs nothing, while one that patches single instructions keeps the other translations of the page.
 */
#define LINES_OF_A_LOAD 4

void pages_invalidate_line(struct core *core, uint64_t ipa) {
    struct scratch *scratch = &core->scratch;
    struct region *region = region_find(core, ipa);
    if (!region || !region->host) return;
    uint64_t line = (region->ram_offset + (ipa - region->ipa)) / CACHE_LINE, page = line / (PAGE_SIZE / CACHE_LINE);
    atomic_thread_fence(memory_order_seq_cst); /* behind the guest's stores */
    if (!code_map_is_code(core, page)) return;    /* line: no code */
    core->state.invalidated++;
    core_strain(core, MAINTENANCE_STRAIN);
    scratch->lines_in_a_row = line == scratch->last_line + 1 && line % (PAGE_SIZE / CACHE_LINE) ? scratch->lines_in_a_row + 1 : 1;
    scratch->last_line = line;
    if (scratch->lines_in_a_row == LINES_OF_A_LOAD) {
        forget(core, page); /* line: page */
        return;
    }
    unicorn.tb_invalidate(core->uc, line * CACHE_LINE, (line + 1) * CACHE_LINE); /* line: line */
    broadcast_code(core, line * CACHE_LINE, DROP_LINE);
}

#define WORDS_OF_A_STRAIN 2048 /* to look at so many costs the host what an exception does */

#define AT_A_TIME 8u /* words of the map: nearly all are without a bit that is looked for */

/* The bits that are set in any of the words from this place on, of which it looks at `count`. */
static uint64_t of_some(const struct core *core, uint64_t place, unsigned *count) {
    const __m128i *at = (const __m128i *)&core->code_map[place];
    *count = place + AT_A_TIME > core->map_words ? 1 : AT_A_TIME;
    if (*count == 1) return atomic_load_explicit(&core->code_map[place], memory_order_relaxed);
    __m128i all = _mm_loadu_si128(at);
    for (unsigned i = 1; i < AT_A_TIME / 2; i++) all = _mm_or_si128(all, _mm_loadu_si128(at + i));
    return (uint64_t)_mm_cvtsi128_si64(all) | (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(all, all));
}

static void forget_of_word(struct core *core, uint64_t place, uint64_t pages) {
    for (; pages; pages &= pages - 1)
        forget(core, place * PAGES_OF_A_WORD + (uint64_t)__builtin_ctzll(pages)); /* all: modified */
}

/* What other vCPUs have stored to; what this one has, the library has seen to. */
static void forget_modified(struct core *core) {
    unsigned count;
    for (uint64_t place = 0; place < core->map_words; place += count) {
        if (!(of_some(core, place, &count) >> PAGES_OF_A_WORD & ALL_CODE)) continue; /* all: not modified */
        for (unsigned i = 0; i < count; i++) {
            uint64_t word = atomic_load_explicit(&core->code_map[place + i], memory_order_relaxed);
            forget_of_word(core, place + i, word & word >> PAGES_OF_A_WORD & ALL_CODE);
        }
    }
}

/* The pages of a word of the map that are among these. */
static uint64_t in_word(uint64_t place, uint64_t first, uint64_t end) {
    uint64_t begin = place * PAGES_OF_A_WORD, bits = ALL_CODE;
    if (begin < first) bits &= ALL_CODE << (first - begin);
    if (end < begin + PAGES_OF_A_WORD) bits &= (1ull << (end - begin)) - 1;
    return bits;
}

static void forget_foreign(struct core *core) {
    for (unsigned i = 0; i < core->region_count; i++) {
        const struct region *region = &core->regions[i];
        if (!region->foreign) continue;
        uint64_t first = region->ram_offset / PAGE_SIZE, end = first + region->size / PAGE_SIZE;
        for (uint64_t place = first / PAGES_OF_A_WORD; place * PAGES_OF_A_WORD < end; place++)
            forget_of_word(core, place, atomic_load_explicit(&core->code_map[place], memory_order_relaxed) & in_word(place, first, end));
    }
}

/*
 * Of all. Linux does it for every page that it makes executable when a CPU has an I-cache that is not tagged by physical
 * address, and where the architecture has nothing else. Only translations of pages that were written to can be stale, and
 * those are known; but nobody here sees what another VM writes to memory that it shares.
 */
void pages_invalidate_all(struct core *core) {
    bool others_store = core->sibling_count && !core->ledger; /* in virtual time what they have taken is dropped with the page */
    core_strain(core, MAINTENANCE_STRAIN + (others_store ? (unsigned)(core->map_words / WORDS_OF_A_STRAIN) : 0));
    atomic_thread_fence(memory_order_seq_cst);
    if (others_store) forget_modified(core);
    forget_foreign(core);
}
