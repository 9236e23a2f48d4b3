"""Third-party guests, unmodified, as Debian ships them: fetched once into a cache.

Packages of another architecture are taken with apt's own tools on a private state (lists, cache, architecture), so
this needs neither root nor ``dpkg --add-architecture`` and leaves the system as it is; apt checks the signatures. The
sources are the system's, which must be Debian; riscv64 is in releases from trixie on, which come from the same mirror.

Exit status: 0 all there; 75 (EX_TEMPFAIL) no network, so that tests can skip; 1 anything else.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.guests import automotive, initramfs

NO_NETWORK = 75
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
RECIPE = 1  # raise it when what is made of the packages changes


class FetchError(Exception):
    """A guest cannot be fetched, though the network answers."""


class NoNetworkError(FetchError):
    """The package servers cannot be reached."""


def _same(data: bytes) -> bytes:
    return data


@dataclass(frozen=True, slots=True)
class Guest:
    """One file in the cache: the member of a Debian package that matches ``member``, converted.

    ``architecture`` is Debian's name of the package's, ``release`` which of Debian it is of, if not the system's.
    ``depends`` follows the dependency of ``package`` that starts with it, for packages that only point at another.
    """

    name: str
    package: str
    member: str
    depends: str = ""
    architecture: str = "arm64"
    release: str = ""
    convert: Callable[[bytes], bytes] = _same


def _riscv(name: str, package: str, member: str, depends: str = "", convert: Callable[[bytes], bytes] = _same) -> Guest:
    return Guest(name, package, member, depends, "riscv64", "trixie", convert)


_INSTALLER = "debian-installer-13-netboot-riscv64"

GUESTS = (
    Guest("linux-cloud.image", "linux-image-cloud-arm64", r"boot/vmlinuz-.*", depends="linux-image-"),
    Guest("linux-rt.image", "linux-image-rt-arm64", r"boot/vmlinuz-.*", depends="linux-image-"),
    Guest("initrd.cpio.gz", "busybox-static", r"(usr/)?bin/busybox", convert=initramfs.build),
    Guest(
        "initrd-armhf.cpio.gz",
        "busybox-static",
        r"(usr/)?bin/busybox",
        architecture="armhf",
        convert=initramfs.build,
    ),
    Guest("u-boot.bin", "u-boot-qemu", r"usr/lib/u-boot/qemu_arm64/u-boot\.bin"),
    _riscv("linux-riscv64.image", "linux-image-riscv64", r"boot/vmlinux-.*", depends="linux-image-"),
    _riscv("initrd-riscv64.cpio.gz", "busybox-static", r"(usr/)?bin/busybox", convert=initramfs.build),
    _riscv("u-boot-riscv64.bin", "u-boot-qemu", r"usr/lib/u-boot/qemu-riscv64_smode/u-boot\.bin"),
    _riscv("installer-riscv64.image", _INSTALLER, r"usr/lib/debian-installer/images/.*/riscv64/linux"),
    _riscv("installer-riscv64.initrd.gz", _INSTALLER, r"usr/lib/debian-installer/images/.*/riscv64/initrd\.gz"),
)


def cache_directory() -> Path:
    """Where the guests are: ``$BAONET_GUESTS``, or ``cache`` beside this file."""
    return Path(os.environ.get("BAONET_GUESTS") or Path(__file__).parent / "cache").resolve()


class Apt:
    """apt-get and apt-cache for another architecture, on state of its own in ``state``.

    ``sources``: a line of sources.list instead of the system's sources.
    """

    def __init__(self, state: Path, architecture: str, sources: str = "") -> None:
        self._architecture = architecture
        for directory in ("lists/partial", "cache/archives/partial"):
            (state / directory).mkdir(parents=True)
        (state / "status").touch()
        configuration = state / "apt.conf"
        configuration.write_text(
            f'Dir::State "{state}";\nDir::State::status "{state}/status";\nDir::State::lists "{state}/lists";\n'
            f'Dir::Cache "{state}/cache";\nDir::Log "{state}";\n'
            f'APT::Architecture "{architecture}";\nAPT::Architectures {{ "{architecture}"; }};\n'
            'APT::Sandbox::User "root";\nAcquire::Languages "none";\nAcquire::Retries "2";\n'
            'Acquire::http::Timeout "20";\nAcquire::https::Timeout "20";\n'
            + (f'Dir::Etc::SourceList "{state}/sources.list";\nDir::Etc::SourceParts "-";\n' if sources else "")
        )
        (state / "sources.list").write_text(f"{sources}\n")
        self._environment = {**os.environ, "APT_CONFIG": str(configuration), "LC_ALL": "C"}

    def _run(self, *command: str, directory: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self._environment, cwd=directory, capture_output=True, text=True, check=False
        )

    def update(self) -> None:
        """Sources that do not answer are no error as long as the packages are found in others."""
        result = self._run("apt-get", "-q", "update")
        self._complaints = result.stderr.strip()

    def show(self, package: str) -> dict[str, str]:
        """The control fields of the newest version; raises FetchError."""
        result = self._run("apt-cache", "show", "--no-all-versions", package)
        if result.returncode or not result.stdout:
            if self._complaints:
                raise NoNetworkError(f"package {package} is not reachable:\n{self._complaints}")
            raise FetchError(f"package {package}:{self._architecture} is not in the apt sources (is it Debian?)")
        fields = re.findall(r"^(\S+): (.*)$", result.stdout, re.MULTILINE)
        return dict(fields)

    def download(self, package: str, version: str, directory: Path) -> Path:
        result = self._run("apt-get", "-q", "download", f"{package}={version}", directory=directory)
        found = sorted(directory.glob("*.deb"))
        if result.returncode or len(found) != 1:
            raise NoNetworkError(f"{package} {version} could not be downloaded:\n{result.stderr.strip()}")
        return found[0]


def _member(package: Path, pattern: str) -> bytes:
    """The one file of a .deb whose path matches."""
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as unpack:
        assert unpack.stdout
        data = None
        with tarfile.open(fileobj=unpack.stdout, mode="r|") as archive:
            for entry in archive:
                if data is None and entry.isfile() and re.fullmatch(pattern, entry.name.removeprefix("./")):
                    content = archive.extractfile(entry)
                    assert content
                    data = content.read()
        unpack.stdout.read()
    if data is None:
        raise FetchError(f"{package.name} has no file that matches {pattern}")
    return data


def _dependency(fields: dict[str, str], prefix: str) -> str:
    for dependency in re.split(r"\s*,\s*", fields.get("Depends", "")):
        if dependency.startswith(prefix):
            return dependency.split()[0]
    raise FetchError(f"package {fields['Package']} depends on no {prefix}*")


class Apts:
    """An ``Apt`` for each release and architecture, made and updated when it is first asked for, in ``state``."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._made: dict[tuple[str, str], Apt] = {}

    def of(self, release: str, architecture: str) -> Apt:
        """Raises FetchError."""
        apt = self._made.get((release, architecture))
        if apt is None:
            sources = self._sources(release) if release else ""
            apt = Apt(self._state / f"{architecture}-{release}", architecture, sources)
            apt.update()
            self._made[release, architecture] = apt
        return apt

    def _sources(self, release: str) -> str:
        """``release`` at the mirror from which the system has its own."""
        targets = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages"]
        listed = subprocess.run(targets, capture_output=True, text=True, check=False).stdout.split()
        mirrors = {own: mirror for mirror, own in zip(listed[::2], listed[1::2], strict=True)}
        own = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
        mirror = mirrors.get(own) or mirrors.get("stable")
        if not mirror:
            raise FetchError(f"no mirror of Debian's {own or 'stable'} is in the apt sources (is it Debian?)")
        return f"deb [signed-by={self._keyring(release)}] {mirror} {release} main"

    def _keyring(self, release: str) -> Path:
        """With the keys of ``release``: the system's, or that of the newest package of its release."""
        if KEYRING.with_name(f"debian-archive-{release}-stable.gpg").exists():
            return KEYRING
        apt = self.of("", "arm64")
        directory = self._state / "keyring"
        directory.mkdir()
        package = apt.download("debian-archive-keyring", apt.show("debian-archive-keyring")["Version"], directory)
        keyring = directory / KEYRING.name
        keyring.write_bytes(_member(package, rf"usr/share/keyrings/{re.escape(KEYRING.name)}"))
        return keyring


