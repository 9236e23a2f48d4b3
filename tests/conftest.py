"""What holds for all tests."""

from hypothesis import settings

# How long an example takes says more about the host than about the code.
settings.register_profile("baonet", deadline=None)
settings.load_profile("baonet")
