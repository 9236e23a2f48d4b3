"""What could be read of a machine file, on its way to a ``Machine``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from baonet.config import platform_file, wings
from baonet.config.architecture import Architecture
from baonet.config.clock_models import ClockModel
from baonet.config.console_input import InputModel
from baonet.config.fault_models import FaultModel
from baonet.config.models import DeviceModel, HypervisorModel, SharedMemoryModel, VmModel
from baonet.config.node_placement import NodePlacementModel
from baonet.document.document import YamlNode
from baonet.document.kinds import Reader
from baonet.machine import Platform, PlatformDevice
from baonet.machine.dataclass import dataclass


@final
@dataclass(frozen=True, slots=True)
class Draft:
    """The parts of the file that could be read. ``platform`` is None if it could not, ``clock``, ``hypervisor`` and
    ``placement`` also if they are absent.

    ``shared_memory`` and ``vms`` lack what could not be read, so a rule that needs all of them asks ``reader``.
    """

    root: YamlNode
    reader: Reader
    platform: Platform | None
    shared_memory: Sequence[SharedMemoryModel]
    vms: Sequence[VmModel]
    clock: ClockModel | None
    input: Sequence[InputModel]
    faults: Sequence[FaultModel]
    placement: NodePlacementModel | None
    hypervisor: HypervisorModel | None

    @property
    def architecture(self) -> Architecture:
        """The platform's, or that which is meant by one that could not be read."""
        return platform_file.meant(self.root.at("platform")) if self.platform is None else wings.of(self.platform)

    def intact(self, node: YamlNode, *keys: str) -> bool:
        """Whether everything below these keys of a mapping could be read, or was absent and not misspelt."""
        return all(self.reader.intact(f"{node.name}.{key}".lstrip(".")) for key in keys)

    def shared(self, name: str) -> SharedMemoryModel | None:
        return next((each for each in self.shared_memory if each.name == name), None)

    def devices_in(self, start: int, end: int) -> list[PlatformDevice]:
        """The platform's devices that lie within a physical range."""
        devices = self.platform.devices if self.platform else ()
        return [each for each in devices if start <= each.pa and each.pa + each.size <= end]

    def device_size(self, device: DeviceModel) -> int | None:
        """The size of a device entry's mapping: as given, or that of the device at its address."""
        if device.size is not None or device.pa is None:
            return device.size
        devices = self.platform.devices if self.platform else ()
        return next((each.size for each in devices if each.pa == device.pa), None)