def _fetch(guest: Guest, apt: Apt, cache: Path, have: dict[str, str] | None) -> dict[str, str]:
    """Puts one guest into the cache unless ``have`` is the record of the same version; returns its record."""
    fields = apt.show(guest.package)
    if guest.depends:
        fields = apt.show(_dependency(fields, guest.depends))
    if have and (have["package"], have["version"]) == (fields["Package"], fields["Version"]):
        return have
    print(f"fetching {guest.name} from {fields['Package']} {fields['Version']} ...", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory(dir=cache) as work:
        package = apt.download(fields["Package"], fields["Version"], Path(work))
        data = guest.convert(_member(package, guest.member))
        made = Path(work) / guest.name
        made.write_bytes(data)
        made.rename(cache / guest.name)
    return {
        "package": fields["Package"],
        "version": fields["Version"],
        "package_sha256": fields["SHA256"],
        "sha256": hashlib.sha256(data).hexdigest(),
        "recipe": str(RECIPE),
    }


@contextmanager
def _locked(cache: Path) -> Iterator[None]:
    """One fetch at a time into one cache."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _cached(cache: Path) -> dict[str, dict[str, str]]:
    """Records of the guests that are complete in the cache."""
    manifest = cache / "manifest.json"
    records: dict[str, dict[str, str]] = json.loads(manifest.read_text()) if manifest.exists() else {}
    return {
        name: record for name, record in records.items() if record["recipe"] == str(RECIPE) and (cache / name).exists()
    }


def fetch(cache: Path, *, refresh: bool = False) -> dict[str, dict[str, str]]:
    """Fetches what is missing, and what is newer when ``refresh``; returns name -> record. Raises FetchError."""
    with _locked(cache):
        records = _cached(cache)
        missing = [guest for guest in GUESTS if refresh or guest.name not in records]
        if not missing:
            return records
        for tool in ("apt-get", "apt-cache", "dpkg-deb"):
            if not shutil.which(tool):
                raise FetchError(f"{tool} is not installed: third-party guests are fetched on Debian")
        with tempfile.TemporaryDirectory(prefix="baonet-apt-") as state:
            apts = Apts(Path(state))
            for guest in missing:
                apt = apts.of(guest.release, guest.architecture)
                records[guest.name] = _fetch(guest, apt, cache, records.get(guest.name))
                (cache / "manifest.json").write_text(json.dumps(records, indent=2, sort_keys=True) + "\n")
        return records


def main() -> int:
    parser = argparse.ArgumentParser(prog="fetch", description="Fetch the third-party guests from Debian into a cache.")
    parser.add_argument("--refresh", action="store_true", help="look for newer versions of what is there")
    arguments = parser.parse_args()
    cache = cache_directory()
    try:
        records = fetch(cache, refresh=arguments.refresh)
    except NoNetworkError as error:
        print(f"no network: {error}", file=sys.stderr)
        return NO_NETWORK
    except (FetchError, OSError) as error:
        print(f"cannot fetch the guests: {error}", file=sys.stderr)
        return 1
    made = automotive.write(cache)
    print(f"guests in {cache}")
    for name, record in sorted(records.items()):
        print(f"  {name:27} {record['package']} {record['version']} sha256 {record['sha256']}")
    for each in made:
        print(f"  {each.name:34} with the programs of examples/linux")
    return 0
