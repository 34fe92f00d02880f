"""Give records their new digests where a change of their key moved no bit.

    git worktree add ../before 6b24be2
    python benchmarks/rekey.py ../before

6b24be2 is the last commit whose digest of parameters named every key; today's leaves out the keys
at their off value. A record is re-keyed where three things hold. Its digest is the one that the old
code gives to the old preset. The preset has the same values in both checkouts. And three short
epochs of it end in the same bits by both codes, on this machine and on the record's backend; where
those of one preset do not, nothing is written. All other records keep their digest: they are
history.

Every record of before is also told in words what its digests stand for. A second run changes
nothing. It takes half an hour on two cores, and most of that is gpu96.
"""

import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from bits import lines_of_preset
from common import ROOT
from records import GPU_RESULTS, RESULTS, Record, read_records, write_records

# Modules of today, and what the old checkout calls them.
OLD_NAMES = {
    "backend.start": "backend",  # the first one: it makes Keras ready to be imported
    "backend.device": "device",
    "dataset.arrays": "arrays",
    "dataset.channel_statistics": "statistics",
    "network.build": "network",
    "params.presets": "params.models",
    "train.loop": "training",
}
# What the digests of before stand for.
KINDS = {
    "e626f210c41a437f4d40d9f2cc0e38e6fa6171110c682f50810e2821f02826a4": "AVX512-BF16",
    "ffb2dec7a3c96825832b9e26ed9a14c242bf28347d3c3868c465a0ff29108bc2": "neither (AVX2)",
}
PLACE = {"processor": "AMD EPYC", "device": "CPU, 2 cores (tensorflow)"}
VERSIONS = ["3.11.7", "keras 3.15.1", "numpy 2.4.6", "tensorflow 2.21.0"]
MANIFEST_MD5 = "edb61484c8d62895ceb98075059f936f"
# The commit that has the parameters of the runs on a GPU, and the one that their code changed.
GPU_PARAMS, GPU_COMMIT = "af938a1", "de24fb5-dirty"
PRECISIONS = ("float32", "bfloat16")


def alias_old_modules(package: Path) -> None:
    """Let this process import the old package's modules by today's names."""
    for new, old in OLD_NAMES.items():
        module = importlib.import_module(f"{package.name}.{old}")
        sys.modules[f"{package.name}.{new}"] = module
        if new == "backend.start":
            module.start_backend()


def old_values(file: Path) -> dict[str, Any]:
    """Return every preset of a params.yaml, as the old code reads it."""
    from cifar_pipeline.params.loading import read_yaml
    from cifar_pipeline.params.presets import load_model

    names = read_yaml(file)["models"]
    return {name: load_model(file, name).model_dump(mode="json") for name in names}


def in_checkout(root: Path, file: Path, *presets: str, backend: str = "tensorflow") -> str:
    """Run this script on the code of the checkout `root`; return what it prints."""
    command = [sys.executable, __file__, str(root), "--file", str(file), *presets]
    settings = {**os.environ, "KERAS_BACKEND": backend}
    done = subprocess.run(
        command, stdout=subprocess.PIPE, check=True, env=settings, encoding="utf-8"
    )
    return done.stdout


def unchanged_presets(values: dict[str, Any]) -> set[str]:
    """Return the presets that have the same values in this checkout's params.yaml."""
    from cifar_pipeline.common.errors import ParamsError
    from cifar_pipeline.params.presets import REMOVED_KEYS, ModelParams, load_model

    same = set()
    for name, old in values.items():
        kept = {key: value for key, value in old.items() if key not in REMOVED_KEYS}
        removed_are_off = not any(old[key] for key in REMOVED_KEYS if key in old)
        try:
            now = load_model(ROOT / "params.yaml", name)
        except ParamsError:
            continue
        if removed_are_off and ModelParams.model_validate(kept) == now:
            same.add(name)
    return same


def identity(record: Record) -> str:
    """Return what tells a record from all others, whatever its digest of parameters."""
    key = {name: value for name, value in record["key"].items() if name != "params"}
    return json.dumps([key, record["commit"]], sort_keys=True)


def matched_precision(key: dict[str, str], values: dict[str, Any]) -> str | None:
    """Return the precision with which an old key is that of its preset, None where it is not."""
    from cifar_pipeline.train.fingerprint import digest

    preset = values.get(key.get("preset", ""))
    for precision in PRECISIONS if preset else ():
        if digest([preset, int(key["seed"]), precision]) == key["params"]:
            return precision
    return None


