"""``python -m baonet``"""

from baonet.cli.main import command

command()
