"""These tests have the RISC-V engine in their process, and so no other."""

from tests.apart import apart

pytest_pycollect_makemodule = apart
