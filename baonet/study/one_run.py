"""One run of a study, from what is asked to what is told of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from baonet.run.results import RunOutcome


@final
@dataclasses.dataclass(frozen=True, slots=True)
class RunRequest:
    """Everything as the study file has it: durations and texts, fields of the machine file with their values."""

    machine: str
    settings: Mapping[str, object]
    until: tuple[str, ...]
    duration: str | None
    input: str | None
    placement: str | None
    on: str | None
    timeout: str


@final
@dataclasses.dataclass(frozen=True, slots=True)
class RunAnswer:
    """``status`` is the exit status that ``baonet run`` would have, ``said`` what there is to say of it.

    The first line is the one that tells most.
    """

    status: int
    said: str


def _answer(outcome: RunOutcome) -> RunAnswer:
    """Of a run that is over."""
    assert outcome.ending is not None
    over, *why = str(outcome).splitlines()
    return RunAnswer(outcome.ending.status, "\n".join([*why, over, *outcome.warnings]))


def perform(request: RunRequest, trace: str) -> RunAnswer:
    """Run the machine to its end. Raises OtherEngineError when this process has run one of another architecture."""
    import trio  # noqa: PLC0415 - who only asks does not need what a run is made of

    import baonet  # noqa: PLC0415
    from baonet.actors.refusals import refused  # noqa: PLC0415
    from baonet.core.errors import OtherEngineError  # noqa: PLC0415
    from baonet.machine import ClockMode  # noqa: PLC0415

    async def live(machine: baonet.Machine) -> RunAnswer:
        virtual = machine.clock.mode is ClockMode.VIRTUAL
        placement = request.placement
        if virtual and placement is None and request.on is None:
            placement = "one-process"  # the same as everywhere, and a study has many runs at a time
        async with baonet.open_run(
            machine,
            placement=placement,
            on=request.on,
            input=request.input or (),
            trace=trace,
            until=request.until,
            limit=request.duration,
            timeout=request.timeout,
            threads=1 if virtual else None,
            stop_on_report=False,
        ) as run:
            if run.standing:
                run.resume()
            await run.finished()
        return _answer(run.outcome)

    try:
        machine = baonet.load(request.machine, set=request.settings)
        for field, given in (("for", request.duration), ("run.input", request.input)):
            if given is not None and machine.clock.mode is ClockMode.HOST:
                return RunAnswer(2, f"'{field}' is of virtual time: set run.clock to virtual with it")
        return trio.run(live, machine)
    except OtherEngineError:
        raise
    except baonet.RunEndedError as error:  # before it stood at its beginning
        return _answer(error.outcome)
    except baonet.RunError as error:
        return RunAnswer(1, str(error))
    except (baonet.ConfigError, ValueError) as error:
        return RunAnswer(2, str(error))
    except (OSError, MemoryError, ImportError, baonet.EngineError) as error:
        return RunAnswer(1, refused(error))
