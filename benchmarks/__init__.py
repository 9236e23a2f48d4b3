"""The same guest binaries on baonet and on QEMU, interleaved in one run, and how the figures relate.

``python -m benchmarks`` prints the table. ``jobs`` has what is run and what is read from the output, ``emulators`` the
two that run it, ``goals`` what is wanted and where the reference figures come from.
"""
