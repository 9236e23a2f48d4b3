"""What a process of a node needs that has no core, whatever the machine's architecture is. Native, and loaded alone."""

BEATS: int
"""Of a pulse, in the time after which who says nothing is lost."""
FRAMES: tuple[str, ...]
"""Of what couriers say to each other, by the number of each kind."""
LANE_SIZE: int
LEDGER_SIZE: int
SLOT_SIZE: int
"""Bytes of a slot: a pcpu's in the memory that a node's processes share."""
UART_STATE_SIZE: int
"""Bytes of a UART's state in shared memory, of whatever kind it is."""
MEMORY_PARAMETERS: tuple[str, ...]
"""Of a memory system, in the order in which the shape of a cluster has them."""
RING_SIZE: int
"""Bytes of a ring in shared memory."""

class Rings:
    """The ends that the pcpu ``index`` has of the rings between it and others, and its bell, on which it sleeps.

    A ring takes a stream of bytes from one pcpu to another. All that can be said of a peer is raised as ValueError or
    told by what comes back: nothing that it writes into shared memory does more harm. ``slots``: the buffer of all
    slots. ``lost``: a byte for each pcpu of the machine, not 0 when it has ended whose rings these were. ``ledger``: of
    its island if that is on several nodes, by which the courier is called.

    Raises IndexError for buffers that are too small, or too many pcpus.
    """

    def __init__(self, slots: object, index: int, lost: object, ledger: object = None) -> None: ...
    def join(self, peer: int, incoming: object, come: int, outgoing: object, go: int, far: bool = False) -> None:
        """``peer`` has the other end of two rings: in the buffers ``incoming`` at ``come``, and ``outgoing`` at ``go``.

        ``far``: it is on another node, and the courier has the other ends. Raises IndexError where there is no ring,
        ValueError for one that is far without a ledger.
        """

    def put(self, peer: int, data: bytes | bytearray, /) -> int:
        """How many bytes there was room for; -1: it takes nothing any more. Wakes it, or kicks its core.

        Where there was too little room, there is a call when some has been made.
        """

    def news(self) -> list[int]:
        """Those who have put something in, or have ended, since the last time."""

    def ringside(self) -> object:
        """What a core does errands by: ``Core.run_errands_promptly``. It keeps these rings."""

    def get(self, peer: int, /) -> bytes | None:
        """All that has come of it; None: it has ended, and nothing more comes.

        Raises ValueError when what it wrote into the shared memory makes no sense.
        """

    def end(self, peer: int, /) -> None:
        """Let go of both rings; it is told."""

    def lost(self) -> list[int]:
        """The peers whose process has ended, and that were not let go of. What they have put in is still there."""

    def called(self) -> bool:
        """Whether somebody has used ``call`` since the last time, or there is room in a ring that was full."""

    def sleep(self, seconds: float, /) -> bool:
        """Until there is something new, or a call; at most so long, to the microsecond. False: that has passed.

        A signal ends it too. Other threads run meanwhile, and handlers of signals have run behind it.
        """

class Pulse:
    """A thread without Python that tells others that this process lives, and hears whether they do.

    Who has said nothing for ``limit`` seconds is lost. With ``ends_with_peer``, not 0, this process is killed so many
    seconds after a loss, if it has not ended by then. Raises ValueError for a time that is none, OSError.
    """

    def __init__(self, limit: float, ends_with_peer: int) -> None: ...
    def watch(self, stream: int, control: int, says: bytes, hears: bytes, /) -> None:
        """The next peer: ``stream`` is connected to its pulse, ``control`` is shut down when it is lost.

        Both are duplicated. ``says``, ``hears``: keys of 32 bytes of our beats and of its, which differ. Raises OSError
        when the host has no descriptor or thread, and ValueError.
        """

    def lost(self, peer: int, /) -> bool:
        """Whether it is, and its control stream was shut down. Raises IndexError."""

    def silent(self, peer: int, /) -> bool:
        """Whether it was lost because it said nothing, not by the end of its stream. Raises IndexError."""

    def longest(self, peer: int, /) -> float:
        """Seconds of the longest silence after which it was heard again."""

    def close(self) -> None:
        """The thread ends, and the streams as well."""

