"""Mistakes with what happens at given times, each as a change to the valid file."""

from __future__ import annotations

from tests.config.mistakes_of_form import Case

VERSION = "version: 1\n"
VIRTUAL = "version: 1\nclock: {mode: virtual}\n"
HOST = "version: 1\nclock: {mode: host}\n"


def _input(item: str) -> tuple[str, str]:
    return VERSION, f"{VIRTUAL}input: [{item}]\n"


CASES = {
    "a window of no instruction": Case(
        VERSION,
        "version: 1\nclock: {mhz: 1, window: §999ns}\n",
        "clock.window",
        "999ns is less than one instruction at 1 MHz",
        "use 1us or more",
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
    "input of nothing": Case(*_input("§{vm: ping, at: 1s}"), "input[0]", "nothing is typed", "give 'text' or 'bytes'"),
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
    "input at no time": Case(*_input('§{vm: ping, text: "a"}'), "input[0]", "'at' is missing", "at: When it is typed"),
}
