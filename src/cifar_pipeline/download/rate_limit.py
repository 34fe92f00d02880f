"""The lower limit of the rate at which a source sends bytes."""

import time
from collections import deque
from collections.abc import Callable

from cifar_pipeline.download.errors import SourceError, TooSlowError

SAMPLES_PER_WINDOW = 100


class RateMonitor:
    """Raises an error when bytes arrive too slowly, on average over a sliding window of time.

    Args:
        minimum: bytes a second below which a source is too slow.
        window: seconds over which the rate is averaged; the first judgement comes after them.
        patient: accept any rate above zero, because no faster source is left.
        clock: returns seconds; for tests.
    """

    def __init__(
        self,
        minimum: float,
        window: float,
        patient: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.minimum = minimum
        self.window = window
        self.patient = patient
        self.arrived = 0
        self._clock = clock
        self._samples = deque([(clock(), 0)])

    def add(self, count: int) -> None:
        """Count `count` more bytes; 0 judges the rate at this moment.

        Raises:
            TooSlowError: the rate over the last window is below the minimum.
            SourceError: no byte at all arrived within the last window.
        """
        self.arrived += count
        now = self._clock()
        if now - self._samples[-1][0] >= self.window / SAMPLES_PER_WINDOW:
            self._samples.append((now, self.arrived))
        # The oldest sample kept is the youngest that is at least a window old.
        while len(self._samples) > 1 and now - self._samples[1][0] >= self.window:
            self._samples.popleft()
        start, before = self._samples[0]
        if now - start < self.window:
            return
        if self.arrived == before:
            raise self.stalled()
        rate = (self.arrived - before) / (now - start)
        if rate < self.minimum and not self.patient:
            raise TooSlowError(
                f"too slow: {rate / 1000:.1f} kB/s over {self.window:g} s,"
                f" at least {self.minimum / 1000:g} kB/s wanted"
            )

    def stalled(self) -> SourceError:
        """Return the error of a source that sends no bytes."""
        return SourceError(f"nothing arrived for {self.window:g} s")
