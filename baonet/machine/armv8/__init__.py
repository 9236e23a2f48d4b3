"""Armv8-A's part of the resolved machine."""
