"""The real site under a seeded schedule of faults; see README.md."""
