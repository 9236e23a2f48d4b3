"""An initramfs with a BusyBox shell, as bytes that depend on nothing but BusyBox.

The format is cpio "newc" (Linux, Documentation/driver-api/early-userspace/buffer-format.rst): a header of 13 fields of
eight hexadecimal digits after the magic, the name, the data; name and data are padded to 4 bytes.
"""

from __future__ import annotations

import gzip
import stat
from dataclasses import dataclass

READY = "baonet: shell ready"

_INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
hostname guest
echo "baonet: Linux $(uname -r) $(uname -v | cut -d ' ' -f 2-4), $(nproc) CPUs online"
export ENV=/etc/shrc PS1='guest# ' TERM=dumb
while :; do setsid cttyhack sh; done
"""

# Read by each interactive shell, when it already takes input. BusyBox's own poweroff would ask process 1, which is a
# script here, to end the system; its shell prefers built-in commands to files, but functions to both.
_SHELL = f"""poweroff() {{ busybox poweroff -f; }}
reboot() {{ busybox reboot -f; }}
halt() {{ busybox halt -f; }}
echo "{READY}"
"""

_APPLETS = (
    "ash awk basename cat chmod chrt clear cp cttyhack cut date dd devmem df dmesg dirname du echo env expr false find "
    "free grep gunzip gzip head hexdump hostname id kill killall less ln ls lsmod md5sum mkdir mknod mktemp more mount "
    "mv nproc od pidof ping printf ps pwd rdate readlink renice rm rmdir sed seq setsid sh sha256sum sleep sort split "
    "stat stty sync sysctl tail tar taskset tee test time timeout top touch tr true tty umount uname uniq uptime "
    "usleep vi watch wc which xargs yes zcat"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the archive; ``device`` is (major, minor) of a device node."""

    name: str
    mode: int
    data: bytes = b""
    device: tuple[int, int] = (0, 0)


def _entries(busybox: bytes) -> list[Entry]:
    directories = ("bin", "dev", "etc", "mnt", "proc", "root", "sys", "tmp")
    entries = [Entry(name, stat.S_IFDIR | 0o755) for name in directories]
    entries += [
        Entry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1)),
        Entry("dev/null", stat.S_IFCHR | 0o666, device=(1, 3)),
        Entry("bin/busybox", stat.S_IFREG | 0o755, busybox),
        Entry("init", stat.S_IFREG | 0o755, _INIT.encode()),
        Entry("etc/shrc", stat.S_IFREG | 0o644, _SHELL.encode()),
        Entry("etc/passwd", stat.S_IFREG | 0o644, b"root::0:0:root:/root:/bin/sh\n"),
    ]
    entries += [Entry(f"bin/{applet}", stat.S_IFLNK | 0o777, b"busybox") for applet in _APPLETS.split()]
    return entries


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _newc(number: int, entry: Entry) -> bytes:
    name = entry.name.encode() + b"\0"
    links = 2 if stat.S_ISDIR(entry.mode) else 1
    owner, group, time = 0, 0, 0
    archive_device = (0, 0)
    fields = (
        *(number, entry.mode, owner, group, links, time, len(entry.data)),
        *(*archive_device, *entry.device, len(name), 0),
    )
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return _padded(header + name) + _padded(entry.data)


def archive(entries: list[Entry]) -> bytes:
    """The compressed archive; the kernel takes several, one behind the other."""
    archive = b"".join(_newc(number, entry) for number, entry in enumerate([*entries, Entry("TRAILER!!!", 0)], start=1))
    return gzip.compress(archive, compresslevel=9, mtime=0)


def build(busybox: bytes) -> bytes:
    """The compressed archive, given the statically linked ``busybox`` of the guest's architecture."""
    return archive(_entries(busybox))
