"""Pcpus that another process runs for a conductor, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, final

import msgpack

from baonet.actors.phases import Phase, step
from baonet.actors.recorder import Recorder
from baonet.actors.seat import Seat
from baonet.machine.saved import Saved, StateError, StateForm
from baonet.wire import messages as wire
from baonet.wire.messages import Control
from baonet.wire.port import Port
from baonet.wire.turns import Collect, Collected, Mail, Turn, Turned

PIECE: Final = 1 << 17
"""Bytes of a state that one message has at most."""

_FORM: Final = StateForm("a pcpu with its records", 1, seat=dict, recorder=dict, island=dict | None)


@final
class Failures:
    """What goes wrong in the thread that has guests run ends the one task of the process, which ``call`` wakes."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._error: Exception | None = None

    def tell(self, error: Exception) -> None:
        """In any thread."""
        self._error = error
        self._call()

    def check(self) -> None:
        """Raises what was told."""
        if self._error is not None:
            raise self._error


async def serve(seats: dict[int, tuple[Seat, Recorder]], port: Port, conductor: int, failures: Failures) -> None:
    """Take the turns that the conductor at the address ``conductor`` gives, until it says stop or is gone.

    Alone in a process. Raises what ``failures`` are told.
    """
    phase = Phase.SPAWNED

    def say(message: wire.Control) -> Phase:
        port.send(conductor, message)
        return step(phase, message)

    phase = say(wire.Hello(wire.VERSION, min(seats)))
    while True:
        await port.wait(None)
        failures.check()
        for _, message in port.take():
            if isinstance(message, Mail):
                seats[message.pcpu][0].deliver(message.inbox)
            elif isinstance(message, Turn):
                port.send(conductor, taken(*seats[message.pcpu], message))
            elif isinstance(message, Collect):
                port.send(conductor, Collected(message.pcpu, collected(*seats[message.pcpu])))
            elif isinstance(message, wire.StateRequest):
                tell_states(seats, port, conductor)
            elif isinstance(message, wire.RegistersRequest):
                port.send(conductor, wire.Registers(message.pcpu, seats[message.pcpu][0].body.registers()))
            elif isinstance(message, wire.Start | wire.Stop):
                phase = step(phase, message)
                if phase is Phase.STARTED:
                    phase = say(wire.Running())
                    continue
                for seat, recorder in seats.values():
                    farewell(seat, recorder, port, conductor)
                say(wire.Stopped(min(seats)))
                await port.flush(conductor)
                return
        if port.closed():
            return


def taken(seat: Seat, recorder: Recorder, turn: Turn) -> Turned:
    """What has come of a turn, with its records drained."""
    turned = seat.turn(turn)
    if seat.core.has_records:
        recorder.drain()
    return turned


def collected(seat: Seat, recorder: Recorder) -> tuple[Control, ...]:
    """What the guest has printed, while it stands, with its records drained."""
    if seat.core.has_records:
        recorder.drain()
    return seat.collect()


def farewell(seat: Seat, recorder: Recorder, port: Port, to: int) -> None:
    """The last words of a pcpu: what it recorded, how its vcpu is, and its counters."""
    recorder.drain(everything=True)
    port.send(to, wire.Digest(seat.pcpu, recorder.digest()))
    for message in seat.last_words():
        port.send(to, message)


def tell_states(seats: dict[int, tuple[Seat, Recorder]], port: Port, to: int, island: Saved | None = None) -> None:
    """What each of these pcpus has come to, between two turns, and all that it has printed and recorded before.

    ``island``: that of the island, which goes with the first.
    """
    for seat, recorder in seats.values():
        recorder.drain(everything=True)
        for message in seat.collect():
            port.send(to, message)
    for pcpu, state in save_seats(seats, island).items():
        data: bytes = msgpack.packb(state)
        for start in range(0, len(data), PIECE):
            end = start + PIECE
            port.send(to, wire.PcpuState(pcpu, data[start:end], end < len(data)))


def save_seats(seats: dict[int, tuple[Seat, Recorder]], island: Saved | None = None) -> dict[int, Saved]:
    """What each of these pcpus has come to; ``island`` goes with the first. Raises ValueError in a turn of one."""
    first = min(seats)
    return {
        pcpu: _FORM.save(seat=seat.save(), recorder=recorder.save(), island=island if pcpu == first else None)
        for pcpu, (seat, recorder) in seats.items()
    }


def load_seats(seats: dict[int, tuple[Seat, Recorder]], states: Mapping[int, object]) -> object:
    """Have these pcpus be as those were whose ``states`` these are. Returns what goes with the first, their island's.

    Raises StateError for what is not their state, or of another version.
    """
    islands = []
    for pcpu, (seat, recorder) in sorted(seats.items()):
        fields = _FORM.load(states.get(pcpu))
        try:
            seat.load(fields["seat"])
            recorder.load(fields["recorder"])
        except ValueError as error:
            raise StateError(str(error)) from error
        islands.append(fields["island"])
    return islands[0]


def opened(states: Mapping[int, bytes], pcpus: Iterable[int]) -> dict[int, object]:
    """The states of some pcpus as data. Raises StateError for what is none, and for a pcpu that has none."""
    found = {}
    for pcpu in pcpus:
        if pcpu not in states:
            raise StateError("the state is of other pcpus: load it into the machine that it was saved from")
        with _FORM.reading():
            found[pcpu] = msgpack.unpackb(states[pcpu])
    return found


def chains(states: Mapping[int, bytes]) -> dict[int, tuple[bytes, bytes]]:
    """With what the digest's chain of each pcpu goes on: as ``Chain.state`` has it. Raises StateError."""
    found = {}
    for pcpu, data in opened(states, states).items():
        recorder = _FORM.load(data)["recorder"]
        with _FORM.reading():
            found[pcpu] = (bytes(recorder["link"]), bytes(recorder["records"]))
    return found
