"""What a run's trace tells: one module for each kind of measurement.

A metric takes the records of a trace in the order of time and gives what it measured at the end. Metrics are pure: no
files, no clock, no randomness but the fixed seed of a reservoir. ``baonet.study.measure`` reads the trace for them.
"""
