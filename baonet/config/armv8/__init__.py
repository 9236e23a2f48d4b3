"""Armv8-A's part of the configuration."""
