static u64 al(u64 o) { return r32(APLIC + o); }
static void aw(u64 o, u64 v) { w32(APLIC + o, v); }
#define SCFG(i) (4 * (i))
#define TGT(i) (0x3000 + 4 * (i))
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
static u64 sreg(u64 sel) { return f_sreg(sel, 0, 0, 0); }
static u64 sregw(u64 sel, u64 v) { return f_sregw(sel, v, 0, 0); }
static void kick(u64 ev) { rpc(VM1, f_hyp, 1, 0, ev, 0); }
static u64 take(void) {
    u64 s = now(), v;
    while (!(v = R(STOPEI)) && now() - s < 20 * MS) {}
    if (v) W(STOPEI, 0);
    return v;
}
static void aia_regs(void) {
    P1("aplic.reset.domaincfg", al(0));
    cnt("aplic.reset.sourcecfg", APLIC, 4, 0x1000);
    cnt("aplic.reset.1000", APLIC, 0x1000, 0x2000);
    cnt("aplic.reset.2000", APLIC, 0x2000, 0x3000);
    cnt("aplic.reset.3000", APLIC, 0x3000, 0x4000);
    static const u64 dv[] = {0, 0xffffffff, 0x100, 0x80000104, 0x4, 0x1};
    for (int i = 0; i < 6; i++) {
        aw(0, dv[i]);
        PX("aplic.domaincfg", dv[i]);
        V(al(0));
        V(rs32(APLIC));
    }
    aw(0, 0);
    static const u16 src[] = {1, 10, 20, 52, 95, 96, 97, 1023};
    for (int j = 0; j < 8; j++) {
        PX("aplic.sourcecfg.modes", src[j]);
        for (u64 m = 0; m < 8; m++) {
            aw(SCFG(src[j]), m);
            V(al(SCFG(src[j])));
        }
        aw(SCFG(src[j]), 0x400);
        V(al(SCFG(src[j])));
        aw(SCFG(src[j]), 0xffffffff);
        V(al(SCFG(src[j])));
        aw(SCFG(src[j]), 0x7fffffff & ~0x400);
        V(al(SCFG(src[j])));
        aw(SCFG(src[j]), 0);
        V(al(SCFG(src[j])));
    }
    // inactive source: nothing sticks
    aw(TGT(52), 0x40005);
    aw(0x1c04, 1 << 20);
    aw(0x1e00 + 0xdc, 52);
    aw(0x1edc, 52);
    aw(0x1cdc, 52);
    P4("aplic.inactive", al(TGT(52)), al(0x1c04), al(0x1e04), al(0x1c04));
    for (u64 i = 1; i < 1024; i++) aw(SCFG(i), 6);
    cnt("aplic.ones.sourcecfg", APLIC, 4, 0x1000);
    for (u64 o = 0x1c00; o < 0x1c80; o += 4) aw(o, 0xffffffff);
    cnt("aplic.ones.setip", APLIC, 0x1c00, 0x1c80);
    cnt("aplic.ones.in_clrip", APLIC, 0x1d00, 0x1d80);
    P4("aplic.ones.setip_words", al(0x1c00), al(0x1c04), al(0x1c08), al(0x1c7c));
    P4("aplic.ones.in_clrip_words", al(0x1d00), al(0x1d04), al(0x1d08), al(0x1d7c));
    for (u64 o = 0x1d00; o < 0x1d80; o += 4) aw(o, 0xffffffff);
    cnt("aplic.clr.setip", APLIC, 0x1c00, 0x1c80);
    for (u64 o = 0x1e00; o < 0x1e80; o += 4) aw(o, 0xffffffff);
    P4("aplic.ones.setie_words", al(0x1e00), al(0x1e04), al(0x1e08), al(0x1e7c));
    cnt("aplic.ones.setie", APLIC, 0x1e00, 0x1e80);
    cnt("aplic.ones.clrie_read", APLIC, 0x1f00, 0x1f80);
    P1("aplic.setie.sign", rs32(APLIC + 0x1e00));
    for (u64 o = 0x1f00; o < 0x1f80; o += 4) aw(o, 0xffffffff);
    cnt("aplic.clr.setie", APLIC, 0x1e00, 0x1e80);
    static const u64 tv[] = {0xffffffff, 0,       1,       5,       0x7ff,   0x800,   0x1000,
                             0x3f000,    0x40000, 0x40005, 0x80000, 0x80005, 0xc1005, 0xfffc0001};
    for (int j = 0; j < 3; j++) {
        u64 i = j == 0 ? 52 : j == 1 ? 10 : 1023;
        PX("aplic.target", i);
        for (int k = 0; k < 14; k++) {
            aw(TGT(i), tv[k]);
            V(al(TGT(i)));
        }
        aw(TGT(i), 0);
    }
    aw(0x1edc, 52);
    P1("aplic.setienum.52", al(0x1e04));
    aw(0x1fdc, 52);
    P1("aplic.clrienum.52", al(0x1e04));
    aw(0x1cdc, 52);
    P1("aplic.setipnum.52", al(0x1c04));
    aw(0x1ddc, 52);
    P1("aplic.clripnum.52", al(0x1c04));
    static const u64 nv[] = {0, 1, 1023, 1024, 0xffff, 0xffffffff};
    for (int i = 0; i < 6; i++) {
        aw(0x1cdc, nv[i]);
        aw(0x1edc, nv[i]);
        PX("aplic.num", nv[i]);
        V(al(0x1c00));
        V(al(0x1c7c));
        V(al(0x1e00));
        V(al(0x1e7c));
        aw(0x1ddc, nv[i]);
        aw(0x1fdc, nv[i]);
    }
    P("aplic.num_read");
    V(al(0x1cdc));
    V(al(0x1ddc));
    V(al(0x1edc));
    V(al(0x1fdc));
    V(al(0x1f00));
    aw(0x2000, 52);
    P1("aplic.setipnum_le", al(0x1c04));
    aw(0x2004, 0x34000000);
    P1("aplic.setipnum_be", al(0x1c04));
    aw(0x1ddc, 52);
    aw(0x3000, 0xffffffff);
    P1("aplic.genmsi", al(0x3000));
    P("aplic.msiaddr");
    for (u64 o = 0x1bc0; o <= 0x1bcc; o += 4) {
        aw(o, 0xffffffff);
        V(al(o));
    }
    P("aplic.alias");
    V(al(0x1c80));
    V(al(0x1cd8));
    V(al(0x1ce0));
    V(al(0x1dd8));
    V(al(0x1e80));
    V(al(0x1ed8));
    V(al(0x1ee0));
    V(al(0x2800));
    aw(0x1cd0, 52);
    V(al(0x1c04));
    aw(0x1ddc, 52);
    aw(0x1c80, 52);
    V(al(0x1c04));
    aw(0x1ddc, 52);
    aw(SCFG(52), 6);
    aw(TGT(52), 0x40005);
    aw(0x1edc, 52);
    aw(0x1cdc, 52);
    u64 a = al(TGT(52)), b = al(0x1e04), c = al(0x1c04);
    aw(SCFG(52), 0);
    P("aplic.deactivate");
    V(a);
    V(b);
    V(c);
    V(al(TGT(52)));
    V(al(0x1e04));
    V(al(0x1c04));
    for (u64 i = 1; i < 1024; i++) aw(SCFG(i), 0);
    cnt("aplic.zero.sourcecfg", APLIC, 4, 0x1000);
}
static void imsic(void) {
    P3("imsic.reset", sreg(0x70), sreg(0x72), R(STOPEI));
    P2("imsic.stopi", R(STOPI), R(sip));
    P("imsic.reset.eip");
    for (u64 i = 0x80; i < 0x88; i += 2) {
        u64 v = sreg(i);
        if (v) {
            V(i);
            V(v);
        }
    }
    P("imsic.reset.eie");
    for (u64 i = 0xc0; i < 0xc8; i += 2) {
        u64 v = sreg(i);
        if (v) {
            V(i);
            V(v);
        }
    }
    P("imsic.siselect");
    static const u64 sv[] = {~0UL, 0x70, 0x1ff, 0x3f, 0x100, 0};
    for (int i = 0; i < 6; i++) {
        W(SISELECT, sv[i]);
        V(R(SISELECT));
    }
    P("imsic.ones.eidelivery");
    V(sregw(0x70, ~0UL));
    V(sregw(0x70, 2));
    V(sregw(0x70, 1));
    V(sregw(0x70, 0x40000000));
    V(sregw(0x70, 0));
    P("imsic.ones.eithreshold");
    V(sregw(0x72, ~0UL));
    V(sregw(0x72, 0x100));
    V(sregw(0x72, 0xff));
    V(sregw(0x72, 5));
    V(sregw(0x72, 0));
    P("imsic.ones.eip");
    for (u64 i = 0x80; i < 0x88; i += 2) {
        u64 v = sregw(i, ~0UL);
        if (v) {
            V(i);
            V(v);
        }
    }
    P("imsic.ones.eie");
    for (u64 i = 0xc0; i < 0xc8; i += 2) {
        u64 v = sregw(i, ~0UL);
        if (v) {
            V(i);
            V(v);
        }
    }
    P3("imsic.topei_all", R(STOPEI), R(sip), R(STOPI));
    sregw(0x70, 1);
    P3("imsic.topei_delivery", R(STOPEI), R(sip), R(STOPI));
    sregw(0x72, 5);
    P2("imsic.topei_threshold5", R(STOPEI), R(sip));
    sregw(0x72, 1);
    P2("imsic.topei_threshold1", R(STOPEI), R(sip));
    sregw(0x72, 0);
    {
        u64 a, b;
        __asm__ volatile("csrrw %0, 0x15c, x0" : "=r"(a));
        __asm__ volatile("csrrw %0, 0x15c, %1" : "=r"(b) : "r"(0xffff));
        P3("imsic.claim", a, b, R(STOPEI));
    }
    {
        u64 a, b;
        __asm__ volatile("csrrs %0, 0x15c, %1" : "=r"(a) : "r"(1));
        __asm__ volatile("csrrc %0, 0x15c, %1" : "=r"(b) : "r"(1));
        P3("imsic.claim_set_clear", a, b, R(STOPEI));
    }
    for (u64 i = 0x80; i < 0x88; i += 2) sregw(i, 0);
    P3("imsic.cleared", R(STOPEI), R(sip), R(STOPI));
    for (u64 i = 0xc0; i < 0xc8; i += 2) sregw(i, 0);
    // MSIs by store
    sregw(0xc0, 0x20 | 0x40 | 2);
    w32(IMSIC, 5);
    P3("imsic.msi.self", sip_wait(0x200, 20 * MS), sreg(0x80), R(STOPEI));
    w32(IMSIC, 6);
    w32(IMSIC, 1);
    P1("imsic.msi.order", take());
    P3("imsic.msi.order2", take(), take(), take());
    P("imsic.page_read");
    V(r32(IMSIC));
    V(r32(IMSIC + 4));
    V(r32(IMSIC + 8));
    V(r32(IMSIC + 0xffc));
    V(r32(IMSIC + 0x1000));
    w32(IMSIC, 0);
    w32(IMSIC, 9);
    w32(IMSIC, 255);
    w32(IMSIC, 256);
    w32(IMSIC, 0x105);
    P4("imsic.msi.odd", sreg(0x80), sreg(0x86), R(sip), R(STOPEI));
    sregw(0x80, 0);
    sregw(0x86, 0);
    w32(IMSIC + 4, 5);
    P1("imsic.msi.be_plain", sreg(0x80));
    w32(IMSIC + 4, 0x05000000);
    P1("imsic.msi.be", sreg(0x80));
    w32(IMSIC + 8, 5);
    sregw(0x80, 0);
    w32(IMSIC + 8, 6);
    w32(IMSIC + 0x800, 6);
    P1("imsic.msi.other_offset", sreg(0x80));
    sregw(0x80, 0);
    rpc(H1, f_sregw, 0x70, 1, 0, 0);
    rpc(H1, f_sregw, 0xc0, 0x60, 0, 0);
    w32(IMSIC + 0x1000, 5);
    P3("imsic.msi.hart1", rpc(H1, f_sip_wait, 0x200, 20 * MS, 0, 0), rpc(H1, f_stopei, 1, 0, 0, 0),
       rpc(H1, f_sip, 0, 0, 0, 0));
    P1("imsic.msi.hart1_not_self", R(sip));
    rpc(H1, f_w32, IMSIC, 6, 0, 0);
    P1("imsic.msi.from_hart1", take());
    {
        u64 k = irq_n[0];
        W(sie, 0x200);
        SET(sstatus, 2);
        w32(IMSIC, 5);
        delay(5 * MS);
        CLR(sstatus, 2);
        W(sie, 0);
        P4("imsic.taken", irq_n[0] - k, irq_cause[0], R(STOPI), take());
    }
    {
        W(sie, 0x222);
        SET(sip, 2);
        w32(IMSIC, 5);
        P2("imsic.stopi_two", R(STOPI), R(sip));
        take();
        P1("imsic.stopi_ssi", R(STOPI));
        CLR(sip, 2);
        W(STIMECMP, 0);
        P1("imsic.stopi_sti", R(STOPI));
        W(STIMECMP, ~0UL);
        W(sie, 0);
        P1("imsic.stopi_none", R(STOPI));
    }
}
static void ip(const char *n) {
    delay(20 * MS);
    P(n);
    V(al(0x1c04));
    V(sreg(0x80));
    V(R(sip));
    V(rpc(H1, f_sip, 0, 0, 0, 0));
}
static void aia_ipc(void) {
    sregw(0x70, 1);
    sregw(0xc0, 0x60);
    aw(0, 0);
    kick(0);
    ip("aplic.ipc.inactive");
    aw(SCFG(52), 4);
    ip("aplic.ipc.lost");
    kick(0);
    ip("aplic.ipc.active");
    aw(TGT(52), 5);
    ip("aplic.ipc.target");
    aw(0x1edc, 52);
    ip("aplic.ipc.enabled_ie0");
    aw(0, 0x100);
    ip("aplic.ipc.ie1");
    P1("aplic.ipc.topei", take());
    ip("aplic.ipc.claimed");
    kick(0);
    ip("aplic.ipc.deliver");
    kick(0);
    ip("aplic.ipc.coalesce");
    P2("aplic.ipc.topei2", take(), take());
    for (u64 m = 1; m < 8; m++) {
        aw(SCFG(52), 0);
        aw(SCFG(52), m);
        aw(TGT(52), 5);
        aw(0x1edc, 52);
        u64 a = al(SCFG(52));
        kick(0);
        delay(20 * MS);
        PX("aplic.ipc.mode", m);
        V(a);
        V(al(0x1c04));
        V(take());
        aw(0x1ddc, 52);
    }
    aw(SCFG(52), 0);
    aw(SCFG(52), 4);
    aw(0x1edc, 52);
    aw(TGT(52), 0);
    kick(0);
    ip("aplic.ipc.eiid0");
    take();
    aw(TGT(52), 6 | 0x1000);
    kick(0);
    ip("aplic.ipc.guest1");
    P1("aplic.ipc.guest1_topei", take());
    aw(TGT(52), 9);
    kick(0);
    ip("aplic.ipc.eiid_disabled");
    sregw(0x80, 0);
    aw(TGT(52), 0x40005);
    kick(0);
    ip("aplic.ipc.hart1");
    P1("aplic.ipc.hart1_topei", rpc(H1, f_stopei, 1, 0, 0, 0));
    aw(TGT(52), 0x80006);
    kick(0);
    ip("aplic.ipc.hart2_bad");
    P2("aplic.ipc.hart2_topei", take(), rpc(H1, f_stopei, 1, 0, 0, 0));
    aw(TGT(52), 5);
    aw(0x1cdc, 52);
    ip("aplic.soft.setipnum");
    P1("aplic.soft.topei", take());
    aw(0x1c04, 1 << 20);
    ip("aplic.soft.setip");
    P1("aplic.soft.topei2", take());
    aw(0x1fdc, 52);
    aw(0x1cdc, 52);
    ip("aplic.soft.disabled");
    aw(0x1edc, 52);
    ip("aplic.soft.then_enabled");
    P1("aplic.soft.topei3", take());
    aw(0, 0);
    aw(0x1cdc, 52);
    ip("aplic.soft.ie0");
    aw(0, 0x100);
    ip("aplic.soft.ie1");
    P1("aplic.soft.topei4", take());
    aw(0x1fdc, 52);
    aw(SCFG(52), 0);
}
#define IDC(h) (0x4000 + 32 * (h))
static u64 q[40];
static int qn; // nothing may be printed while the UART's own interrupt is enabled
static void Q(u64 v) { q[qn++] = v; }
static void flush(const char *n) {
    P(n);
    for (int i = 0; i < qn; i++) V(q[i]);
    qn = 0;
}
static void ds(const char *n) {
    delay(20 * MS);
    P(n);
    V(al(0x1c04));
    V(R(sip));
    V(al(IDC(0) + 0x18));
    V(rpc(H1, f_sip, 0, 0, 0, 0));
    V(al(IDC(1) + 0x18));
}
static u64 cl(void) { return al(IDC(0) + 0x1c); }
static void idc(void) { // direct mode (IRQC = APLIC)
    for (u64 h = 0; h < 2; h++) {
        PX("idc.reset", h);
        for (u64 o = 0; o < 32; o += 4) V(al(IDC(h) + o));
        PX("idc.ones", h);
        for (u64 o = 0; o < 32; o += 4) {
            aw(IDC(h) + o, 0xffffffff);
            V(al(IDC(h) + o));
            aw(IDC(h) + o, 0);
            V(al(IDC(h) + o));
        }
    }
    P("idc.ithreshold");
    static const u64 tv[] = {0, 1, 7, 8, 0xff, 0x100, 0x101};
    for (int i = 0; i < 7; i++) {
        aw(IDC(0) + 8, tv[i]);
        V(al(IDC(0) + 8));
    }
    aw(IDC(0) + 8, 0);
    P("idc.target");
    static const u64 gv[] = {0, 1, 0xff, 0x100, 0x1ff, 0x40000, 0x40003, 0x80003, 0xffffffff};
    aw(SCFG(52), 4);
    for (int i = 0; i < 9; i++) {
        aw(TGT(52), gv[i]);
        V(al(TGT(52)));
    }
    aw(SCFG(52), 0);
    V(al(TGT(52)));
    aw(0, 0);
    kick(0);
    ds("idc.inactive");
    aw(SCFG(52), 4);
    kick(0);
    ds("idc.active");
    aw(TGT(52), 2);
    ds("idc.target2");
    aw(0x1edc, 52);
    ds("idc.enabled");
    aw(0, 0x100);
    ds("idc.ie");
    aw(IDC(0), 1);
    ds("idc.delivery");
    P1("idc.claimi", cl());
    ds("idc.claimed");
    P1("idc.claimi_none", cl());
    kick(0);
    ds("idc.again");
    aw(IDC(0) + 8, 2);
    ds("idc.threshold_equal");
    P1("idc.claimi_threshold", cl());
    aw(IDC(0) + 8, 3);
    ds("idc.threshold_above");
    aw(IDC(0) + 8, 0);
    aw(IDC(0), 0);
    ds("idc.delivery0");
    aw(IDC(0), 1);
    aw(0, 0);
    ds("idc.ie0");
    aw(0, 0x100);
    ds("idc.ie1");
    aw(0x1fdc, 52);
    ds("idc.ie_off");
    aw(0x1edc, 52);
    ds("idc.ie_on");
    aw(IDC(0) + 0x1c, 0);
    ds("idc.claimi_write");
    aw(IDC(0) + 0x18, 0);
    ds("idc.topi_write");
    P1("idc.claimi2", cl());
    aw(SCFG(53), 4);
    aw(TGT(53), 1);
    aw(0x1edc, 53);
    kick(0);
    kick(1);
    ds("idc.two");
    {
        u64 a = cl(), b = cl(), c = cl();
        P3("idc.order_prio", a, b, c);
    }
    aw(TGT(53), 2);
    kick(1);
    kick(0);
    ds("idc.two_equal");
    {
        u64 a = cl(), b = cl();
        P2("idc.order_equal", a, b);
    }
    aw(TGT(53), 0xff);
    kick(1);
    ds("idc.prio_ff");
    P1("idc.prio_ff_claimi", cl());
    aw(TGT(53), 0);
    ds("idc.prio_0");
    P1("idc.prio_0_claimi", cl());
    aw(IDC(0) + 4, 1);
    ds("idc.iforce");
    P2("idc.iforce_claimi", cl(), al(IDC(0) + 4));
    ds("idc.iforce_after");
    aw(IDC(0) + 4, 1);
    kick(0);
    ds("idc.iforce_and_irq");
    {
        u64 a = cl(), f = al(IDC(0) + 4), b = cl(), g = al(IDC(0) + 4);
        P4("idc.iforce_claims", a, f, b, g);
    }
    aw(IDC(0) + 4, 1);
    aw(IDC(0) + 4, 0);
    ds("idc.iforce_off");
    aw(TGT(52), 0x40005);
    kick(0);
    ds("idc.hart1_no_delivery");
    aw(IDC(1), 1);
    ds("idc.hart1");
    P1("idc.hart1_claim_by_0_own", cl());
    P1("idc.hart1_claim_by_0", al(IDC(1) + 0x1c));
    ds("idc.hart1_after");
    kick(0);
    ds("idc.hart1_again");
    P1("idc.hart1_claim", rpc(H1, f_r32, APLIC + IDC(1) + 0x1c, 0, 0, 0));
    ds("idc.hart1_claimed");
    aw(IDC(1) + 4, 1);
    ds("idc.hart1_iforce");
    rpc(H1, f_r32, APLIC + IDC(1) + 0x1c, 0, 0, 0);
    ds("idc.hart1_iforce_claimed");
    kick(0);
    delay(20 * MS);
    aw(TGT(52), 5);
    ds("idc.move_pending");
    P1("idc.move_claim", cl());
    aw(TGT(52), 5);
    aw(0x1cdc, 52);
    ds("idc.setipnum");
    aw(0x1ddc, 52);
    ds("idc.clripnum");
    aw(0x1c04, 3 << 20);
    ds("idc.setip");
    aw(0x1d04, 1 << 20);
    ds("idc.in_clrip");
    P2("idc.setip_claims", cl(), cl());
    aw(0x1cdc, 52);
    aw(SCFG(52), 0);
    ds("idc.deactivate");
    {
        aw(SCFG(52), 4);
        aw(TGT(52), 5);
        aw(0x1edc, 52);
        u64 k = irq_n[0];
        W(sie, 0x200);
        SET(sstatus, 2);
        kick(0);
        delay(20 * MS);
        CLR(sstatus, 2);
        W(sie, 0);
        P4("idc.taken", irq_n[0] - k, irq_cause[0], cl(), R(sip));
        aw(SCFG(52), 0);
        aw(SCFG(53), 0);
    }
}
static void idc_uart(void) {
    aw(0, 0x100);
    aw(IDC(0), 1);
    static const char *nm[] = {"uart.edge1", "uart.edge0", "uart.level1", "uart.level0"};
    for (u64 m = 4; m < 6; m++) {
        delay(20 * MS); // configured; line up; enabled; claimed; again; set by software; line down; line up; line down
        aw(SCFG(10), 0);
        aw(SCFG(10), m);
        aw(TGT(10), 6);
        delay(5 * MS);
        Q(al(SCFG(10)));
        Q(al(TGT(10)));
        Q(al(0x1d00));
        Q(al(0x1c00));
        w8(UART + 1, 2);
        delay(5 * MS);
        Q(al(0x1d00));
        Q(al(0x1c00));
        aw(0x1edc, 10);
        delay(5 * MS);
        Q(R(sip));
        Q(al(0x1c00));
        Q(cl());
        Q(al(0x1c00));
        Q(R(sip));
        delay(5 * MS);
        Q(cl());
        aw(0x1cdc, 10);
        delay(5 * MS);
        Q(cl());
        w8(UART + 1, 0);
        delay(5 * MS);
        Q(R(sip));
        Q(cl());
        w8(UART + 1, 2);
        delay(5 * MS);
        Q(cl());
        w8(UART + 1, 0);
        delay(5 * MS);
        Q(cl());
        Q(cl());
        aw(0x1fdc, 10);
        aw(0x1ddc, 10);
        flush(nm[m - 4]);
    }
}
static void aia_uart(void) {
    if (AIA != 1) {
        idc_uart();
        return;
    }
    sregw(0x70, 1);
    sregw(0xc0, 0x60);
    aw(0, 0x100);
    P3("uart.aplic_reset", al(SCFG(10)), al(TGT(10)), al(0x1d00));
    delay(20 * MS);
    w8(UART + 1, 2);
    delay(5 * MS);
    Q(al(0x1d00));
    Q(al(0x1c00));
    w8(UART + 1, 0);
    flush("uart.inactive");
    static const char *nm[] = {"uart.edge1", "uart.edge0", "uart.level1", "uart.level0"};
    for (u64 m = 4; m < 8; m++) {
        delay(20 * MS);
        // off, configured; line up; enabled; taken; again; set by software; by setipnum_le; line down; line up;
        // acknowledged in the UART; line down
        aw(SCFG(10), 0);
        aw(SCFG(10), m);
        aw(TGT(10), 6);
        delay(5 * MS);
        Q(al(SCFG(10)));
        Q(al(TGT(10)));
        Q(al(0x1d00));
        Q(al(0x1c00));
        w8(UART + 1, 2);
        delay(5 * MS);
        Q(al(0x1d00));
        Q(al(0x1c00));
        aw(0x1edc, 10);
        Q(al(0x1e00));
        delay(5 * MS);
        Q(sreg(0x80));
        Q(take());
        Q(al(0x1c00));
        delay(5 * MS);
        Q(take());
        aw(0x1cdc, 10);
        delay(5 * MS);
        Q(take());
        aw(0x2000, 10);
        delay(5 * MS);
        Q(take());
        w8(UART + 1, 0);
        delay(5 * MS);
        Q(take());
        w8(UART + 1, 2);
        delay(5 * MS);
        Q(take());
        Q(r8(UART + 2));
        delay(5 * MS);
        Q(take());
        w8(UART + 1, 0);
        delay(5 * MS);
        Q(take());
        aw(0x1fdc, 10);
        aw(0x1ddc, 10);
        sregw(0x80, 0);
        flush(nm[m - 4]);
    }
    delay(20 * MS);
    aw(SCFG(10), 6);
    aw(TGT(10), 0x40005);
    aw(0x1edc, 10);
    w8(UART + 1, 2);
    delay(5 * MS);
    Q(al(TGT(10)));
    Q(rpc(H1, f_sip, 0, 0, 0, 0));
    Q(rpc(H1, f_stopei, 1, 0, 0, 0));
    Q(R(sip));
    w8(UART + 1, 0);
    aw(0x1fdc, 10);
    aw(SCFG(10), 0);
    flush("uart.hart1");
}
