"""The cache of third-party guests, fetched when it is not complete."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.guests import debian


@pytest.fixture(scope="session")
def guest_cache() -> Path:
    """Directory with the files of ``debian.GUESTS``; skips where they can't be fetched for want of a network."""
    cache = debian.cache_directory()
    try:
        debian.fetch(cache)
    except debian.NoNetworkError as error:
        pytest.skip(f"third-party guests are not in {cache}, and there is no network: {error}")
    return cache
