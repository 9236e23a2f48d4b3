"""baonet run FILE"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

from baonet.actors.ending import Ending
from baonet.actors.refusals import limited, refused
from baonet.actors.visible import plain
from baonet.cli import streams, until
from baonet.cli.common import Subparsers, UsageError, add_clock, add_set, changes, load_machine, positive
from baonet.cli.early import Early, Ended
from baonet.cli.launching import add_launching, launching
from baonet.cli.loading import loading
from baonet.cli.node_keys import add_keys
from baonet.cli.place import add_place, placed, where
from baonet.config.console_input import dump_input, load_input
from baonet.core.errors import EngineError
from baonet.document import quantities
from baonet.document.errors import ConfigError
from baonet.document.standard_input import given
from baonet.machine import ClockMode
from baonet.machine.dataclass import replace
from baonet.outlets import hangup

EPILOG = """\
exit status:
  0    every VM has powered off, all that --until waits for was printed, --for has passed, or
       somebody has typed Ctrl-A x
  2    the machine file or the command line has an error
  3    a VM came to an end that is not its own: a guest did what Bao stops it for, or a node of
       --on was lost while it ran; the report is on standard error
  4    --timeout passed, whatever --until waits for
  5    in virtual time: every CPU waits and nothing is to come
  6    it ended as with status 0, but a text that --until waits for was not printed
  130  Ctrl-C; 143 when SIGTERM, SIGHUP or SIGQUIT ended it, or its terminal is gone
  1    anything else; the reason is on standard error
With any of 3 to 6, 130, 143 and 1 it is told of every CPU that was not done what it did, or waits for.

examples:
  baonet run configs/ping-pong.yaml
  baonet run linux.yaml --console linux            (Ctrl-A x ends it, Ctrl-A h helps)
  baonet run linux.yaml --until 'shell ready' --timeout 60s --stats out.json
  baonet run configs/ping-pong.yaml --clock virtual --for 10ms --trace out.bnt
  baonet run configs/ping-pong.yaml --on local:2 --place spread
  baonet run configs/ping-pong.yaml --set platform.memory_system=cortex-a53 --for 5ms --stats out.json
