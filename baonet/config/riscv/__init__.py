"""RISC-V's part of the configuration."""
