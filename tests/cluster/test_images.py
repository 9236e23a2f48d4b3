"""Images go by their content, and a node's cache has whole and good ones only, whoever else is at it."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, consumes, invariant, multiple, rule

from baonet.cluster import images
from baonet.cluster.images import Image, ImageCache, ImageWriter, in_files, local, portable, wanted
from baonet.machine import LoadSegment, Machine
from baonet.machine.stamp import stamp
from baonet.memory.node import NodeMemory
from baonet.memory.sizes import Sizes
from baonet.wire.codec import ProtocolError
from baonet.wire.portable import dump_machine, load_machine, machine_digest
from tests.examples import examples
from tests.hyp import machines

BASE = 0x4000_0000
DATA = b"a guest" * 1000


def sha_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


SHA = sha_of(DATA)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[ImageCache]:
    with ImageCache(tmp_path / "cache") as made:
        yield made


def put(cache: ImageCache, data: bytes = DATA) -> Path:
    with cache.receive(sha_of(data), len(data)) as writer:
        for start in range(0, len(data), 1000):
            writer.write(data[start : start + 1000])
        return writer.finish()


def machine(*segments: LoadSegment) -> Machine:
    return machines.machine(machines.vm(0, segments=segments))


def of_file(path: Path) -> Machine:
    """Two segments of one file, and bytes that are in none."""
    seen = stamp(path)
    return machine(
        LoadSegment(BASE, 100, str(path), 7, stamp=seen),
        LoadSegment(BASE + 0x1000, 4, data=b"tree"),
        LoadSegment(BASE + 0x2000, 50, str(path), stamp=seen),
    )


def files(cache: ImageCache) -> set[str]:
    return set(os.listdir(cache.directory))


# From the lead's files to the node's


def test_a_machine_loads_on_the_node_what_it_would_on_its_lead(tmp_path: Path, cache: ImageCache) -> None:
    image = tmp_path / "guest.bin"
    image.write_bytes(DATA)
    mine = of_file(image)
    found = wanted(mine)
    assert found == {str(image): Image(SHA, len(DATA))}
    data = dump_machine(portable(mine, found))
    assert str(tmp_path).encode() not in data, "the lead's path is nothing to the node"
    put(cache)
    image.unlink()
    theirs = local(load_machine(data), cache, {0})
    assert [segment.stamp for segment in theirs.vms[0].segments] == [
        stamp(cache.path(SHA)),
        None,
        stamp(cache.path(SHA)),
    ]
    node = NodeMemory(theirs, Sizes(64, 0x1000, 64, {"pl011": 100}))
    node.load(theirs.vms[0])
    assert node.read(theirs.vms[0], BASE, 101) == DATA[7:107] + b"\0"
    assert node.read(theirs.vms[0], BASE + 0x1000, 4) == b"tree"
    assert node.read(theirs.vms[0], BASE + 0x2000, 50) == DATA[:50]
    node.close()


def test_where_the_lead_has_its_image_does_not_change_the_digest(tmp_path: Path) -> None:
    digests = set()
    for name in ("here", "there"):
        image = tmp_path / name
        image.write_bytes(DATA)
        mine = of_file(image)
        digests.add(machine_digest(dump_machine(portable(mine, wanted(mine)))))
    assert len(digests) == 1


def test_each_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = tmp_path / "guest.bin"
    image.write_bytes(DATA)
    read: list[str] = []
    monkeypatch.setattr(images, "_image", lambda path: read.append(path) or Image(SHA, 1))  # type: ignore[func-returns-value]
    wanted(of_file(image))
    assert read == [str(image)]


@pytest.mark.parametrize("which", [0, 2], ids=["its first segment", "its last"])
def test_a_file_that_has_changed_since_it_was_checked_is_not_sent(tmp_path: Path, which: int) -> None:
    image = tmp_path / "guest.bin"
    image.write_bytes(DATA)
    before = of_file(image)
    image.write_bytes(DATA + b"!")
    now = stamp(image)
    (vm,) = before.vms
    segments = [each if n == which else replace(each, stamp=now) for n, each in enumerate(vm.segments)]
    with pytest.raises(OSError, match=f"has changed since it was checked: '{image}'") as caught:
        wanted(machine(*segments))
    assert caught.value.errno == errno.ESTALE


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone"):
        wanted(machine(LoadSegment(BASE, 1, str(tmp_path / "gone"))))


def test_what_an_image_unpacked_to_is_a_file_for_its_node(cache: ImageCache) -> None:
    kernel = os.urandom(1 << 20)
    mine = machine(LoadSegment(BASE, len(kernel), data=kernel, unpacked="Image.gz"), LoadSegment(0, 4, data=b"tree"))
    filed = in_files(in_files(mine, cache), cache)
    first, second = filed.vms[0].segments
    assert (first.data, first.unpacked, first.path) == (b"", "Image.gz", str(cache.path(sha_of(kernel))))
    assert second == mine.vms[0].segments[1]
    assert wanted(filed) == {first.path: Image(sha_of(kernel), len(kernel))}
    assert len(dump_machine(portable(filed, wanted(filed)))) < 4000


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("/etc/passwd", "names the file '/etc/passwd' where the hash of an image is due"),
        ("sha256:../../etc/passwd", "'../../etc/passwd' where the SHA-256 of an image is due"),
        ("sha256:", "'' where the SHA-256 of an image is due"),
        (f"sha256:{SHA.upper()}", "where the SHA-256 of an image is due"),
        (f"sha256:{SHA}\n", "where the SHA-256 of an image is due"),
    ],
)
def test_a_machine_that_came_cannot_name_a_file_of_the_node(cache: ImageCache, path: str, line: str) -> None:
    put(cache)
    with pytest.raises(ProtocolError, match=line):
        local(machine(LoadSegment(BASE, 1, path)), cache, {0})


@pytest.mark.parametrize(("offset", "size"), [(1, len(DATA)), (len(DATA) + 1, 0), (-1, 1), (0, -1)])
def test_a_segment_is_inside_its_image(cache: ImageCache, offset: int, size: int) -> None:
    put(cache)
    with pytest.raises(ProtocolError, match=f"{size} bytes at {offset} of an image of {len(DATA)}"):
        local(machine(LoadSegment(BASE, size, f"sha256:{SHA}", offset)), cache, {0})


def test_an_image_that_is_not_there_is_told(cache: ImageCache) -> None:
    with pytest.raises(FileNotFoundError, match="the image is not in the cache"):
        local(machine(LoadSegment(BASE, 1, f"sha256:{SHA}")), cache, {0})


# The cache


def test_what_came_is_there_for_this_process_and_the_next(cache: ImageCache) -> None:
    assert not cache.has(SHA)
    path = put(cache)
    assert path == cache.path(SHA)
    assert path.read_bytes() == DATA
    assert cache.has(SHA)
    assert ImageCache(cache.directory).has(SHA)
    assert files(cache) == {SHA}
    assert stat.S_IMODE(cache.directory.stat().st_mode) == 0o700
    assert not stat.S_IMODE(path.stat().st_mode) & 0o077


@pytest.mark.parametrize(
    ("sent", "line"),
    [
        (DATA[:-1], f"has {len(DATA) - 1} bytes of the {len(DATA)} that were told"),
        (DATA + b"!", f"has more than the {len(DATA)} bytes that were told"),
        (DATA[:-1] + b"!", "has other bytes: their hash is"),
        (b"", f"has 0 bytes of the {len(DATA)} that were told"),
    ],
)
def test_other_bytes_than_were_told_are_refused_and_leave_nothing(cache: ImageCache, sent: bytes, line: str) -> None:
    def send() -> None:
        writer.write(sent)
        writer.finish()

    writer = cache.receive(SHA, len(DATA))
    with pytest.raises(ProtocolError, match=f"what came as the image {SHA} {line}"):
        send()
    assert files(cache) == set()
    assert not cache.has(SHA)
    writer.give_up()


def test_a_writer_that_is_given_up_leaves_nothing(cache: ImageCache) -> None:
    with cache.receive(SHA, len(DATA)) as writer:
        writer.write(DATA[:10])
        assert not cache.has(SHA), "it is not in its place before it is whole"
    assert files(cache) == set()


def test_writers_of_one_image_do_not_disturb_each_other(cache: ImageCache) -> None:
    """Nor who uses it already: for him it would be another file."""
    other = ImageCache(cache.directory)
    with cache.receive(SHA, len(DATA)) as first, other.receive(SHA, len(DATA)) as second:
        first.write(DATA[:100])
        second.write(DATA)
        second.finish()
        used = stamp(other.path(SHA))
        first.write(DATA[100:])
        assert first.finish() == other.path(SHA)
    assert stamp(cache.path(SHA)) == used
    assert files(cache) == {SHA}
    other.close()


def test_many_processes_take_one_image_at_once(tmp_path: Path) -> None:
    """Each sees one file, and the same to its end."""
    program = (
        "import sys; from pathlib import Path; from baonet.cluster.images import ImageCache\n"
        "from baonet.machine.stamp import stamp\n"
        "sys.stdin.buffer.read(1)\n"
        f"data, sha = b'a guest' * 1000, '{SHA}'\n"
        "cache = ImageCache(Path(sys.argv[1]))\n"
        "writer = cache.receive(sha, len(data)); writer.write(data); writer.finish()\n"
        "print(stamp(cache.path(sha)), flush=True); sys.stdin.buffer.read(1)\n"
        "print(stamp(cache.path(sha)))\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, tmp_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    for each in running:
        assert each.stdin is not None
        each.stdin.write(b"g")
        each.stdin.flush()
    for each in running:
        assert each.stdout is not None
        each.stdout.readline()
    said = [each.communicate(b"g")[0] for each in running]
    assert {each.returncode for each in running} == {0}
    assert said == [said[0]] * 4
    assert os.listdir(tmp_path) == [SHA]


@pytest.mark.parametrize(
    "damaged", [b"b" + DATA[1:], DATA[:-1], DATA + b"!", b""], ids=["bytes", "short", "long", "empty"]
)
def test_a_damaged_image_is_found_and_replaced(cache: ImageCache, damaged: bytes) -> None:
    """Also after this process has used it."""
    (cache.directory / SHA).write_bytes(damaged)
    assert not cache.has(SHA)
    path = put(cache)
    assert cache.path(SHA).read_bytes() == DATA
    path.write_bytes(damaged)
    with pytest.raises(FileNotFoundError):
        cache.path(SHA)
    put(cache)
    assert cache.path(SHA).read_bytes() == DATA


def test_an_image_that_was_damaged_while_it_came_is_replaced(cache: ImageCache) -> None:
    with cache.receive(SHA, len(DATA)) as writer:
        writer.write(DATA)
        (cache.directory / SHA).write_bytes(b"damaged")
        writer.finish()
    assert cache.path(SHA).read_bytes() == DATA


def test_an_image_that_is_touched_is_looked_at_again_and_stays(cache: ImageCache) -> None:
    os.utime(put(cache), (1, 1))
    assert cache.has(SHA)
    assert ImageCache(cache.directory).has(SHA)


def blob(number: int) -> bytes:
    return bytes([number]) * 1000


def age(path: Path, seconds: int) -> None:
    """It was used after it was written, so most hosts do not write down that it is read."""
    found = path.stat()
    os.utime(path, ns=(found.st_atime_ns - seconds * 10**9, found.st_mtime_ns - 3600 * 10**9))


def test_the_oldest_by_use_go_first(tmp_path: Path) -> None:
    with ImageCache(tmp_path, 3000) as before:
        for number in range(3):
            age(put(before, blob(number)), 100 - number)
    with ImageCache(tmp_path, 3000) as cache:
        assert cache.has(sha_of(blob(0)))
        put(cache, blob(3))
        assert files(cache) == {sha_of(blob(number)) for number in (0, 2, 3)}, "0 has just been used"


def test_when_an_image_was_used_last_is_written_down(cache: ImageCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the host does not, as on a file system that is mounted so."""
    path = put(cache)
    monkeypatch.setattr("time.time_ns", lambda: 5 * 10**9)
    assert ImageCache(cache.directory).has(SHA)
    assert path.stat().st_atime_ns == 5 * 10**9


