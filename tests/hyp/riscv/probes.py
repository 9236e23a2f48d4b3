"""What the probe guest does with interrupt controllers, at the level of register accesses: plic.c and aia.c of
``tests/truth/riscv/guest``, line by line. Each function returns answers by probe, in hex as the guest prints them.
"""

from __future__ import annotations

from typing import Final

from baonet.hyp.riscv.cpu import EXTERNAL
from tests.hyp.riscv.board import APLIC, UART, Board
from tests.hyp.riscv.fabric import PLIC

SEIP: Final = 1 << EXTERNAL
_IER_THRE: Final = 2
_MASK64: Final = (1 << 64) - 1


class Probe:
    """A guest of ``board`` with its UART. ``answers`` is what it has printed."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.answers: dict[str, str] = {}
        self._empty = self._enabled = False

    def say(self, name: str, *values: int) -> None:
        self.answers[name] = " ".join(f"{value & _MASK64:x}" for value in values)

    def count(self, name: str, base: int, first: int, last: int) -> None:
        found = [offset for offset in range(first, last, 4) if self.board.get(0, base + offset)]
        self.say(name, len(found), *((found[0], found[-1]) if found else (0, 0)))

    def kick(self, event: int) -> None:
        self.board.notify(event)
        self.board.settle()

    def sip(self, hart: int = 0) -> int:
        return SEIP if self.board.external(hart) else 0

    # The UART's interrupt for an empty transmitter, the only one of it that is used.

    def ier(self, value: int) -> None:
        enabled = bool(value & _IER_THRE)
        self._empty = self._empty or (enabled and not self._enabled)
        self._enabled = enabled
        self._drive()

    def iir(self) -> int:
        raised = self._empty and self._enabled
        self._empty = self._empty and not raised
        self._drive()
        return 0xC2 if raised else 0xC1

    def _drive(self) -> None:
        level = self._empty and self._enabled
        if level is not bool(self.board.sequences.get(UART, 0) % 2):
            self.board.drive(level)
            self.board.settle()


class PlicProbe(Probe):
    def pl(self, offset: int, size: int = 4, hart: int = 0) -> int:
        return self.board.get(hart, PLIC + offset, size)

    def pw(self, offset: int, value: int, size: int = 4, hart: int = 0) -> None:
        self.board.put(hart, PLIC + offset, value, size)

    @staticmethod
    def ctx(context: int) -> int:
        return 0x20_0000 + 0x1000 * context

    @staticmethod
    def en(context: int, word: int) -> int:
        return 0x2000 + 0x80 * context + 4 * word

    def claim0(self) -> int:
        return self.pl(self.ctx(1) + 4)

    def comp0(self, value: int) -> None:
        self.pw(self.ctx(1) + 4, value)

    def pend3(self, name: str) -> None:
        self.say(name, self.pl(0x1004), self.sip(), self.sip(1), 0)

    def registers(self) -> None:
        pl, pw, say, ctx, en = self.pl, self.pw, self.say, self.ctx, self.en
        for name, first, last in (("prio", 0, 0x1000), ("pend", 0x1000, 0x2000), ("enable", 0x2000, 0x3000)):
            self.count(f"plic.reset.{name}", PLIC, first, last)
        self.count("plic.reset.hart", PLIC, 0x20_0000, 0x20_4000)
        say("plic.reset.threshold", *(pl(ctx(c)) for c in range(4)))
        say("plic.reset.claim", *(pl(ctx(c) + 4) for c in range(4)))
        for offset in range(0, 0x1000, 4):
            pw(offset, 0xFFFF_FFFF)
        for source in (0, 1, 2, 10, 20, 21, 22, 31, 32, 52, 53, 60, 95, 96, 97, 127, 128, 255, 511, 1022, 1023):
            say(f"plic.ones.prio.{source:x}", pl(4 * source))
        say("plic.prio.sign", pl(40), pl(208))
        self.count("plic.ones.prio_nonzero", PLIC, 0, 0x1000)
        for bit in range(9):
            pw(40, 1 << bit)
            pw(208, 1 << bit)
            say(f"plic.prio.bits.{1 << bit:x}", pl(40), pl(208))
        for offset in range(0, 0x1000, 4):
            pw(offset, 0)
        self.count("plic.zero.prio", PLIC, 0, 0x1000)
        for offset in range(0x1000, 0x2000, 4):
            pw(offset, 0xFFFF_FFFF)
        self.count("plic.ones.pend", PLIC, 0x1000, 0x2000)
        for context in range(32):
            for word in range(32):
                pw(en(context, word), 0xFFFF_FFFF)
            words = [pl(en(context, word)) for word in range(32)]
            everywhere = _MASK64
            for word in words:
                everywhere &= word
            nonzero = sum(word != 0 for word in words)
            say(f"plic.ones.enable.{context:x}", nonzero, everywhere, words[0], words[1], words[31])
            for word in range(32):
                pw(en(context, word), 0)
        self.count("plic.zero.enable", PLIC, 0x2000, 0x3000)
        pw(en(1, 0), 0x8000_0000)
        say("plic.enable.sign", pl(en(1, 0)), pl(en(1, 0)))
        pw(en(1, 0), 0)
        for context in range(4):
            pw(ctx(context), 0xFFFF_FFFF)
            ones = pl(ctx(context))
            pw(ctx(context), 0x1234_5678)
            some = pl(ctx(context))
            pw(ctx(context), 0)
            say(f"plic.ones.threshold.{context:x}", ones, ones, some, pl(ctx(context)))
        self._widths()

    def _widths(self) -> None:
        pl, pw, say, one = self.pl, self.pw, self.say, self.ctx(1)
        pw(one, 0x1234_5687)
        say("plic.width.threshold", pl(one, 1), pl(one, 1), pl(one, 2), pl(one, 2))
        pw(one, 0x155, 1)
        say("plic.width.sb", pl(one))
        pw(one, 0xABCDEF, 2)
        say("plic.width.sh", pl(one))
        pw(one, 5)
        aliases = [*range(8, 0x20, 4), 0x20, 0xFF0, 0xFF8, 0xFFC]
        say("plic.alias.hart", *(pl(one + offset) for offset in aliases))
        pw(one + 0x10, 7)
        say("plic.alias.write10", pl(one))
        pw(one + 8, 9)
        pw(one + 0xC, 9)
        say("plic.alias.write8c", pl(one))
        pw(one + 0xFF0, 3)
        say("plic.alias.writeff0", pl(one))
        pw(one, 0)

    def ipc(self) -> None:
        """52 and 53 are bits 20 and 21 of word 1."""
        pw, say, kick, en, ctx, pend3 = self.pw, self.say, self.kick, self.en, self.ctx, self.pend3
        claim0, comp0 = self.claim0, self.comp0
        kick(0)
        pend3("plic.ipc.pending_disabled")
        kick(0)
        pend3("plic.ipc.twice")
        say("plic.ipc.claim_disabled", claim0())
        pw(4 * 52, 1)
        pend3("plic.ipc.prio_only")
        pw(en(1, 1), 1 << 20)
        pend3("plic.ipc.enabled")
        pw(en(1, 1), 0)
        pend3("plic.ipc.disabled_again")
        pw(en(1, 1), 1 << 20)
        pw(4 * 52, 0)
        pend3("plic.ipc.prio0")
        say("plic.ipc.claim_prio0", claim0())
        pw(4 * 52, 1)
        pw(ctx(1), 1)
        pend3("plic.ipc.threshold_equal")
        say("plic.ipc.claim_threshold", claim0())
        pw(ctx(1), 0)
        pend3("plic.ipc.threshold0")
        say("plic.ipc.claim", claim0())
        pend3("plic.ipc.after_claim")
        say("plic.ipc.claim_again", claim0())
        kick(0)
        pend3("plic.ipc.again_while_active")
        say("plic.ipc.claim_while_active", claim0())
        comp0(52)
        pend3("plic.ipc.completed")
        say("plic.ipc.claim3", claim0())
        comp0(53)
        pend3("plic.ipc.complete_other")
        kick(0)
        say("plic.ipc.claim_other", claim0())
        comp0(0)
        comp0(52)
        pend3("plic.ipc.complete0")
        say("plic.ipc.claim5", claim0())
        comp0(52)
        comp0(52)
        pend3("plic.ipc.idle")
        self._order()
        self._other_hart()
        self._both_harts()
        self._m_context()

    def _two(self) -> tuple[int, int]:
        first, second = self.claim0(), self.claim0()
        return first, second

    def _order(self) -> None:
        pw, kick, comp0 = self.pw, self.kick, self.comp0
        pw(4 * 53, 1)
        pw(self.en(1, 1), 3 << 20)
        kick(1)
        kick(0)
        first, second = self._two()
        self.say("plic.order.equal", first, second)
        comp0(first)
        comp0(second)
        pw(4 * 53, 2)
        kick(0)
        kick(1)
        first = self.claim0()
        line = self.sip()
        second = self.claim0()
        self.say("plic.order.prio", first, line, second)
        comp0(second)
        comp0(first)
        pw(4 * 52, 0xFFFF_FFFF)
        pw(4 * 53, 0x7FFF_FFFF)
        kick(0)
        kick(1)
        first, second = self._two()
        self.say("plic.order.big", first, second)
        comp0(second)
        comp0(first)
        pw(4 * 52, 1)
        pw(4 * 53, 1)
        pw(self.ctx(1), 1)
        kick(0)
        pw(4 * 52, 2)
        self.pend3("plic.order.raise_prio")
        first = self.claim0()
        self.say("plic.order.raised", first)
        comp0(first)
        pw(self.ctx(1), 0)
        pw(4 * 52, 1)

    def _other_hart(self) -> None:
        pl, pw, say, kick, pend3 = self.pl, self.pw, self.say, self.kick, self.pend3
        three = self.ctx(3) + 4
        pw(self.en(1, 1), 0)
        pw(self.en(3, 1), 1 << 20)
        kick(0)
        pend3("plic.other.enable_by_0")
        say("plic.other.claim_by_0", self.claim0())
        say("plic.other.claim_by_0_ctx3", pl(three))
        pend3("plic.other.after")
        self.comp0(52)
        say("plic.other.complete_by_0_ctx1", 0)
        kick(0)
        pend3("plic.other.again")
        say("plic.other.claim_by_1", pl(three, hart=1))
        pend3("plic.other.claimed")
        kick(0)
        pend3("plic.other.while_active")
        pw(three, 52, hart=1)
        pend3("plic.other.completed")
        say("plic.other.claim_by_1_again", pl(three, hart=1))
        pw(three, 52, hart=1)

    def _both_harts(self) -> None:
        pl, pw, say, kick, pend3 = self.pl, self.pw, self.say, self.kick, self.pend3
        three = self.ctx(3) + 4
        pw(self.en(1, 1), 1 << 20, hart=1)
        kick(0)
        pend3("plic.both.pending")
        first = self.claim0()
        say("plic.both.claim", first, pl(three, hart=1))
        pend3("plic.both.claimed")
        self.comp0(52)
        pend3("plic.both.completed")
        kick(0)
        seen = [self.sip(), self.sip(1), self.claim0(), self.sip(), self.sip(1)]
        self.comp0(seen[2])
        seen.append(self.sip(1))
        seen.append(pl(three, hart=1))
        say("plic.both.stale", *seen, self.sip(1))
        kick(0)
        seen = [self.sip(), self.sip(1)]
        pw(self.en(3, 1), 0)
        seen.append(self.sip(1))
        pw(self.en(3, 1), 1 << 20)
        seen.append(self.sip(1))
        pw(4 * 52, 0)
        seen += [self.sip(), self.sip(1)]
        pw(4 * 52, 1)
        seen.append(self.claim0())
        self.comp0(seen[-1])
        pl(three, hart=1)
        say("plic.both.disable_one", *seen)
        pw(self.ctx(3), 7)
        kick(0)
        pend3("plic.both.threshold3")
        first = self.claim0()
        self.comp0(first)
        say("plic.both.claim_t", first)
        pw(self.ctx(3), 0, hart=1)
        pend3("plic.both.threshold3_0")
        pw(self.en(3, 1), 0)
        pend3("plic.both.stale_line")

    def _m_context(self) -> None:
        pl, pw, say, ctx = self.pl, self.pw, self.say, self.ctx
        pw(self.en(1, 1), 0)
        pw(self.en(0, 1), 1 << 20)
        self.kick(0)
        self.pend3("plic.mctx.enable")
        say("plic.mctx.claim", pl(ctx(0) + 4), pl(ctx(2) + 4))
        pw(ctx(0) + 4, 52)
        pw(self.en(0, 1), 0)
        pw(self.en(1, 1), 1 << 20)
        first = self.claim0()
        self.comp0(first)
        say("plic.mctx.end", first)
        for name, source in (("unclaimed", 60), ("1023", 1023)):
            self.comp0(source)
            say(f"plic.complete_{name}", pl(0x1004), self.sip())
        pw(self.en(1, 1), 0)

    def uart(self) -> None:
        pl, pw, say, ier, en, ctx = self.pl, self.pw, self.say, self.ier, self.en, self.ctx
        claim0, comp0, sip = self.claim0, self.comp0, self.sip
        say("uart.before", pl(0x1000))
        ier(2)
        say("uart.thre.disabled", pl(0x1000), sip(), self.iir())
        ier(0)
        pw(40, 1)
        pw(en(1, 0), 1 << 10)
        say("uart.idle", pl(0x1000), sip())
        ier(2)
        seen = [pl(0x1000), sip(), claim0(), pl(0x1000), sip()]
        ier(0)
        comp0(seen[2])
        say("uart.thre", *seen, pl(0x1000), sip())
        ier(2)
        seen = [claim0()]
        comp0(seen[0])
        seen += [claim0(), self.iir()]
        comp0(seen[1])
        seen.append(claim0())
        comp0(seen[3])
        ier(0)
        seen.append(claim0())
        comp0(seen[4])
        say("uart.level", *seen)
        pw(40, 0)
        ier(2)
        seen = [pl(0x1000), sip()]
        pw(40, 1)
        seen += [pl(0x1000), sip(), claim0()]
        ier(0)
        comp0(seen[4])
        say("uart.prio0_then_1", *seen)
        pw(ctx(1), 1)
        ier(2)
        seen = [pl(0x1000), sip()]
        pw(ctx(1), 0)
        seen += [pl(0x1000), sip(), claim0()]
        ier(0)
        comp0(seen[4])
        say("uart.threshold1_then_0", *seen)
        self._disabled()
        self._harts()
        self._priorities()

    def _disabled(self) -> None:
        pl, pw, ier, en = self.pl, self.pw, self.ier, self.en
        ier(2)
        seen = [self.claim0()]
        pw(en(1, 0), 0)
        ier(0)
        self.comp0(seen[0])
        pw(en(1, 0), 1 << 10)
        seen += [pl(0x1000), self.claim0()]
        self.comp0(seen[2])
        ier(2)
        seen.append(self.claim0())
        ier(0)
        self.comp0(seen[3])
        self.say("uart.complete_disabled", *seen)
        ier(2)
        seen = [pl(0x1000)]
        pw(en(1, 0), 0)
        seen += [self.sip(), self.claim0(), self.sip()]
        pw(en(1, 0), 1 << 10)
        seen += [self.sip(), self.claim0()]
        ier(0)
        self.comp0(seen[5])
        self.say("uart.disable_pending", *seen, self.sip())

    def _harts(self) -> None:
        pl, pw, ier, en, three = self.pl, self.pw, self.ier, self.en, self.ctx(3) + 4
        ier(2)
        first = self.claim0()
        ier(0)
        self.comp0(first)
        pw(en(1, 0), 0)
        pw(en(3, 0), 1 << 10)
        ier(2)
        seen = [self.sip(), self.sip(1), self.claim0(), pl(three, hart=1)]
        ier(0)
        pw(three, seen[3], hart=1)
        self.say("uart.hart1", *seen, self.sip(1))
        pw(en(1, 0), 1 << 10)
        ier(2)
        lines = self.sip() | self.sip(1)
        pending = pl(0x1000)
        claims = self.claim0() + pl(three, hart=1)
        ier(0)
        self.comp0(10)
        pw(three, 10, hart=1)
        self.say("uart.both", lines, pending, claims, self.sip(), self.sip(1))
        pw(en(3, 0), 0)
        ier(2)
        seen = [self.claim0()]
        ier(0)
        pw(self.ctx(1) + 4, 10, hart=1)
        ier(2)
        seen += [pl(0x1000), self.claim0()]
        ier(0)
        self.comp0(10)
        ier(2)
        seen.append(self.claim0())
        ier(0)
        self.comp0(10)
        self.say("uart.complete_by_hart1", *seen)
        ier(2)
        seen = [self.claim0()]
        ier(0)
        pw(three, 10)
        ier(2)
        seen.append(self.claim0())
        ier(0)
        self.comp0(10)
        self.say("uart.complete_ctx3_by_0", *seen)

    def _priorities(self) -> None:
        pl, pw, ier = self.pl, self.pw, self.ier
        for priority in (6, 7, 8):
            pw(40, priority)
            ier(2)
            seen = [pl(0x1000), self.claim0()]
            ier(0)
            self.comp0(seen[1])
            self.say(f"uart.prio.{priority:x}", *seen)
        pw(40, 1)
        first = self.claim0()
        self.comp0(first)
        self.say("uart.prio_back_to_1", first)
        for threshold in range(6, 10):
            pw(40, threshold - 5)
            pw(self.ctx(1), threshold)
            ier(2)
            seen = [pl(0x1000), self.sip()]
            pw(self.ctx(1), 0)
            seen += [pl(0x1000), self.claim0()]
            ier(0)
            self.comp0(seen[3])
            self.say(f"uart.threshold.{threshold:x}", *seen)
        pw(40, 1)
        pw(80, 1)
        pw(self.en(1, 0), 1 << 20)
        self.say("uart.unused_source", pl(0x1000), self.claim0())
        pw(self.en(1, 0), 0)


class AplicProbe(Probe):
    """``take`` of a hart's interrupt file in MSI mode: its identities 5 and 6 are enabled, eidelivery is 1."""

    def __init__(self, board: Board, *, direct: bool) -> None:
        super().__init__(board)
        self.direct = direct
        self.files: list[set[int]] = [set(), set()]
        self.enabled_identities = {5, 6}
        self.queue: list[int] = []

    def al(self, offset: int, hart: int = 0) -> int:
        return self.board.get(hart, APLIC + offset)

    def aw(self, offset: int, value: int) -> None:
        self.board.put(0, APLIC + offset, value)

    @staticmethod
    def tgt(source: int) -> int:
        return 0x3000 + 4 * source

    # The interrupt files, which are the core's

    def _collect(self) -> None:
        for hart in range(2):
            self.files[hart] |= set(self.board.injected(hart))

    def eip(self, hart: int = 0) -> int:
        self._collect()
        return sum(1 << identity for identity in self.files[hart])

    def take(self, hart: int = 0) -> int:
        self._collect()
        first = min(self.files[hart] & self.enabled_identities, default=0)
        self.files[hart].discard(first)
        return first << 16 | first

    def sip(self, hart: int = 0) -> int:
        self._collect()
        if self.files[hart] & self.enabled_identities:
            return SEIP
        return super().sip(hart)

    def registers(self) -> None:
        al, aw, say = self.al, self.aw, self.say
        say("aplic.reset.domaincfg", al(0))
        for name, first, last in (("sourcecfg", 4, 0x1000), ("1000", 0x1000, 0x2000), ("2000", 0x2000, 0x3000)):
            self.count(f"aplic.reset.{name}", APLIC, first, last)
        self.count("aplic.reset.3000", APLIC, 0x3000, 0x4000)
        for value in (0, 0xFFFF_FFFF, 0x100, 0x8000_0104, 4, 1):
            aw(0, value)
            say(f"aplic.domaincfg.{value:x}", al(0), al(0))
        aw(0, 0)
        for source in (1, 10, 20, 52, 95, 96, 97, 1023):
            seen = []
            for value in (*range(8), 0x400, 0xFFFF_FFFF, 0x7FFF_FBFF, 0):
                aw(4 * source, value)
                seen.append(al(4 * source))
            say(f"aplic.sourcecfg.modes.{source:x}", *seen)
        aw(self.tgt(52), 0x40005)
        aw(0x1C04, 1 << 20)
        aw(0x1E00 + 0xDC, 52)
        aw(0x1EDC, 52)
        aw(0x1CDC, 52)
        say("aplic.inactive", al(self.tgt(52)), al(0x1C04), al(0x1E04), al(0x1C04))
        for source in range(1, 1024):
            aw(4 * source, 6)
        self.count("aplic.ones.sourcecfg", APLIC, 4, 0x1000)
        self._ones()
        self._numbers()
        aw(4 * 52, 6)
        aw(self.tgt(52), 0x40005)
        aw(0x1EDC, 52)
        aw(0x1CDC, 52)
        seen = [al(self.tgt(52)), al(0x1E04), al(0x1C04)]
        aw(4 * 52, 0)
        say("aplic.deactivate", *seen, al(self.tgt(52)), al(0x1E04), al(0x1C04))
        for source in range(1, 1024):
            aw(4 * source, 0)
        self.count("aplic.zero.sourcecfg", APLIC, 4, 0x1000)

    def _words(self, name: str, first: int) -> None:
        self.say(name, *(self.al(first + offset) for offset in (0, 4, 8, 0x7C)))

    def _all(self, first: int) -> None:
        for offset in range(first, first + 0x80, 4):
            self.aw(offset, 0xFFFF_FFFF)

    def _ones(self) -> None:
        self._all(0x1C00)
        self.count("aplic.ones.setip", APLIC, 0x1C00, 0x1C80)
        self.count("aplic.ones.in_clrip", APLIC, 0x1D00, 0x1D80)
        self._words("aplic.ones.setip_words", 0x1C00)
        self._words("aplic.ones.in_clrip_words", 0x1D00)
        self._all(0x1D00)
        self.count("aplic.clr.setip", APLIC, 0x1C00, 0x1C80)
        self._all(0x1E00)
        self._words("aplic.ones.setie_words", 0x1E00)
        self.count("aplic.ones.setie", APLIC, 0x1E00, 0x1E80)
        self.count("aplic.ones.clrie_read", APLIC, 0x1F00, 0x1F80)
        self.say("aplic.setie.sign", self.al(0x1E00))
        self._all(0x1F00)
        self.count("aplic.clr.setie", APLIC, 0x1E00, 0x1E80)

    def _numbers(self) -> None:
        al, aw, say = self.al, self.aw, self.say
        values = (
            *(0xFFFF_FFFF, 0, 1, 5, 0x7FF, 0x800, 0x1000, 0x3F000, 0x40000, 0x40005, 0x80000, 0x80005, 0xC1005),
            0xFFFC_0001,
        )
        for source in (52, 10, 1023):
            seen = []
            for value in values:
                aw(self.tgt(source), value)
                seen.append(al(self.tgt(source)))
            say(f"aplic.target.{source:x}", *seen)
            aw(self.tgt(source), 0)
        for name, number, register in (
            ("setienum", 0x1EDC, 0x1E04),
            ("clrienum", 0x1FDC, 0x1E04),
            ("setipnum", 0x1CDC, 0x1C04),
            ("clripnum", 0x1DDC, 0x1C04),
        ):
            aw(number, 52)
            say(f"aplic.{name}.52", al(register))
        for number in (0, 1, 1023, 1024, 0xFFFF, 0xFFFF_FFFF):
            aw(0x1CDC, number)
            aw(0x1EDC, number)
            say(f"aplic.num.{number:x}", al(0x1C00), al(0x1C7C), al(0x1E00), al(0x1E7C))
            aw(0x1DDC, number)
            aw(0x1FDC, number)
        say("aplic.num_read", *(al(offset) for offset in (0x1CDC, 0x1DDC, 0x1EDC, 0x1FDC, 0x1F00)))
        aw(0x2000, 52)
        say("aplic.setipnum_le", al(0x1C04))
        aw(0x2004, 0x3400_0000)
        say("aplic.setipnum_be", al(0x1C04))
        aw(0x1DDC, 52)
        aw(0x3000, 0xFFFF_FFFF)
        say("aplic.genmsi", al(0x3000))
        seen = []
        for offset in range(0x1BC0, 0x1BD0, 4):
            aw(offset, 0xFFFF_FFFF)
            seen.append(al(offset))
        say("aplic.msiaddr", *seen)

    def ip(self, name: str) -> None:
        self.say(name, self.al(0x1C04), self.eip(), self.sip(), self.sip(1))

    def ipc(self) -> None:
        """In MSI mode, to identities 5 and 6."""
        aw, say, kick, ip, take, tgt = self.aw, self.say, self.kick, self.ip, self.take, self.tgt
        aw(0, 0)
        kick(0)
        ip("aplic.ipc.inactive")
        aw(4 * 52, 4)
        ip("aplic.ipc.lost")
        kick(0)
        ip("aplic.ipc.active")
        aw(tgt(52), 5)
        ip("aplic.ipc.target")
        aw(0x1EDC, 52)
        ip("aplic.ipc.enabled_ie0")
        aw(0, 0x100)
        ip("aplic.ipc.ie1")
        say("aplic.ipc.topei", take())
        ip("aplic.ipc.claimed")
        kick(0)
        ip("aplic.ipc.deliver")
        kick(0)
        ip("aplic.ipc.coalesce")
        first = take()
        say("aplic.ipc.topei2", first, take())
        for mode in range(1, 8):
            aw(4 * 52, 0)
            aw(4 * 52, mode)
            aw(tgt(52), 5)
            aw(0x1EDC, 52)
            kept = self.al(4 * 52)
            kick(0)
            say(f"aplic.ipc.mode.{mode:x}", kept, self.al(0x1C04), take())
            aw(0x1DDC, 52)
        aw(4 * 52, 0)
        aw(4 * 52, 4)
        aw(0x1EDC, 52)
        self._targets()
        self._software()

    def _targets(self) -> None:
        aw, say, kick, ip, take, tgt = self.aw, self.say, self.kick, self.ip, self.take, self.tgt
        aw(tgt(52), 0)
        kick(0)
        ip("aplic.ipc.eiid0")
        take()
        aw(tgt(52), 6 | 0x1000)
        kick(0)
        ip("aplic.ipc.guest1")
        say("aplic.ipc.guest1_topei", take())
        aw(tgt(52), 9)
        kick(0)
        ip("aplic.ipc.eiid_disabled")
        self.files[0].clear()
        aw(tgt(52), 0x40005)
        kick(0)
        ip("aplic.ipc.hart1")
        say("aplic.ipc.hart1_topei", take(1))
        aw(tgt(52), 0x80006)
        kick(0)
        ip("aplic.ipc.hart2_bad")
        first = take()
        say("aplic.ipc.hart2_topei", first, take(1))

    def _software(self) -> None:
        aw, say, ip, take = self.aw, self.say, self.ip, self.take
        aw(self.tgt(52), 5)
        aw(0x1CDC, 52)
        ip("aplic.soft.setipnum")
        say("aplic.soft.topei", take())
        aw(0x1C04, 1 << 20)
        ip("aplic.soft.setip")
        say("aplic.soft.topei2", take())
        aw(0x1FDC, 52)
        aw(0x1CDC, 52)
        ip("aplic.soft.disabled")
        aw(0x1EDC, 52)
        ip("aplic.soft.then_enabled")
        say("aplic.soft.topei3", take())
        aw(0, 0)
        aw(0x1CDC, 52)
        ip("aplic.soft.ie0")
        aw(0, 0x100)
        ip("aplic.soft.ie1")
        say("aplic.soft.topei4", take())
        aw(0x1FDC, 52)
        aw(4 * 52, 0)

    def flush(self, name: str) -> None:
        self.say(name, *self.queue)
        self.queue.clear()

    def uart(self) -> None:
        """In MSI mode. What is printed in the end was not printed while the UART's interrupt was enabled."""
        al, aw, q, take, ier, tgt = self.al, self.aw, self.queue.append, self.take, self.ier, self.tgt
        aw(0, 0x100)
        self.say("uart.aplic_reset", al(40), al(tgt(10)), al(0x1D00))
        ier(2)
        q(al(0x1D00))
        q(al(0x1C00))
        ier(0)
        self.flush("uart.inactive")
        for mode, name in zip(range(4, 8), ("edge1", "edge0", "level1", "level0"), strict=True):
            aw(40, 0)
            aw(40, mode)
            aw(tgt(10), 6)
            for offset in (40, tgt(10), 0x1D00, 0x1C00):
                q(al(offset))
            ier(2)
            q(al(0x1D00))
            q(al(0x1C00))
            aw(0x1EDC, 10)
            q(al(0x1E00))
            q(self.eip())
            q(take())
            q(al(0x1C00))
            q(take())
            aw(0x1CDC, 10)
            q(take())
            aw(0x2000, 10)
            q(take())
            ier(0)
            q(take())
            ier(2)
            q(take())
            q(self.iir())
            q(take())
            ier(0)
            q(take())
            aw(0x1FDC, 10)
            aw(0x1DDC, 10)
            self.files[0].clear()
            self.flush(f"uart.{name}")
        aw(40, 6)
        aw(tgt(10), 0x40005)
        aw(0x1EDC, 10)
        ier(2)
        q(al(tgt(10)))
        q(self.sip(1))
        q(take(1))
        q(self.sip())
        ier(0)
        aw(0x1FDC, 10)
        aw(40, 0)
        self.flush("uart.hart1")

    # Direct mode

    @staticmethod
    def idc(hart: int) -> int:
        return 0x4000 + 32 * hart

    def cl(self) -> int:
        return self.al(self.idc(0) + 0x1C)

    def ds(self, name: str) -> None:
        al, idc = self.al, self.idc
        self.say(name, al(0x1C04), self.sip(), al(idc(0) + 0x18), self.sip(1), al(idc(1) + 0x18))

    def direct_registers(self) -> None:
        al, aw, say, idc = self.al, self.aw, self.say, self.idc
        for hart in range(2):
            say(f"idc.reset.{hart}", *(al(idc(hart) + offset) for offset in range(0, 32, 4)))
            seen = []
            for offset in range(0, 32, 4):
                for value in (0xFFFF_FFFF, 0):
                    aw(idc(hart) + offset, value)
                    seen.append(al(idc(hart) + offset))
            say(f"idc.ones.{hart}", *seen)
        seen = []
        for value in (0, 1, 7, 8, 0xFF, 0x100, 0x101):
            aw(idc(0) + 8, value)
            seen.append(al(idc(0) + 8))
        say("idc.ithreshold", *seen)
        aw(idc(0) + 8, 0)
        aw(4 * 52, 4)
        seen = []
        for value in (0, 1, 0xFF, 0x100, 0x1FF, 0x40000, 0x40003, 0x80003, 0xFFFF_FFFF):
            aw(self.tgt(52), value)
            seen.append(al(self.tgt(52)))
        aw(4 * 52, 0)
        say("idc.target", *seen, al(self.tgt(52)))

    def direct_ipc(self) -> None:
        aw, say, kick, ds, cl, idc = self.aw, self.say, self.kick, self.ds, self.cl, self.idc
        aw(0, 0)
        kick(0)
        ds("idc.inactive")
        aw(4 * 52, 4)
        kick(0)
        ds("idc.active")
        aw(self.tgt(52), 2)
        ds("idc.target2")
        aw(0x1EDC, 52)
        ds("idc.enabled")
        aw(0, 0x100)
        ds("idc.ie")
        aw(idc(0), 1)
        ds("idc.delivery")
        say("idc.claimi", cl())
        ds("idc.claimed")
        say("idc.claimi_none", cl())
        kick(0)
        ds("idc.again")
        aw(idc(0) + 8, 2)
        ds("idc.threshold_equal")
        say("idc.claimi_threshold", cl())
        aw(idc(0) + 8, 3)
        ds("idc.threshold_above")
        aw(idc(0) + 8, 0)
        for name, offset, value in (
            *(("delivery0", idc(0), 0), ("", idc(0), 1), ("ie0", 0, 0), ("ie1", 0, 0x100), ("ie_off", 0x1FDC, 52)),
            *(("ie_on", 0x1EDC, 52), ("claimi_write", idc(0) + 0x1C, 0), ("topi_write", idc(0) + 0x18, 0)),
        ):
            aw(offset, value)
            if name:
                ds(f"idc.{name}")
        say("idc.claimi2", cl())
        self._direct_order()
        self._direct_forced()
        self._direct_harts()

    def _direct_order(self) -> None:
        aw, say, kick, ds, cl, tgt = self.aw, self.say, self.kick, self.ds, self.cl, self.tgt
        aw(4 * 53, 4)
        aw(tgt(53), 1)
        aw(0x1EDC, 53)
        kick(0)
        kick(1)
        ds("idc.two")
        say("idc.order_prio", *(cl() for _ in range(3)))
        aw(tgt(53), 2)
        kick(1)
        kick(0)
        ds("idc.two_equal")
        say("idc.order_equal", *(cl() for _ in range(2)))
        aw(tgt(53), 0xFF)
        kick(1)
        ds("idc.prio_ff")
        say("idc.prio_ff_claimi", cl())
        aw(tgt(53), 0)
        ds("idc.prio_0")
        say("idc.prio_0_claimi", cl())

    def _direct_forced(self) -> None:
        al, aw, say, kick, ds, cl = self.al, self.aw, self.say, self.kick, self.ds, self.cl
        forced = self.idc(0) + 4
        aw(forced, 1)
        ds("idc.iforce")
        first = cl()
        say("idc.iforce_claimi", first, al(forced))
        ds("idc.iforce_after")
        aw(forced, 1)
        kick(0)
        ds("idc.iforce_and_irq")
        seen = []
        for _ in range(2):
            seen += [cl(), al(forced)]
        say("idc.iforce_claims", *seen)
        aw(forced, 1)
        aw(forced, 0)
        ds("idc.iforce_off")

    def _direct_harts(self) -> None:
        al, aw, say, kick, ds, cl, idc, tgt = (
            *(self.al, self.aw, self.say, self.kick, self.ds, self.cl),
            *(self.idc, self.tgt),
        )
        aw(tgt(52), 0x40005)
        kick(0)
        ds("idc.hart1_no_delivery")
        aw(idc(1), 1)
        ds("idc.hart1")
        say("idc.hart1_claim_by_0_own", cl())
        say("idc.hart1_claim_by_0", al(idc(1) + 0x1C))
        ds("idc.hart1_after")
        kick(0)
        ds("idc.hart1_again")
        say("idc.hart1_claim", al(idc(1) + 0x1C, hart=1))
        ds("idc.hart1_claimed")
        aw(idc(1) + 4, 1)
        ds("idc.hart1_iforce")
        al(idc(1) + 0x1C, hart=1)
        ds("idc.hart1_iforce_claimed")
        kick(0)
        aw(tgt(52), 5)
        ds("idc.move_pending")
        say("idc.move_claim", cl())
        aw(tgt(52), 5)
        aw(0x1CDC, 52)
        ds("idc.setipnum")
        aw(0x1DDC, 52)
        ds("idc.clripnum")
        aw(0x1C04, 3 << 20)
        ds("idc.setip")
        aw(0x1D04, 1 << 20)
        ds("idc.in_clrip")
        say("idc.setip_claims", *(cl() for _ in range(2)))
        aw(0x1CDC, 52)
        aw(4 * 52, 0)
        ds("idc.deactivate")

    def direct_uart(self) -> None:
        al, aw, q, cl, ier, tgt = self.al, self.aw, self.queue.append, self.cl, self.ier, self.tgt
        aw(0, 0x100)
        aw(self.idc(0), 1)
        for mode, name in ((4, "edge1"), (5, "edge0")):
            aw(40, 0)
            aw(40, mode)
            aw(tgt(10), 6)
            for offset in (40, tgt(10), 0x1D00, 0x1C00):
                q(al(offset))
            ier(2)
            q(al(0x1D00))
            q(al(0x1C00))
            aw(0x1EDC, 10)
            q(self.sip())
            q(al(0x1C00))
            q(cl())
            q(al(0x1C00))
            q(self.sip())
            q(cl())
            aw(0x1CDC, 10)
            q(cl())
            ier(0)
            q(self.sip())
            q(cl())
            ier(2)
            q(cl())
            ier(0)
            q(cl())
            q(cl())
            aw(0x1FDC, 10)
            aw(0x1DDC, 10)
            self.flush(f"uart.{name}")
