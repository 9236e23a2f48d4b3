/*
 * Blocks are added and never taken out, so that nobody who looks for one waits: what a block is made from is compared at each use, and
 * the guest's pages have been looked at before (pages.c), as before a translation. When there is no room for more, no more are kept.
 *
 * What the library makes of a block follows from its address, its flags, how many instructions it may have, and its bytes; and from what
 * its CPU is, which is asked when a core joins.
 */
#include "common_blocks.h"

#include <sched.h>

#include "architecture.h"
#include "block_table.h"
#include "host_code.h"

#define BUCKET_BITS 16
#define MOST_TRIED 16u /* of those that a place is found by, the latest first: a guest may write code at one address again and again */
#define MOST_TURNS 1000u /* of other threads, for one that has a few words to write */
#define MOST_FIXUPS 512u
#define MOST_BYTES (BLOCK_INSTRUCTIONS * 4u)

struct common_block {
    uint64_t pc, base;
    uint32_t flags, cflags;
    uint64_t begin, prologue; /* where it was made, of its process */
    uint32_t next;            /* from where the memory begins; 0: none */
    uint16_t most, size, instructions, read, code_size, table_size, fixups, jump_reset[2], jump_place[2];
    uint8_t rest[] __attribute__((aligned(2))); /* fixups, host code, table, and the bytes of the guest */
};

/* Memory that the VM's processes share. It begins with zeroes. */
struct common_blocks {
    struct what {
        uint64_t library, engine; /* where they are, to which host code leads */
        uint64_t prologue_size;
        int32_t cpu_model;
        bool resides;
        struct arch_wiring wiring;
    } what;
    _Atomic uint32_t begun; /* 1: somebody has, 2: `what` is there */
    _Atomic uint64_t used;  /* all that is before, too */
    _Atomic uint32_t buckets[1 << BUCKET_BITS];
};

/* Of the block that is being translated. */
struct common_noted {
    const uint8_t *block; /* NULL: it is not to be kept */
    unsigned most, read;
    uint8_t bytes[MOST_BYTES];
};

static struct host_code place_of(const struct core *core, const uint8_t *block) {
    const uint8_t *tcg = FIELD(const uint8_t *, core->uc, UC_TCG_CTX);
    return (struct host_code){
        .begin = FIELD(const uint8_t *, block, TB_CODE),
        .prologue = FIELD(const uint8_t *, tcg, TCG_PROLOGUE),
        .prologue_end = FIELD(const uint8_t *, tcg, TCG_CODE_BUFFER),
        .slot = core->slot,
    };
}

static struct what what_of(const struct core *core) {
    const uint8_t *tcg = FIELD(const uint8_t *, core->uc, UC_TCG_CTX);
    return (struct what){
        .library = (uintptr_t)unicorn.generate,
        .engine = (uintptr_t)what_of,
        .prologue_size = FIELD(uint64_t, tcg, TCG_CODE_BUFFER) - FIELD(uint64_t, tcg, TCG_PROLOGUE),
        .cpu_model = core->cpu_model,
        .resides = core->residence,
        .wiring = core->arch,
    };
}

static bool are_alike(const struct what *one, const struct what *other) {
    return one->library == other->library && one->engine == other->engine && one->prologue_size == other->prologue_size &&
           one->cpu_model == other->cpu_model && one->resides == other->resides && arch_translates_alike(&one->wiring, &other->wiring);
}

/* Who has begun is done at once, or has died meanwhile. */
static bool is_there(struct common_blocks *blocks) {
    for (unsigned turns = 0; atomic_load(&blocks->begun) != 2; turns++) {
        if (turns == MOST_TURNS) return false;
        sched_yield();
    }
    return true;
}

int common_blocks_join(struct core *core, uint8_t *memory, size_t size) {
    struct common_blocks *blocks = (struct common_blocks *)memory;
    struct what what = what_of(core);
    if (size < sizeof *blocks || size > UINT32_MAX) {
        PyErr_Format(PyExc_ValueError, "translations: %zu bytes to 4 GiB", sizeof *blocks);
        return -1;
    }
    uint32_t begun = 0;
    if (atomic_compare_exchange_strong(&blocks->begun, &begun, 1)) {
        blocks->what = what;
        atomic_store(&blocks->used, sizeof *blocks);
        atomic_store(&blocks->begun, 2);
    }
    if (!is_there(blocks) || !are_alike(&blocks->what, &what)) return 0;
    if (!(core->noted = PyMem_Calloc(1, sizeof *core->noted))) {
        PyErr_NoMemory();
        return -1;
    }
    core->common = blocks;
    core->common_size = size;
    return 0;
}

/* Whether what the library makes of a block now would do for other cores, or what it has made for another would do here. */
static bool may_share(const struct core *core) {
    return core->common && !core->model && !FIELD(void *, core->cpu, CS_BREAKPOINTS);
}