class Keys:
    """What links shake hands with: files (PEM), and the OpenSSL of ``library``, or of what that is linked with.

    Raises ValueError(reason, 0) when the library has not all functions that are needed, or the files are of no use.
    """

    def __init__(self, library: str | bytes, ca: str | bytes, certificate: str | bytes, key: str | bytes) -> None: ...

class Link:
    """A connected socket, which is its own from now on: in the clear, or in TLS 1.3 if it has ``keys``.

    ``called``: the other end has called. Nothing here waits. Raises OSError when it is no descriptor.
    """

    def __init__(self, descriptor: int, keys: Keys | None = None, *, called: bool = False) -> None: ...
    def fileno(self) -> int:
        """Raises OSError when it is closed, as the others do."""

    def shake(self) -> int:
        """0: it is done; 1, 2: call again when it can be read, written. Raises ValueError(reason, verify).

        ``verify`` is OpenSSL's X509_V_ERR_..., 0 when it is not the other's certificate that is wrong; an empty
        ``reason``: the connection has failed.
        """

    def subject(self) -> tuple[bytes, bytes]:
        """Name and unit in the other's certificate, nothing for one that is not there, or is there twice.

        Raises LookupError without keys.
        """

    def read(self, most: int, /) -> bytes | None:
        """What has come, no more than asked for; None: nothing yet; nothing: it has ended. Raises as ``shake``."""

    def say(self, data: bytes, /) -> bool:
        """Goes now, or when its courier has it. False: it takes nothing any more."""

    def close(self) -> None: ...

class Courier:
    """What keeps the parts of split islands on several nodes alike: streams to others' couriers, served by one thread.

    ``node``: this one's number. ``bell``: the socket (SOCK_SEQPACKET) at whose other end cores of this node call it.
    ``told``: where it writes the number of a node that is lost, and that of the frame by which it showed that it is of
    no use (65535: none, its stream has ended, or it has said nothing for ``limit`` seconds), two bytes each in the
    order of the host. All else is said before ``begin``, first the peers.
    """

    def __init__(self, node: int, bell: int, told: int, limit: float) -> None: ...
    def peer(self, node: int, /) -> None:
        """There will be a stream to the courier of this node."""

    def connect(self, node: int, link: Link, /) -> None:
        """That is it, and its own from now on. Raises LookupError when none is expected."""

    def island(
        self,
        number: int,
        lanes: int,
        home: int,
        ledger: object,
        slots: object,
        nodes: object,
        processes: object,
        segments: int,
        caller: int,
        epoch: int | None = None,
        /,
    ) -> None:
        """A part of an island that the node ``home`` conducts, in a machine of ``lanes`` pcpus.

        ``nodes``, ``processes``: buffers of 16-bit numbers, for each pcpu its node, and the first pcpu in its process
        here; 0xffff: it is not of the island, or not here. ``segments``: how many numbers of segments there are.
        ``caller``: the other end of ``bell``, in each process. ``epoch``: of this node's cores under the host's clock,
        in nanoseconds of that, where nobody conducts, and home decides who may do what with a page; None: in virtual
        time. Raises LookupError for a node that is no peer.
        """

    def table(self, island: int, segment: int, pages: int, entries: object, data: object, device: bool, /) -> None:
        """Who owns the pages of a segment, and its bytes."""

    def rings(self, island: int, memory: object, places: bytes, /) -> None:
        """The rings of a part: it has the ends of pcpus on other nodes. Without this it passes none on either.

        ``memory`` begins with a byte for each pcpu, of who is lost. ``places`` (``=HHIQQ``): a pcpu here, one that is
        not, 0, and where the ring from that one and the ring to it are; by the second, then the first. Raises
        ValueError for what cannot be.
        """

    def cluster(self, island: int, buffer: object, shape: bytes, first: int, owners: tuple[int, ...], /) -> None:
        """A cluster of an island, whose memory takes time: in a buffer, of such a shape (``baonet.core.shapes``).

        ``first``: its first pcpu. ``owners``: the VM of each, as the cluster counts them. Raises ValueError for what
        cannot be.
        """

    def relay(self, island: int, pcpu: int, node: int, descriptor: int, /) -> None:
        """A channel to the crew ``pcpu`` on another node, or of that crew here; the descriptor is its own from now."""

    def begin(self) -> None:
        """Start the thread. Raises OSError when the host has none, LookupError without one of the streams."""

    def forget(self) -> None:
        """In a child that was forked before it began: let go of all buffers."""

    def reset(self, island: int, segment: int, /) -> None:
        """All nodes have put the same bytes into a segment: who owns a page has it, and all have the others."""

    def ended(self, pcpu: int, /) -> None:
        """The process of a pcpu here is no more: nobody waits for it. The courier sees that when it is called next."""

    def statistics(self) -> dict[str, int]:
        """Pages ``brought`` here and ``given``, ``orders`` to cores of other nodes, and ``bytes`` sent in all.

        ``held``: bytes that pcpus of other nodes have said and rings here have no room for.
        """

    def hottest(self) -> list[tuple[int, int, int, int]]:
        """(island, segment, page, how often) of the pages that have come here most often, the most first."""

    def synchronised(self) -> bool:
        """Whether it is known what time it is at the homes of all islands under the host's clock: cores may run."""

    def clocks(self) -> list[tuple[int, int, int, int]]:
        """(island, offset, drift, error) of those whose home is elsewhere, and is known.

        ``offset``: what is added here to have the time at home, in nanoseconds; ``error`` is what it may be wrong by,
        at the last answer. ``drift``: nanoseconds that it grows by in a second.
        """

    def close(self, caller: int, /) -> None:
        """The thread ends, and all streams."""

