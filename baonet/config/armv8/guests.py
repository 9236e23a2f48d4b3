"""The programs that an Armv8-A CPU runs, as ``baonet.config.architecture.Guests`` says them."""

from __future__ import annotations

from typing import Final, final

from baonet.config.armv8 import kernel_image


@final
class Armv8Guests:
    target = "aarch64"
    machine = 183
    linux = "arm64 Linux"
    image = "an arm64 Linux Image"
    short_image = "arm64 Image"
    command_line = 2047  # COMMAND_LINE_SIZE in asm/setup.h, with its end
    instruction = 4
    whole_pages = "ADRP"
    kernel_file = "arch/arm64/boot/Image"

    is_linux = staticmethod(kernel_image.is_linux)
    least = staticmethod(kernel_image.least)
    room = staticmethod(kernel_image.room)
    doubts = staticmethod(kernel_image.doubts)


GUESTS: Final = Armv8Guests()
