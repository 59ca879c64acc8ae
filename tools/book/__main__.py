"""`python -m tools.book`: write the site."""

import sys

from tools.book import main

sys.exit(main(*sys.argv[1:]))
