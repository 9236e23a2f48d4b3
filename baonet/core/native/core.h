/*
 * One emulated CPU: what it is made of, what it shares with other processes, and the numbers that Python knows as well.
 *
 * The native engine is what a core needs below Python, on the stock libunicorn of the unicorn wheel. A header beside each
 * file says what it offers. A file includes headers of its own layer or of lower ones, and there is no circle among them:
 * tests/core/test_layers.py reads this table, the lowest layer last.
 *
 *   python     behalf cluster cluster_shape construct examine lending memory_counts modelling module prompt rounds_type save taken type words
 *              the module and its type Core
 *   run        errands rounds run settle stay translate
 *              entering the guest, the start of a block, the code that TCG generates
 *   accesses   (the architecture's)
 *              what instructions do that the library does not do as a CPU does, or not at all
 *   shared     broadcast emulate events ns16550 pages pl011 uart uart_kinds
 *              what others are to hear of, and what is shared with them
 *   cpu        (the architecture's)
 *              one CPU, as its architecture has it
 *   core       answers architecture block_table cached clock code_map common_blocks core count crossing leave lent modelled observe ownership parcels physical polling regions resident rest rights sample siblings spans storm tlb trace windows
 *              time, memory, translations, and the way out of the guest
 *   model      (memsys/: memsys.h has its own)
 *              the memory system, which knows of no engine
 *   library    atomics common_time emit footprint futex hardfloat hardfloat_convert host_code host_rounding jumps layout ledger library patience requests ringside slot state uart_state unicorn
 *              the library below: symbols, structure offsets of exactly one wheel, and the checks that they hold
 *
 * These files are compiled once for each architecture, whose own are in a directory beside them (node/ is one of its own:
 * what a process needs that has no core). They name none: what they
 * need of it is its header arch.h, which the include path finds, and what architecture.h declares. The table of its own
 * files, in these layers, is at the head of its arch.h.
 */
#ifndef BAONET_CORE_H
#define BAONET_CORE_H

#include <stdatomic.h>

#include "ledger.h"
#include "library.h"
#include "memsys.h"
#include "parcels.h"
#include "slot.h"
#include "state.h"

#define PAGE_SIZE 0x1000u
#define PAGE_MASK (~(uint64_t)(PAGE_SIZE - 1))
#define MAX_SIBLINGS 1023

/* What a core has made of a page that others can reach: ownership.c. */
#define PLACES 2
struct cached {
    uint64_t places[PLACES]; /* virtual addresses at which its TLBs have it, and which of them */
    uint64_t walked;         /* when a descriptor was last read from it */
};

struct region {
    uint64_t ipa, size;
    bool foreign;        /* others than this VM write to it too */
    bool unassigned;     /* a device's window, of which nothing answers */
    uint64_t ram_offset; /* Unicorn's own offset of this RAM, the same in every process of the VM */
    uint8_t *host;       /* NULL: a device */
    void *memory_region; /* the library's, looked up once */
    struct ownership *owners; /* of its pages; NULL: no other pcpu can reach them, or all may as they like */
    struct cached *cached;    /* of its pages, if they have owners */
    uint16_t segment;         /* of the machine, which they are in */
};
struct window {
    uint64_t base, size;
};

struct uart_state; /* in shared memory: uart_state.h */
struct uart_kind;  /* uart.h */
struct uart {
    struct core *core;
    const struct uart_kind *kind;
    struct uart_state *state;
    struct ownership *owner; /* NULL: no other pcpu can reach it, or all may as they like */
    uint16_t segment;
    unsigned number;
    uint32_t interrupt; /* 0: nobody has it */
    uint8_t *out;
    size_t out_length;
    uint64_t out_position;
};

enum { FROM_TIMER, FROM_LINE, FROM_CPU }; /* who raised an interrupt */

/* What a record tells: baonet.trace.records has the same numbers, and what a, b and c are. */
enum kind {
    TRACE_EXIT = 1,
    TRACE_ACCESS,
    TRACE_WAIT,
    TRACE_WAKE,
    TRACE_RAISED,
    TRACE_PENDING,
    TRACE_DELIVERED,
    TRACE_ACKNOWLEDGED,
    TRACE_ENDED,
    TRACE_SENT,
    TRACE_ARRIVED,
    TRACE_CONSOLE,
    TRACE_INPUT,
    TRACE_MARK,
    TRACE_ENTRY = 17,
    TRACE_MISSES,
    TRACE_STALLS
};
struct record {
    uint64_t time;
    uint16_t kind, pcpu;
    uint32_t a;
    uint64_t b, c;
};
#define TRACE_RECORDS 2048u
enum { COST_ACCESS = EXIT_ERROR, COST_RELAYED, COSTS }; /* those before are of exits, by their numbers */

/* The latest reading of the counter (polling.h). */
struct polling {
    uint64_t pc, at, length; /* where it was; instructions retired then, and since the reading before */
    uint32_t count, attention; /* as many in a row with this length; how many deserve a look */
    bool foresees;
    uint64_t foreseen[32]; /* registers when it is read next */
    uint64_t instructions; /* of iterations that were not run */
};

/* An instruction of a block that is translated; `words` are what the library has noted of it (insn_start). */
struct place {
    uintptr_t from; /* where its host code returns to */
    const uint8_t *block;
    unsigned index;
    uint64_t words[INSN_START_WORDS];
};

#define STALE_PAGES 16u
#define KNOWN_WINDOWS 8u
#define PLACES_KNOWN 16u

