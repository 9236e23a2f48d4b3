static u64 pl(u64 o) { return r32(PLIC + o); }
static void pw(u64 o, u64 v) { w32(PLIC + o, v); }
static u64 count(u64 base, u64 from, u64 to, u64 *first, u64 *last) {
    u64 n = 0;
    *first = *last = 0;
    for (u64 o = from; o < to; o += 4) {
        u64 v = r32(base + o);
        if (v) {
            if (!n) *first = o;
            *last = o;
            n++;
        }
    }
    return n;
}
static void cnt(const char *n, u64 base, u64 from, u64 to) {
    u64 f, l;
    u64 c = count(base, from, to, &f, &l);
    P3(n, c, f, l);
}
#define CTX(c) (0x200000 + 0x1000 * (c))
#define EN(c, w) (0x2000 + 0x80 * (c) + 4 * (w))
static u64 claim0(void) { return pl(CTX(1) + 4); }
static void comp0(u64 v) { pw(CTX(1) + 4, v); }
static void plic_regs(void) {
    cnt("plic.reset.prio", PLIC, 0, 0x1000);
    cnt("plic.reset.pend", PLIC, 0x1000, 0x2000);
    cnt("plic.reset.enable", PLIC, 0x2000, 0x3000);
    cnt("plic.reset.hart", PLIC, 0x200000, 0x204000);
    P4("plic.reset.threshold", pl(CTX(0)), pl(CTX(1)), pl(CTX(2)), pl(CTX(3)));
    P4("plic.reset.claim", pl(CTX(0) + 4), pl(CTX(1) + 4), pl(CTX(2) + 4), pl(CTX(3) + 4));
    for (u64 o = 0; o < 0x1000; o += 4) pw(o, 0xffffffff);
    static const u16 ids[] = {0, 1, 2, 10, 20, 21, 22, 31, 32, 52, 53, 60, 95, 96, 97, 127, 128, 255, 511, 1022, 1023};
    for (unsigned i = 0; i < sizeof ids / 2; i++) {
        PX("plic.ones.prio", ids[i]);
        V(pl(4 * ids[i]));
    }
    P2("plic.prio.sign", rs32(PLIC + 40), rs32(PLIC + 208));
    cnt("plic.ones.prio_nonzero", PLIC, 0, 0x1000);
    for (u64 v = 1; v <= 0x100; v <<= 1) {
        pw(40, v);
        pw(208, v);
        PX("plic.prio.bits", v);
        V(pl(40));
        V(pl(208));
    }
    for (u64 o = 0; o < 0x1000; o += 4) pw(o, 0);
    cnt("plic.zero.prio", PLIC, 0, 0x1000);
    for (u64 o = 0x1000; o < 0x2000; o += 4) pw(o, 0xffffffff);
    cnt("plic.ones.pend", PLIC, 0x1000, 0x2000);
    for (u64 c = 0; c < 32; c++) {
        u64 k = 0;
        for (u64 w = 0; w < 32; w++) { pw(EN(c, w), 0xffffffff); }
        u64 all = ~0UL;
        for (u64 w = 0; w < 32; w++) {
            u64 v = pl(EN(c, w));
            if (v) k++;
            all &= v;
        }
        PX("plic.ones.enable", c);
        V(k);
        V(all);
        V(pl(EN(c, 0)));
        V(pl(EN(c, 1)));
        V(pl(EN(c, 31)));
        for (u64 w = 0; w < 32; w++) pw(EN(c, w), 0);
    }
    cnt("plic.zero.enable", PLIC, 0x2000, 0x3000);
    pw(EN(1, 0), 0x80000000);
    P2("plic.enable.sign", rs32(PLIC + EN(1, 0)), r32(PLIC + EN(1, 0)));
    pw(EN(1, 0), 0);
    for (u64 c = 0; c < 4; c++) {
        pw(CTX(c), 0xffffffff);
        PX("plic.ones.threshold", c);
        V(pl(CTX(c)));
        V(rs32(PLIC + CTX(c)));
        pw(CTX(c), 0x12345678);
        V(pl(CTX(c)));
        pw(CTX(c), 0);
        V(pl(CTX(c)));
    }
    pw(CTX(1), 0x12345687);
    P4("plic.width.threshold", r8(PLIC + CTX(1)), rs8(PLIC + CTX(1)), r16(PLIC + CTX(1)), rs16(PLIC + CTX(1)));
    w8(PLIC + CTX(1), 0x155);
    P1("plic.width.sb", pl(CTX(1)));
    w16(PLIC + CTX(1), 0xabcdef);
    P1("plic.width.sh", pl(CTX(1)));
    pw(CTX(1), 5);
    P("plic.alias.hart");
    for (u64 o = 8; o <= 0x1c; o += 4) V(pl(CTX(1) + o));
    V(pl(CTX(1) + 0x20));
    V(pl(CTX(1) + 0xff0));
    V(pl(CTX(1) + 0xff8));
    V(pl(CTX(1) + 0xffc));
    pw(CTX(1) + 0x10, 7);
    P1("plic.alias.write10", pl(CTX(1)));
    pw(CTX(1) + 8, 9);
    pw(CTX(1) + 0xc, 9);
    P1("plic.alias.write8c", pl(CTX(1)));
    pw(CTX(1) + 0xff0, 3);
    P1("plic.alias.writeff0", pl(CTX(1)));
    pw(CTX(1), 0);
    P4("plic.x0", ({
           __asm__ volatile("lw x0,0(%0)" ::"r"(PLIC + 4));
           1;
       }),
       pl(4), ({
           __asm__ volatile("sw x0,0(%0)" ::"r"(PLIC + 4));
           1;
       }),
       pl(4));
    {
        u64 v;
        __asm__ volatile(".option push\n.option arch,+c\n mv a4,%1\n c.lw a5,4(a4)\n mv %0,a5\n.option pop"
                         : "=r"(v)
                         : "r"(PLIC + CTX(1) - 4)
                         : "a4", "a5", "memory");
        P1("plic.clw", v);
    }
    {
        __asm__ volatile(".option push\n.option arch,+c\n mv a4,%0\n li a5,0x77\n c.sw a5,4(a4)\n.option pop" ::"r"(
                             PLIC + CTX(1) - 4)
                         : "a4", "a5", "memory");
        P1("plic.csw", pl(CTX(1)));
        pw(CTX(1), 0);
    }
}
static void kick(u64 ev) { rpc(VM1, f_hyp, 1, 0, ev, 0); }
static void pend3(const char *n) {
    delay(20 * MS);
    P4(n, pl(0x1004), R(sip), rpc(H1, f_sip, 0, 0, 0, 0), 0);
}
static void plic_ipc(void) { // 52 and 53 are VM 0's IPC interrupts: bits 20 and 21 of word 1
    kick(0);
    pend3("plic.ipc.pending_disabled");
    kick(0);
    pend3("plic.ipc.twice");
    P1("plic.ipc.claim_disabled", claim0());
    pw(4 * 52, 1);
    pend3("plic.ipc.prio_only");
    pw(EN(1, 1), 1 << 20);
    pend3("plic.ipc.enabled");
    pw(EN(1, 1), 0);
    pend3("plic.ipc.disabled_again");
    pw(EN(1, 1), 1 << 20);
    pw(4 * 52, 0);
    pend3("plic.ipc.prio0");
    P1("plic.ipc.claim_prio0", claim0());
    pw(4 * 52, 1);
    pw(CTX(1), 1);
    pend3("plic.ipc.threshold_equal");
    P1("plic.ipc.claim_threshold", claim0());
    pw(CTX(1), 0);
    pend3("plic.ipc.threshold0");
    P1("plic.ipc.claim", claim0());
    pend3("plic.ipc.after_claim");
    P1("plic.ipc.claim_again", claim0());
    kick(0);
    pend3("plic.ipc.again_while_active");
    P1("plic.ipc.claim_while_active", claim0());
    comp0(52);
    pend3("plic.ipc.completed");
    P1("plic.ipc.claim3", claim0());
    comp0(53);
    pend3("plic.ipc.complete_other");
    kick(0);
    P1("plic.ipc.claim_other", claim0());
    comp0(0);
    comp0(52);
    pend3("plic.ipc.complete0");
    P1("plic.ipc.claim5", claim0());
    comp0(52);
    comp0(52);
    pend3("plic.ipc.idle");
    // order
    pw(4 * 53, 1);
    pw(EN(1, 1), 3 << 20);
    kick(1);
    kick(0);
    delay(20 * MS);
    {
        u64 a = claim0(), b = claim0();
        P2("plic.order.equal", a, b);
        comp0(a);
        comp0(b);
    }
    pw(4 * 53, 2);
    kick(0);
    kick(1);
    delay(20 * MS);
    {
        u64 a = claim0(), s = R(sip), b = claim0();
        P3("plic.order.prio", a, s, b);
        comp0(b);
        comp0(a);
    }
    pw(4 * 52, 0xffffffff);
    pw(4 * 53, 0x7fffffff);
    kick(0);
    kick(1);
    delay(20 * MS);
    {
        u64 a = claim0(), b = claim0();
        P2("plic.order.big", a, b);
        comp0(b);
        comp0(a);
    }
    pw(4 * 52, 1);
    pw(4 * 53, 1);
    pw(CTX(1), 1);
    kick(0);
    delay(20 * MS);
    pw(4 * 52, 2);
    pend3("plic.order.raise_prio");
    {
        u64 a = claim0();
        P1("plic.order.raised", a);
        comp0(a);
    }
    pw(CTX(1), 0);
    pw(4 * 52, 1);
    // other hart
    pw(EN(1, 1), 0);
    pw(EN(3, 1), 1 << 20);
    kick(0);
    pend3("plic.other.enable_by_0");
    P1("plic.other.claim_by_0", claim0());
    P1("plic.other.claim_by_0_ctx3", pl(CTX(3) + 4));
    pend3("plic.other.after");
    P1("plic.other.complete_by_0_ctx1", (comp0(52), 0));
    kick(0);
    pend3("plic.other.again");
    P1("plic.other.claim_by_1", rpc(H1, f_r32, PLIC + CTX(3) + 4, 0, 0, 0));
    pend3("plic.other.claimed");
    kick(0);
    pend3("plic.other.while_active");
    rpc(H1, f_w32, PLIC + CTX(3) + 4, 52, 0, 0);
    pend3("plic.other.completed");
    P1("plic.other.claim_by_1_again", rpc(H1, f_r32, PLIC + CTX(3) + 4, 0, 0, 0));
    rpc(H1, f_w32, PLIC + CTX(3) + 4, 52, 0, 0);
    rpc(H1, f_w32, PLIC + EN(1, 1), 1 << 20, 0, 0);
    kick(0);
    pend3("plic.both.pending");
    {
        u64 a = claim0();
        delay(20 * MS);
        u64 b = rpc(H1, f_r32, PLIC + CTX(3) + 4, 0, 0, 0);
        P2("plic.both.claim", a, b);
    }
    pend3("plic.both.claimed");
    comp0(52);
    pend3("plic.both.completed");
    kick(0);
    delay(20 * MS);
    {
        u64 a = R(sip), b = rpc(H1, f_sip, 0, 0, 0, 0), c = claim0();
        delay(20 * MS);
        u64 d = R(sip), e = rpc(H1, f_sip, 0, 0, 0, 0);
        comp0(c);
        delay(20 * MS);
        u64 f = rpc(H1, f_sip, 0, 0, 0, 0);
        u64 g = rpc(H1, f_r32, PLIC + CTX(3) + 4, 0, 0, 0), h = rpc(H1, f_sip, 0, 0, 0, 0);
        P("plic.both.stale");
        V(a);
        V(b);
        V(c);
        V(d);
        V(e);
        V(f);
        V(g);
        V(h);
    }
    kick(0);
    delay(20 * MS);
    {
        u64 a = R(sip), b = rpc(H1, f_sip, 0, 0, 0, 0);
        pw(EN(3, 1), 0);
        delay(20 * MS);
        u64 c = rpc(H1, f_sip, 0, 0, 0, 0);
        pw(EN(3, 1), 1 << 20);
        delay(20 * MS);
        u64 d = rpc(H1, f_sip, 0, 0, 0, 0);
        pw(4 * 52, 0);
        delay(20 * MS);
        u64 e = R(sip), f = rpc(H1, f_sip, 0, 0, 0, 0);
        pw(4 * 52, 1);
        u64 g = claim0();
        comp0(g);
        rpc(H1, f_r32, PLIC + CTX(3) + 4, 0, 0, 0);
        P("plic.both.disable_one");
        V(a);
        V(b);
        V(c);
        V(d);
        V(e);
        V(f);
        V(g);
    }
    pw(CTX(3), 7);
    kick(0);
    pend3("plic.both.threshold3");
    {
        u64 a = claim0();
        comp0(a);
        P1("plic.both.claim_t", a);
    }
    rpc(H1, f_w32, PLIC + CTX(3), 0, 0, 0);
    pend3("plic.both.threshold3_0");
    pw(EN(3, 1), 0);
    pend3("plic.both.stale_line");
    // M context
    pw(EN(1, 1), 0);
    pw(EN(0, 1), 1 << 20);
    kick(0);
    pend3("plic.mctx.enable");
    P2("plic.mctx.claim", pl(CTX(0) + 4), pl(CTX(2) + 4));
    pw(CTX(0) + 4, 52);
    pw(EN(0, 1), 0);
    pw(EN(1, 1), 1 << 20);
    {
        u64 a = claim0();
        comp0(a);
        P1("plic.mctx.end", a);
    }
    P2("plic.complete_unclaimed", (comp0(60), pl(0x1004)), R(sip));
    P2("plic.complete_1023", (comp0(1023), pl(0x1004)), R(sip));
    // taken as an interrupt
    {
        u64 k = irq_n[0];
        W(sie, 0x200);
        SET(sstatus, 2);
        kick(0);
        delay(20 * MS);
        CLR(sstatus, 2);
        W(sie, 0);
        u64 a = claim0();
        comp0(a);
        P4("plic.taken", irq_n[0] - k, irq_cause[0], a, R(sip));
    }
    pw(EN(1, 1), 0);
}
static void plic_uart(void) {
    P1("uart.before", pl(0x1000));
    w8(UART + 1, 2);
    delay(5 * MS);
    P3("uart.thre.disabled", pl(0x1000), R(sip), r8(UART + 2));
    w8(UART + 1, 0);
    pw(40, 1);
    pw(EN(1, 0), 1 << 10);
    delay(5 * MS);
    P2("uart.idle", pl(0x1000), R(sip));
    w8(UART + 1, 2);
    delay(5 * MS);
    u64 p0 = pl(0x1000), s0 = R(sip), c = claim0(), p1 = pl(0x1000), s1 = R(sip);
    w8(UART + 1, 0);
    comp0(c);
    P("uart.thre");
    V(p0);
    V(s0);
    V(c);
    V(p1);
    V(s1);
    V(pl(0x1000));
    V(R(sip));
    w8(UART + 1, 2);
    delay(5 * MS);
    c = claim0();
    comp0(c);
    delay(5 * MS);
    u64 c2 = claim0();
    u64 iir = r8(UART + 2);
    comp0(c2);
    delay(5 * MS);
    u64 c3 = claim0();
    comp0(c3);
    w8(UART + 1, 0);
    delay(5 * MS);
    u64 c4 = claim0();
    comp0(c4);
    P("uart.level");
    V(c);
    V(c2);
    V(iir);
    V(c3);
    V(c4);
    pw(40, 0);
    w8(UART + 1, 2);
    delay(5 * MS);
    p0 = pl(0x1000);
    s0 = R(sip);
    pw(40, 1);
    delay(5 * MS);
    p1 = pl(0x1000);
    s1 = R(sip);
    c = claim0();
    w8(UART + 1, 0);
    comp0(c);
    P("uart.prio0_then_1");
    V(p0);
    V(s0);
    V(p1);
    V(s1);
    V(c);
    pw(CTX(1), 1);
    w8(UART + 1, 2);
    delay(5 * MS);
    p0 = pl(0x1000);
    s0 = R(sip);
    pw(CTX(1), 0);
    delay(5 * MS);
    p1 = pl(0x1000);
    s1 = R(sip);
    c = claim0();
    w8(UART + 1, 0);
    comp0(c);
    P("uart.threshold1_then_0");
    V(p0);
    V(s0);
    V(p1);
    V(s1);
    V(c);
    // claimed, disabled, completed
    w8(UART + 1, 2);
    delay(5 * MS);
    c = claim0();
    pw(EN(1, 0), 0);
    w8(UART + 1, 0);
    comp0(c);
    delay(5 * MS);
    pw(EN(1, 0), 1 << 10);
    delay(5 * MS);
    p0 = pl(0x1000);
    c2 = claim0();
    comp0(c2);
    w8(UART + 1, 2);
    delay(5 * MS);
    c3 = claim0();
    w8(UART + 1, 0);
    comp0(c3);
    P("uart.complete_disabled");
    V(c);
    V(p0);
    V(c2);
    V(c3);
    // pending (physically claimed), disabled in the PLIC before the guest claims
    w8(UART + 1, 2);
    delay(5 * MS);
    p0 = pl(0x1000);
    pw(EN(1, 0), 0);
    s0 = R(sip);
    c = claim0();
    s1 = R(sip);
    pw(EN(1, 0), 1 << 10);
    u64 s2 = R(sip);
    c2 = claim0();
    w8(UART + 1, 0);
    comp0(c2);
    P("uart.disable_pending");
    V(p0);
    V(s0);
    V(c);
    V(s1);
    V(s2);
    V(c2);
    V(R(sip));
    // hart 1 gets it
    w8(UART + 1, 2);
    delay(5 * MS);
    c = claim0();
    w8(UART + 1, 0);
    comp0(c);
    pw(EN(1, 0), 0);
    pw(EN(3, 0), 1 << 10);
    w8(UART + 1, 2);
    delay(5 * MS);
    s0 = R(sip);
    s1 = rpc(H1, f_sip, 0, 0, 0, 0);
    c = claim0();
    c2 = rpc(H1, f_r32, PLIC + CTX(3) + 4, 0, 0, 0);
    w8(UART + 1, 0);
    rpc(H1, f_w32, PLIC + CTX(3) + 4, c2, 0, 0);
    P("uart.hart1");
    V(s0);
    V(s1);
    V(c);
    V(c2);
    V(rpc(H1, f_sip, 0, 0, 0, 0));
    // both harts
    pw(EN(1, 0), 1 << 10);
    w8(UART + 1, 2);
    delay(20 * MS);
    s0 = R(sip);
    s1 = rpc(H1, f_sip, 0, 0, 0, 0);
    p0 = pl(0x1000);
    c = claim0();
    c2 = rpc(H1, f_r32, PLIC + CTX(3) + 4, 0, 0, 0);
    w8(UART + 1, 0);
    comp0(10);
    rpc(H1, f_w32, PLIC + CTX(3) + 4, 10, 0, 0);
    P("uart.both");
    V((s0 | s1) & 0x200);
    V(p0);
    V(c + c2);
    V(R(sip));
    V(rpc(H1, f_sip, 0, 0, 0, 0));
    pw(EN(3, 0), 0);
    // completed by the other hart through the claimer's context; completed through the wrong context
    w8(UART + 1, 2);
    delay(5 * MS);
    c = claim0();
    w8(UART + 1, 0);
    rpc(H1, f_w32, PLIC + CTX(1) + 4, 10, 0, 0);
    w8(UART + 1, 2);
    delay(5 * MS);
    p0 = pl(0x1000);
    c2 = claim0();
    w8(UART + 1, 0);
    comp0(10);
    w8(UART + 1, 2);
    delay(5 * MS);
    c3 = claim0();
    w8(UART + 1, 0);
    comp0(10);
    P("uart.complete_by_hart1");
    V(c);
    V(p0);
    V(c2);
    V(c3);
    w8(UART + 1, 2);
    delay(5 * MS);
    c = claim0();
    w8(UART + 1, 0);
    pw(CTX(3) + 4, 10);
    w8(UART + 1, 2);
    delay(5 * MS);
    c2 = claim0();
    w8(UART + 1, 0);
    comp0(10);
    P("uart.complete_ctx3_by_0");
    V(c);
    V(c2);
    for (u64 v = 6; v < 9; v++) {
        pw(40, v);
        w8(UART + 1, 2);
        delay(5 * MS);
        p0 = pl(0x1000);
        c = claim0();
        w8(UART + 1, 0);
        comp0(c);
        PX("uart.prio", v);
        V(p0);
        V(c);
    }
    pw(40, 1);
    delay(5 * MS);
    c = claim0();
    comp0(c);
    P1("uart.prio_back_to_1", c);
    for (u64 v = 6; v < 10; v++) {
        pw(40, v - 5);
        pw(CTX(1), v);
        w8(UART + 1, 2);
        delay(5 * MS);
        p0 = pl(0x1000);
        s0 = R(sip);
        pw(CTX(1), 0);
        delay(5 * MS);
        p1 = pl(0x1000);
        c = claim0();
        w8(UART + 1, 0);
        comp0(c);
        PX("uart.threshold", v);
        V(p0);
        V(s0);
        V(p1);
        V(c);
    }
    pw(40, 1);
    // sources 20 and 21 are assigned without a device: plic pending by nothing
    pw(80, 1);
    pw(EN(1, 0), 1 << 20);
    delay(5 * MS);
    P2("uart.unused_source", pl(0x1000), claim0());
    pw(EN(1, 0), 0);
}