/* What a block is found by, beside its bytes. */
static bool is_same(const struct common_block *one, const uint8_t *block, unsigned most) {
    return one->pc == FIELD(uint64_t, block, TB_PC) && one->flags == FIELD(uint32_t, block, TB_FLAGS) &&
           one->base == FIELD(uint64_t, block, TB_CS_BASE) && one->cflags == FIELD(uint32_t, block, TB_CFLAGS) && one->most == most;
}

static _Atomic uint32_t *bucket_of(struct common_blocks *blocks, const uint8_t *block) {
    uint64_t key = (FIELD(uint64_t, block, TB_PC) ^ (uint64_t)FIELD(uint32_t, block, TB_FLAGS) << 16) * 0x9e3779b97f4a7c15u;
    return &blocks->buckets[key >> (64 - BUCKET_BITS)];
}

static struct common_block *block_at(struct common_blocks *blocks, uint32_t offset) {
    return (struct common_block *)((uint8_t *)blocks + offset);
}

/* Where the host has the guest's bytes from there on; NULL: they are of no RAM. */
static const uint8_t *bytes_at(struct core *core, uint64_t pc) {
    uint64_t ram_offset = unicorn.page_addr_code(core->env, pc);
    for (unsigned i = 0; i < core->region_count; i++) {
        const struct region *region = &core->regions[i];
        if (region->host && ram_offset - region->ram_offset < region->size) return region->host + (ram_offset - region->ram_offset);
    }
    return NULL;
}

/* Each as the library reads them, at once: another vCPU may write an instruction meanwhile. */
static bool are_same(const uint8_t *guest, const uint8_t *bytes, unsigned count) {
    unsigned at = 0;
    while (at < count) {
        bool whole = !((uintptr_t)(guest + at) & 3) && count - at >= 4;
        uint32_t is = whole ? __atomic_load_n((const uint32_t *)(guest + at), __ATOMIC_RELAXED)
                            : __atomic_load_n((const uint16_t *)(guest + at), __ATOMIC_RELAXED);
        if (memcmp(&is, bytes + at, whole ? 4 : 2)) return false;
        at += whole ? 4 : 2;
    }
    return true;
}

static const struct host_fixup *fixups_of(const struct common_block *one) { return (const struct host_fixup *)one->rest; }
static const uint8_t *code_of(const struct common_block *one) { return one->rest + one->fixups * sizeof(struct host_fixup); }
static const uint8_t *table_of(const struct common_block *one) { return code_of(one) + one->code_size; }
static const uint8_t *guest_of(const struct common_block *one) { return table_of(one) + one->table_size; }

static bool put(struct core *core, const struct common_block *one, const uint8_t *block, uint8_t *out) {
    const struct host_code to = place_of(core, block), from = {
        .begin = (const uint8_t *)one->begin,
        .prologue = (const uint8_t *)one->prologue,
    };
    memcpy(out, code_of(one), one->code_size);
    return host_code_move(out, &from, &to, fixups_of(one), one->fixups);
}

const struct common_block *common_blocks_find(struct core *core, const uint8_t *block, unsigned most, uint8_t *out) {
    if (!may_share(core)) return NULL;
    const uint8_t *tcg = FIELD(const uint8_t *, core->uc, UC_TCG_CTX), *guest = NULL;
    size_t room = (size_t)(FIELD(const uint8_t *, tcg, TCG_HIGHWATER) - FIELD(const uint8_t *, block, TB_CODE));
    uint32_t next = atomic_load_explicit(bucket_of(core->common, block), memory_order_acquire);
    for (unsigned tried = 0; next && tried < MOST_TRIED; tried++) {
        const struct common_block *one = block_at(core->common, next);
        next = one->next;
        if (!is_same(one, block, most) || one->code_size > room) continue;
        if (!guest && !(guest = bytes_at(core, one->pc))) return NULL;
        if (are_same(guest, guest_of(one), one->read) && put(core, one, block, out)) return one;
    }
    return NULL;
}

int common_blocks_finish(const struct common_block *found, uint8_t *tcg, uint8_t *block) {
    FIELD(uint16_t, block, TB_SIZE) = found->size;
    FIELD(uint16_t, block, TB_ICOUNT) = found->instructions;
    for (unsigned i = 0; i < 2; i++) {
        FIELD(uint16_t, block, TB_JUMP_RESET + 2 * i) = found->jump_reset[i];
        FIELD(uint64_t, block, TB_JUMP_PLACE + 8 * i) = found->jump_place[i];
    }
    const uint8_t *at = table_of(found);
    struct block_row row = block_table_begin(found->pc);
    for (unsigned i = 0; i < found->instructions; i++) {
        block_table_next(&at, &row);
        memcpy(tcg + TCG_INSTRUCTION_WORDS + i * sizeof row.words, row.words, sizeof row.words);
        FIELD(uint16_t, tcg, TCG_INSTRUCTION_ENDS + 2 * i) = (uint16_t)row.end;
    }
    return found->code_size;
}

