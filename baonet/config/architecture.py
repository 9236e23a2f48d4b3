"""What an architecture brings to the configuration: the protocol between what machine files share and a wing of one.

A wing is a package beside the shared files; ``baonet.config.wings`` has them all, and nothing else here knows one by
name. Its keys stand among those of a platform and of a VM: they are the fields of ``platform_part`` and ``vm_part``,
which have defaults, and which the wing alone looks into.
"""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping
from typing import TYPE_CHECKING, Final, Protocol, final

from baonet.document.document import YamlNode
from baonet.document.errors import Problem
from baonet.document.models import Model
from baonet.machine import ArchVm, Costs, Platform, Vm
from baonet.machine.dataclass import dataclass

if TYPE_CHECKING:
    from baonet.config.fdt import FdtNode
    from baonet.config.hypervisor_preset import HypervisorPreset
    from baonet.config.memory_preset import MemoryPreset
    from baonet.config.tree_nodes import TreePlace

MOST_CPUS: Final = 1024
"""CPUs that any platform can have."""
MOST_IN_A_CLUSTER: Final = 32
"""CPUs that can share a second-level cache that is modelled."""
MOST_CPUS_OF_BAO: Final = 64
"""CPUs of a platform of Bao's: its CPU sets are one unsigned long (``cpumap_t``)."""


@final
@dataclass(frozen=True, slots=True)
class AddressWindow:
    """Addresses from ``start`` up to ``end`` that the architecture takes for itself; ``key`` is that of the first.

    ``what`` names it in an error, ``name`` in a list.
    """

    key: str
    start: int
    end: int
    what: str
    name: str


@final
@dataclass(frozen=True, slots=True)
class Mention:
    """One mention of an interrupt. ``what`` is "device", "ipc" or "timer"."""

    interrupt: int
    what: str
    node: YamlNode


@final
@dataclass(frozen=True, slots=True)
class Words:
    """What is said to users in the architecture's own terms, where all else of a sentence is the same for all.

    ``interrupt``: what the number of one is called; ``numbers``: how it is written; ``controller``; ``argument``: what
    a guest finds where its device tree is. ``device_interrupts``, ``notifications``, ``platform_interrupt``,
    ``interrupt_missing``: which numbers an entry of a VM, an object in shared memory and a device of the platform take.
    ``cpus``: how many there can be; ``no_answer``: how an access ends that nothing answers; ``timer``: what its
    frequency is of; ``requests``: what a guest asks of the firmware that Bao does not grant; ``calls``, ``accesses``:
    exits to the hypervisor. ``mediated``, ``direct``: where interrupts go through it and where not; ``delivery``: which
    of them is meant by a VM that does not say. ``guest_addresses``: what they are called, ``address_width``: whose they
    have. ``controller_compared`` is what a given tree is compared in, ``tree_tells`` what a generated one tells;
    ``vm_keys`` is where a VM's keys stand.
    """

    interrupt: str
    numbers: str
    controller: str
    controller_compared: str
    argument: str
    device_interrupts: str
    notifications: str
    platform_interrupt: str
    interrupt_missing: str
    cpus: str
    no_answer: str
    timer: str
    requests: str
    calls: str
    accesses: str
    mediated: str
    direct: str
    delivery: str
    guest_addresses: str
    address_width: str
    tree_tells: str
    vm_keys: str


@final
@dataclass(frozen=True, slots=True)
class CostTable:
    """Costs of the hypervisor, the source of each by its name, the sources in a line, and all of it in Markdown."""

    costs: Costs
    sources: Mapping[str, str]
    origin: str
    page: str


class Guests(Protocol):
    """The programs that its CPUs run.

    ``target``: what a compiler calls the architecture, and ``machine`` ELF (e_machine). ``linux``, ``image``: what
    Linux calls itself there, and the file that a boot loader starts; ``short_image``: the same in fewer words.
    ``command_line``: characters that Linux keeps of one. ``instruction``: an entry is a multiple of it.
    ``whole_pages``: the instruction for which a program moves by whole pages. ``kernel_file``: where a build of Linux
    leaves its image.
    """

    target: str
    machine: int
    linux: str
    image: str
    short_image: str
    command_line: int
    instruction: int
    whole_pages: str
    kernel_file: str

    def is_linux(self, head: bytes) -> bool:
        """Whether a file that begins so is a Linux image of this architecture."""

    def least(self, head: bytes) -> int:
        """Bytes that the file of an image must have."""

    def room(self, head: bytes) -> tuple[int, int]:
        """(from a multiple of 2 MiB to the image, bytes that it takes in memory or 0 if it does not tell)."""

    def doubts(self, head: bytes) -> Iterator[tuple[str, str]]:
        """What no CPU can run, and what would be right."""


