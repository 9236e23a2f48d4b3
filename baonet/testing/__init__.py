"""Tests of guests: the pytest fixtures ``baonet_run`` and ``baonet_run_blocking`` (docs/library.md).

pytest finds them by the entry point of the package, ``baonet.testing.plugin``; who uses neither pays for neither.
"""
