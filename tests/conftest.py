"""What holds for all tests."""

import pytest

from tests import examples
from tests.apart import together

examples.register()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    together(items)
