"""``python -m baonet``"""

import sys

from baonet.cli.main import main

sys.exit(main())
