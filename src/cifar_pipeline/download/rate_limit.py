"""The lower limit of the rate at which a source sends bytes."""

import time
from collections import deque
from collections.abc import Callable

from cifar_pipeline.download.errors import SourceError, TooSlowError

SAMPLES_PER_WINDOW = 100
# No source at all is waited for below this rate: the archive would take days.
LOWEST_RATE = 1000.0  # bytes a second
LOWEST_FOR_WINDOWS = 3


class RateMonitor:
    """Raises an error when bytes arrive too slowly, on average over a sliding window of time.

    Args:
        minimum: bytes a second below which a source is too slow.
        window: seconds over which the rate is averaged; the first judgement comes after them.
        patient: no faster source is left. The minimum is then LOWEST_RATE, unless it is less, over
            LOWEST_FOR_WINDOWS windows.
        clock: returns seconds; for tests.
    """

    def __init__(
        self,
        minimum: float,
        window: float,
        patient: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.minimum = min(minimum, LOWEST_RATE) if patient else minimum
        self.window = window
        self.patient = patient
        self.arrived = 0
        self._clock = clock
        self._span = window * (LOWEST_FOR_WINDOWS if patient else 1)
        self._samples = deque([(clock(), 0)])
        self._last_arrival = clock()

    def add(self, count: int) -> None:
        """Count `count` more bytes; 0 judges the rate at this moment.

        Raises:
            TooSlowError: the rate over the last window is below the minimum.
            SourceError: no byte at all arrived within the last window, or the rate is below the
                minimum and no faster source is left.
        """
        self.arrived += count
        now = self._clock()
        if count:
            self._last_arrival = now
        elif now - self._last_arrival >= self.window:
            raise self.stalled()
        if now - self._samples[-1][0] >= self.window / SAMPLES_PER_WINDOW:
            self._samples.append((now, self.arrived))
        # The oldest sample kept is the youngest that is old enough to be judged by.
        while len(self._samples) > 1 and now - self._samples[1][0] >= self._span:
            self._samples.popleft()
        start, before = self._samples[0]
        if now - start < self._span:
            return
        rate = (self.arrived - before) / (now - start)
        if rate < self.minimum:
            found = f"{rate / 1000:.1f} kB/s over {self._span:g} s"
            wanted = f"at least {self.minimum / 1000:g} kB/s wanted"
            if self.patient:
                raise SourceError(f"too slow to wait for: {found}, {wanted}")
            raise TooSlowError(f"too slow: {found}, {wanted}")

    def stalled(self) -> SourceError:
        """Return the error of a source that sends no bytes."""
        return SourceError(f"nothing arrived for {self.window:g} s")
