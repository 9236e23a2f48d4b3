from collections.abc import Iterator

CS_ARCH_ARM: int
CS_ARCH_ARM64: int
CS_ARCH_RISCV: int
CS_MODE_ARM: int
CS_MODE_RISCV64: int
CS_MODE_RISCVC: int
CS_MODE_THUMB: int
CS_MODE_V8: int

class CsInsn:
    address: int
    mnemonic: str
    op_str: str

class Cs:
    def __init__(self, arch: int, mode: int) -> None: ...
    def disasm(self, code: bytes, offset: int, count: int = 0) -> Iterator[CsInsn]: ...