class Trees(Protocol):
    """What device trees say in its terms. ``controllers``: what the binding of an interrupt controller is called there
    (``compatible``).
    """

    controllers: Collection[str]

    def describe(self, root: FdtNode, platform: Platform, vm: Vm, controller: int) -> None:
        """Add CPUs, firmware, the interrupt controller, with the phandle ``controller``, and the timer."""

    def cells(self, vm: Vm, interrupt: int, *, edge: bool) -> tuple[int, ...]:
        """``interrupts`` of a node: one of them."""

    def told_interrupts(self, place: TreePlace) -> tuple[int, ...]:
        """What ``interrupts`` of a node says."""

    def disagreements(self, told: FdtNode, true: FdtNode, vm: Vm) -> Iterator[tuple[str, str]]:
        """(what a given tree says wrongly of controller and timer, what would be right). ``true``: a generated one."""

    def loose_ends(self, alive: list[TreePlace]) -> Iterator[tuple[str, str]]:
        """What leads nowhere: how its CPUs are to be started."""


class Architecture(Protocol):
    """``name`` is that of ``Platform.architecture``; ``key`` is what the interrupt controller has in a file.

    ``address_limit``: where guest addresses and physical ones end. ``interrupts`` are their numbers, ``lines`` those
    that a device of the platform can have. ``private``: interrupts that are a vcpu's own, as in
    ``baonet.hyp.architecture``; ``raised``: those that a CPU itself raises. ``platforms``: the built-in ones, each with
    a description in Markdown; ``blank``: what one is that extends none. ``costs`` are those of the built-in ones.
    """

    name: str
    key: str
    words: Words
    guests: Guests
    address_limit: int
    interrupts: range
    lines: range
    private: Container[int]
    raised: Collection[int]
    platform_part: type[Model]
    vm_part: type[Model]
    blank: Platform
    platforms: Mapping[str, tuple[Platform, str]]
    costs: CostTable

    # Of a platform

    def missing(self, part: Model, base: Platform | None, extend: str) -> Iterator[Problem]:
        """What has to be given and is not. Without ``base`` a hint ends with ``extend``, the other way to give it."""

    def platform(self, part: Model, base: Platform) -> Platform:
        """``base`` with everything that ``part`` gives."""

    def platform_problems(self, part: Model, platform: Platform) -> Iterator[Problem]: ...

    def unconnected(self, platform: Platform, interrupt: int) -> tuple[str, str] | None:
        """(what is wrong with a device's interrupt, which is one of ``lines``, what would be right)."""

    def most_cpus(self, platform: Platform) -> int:
        """CPUs that such a platform can have."""

    def platform_windows(self, platform: Platform) -> Iterator[AddressWindow]:
        """Physical addresses."""

    def brief(self, platform: Platform) -> str:
        """What its CPUs are, and its interrupt controller, behind their number."""

    def in_full(self, platform: Platform) -> Iterator[str]:
        """Lines of text: interrupt controller, timer, identification of the CPUs."""

    def suspends(self, platform: Platform) -> str:
        """What the firmware's suspend of a CPU can do."""

    def in_short(self, platform: Platform) -> str:
        """The interrupt controller, for the reference page."""

    def memory_presets(self) -> Mapping[str, MemoryPreset]:
        """The memory systems that a platform can have by a name. Loaded when it is asked for."""

    def hypervisors(self) -> Mapping[str, HypervisorPreset]:
        """Of which it is published what they take on this architecture, by their names. Loaded likewise."""

    # Of a VM

    def vm(self, part: Model, platform: Platform) -> ArchVm: ...

    def vm_problems(self, part: Model, vm: ArchVm) -> Iterator[Problem]: ...

    def vm_windows(self, vm: ArchVm, cpus: int) -> Iterator[AddressWindow]:
        """Guest addresses."""

    def delivery(self, vm: ArchVm) -> tuple[str, str]:
        """(how interrupts reach a VM that does not say, why they cannot otherwise, or "" if they can)."""

    def hardware(self, part: Model) -> Collection[int]:
        """Interrupts of a vcpu's own hardware that reach the VM."""

    def uses(self, part: Model) -> Iterator[Mention]:
        """Where the part names interrupts."""

    def interrupt_problems(self, use: Mention, vm: ArchVm, platform: Platform) -> Iterator[Problem]: ...

    def meant(self, interrupt: int) -> str:
        """What was probably meant by one that nothing raises; "" if nothing was."""

    def unlike_bao(self, node: YamlNode, cpus: int) -> Iterator[Problem]:
        """Problems with the number of a VM's vcpus, at ``node``, under ``faithful: strict``."""

    def summary(self, vm: Vm) -> dict[str, int]:
        """For readers of a trace: the interrupt controller's addresses, by their names."""

    # Of a device tree

    def trees(self) -> Trees:
        """Loaded when there is one: few machines have any."""
