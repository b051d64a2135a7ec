"""How long the machine itself did nothing: who judges a lease that was lost
should know. A thread that wants to wake every 20 ms writes down when it did
not."""

import threading
import time

EVERY = 0.02


class Pulse:
    def __init__(self):
        self.late = 0.0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        last = time.monotonic()
        while not self.ended.wait(EVERY):
            at = time.monotonic()
            self.late = max(self.late, at - last - EVERY)
            last = at

    def take(self):
        """ms of the longest stand-still since this was asked last."""
        late, self.late = self.late, 0.0
        return late * 1000

    def stop(self):
        self.ended.set()
        self.thread.join(5)
