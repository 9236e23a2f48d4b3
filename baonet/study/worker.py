"""A process that does runs of a study, one after another: ``python -m baonet.study.worker``.

A process, because a machine has to end whenever the study does, and whatever happens to this one is not its end;
several runs in one, because a short run is far less than an interpreter and its modules.

Its standard input is a socket, over which goes ``LENGTH`` and so many bytes at a time. A ``RunQuestion`` in JSON, which
has every number of a YAML file, is answered in msgpack by a ``RunAnswer``, and by a ``TraceAnswer`` if its status is in
``accept``; or by nothing, when this process has run a machine of another architecture, and cannot.
"""

from __future__ import annotations

import dataclasses
import gc
import json
import os
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, final

import msgpack

from baonet.core.errors import OtherEngineError
from baonet.study import measure
from baonet.study.one_run import RunAnswer, RunRequest, perform
from baonet.study.plan import MetricSpec
from baonet.trace.head import TraceError

LENGTH: Final = struct.Struct("<I")


@final
@dataclasses.dataclass(frozen=True, slots=True)
class RunQuestion:
    """One run: ``trace`` is the file that it is to leave, and ``metrics`` are measured from it."""

    request: RunRequest
    trace: str
    accept: tuple[int, ...]
    metrics: tuple[MetricSpec, ...]


@final
@dataclasses.dataclass(frozen=True, slots=True)
class TraceAnswer:
    """``result`` as ``measure.load`` reads it, or ``refusal``: why there is none."""

    result: bytes = b""
    refusal: str = ""


def frame(content: bytes) -> bytes:
    """As it goes over the socket."""
    return LENGTH.pack(len(content)) + content


def question(asked: RunQuestion) -> bytes:
    return json.dumps(dataclasses.asdict(asked)).encode()


def _asked(content: bytes) -> RunQuestion:
    value = json.loads(content)
    request = RunRequest(**{**value["request"], "until": tuple(value["request"]["until"])})
    metrics = tuple(MetricSpec(**{**spec, "interrupts": tuple(spec["interrupts"])}) for spec in value["metrics"])
    return RunQuestion(request, value["trace"], tuple(value["accept"]), metrics)


def run_answer(content: bytes) -> RunAnswer:
    fields: Any = msgpack.unpackb(content)
    return RunAnswer(**fields)


def trace_answer(content: bytes) -> TraceAnswer:
    fields: Any = msgpack.unpackb(content)
    return TraceAnswer(**fields)


def _answer(answer: RunAnswer | TraceAnswer) -> bytes:
    content: bytes = msgpack.packb(dataclasses.asdict(answer))
    return frame(content)


def serve(does: Callable[[RunRequest, str], RunAnswer]) -> int:
    """Do what is asked, until nobody asks any more. What ``does`` raises ends the process, and so this run alone."""
    channel = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    with channel, channel.makefile("rb") as questions:
        while len(length := questions.read(LENGTH.size)) == LENGTH.size:
            asked = _asked(questions.read(*LENGTH.unpack(length)))
            try:
                answer = does(asked.request, asked.trace)
            except OtherEngineError:
                channel.sendall(frame(b""))
                continue
            gc.collect()  # the machine, whose memory would last until something else is collected
            if not gc.get_freeze_count():
                gc.freeze()  # the modules: no later collection need look at them
            channel.sendall(_answer(answer))
            if answer.status in asked.accept:
                channel.sendall(_answer(_measured(asked)))
    return 0


def _measured(asked: RunQuestion) -> TraceAnswer:
    try:
        return TraceAnswer(measure.dump(measure.measure_file(Path(asked.trace), asked.metrics)))
    except (TraceError, OSError) as error:
        return TraceAnswer(refusal=str(error))


if __name__ == "__main__":
    sys.exit(serve(perform))
