#include "common.c"
#include "plic.c"
#define count count_a
#define cnt cnt_a
#define kick kick_a
#include "aia.c"
#undef kick
#undef cnt
#undef count
static volatile u64 h1_alive, h1_go, h1_mode;
void main1(void) {
    if (h1_mode == 1) {
        while (!h1_go) {}
        delay(120 * MS);
        u64 b = r64(SHM0 + 0x800), a = now();
        delay(20 * MS);
        P2("other", 1, r64(SHM0 + 0x800) != b);
        puts_("\nEND\n");
        for (;;) __asm__ volatile("wfi");
    }
    h1_alive++;
    serve(H1, &h1_alive);
}
static void call(const char *n, u64 eid, u64 fid, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4) {
    u64 s[64];
    sbi6(s, eid, fid, a0, a1, a2, a3, a4, 0x5555);
    P3(n, s[42], s[43], ecall_changed(s));
}
static void callx(const char *n, u64 x, u64 eid, u64 fid, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4) {
    u64 s[64];
    sbi6(s, eid, fid, a0, a1, a2, a3, a4, 0x5555);
    PX(n, x);
    V(s[42]);
    V(s[43]);
    V(ecall_changed(s));
}
#define M1 (~0UL)
static void sbi_all(void) {
    for (u64 f = 0; f < 9; f++) callx("sbi.base", f, 0x10, f, 0x10, 0, 0, 0, 0);
    call("sbi.base.fid_minus1", 0x10, M1, 0, 0, 0, 0, 0);
    call("sbi.base.fid_high", 0x10, 1UL << 32, 0, 0, 0, 0, 0);
    static const u64 ex[] = {0,         1,          2,          3,        4,          5,
                             6,         7,          8,          9,        0x10,       N_TIME,
                             N_IPI,     N_RFNC,     N_HSM,      N_BAO,    0x53525354, 0x4442434E,
                             0x504D55,  0x53555350, 0x43505043, 0x535441, M1,         N_TIME | 1UL << 32,
                             0x08000ba1};
    for (unsigned i = 0; i < sizeof ex / 8; i++) callx("sbi.probe", ex[i], 0x10, 3, ex[i], 0, 0, 0, 0);
    for (u64 f = 0; f < 9; f++) callx("sbi.legacy", f, f, 0, 0, 0, 0, 0, 0);
    callx("sbi.legacy_putchar", 'x', 1, 0, 'x', 0, 0, 0, 0);
    static const u64 un[] = {
        9,          0xf,      0x11,       0x53525354, 0x4442434E, 0x504D55,         0x53555350,
        0x43505043, 0x535441, 0x08000ba1, 0x09000000, M1,         0x10 | 1UL << 32, N_TIME | 1UL << 32};
    for (unsigned i = 0; i < sizeof un / 8; i++) callx("sbi.unknown", un[i], un[i], 0, 1, 2, 3, 4, 5);
    call("sbi.time.fid1", N_TIME, 1, 0, 0, 0, 0, 0);
    call("sbi.time.fid_minus1", N_TIME, M1, 0, 0, 0, 0, 0);
    call("sbi.time.max", N_TIME, 0, M1, 0x77, 0, 0, 0);
    call("sbi.ipi.fid1", N_IPI, 1, 1, 0, 0, 0, 0);
    call("sbi.ipi.empty", N_IPI, 0, 0, 0, 0, 0, 0);
    for (u64 f = 3; f < 9; f++) callx("sbi.rfence.fid", f, N_RFNC, f, 1, 0, 0, 0, 0);
    call("sbi.rfence.fid_minus1", N_RFNC, M1, 1, 0, 0, 0, 0);
    static const u64 rm[][2] = {{0, 0},   {1, 0},  {2, 0},         {3, 0},  {4, 0},         {7, 0},
                                {0xf, 0}, {M1, 0}, {1UL << 63, 0}, {0, M1}, {1, M1},        {M1, M1},
                                {1, 1},   {2, 1},  {1, 2},         {0, 1},  {0, 63},        {1, 63},
                                {2, 63},  {1, 64}, {1, 65},        {M1, 1}, {1UL << 63, 1}, {1, 1UL << 32}};
    for (u64 f = 0; f < 3; f++)
        for (unsigned i = 0; i < sizeof rm / 16; i++)
            callx(f == 0   ? "sbi.rfence_i"
                  : f == 1 ? "sbi.rfence_vma"
                           : "sbi.rfence_asid",
                  i, N_RFNC, f, rm[i][0], rm[i][1], 0, 0, 0);
    call("sbi.rfence_vma.page", N_RFNC, 1, 1, 0, 0x80200000, 0x1000, 0);
    call("sbi.rfence_vma.all", N_RFNC, 1, 1, 0, 0, M1, 0);
    call("sbi.rfence_vma.odd", N_RFNC, 1, 1, 0, 0x80200003, 5, 0);
    call("sbi.rfence_vma.wrap", N_RFNC, 1, 1, 0, M1 - 0xfff, 0x10000, 0);
    call("sbi.rfence_asid_5", N_RFNC, 2, 1, 0, 0, 0x1000, 5);
    call("sbi.rfence_asid_big", N_RFNC, 2, 1, 0, 0, 0x1000, 0x12345);
    static const u64 hs[] = {0, 1, 2, 3, 4, 63, 64, M1, 1UL << 32};
    for (int i = 0; i < 9; i++) callx("sbi.hsm.status", hs[i], N_HSM, 2, hs[i], 0, 0, 0, 0);
    call("sbi.hsm.start_self", N_HSM, 0, 0, 0x80200000, 0, 0, 0);
    for (int i = 2; i < 9; i++) callx("sbi.hsm.start", hs[i], N_HSM, 0, hs[i], (u64)secondary, 0, 0, 0);
    call("sbi.hsm.stop", N_HSM, 1, 0, 0, 0, 0, 0);
    for (u64 f = 4; f < 8; f++) callx("sbi.hsm.fid", f, N_HSM, f, 0, 0, 0, 0, 0);
    call("sbi.hsm.fid_minus1", N_HSM, M1, 0, 0, 0, 0, 0);
    static const u64 st[] = {0x80000000, 0xffffffff, 0xffffffff80000000, 0x80000001,
                             0x1,        0x7fffffff, 0x0fffffff,         0x10000000};
    for (int i = 0; i < 8; i++) callx("sbi.hsm.suspend", st[i], N_HSM, 3, st[i], 0x80200000, 0, 0, 0);
    static const u64 hc[] = {0, 3, 4, 5, 0xff, 0xffff, M1, 1UL << 32 | 1, 0x86000001, 0xc6000001};
    for (int i = 0; i < 10; i++) callx("hypercall.id", hc[i], N_BAO, hc[i], 0, 0, 0, 0, 0);
    static const u64 hi[] = {1, 2, 63, 64, M1, 1UL << 32};
    for (int i = 0; i < 6; i++) callx("hypercall.ipc_index", hi[i], N_BAO, 1, hi[i], 0, 0, 0, 0);
    for (u64 i = 0; i < 5; i++) callx("hypercall.remio", i, N_BAO, 2, 0, 0, i, 0, 0);
    callx("hypercall.remio", 0xff, N_BAO, 2, M1, M1, M1, M1, M1);
}
static void second(void) {
    h1_mode = 0;
    call("hsm.ipi_to_stopped", N_IPI, 0, 2, 0, 0, 0, 0);
    delay(10 * MS); // hart 1 must not see it once started: second.sip
    call("hsm.before", N_HSM, 2, 1, 0, 0, 0, 0);
    call("hsm.start1", N_HSM, 0, 1, (u64)secondary, 0xfedcba9876543210UL, 0x123, 0x456);
    call("hsm.start1_at_once", N_HSM, 0, 1, (u64)secondary, 0, 0, 0);
    u64 s = now();
    while (!h1_alive && now() - s < 3000 * MS) {}
    P1("hsm.up", h1_alive != 0);
    state("second", entry_state2);
    call("hsm.status1", N_HSM, 2, 1, 0, 0, 0, 0);
    call("hsm.start1_again", N_HSM, 0, 1, (u64)secondary, 0, 0, 0);
    P1("hsm.status0_from_1", rpc(H1, f_sbi, N_HSM, 2, 0, 0));
    P1("hsm.start0_from_1", rpc(H1, f_sbi, N_HSM, 0, 0, 0x80200000));
    P1("hsm.stop_from_1", rpc(H1, f_sbi, N_HSM, 1, 0, 0));
    P1("hsm.status_after_stop", (sbi(N_HSM, 2, 1, 0), val));
    // IPIs
    static const u64 im[][2] = {{1, 0},         {2, 0},  {3, 0},  {4, 0},  {0xf, 0},    {M1, 0},
                                {0, M1},        {1, M1}, {3, M1}, {1, 1},  {1, 2},      {2, 1},
                                {1UL << 63, 0}, {1, 63}, {1, 64}, {3, 63}, {4, M1 - 1}, {1, 1UL << 32}};
    for (unsigned i = 0; i < sizeof im / 16; i++) {
        u64 e = sbi(N_IPI, 0, im[i][0], im[i][1]);
        delay(10 * MS);
        PX("ipi", i);
        V(e);
        V(val);
        V(R(sip));
        V(rpc(H1, f_sip, 0, 0, 0, 0));
        CLR(sip, 2);
        rpc(H1, f_sip_clear, 2, 0, 0, 0);
    }
    P1("ipi.from_1", (rpc(H1, f_sbi, N_IPI, 0, 1, 0), delay(10 * MS), R(sip)));
    CLR(sip, 2);
    P2("ipi.vm1", (rpc(VM1, f_sbi, N_IPI, 0, 3, 0), delay(10 * MS), rpc(VM1, f_sip_clear, 2, 0, 0, 0)), R(sip));
    SET(sip, 2);
    P1("sip.set_ssip", R(sip));
    CLR(sip, 2);
    P1("sip.clr_ssip", R(sip));
    SET(sip, M1);
    P1("sip.set_all", R(sip));
    W(sip, 0);
    P1("sip.zero", R(sip));
    {
        u64 k = irq_n[0];
        W(sie, 2);
        SET(sstatus, 2);
        sbi(N_IPI, 0, 1, 0);
        delay(5 * MS);
        CLR(sstatus, 2);
        W(sie, 0);
        P3("ipi.taken", irq_n[0] - k, irq_cause[0], R(sip));
    }
    // suspend: retentive, on hart 1
    post(H1, f_sbi, N_HSM, 3, 0, 0);
    P1("suspend.returns_alone", done(H1, 100 * MS));
    P2("suspend.status", sbi(N_HSM, 2, 1, 0), val);
    sbi(N_IPI, 0, 2, 0);
    u64 d = done(H1, 300 * MS);
    P3("suspend.ipi_wakes", d, mb1.r, d ? rpc(H1, f_sip_clear, 0, 0, 0, 0) : 0);
    if (!d) {
        rpc(VM1, f_hyp, 1, 0, 0, 0);
        P1("suspend.ipc_wakes", done(H1, 300 * MS));
    }
    rpc(H1, f_sip_clear, 2, 0, 0, 0);
    if (SSTC) {
        rpc(H1, f_stimecmp, now() + 200 * MS, 0, 0, 0);
        post(H1, f_sbi, N_HSM, 3, 0, 0);
        P1("suspend.timer_masked", done(H1, 400 * MS));
        sbi(N_IPI, 0, 2, 0);
        done(H1, 300 * MS);
        rpc(H1, f_sip_clear, 2, 0, 0, 0);
        rpc(H1, f_sie, 0x20, 0, 0, 0);
        rpc(H1, f_stimecmp, now() + 200 * MS, 0, 0, 0);
        post(H1, f_sbi, N_HSM, 3, 0, 0);
        P1("suspend.timer_enabled_early", done(H1, 100 * MS));
        P1("suspend.timer_enabled", done(H1, 400 * MS));
        sbi(N_IPI, 0, 2, 0);
        done(H1, 300 * MS);
        rpc(H1, f_sip_clear, 2, 0, 0, 0);
        rpc(H1, f_stimecmp, M1, 0, 0, 0);
        rpc(H1, f_sie, 0, 0, 0, 0);
    }
    P1("suspend.end", rpc(H1, f_sip, 0, 0, 0, 0));
}
#define RW(n, c, v) \
    do { \
        u64 o_ = R(c); \
        W(c, v); \
        u64 r_ = R(c); \
        W(c, 0); \
        u64 z_ = R(c); \
        W(c, o_); \
        P4("rw." n, o_, r_, z_, R(c)); \
    } while (0)