def test_what_is_in_use_does_not_go(tmp_path: Path) -> None:
    """Neither here nor by another process, which is nearly the same as another cache here."""
    with ImageCache(tmp_path, 3000) as cache, ImageCache(tmp_path, 3000) as other:
        age(put(cache, blob(0)), 10)
        age(put(other, blob(1)), 20)
        assert cache.has(sha_of(blob(0)))
        assert other.has(sha_of(blob(1)))
        writer = other.receive(sha_of(blob(2)), 1000)
        with pytest.raises(OSError, match="no room for an image of 1000 bytes: those in use take the rest") as caught:
            cache.receive(sha_of(blob(3)), 1000)
        assert caught.value.errno == errno.ENOSPC
        assert len(files(cache)) == 3
        writer.give_up()
        put(cache, blob(3))
        other.release()
        put(cache, blob(4))
        assert files(cache) == {sha_of(blob(number)) for number in (0, 3, 4)}


def test_an_image_that_is_larger_than_the_cache_is_refused(tmp_path: Path) -> None:
    with ImageCache(tmp_path, 3000) as cache:
        put(cache, blob(0))
        with pytest.raises(OSError, match="an image of 3001 bytes does not fit in a cache of 3000"):
            cache.receive(SHA, 3001)
        assert files(cache) == {sha_of(blob(0))}, "nothing goes for it"


