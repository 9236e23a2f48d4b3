"""Mistakes with what happens at given times, each as a change to the valid file."""

from __future__ import annotations

from tests.config.mistakes_of_form import Case

VERSION = "version: 1\n"
VIRTUAL = "version: 1\nclock: {mode: virtual}\n"
HOST = "version: 1\nclock: {mode: host}\n"


def _input(item: str) -> tuple[str, str]:
    return VERSION, f"{VIRTUAL}input: [{item}]\n"


def _fault(item: str) -> tuple[str, str]:
    return VERSION, f"{VIRTUAL}faults: [{item}]\n"


CASES = {
    "a window of no instruction": Case(
        VERSION,
        "version: 1\nclock: {mhz: 1, window: §999ns}\n",
        "clock.window",
        "999ns is less than one instruction at 1 MHz",
        "use 1us or more",
    ),
    "a slice of no instruction": Case(
        VERSION,
        "version: 1\nclock: {mhz: 1, slice: §0.5us}\n",
        "clock.slice",
        "500ns is less than one instruction at 1 MHz",
        "use 1us or more: a slice has many instructions",
    ),
    "input by the host's clock": Case(
        VERSION,
        f'{HOST}§input: [{{vm: ping, at: 1s, text: "a"}}]\n',
        "input",
        "input at given times needs the virtual clock",
        "set 'mode: virtual' under 'clock'",
    ),
    "input for no VM": Case(
        *_input('{vm: §pnig, at: 1s, text: "a"}'), "input[0].vm", "there is no VM 'pnig'", "did you mean 'ping'?"
    ),
    "input for a VM that is unlike any": Case(
        *_input('{vm: §x, at: 1s, text: "a"}'), "input[0].vm", "there is no VM 'x'", "the VMs are ping and linux"
    ),
    "input of nothing": Case(
        *_input("§{vm: ping, at: 1s}"), "input[0]", "nothing is typed", "give 'text', 'bytes' or 'break: true'"
    ),
    "input of no character": Case(*_input('{vm: ping, at: 1s, text: §""}'), "input[0].text", "nothing is typed"),
    "input of both kinds": Case(
        *_input('{vm: ping, at: 1s, text: "a", §bytes: "61"}'), "input[0].bytes", "'bytes' beside 'text'", "one of them"
    ),
    "input of odd bytes": Case(
        *_input('{vm: ping, at: 1s, bytes: §"616"}'),
        "input[0].bytes",
        "'616' is not bytes in hexadecimal",
        "two digits for each",
    ),
    "input of a number": Case(
        *_input("{vm: ping, at: 1s, bytes: §61}"), "input[0].bytes", "61 is not text", 'quote it: "61"'
    ),
    "faults by the host's clock": Case(
        VERSION,
        f"{HOST}§faults: [{{fault: crash, pcpu: 0, at: 1s}}]\n",
        "faults",
        "a fault at a given time needs the virtual clock",
        "set 'mode: virtual' under 'clock'",
    ),
    "messages from no VM": Case(
        *_fault("{fault: drop, from: §pong}"), "faults[0].from", "there is no VM 'pong'", "did you mean 'ping'?"
    ),
    "messages to no VM": Case(
        *_fault("{fault: drop, to: §linus}"), "faults[0].to", "there is no VM 'linus'", "did you mean 'linux'?"
    ),
    "a VM that notifies itself": Case(
        *_fault("{fault: drop, from: ping, to: §ping}"), "faults[0].to", "'ping' does not notify itself", "other VMs"
    ),
    "an IPI to another VM": Case(
        *_fault("{fault: drop, message: ipi, from: ping, to: §linux}"),
        "faults[0].to",
        "no IPI goes from 'ping' to 'linux'",
        "'to: ping'",
    ),
    "a rule that ends before it begins": Case(
        *_fault("{fault: drop, after: 2s, until: §2000ms}"), "faults[0].until", "ends before it begins", "after 2s"
    ),
    "a stall of no CPU": Case(
        *_fault("{fault: stall, pcpu: §4, at: 1s, for: 1ms}"),
        "faults[0].pcpu",
        "the platform has no CPU 4",
        "from 0 to 3",
    ),
    "a crash of no CPU": Case(
        *_fault("{fault: crash, pcpu: §63, at: 1s}"), "faults[0].pcpu", "the platform has no CPU 63", "from 0 to 3"
    ),
    "a flip in no memory": Case(
        *_fault("{fault: flip, shared_memory: §mail, at: 1s}"),
        "faults[0].shared_memory",
        "there is no shared memory 'mail'",
        "did you mean 'mailbox'?",
    ),
    "a flip outside the memory": Case(
        *_fault("{fault: flip, shared_memory: mailbox, at: 1s, offset: §64KiB}"),
        "faults[0].offset",
        "offset 0x10000 is outside 'mailbox'",
        "use at most 0xffff",
    ),
    "a flip of more bits than there are": Case(
        *_fault("{fault: flip, shared_memory: mailbox, at: 1s, offset: 0, count: §9}"),
        "faults[0].count",
        "9 different bits cannot flip: there is a choice of 8",
        "leave 'offset' or 'bit' open",
    ),
    "a flip of one bit twice": Case(
        *_fault("{fault: flip, shared_memory: mailbox, at: 1s, offset: 0, bit: 7, count: §2}"),
        "faults[0].count",
        "there is a choice of 1",
    ),
    "input at no time": Case(*_input('§{vm: ping, text: "a"}'), "input[0]", "'at' is missing", "at: When it is typed"),
}
