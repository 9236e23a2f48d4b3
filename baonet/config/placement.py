"""Where a VM's image, initrd and device tree lie in its memory.

What the file places stays there; the rest is put as high as it fits in the region that holds the image: first the
device tree, in a 2 MiB block of its own (Linux maps it so, and wants it not to cross one), then the initrd. That
leaves the memory right after the image, where guests have their heap, alone as long as there is other room.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, final

from baonet.config import images
from baonet.config.architecture import Architecture
from baonet.config.draft import Draft
from baonet.config.images import Image, ImageError
from baonet.config.models import VmModel
from baonet.config.ranges import AddressRange, overlapping, unaligned
from baonet.document.document import YamlNode
from baonet.document.errors import Problem
from baonet.document.quantities import human, listing, span
from baonet.machine import PAGE_SIZE, LoadSegment, Region, Stamp
from baonet.machine.dataclass import replace
from baonet.machine.stamp import stamp

if TYPE_CHECKING:
    from baonet.config.fdt import Fdt

DEVICE_TREE_BLOCK = 2 << 20
AUTO = "auto"
_WORDS = ("yes", "no", "on", "off", "none", "generate", "default")
"""What is written for a device tree that is to be made, or not, and is no file."""


@final
class VmContents:
    """The contents of one VM's memory as they are being placed.

    Nothing is placed twice, and every problem goes to ``problems``. ``taken`` are the windows in use, ``tree`` is the
    device tree that is given as a file.
    """

    def __init__(self, model: VmModel, architecture: Architecture) -> None:
        self.model = model
        self._architecture = architecture
        self._guests = architecture.guests
        self.regions = tuple(Region(each.start, each.size, each.phys, each.colors) for each in model.memory)
        self.problems: list[Problem] = []
        self.taken: list[AddressRange] = []
        self.image: Image | None = None
        self.segments: list[LoadSegment] = []
        self.initrd: tuple[int, int] | None = None
        self.device_tree: int | None = None
        self._initrd_size = 0
        self._initrd_stamp: Stamp | None = None
        self.tree: Fdt | None = None

    @property
    def files(self) -> list[Path]:
        """What the VM's files are."""
        model = self.model
        given = [each.path for each in (model.image, model.initrd, model.device_tree) if each is not None]
        return [self._directory() / path for path in given if path != AUTO]

    def read(self, draft: Draft) -> None:
        """Read the headers of the files, and take the places that are given, as far as the file could be read."""
        placed = draft.intact(self.model.node, "memory") and all(each.base is not None for each in self.model.memory)
        if draft.intact(self.model.node, "image"):
            self._read_image()
            if placed and self.image is not None:
                self._place_image(self.image)
        if self.model.initrd is not None and draft.intact(self.model.node, "initrd"):
            self._read_initrd(placed)
        if draft.intact(self.model.node, "device_tree"):
            self._read_device_tree()

    def _directory(self) -> Path:
        return Path(self.model.node.source.path).parent

    def _read_image(self) -> None:
        given = self.model.image
        assert given is not None
        try:
            self.image = images.load(self._directory() / given.path, given.base, given.entry, self._guests)
        except ImageError as error:
            self.problems.append(given.node.at(error.key).problem(str(error), error.hint))
            return
        if self.image.entry % self._guests.instruction:
            length = self._guests.instruction
            message = f"the entry {self.image.entry:#x} is not a multiple of {length}"
            hint = f"no instruction begins there: {self.image.entry // length * length:#x} is the address before it"
            self.problems.append(self.entry.problem(message, hint))

    @property
    def entry(self) -> YamlNode:
        """Where the file says, by itself or by the image that it names, where vCPU 0 starts."""
        given = self.model.image
        assert given is not None
        return given.node.at("entry" if given.entry is not None else "path" if given.base is None else "base")

    def _place_image(self, image: Image) -> None:
        given = self.model.image
        assert given is not None
        node = given.node.at("path" if given.base is None else "base")
        what = "the image" if len(image.spans) == 1 else "the image's segment"
        for start, end in image.spans:
            self._take(AddressRange(start, end, what, node))
        if self._home() is None and (given.entry is not None or not self.problems):
            hint = f"its memory is {self._memory()}"
            self.problems.append(self.entry.problem(f"the entry {image.entry:#x} is not in the VM's memory", hint))
        self.segments += image.segments

    def _read_initrd(self, placed: bool) -> None:
        given = self.model.initrd
        assert given is not None
        path = self._directory() / given.path
        try:
            with images.opened(path) as file:
                self._initrd_size, self._initrd_stamp = images.size_of(file), stamp(file.fileno())
        except ImageError as error:
            self.problems.append(given.node.at(error.key).problem(str(error), error.hint))
            return
        if given.base is not None and placed:
            self.problems += unaligned(given.node.at("base"), given.base)
            self._put_initrd(given.base)
            self._take(AddressRange(given.base, given.base + self._initrd_size, "the initrd", given.node.at("base")))

    def _read_device_tree(self) -> None:
        given = self.model.device_tree
        if given is None or given.path == AUTO:
            return
        from baonet.config import fdt  # noqa: PLC0415 - few VMs are given one

        path = self._directory() / given.path
        node = given.node.at("path")
        try:
            with images.opened(path) as file:
                blob = file.read(DEVICE_TREE_BLOCK + 1)
                if len(blob) > DEVICE_TREE_BLOCK:
                    hint = f"Linux takes at most {human(DEVICE_TREE_BLOCK)}"
                    self.problems.append(node.problem(f"{path} has {images.size_of(file)} bytes", hint))
                    return
                self.tree = fdt.read(blob)
        except ImageError as error:
            hint = error.hint or ("'auto' makes one; for none, leave the key out" if given.path in _WORDS else "")
            self.problems.append(node.problem(str(error), hint))
        except fdt.FdtError as error:
            hint = "compile it with dtc, or use 'auto'"
            self.problems.append(node.problem(f"{path} is not a device tree: {error}", hint))

    def place_device_tree(self, blob: bytes) -> None:
        """Find the place of the device tree; ``blob`` is needed for its size only."""
        given = self.model.device_tree
        assert given is not None
        if len(blob) > DEVICE_TREE_BLOCK:
            hint = f"Linux takes at most {human(DEVICE_TREE_BLOCK)}"
            self.problems.append(given.node.at("path").problem(f"a device tree of {len(blob)} bytes", hint))
            return
        if given.base is not None:
            node = given.node.at("base")
            self.problems += unaligned(node, given.base, 8)
            if not given.base:
                self.problems.append(node.problem("a guest takes address 0 for no device tree", "use another address"))
            self.device_tree = given.base
            self._take(AddressRange(given.base, given.base + len(blob), "the device tree", node))
            return
        kept = DEVICE_TREE_BLOCK
        self.device_tree = self._highest(len(blob), DEVICE_TREE_BLOCK)
        if self.device_tree is None:
            kept = len(blob)
            self.device_tree = self._highest(len(blob), PAGE_SIZE)
        if self.device_tree is None:
            self._no_room(given.node, "the device tree", len(blob))
            return
        self.taken.append(AddressRange(self.device_tree, self.device_tree + kept, "the device tree", given.node))

    def place_initrd(self) -> None:
        """Find the place of the initrd if the configuration gives none."""
        given = self.model.initrd
        if given is None or given.base is not None or not self._initrd_size:
            return
        start = self._highest(self._initrd_size, PAGE_SIZE)
        if start is None:
            self._no_room(given.node.at("path"), "the initrd", self._initrd_size)
            return
        self._put_initrd(start)
        self.taken.append(AddressRange(start, start + self._initrd_size, "the initrd", given.node))

    def _put_initrd(self, start: int) -> None:
        assert self.model.initrd is not None
        path = (self._directory() / self.model.initrd.path).absolute()
        self.initrd = (start, start + self._initrd_size)
        self.segments.append(LoadSegment(start, self._initrd_size, str(path), stamp=self._initrd_stamp))

    def _take(self, window: AddressRange) -> None:
        """Take a place that is given: it has to lie in one region and meet nothing that is there."""
        self.taken.append(window)
        if self._region(window.start, window.end) is None:
            size = human(window.end - window.start)
            message = f"{window.what} takes {window} ({size}), which is not inside one region of the VM's memory"
            hint = self._relink(window) or f"its memory is {self._memory()}"
            self.problems.append(window.node.problem(message, hint))
        meeting = [other for other in self.taken[:-1] if other.meets(window.start, window.end)]
        for problem in list(overlapping([*meeting[:1], window]))[:1]:
            fixed = window.node.name.endswith(".path")  # by an ELF file's headers
            self.problems.append(replace(problem, hint="link the guest to other addresses") if fixed else problem)

    def _relink(self, window: AddressRange) -> str:
        """What helps where an ELF file's own headers are what is wrong; "" for anything else."""
        if self.image is None or not window.node.name.endswith(".path") or not self.image.segments:
            return ""
        if self.image.movable:
            return f"it is position independent: give 'base', an address in {self._memory()}"
        if window.start >= self._architecture.address_limit:
            return (
                "these are virtual addresses: give the segments physical ones (p_paddr, AT() in a linker script); "
                f"of Linux take {self._guests.kernel_file}, not vmlinux"
            )
        return ""

    def _memory(self) -> str:
        return listing(span(region.base, region.base + region.size) for region in self.regions)

    def _region(self, start: int, end: int) -> Region | None:
        return next((r for r in self.regions if r.base <= start and end <= r.base + r.size), None)

    def _home(self) -> Region | None:
        """The region that holds the image."""
        return None if self.image is None else self._region(self.image.entry, self.image.entry + 4)

    def _highest(self, size: int, alignment: int) -> int | None:
        """The highest free place of this size in the region that holds the image; never address 0, which is none."""
        home = self._home()
        if home is None:
            return None
        start = (home.base + home.size - size) // alignment * alignment
        for window in sorted(self.taken, key=lambda each: each.start, reverse=True):
            if window.meets(start, start + size):
                start = (window.start - size) // alignment * alignment
        return start if start >= home.base and start > 0 else None

    def _no_room(self, node: YamlNode, what: str, size: int) -> None:
        home = self._home()
        if home is not None:
            message = (
                f"{what} ({human(size)}) does not fit beside the image in {span(home.base, home.base + home.size)}"
            )
            self.problems.append(node.problem(message, "make that region larger, or give 'base'"))
