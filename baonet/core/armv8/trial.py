"""What two processes try of Armv8's engine, behind the protocol of ``baonet.core.architecture``."""

from __future__ import annotations

from typing import cast, final

from baonet.core.architecture import TrialMemory
from baonet.core.armv8 import litmus, testbed


@final
class Armv8Trial:
    def shared(self) -> TrialMemory:
        return testbed.Shared()

    def run(self, shared: TrialMemory, number: int) -> bool:
        return litmus.run(cast(testbed.Shared, shared), number)

    def part_of(self, reached: int) -> str:
        return litmus.part_of(reached)
