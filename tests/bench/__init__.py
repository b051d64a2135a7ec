"""Measurements of a lab cluster, for scripts/bench."""
