"""The weights behind the figures that are shown are those of the present code."""

import os
from pathlib import Path

import accuracy
import pytest
from records import Checkout
from tables import current_records, runs_in

from cifar_pipeline.backend.device import describe_device, device_kind, processor_name
from cifar_pipeline.common.checksums import MANIFEST, sha256_of
from closure import ROOT

pytestmark = pytest.mark.results
FOLDER = Path(os.environ.get("CIFAR_PIPELINE_RESULTS", ROOT))
PROCESSED = FOLDER / "data/processed"
BRIEF = ("quick", "fast", "accurate")  # whose first steps take seconds


def test_the_data_behind_the_figures_is_here() -> None:
    digests = {record["key"]["data"] for record in current_records(Checkout())}
    assert digests == {sha256_of(PROCESSED / MANIFEST)}


def test_the_first_steps_end_in_the_weights_of_the_records(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the processor is of a record's kind: another one rounds differently."""
    monkeypatch.setattr(accuracy, "PROCESSED", PROCESSED)
    here = (device_kind(), processor_name(), describe_device())
    runs = {
        run["key"]["preset"]: run["key"]
        for run in runs_in(current_records(Checkout()))
        if (run["kind"], run["processor"], run["device"]) == here
    }
    for preset in BRIEF:
        if key := runs.get(preset):
            setting = accuracy.setting_of(preset, int(key["seed"]), key["images"] == "50,000")
            now = setting["key"]["weights_after_two_short_epochs"]
            assert now == key["weights_after_two_short_epochs"], preset
