"""What holds for all tests."""

import pytest
from hypothesis import settings

from tests.apart import together

# How long an example takes says more about the host than about the code.
settings.register_profile("baonet", deadline=None)
settings.load_profile("baonet")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    together(items)
