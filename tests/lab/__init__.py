"""A cluster of hosts on one machine: namespaces with real PostgreSQL."""

from .lab import Lab, gc, labs
from .wait import Late, wait_for

__all__ = ['Lab', 'Late', 'gc', 'labs', 'wait_for']