def test_a_full_disk_is_told_and_leaves_nothing(cache: ImageCache, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(descriptor: int, data: memoryview) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    writer = cache.receive(SHA, len(DATA))
    monkeypatch.setattr(os, "write", write)
    line = f"no room for an image of {len(DATA)} bytes: No space left on device: '{cache.directory}'"
    with pytest.raises(OSError, match=line) as caught:
        writer.write(DATA)
    assert caught.value.errno == errno.ENOSPC
    assert files(cache) == set()


def test_what_is_written_in_pieces_is_whole(cache: ImageCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host may take less than it is given."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:7]))
    assert put(cache).read_bytes() == DATA


@pytest.mark.parametrize("lacking", ["link", "flock"])
def test_a_file_system_that_lacks_something_will_do(
    cache: ImageCache, monkeypatch: pytest.MonkeyPatch, lacking: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM if lacking == "link" else errno.ENOLCK, "not here")

    monkeypatch.setattr({"link": "os.link", "flock": "fcntl.flock"}[lacking], fail)
    cache.limit = len(DATA) + 1000
    put(cache)
    assert cache.path(SHA).read_bytes() == DATA
    age(put(cache, blob(1)), 10)
    with pytest.raises(OSError, match="those in use"):
        cache.receive(sha_of(blob(2)), 1000)
    cache.release()
    put(cache, blob(2))
    assert sha_of(blob(2)) in files(cache)


def test_what_a_killed_process_left_goes(tmp_path: Path) -> None:
    left, busy = tmp_path / ".part-left", tmp_path / ".part-busy"
    for each in (left, busy):
        each.write_bytes(b"part")
    os.utime(left, (0, 0))
    with ImageCache(tmp_path):
        assert not left.exists()
        assert busy.exists(), "somebody may be about to lock it"


# Where it is


def test_the_cache_of_the_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for given, where in (
        (str(tmp_path / "xdg"), tmp_path / "xdg"),
        ("", tmp_path / ".cache"),
        ("relative", tmp_path / ".cache"),
    ):
        monkeypatch.setenv("XDG_CACHE_HOME", given)
        with ImageCache() as cache:
            put(cache)
        assert cache.directory == where / "baonet" / "images"
        assert stat.S_IMODE(cache.directory.stat().st_mode) == 0o700
        assert cache.directory.exists()


@pytest.mark.parametrize("home", ["a file", None])
def test_where_the_user_has_no_cache_one_goes_with_the_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str | None
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HOME")
    if home is not None:
        (tmp_path / home).write_text("")
        monkeypatch.setenv("HOME", str(tmp_path / home))
    with ImageCache() as cache:
        assert put(cache).read_bytes() == DATA
        assert stat.S_IMODE(cache.directory.stat().st_mode) == 0o700
        child = os.fork()
        if not child:
            cache.close()
            os._exit(0)
        os.waitpid(child, 0)
        assert cache.path(SHA).exists(), "a child's end is not its end"
    assert not cache.directory.exists()
    forgotten = ImageCache()
    where = forgotten.directory
    assert where.exists()
    del forgotten
    assert not where.exists()


def test_a_directory_that_others_may_use_is_closed_to_them(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with ImageCache(tmp_path):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_directory_that_cannot_be_one_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        ImageCache(tmp_path / "file")


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    with ImageCache(tmp_path, 3000) as cache:
        put(cache, blob(0))
        put(cache, blob(0))
        (tmp_path / SHA).write_bytes(b"damaged")
        assert not cache.has(SHA)
        writer = cache.receive(sha_of(blob(1)), 1000)
        with pytest.raises(ProtocolError):
            writer.write(bytes(1001))
        with pytest.raises(OSError, match="no room"):
            cache.receive(sha_of(blob(2)), 2500)
        assert len(os.listdir("/proc/self/fd")) == len(before) + 1, "the one in use"
    assert os.listdir("/proc/self/fd") == before


# In any order


class Caches(RuleBasedStateMachine):
    """Two processes' caches in one directory, to which anything happens."""

    writers: Bundle[tuple[int, int, ImageWriter]] = Bundle("writers")

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name)
        self.caches = [ImageCache(self.path, 3000) for _ in range(2)]
        self.used: list[set[int]] = [set(), set()]

    @rule(target=writers, which=st.integers(0, 1), number=st.integers(0, 4))
    def begin(self, which: int, number: int) -> MultipleResults[tuple[int, int, ImageWriter]]:
        try:
            return multiple((which, number, self.caches[which].receive(sha_of(blob(number)), 1000)))
        except OSError:
            assert len([*self.path.iterdir()]) == 3, "there was room"
            return multiple()

    @rule(writer=consumes(writers), size=st.sampled_from([1000, 1000, 1000, 400]))
    def bring(self, writer: tuple[int, int, ImageWriter], size: int) -> None:
        which, number, taken = writer
        taken.write(blob(number)[:size])
        with pytest.raises(ProtocolError) if size < 1000 else nullcontext():
            taken.finish()
        if size == 1000:
            self.used[which].add(number)

    @rule(writer=consumes(writers))
    def give_up(self, writer: tuple[int, int, ImageWriter]) -> None:
        writer[2].give_up()

    @rule(which=st.integers(0, 1), number=st.integers(0, 4))
    def ask(self, which: int, number: int) -> None:
        if self.caches[which].has(sha_of(blob(number))):
            self.used[which].add(number)

    @rule(which=st.integers(0, 1))
    def release(self, which: int) -> None:
        self.caches[which].release()
        self.used[which].clear()

    @rule(number=st.integers(0, 4))
    def damage(self, number: int) -> None:
        """What nobody uses."""
        path = self.path / sha_of(blob(number))
        if path.exists() and not any(number in used for used in self.used):
            path.write_bytes(b"damaged")

    @invariant()
    def what_is_in_use_is_there_and_good(self) -> None:
        for number in set.union(*self.used):
            assert (self.path / sha_of(blob(number))).read_bytes() == blob(number)

    @invariant()
    def it_does_not_grow_beyond_its_limit(self) -> None:
        assert sum(each.stat().st_size for each in self.path.iterdir()) <= 3000

    def teardown(self) -> None:
        for cache in self.caches:
            cache.close()
        self.directory.cleanup()


TestCaches = Caches.TestCase
TestCaches.settings = settings(max_examples=examples(150), stateful_step_count=25, deadline=None)
