"""``python -m skbci``."""

import sys

from skbci.cli import main

if __name__ == "__main__":
    sys.exit(main())
