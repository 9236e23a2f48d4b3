"""What a process that is the command loads first: ``python -m baonet``, and the script ``baonet``.

Python's way with Ctrl-C, an exception wherever the program is, is a traceback while modules are loaded. So it ends the
process as it would any other, until the command can say so itself. Who imports something else from here has Ctrl-C as
it was.
"""

import _signal  # built in, where signal loads as much as all that follows

if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

from baonet.cli.main import command

if __name__ == "__main__":
    command()
