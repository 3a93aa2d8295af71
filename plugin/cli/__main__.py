"""`python -m plugin.cli` is `adamatte`."""

import sys

from plugin.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
