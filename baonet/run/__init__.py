"""One run of a machine, for whoever runs it: the command line, studies, and Python programs (``baonet.open_run``)."""
