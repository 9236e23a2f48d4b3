"""What a VM's interrupt controller is to the rest of the hypervisor: a vPLIC, or a vAPLIC with or without an IMSIC."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from baonet.hyp.architecture import Handler, InterruptStatistics
from baonet.hyp.riscv.irqc_messages import IrqcResult
from baonet.machine.saved import Saved


class Controller(Protocol):
    """One vcpu's view of it. What the vcpus of the VM share is on the VM's master pcpu, its home; others ask it.

    ``windows``: (base, size) of what is emulated. ``messages``: what each message of its own leads to, but the answer
    to ``ask_read`` and ``ask_write``, ``IrqcResult``, which is whose access was asked for.
    """

    windows: tuple[tuple[int, int], ...]
    messages: Mapping[type, Handler]

    def covers(self, ipa: int) -> bool: ...

    def read(self, ipa: int, size: int) -> int | None:
        """A load: what its register is to have, whole. None: it has to be asked of another pcpu, or leaves the
        register alone, or no register of the controller takes it. Nothing has happened then.
        """

    def write(self, ipa: int, size: int, value: int) -> bool:
        """A store of a register that has ``value``, whole. False as None of ``read``, or it breaks Bao.

        Also one to the page of another hart's interrupt file, wherever it is asked; that is always done.
        """

    def leaves_alone(self, ipa: int, size: int) -> bool:
        """Whether a load there, which ``read`` has not done, leaves its register as it was, and is done."""

    def breaks(self, ipa: int, size: int, value: int) -> str | None:
        """Why Bao hangs at a store that ``write`` has not done, and says nothing; None if it does not."""

    def ask_read(self, ipa: int, size: int) -> bool:
        """Ask the home; False: no register takes it, so Bao's emulation fails."""

    def ask_write(self, ipa: int, size: int, value: int) -> bool: ...

    def answered(self, result: IrqcResult) -> None:
        """The home has answered, and the guest still waits: what comes with the answer is for this hart."""

    def inject(self, source: int) -> None:
        """In software, on the VM's master pcpu: a notification from another VM."""

    def expects(self, source: int) -> tuple[int, int, int] | None:
        """As ``Wing.expects``: the place is the identity of this hart's interrupt file; 0: this hart's line, by which
        it is told, and what is there is the address where it claims and completes the source.
        """

    def listed(self, source: int) -> None:
        """As ``Wing.listed``: the line is up, or the guest has claimed the source. Never of one that goes to the file,
        of which nothing is left here.
        """

    def line(self, source: int, level: bool, sequence: int) -> None:
        """A device's line has changed; on the VM's master pcpu."""

    def reset(self) -> None:
        """The VM starts anew. What devices drive on their lines stays."""

    def statistics(self) -> InterruptStatistics: ...

    def unheard(self) -> tuple[int, ...]:
        """Sources that are pending, or up, and that the guest's settings let through to no hart; of the home alone."""

    def save(self) -> Saved: ...

    def load(self, data: object) -> None:
        """Raises StateError for what is not its state."""
