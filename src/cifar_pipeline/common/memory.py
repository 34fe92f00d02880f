"""How much memory this process may use: the machine's, or less where a control group says so."""

import os
from pathlib import Path
from typing import NamedTuple

_CGROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")
_MEMINFO = Path("/proc/meminfo")
_NO_LIMIT = 2**60  # version 1 has a number for it, which depends on the kernel


class Memory(NamedTuple):
    """Bytes of memory.

    Attributes:
        total: what there is.
        free: what other programs leave of it.
        swap: disk that takes the place of memory, and is far slower.
        is_limited: whether a control group, a container's say, allows less than the machine has.
    """

    total: int
    free: int
    swap: int
    is_limited: bool

    def __str__(self) -> str:
        """Return who has how much, as in `this machine has 8.0 GB free`."""
        if self.free < self.total:
            return f"this machine has {gigabytes(self.free)} free"
        place = "this process's limit is" if self.is_limited else "this machine has"
        return f"{place} {gigabytes(self.total)}"


def gigabytes(number: float) -> str:
    """Return bytes in GB (1,000,000,000 bytes), with two digits where they are below 10."""
    value = number / 1e9
    return f"{value:.1f} GB" if value < 10 else f"{value:,.0f} GB"


def available_memory() -> Memory | None:
    """Return the memory for this process; None where the system does not say."""
    try:
        physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None
    if physical <= 0:
        return None
    reported = _reported_by_linux()
    limit = cgroup_limit()
    total = min(physical, limit or physical)
    free = min(total, reported.get("MemAvailable", total))
    return Memory(total, free, reported.get("SwapTotal", 0), total < physical)


def cgroup_limit(root: Path = _CGROUPS, own: Path = _OWN) -> int | None:
    """Return the least memory limit of this process's control groups, in bytes; None without one.

    Args:
        root: where control groups are mounted: version 2, or version 1 with one folder a resource.
        own: the file that names this process's groups.
    """
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    limits = []
    for line in lines:
        number, controllers, group = line.split(":", 2)
        if number == "0" and not controllers:
            folder, file = root, "memory.max"
        elif "memory" in controllers.split(","):
            folder, file = root / "memory", "memory.limit_in_bytes"
        else:
            continue
        # A group's limit holds for those within it. A container may see its own group as the root.
        path = Path(group.lstrip("/"))
        limits += [_limit(folder / at / file) for at in (path, *path.parents)]
    return min((limit for limit in limits if limit), default=None)


def _limit(path: Path) -> int | None:
    try:
        limit = int(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # "max"
        return None
    return limit if limit < _NO_LIMIT else None


def _reported_by_linux() -> dict[str, int]:
    try:
        lines = _MEMINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    fields = (line.split() for line in lines)
    return {name.rstrip(":"): 1024 * int(number) for name, number, *unit in fields if unit}
