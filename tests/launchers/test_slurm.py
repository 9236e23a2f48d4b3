"""``--on slurm``, with Slurm's daemons on hosts that are network namespaces."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.launchers.machines import TALK, end_all, endless, same
from tests.launchers.namespaces import LEAD, ROOT, Hosts, hosts, possible
from tests.launchers.waiting import within
from tests.system.machine import COMMAND, Result

SBIN = "/usr/sbin:/usr/bin"
MUNGED, SLURMCTLD, SLURMD = (shutil.which(name, path=SBIN) for name in ("munged", "slurmctld", "slurmd"))
pytestmark = [
    pytest.mark.hosts,
    pytest.mark.skipif(
        not (MUNGED and SLURMCTLD and SLURMD) or not possible(),
        reason="needs slurm-wlm and munge, and the right to make network namespaces",
    ),
]


@dataclass(frozen=True)
class SlurmHosts:
    """Two of them, which Slurm has."""

    hosts: Hosts
    environment: dict[str, str]

    def run(self, *arguments: object) -> Result:
        return self.hosts.run(*arguments, environment=self.environment)

    def execute(self, *words: str) -> Result:
        return self.hosts.execute(words, environment=self.environment)


def _configured(directory: Path, there: Hosts) -> Path:
    cpus = os.cpu_count()
    nodes = "\n".join(
        f"NodeName=node{number} NodeAddr={address} CPUs={cpus} State=UNKNOWN"
        for number, address in enumerate(there.addresses)
    )
    (directory / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
    file = directory / "slurm.conf"
    file.write_text(
        f"ClusterName=bao\nSlurmctldHost=lead({LEAD})\nAuthType=auth/munge\nAuthInfo=socket={directory}/munge.socket\n"
        f"CredType=cred/munge\nSlurmUser=root\nSlurmdUser=root\nStateSaveLocation={directory}/state\n"
        f"SlurmdSpoolDir={directory}/spool-%n\nSlurmctldPidFile={directory}/ctld.pid\nSlurmdPidFile={directory}/%n.pid\n"
        "ProctrackType=proctrack/pgid\nTaskPlugin=task/none\nSelectType=select/cons_tres\n"
        "SelectTypeParameters=CR_CPU\nReturnToService=2\nMpiDefault=none\nSwitchType=switch/none\n"
        f"SlurmctldLogFile={directory}/ctld.log\nSlurmdLogFile={directory}/%n.log\nKillWait=2\nSchedulerParameters=sched_interval=1\n"
        f"{nodes}\nPartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
    )
    return file


def _named(name: str) -> list[str]:
    """Words before a command whose host has that name."""
    return ["unshare", "--uts", "--mount", "sh", "-c", f'hostname {name}; exec "$@"', "sh"]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmHosts]:
    directory = tmp_path_factory.mktemp("slurm")
    directory.chmod(0o755)
    key = directory / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    (directory / "state").mkdir()
    assert MUNGED is not None
    assert SLURMCTLD is not None
    assert SLURMD is not None
    with hosts(2) as there:
        config = _configured(directory, there)
        environment = {"SLURM_CONF": str(config)}
        files = [f"--{what}={directory}/munge.{end}" for what, end in MUNGE_FILES]
        there.start(None, MUNGED, "--foreground", "--force", *files)
        within(10, (directory / "munge.socket").exists)
        there.start(None, *_named("lead"), SLURMCTLD, "-D", environment=environment)
        for number in range(2):
            there.start(number, *_named(f"node{number}"), SLURMD, "-D", environment=environment)
        found = SlurmHosts(there, environment)
        within(30, lambda: found.execute("sinfo", "-h", "-N", "-o", "%t").out.split() == ["idle", "idle"])
        yield found
        found.execute("scancel", "--user=root")
        within(20, lambda: not found.execute("squeue", "-h").out)


MUNGE_FILES = (
    ("key-file", "key"),
    ("socket", "socket"),
    ("pid-file", "pid"),
    ("log-file", "log"),
    ("seed-file", "seed"),
)


def test_nodes_of_an_allocation(slurm: SlurmHosts) -> None:
    done = slurm.execute("salloc", "--quiet", "-N2", *COMMAND, *TALK, "--on", "slurm")
    same(done)
    end_all(slurm.hosts)


def test_some_nodes_of_an_allocation(slurm: SlurmHosts) -> None:
    done = slurm.execute("salloc", "--quiet", "-N2", *COMMAND, *TALK, "--on", "slurm:1")
    same(done)


def test_an_allocation_is_made_where_there_is_none(slurm: SlurmHosts) -> None:
    same(slurm.run(*TALK, "--on", "slurm:2"))
    within(10, lambda: not slurm.execute("squeue", "-h").out)


def test_a_lead_that_is_killed_leaves_neither_node_nor_job(slurm: SlurmHosts, tmp_path: Path) -> None:
    run = slurm.hosts.begin(*endless(tmp_path), "--on", "slurm:2", environment=slurm.environment)
    assert run.stdout is not None
    assert run.stdout.read(1)
    assert slurm.hosts.nodes(0)
    assert slurm.hosts.nodes(1)
    run.kill()
    run.communicate()
    end_all(slurm.hosts)
    within(20, lambda: not slurm.execute("squeue", "-h").out)


def test_what_is_wrong_with_an_allocation(slurm: SlurmHosts) -> None:
    done = slurm.run(*TALK, "--on", "slurm")
    assert (done.status, done.out) == (1, "")
    assert done.err == (
        "baonet run: --on slurm: this is no allocation of Slurm: write slurm:N for one of N hosts, or start it by "
        "'sbatch' or 'salloc'\n"
    )
    done = slurm.execute("salloc", "--quiet", "-N1", *COMMAND, *TALK, "--on", "slurm:2")
    assert done.err.startswith("baonet run: --on slurm:2: this allocation has 1: write slurm for all of them\n")
    done = slurm.run(*TALK, "--on", "slurm:3", "--timeout", "2s")
    assert done.status == 4
    assert done.err.startswith("baonet: timeout after 2 s: nodes 0, 1 and 2 have not come: srun says 'srun: ")
    within(20, lambda: not slurm.execute("squeue", "-h").out)


def test_the_job_script_that_users_take(slurm: SlurmHosts, tmp_path: Path) -> None:
    script = ROOT / "nodes" / "slurm" / "baonet.sbatch"
    environment = slurm.environment | {"PATH": f"{Path(COMMAND[0]).parent}:{os.environ['PATH']}"}
    out = tmp_path / "out"
    words = ["sbatch", "--wait", f"--output={out}", str(script), *TALK[1:-2]]
    done = slurm.hosts.execute(words, environment=environment)
    assert done.status == 0, out.read_text() if out.exists() else done
    here = subprocess.run([*COMMAND, *TALK[:-2]], capture_output=True, text=True, check=True, cwd=ROOT)
    digest = next(word for word in here.stderr.split() if len(word.strip(";")) == 64)
    assert digest in out.read_text()