class Directory:
    """What a home knows of one page under the host's clock: which nodes may do what with it, and who waits.

    Made only by tests. Members are numbered, 0 is the home; rights: 0 none, 1 to read, 2 to write. What it says, in
    order: (grants, else recalls; member; right that it has, or is to keep; carries the bytes; goes round). Raises
    ValueError.
    """

    def want(self, member: int, right: int) -> list[tuple[bool, int, int, bool, bool]]:
        """It waits for the right."""

    def gave(self, member: int, right: int) -> list[tuple[bool, int, int, bool, bool]] | None:
        """It keeps no more than that. None: it was not asked to, is to keep less, or has no more anyway.

        Who may write may keep nothing unasked.
        """

    def lost(self, member: int) -> list[tuple[bool, int, int, bool, bool]]:
        """It is no more, and what it has not given back neither."""

    def right(self, member: int) -> int:
        """What it has, or is on its way to it, or back."""

    def rests(self) -> bool:
        """Nobody waits for it."""

    def goes_round(self, member: int) -> bool:
        """It is the next to write it, by what was seen."""

class Holder:
    """What a node knows of its own right to one page, ``right`` at first. Made only by tests; see ``Directory``."""

    def __init__(self, right: int) -> None: ...
    @property
    def right(self) -> int:
        """That its pcpus may use."""

    def want(self, right: int, /) -> int:
        """A pcpu wants it: 0: the node has it, 1: home is to be asked, 2: it has been."""

    def granted(self, right: int, round: bool, /) -> bool:
        """By home, as the page goes round. False: it cannot."""

    def offer(self) -> bool:
        """Is given back as if home wanted it. False: it does not go round, or home wants it."""

    def recalled(self, right: int, /) -> bool:
        """Home leaves it no more than that. False: it cannot."""

    def free(self) -> bool:
        """Nobody waits to use what was granted. True: the pcpus are now to let go of all but ``right``."""

    def given(self) -> tuple[int, bool]:
        """They have: what is left, and whether the bytes go with the rest. Raises ValueError when nothing was to go."""

