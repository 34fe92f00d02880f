import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cifar_pipeline.codec.index import (
    BLOCK_PIXELS,
    LONGEST_SIDE,
    Block,
    ContradictionError,
    Kind,
    Source,
    images_a_block,
    pack_index,
    parse_index,
)

ARRAY, PICTURE = Source(Kind.ARRAY, "a.npy", 3), Source(Kind.PICTURE, "b/ä.png", 1)
BLOCKS = (Block(32, 32, b"\7\7", 8, 1), Block(32, 32, b"\7\x08", 4, 2))


def test_an_index_comes_back() -> None:
    assert parse_index(pack_index([ARRAY, PICTURE], BLOCKS)) == ((ARRAY, PICTURE), BLOCKS)


def test_one_level_for_all_takes_one_byte() -> None:
    one = pack_index([ARRAY], [Block(8, 8, b"\7" * 3, 0, 0)])
    assert len(pack_index([ARRAY], [Block(8, 8, b"\7\7\1", 0, 0)])) == len(one) + 2


@pytest.mark.parametrize(
    "name", ["..", "../x", "/x", "a//b", "a/", "", ".", "a/./b", "a\\b", "C:x"]
)
def test_names_that_leave_the_folder_are_refused(name: str) -> None:
    with pytest.raises(ContradictionError, match="leaves the folder"):
        parse_index(pack_index([Source(Kind.ARRAY, name, 4)], BLOCKS))


@pytest.mark.parametrize(
    ("sources", "blocks", "reason"),
    [
        ([], [], "0 images"),
        ([ARRAY], BLOCKS, "3 images in its blocks"),
        ([ARRAY, PICTURE], BLOCKS[:1], "4 images in its blocks"),
        ([Source(Kind.PICTURE, "x", 4)], BLOCKS, "kind 1 with 4 images"),
        ([ARRAY, Source(Kind.ARRAY, "x", 0)], BLOCKS, "0 images"),
        ([ARRAY, PICTURE], [BLOCKS[0], Block(32, 31, b"\7\7", 0, 0)], "two sizes"),
        ([ARRAY], [Block(0, 32, b"\7" * 3, 0, 0)], "32 x 0 pixels"),
        ([ARRAY], [Block(32, LONGEST_SIDE + 1, b"\7" * 3, 0, 0)], "16385 x 32 pixels"),
        ([ARRAY], [Block(4096, 4096, b"\7" * 3, 0, 0)], "3 images of 4096 x 4096"),
    ],
)
def test_what_contradicts_itself_is_refused(
    sources: list[Source], blocks: list[Block], reason: str
) -> None:
    with pytest.raises(ContradictionError, match=reason):
        parse_index(pack_index(sources, blocks))


def test_arrays_of_two_sizes_may_follow_each_other() -> None:
    blocks = [Block(8, 8, b"\7" * 3, 0, 0), Block(9, 8, b"\7", 0, 0)]
    assert parse_index(pack_index([ARRAY, PICTURE], blocks))[1] == tuple(blocks)


def test_padding_counts_among_the_pixels_of_a_block() -> None:
    assert images_a_block(1, LONGEST_SIDE) == BLOCK_PIXELS // (32 * LONGEST_SIDE)
    assert images_a_block(1, 1) == images_a_block(32, 32) == BLOCK_PIXELS // 1024
    assert images_a_block(0, 1) == images_a_block(1, LONGEST_SIDE + 1) == 0


GOOD = pack_index([ARRAY, PICTURE], BLOCKS)


@settings(deadline=None)
@given(st.data())
def test_any_bytes_are_an_index_or_a_contradiction(data: st.DataObject) -> None:
    content = bytearray(GOOD)
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(GOOD) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(GOOD) + 3))]
    try:
        sources, blocks = parse_index(bytes(content))
    except ContradictionError:
        return
    assert sum(source.images for source in sources) == sum(block.images for block in blocks)


def test_counts_are_compared_with_the_bytes_that_there_are() -> None:
    for counts in [(2**32 - 1, 0), (0, 2**32 - 1)]:
        with pytest.raises(ContradictionError, match="without an end"):
            parse_index(struct.pack("<II", *counts) + GOOD[8:])
    with pytest.raises(ContradictionError, match="1 bytes left over"):
        parse_index(GOOD + b"\0")
