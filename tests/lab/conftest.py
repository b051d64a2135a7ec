import os
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import Lab, exit_on_term  # noqa: E402


exit_on_term()


@pytest.fixture(scope='session')
def template():
    """Where the first pair of this session leaves a copy for the others."""
    with tempfile.TemporaryDirectory(prefix='hawatch-pair.') as path:
        yield path


@pytest.fixture
def lab():
    with Lab() as lab:
        yield lab


@pytest.fixture
def pair(lab, template):
    lab.build_pair(template)
    return lab
