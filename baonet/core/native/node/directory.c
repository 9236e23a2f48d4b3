/*
 * Single writer or many readers, a page and a node. One member is served at a time: all who have more than that leaves them are
 * told to give back, and when they have, it is granted. Members that wait are served in turn, so each is, in time.
 *
 * A member that has been granted a right does one access by it, before it gives back, for each of its pcpus that waited (holder.c).
 * An access needs one page, so nobody keeps one while he waits for another, and there is no deadlock and no livelock.
 *
 * Where nobody may write, home has the bytes, and but for while somebody is to write the right to read.
 *
 * Some pages go round: each member reads what the one before it has left, and writes next. Who reads such a page is let write at
 * once, which saves it the second way to home. For a while: then a reader gets no more than it asked for, and shows whether that
 * is so yet. The longer it has been, the longer the while. Where several wait at once nothing goes round: who looks at a lock that
 * another has would take it from him each time. It may come back unasked: home has it then, or if it was recalled meanwhile that is
 * the answer.
 *
 * Between home and a member messages are FIFO. What is said to a member is said when all before it has been.
 */
#include "directory.h"

#define BIT(member) (UINT64_C(1) << (member))
#define MOST_PROOFS 6u

static void say(struct says *says, enum say_kind kind, unsigned member, enum right right, bool carries, bool round) {
    says->each[says->count++] = (struct say){(uint8_t)kind, (uint8_t)member, (uint8_t)right, carries, round};
}

void directory_begin(struct directory_page *page) { *page = (struct directory_page){.writer = HOME + 1}; }

enum right directory_right(const struct directory_page *page, unsigned member) {
    if (page->writer == member + 1) return RIGHT_WRITE;
    return page->readers & BIT(member) ? RIGHT_READ : RIGHT_NONE;
}

bool directory_rests(const struct directory_page *page) { return !page->served; }

static void recall(struct directory_page *page, unsigned member, enum right right, struct says *says) {
    page->awaited |= BIT(member);
    say(says, SAY_RECALL, member, right, false, false);
}

static void grant(struct directory_page *page, unsigned member, enum right right, struct says *says) {
    bool carries = directory_right(page, member) == RIGHT_NONE && member != HOME;
    if (right == RIGHT_WRITE) {
        page->writer = (uint8_t)(member + 1);
        page->readers = 0;
    } else {
        page->readers |= BIT(member);
    }
    say(says, SAY_GRANT, member, right, carries, page->round);
    page->round = false;
}

/* Behind who was served last. */
static unsigned next(const struct directory_page *page, uint64_t wants) {
    unsigned first = (page->last + 1u) % MOST_MEMBERS;
    uint64_t behind = wants & ~(BIT(first) - 1);
    return (unsigned)__builtin_ctzll(behind ? behind : wants);
}

/* By a member that may read. */
static void learn(struct directory_page *page, unsigned member) {
    uint64_t others = page->readers & ~BIT(member) & ~BIT(HOME);
    bool follows = page->wrote && page->wrote != member + 1 && !(others & ~BIT(page->wrote - 1u));
    if (!follows)
        page->proofs = 0;
    else if (page->proofs < MOST_PROOFS)
        page->proofs++;
    page->credit = follows ? (uint8_t)(1u << page->proofs) : 0;
}

static bool spend_credit(struct directory_page *page, unsigned member) {
    uint64_t wants = page->wants[RIGHT_READ] | page->wants[RIGHT_WRITE];
    if (!page->credit || !page->writer || page->writer == member + 1 || wants != BIT(member)) return false;
    page->credit--;
    return true;
}

bool directory_goes_round(const struct directory_page *page, unsigned member) {
    return directory_rests(page) && page->credit && page->wrote == member + 1 && directory_right(page, member) == RIGHT_NONE;
}

