"""The files of nodes/: what their own tools say of them, and that baonet takes what they give it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from baonet.cli.commands import parser
from tests.launchers.namespaces import ROOT

NODES = ROOT / "nodes"
KUBERNETES = sorted((NODES / "kubernetes").glob("*.yaml"))


def tool(name: str) -> str:
    """Of this environment."""
    found = shutil.which(name, path=str(Path(sys.executable).parent))
    if found is None:
        pytest.skip(f"needs {name}: pip install --group hosts")
    return found


def said(*words: object) -> str:
    """What a tool has to say, which is to be content."""
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.hosts
def test_compose_takes_its_file() -> None:
    said(tool("docker-compose"), "-f", NODES / "compose.yaml", "config", "-q")


@pytest.mark.hosts
@pytest.mark.parametrize("file", KUBERNETES, ids=lambda file: file.name)
def test_kubernetes_takes_its_files(file: Path) -> None:
    assert "passed" in said(tool("kubernetes-validate"), "--strict", file)


@pytest.mark.hosts
def test_nothing_is_said_against_the_dockerfile() -> None:
    assert said(tool("hadolint"), "Dockerfile") == ""


@pytest.mark.parametrize("script", [NODES / "ray" / "cluster.sh", NODES / "slurm" / "baonet.sbatch"], ids=str)
def test_a_shell_takes_the_scripts(script: Path) -> None:
    said("bash", "-n", script)


def documents() -> Iterator[tuple[str, list[str]]]:
    """What containers are given as words of ``baonet``, by who has them."""
    compose = yaml.safe_load((NODES / "compose.yaml").read_text())
    for name, service in compose["services"].items():
        yield name, service["command"]
    for file in KUBERNETES:
        for document in yaml.safe_load_all(file.read_text()):
            pod: dict[str, Any] = document["spec"].get("template", {}).get("spec", {})
            for container in pod.get("containers", []):
                yield f"{document['kind']} {container['name']}", container["args"]


@pytest.mark.parametrize("words", [pytest.param(words, id=name) for name, words in documents()])
def test_baonet_takes_what_containers_give_it(words: list[str]) -> None:
    options = parser().parse_args(words)
    assert (ROOT / getattr(options, "file", "configs")).exists()


def test_the_nodes_of_kubernetes_are_those_that_its_lead_calls() -> None:
    documents = [each for file in KUBERNETES for each in yaml.safe_load_all(file.read_text())]
    by_kind = {each["kind"]: each for each in documents}
    nodes, service = by_kind["StatefulSet"], by_kind["Service"]["metadata"]["name"]
    container = nodes["spec"]["template"]["spec"]["containers"][0]
    port = container["ports"][0]["containerPort"]
    assert container["args"][-1].endswith(f":{port}")
    names = [f"{nodes['metadata']['name']}-{number}.{service}:{port}" for number in range(nodes["spec"]["replicas"])]
    lead = by_kind["Job"]["spec"]["template"]["spec"]["containers"][0]
    assert parser().parse_args(lead["args"]).on.names == tuple(names)
