"""The engine killed at one point of its plans after the other."""
