"""The memory that a process may use, as control groups and the system report it."""

from pathlib import Path

import pytest

from cifar_pipeline.common.memory import Memory, available_memory, cgroup_limit, gigabytes


def group(root: Path, name: str, file: str, content: str) -> None:
    (root / name).mkdir(parents=True, exist_ok=True)
    (root / name / file).write_text(content)


def test_the_least_limit_of_all_groups_around_counts(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("0::/user/job\n")
    group(tmp_path, "user/job", "memory.max", "max\n")
    assert cgroup_limit(tmp_path, own) is None
    group(tmp_path, "user", "memory.max", "2000000000\n")
    assert cgroup_limit(tmp_path, own) == 2_000_000_000
    group(tmp_path, "user/job", "memory.max", "3000000000\n")
    assert cgroup_limit(tmp_path, own) == 2_000_000_000


def test_version_1_has_a_folder_of_its_own_and_a_number_for_none(tmp_path: Path) -> None:
    own = tmp_path / "cgroup"
    own.write_text("12:cpu,cpuacct:/\n4:memory:/docker/abc\n0::/\n")
    group(tmp_path, "memory/docker/abc", "memory.limit_in_bytes", "9223372036854771712\n")
    assert cgroup_limit(tmp_path, own) is None
    # Within a container its own group is the root.
    group(tmp_path, "memory", "memory.limit_in_bytes", "500000000\n")
    assert cgroup_limit(tmp_path, own) == 500_000_000


def test_elsewhere_there_is_no_limit(tmp_path: Path) -> None:
    assert cgroup_limit(tmp_path, tmp_path / "missing") is None


def test_this_machine_has_memory() -> None:
    memory = available_memory()
    assert memory
    assert 10**8 < memory.free <= memory.total


@pytest.mark.parametrize(
    ("memory", "words"),
    [
        (Memory(16 * 10**9, 8 * 10**9, 0, False), "this machine has 8.0 GB free"),
        (Memory(16 * 10**9, 16 * 10**9, 0, False), "this machine has 16 GB"),
        (Memory(2 * 10**9, 2 * 10**9, 0, True), "this process's limit is 2.0 GB"),
        (Memory(2 * 10**9, 10**9, 0, True), "this machine has 1.0 GB free"),
    ],
)
def test_who_has_how_much_is_said(memory: Memory, words: str) -> None:
    assert str(memory) == words


def test_gigabytes() -> None:
    assert [gigabytes(number) for number in (123e6, 9.94e9, 12.3e9, 4321e9)] == [
        *("0.1 GB", "9.9 GB", "12 GB", "4,321 GB")
    ]
