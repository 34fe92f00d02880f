import numpy as np
import pytest

from cifar_pipeline.codec.distortion import psnr, squared_errors
from cifar_pipeline.codec.reference_codecs import reference_codecs
from codec_models import images

CODECS = reference_codecs()
IMAGE = images(1, 32, 32)[0]


@pytest.mark.parametrize("name", CODECS)
def test_more_bytes_make_a_better_image(name: str) -> None:
    codec = CODECS[name]
    sizes, qualities = [], []
    for setting in (codec.settings[0], codec.settings[-1]):
        content = codec.encode(IMAGE, setting)
        found = codec.decode(content)
        assert found.shape == IMAGE.shape
        sizes.append(len(content))
        qualities.append(psnr(squared_errors(IMAGE[None], found[None]), IMAGE.size)[0])
        assert 0 < codec.payload(content) <= len(content)
    assert sizes[0] < sizes[1]
    assert qualities[0] + 3 < qualities[1]


def test_the_payload_is_what_differs_between_images() -> None:
    flat = np.full_like(IMAGE, 77)
    for name in ("JPEG", "WebP", "AVIF", "JPEG 2000"):
        codec = CODECS[name]
        large, small = (codec.encode(image, codec.settings[-3]) for image in (IMAGE, flat))
        difference = codec.payload(large) - codec.payload(small)
        assert difference == pytest.approx(len(large) - len(small), abs=4)
        assert len(large) - codec.payload(large) >= 20


def test_optimised_tables_make_smaller_files_of_the_same_pixels() -> None:
    plain, optimised = (CODECS[name] for name in ("JPEG", "JPEG, optimised tables"))
    one, other = (codec.encode(IMAGE, 50) for codec in (plain, optimised))
    assert len(other) < len(one)
    assert (plain.decode(one) == optimised.decode(other)).all()
