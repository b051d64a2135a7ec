"""An election site on a lab: two web hosts, a balancer, voters over HTTP."""

from .site import Site
from .voters import WebVoter

__all__ = ['Site', 'WebVoter']
