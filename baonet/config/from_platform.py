"""What a VM leaves to its platform: where its RAM begins, and where a device is that it calls by its name."""

from __future__ import annotations

from baonet.config.models import DeviceModel, VmModel
from baonet.machine import Platform
from baonet.machine.dataclass import replace


def completed(vm: VmModel, platform: Platform | None) -> VmModel:
    """With what the platform says. Without a platform, or a device of that name, what is left out stays so."""
    if platform is None:
        return vm
    start = platform.ram[0].base
    memory = tuple(each if each.base is not None else replace(each, base=start) for each in vm.memory)
    return replace(vm, memory=memory, devices=tuple(_completed(each, platform) for each in vm.devices))


def _completed(device: DeviceModel, platform: Platform) -> DeviceModel:
    found = next((each for each in platform.devices if each.name == device.name), None)
    if found is None or device.pa is not None:
        return device
    own = (found.interrupt,) if found.interrupt else ()
    lines = own if device.interrupts is None else device.interrupts
    return replace(device, pa=found.pa, size=device.size or found.size, interrupts=lines)
