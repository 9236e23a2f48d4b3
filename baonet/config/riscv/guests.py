"""The programs that a RISC-V hart runs, as ``baonet.config.architecture.Guests`` says them."""

from __future__ import annotations

from typing import Final, final

from baonet.config.riscv import kernel_image


@final
class RiscvGuests:
    target = "riscv64"
    machine = 243
    linux = "RISC-V Linux"
    image = "a RISC-V Linux Image"
    short_image = "RISC-V Image"
    command_line = 1023  # COMMAND_LINE_SIZE in asm/setup.h, with its end
    instruction = 2
    whole_pages = "AUIPC"
    kernel_file = "arch/riscv/boot/Image"

    is_linux = staticmethod(kernel_image.is_linux)
    least = staticmethod(kernel_image.least)
    room = staticmethod(kernel_image.room)
    doubts = staticmethod(kernel_image.doubts)


GUESTS: Final = RiscvGuests()
