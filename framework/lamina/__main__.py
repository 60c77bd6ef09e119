"""``python -m lamina``: the command ``lamina``, also where its script is not on the path."""

import sys

from lamina.cli import main

sys.exit(main())