def with_words(record: Record) -> Record:
    """Return a record of results.json with what its digests stand for."""
    from cifar_pipeline.train.fingerprint import digest

    words = {"kind": KINDS[record["key"]["device"]], **PLACE}
    if record["key"].get("versions") == digest(VERSIONS):
        words |= {"versions": VERSIONS, "manifest_md5": MANIFEST_MD5}
    return {"key": record["key"], **words, **record}


def rekeyed(
    records: list[Record], old: Path, values: dict[str, Any]
) -> tuple[list[Record], set[str]]:
    """Return the records of results.json, and the presets of those that have new digests.

    Args:
        records: of this checkout.
        old: the old checkout.
        values: of the presets that are unchanged.
    """
    from cifar_pipeline.params.presets import load_model
    from cifar_pipeline.train.fingerprint import params_digest

    before = read_records(old / RESULTS.relative_to(ROOT))
    old_keys = {identity(record): record["key"] for record in before}
    found, presets = [], set()
    for record in records:
        old_key = old_keys.get(identity(record))
        if old_key:
            record = with_words(record)
            if precision := matched_precision(old_key, values):
                key = record["key"]
                params = load_model(ROOT / "params.yaml", key["preset"])
                new = params_digest(params, int(key["seed"]), precision)
                record |= {"key": {**key, "params": new}, "precision": precision}
                presets.add(key["preset"])
        found.append(record)
    return found, presets


def rekeyed_on_gpu(records: list[Record], values: dict[str, Any]) -> list[Record]:
    """Return the records of gpu_results.json with a key, where their presets are unchanged."""
    from cifar_pipeline.params.presets import load_model
    from cifar_pipeline.train.fingerprint import params_digest

    found = []
    for record in records:
        if "preset" in record and record["preset"] in values:
            params = load_model(ROOT / "params.yaml", record["preset"])
            key = {
                "preset": record["preset"],
                "seed": str(record["seed"]),
                "images": record["images"],
                "params": params_digest(params, record["seed"], record["precision"]),
            }
            words = {
                "kind": record["gpu"],
                "versions": [f"keras {record['keras']}", f"jax {record['jax']}"],
                "manifest_md5": MANIFEST_MD5,
                "commit": GPU_COMMIT,
            }
            record = {"key": {}, **words, **record} | {"key": key}
        found.append(record)
    return found


def same_bits(old: Path, presets: list[str], backend: str) -> bool:
    """Say whether short runs of the presets end in the same bits by both codes, and print them."""
    ends = []
    for root in (old, ROOT):
        ends.append(in_checkout(root, root / "params.yaml", *presets, backend=backend))
        print(f"{root}, {backend}:\n{ends[-1]}", flush=True)
    return ends[0] == ends[1]


def main(
    old: Annotated[Path, typer.Argument(help="A checkout of 6b24be2.", exists=True)],
    presets: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
    file: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Re-key the records whose presets compute the same bits by the old code and by this one."""
    package = old / "src/cifar_pipeline"
    if file:
        sys.path.insert(0, str(package.parent))
        if not (package / "backend").is_dir():
            alias_old_modules(package)
        for preset in presets or ():
            for line in lines_of_preset(preset, file):
                print(line, flush=True)
        if not presets:
            print(json.dumps(old_values(file)))
        return

    from cifar_pipeline.backend.start import start_backend

    start_backend()  # before Keras is imported
    values = json.loads(in_checkout(old, old / "params.yaml"))
    show = ["git", "show", f"{GPU_PARAMS}:params.yaml"]
    with tempfile.NamedTemporaryFile(suffix=".yaml") as scratch:
        scratch.write(subprocess.check_output(show, cwd=ROOT))
        scratch.flush()
        gpu_values = json.loads(in_checkout(old, Path(scratch.name)))
    same = unchanged_presets(values)
    values = {name: values[name] for name in same}
    gpu_values = {name: gpu_values[name] for name in same if gpu_values.get(name) == values[name]}
    records, moved = rekeyed(read_records(), old, values)
    gpu_records = rekeyed_on_gpu(read_records(GPU_RESULTS), gpu_values)
    moved_on_gpu = {record["key"]["preset"] for record in gpu_records if "key" in record}
    for backend, names in (("tensorflow", moved), ("jax", moved_on_gpu)):
        if not same_bits(old, sorted(names), backend):
            sys.exit(f"the bits differ on {backend}: nothing is written")
    write_records(records)
    write_records(gpu_records, GPU_RESULTS)


if __name__ == "__main__":
    typer.run(main)
