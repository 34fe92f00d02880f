"""The records of what was measured, and whether they are of this checkout.

A record of results.json holds a `key`, digests of all that its figures depend on; the same in words
(`kind` of processor, `device`, `precision`, `versions`, `manifest_md5` of the data); its figures;
and the `commit` of the code. gpu_results.json holds runs on a GPU, whose keys have the digest of
the parameters alone.
"""

import json
import subprocess
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from common import ROOT
from packaging.requirements import Requirement

RESULTS = ROOT / "benchmarks/results.json"
GPU_RESULTS = ROOT / "benchmarks/gpu_results.json"
MANIFEST = "data/processed/manifest.json"
Record = dict[str, Any]


def read_records(file: Path = RESULTS) -> list[Record]:
    """Return the records of a file, in the order in which they were made."""
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else []


def write_records(records: list[Record], file: Path = RESULTS) -> None:
    """Replace the records of a file."""
    from cifar_pipeline.common.atomic import replacing

    with replacing(file) as temporary:
        temporary.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


def commit() -> str:
    """Return the commit of the code, with `-dirty` where what decides a figure differs from it."""
    deciding = ["src", "stages", "params.yaml", "requirements.txt", "benchmarks/*.py"]
    name = ["git", "rev-parse", "--short", "HEAD"]
    same = subprocess.run(["git", "diff", "--quiet", "HEAD", "--", *deciding], cwd=ROOT)
    return (
        subprocess.check_output(name, cwd=ROOT, encoding="utf-8").strip()
        + "-dirty" * same.returncode
    )


def known_record(setting: Record) -> Record | None:
    """Return the newest record that was made in `setting`, None where there is none.

    The digest of the device does not count, which names environment variables too: the record is
    of the same kind of processor, with as many cores, and the same bits.
    """

    def counted(record: Record) -> Record:
        key = {name: value for name, value in record["key"].items() if name != "device"}
        return {"key": key, "kind": record.get("kind"), "device": record.get("device")}

    wanted = counted(setting)
    return next((each for each in reversed(read_records()) if counted(each) == wanted), None)


def recorded(setting: Record, measure: Callable[[], Record]) -> Record:
    """Return the record of `setting` in results.json, or else measure and put it there.

    Args:
        setting: what `setting_of` in accuracy.py returns.
        measure: returns the figures.
    """
    record = known_record(setting)
    if record:
        return record
    at = commit()
    record = {**setting, **measure(), "commit": at}
    write_records([*read_records(), record])
    return record


class Checkout:
    """The parameters, data and versions that a checkout names in its files.

    Args:
        root: its folder.
    """

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self._presets: dict[str, Any] = {}

    @cached_property
    def manifest_md5(self) -> str:
        """The MD5 of the processed data's manifest: dvc.lock holds it."""
        from cifar_pipeline.params.loading import read_yaml

        deps = read_yaml(self.root / "dvc.lock")["stages"]["train"]["deps"]
        return next(dep["md5"] for dep in deps if dep["path"] == MANIFEST)

    @cached_property
    def _pins(self) -> list[Requirement]:
        names = [f"requirements{extra}.txt" for extra in ("", "-jax")]
        lines = [
            line
            for name in names
            for line in (self.root / name).read_text(encoding="utf-8").splitlines()
        ]
        pins = [line.removesuffix("\\") for line in lines if "==" in line and line[0].isalpha()]
        return [Requirement(pin) for pin in pins]

    def _is_pinned(self, package: str, python: str) -> bool:
        """Say whether `package`, a name and a version, is the one that is locked for `python`."""
        name, version = package.split()
        # The lock for JAX is for Linux, where it has CUDA.
        environment = {"python_full_version": python, "sys_platform": "linux"}
        pins = [
            pin
            for pin in self._pins
            if pin.name == name and (pin.marker is None or pin.marker.evaluate(environment))
        ]
        return bool(pins) and all(version in pin.specifier for pin in pins)

    def _preset(self, name: str) -> Any:
        """Return the parameters of a preset, None where params.yaml has no such preset."""
        from cifar_pipeline.common.errors import ParamsError
        from cifar_pipeline.params.presets import load_model

        if name not in self._presets:
            try:
                self._presets[name] = load_model(self.root / "params.yaml", name)
            except ParamsError:
                self._presets[name] = None
        return self._presets[name]

    def differences(self, record: Record) -> set[str]:
        """Return in which of "params", "data" and "versions" a record differs from this checkout.

        Where the record does not say, it differs.
        """
        from cifar_pipeline.train.fingerprint import digest, params_digest

        key = record["key"]
        params = self._preset(key["preset"]) if "preset" in key else None
        named = record.get("precision", "")
        python, *packages = record.get("versions", [""])
        same = {
            "params": params is not None
            and key["params"] == params_digest(params, int(key["seed"]), named),
            "data": record.get("manifest_md5") == self.manifest_md5,
            "versions": key.get("versions") == digest([python, *packages])
            and all(self._is_pinned(package, python) for package in packages),
        }
        return {name for name, holds in same.items() if not holds}