static void serve(struct directory_page *page, unsigned member, struct says *says) {
    page->round = !(page->wants[RIGHT_WRITE] & BIT(member)) && spend_credit(page, member);
    enum right right = page->wants[RIGHT_WRITE] & BIT(member) || page->round ? RIGHT_WRITE : RIGHT_READ;
    if (page->readers & BIT(member) && right == RIGHT_WRITE) learn(page, member);
    if (page->writer) page->wrote = page->writer;
    page->served = (uint8_t)(member + 1);
    page->last = (uint8_t)member;
    page->right = (uint8_t)right;
    if (page->writer && page->writer != member + 1) recall(page, page->writer - 1u, right == RIGHT_WRITE ? RIGHT_NONE : RIGHT_READ, says);
    for (uint64_t rest = right == RIGHT_WRITE ? page->readers & ~BIT(member) : 0; rest; rest &= rest - 1)
        recall(page, (unsigned)__builtin_ctzll(rest), RIGHT_NONE, says);
}

/* What it has wanted more meanwhile it still wants. */
static void grant_served(struct directory_page *page, struct says *says) {
    unsigned member = page->served - 1u;
    enum right right = page->right, has = directory_right(page, member);
    page->served = 0;
    for (unsigned each = RIGHT_READ; each <= right; each++) page->wants[each] &= ~BIT(member);
    if ((page->wants[RIGHT_READ] | page->wants[RIGHT_WRITE]) & ~BIT(member)) page->proofs = page->credit = 0;
    grant(page, member, right > has ? right : has, says);
}

static void go_on(struct directory_page *page, struct says *says) {
    for (uint64_t wants; !page->awaited && (wants = page->wants[RIGHT_READ] | page->wants[RIGHT_WRITE]);) {
        if (page->served)
            grant_served(page, says);
        else
            serve(page, next(page, wants), says);
    }
}

/* Who asks for what it has, and is to keep, had asked before that came to it unasked. */
void directory_want(struct directory_page *page, unsigned member, enum right right, struct says *says) {
    if (right <= directory_right(page, member) && !(page->awaited & BIT(member))) return;
    page->wants[right] |= BIT(member);
    go_on(page, says);
}

/* Home has had the bytes brought. */
static void keep_at_home(struct directory_page *page, struct says *says) {
    if (page->readers & BIT(HOME)) return;
    page->readers |= BIT(HOME);
    if (page->served != HOME + 1) say(says, SAY_GRANT, HOME, RIGHT_READ, false, false);
}

/* Unasked: nobody waits for it, and it is home that has it now. */
static bool took_back(struct directory_page *page, unsigned member, enum right right, struct says *says) {
    if (page->served || member == HOME || page->writer != member + 1 || right != RIGHT_NONE) return false;
    page->wrote = page->writer;
    grant(page, HOME, RIGHT_WRITE, says);
    return true;
}

bool directory_gave(struct directory_page *page, unsigned member, enum right right, struct says *says) {
    if (!(page->awaited & BIT(member))) return took_back(page, member, right, says);
    if (right >= directory_right(page, member)) return false;
    if (right == RIGHT_READ && page->right == RIGHT_WRITE) return false;
    page->awaited &= ~BIT(member);
    if (page->writer == member + 1) page->writer = 0;
    page->readers = right == RIGHT_READ ? page->readers | BIT(member) : page->readers & ~BIT(member);
    if (page->right == RIGHT_READ) keep_at_home(page, says);
    go_on(page, says);
    return true;
}

void directory_lost(struct directory_page *page, unsigned member, struct says *says) {
    page->wants[RIGHT_READ] &= ~BIT(member);
    page->wants[RIGHT_WRITE] &= ~BIT(member);
    page->awaited &= ~BIT(member);
    page->readers &= ~BIT(member);
    if (page->served == member + 1) page->served = 0;
    if (page->writer == member + 1) {
        page->writer = 0;
        if (!page->served || page->right != RIGHT_WRITE) keep_at_home(page, says); /* else it would have to give it back first */
    }
    go_on(page, says);
}
