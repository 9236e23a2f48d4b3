"""Keys of two clusters that know nothing of each other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from baonet.cluster import issuing

PAST = datetime(2020, 5, 6, tzinfo=UTC)


@pytest.fixture(scope="session")
def lead(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lead's keys, and in them nodes: alpha and beta, old (expired), new (not good yet)."""
    directory = tmp_path_factory.mktemp("keys")
    issuing.init(directory)
    for name in ("alpha", "beta"):
        issuing.issue(directory, name)
    issuing.issue(directory, "old", now=PAST)
    issuing.issue(directory, "new", now=datetime.now(UTC) + timedelta(days=30))
    return directory


@pytest.fixture(scope="session")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("foreign")
    issuing.init(directory)
    issuing.issue(directory, "alpha")
    return directory