void common_blocks_begin(struct core *core, const uint8_t *block, unsigned most) {
    if (!core->noted) return;
    core->noted->block = may_share(core) ? block : NULL;
    core->noted->most = most;
    core->noted->read = 0;
}

void common_blocks_refuse(struct core *core) {
    if (core->noted) core->noted->block = NULL;
}

/* Some are read twice, and another vCPU may write them meanwhile. */
void common_blocks_read(struct core *core, uint64_t pc, uint32_t bytes, unsigned size) {
    struct common_noted *noted = core->noted;
    if (!noted || !noted->block) return;
    uint64_t at = pc - FIELD(uint64_t, noted->block, TB_PC);
    if (at > noted->read || at + size > MOST_BYTES) return common_blocks_refuse(core);
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(bytes >> 8 * i);
        if (at + i < noted->read && noted->bytes[at + i] != byte) return common_blocks_refuse(core);
        noted->bytes[at + i] = byte;
    }
    if (at + size > noted->read) noted->read = (unsigned)at + size;
}

static unsigned table_size(const uint8_t *block, const uint8_t *table) {
    const uint8_t *at = table;
    struct block_row row = block_table_begin(FIELD(uint64_t, block, TB_PC));
    for (unsigned i = 0; i < FIELD(uint16_t, block, TB_ICOUNT); i++) block_table_next(&at, &row);
    return (unsigned)(at - table);
}

/* 0: there is none. */
static uint32_t room_for(struct core *core, size_t size) {
    _Atomic uint64_t *used = &core->common->used;
    size = (size + _Alignof(struct common_block) - 1) & -_Alignof(struct common_block);
    if (atomic_load_explicit(used, memory_order_relaxed) + size > core->common_size) return 0;
    uint64_t offset = atomic_fetch_add(used, size);
    return offset + size > core->common_size ? 0 : (uint32_t)offset;
}

static void *append(void *at, const void *from, size_t size) { return (uint8_t *)memcpy(at, from, size) + size; }

static bool is_on_one_page(const struct common_noted *noted) {
    return (FIELD(uint64_t, noted->block, TB_PC) & ~PAGE_MASK) + noted->read <= PAGE_SIZE;
}

void common_blocks_keep(struct core *core, const uint8_t *block) {
    struct host_fixup fixups[MOST_FIXUPS];
    struct host_code code = place_of(core, block);
    size_t size = FIELD(size_t, block, TB_CODE_SIZE);
    struct common_noted *noted = core->noted;
    if (!noted || noted->block != block || !is_on_one_page(noted)) return;
    noted->block = NULL;
    int count = host_code_fixups(&code, size, block, fixups, MOST_FIXUPS);
    if (count < 0) return;
    size_t all_fixups = (size_t)count * sizeof *fixups;
    unsigned table = table_size(block, code.begin + size);
    uint32_t offset = room_for(core, sizeof(struct common_block) + all_fixups + size + table + noted->read);
    if (!offset) return;
    struct common_block *one = block_at(core->common, offset);
    *one = (struct common_block){
        .pc = FIELD(uint64_t, block, TB_PC),
        .base = FIELD(uint64_t, block, TB_CS_BASE),
        .flags = FIELD(uint32_t, block, TB_FLAGS),
        .cflags = FIELD(uint32_t, block, TB_CFLAGS),
        .most = (uint16_t)noted->most,
        .size = FIELD(uint16_t, block, TB_SIZE),
        .instructions = FIELD(uint16_t, block, TB_ICOUNT),
        .read = (uint16_t)noted->read,
        .code_size = (uint16_t)size,
        .table_size = (uint16_t)table,
        .fixups = (uint16_t)count,
        .begin = (uintptr_t)code.begin,
        .prologue = (uintptr_t)code.prologue,
    };
    for (unsigned i = 0; i < 2; i++) {
        one->jump_reset[i] = FIELD(uint16_t, block, TB_JUMP_RESET + 2 * i);
        one->jump_place[i] = (uint16_t)FIELD(uint64_t, block, TB_JUMP_PLACE + 8 * i);
    }
    void *at = append(one->rest, fixups, all_fixups);
    at = append(at, code.begin, size);
    at = append(at, code.begin + size, table);
    append(at, noted->bytes, noted->read);
    _Atomic uint32_t *bucket = bucket_of(core->common, block);
    one->next = atomic_load(bucket);
    while (!atomic_compare_exchange_weak(bucket, &one->next, offset)) continue;
}
