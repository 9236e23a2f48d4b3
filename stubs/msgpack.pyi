from collections.abc import Callable, Iterator
from typing import IO

class UnpackException(Exception): ...  # noqa: N818

class Unpacker:
    def __init__(
        self,
        file_like: IO[bytes] | None = ...,
        *,
        read_size: int = ...,
        max_buffer_size: int = ...,
        strict_map_key: bool = ...,
    ) -> None: ...
    def __iter__(self) -> Iterator[object]: ...
    def __next__(self) -> object: ...
    def feed(self, next_bytes: bytes) -> None: ...
    def tell(self) -> int: ...

def packb(o: object, *, unicode_errors: str = ...) -> bytes: ...
def unpackb(
    packed: bytes,
    *,
    max_str_len: int = ...,
    max_bin_len: int = ...,
    max_array_len: int = ...,
    max_map_len: int = ...,
    list_hook: Callable[[list[object]], object] | None = ...,
    unicode_errors: str = ...,
    strict_map_key: bool = ...,
) -> object: ...
