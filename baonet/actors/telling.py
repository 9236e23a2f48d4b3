"""What the agent is told of the effects that the hypervisor leaves, apart from messages to other pcpus."""

from __future__ import annotations

import io
import sys
from contextlib import redirect_stderr

from baonet.actors.island import MailboxFullError
from baonet.actors.refusals import limited, refused
from baonet.core.cpu import Core
from baonet.hyp import effects as fx
from baonet.machine.saved import StateError
from baonet.wire import messages as wire
from baonet.wire.messages import Control


def told(core: Core, effect: fx.Effect) -> Control:
    """Raises ValueError for ``Send``, which is not for the agent, and for what ``Notices`` has."""
    match effect:
        case fx.Park(report):
            return wire.Parked(report, core.code(report.pc))
        case fx.VmOff(vm, cause):
            return wire.VmOff(vm, cause.value)
        case fx.VmReset(vm):
            return wire.VmReset(vm)
        case fx.Send() | fx.Warn() | fx.Info():
            raise ValueError("a message to another pcpu is not for the agent, and notices have limits")


def failure(address: int, error: Exception, *, alone: bool = False) -> wire.Failure:
    """Why the actor at ``address`` cannot go on: one line of what guests or files can do, else where it happened.

    ``alone``: it has a process and its standard error to itself, and may have a filter.
    """
    if isinstance(error, MailboxFullError | StateError):
        return wire.Failure(address, str(error))
    if limited(error):
        return wire.Failure(address, refused(error))
    return wire.Failure(address, _shown(error) if alone else _formatted(error))


def _formatted(error: Exception) -> str:
    """Not by way of ``sys.stderr``: other threads of the process use it, and other runs in them do this."""
    import traceback  # noqa: PLC0415 - see ``_shown``

    return "".join(traceback.format_exception(error))


def _shown(error: Exception) -> str:
    """The same without ``traceback``, which who has a filter cannot load any more, and others need not for this."""
    with redirect_stderr(io.StringIO()) as said:
        sys.__excepthook__(type(error), error, error.__traceback__)
    return said.getvalue()
