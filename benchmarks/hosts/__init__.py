"""What it costs that a machine is on several hosts: python -m benchmarks.hosts"""