static u64 pt0[512] __attribute__((aligned(4096))), pt1[512] __attribute__((aligned(4096))),
    pt2[512] __attribute__((aligned(4096))), ptl[512] __attribute__((aligned(4096)));
static void csrs(void) {
    RW("sie", sie, M1);
    RW("stvec1", stvec, M1);
    W(stvec, 0x80200401);
    P1("rw.stvec_vectored", R(stvec));
    W(stvec, 0x80200402);
    P1("rw.stvec_mode2", R(stvec));
    W(stvec, 0x80200404);
    P1("rw.stvec_4", R(stvec));
    extern char vector[];
    W(stvec, vector);
    RW("scounteren", scounteren, M1);
    RW("senvcfg", 0x10a, M1);
    RW("sscratch", sscratch, M1);
    RW("sepc", sepc, M1);
    RW("scause", scause, M1);
    RW("stval", stval, M1);
    RW("sip", sip, M1);
    RW("sstatus", sstatus, M1 & ~2UL);
    static const u64 ss[] = {0,    0x6000, 0x2000,        0x4000,        0x600,     0x18000,  0x40000, 0x80000,  0x100,
                             0x20, 0x40,   0x300000000UL, 0x100000000UL, 1UL << 63, 0x800000, 0x1,     0x1000000};
    u64 o = R(sstatus);
    for (unsigned i = 0; i < sizeof ss / 8; i++) {
        W(sstatus, ss[i]);
        u64 r = R(sstatus);
        W(sstatus, o);
        PX("sstatus", ss[i]);
        V(r);
    }
    W(sstatus, o);
    P1("sstatus.back", R(sstatus));
    RW("fflags", fflags, M1);
    RW("frm", frm, M1);
    RW("fcsr", fcsr, M1);
    for (u64 m = 1; m < 16; m++)
        if (m < 8 || m > 10) {
            W(satp, m << 60);
            u64 v = R(satp);
            W(satp, 0);
            {
                PX("satp.mode", m);
                V(v);
            }
        }
    if (SSTC) { RW("stimecmp", STIMECMP, 0x123456789abcdef0UL); }
    {
        u64 t = now(), u = now();
        P2("time", u >= t, u - t < 10000);
        t = rpc(H1, f_time, 0, 0, 0, 0);
        u = now();
        u64 w = rpc(VM1, f_time, 0, 0, 0, 0);
        P2("time.same", u - t < 1000 * MS, w - u < 1000 * MS);
    }
    W(fcsr, 0);
    {
        u64 v, w;
        __asm__ volatile("li t0,0x3ff0000000000000\n fmv.d.x ft0,t0\n fadd.d ft1,ft0,ft0\n fmv.x.d %0,ft1\n fdiv.d "
                         "ft1,ft0,ft1\n li t0, 3\n fcvt.d.l ft2,t0\n fdiv.d ft2,ft0,ft2\n fmv.x.d %1,ft2"
                         : "=r"(v), "=r"(w)::"t0", "memory");
        P3("fp.ops", v, w, R(fcsr));
        W(fcsr, 0);
    }
    W(sstatus, 0);
    W(sstatus, 0x2000);
    P1("fs.initial", R(sstatus));
    __asm__ volatile("fmv.d.x ft0,x0");
    P1("fs.dirty", R(sstatus));
    W(sstatus, 0x4000);
    (void)R(fcsr);
    P1("fs.read_clean", R(sstatus));
    W(sstatus, o);
}
static void timers(void) {
    W(sie, 0);
    if (SSTC) {
        W(STIMECMP, now() + 20 * MS);
        u64 a = R(sip);
        u64 s = now();
        u64 b = sip_wait(0x20, 200 * MS);
        u64 d = now() - s;
        P3("timer.stimecmp", a, b, d >= 19 * MS && d < 150 * MS);
        P1("timer.stays", R(sip));
        CLR(sip, 0x20);
        P1("timer.clr_stip", R(sip));
        W(STIMECMP, M1);
        P1("timer.max", R(sip));
        W(STIMECMP, 0);
        P1("timer.zero", R(sip));
        W(STIMECMP, now() + 100000 * MS);
        P1("timer.future", R(sip));
    }
    {
        u64 t = now() + 20 * MS, e = sbi(N_TIME, 0, t, 0), v = val, a = R(sip), b = sip_wait(0x20, 300 * MS),
            d = now() - t;
        P("timer.sbi");
        V(e);
        V(a);
        V(b);
        V(d < 150 * MS);
        if (SSTC) V(R(STIMECMP) == t);
    }
    P1("timer.sbi_stays", R(sip));
    sbi(N_TIME, 0, M1, 0);
    P1("timer.sbi_max", R(sip));
    sbi(N_TIME, 0, 0, 0);
    delay(5 * MS);
    P1("timer.sbi_zero", R(sip));
    sbi(N_TIME, 0, now() + 100000 * MS, 0);
    delay(MS);
    P1("timer.sbi_future", R(sip));
    SET(sip, 0x20);
    P1("timer.set_stip", R(sip));
    {
        u64 k = irq_n[0];
        sbi(N_TIME, 0, now() + 10 * MS, 0);
        W(sie, 0x20);
        SET(sstatus, 2);
        delay(60 * MS);
        CLR(sstatus, 2);
        W(sie, 0);
        P3("timer.taken", irq_n[0] - k, irq_cause[0], R(sip));
    }
    {
        u64 k = irq_n[0];
        sbi(N_TIME, 0, now() + 20 * MS, 0);
        W(sie, 0x20);
        u64 s = now();
        __asm__ volatile("wfi");
        u64 d = now() - s;
        W(sie, 0);
        P3("timer.wfi_masked", irq_n[0] - k, d > 5 * MS, R(sip));
    }
    sbi(N_TIME, 0, M1, 0);
    if (SSTC) P1("timer.sbi_max_stimecmp", R(STIMECMP));
    P2("timer.vm1", rpc(VM1, f_sbi, N_TIME, 0, 0, 0), (delay(5 * MS), rpc(VM1, f_sip, 0, 0, 0, 0)));
    rpc(VM1, f_sbi, N_TIME, 0, M1, 0);
}
static u64 last(void) { return exc_n[0]; }
static void ex(const char *n, u64 k, u64 r) {
    P(n);
    V(exc_n[0] - k);
    if (exc_n[0] != k) {
        V(exc_cause[0]);
        V(exc_tval[0]);
    }
    V(r);
}
static char buf[256] __attribute__((aligned(64)));
static u64 run_patch(u32 insn, u64 a0, u64 a1) {
    patch[0] = insn;
    __asm__ volatile("fence.i");
    register u64 x __asm__("a0") = a0;
    register u64 y __asm__("a1") = a1;
    __asm__ volatile("la t0, patch\n jalr t0" : "+r"(x), "+r"(y)::"ra", "t0", "memory");
    return x;
}
static void user_on(void);
static u64 run_user(u32 insn, u64 a0, u64 a1) {
    upatch[0] = insn;
    __asm__ volatile("fence.i");
    u_run(a0, a1, upatch);
    return u_a0[me()];
}
static void insns(void) {
    u64 k;
    k = last();
    __asm__ volatile("ebreak");
    P4("ins.ebreak", exc_n[0] - k, exc_cause[0], exc_tval[0] == exc_epc[0], exc_tval[0]);
    k = last();
    __asm__ volatile(".option push\n.option arch,+c\n .balign 4\n c.ebreak\n c.nop\n.option pop");
    P3("ins.c_ebreak", exc_n[0] - k, exc_cause[0], exc_tval[0] == exc_epc[0]);
    for (int i = 0; i < 256; i++) buf[i] = i;
#define I(n, w, a, b) \
    do { \
        k = last(); \
        u64 r_ = run_patch(w, a, b); \
        ex("ins." n, k, r_); \
    } while (0)
    I("ld_mis1", 0x00053503, (u64)buf + 1, 0);
    I("ld_mis4", 0x00053503, (u64)buf + 4, 0);
    I("ld_cross64", 0x00053503, (u64)buf + 61, 0);
    I("lw_mis", 0x00052503, (u64)buf + 3, 0);
    I("lh_mis", 0x00051503, (u64)buf + 1, 0);
    I("sd_mis", 0x00b53023, (u64)buf + 9, 0x8877665544332211UL);
    P1("ins.sd_mis_mem", r64((u64)buf + 8));
    I("sfence_all", 0x12000073, 0, 0);
    I("sfence_va", 0x12050073, 0x80200000, 0);
    I("fence_i", 0x0000100f, 0, 0);
    I("fence_tso", 0x8330000f, 0, 0);
    I("pause", 0x0100000f, 0, 0);
    I("amoadd", 0x00b5352f, (u64)buf, 1);
    I("lr", 0x1005352f, (u64)buf, 0);
    I("sc_alone", 0x18b5352f, (u64)buf, 5);
    if (!selector[9]) {
        I("cbo_zero", 0x0045200f, (u64)buf, 0);
        P1("ins.cbo_zero_mem", r64((u64)buf + 56) | r64((u64)buf));
        I("cbo_clean", 0x0015200f, (u64)buf, 0);
        I("cbo_flush", 0x0025200f, (u64)buf, 0);
        I("cbo_inval", 0x0005200f, (u64)buf, 0);
    }
    I("prefetch_r", 0x00156013, (u64)buf, 0);
    {
        u64 s = now();
        W(sie, 2);
        SET(sip, 2);
        k = last();
        run_patch(0x10500073, 0, 0);
        CLR(sip, 2);
        W(sie, 0);
        P2("ins.wfi_pending", exc_n[0] - k, now() - s < 50 * MS);
    }
}
static void mapit(u64 va, u64 pte) { ptl[va >> 12 & 511] = pte; }
static void mmu(void) {
    // Sv39: gigapages 0..3 identity, 4th gigabyte-slot 4 -> 4 KiB table at va 0x1_0000_0000
    for (u64 i = 0; i < 4; i++) pt0[i] = (i << 28) | 0xcf;
    pt0[4] = ((u64)pt1 >> 12 << 10) | 1;
    pt1[0] = ((u64)ptl >> 12 << 10) | 1;
    u64 pb = ((u64)buf & ~0xfffUL) >> 12 << 10, off = (u64)buf & 0xfff, B = 0x100000000UL;
    mapit(0x1000, pb | 0xc7);
    mapit(0x2000, pb | 0xc3);
    mapit(0x3000, pb | 0xd7);
    mapit(0x4000, pb | 0x47);
    mapit(0x5000, pb | 0x07);
    mapit(0x6000, pb | 0xc5);
    mapit(0x7000, pb | 0xc9);
    mapit(0x8000, pb | 0xc7 | 1UL << 61);
    mapit(0x9000, pb | 0xc7 | 1UL << 63);
    mapit(0xa000, pb | 0xc7 | 1UL << 54);
    mapit(0xb000, pb | 0xc7 | 3UL << 61);
    __asm__ volatile("fence");
    W(satp, 8UL << 60 | (u64)pt0 >> 12);
    __asm__ volatile("sfence.vma");
    P1("mmu.satp39", R(satp) >> 60);
    u64 k, r;
    w64((u64)buf, 0x1122334455667788UL);
#define L(n, w, a, b) \
    do { \
        k = last(); \
        r = run_patch(w, a, b); \
        ex("mmu." n, k, exc_n[0] == k ? r : 0); \
    } while (0)
    L("ld_ok", 0x00053503, B + 0x1000 + off, 0);
    L("sd_ok", 0x00b53023, B + 0x1000 + off, 7);
    L("ld_unmapped", 0x00053503, B, 0);
    L("sd_unmapped", 0x00b53023, B + 8, 0);
    L("sd_ro", 0x00b53023, B + 0x2000 + off, 1);
    L("ld_user", 0x00053503, B + 0x3000 + off, 0);
    SET(sstatus, 1 << 18);
    L("ld_user_sum", 0x00053503, B + 0x3000 + off, 0);
    CLR(sstatus, 1 << 18);
    L("sd_d0", 0x00b53023, B + 0x4000 + off, 9);
    P1("mmu.pte_d", ptl[4] & 0xff);
    L("ld_a0", 0x00053503, B + 0x5000 + off, 0);
    P1("mmu.pte_a", ptl[5] & 0xff);
    L("ld_w_only", 0x00053503, B + 0x6000 + off, 0);
    L("ld_x_only", 0x00053503, B + 0x7000 + off, 0);
    SET(sstatus, 1 << 19);
    L("ld_x_only_mxr", 0x00053503, B + 0x7000 + off, 0);
    CLR(sstatus, 1 << 19);
    L("ld_pbmt", 0x00053503, B + 0x8000 + off, 0);
    L("ld_napot", 0x00053503, B + 0x9000 + off, 0);
    L("ld_reserved", 0x00053503, B + 0xa000 + off, 0);
    L("ld_pbmt3", 0x00053503, B + 0xb000 + off, 0);
    L("ld_noncanonical", 0x00053503, 1UL << 40, 0);
    L("ld_negative", 0x00053503, M1 - 0xfff, 0);
    L("amo_unmapped", 0x00b5352f, B, 0);
    L("lr_unmapped", 0x1005352f, B, 0);
    L("sd_cross", 0x00b53023, B + 0x1ffc, 0);
    {
        k = last();
        __asm__ volatile("mv t0,%0\n jalr t0" ::"r"(B + 0x40) : "ra", "t0", "memory");
        ex("mmu.fetch_unmapped", k, exc_epc[0]);
        k = last();
        __asm__ volatile("mv t0,%0\n jalr t0" ::"r"(B + 0x1000) : "ra", "t0", "memory");
        ex("mmu.fetch_nx", k, exc_epc[0]);
        k = last();
        __asm__ volatile("mv t0,%0\n jalr t0" ::"r"(1UL << 45) : "ra", "t0", "memory");
        ex("mmu.fetch_noncanonical", k, exc_epc[0]);
    }
    W(satp, 0);
    __asm__ volatile("sfence.vma");
    for (int i = 0; i < 512; i++) pt2[i] = 0;
    pt2[0] = ((u64)pt0 >> 12 << 10) | 1;
    __asm__ volatile("fence");
    W(satp, 9UL << 60 | (u64)pt2 >> 12);
    __asm__ volatile("sfence.vma");
    P1("mmu.satp48", R(satp) >> 60);
    W(satp, 0);
    __asm__ volatile("sfence.vma");
    for (int i = 0; i < 512; i++) pt1[i] = 0;
    pt1[0] = ((u64)pt2 >> 12 << 10) | 1;
    __asm__ volatile("fence");
    W(satp, 10UL << 60 | (u64)pt1 >> 12);
    __asm__ volatile("sfence.vma");
    P1("mmu.satp57", R(satp) >> 60);
    W(satp, 0);
    __asm__ volatile("sfence.vma");
    W(satp, 8UL << 60 | 0xffffUL << 44 | (u64)pt0 >> 12);
    P1("mmu.asid_bits", R(satp) >> 44 & 0xffff);
    W(satp, 0);
    __asm__ volatile("sfence.vma");
}
static void user(void) { // no translation: U mode reaches all of the guest's memory
    u64 k;
#define U(n, w, a, b) \
    do { \
        k = last(); \
        u64 r_ = run_user(w, a, b); \
        P4("u." n, exc_n[0] - k, exc_cause[0], exc_tval[0], r_); \
    } while (0)
    U("nop", 0x00000013, 0x55, 0);
    U("ecall", 0x00000073, 0x66, 0);
    U("ebreak", 0x00100073, 1, 0);
    U("add", 0x00b50533, 1, 2);
    U("ld", 0x00053503, (u64)buf, 0);
    U("fence_i", 0x0000100f, 1, 0);
    U("pause", 0x0100000f, 1, 0);
    U("fcsr", 0x00302573, 0, 0);
    u64 o = f_scounteren(7, 0, 0, 0);
    {
        k = last();
        u64 t = now(), r = run_user(0xc0102573, 0, 0);
        P3("u.rdtime_scounteren7", exc_n[0] - k, exc_cause[0], r - t < 1000 * MS);
    }
    W(scounteren, o);
    if (selector[9]) return;
    W(SENVCFG, 0xf0);
    U("cbo_zero_senvcfg", 0x0045200f, (u64)buf, 0);
    U("cbo_flush_senvcfg", 0x0025200f, (u64)buf, 0);
    U("cbo_inval_senvcfg", 0x0005200f, (u64)buf, 0);
    P1("senvcfg.f0", R(SENVCFG));
    W(SENVCFG, 0);
}
static void shm(void) {
    u64 n = 0, f = 0;
    for (u64 o = 0x2000; o < 0x10000; o += 8)
        if (r64(SHM0 + o)) {
            n++;
            f = f ? f : o;
        }
    P2("shm.nonzero_2000", n, f);
    w64(SHM0 + 0x3000, 0xabcdef);
    P1("shm.vm1_sees", rpc(VM1, f_r32, SHM1 + 0x3000, 0, 0, 0));
    rpc(VM1, f_w32, SHM1 + 0xfffc, 0x4321, 0, 0);
    P1("shm.last_word", r32(SHM0 + 0xfffc));
    n = 0;
    for (u64 a = 0x81000000; a < 0x82000000; a += 8)
        if (r64(a)) n++;
    P1("ram.nonzero", n);
    P1("ram.end", (w64(0x841ffff8, 0x77), r64(0x841ffff8)));
    P1("vm1.hart_a0", r64(SHM0 + 0x1000 + 80));
}
static u64 irq_at(const char *n, u64 ev) {
    u64 e = hyp(1, 0, ev);
    PX(n, ev);
    V(e);
    return e;
}
static u64 v_pend(u64 a, u64 b, u64 c, u64 d) { return AIA ? (u64)r32(APLIC + 0x1c04) : r32(PLIC + 0x1004); }
static u64 v_claim(u64 a, u64 b, u64 c, u64 d) {
    if (AIA) {
        u64 v = r32(APLIC + 0x1c04);
        w32(APLIC + 0x1d04, v);
        return v;
    }
    u64 v = r32(PLIC + 0x201004);
    w32(PLIC + 0x201004, v);
    return v;
}
static u64 v_setup(u64 a, u64 b, u64 c, u64 d) {
    for (u64 i = 60; i < 63; i++)
        if (AIA)
            w32(APLIC + 4 * i, 4);
        else
            w32(PLIC + 4 * i, 1);
    if (!AIA) w32(PLIC + 0x2084, 7 << 28);
    return v_pend(0, 0, 0, 0);
}
static void ipc_out(void) {
    P1("ipc.vm1_before", rpc(VM1, v_pend, 0, 0, 0, 0));
    irq_at("ipc.pre", 0);
    delay(20 * MS);
    P1("ipc.vm1_unlistened", rpc(VM1, v_pend, 0, 0, 0, 0));
    P1("ipc.vm1_setup", rpc(VM1, v_setup, 0, 0, 0, 0));
    if (!AIA) P1("ipc.vm1_claim0", rpc(VM1, v_claim, 0, 0, 0, 0));
    static const u64 ev[] = {0, 1, 2, 3, 4, 63, M1, 1UL << 32, 1UL << 32 | 1, 0xffffffff};
    for (int i = 0; i < 10; i++) {
        irq_at("ipc.event", ev[i]);
        delay(20 * MS);
        V(rpc(VM1, v_pend, 0, 0, 0, 0));
        V(rpc(VM1, f_sip, 0, 0, 0, 0));
        V(rpc(VM1, v_claim, 0, 0, 0, 0));
        V(R(sip));
    }
    hyp(1, 0, 0);
    hyp(1, 0, 2);
    hyp(1, 0, 0);
    delay(20 * MS);
    P("ipc.several");
    V(rpc(VM1, v_pend, 0, 0, 0, 0));
    for (int i = 0; i < 3; i++) V(rpc(VM1, v_claim, 0, 0, 0, 0));
    V(rpc(VM1, v_pend, 0, 0, 0, 0));
    P1("ipc.from_hart1", rpc(H1, f_hyp, 1, 0, 1, 0));
    delay(20 * MS);
    P1("ipc.from_hart1_pend", rpc(VM1, v_claim, 0, 0, 0, 0));
    P2("ipc.vm1_bad_event", rpc(VM1, f_hyp, 1, 0, 2, 0),
       (delay(20 * MS), AIA ? r32(APLIC + 0x1c04) : r32(PLIC + 0x1004)));
    P1("ipc.vm1_bad_index", rpc(VM1, f_hyp, 1, 1, 0, 0));
}
static void special(u64 n) {
    switch (n) {
    case 1:
        W(sstatus, R(sstatus) & ~0x6000UL);
        __asm__ volatile("fmv.d.x ft0,x0");
        break; // FS off
    case 2:
        pt0[2] = (2UL << 28) | 0xcf;
        pt0[0] = 0x40000000UL >> 2 | 0xcf;
        __asm__ volatile("fence");
        W(satp, 8UL << 60 | (u64)pt0 >> 12);
        __asm__ volatile("sfence.vma");
        {
            volatile u64 v = r64(0x10);
            (void)v;
        }
        break; // VA to an IPA that is not there
    case 3:
        W(satp, 8UL << 60 | 0x40000);
        __asm__ volatile("sfence.vma\n nop\n nop");
        break; // page table outside RAM
    case 4:
        __asm__ volatile("la t0, 1f+2\n jr t0\n .balign 4\n1: .word 0x00010001\n .word 0x00010001");
        break;
    case 5:
        W(SISELECT, 0x81);
        V(R(SIREG));
        break;
    case 6:
        W(SISELECT, 0x30);
        V(R(SIREG));
        break;
    case 7:
        W(SISELECT, 0x71);
        V(R(SIREG));
        break;
    case 8:
        W(SISELECT, 0x100);
        V(R(SIREG));
        break;
    case 9:
        W(SISELECT, 0x70);
        V(R(SIREG));
        break;
    case 10:
        pw(CTX(1) + 4, 1024);
        pw(CTX(1) + 4, 0xffffffff);
        break;
    case 11: {
        u64 s = now();
        W(sie, 0x20);
        if (SSTC)
            W(STIMECMP, s + 20 * MS);
        else
            sbi(N_TIME, 0, s + 20 * MS, 0);
        W(sie, 0);
        __asm__ volatile("wfi");
        V(now() - s < 50 * MS);
        break;
    } // wfi with nothing enabled
    case 12:
        sbi(N_HSM, 3, 0, 0);
        break; // suspend, nothing enabled
    case 13:
        W(sie, 0);
        if (SSTC) W(STIMECMP, now() + 20 * MS);
        sbi(N_HSM, 3, 0, 0);
        break;
    case 14:
        W(stvec, 0x1000);
        __asm__ volatile("ebreak");
        break; // handler address not mapped
    case 15:
        W(sstatus, R(sstatus) & ~0x6000UL);
        V(R(fcsr));
        break;
    case 16:
        w32(IMSIC + 0x2000, 5);
        break;
    case 17:
        w16(IMSIC, 5);
        break;
    case 18:
        w64(IMSIC, 5);
        break;
    case 19:
        V(r8(IMSIC));
        break;
    case 20:
        w32(IMSIC + 0x1000 * 1 + 2, 5);
        break;
    case 21:
        for (int i = 0; i < 2000; i++) sbi(N_IPI, 0, 2, 0);
        break;
    case 22:
        for (int i = 0; i < 300; i++) hyp(1, 0, 0);
        break;
    case 24:
        aw(0, 0x100);
        aw(IDC(0), 1);
        aw(SCFG(10), 6);
        aw(TGT(10), 6);
        aw(0x1edc, 10);
        w8(UART + 1, 2);
        delay(5 * MS);
        w8(UART + 1, 0);
        break; // a level source in direct mode
    case 23:
        __asm__ volatile("la t0, 1f\n csrw sepc,t0\n li t0,0x100\n csrc sstatus,t0\n sret\n1: wfi\n ecall");
        break; // wfi in U
    }
}
static void stop(void) {
    h1_mode = 1;
    sbi(N_HSM, 0, 1, (u64)secondary);
    u64 a = *(u64 *)&selector[2], b = *(u64 *)&selector[4], r = 0, k = exc_n[0];
    delay(20 * MS);
    puts_("\nGO");
    h1_go = 1;
    if (selector[0] == 1)
        r = run_patch(selector[1], a, b);
    else if (selector[0] == 2)
        r = run_user(selector[1], a, b);
    else if (selector[0] == 3)
        __asm__ volatile("mv t0,%0\n jalr t0" ::"r"(a) : "ra", "t0", "memory");
    else
        special(selector[1]);
    P("survived");
    V(exc_n[0] - k);
    if (exc_n[0] != k) {
        V(exc_cause[0]);
        V(exc_tval[0]);
    }
    V(r);
    puts_("\n");
    for (;;) __asm__ volatile("wfi");
}
static void vm1_main(void) {
    volatile u64 *h = (u64 *)SHM1;
    for (int i = 0; i < 80; i++) w64(SHM1 + 0x1000 + 8 * i, entry_state[i]);
    while (h[0x900 / 8] != 0x1122334455667788UL) w64(SHM1 + 0x800, r64(SHM1 + 0x800) + 1);
    h[0x908 / 8] = 0x8877665544332211UL;
    serve((struct mb *)SHM1, (u64 *)(SHM1 + 0x800));
}
void main0(void) {
    if (VM) vm1_main();
    puts_("\nSTART ");
    hex(selector[0]);
    if (selector[0]) stop();
    P("uart.reset");
    for (int i = 1; i < 8; i++) V(r8(UART + i));
    state("entry", entry_state);
    if (SSTC) P1("entry.stimecmp", R(STIMECMP));
    if (AIA == 1) P2("entry.siselect_stopi", R(SISELECT), R(STOPI));
    VM1->seq = VM1->done = 0;
    __asm__ volatile("fence");
    w64(SHM0 + 0x900, 0x1122334455667788UL);
    u64 t = now();
    while (r64(SHM0 + 0x908) != 0x8877665544332211UL && now() - t < 10000 * MS) {}
    P1("vm1.there", r64(SHM0 + 0x908) == 0x8877665544332211UL);
    delay(50 * MS);
    state("vm1entry", (u64 *)(SHM0 + 0x1000));
    sbi_all();
    second();
    shm();
    csrs();
    timers();
    insns();
    mmu();
    user();
    ipc_out();
    if (AIA == 2) {
        aia_regs();
        idc();
        aia_uart();
    } else if (AIA) {
        aia_regs();
        imsic();
        aia_ipc();
        aia_uart();
    } else {
        plic_regs();
        plic_ipc();
        plic_uart();
    }
    puts_("\nEND\n");
    for (;;) __asm__ volatile("wfi");
}
