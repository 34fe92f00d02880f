"""Which score finds pictures unlike CIFAR-10: `python benchmarks/ood_scores.py [OPTIONS]`.

For every score and every kind of far picture: how many are found at a threshold that 1 % of one
half of the validation images miss, and the area under the ROC curve against the other half. The
network has to be one of train's. Sources of the scores: Hendrycks and Gimpel (ICLR 2017), softmax;
Hendrycks et al. (ICML 2022), logit; Liu et al. (NeurIPS 2020), energy; Park et al. (ICCV 2023),
norm; Lee et al. (NeurIPS 2018), Mahalanobis; Ren et al. (arXiv:2106.09022), relative Mahalanobis.
"texture" is the distance of the channel means half-way through the network.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common import PROCESSED, ROOT  # puts src on the path
from PIL import Image, ImageDraw, ImageFont

from cifar_pipeline.evaluate.thresholds import threshold_at
from cifar_pipeline.images.decoding import decode_picture, fitted
from cifar_pipeline.images.paths import PictureError, expand
from cifar_pipeline.trained_model.keras_file import load_saved_model
from cifar_pipeline.trained_model.layer_names import FEATURES, LOGITS
from cifar_pipeline.trained_model.ood_statistics import (
    OodStatistics,
    load_ood_statistics,
)

IMAGES = 1000  # of each kind
CANVAS = 256  # text and charts are drawn so large and then reduced as predict does
BATCH_SIZE = 250
TRAINING_IMAGES = 20_000
_REGULARIZATION = 1e-6  # of covariances


def far_pictures(near: np.ndarray) -> dict[str, np.ndarray]:
    """Return uint8 (1000, 32, 32, 3) of each kind; the last two are of `near`, in disorder."""
    random = np.random.default_rng(0)
    base = near[:IMAGES]
    ends = random.uniform(0, 255, (2, IMAGES, 1, 1, 3))
    rows, columns = np.mgrid[-1:1:32j, -1:1:32j][..., None]
    angle = random.uniform(0, 2 * np.pi, (IMAGES, 1, 1, 1))
    slope = (np.cos(angle) * columns + np.sin(angle) * rows) / 2**1.5 + 0.5
    blocks = base.reshape(IMAGES, 4, 8, 4, 8, 3).swapaxes(2, 3).reshape(IMAGES, 16, 8, 8, 3)
    shuffled = random.permuted(np.tile(np.arange(16), (IMAGES, 1)), axis=1)
    blocks = blocks[np.arange(IMAGES)[:, None], shuffled].reshape(IMAGES, 4, 4, 8, 8, 3)
    return {
        "noise": random.integers(0, 256, (IMAGES, 32, 32, 3), np.uint8),
        "flat": ends[0].round().astype(np.uint8).repeat(32, 1).repeat(32, 2),
        "gradients": (ends[0] * slope + ends[1] * (1 - slope)).round().astype(np.uint8),
        "text": np.stack([_text(random) for _ in range(IMAGES)]),
        "charts": np.stack([_chart(random) for _ in range(IMAGES)]),
        "permuted": base.reshape(IMAGES, 1024, 3)[:, random.permutation(1024)].reshape(base.shape),
        "patches": blocks.swapaxes(2, 3).reshape(base.shape),
    }


def _text(random: np.random.Generator) -> np.ndarray:
    picture = Image.new("RGB", (CANVAS, CANVAS), tuple(random.integers(180, 256, 3).tolist()))
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(int(random.integers(14, 60)))
    colour = tuple(random.integers(0, 90, 3).tolist())
    for top in range(0, CANVAS, int(random.integers(20, 64))):
        letters = "".join(random.choice(list("abcdefghijklm nopqrst uvwxyz ABCDEF 0123456789"), 40))
        draw.text((int(random.integers(-30, 10)), top), letters, fill=colour, font=font)
    return np.asarray(fitted(picture, "crop"))


def _chart(random: np.random.Generator) -> np.ndarray:
    """Draw bars, a line or points on axes."""
    picture = Image.new("RGB", (CANVAS, CANVAS), "white")
    draw = ImageDraw.Draw(picture)
    draw.line([(20, 10), (20, 236), (246, 236)], fill="black", width=3)
    colour = tuple(random.integers(0, 256, 3).tolist())
    heights = random.integers(10, 220, int(random.integers(4, 12))).tolist()
    step = 226 / len(heights)
    kind = random.integers(3)
    if kind == 0:
        for at, height in enumerate(heights):
            box = (24 + at * step, 236 - height, 24 + (at + 0.7) * step, 236)
            draw.rectangle(box, fill=colour)
    elif kind == 1:
        points = [(24 + at * step, 236 - height) for at, height in enumerate(heights)]
        draw.line(points, fill=colour, width=int(random.integers(2, 8)))
    else:
        for x, y in random.integers(24, 240, (5 * len(heights), 2)).tolist():
            draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=colour)
    return np.asarray(fitted(picture, "crop"))


def readable(arguments: list[str]) -> np.ndarray:
    """Return the pictures that files and folders hold, uint8 (N, 32, 32, 3)."""
    images = []
    for found in expand(arguments):
        try:
            images.append(decode_picture(str(found)))
        except PictureError as error:
            print(f"left out: {error}")
    return np.stack(images)


@dataclass(frozen=True)
class Inside:
    """What the network makes of N images: features (N, d), logits, channel means (N, D)."""

    features: np.ndarray
    logits: np.ndarray
    channel_means: np.ndarray


# The higher, the more familiar.
Score = Callable[[Inside], np.ndarray]


def _log_sum(logits: np.ndarray) -> np.ndarray:
    most = logits.max(axis=1)
    return most + np.log(np.exp(logits - most[:, None]).sum(axis=1))


def _negative_entropy(logits: np.ndarray) -> np.ndarray:
    logarithms = logits - _log_sum(logits)[:, None]
    return (np.exp(logarithms) * logarithms).sum(axis=1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True).clip(1e-12)


def _norm(inside: Inside) -> np.ndarray:
    return np.linalg.norm(inside.features, axis=1)


def scores(train: Inside, labels: np.ndarray) -> dict[str, Score]:
    """Return the candidates; some need these training images."""
    features = train.features
    means = np.stack([features[labels == label].mean(axis=0) for label in np.unique(labels)])
    middle = features.mean(axis=0)

    def precision(deviations: np.ndarray) -> np.ndarray:
        return np.linalg.inv(np.cov(deviations.T) + _REGULARIZATION * np.eye(features.shape[1]))

    within, whole = precision(features - means[labels]), precision(features - middle)

    def distance(features: np.ndarray, mean: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        return np.einsum("ij,jk,ik->i", features - mean, inverse, features - mean)

    def nearest(inside: Inside) -> np.ndarray:
        return np.min([distance(inside.features, mean, within) for mean in means], axis=0)

    statistics = OodStatistics.of("", _norm(train), train.channel_means)

    def texture(inside: Inside) -> np.ndarray:
        return statistics.parts(_norm(inside), inside.channel_means)[1]

    energies = _log_sum(train.logits)

    def energy(inside: Inside) -> np.ndarray:
        return (_log_sum(inside.logits) - energies.mean()) / energies.std()

    return {
        "maximum softmax": lambda inside: inside.logits.max(axis=1) - _log_sum(inside.logits),
        "maximum logit": lambda inside: inside.logits.max(axis=1),
        "energy": energy,
        "negative entropy": lambda inside: _negative_entropy(inside.logits),
        "deviation of logits": lambda inside: inside.logits.std(axis=1),
        "norm": _norm,
        "norm, L1": lambda inside: np.abs(inside.features).sum(axis=1),
        "cosine to means": lambda inside: (
            _unit(inside.features - middle) @ _unit(means - middle).T
        ).max(axis=1),
        "Mahalanobis": lambda inside: -nearest(inside),
        "relative Mahalanobis": lambda inside: (
            distance(inside.features, middle, whole) - nearest(inside)
        ),
        "texture": texture,
        "energy and texture": lambda inside: energy(inside) + texture(inside),
        "norm and texture": lambda inside: statistics.score(_norm(inside), inside.channel_means),
    }


def area_under_roc(near: np.ndarray, far: np.ndarray) -> float:
    """Return the chance that an image that is near scores above one that is far; a tie is half."""
    ranked = np.sort(far)
    below, up_to = (np.searchsorted(ranked, near, side) for side in ("left", "right"))
    return float((below + up_to).mean() / 2 / len(far))


def main() -> None:
    """Print a line a score and a column a kind of pictures: percent found / area under ROC."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=ROOT / "models/model.keras")
    parser.add_argument("--processed", type=Path, default=PROCESSED)
    parser.add_argument("pictures", nargs="*", help="far pictures of your own, files or folders")
    options = parser.parse_args()
    network = load_saved_model(options.model)
    statistics = load_ood_statistics(options.model)
    if statistics is None:
        parser.error(f"{options.model} is of another program; expected a model of train")
    import keras

    layers = [network.get_layer(name).output for name in (FEATURES, LOGITS)]
    means = keras.ops.mean(network.get_layer(statistics.layer).output, axis=(1, 2))
    inner = keras.Model(network.inputs, [*layers, means])

    def inside(images: np.ndarray) -> Inside:
        starts = range(0, len(images), BATCH_SIZE)
        batches = [inner.predict_on_batch(images[at : at + BATCH_SIZE]) for at in starts]
        return Inside(*(np.concatenate(each) for each in zip(*batches, strict=True)))

    def split(name: str) -> np.ndarray:
        return np.load(options.processed / f"{name}.npy")

    # The test images choose nothing, not even a score.
    validation = split("validation_images")
    choosing, near_images = validation[::2], validation[1::2]
    far = far_pictures(near_images)
    if options.pictures:
        far["files"] = readable(options.pictures)
    train = inside(split("train_images")[:TRAINING_IMAGES])
    chosen_by, near = inside(choosing), inside(near_images)
    unknown = {kind: inside(images) for kind, images in far.items()}
    print(f"{'':20}  false alarms" + "".join(f"{kind:>14}" for kind in far))
    for name, score in scores(train, split("train_labels")[:TRAINING_IMAGES]).items():
        threshold = threshold_at(score(chosen_by))
        known = score(near)
        line = f"{name:20}{np.mean(known < threshold):14.2%}"
        for each in unknown.values():
            found = score(each)
            line += f"{np.mean(found < threshold):8.1%} {area_under_roc(known, found):.3f}"
        print(line)


if __name__ == "__main__":
    main()