class Offset:
    """How far another clock is ahead of one's own, from questions what time it is there. Times are nanoseconds.

    All is told as (estimate, drift, error): the other is ahead by ``estimate``, which is not wrong by more than
    ``error`` as long as both clocks run steadily; each second of one's own that grows by ``drift`` seconds, as far as
    is known.
    """

    def feed(self, sent: int, theirs: int, received: int, /) -> tuple[int, float, int]:
        """A question was sent and answered at these times of one's own clock, at ``theirs`` of the other's.

        Raises ValueError for an answer before its question, or before the last answer.
        """

    def at(self, time: int, /) -> tuple[int, float, int]:
        """The same at a later moment of one's own clock. Raises ValueError before the first answer or the last."""

def kick(slots: object, index: int) -> None:
    """Have the core of slot ``index`` leave its guest at the next block, or its next stay, with ``Stay.KICKED``.

    ``slots``: the buffer of all slots. Raises IndexError when it has no such slot.
    """

def hand_over(ledger: object, entries: object, segment: int, page: int, owner: int, let_go: int) -> None:
    """Have nobody keep anything of a page: it was written to from outside, or is elsewhere now.

    ``owner`` is a pcpu's number plus 1, 0: all may read it; any other number is nobody who could let it go. ``let_go``:
    the time in cycles before which whoever takes it is to see none. Only while nobody of the island runs. Raises
    IndexError where there is no such page.
    """

def fetch(ledger: object, pcpu: int, owners: object, segment: int, page: int) -> None:
    """Before a page is written to from outside: returns when its bytes are on this node.

    ``pcpu`` is one of this node that stands. Raises IndexError where there is none of these, ConnectionError when the
    node's courier has ended.
    """

def write(ledger: object, entries: object, segment: int, page: int) -> None:
    """A page was written to from outside: its owner has let it go now, and all may read it. Else as ``hand_over``."""

def known(ledger: object, pcpu: int) -> int:
    """The latest time, in cycles, that the guest of a pcpu that stands knows. Raises IndexError."""

def cluster_size(shape: bytes, /) -> int:
    """Bytes of a cluster of such a shape (``baonet.core.shapes``). Raises ValueError for what is none."""

def cluster_party(shape: bytes, party: int, /) -> tuple[int, int]:
    """Where in the cluster's memory what is of one of its pcpus alone begins, and its size, in whole pages.

    Raises ValueError for what is no shape, IndexError for a pcpu that the cluster has not.
    """

def chain(window: int, most: int, link: bytes, open: bytes, records: bytes) -> tuple[bytes, bytes]:
    """What comes of a chain's last link and the records of its open one when ``records`` come (``baonet.trace.chain``).

    ``window`` is in ticks of the records' time; ``most``: records of a link. Raises ValueError when one of these is 0,
    for a link of another length, and for a part of a record.
    """

def call(slots: object, index: int) -> None:
    """Have the pcpu ``index`` look at what comes by another way than its rings; it wakes up. Raises IndexError."""

def rung(slots: object, index: int) -> tuple[int, int, int]:
    """How often others have put something into a ring to the pcpu ``index``, who did it last, and how often it had to
    be woken for that. Counts are modulo 2**32.

    Raises IndexError when there is no such slot.
    """

def exact_timeouts() -> None:
    """From now on this thread sleeps no longer than it is to (PR_SET_TIMERSLACK, prctl(2)). Raises OSError."""

def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when its parent, of which this is the process number, ends. Raises OSError."""

def fork(count: int) -> tuple[int, ...] | int:
    """Fork so many processes: the numbers of the processes, or in one of them which of them it is, from 0 on.

    The parent does nothing else in between. Raises OSError, of which none is left then.
    """

def tell_refused_calls() -> None:
    """Tell on standard error, from now on, which system call a seccomp filter has refused. Raises OSError."""
