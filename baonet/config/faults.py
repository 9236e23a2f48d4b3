"""Faults: what has to hold between their fields and those of the machine, and their records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from baonet.config.console_input import unknown_vm
from baonet.config.draft import Draft
from baonet.config.fault_models import (
    CrashModel,
    FaultModel,
    FlipModel,
    LateMessageFaultModel,
    MessageFaultModel,
    StallModel,
)
from baonet.document.errors import Problem
from baonet.document.kinds import nearest
from baonet.document.quantities import human, human_duration, listing
from baonet.machine import CrashFault, Disturbance, Fault, FlipFault, MessageFault, MessageKind, StallFault


def problems(draft: Draft) -> Iterator[Problem]:
    """Everything that is wrong with the faults, but for what they share with all that happens in virtual time."""
    for model in draft.faults:
        if isinstance(model, MessageFaultModel):
            yield from _message(draft, model)
        elif isinstance(model, StallModel | CrashModel):
            yield from _pcpu(draft, model)
        else:
            yield from _flip(draft, model)


def _message(draft: Draft, model: MessageFaultModel) -> Iterator[Problem]:
    if model.until is not None and model.until <= model.after:
        hint = f"give a time after {human_duration(model.after)}"
        yield model.node.at("until").problem("the rule ends before it begins", hint)
    if not draft.intact(draft.root, "vms"):
        return
    names = [vm.name for vm in draft.vms]
    for key, name in (("from", model.from_), ("to", model.to)):
        if name is not None:
            yield from unknown_vm(model.node.at(key), name, names)
    if model.from_ is None or model.to is None:
        return
    if model.message == MessageKind.IPC.value and model.from_ == model.to:
        yield model.node.at("to").problem(f"{model.to!r} does not notify itself", "a notification is for other VMs")
    if model.message == MessageKind.IPI.value and model.from_ != model.to:
        hint = f"give 'to: {model.from_}', or 'message: ipc'"
        yield model.node.at("to").problem(f"no IPI goes from {model.from_!r} to {model.to!r}: it stays in its VM", hint)


def _pcpu(draft: Draft, model: StallModel | CrashModel) -> Iterator[Problem]:
    if draft.platform is not None and model.pcpu >= draft.platform.cpus:
        number = draft.platform.cpus
        hint = f"they are numbered from 0 to {number - 1}"
        yield model.node.at("pcpu").problem(f"the platform has no CPU {model.pcpu}", hint)


def _flip(draft: Draft, model: FlipModel) -> Iterator[Problem]:
    shared = draft.shared(model.shared_memory)
    if shared is None:
        if draft.intact(draft.root, "shared_memory"):
            names = [each.name for each in draft.shared_memory]
            near = nearest(model.shared_memory, names)
            hint = f"did you mean {near!r}?" if near else f"defined under 'shared_memory': {listing(names)}"
            yield model.node.at("shared_memory").problem(f"there is no shared memory {model.shared_memory!r}", hint)
        return
    if model.offset is not None and model.offset >= shared.size:
        message = f"offset {model.offset:#x} is outside {shared.name!r}"
        yield model.node.at("offset").problem(message, f"it has {human(shared.size)}: use at most {shared.size - 1:#x}")
    most = (1 if model.offset is not None else shared.size) * (1 if model.bit is not None else 8)
    if model.count > most:
        message = f"{model.count} different bits cannot flip: there is a choice of {most}"
        yield model.node.at("count").problem(message, "give fewer, or leave 'offset' or 'bit' open")


def resolve(models: Sequence[FaultModel], vms: Sequence[str], shared_memory: Sequence[str]) -> tuple[Fault, ...]:
    """The records of models without problems, in the order of the file."""
    return tuple(_record(model, vms, shared_memory) for model in models)


def _record(model: FaultModel, vms: Sequence[str], shared_memory: Sequence[str]) -> Fault:
    if isinstance(model, StallModel):
        return StallFault(model.pcpu, model.at, model.for_)
    if isinstance(model, CrashModel):
        return CrashFault(model.pcpu, model.at)
    if isinstance(model, FlipModel):
        shmem = shared_memory.index(model.shared_memory)
        return FlipFault(shmem, model.at, model.offset, model.bit, model.count, model.seed)
    return MessageFault(
        kind=Disturbance(model.fault),
        message=MessageKind(model.message),
        source=None if model.from_ is None else vms.index(model.from_),
        target=None if model.to is None else vms.index(model.to),
        probability=model.probability,
        seed=model.seed,
        after=model.after,
        until=model.until,
        count=model.count,
        by=model.by if isinstance(model, LateMessageFaultModel) else 0,
    )
