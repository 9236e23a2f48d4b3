"""The life of a crew's process: it keeps what it needs, gives up everything else for good, and runs its guests."""

from __future__ import annotations

import faulthandler
import os
import resource
import sys
from collections.abc import Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar, final

from baonet.actors.refusals import limited, refused
from baonet.actors.telling import failure
from baonet.actors.visible import plain
from baonet.core import _node
from baonet.core.child import belong_to
from baonet.launch.confinement import confine, no_new_privileges
from baonet.launch.crews import Crew
from baonet.memory.node import NodeMemory
from baonet.wire.messages import AGENT, accepted
from baonet.wire.port import Channel, Port, SolePort
from baonet.wire.roles import Role

if TYPE_CHECKING:
    from baonet.launch.share import Share
    from baonet.memory.rings import Ends, RingMemory

_SHOWN: Final = 4096
"""Bytes of last words that are told, the last ones."""
_PIPE: Final = 1 << 16
"""What a pipe holds (pipe(7))."""


T = TypeVar("T")


@final
class LastWords:
    """What a process writes to its standard error: the C library, the emulator and Python say there why they end.

    It is a pipe to the agent and no terminal. What it does not hold is dropped, so that nobody waits for it.
    """

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def be_mine(self) -> None:
        """In the child."""
        os.dup2(self._writer, 2)

    def begin(self) -> None:
        """In the parent, when the child has it."""
        os.close(self._writer)

    def take(self) -> str:
        """When it has ended, or nobody waits for it any more: as a terminal may have it."""
        try:
            said = os.read(self._reader, _PIPE)
        except BlockingIOError:  # it lives, or a sibling that was just forked has not given up its end yet
            said = b""
        end = plain(said[-_SHOWN:].decode(errors="surrogateescape").removesuffix("\n"))
        return end if len(said) <= _SHOWN else f"[...]\n{end}"

    def close(self) -> None:
        os.close(self._reader)


def live(
    crew: Crew,
    channels: Mapping[int, Channel],
    agent: int,
    memory: NodeMemory,
    words: LastWords,
    *,
    rings: RingMemory | None,
    confined: bool,
    share: Share | None = None,
) -> NoReturn:
    """Call it in the child of the process ``agent``. Nothing of the parent's runs on in it, whatever happens.

    ``rings``: those of pcpus that run freely. ``confined``: this host has seccomp filters. ``share``: other nodes have
    the rest of the machine.
    """
    status = 1
    try:
        belong_to(agent)
        words.be_mine()
        _dump_nothing()
        no_new_privileges()
        if share is not None:
            share.forget()
        memory.keep(crew.use)
        ends = None if rings is None else rings.ends(crew.address)
        kept = [each.socket.fileno() for each in channels.values()]
        give_up_all_but(kept if share is None else [*kept, share.caller])
        faulthandler.enable(2, all_threads=False)
        port = _port(crew, channels, memory, ends, share)  # kept: to free its sockets takes calls that are refused
        status = alone(_live(crew, port, confined))
    except BaseException as error:
        if limited(error):
            print(refused(error), file=sys.stderr)
        else:
            sys.__excepthook__(type(error), error, error.__traceback__)
    finally:
        os._exit(status)


def _port(
    crew: Crew, channels: Mapping[int, Channel], memory: NodeMemory, ends: Ends | None, share: Share | None
) -> Port:
    far = SolePort(channels)
    if ends is None:
        return far
    from baonet.wire.ring_port import RingPort  # noqa: PLC0415 - the parent has it where there are rings

    _node.exact_timeouts()
    (vm,) = crew.use.vms
    ledger = memory.ownership.ledger(vm)
    near = _node.Rings(memory.slots.view, crew.address, ends.lost, None if ledger is None else ledger.view)
    for peer, places in ends.rings.items():
        near.join(peer, *places, share is not None and not share.has(peer))
    return RingPort(near, ends.rings, accepted(Role.PCPU, Role.PCPU), far)


def alone(life: Coroutine[Any, Any, T]) -> T:
    """What it returns, at its end: its port is the only place where it waits, and that blocks."""
    try:
        life.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise RuntimeError("it waits for another task, and there is none")


async def _live(crew: Crew, port: Port, confined: bool) -> int:
    """To the end. Returns the exit status."""
    try:
        life = crew.prepare(port)
        if confined:
            confine(crew.role)
        await life()
    except Exception as error:
        port.send(AGENT, failure(crew.address, error, alone=True))
        await port.flush(AGENT)
        return 1
    return 0


def _dump_nothing() -> None:
    """No core, neither to a file nor (limit 1) to a pipe."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    limit = min(1, hard) if hard != resource.RLIM_INFINITY else 1
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))


def give_up_all_but(kept: Iterable[int]) -> None:
    """Close every other descriptor above 2, and have /dev/null as standard input and output.

    Whatever in here still has the number of a closed one does not use it again, and is not freed either: the frames
    that hold it never return.
    """
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    begin = 3
    for descriptor in sorted(kept):
        os.closerange(begin, descriptor)
        begin = descriptor + 1
    os.closerange(begin, os.sysconf("SC_OPEN_MAX"))