"""


def nanoseconds(text: str) -> int:
    """Nanoseconds of ``500ns``, ``10us``, ``2ms`` or ``2s``; not of 0."""
    try:
        found = quantities.duration(text)
    except quantities.QuantityError as error:
        raise argparse.ArgumentTypeError(f"{error}: {error.hint}") from None
    if not found:
        raise argparse.ArgumentTypeError(f"{text} would end at once: write 500ms, 30s or 2m")
    return found


def duration(text: str) -> float:
    """Seconds of ``500ms``, ``30s`` or ``2m``."""
    return nanoseconds(text) / 1e9


def add(subparsers: Subparsers[argparse.ArgumentParser], brief: str) -> None:
    parser = subparsers.add_parser(
        "run",
        help=brief,
        description="Run the machine of FILE until all its VMs have powered off.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="machine file (YAML); - is standard input")
    add_set(parser)
    add_clock(parser)
    parser.add_argument(
        "--for",
        metavar="TIME",
        type=nanoseconds,
        help="end with status 0 after TIME of virtual time (2s, 10ms)",
    )
    parser.add_argument(
        "--until", metavar="[VM:]TEXT", type=until.argument, action="append", default=[], help=until.HELP
    )
    parser.add_argument("--timeout", metavar="TIME", type=duration, help="end with status 4 after TIME (30s, 2m)")
    parser.add_argument(
        "--console",
        metavar="VM|all|none",
        action="append",
        default=[],
        help="all: every VM, line by line (default); a VM's name: the terminal is its console; several: line by line, "
        "the first has the keyboard; none; VM=pty or VM=unix:PATH: for another program",
    )
    parser.add_argument(
        "--placement",
        choices=["one-process", "process-per-cpu", "process-per-vm", "process-per-island"],
        help="where CPUs run; the last two with the virtual clock only. An island is the VMs that share memory, a "
        "device or a cache that takes time (default: process-per-cpu with the host's clock, process-per-island in "
        "virtual time)",
    )
    parser.add_argument(
        "--on",
        metavar="WHERE",
        type=where,
        help="which nodes run it: local:N (processes of this host), HOST:PORT,... ('baonet node' waits there), "
        "ssh:HOST,..., slurm, ray (default: this host, without any)",
    )
    add_launching(parser)
    add_place(parser)
    add_keys(parser)
    parser.add_argument(
        "--heartbeat",
        metavar="TIME",
        type=duration,
        help="with --on: a node that says nothing for TIME is lost, with the VMs that have a part there (default: 3s)",
    )
    parser.add_argument(
        "--threads",
        metavar="N",
        type=positive,
        help="in virtual time: how many CPUs of the host run guests at the same time, shared out among the islands "
        "(default: as many as affinity and cgroup give); any number has the same digest. -v says what was chosen",
    )
    parser.add_argument(
        "--pin",
        metavar="auto|none|spread|CORES",
        help="on which cores of the host the processes of CPUs run. auto: with the host's clock, CPUs that answer each "
        "other share one where that proves faster (default); none: where the host likes; spread: one each, in turn; "
        "CORES: on these, in the order of the CPUs, as in 0,2-3. -v says what was chosen",
    )
    parser.add_argument("--input", metavar="FILE", help="type what FILE says when it says it (virtual time; YAML)")
    parser.add_argument("--record", metavar="FILE", help="write what was typed, and when, to FILE, for --input")
    parser.add_argument("--trace", metavar="FILE", help="write what happens when to FILE (see baonet trace)")
    parser.add_argument(
        "--stats",
        metavar="FILE",
        help="write counters of every CPU, and with a memory system what memory has taken, to FILE (JSON); - is "
        "standard output",
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="show the plan, threads and pins, and what Bao would print"
    )
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    with Early(options.timeout) as early:
        try:
            return _run(options, early)
        except Ended as ended:
            print(f"baonet: {ended}", file=sys.stderr)
            return ended.ending.status
        except hangup.HangUp:  # before there are outlets
            streams.drop(sys.stdout)
            return Ending.TERMINATED.status


def _run(options: argparse.Namespace, early: Early) -> int:
    machine = load_machine(options.file, changes(options))
    if machine is None:
        return 2
    if options.place and options.on is None:
        print("baonet run: --place is of the nodes of --on: give --on local:2, or --on HOST:PORT,...", file=sys.stderr)
        return 2
    if options.heartbeat is not None:
        if options.on is None:
            print("baonet run: --heartbeat is of the nodes of --on: leave it away, or give --on", file=sys.stderr)
            return 2
        if not 0.1 <= options.heartbeat <= 3600:
            print("baonet run: --heartbeat is to be between 100ms and 1h", file=sys.stderr)
            return 2
    if (options.keys or options.insecure) and (options.on is None or options.on.here):
        print(
            "baonet run: --keys and --insecure say how other hosts are called: give --on HOST:PORT,... with them",
            file=sys.stderr,
        )
        return 2
    for option in ("for", "input", "record", "threads"):
        if machine.clock.mode is ClockMode.HOST and getattr(options, option) is not None:
            print(f"baonet run: --{option} is of virtual time: give --clock virtual with it", file=sys.stderr)
            return 2
    try:
        for text in options.place:
            machine = placed(machine, text)
    except UsageError as error:
        print(f"baonet run: {error}", file=sys.stderr)
        return 2
    if options.input is not None:
        if options.input == options.file == "-":
            print("baonet run: --input -: standard input is the machine file already", file=sys.stderr)
            return 2
        try:
            typed = load_input(given(options.input), machine)
        except ConfigError as error:
            print(error, file=sys.stderr)
            return 2
        machine = replace(machine, input=tuple(sorted((*machine.input, *typed), key=lambda each: each.at)))
    # Trio and the engine cost time that a config error should not.
    with loading():
        from baonet.cli.consoles import consoles, wanted  # noqa: PLC0415
        from baonet.cli.outlets import RunOutlets  # noqa: PLC0415
        from baonet.cli.outputs import Outputs  # noqa: PLC0415
        from baonet.cli.session import Session  # noqa: PLC0415
        from baonet.cluster.terms import ClusterError  # noqa: PLC0415
        from baonet.launch import pin  # noqa: PLC0415
        from baonet.launch.crews import Placement  # noqa: PLC0415
        from baonet.run.options import RunOptions  # noqa: PLC0415

    reads = [*map(Path, machine.files), *([] if options.input is None else [Path(options.input)])]
    early.hold()
    with ExitStack() as stack:
        outputs = stack.enter_context(Outputs(reads, early.wait))
        try:
            statistics = None if options.stats is None else outputs.whole(options.stats, "--stats")
            record = None if options.record is None else outputs.whole(options.record, "--record")
            trace = None if options.trace is None else outputs.stream(options.trace, "--trace")
            asked = wanted(options.console, machine)
            awaited = until.texts(machine, options.until)
        except UsageError as error:
            print(f"baonet run: {error}", file=sys.stderr)
            return 2
        except OSError as error:
            print(f"baonet run: {refused(error)}", file=sys.stderr)
            return 1 if limited(error) else 2
        outlets = RunOutlets(options.timeout)
        try:
            shown = stack.enter_context(consoles(machine, asked, outlets.out, outlets.outlets))
            early.check()
            asking = RunOptions(
                pin=None if options.pin is None else pin.parse(options.pin),
                placement=None if options.placement is None else Placement(options.placement),
                until=awaited,
                limit=getattr(options, "for"),
                timeout=options.timeout,
                threads=options.threads,
                interactive=shown.interactive,
                on=options.on,
                **({} if options.heartbeat is None else {"heartbeat": options.heartbeat}),
                launching=launching(options),
                keys=options.keys,
                insecure=options.insecure,
            )
            session = Session(machine, asking, outlets, shown, trace, early=early, verbose=options.verbose)
        except (UsageError, ValueError) as error:
            print(f"baonet run: {error}", file=sys.stderr)
            return 2
        except OSError as error:
            if error.filename is not None and error.filename in [path for _, path in asked.elsewhere]:
                print(f"baonet run: --console unix:{error.filename}: {error.strerror}", file=sys.stderr)
                return 2
            print(f"baonet run: {refused(error)}", file=sys.stderr)
            return 1
        except ClusterError as error:
            print(f"baonet run: {plain(str(error))}", file=sys.stderr)
            return 1
        except (EngineError, ImportError, MemoryError) as error:
            print(f"baonet run: {refused(error)}", file=sys.stderr)
            return 1
        stack.enter_context(outlets.voice())
        try:
            outcome = session.run()
        except (OSError, MemoryError) as error:
            print(f"baonet run: {refused(error)}", file=sys.stderr)
            return 1
        finally:
            early.release()
            if session.hung_up:
                hangup.noticed()
            if early.ending is not None:
                outlets.hasten(early.ending)
            # However it ended: nobody types a session twice.
            whole = outlets.complete(record, dump_input(session.typed, machine))
        status = session.tell(outcome)
        if statistics is not None:
            session.tell_memory(outcome)
            whole = outlets.complete(statistics, _counted(session.statistics(outcome))) and whole
        return outlets.finish(status if whole else status or 1)


def _counted(statistics: dict[str, object]) -> str:
    import json  # noqa: PLC0415 - few runs are asked for it

    return json.dumps(statistics, indent=2) + "\n"
