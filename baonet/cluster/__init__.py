"""One machine over several hosts."""
