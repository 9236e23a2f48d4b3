"""RISC-V in the configuration."""