/* Of one stay, or of the translations that there are: a core that is made anew from its state has none of it. */
struct scratch {
    enum exit_reason reason;
    bool out_of_budget, yielded, leave_block;
    bool patient;     /* a kick has waited for a block of the guest, and does not wait for another */
    bool polite;      /* a guest that yields leaves: somebody else has something to do */
    bool frozen;      /* others run at the same time: no page may change hands; */
    bool silent;      /* nor is the hypervisor asked for its emulation */
    bool blocked;     /* the instruction at the PC needs what it may not have while that is so: */
    struct need {
        bool page, write; /* a page of a segment; else the hypervisor's emulation */
        uint16_t segment;
        uint32_t number;
    } need;
    uint64_t limit;   /* virtual time: until when */
    uint64_t entered; /* instructions retired when the stay began */
    uint8_t rest;     /* of a block, that is to run or runs: rest.c */
    unsigned strain;  /* what cost the host as much as so many exceptions */

    struct arch_scratch arch;

    bool flush_code;
    bool code_emptied;     /* the library has dropped the last translation of the page that is being written */
    uint64_t emptied_page; /* 1 + the page of which that was so; 0: none */
    bool maintains;        /* something was asked of pcpus on other nodes, and not waited for yet */
    uint64_t stale[STALE_PAGES]; /* that had code, and of which the translations are to go; */
    unsigned stale_count;        /* more than there is room for: all */
    uint64_t last_line;    /* of the latest maintenance of a line that found code */
    unsigned lines_in_a_row;

    struct polling polling;

    uint32_t flushes; /* count.c */
    struct place places[PLACES_KNOWN]; /* that were found last; no block: none */
    bool knows_windows;
    struct known_window {
        uint64_t va, tables, ipa; /* a page, and how it is accessed; 0: none */
    } known_windows[KNOWN_WINDOWS]; /* one at least if `knows_windows`: pages of emulated windows, as a TLB would have them: windows.h */
};

/*
 * What a core is connected to, and was made with, is its own; what its guest has brought it to, beside the library's CPU, is
 * `state`.
 */
struct core {
    PyObject_HEAD
    struct state state;
    struct scratch scratch;

    void *uc, *cpu;
    uint8_t *env;
    void *pristine; /* the library's CPU, as it was made */
    struct slot *slots, *slot;
    unsigned index;
    int cpu_model;    /* UC_CPU_* */
    uint32_t process; /* that this core runs in */
    unsigned sibling_count;
    uint16_t siblings[MAX_SIBLINGS];
    _Atomic uint64_t *code_map; /* of the VM: code_map.h */
    size_t map_words;

    unsigned region_count, window_count, uart_count;
    struct region *regions;
    struct window *windows;
    struct uart **uarts; /* the library keeps the address of each */
    uint64_t ram_end;
    struct arch_wiring arch;
    struct common_blocks *common; /* common_blocks.h; NULL: none */
    size_t common_size;
    struct common_noted *noted;   /* of the block that is translated */

    struct ledger *ledger; /* of the island; NULL: no other pcpu is in it, or the time is the host's */
    struct ledger *residence; /* under the host's clock, of an island that is on several nodes; else NULL */
    unsigned lanes;        /* that it has */
    uint64_t heard;        /* transfers of its journal */
    uint64_t walks;        /* generation of the TLBs: what was walked to before is in none of them */
    uint64_t tickets[MAX_SIBLINGS]; /* of what was asked of each last */

    uint64_t frequency, epoch, tick_multiplier;
    bool stands; /* under the host's clock: its guest is not to see it go on, from there */
    uint64_t stands_since;
    int64_t stands_offset; /* to the time that nodes have in common, since then */
    uint64_t stood;        /* nanoseconds for which it has, in all: the epoch is so much later */
    uint64_t hz; /* cycles a second of virtual time; 0: the host's clock */
    struct ratio {
        uint64_t ticks, cycles; /* of virtual time: so many ticks of the guest's counter are so many cycles, in lowest terms */
    } ratio;
    struct pace {
        uint32_t cycles, instructions; /* that so many take, when nothing stalls them; each less than 2^10 */
        uint64_t by_cycles, by_instructions; /* to divide by them: clock.h */
    } pace;
    uint64_t costs[COSTS];
    struct errands *errands; /* errands.h; NULL: it runs none */
    struct prompt *prompt;   /* prompt.h: those under the host's clock; NULL: it runs none */
    bool lent, catches_up;   /* its hypervisor's state, to them; what it does now was recorded when they did it */
    struct answers *answers; /* to calls that need not leave the guest: answers.h; NULL: none */

    struct memsys_view view;    /* of the memory system that is modelled; no `memsys`: none is */
    struct modelled *model;     /* what it is told, and how: modelled.h; NULL: nothing */
    struct memsys_weave *weave; /* the cluster, in which this is a party; NULL: there is no other */
    unsigned party;

    struct record *records; /* NULL: nobody wants them */
    unsigned record_count;
    uint64_t chunk_began; /* the host's clock at the first in `records` */
    struct parcels chunks; /* full ones: when the first and the last were made, by the host's clock since the epoch */
    struct parcels pieces; /* console output that another core interrupted: of which UART, and where in its output */

    /* Python's side: of what a guest can come to, only emulated accesses touch it */
    PyObject *read_emulated, *write_emulated, *outbox;
    PyObject *expects, *take_back; /* of errands */
    PyObject *ringside, *hears, *frames; /* of those under the host's clock */
    PyObject *buffers; /* what the pointers above point into */
};

static inline uint64_t *core_x(struct core *core) { return &FIELD(uint64_t, core->env, ENV_REGISTERS); }
/* Instructions, since the core was made. */
static inline uint64_t core_retired(const struct core *core) {
    return core->state.granted - (uint64_t)(core->state.left + core->slot->budget);
}
#define core_pc(core) FIELD(uint64_t, (core)->env, ENV_PC)

#endif
