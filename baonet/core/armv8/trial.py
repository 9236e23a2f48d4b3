"""What two processes try of Armv8's engine, behind the protocol of ``baonet.core.architecture``."""

from __future__ import annotations

from typing import Final

from baonet.core.architecture import Trial
from baonet.core.armv8.litmus import PARTS
from baonet.core.armv8.testbed import Shared, Side
from baonet.core.trial_bed import PartsTrial

TRIAL: Final[Trial] = PartsTrial(Shared, Side, PARTS)
