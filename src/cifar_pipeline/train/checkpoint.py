"""A training run's state after its last saved epoch; the run resumes from it to the same bits.

Keras' own BackupAndRestore keeps neither the state of early stopping nor that of dropout's random
streams, and does not notice changed parameters.
"""

import hashlib
import io
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cifar_pipeline.common.atomic import replacing
from cifar_pipeline.common.console import say
from cifar_pipeline.common.system_errors import advice_for, reason_of

if TYPE_CHECKING:
    from cifar_pipeline.train.fingerprint import Fingerprint  # which imports Keras

_META = "meta"
_DIGEST_BYTES = 32
_ANEW = "starts from the first epoch"


@dataclass(frozen=True)
class RunState:
    """A run after `epoch` epochs.

    Attributes:
        epoch: number of finished epochs, from 1.
        rows: of the history, one an epoch.
        seconds: that each epoch took.
        early_stopping: its counters, the value to beat, and the epoch that is kept with its loss.
        variables: of the network, those of its random streams among them.
        optimizer: its variables.
        kept_weights: of the network after the epoch that is kept; empty as long as there is none.
        images: per training image the last loss and the times shown, as TrainingBatches keeps them.
    """

    epoch: int
    rows: list[dict[str, float]]
    seconds: list[float]
    early_stopping: dict[str, Any]
    variables: list[np.ndarray]
    optimizer: list[np.ndarray]
    kept_weights: list[np.ndarray]
    images: list[np.ndarray]

    @property
    def stopped_early(self) -> bool:
        """Whether early stopping has ended the run."""
        return bool(self.early_stopping["stopped_epoch"] > 0)


_LISTS = ("variables", "optimizer", "kept_weights", "images")


class Checkpoint:
    """The file that holds the state of one run, used again by a run of the same fingerprint alone.

    It begins with the SHA-256 of the rest, an archive of arrays: those of a zip archive do not
    cover its list of entries.

    Args:
        path: of a file that DVC does not track.
        key: the fingerprint of the run.
    """

    def __init__(self, path: Path, key: "Fingerprint") -> None:
        self.path, self._key = path, key

    def save(self, state: RunState) -> None:
        """Replace the file by `state`, whole or not at all; a full disk is said, not fatal."""
        try:
            self._write(state)
        except (OSError, MemoryError) as error:
            say(
                f"warning: {self.path} cannot be written ({reason_of(error)}); training goes on, "
                "and would start again from an earlier epoch if it were interrupted; "
                f"{advice_for(error)}"
            )

    def _write(self, state: RunState) -> None:
        plain = {name: value for name, value in vars(state).items() if name not in _LISTS}
        content = json.dumps({"key": self._key, **plain}).encode()
        arrays = {_META: np.frombuffer(content, np.uint8)}
        for name in _LISTS:
            arrays |= {f"{name}/{at}": array for at, array in enumerate(getattr(state, name))}
        archive = io.BytesIO()
        np.savez(archive, allow_pickle=False, **arrays)
        with replacing(self.path, durable=True) as temporary, temporary.open("wb") as file:
            file.write(hashlib.sha256(archive.getbuffer()).digest())
            file.write(archive.getbuffer())

    def load(self) -> RunState | None:
        """Return the state to go on from, None without one; say why when a file is not used."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            say(f"{self.path} cannot be read ({reason_of(error)}): training {_ANEW}")
            return None
        digest, archive = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
        if hashlib.sha256(archive).digest() != digest:
            say(f"{self.path} is damaged: training {_ANEW}")
            return None
        try:
            return self._parsed(archive)
        except Exception as error:  # a digest that is right is no proof of who wrote it
            say(f"{self.path} cannot be read ({reason_of(error)}): training {_ANEW}")
            return None

    def _parsed(self, archive: bytes) -> RunState | None:
        with np.load(io.BytesIO(archive), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        meta = json.loads(arrays.pop(_META).tobytes())
        key = meta.pop("key")
        changed = [part for part in self._key if key.get(part) != self._key[part]]
        if changed:
            say(f"{self.path} is of another run (different {', '.join(changed)}): training {_ANEW}")
            return None
        # The same key is the same code, so these are the fields that it knows.
        meta |= {name: _in_order(arrays, name) for name in _LISTS}
        return RunState(**meta)

    def remove(self) -> None:
        """Remove the file, if that is allowed: its fingerprint guards it where it stays."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def _in_order(arrays: dict[str, np.ndarray], name: str) -> list[np.ndarray]:
    number = sum(entry.startswith(f"{name}/") for entry in arrays)
    return [arrays[f"{name}/{at}"] for at in range(number)]
