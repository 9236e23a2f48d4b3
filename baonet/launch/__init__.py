"""Where actors run: one process each, several in one, or tasks of this one; and what such a process may do."""
