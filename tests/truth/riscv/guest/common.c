#include "lib.h"
extern u64 entry_state[], entry_state2[];
extern volatile u32 selector[];
extern u32 patch[], upatch[];
void secondary(void);
void u_back(void);
void u_run(u64 a0, u64 a1, void *code);
void do_ecall(u64 *);
#define VM selector[6]
#define AIA selector[7]
#define SSTC selector[8]
struct mb {
    volatile u64 seq, done;
    u64 (*volatile fn)(u64, u64, u64, u64);
    volatile u64 a[4], r, r2;
};
static struct mb mb1;
static volatile u64 exc_n[2], exc_cause[2], exc_tval[2], exc_epc[2], u_a0[2], irq_n[2], irq_cause[2];
static inline u64 me(void) {
    u64 v;
    __asm__ volatile("mv %0, tp" : "=r"(v));
    return v;
}
static u64 now(void) { return R(time); }
static void delay(u64 t) {
    u64 s = now();
    while (now() - s < t) {}
}
static void putc_(char c) {
    if (VM) return;
    while (!(r8(UART + 5) & 0x20)) {}
    w8(UART, (u8)c);
}
static void puts_(const char *s) {
    while (*s) {
        if (*s == '\n') putc_('\r');
        putc_(*s++);
    }
}
static void hex(u64 v) {
    char b[17];
    int i = 16;
    b[16] = 0;
    do {
        b[--i] = "0123456789abcdef"[v & 15];
        v >>= 4;
    } while (v);
    puts_(b + i);
}
static void P(const char *n) {
    puts_("\nP ");
    puts_(n);
}
static void V(u64 v) {
    putc_(' ');
    hex(v);
}
static void PX(const char *n, u64 x) {
    P(n);
    putc_('.');
    hex(x);
}
static void P1(const char *n, u64 a) {
    P(n);
    V(a);
}
static void P2(const char *n, u64 a, u64 b) {
    P(n);
    V(a);
    V(b);
}
static void P3(const char *n, u64 a, u64 b, u64 c) {
    P(n);
    V(a);
    V(b);
    V(c);
}
static void P4(const char *n, u64 a, u64 b, u64 c, u64 d) {
    P(n);
    V(a);
    V(b);
    V(c);
    V(d);
}
void on_trap(u64 *x) {
    u64 c = R(scause), h = me();
    if ((s64)c < 0) {
        irq_n[h]++;
        irq_cause[h] = c & 0xff;
        if ((c & 0xff) == 1)
            CLR(sip, 2);
        else
            CLR(sie, 1UL << (c & 63));
        return;
    }
    exc_n[h]++;
    exc_cause[h] = c;
    exc_tval[h] = R(stval);
    exc_epc[h] = R(sepc);
    if (c == 8) {
        u_a0[h] = x[10];
        W(sepc, u_back);
        SET(sstatus, 0x100);
        return;
    }
    if (c == 12) {
        W(sepc, x[1]);
        return;
    }
    if (c == 3) {
        W(sepc, exc_epc[h] + ((*(u16 *)exc_epc[h] & 3) == 3 ? 4 : 2));
        return;
    }
    W(sepc, exc_epc[h] + 4);
}
static u64 ec[64];
static u64 ecall_changed(u64 *s) { // registers that came back different, a0 and a1 apart
    u64 m = 0;
    for (int i = 1; i < 32; i++)
        if (i != 2 && i != 4 && i != 8 && i != 10 && i != 11 && s[i] != s[32 + i]) m |= 1UL << i;
    return m;
}
static void sbi6(u64 *s, u64 eid, u64 fid, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5) {
    for (int i = 0; i < 32; i++) s[i] = 0x1111111111111111UL * (i % 15 + 1) ^ i;
    s[3] = 0x333;
    s[4] = me();
    s[10] = a0;
    s[11] = a1;
    s[12] = a2;
    s[13] = a3;
    s[14] = a4;
    s[15] = a5;
    s[16] = fid;
    s[17] = eid;
    do_ecall(s);
}
static u64 val;
static u64 sbi(u64 eid, u64 fid, u64 a0, u64 a1) {
    u64 s[64];
    sbi6(s, eid, fid, a0, a1, 0, 0, 0, 0);
    val = s[43];
    return s[42];
}
static u64 hyp(u64 fid, u64 a0, u64 a1) {
    u64 s[64];
    sbi6(s, N_BAO, fid, a0, a1, 0, 0, 0, 0);
    return s[43];
}
static void serve(struct mb *m, volatile u64 *beat) {
    u64 seen = m->seq;
    for (;;) {
        if (beat) (*beat)++;
        if (m->seq != seen) {
            seen = m->seq;
            __asm__ volatile("fence; fence.i");
            m->r = m->fn(m->a[0], m->a[1], m->a[2], m->a[3]);
            __asm__ volatile("fence");
            m->done = seen;
        }
    }
}
static void post(struct mb *m, u64 (*fn)(u64, u64, u64, u64), u64 a, u64 b, u64 c, u64 d) {
    m->fn = fn;
    m->a[0] = a;
    m->a[1] = b;
    m->a[2] = c;
    m->a[3] = d;
    __asm__ volatile("fence" ::: "memory");
    m->seq = m->seq + 1;
}
static int done(struct mb *m, u64 t) {
    u64 s = now();
    while (m->done != m->seq)
        if (now() - s > t) return 0;
    __asm__ volatile("fence");
    return 1;
}
static u64 rpc(struct mb *m, u64 (*fn)(u64, u64, u64, u64), u64 a, u64 b, u64 c, u64 d) {
    post(m, fn, a, b, c, d);
    if (!done(m, 2000 * MS)) {
        puts_("\nTIMEOUT rpc");
        return 0xdead;
    }
    return m->r;
}
#define VM1 ((struct mb *)SHM0)
#define H1 (&mb1)
static u64 f_sip(u64 a, u64 b, u64 c, u64 d) { return R(sip); }
static u64 f_sip_wait(u64 bits, u64 t, u64 c, u64 d) {
    u64 s = now();
    while (!(R(sip) & bits) && now() - s < t) {}
    return R(sip);
}
static u64 sip_wait(u64 bits, u64 t) { return f_sip_wait(bits, t, 0, 0); }
static u64 f_sip_clear(u64 bits, u64 b, u64 c, u64 d) {
    CLR(sip, bits);
    return R(sip);
}
static u64 f_r32(u64 a, u64 b, u64 c, u64 d) { return r32(a); }
static u64 f_w32(u64 a, u64 v, u64 c, u64 d) {
    w32(a, v);
    return 0;
}
static u64 f_hyp(u64 fid, u64 a0, u64 a1, u64 d) { return hyp(fid, a0, a1); }
static u64 f_sbi(u64 eid, u64 fid, u64 a0, u64 a1) {
    u64 e = sbi(eid, fid, a0, a1);
    return e;
}
static u64 f_sie(u64 v, u64 b, u64 c, u64 d) {
    W(sie, v);
    return R(sie);
}
static u64 f_time(u64 a, u64 b, u64 c, u64 d) { return now(); }
static u64 f_sreg(u64 sel, u64 b, u64 c, u64 d) {
    W(SISELECT, sel);
    return R(SIREG);
}
static u64 f_sregw(u64 sel, u64 v, u64 c, u64 d) {
    W(SISELECT, sel);
    W(SIREG, v);
    return R(SIREG);
}
static u64 f_stopei(u64 claim, u64 b, u64 c, u64 d) {
    u64 v = R(STOPEI);
    if (claim) W(STOPEI, 0);
    return v;
}
static u64 f_stimecmp(u64 v, u64 b, u64 c, u64 d) {
    W(STIMECMP, v);
    return R(STIMECMP);
}
static u64 f_scounteren(u64 v, u64 b, u64 c, u64 d) {
    u64 o = R(scounteren);
    W(scounteren, v);
    return o;
}
static void state(const char *p, u64 *s) {
#define N(x) \
    puts_("\nP "); \
    puts_(p); \
    puts_(x)
    N(".x");
    for (int i = 1; i < 32; i++) V(s[i]);
    N(".sstatus");
    V(s[32]);
    N(".sie");
    V(s[33]);
    N(".stvec");
    V(s[34]);
    N(".scounteren");
    V(s[35]);
    N(".senvcfg");
    V(s[36]);
    N(".sscratch");
    V(s[37]);
    N(".sepc");
    V(s[38]);
    N(".scause");
    V(s[39]);
    N(".stval");
    V(s[40]);
    N(".sip");
    V(s[41]);
    N(".satp");
    V(s[42]);
    N(".fcsr");
    V(s[44]);
    N(".f");
    for (int i = 0; i < 32; i++) V(s[48 + i]);
}
