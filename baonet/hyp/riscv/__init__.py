"""Bao's logic for RISC-V with the hypervisor extension."""
