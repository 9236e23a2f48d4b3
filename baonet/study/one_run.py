"""One run of a study, in a process of its own: ``python -m baonet.study.one_run TRACE``.

What is asked is a ``RunRequest`` in JSON on standard input, and what is told a ``RunAnswer`` on standard output. A
process, because the machine has to end whenever the study does, and whatever happens to this one is not its end.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from typing import final


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


def perform(request: RunRequest, trace: str) -> RunAnswer:
    """Run the machine to its end."""
    import trio  # noqa: PLC0415 - who only asks does not need what a run is made of

    import baonet  # noqa: PLC0415
    from baonet.actors.refusals import refused  # noqa: PLC0415
    from baonet.machine import ClockMode  # noqa: PLC0415

    async def live(machine: baonet.Machine) -> RunAnswer:
        async with baonet.open_run(
            machine,
            placement=request.placement,
            on=request.on,
            input=request.input or (),
            trace=trace,
            until=request.until,
            limit=request.duration,
            timeout=request.timeout,
            threads=1 if machine.clock.mode is ClockMode.VIRTUAL else None,  # a study has as many runs at a time
            stop_on_report=False,
        ) as run:
            if run.standing:
                run.resume()
            await run.finished()
        outcome = run.outcome
        assert outcome.ending is not None
        over, *why = str(outcome).splitlines()
        return RunAnswer(outcome.ending.value, "\n".join([*why, over, *outcome.warnings]))

    try:
        machine = baonet.load(request.machine, set=request.settings)
        for field, given in (("for", request.duration), ("run.input", request.input)):
            if given is not None and machine.clock.mode is ClockMode.HOST:
                return RunAnswer(2, f"'{field}' is of virtual time: set run.clock to virtual with it")
        return trio.run(live, machine)
    except baonet.RunError as error:
        return RunAnswer(1, str(error))
    except (baonet.ConfigError, ValueError) as error:
        return RunAnswer(2, str(error))
    except (OSError, MemoryError, ImportError, baonet.EngineError) as error:
        return RunAnswer(1, refused(error))


def main() -> int:
    asked = json.load(sys.stdin)
    answer = perform(RunRequest(**{**asked, "until": tuple(asked["until"])}), sys.argv[1])
    json.dump(dataclasses.asdict(answer), sys.stdout)
    sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
