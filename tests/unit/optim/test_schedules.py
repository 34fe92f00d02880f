"""Learning rates by step."""

import pytest

from cifar_pipeline.optim.schedules import OneCycle


def test_one_cycle_rises_to_its_peak_and_falls() -> None:
    schedule = OneCycle(2.0, steps=100, warmup=0.25, start=0.2, end=0.1)
    rates = [float(schedule(step)) for step in (0, 25, 100, 200)]
    assert rates == pytest.approx([0.4, 2.0, 0.2, 0.2])
