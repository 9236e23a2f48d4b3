"""What the agent is told of the effects that the hypervisor leaves, apart from messages to other pcpus."""

from __future__ import annotations

from baonet.core.cpu import Core
from baonet.hyp import effects as fx
from baonet.wire import messages as wire
from baonet.wire.messages import Control


def told(pcpu: int, core: Core, effect: fx.Effect) -> Control:
    """Raises ValueError for ``Send``, which is not for the agent."""
    match effect:
        case fx.Park(report):
            return wire.Parked(report, core.code(report.pc))
        case fx.VmOff(vm, cause):
            return wire.VmOff(vm, cause.value)
        case fx.VmReset(vm):
            return wire.VmReset(vm)
        case fx.Warn(text):
            return wire.Notice(pcpu, "WARNING", text)
        case fx.Info(text):
            return wire.Notice(pcpu, "INFO", text)
        case fx.Send():
            raise ValueError("a message to another pcpu is not for the agent")
