"""Mistakes that one value of a machine file shows, each as a change to the valid file."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """``old`` of the valid file becomes ``new``, in which the mark § is where the problem has to be found."""

    old: str
    new: str
    field: str
    message: str
    hint: str = ""


PING_MEMORY = "{base: 0x40000000, size: 64MiB}"
PING_DEVICE = "[{pa: 0x09000000, va: 0x09000000, size: 4KiB, interrupts: [33]}]"
PING_IPC = "{base: 0x70000000, size: 64KiB, shared_memory: mailbox, interrupts: [84]}"
LINUX_DEVICE = "{pa: 0x09000000, size: 4KiB}"


def _placement(value: str) -> tuple[str, str]:
    return "version: 1", f"version: 1\nplacement: {value}"


def _fault(item: str) -> tuple[str, str]:
    return "version: 1", f"version: 1\nclock: {{mode: virtual}}\nfaults: [{item}]"


CASES = {
    "unknown key": Case("cpus: 1", "§cpu: 1", "vms[0].cpu", "unknown key 'cpu'", "did you mean 'cpus'?"),
    "unknown key at the top": Case(
        "vms:", "§vmms: []\nvms:", "vmms", "unknown key 'vmms'", "the keys here are version, platform, clock, faithful"
    ),
    "unknown key in a list": Case(
        PING_MEMORY, "{base: 0x40000000, §sise: 64MiB}", "vms[0].memory[0].sise", "unknown key", "did you mean 'size'?"
    ),
    "missing key": Case(
        "name: ping\n    image: {path: ping.elf}\n    cpus: 1\n",
        "§name: ping\n    image: {path: ping.elf}\n",
        "vms[0]",
        "'cpus' is missing",
        "cpus: Number of vCPUs",
    ),
    "duplicate key": Case(
        "cpus: 1", "cpus: 1\n    §cpus: 2", "cpus", "the key 'cpus' is given twice", "first given on line 8: keep one"
    ),
    "no value": Case("cpus: 1", "cpus:§", "vms[0].cpus", "'cpus' has no value", "give it one"),
    "no value of an optional key": Case(
        PING_DEVICE, "§~", "vms[0].devices", "'devices' has no value", "or remove the key"
    ),
    "not a list": Case(
        "interrupts: [33]", "interrupts: §33", "vms[0].devices[0].interrupts", "33 is not a list", "[33]"
    ),
    "not a mapping": Case("{path: ping.elf}", "§ping.elf", "vms[0].image", "'ping.elf' is not a mapping", "'path'"),
    "empty list": Case(f"[{PING_MEMORY}]", "§[]", "vms[0].memory", "the list is empty", "at least one item"),
    "not a number": Case(
        "cpus: 1", "cpus: §one", "vms[0].cpus", "'one' is not a whole number", "it can be from 1 to 1024"
    ),
    "a fraction": Case("cpus: 1", "cpus: §1.5", "vms[0].cpus", "'1.5' is not a whole number", "write 1 or 2"),
    "negative": Case("cpus: 1", "cpus: §-1", "vms[0].cpus", "'-1' is not a whole number", "it cannot be negative"),
    "a boolean": Case("cpus: 1", "cpus: §true", "vms[0].cpus", "true is not a whole number"),
    "out of range": Case("cpus: 1", "cpus: §1025", "vms[0].cpus", "1025 is out of range", "from 1 to 1024"),
    "zero": Case("cpus: 1", "cpus: §0", "vms[0].cpus", "0 is out of range", "from 1 to 1024"),
    "octal": Case(
        "[33]",
        "[§033]",
        "vms[0].devices[0].interrupts[0]",
        "033 is octal to some",
        "write 33, or 0x1b if octal is meant",
    ),
    "too large a number": Case(
        "0x40000000,", "§0x1_0000_0000_0000_0000,", "vms[0].memory[0].base", "does not fit in 64 bits"
    ),
    "not a size": Case("64MiB", "§big", "vms[0].memory[0].size", "'big' is not a size", "write it as 64KiB"),
    "decimal unit": Case("64MiB", "§64MB", "vms[0].memory[0].size", "'MB' is not a unit of size", "write 64MiB"),
    "short unit": Case("64MiB", "§64k", "vms[0].memory[0].size", "'k' is not a unit of size", "write 64KiB"),
    "unit in lower case": Case("64MiB", "§64mib", "vms[0].memory[0].size", "'mib' is not a unit", "write 64MiB"),
    "size of nothing": Case("64MiB", "§0", "vms[0].memory[0].size", "a size of 0 bytes"),
    "sexagesimal": Case("64MiB", "§1:30", "vms[0].memory[0].size", "'1:30' is not a size"),
    "not an address": Case("0x40000000,", "§RAM,", "vms[0].memory[0].base", "'RAM' is not an address", "0x40000000"),
    "not text": Case("name: ping", "name: §7", "vms[0].name", "7 is not text", 'quote it: "7"'),
    "a boolean for text": Case("name: ping", "name: §true", "vms[0].name", "true is not text", 'quote it: "true"'),
    "not a name": Case(
        "name: ping", "name: §p ng", "vms[0].name", "'p ng' is not a name", "the first a letter or a digit"
    ),
    "not a choice": Case(
        "version: 1",
        "version: 1\nfaithful: §strct",
        "faithful",
        "'strct' is not known here",
        "it can be strict or practical",
    ),
    "not a duration": Case(
        "version: 1",
        "version: 1\nclock: {window: §soon}",
        "clock.window",
        "'soon' is not a duration",
        "write it as 500ns, 10us, 1.5ms, 2s",
    ),
    "not a unit of time": Case(
        "version: 1", "version: 1\nclock: {window: §10d}", "clock.window", "'d' is not a unit of time", "500ns, 10us"
    ),
    "a window too short": Case(
        "version: 1", "version: 1\nclock: {window: §99ns}", "clock.window", "99ns is out of range", "from 100ns to 1s"
    ),
    "a slice too long": Case(
        "version: 1", "version: 1\nclock: {slice: §1001ms}", "clock.slice", "1001ms is out of range", "from 100ns to 1s"
    ),
    "a latency too long": Case(
        "version: 1",
        "version: 1\nclock: {latency: {ipc: §1_000_000_001ns}}",
        "clock.latency.ipc",
        "1000000001ns is out of range",
        "from 0 to 1s",
    ),
    "no way of interrupts": Case(
        "cpus: 1",
        "cpus: 1\n    interrupts: §[33]",
        "vms[0].interrupts",
        "a list is not known here",
        "it can be mediated or direct",
    ),
    "a fault that is no mapping": Case(*_fault("§drop"), "faults[0]", "'drop' is not a mapping", "the key 'fault'"),
    "a fault of no kind": Case(
        *_fault("§{pcpu: 1}"),
        "faults[0]",
        "'fault' is missing",
        "it can be drop, duplicate, delay, reorder, stall, cra",
    ),
    "a fault of an unknown kind": Case(
        *_fault("{fault: §drob}"), "faults[0].fault", "'drob' is not known here", "did you mean 'drop'?"
    ),
    "a fault of a number": Case(
        *_fault("{fault: §1}"), "faults[0].fault", "1 is not known here", "it can be drop, dup"
    ),
    "a field of another fault": Case(
        *_fault("{fault: drop, §by: 1us}"),
        "faults[0].by",
        "'by' means nothing to fault: drop",
        "remove it: it belongs to delay and reorder",
    ),
    "a field of no fault": Case(
        *_fault("{fault: drop, §form: ping}"), "faults[0].form", "unknown key 'form'", "did you mean 'from'?"
    ),
    "a delay of no time": Case(*_fault("§{fault: delay}"), "faults[0]", "'by' is missing", "How much later"),
    "a stall of no time": Case(
        *_fault("§{fault: stall, pcpu: 0, at: 0}"), "faults[0]", "'for' is missing", "for: How long it lasts"
    ),
    "a crash at no time": Case(*_fault("§{fault: crash, pcpu: 0}"), "faults[0]", "'at' is missing", "When it stops"),
    "a flip of nothing": Case(
        *_fault("§{fault: flip, at: 1s}"), "faults[0]", "'shared_memory' is missing", "Name of the shared memory object"
    ),
    "a flip of no bit": Case(
        *_fault("{fault: flip, shared_memory: mailbox, at: 1s, bit: §8}"),
        "faults[0].bit",
        "8 is out of range",
        "0 to 7",
    ),
    "an offset of nothing": Case(
        *_fault("{fault: flip, shared_memory: mailbox, at: 1s, offset: §end}"),
        "faults[0].offset",
        "'end' is not an offset",
        "write it as 64KiB",
    ),
    "a probability above 1": Case(
        *_fault("{fault: drop, probability: §1.5}"),
        "faults[0].probability",
        "'1.5' is not a probability",
        "from 0 to 1",
    ),
    "a probability below 0": Case(
        *_fault("{fault: drop, probability: §-0.5}"), "faults[0].probability", "'-0.5' is not a probability"
    ),
    "a probability of a percentage": Case(
        *_fault("{fault: drop, probability: §5%}"), "faults[0].probability", "'5%' is not a probability", "such as 0.05"
    ),
    "a probability of true": Case(
        *_fault("{fault: drop, probability: §true}"), "faults[0].probability", "true is not a probability"
    ),
    "unknown version": Case("version: 1", "version: §2", "version", "2 is not known here", "it can be 1"),
    "a tag": Case("cpus: 1", "cpus: §!!float 1", "", "the tag 'tag:yaml.org,2002:float' means nothing here"),
    "a key that is no word": Case("cpus: 1", "cpus: 1\n    ? §[a]\n    : 2", "", "a key must be a word"),
    "a merge of a number": Case("cpus: 1", "cpus: 1\n    <<: §2", "", "'<<' takes a mapping"),
    "a colour too high": Case(
        "cpus: 1", "cpus: 1\n    colors: §[64]", "vms[0].colors", "there is no colour 64", "from 0 to 63"
    ),
    "a colour twice": Case("cpus: 1", "cpus: 1\n    colors: §[1, 1]", "vms[0].colors", "colour 1 is given twice"),
    "no colours": Case("cpus: 1", "cpus: 1\n    colors: §{}", "vms[0].colors", "a mapping is not a set of colours"),
    "a placement that is no policy": Case(
        *_placement("§spred"), "placement", "'spred' is no placement", "did you mean 'spread'?"
    ),
    "a placement that is a number": Case(
        *_placement("§2"),
        "placement",
        "2 is no placement",
        "pack, spread or a map of VMs to nodes, {linux: 0",
    ),
    "a placement that is a list": Case(*_placement("§[0, 1]"), "placement", "a list is no placement", "it can be pack"),
    "a placement of nobody": Case(*_placement("§{}"), "placement", "the map places no VM", "write pack, spread or"),
    "a placement on what is no node": Case(
        *_placement("{ping: §true}"),
        "placement.ping",
        "true is no node",
        "a node is its number, from 0 to 1023, or",
    ),
    "a placement on a node beyond all": Case(*_placement("{ping: §1024}"), "placement.ping", "1024 is no node"),
    "a placement on what is no host": Case(
        *_placement("{linux: [0, §'a b']}"), "placement.linux[1]", "'a b' is no node", "HOST or HOST:PORT"
    ),
    "a placement on no node": Case(
        *_placement("{ping: §[]}"), "placement.ping", "the list is empty", "a node for each vCPU, or one for the whole"
    ),
    "a placement without a value": Case(*_placement("{ping: §~}"), "placement.ping", "nothing is no node"),
}
