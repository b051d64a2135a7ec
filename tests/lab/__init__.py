"""A cluster of hosts on one machine: namespaces with real PostgreSQL."""

from .lab import Lab, gc, labs
from .wait import Late, exit_on_term, wait_for

__all__ = ['Lab', 'Late', 'exit_on_term', 'gc', 'labs', 'wait_for']
