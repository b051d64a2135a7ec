"""The tests of the chaos itself, and short runs of it."""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path[:0] = [TESTS, os.path.join(TESTS, 'site')]

from lab import exit_on_term  # noqa: E402


exit_on_term()
