"""`python -m clients`: the command line without installing the console script."""

import sys

from clients.commands.cli import main

sys.exit(main())
