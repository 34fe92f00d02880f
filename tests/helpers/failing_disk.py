"""SQLite's loop over a command: each of its calls that change the project's folders fails once.

Run as a program, `python failing_disk.py SCENARIO FOLDER CASES`, it prints what went wrong, a line
each, and then numbers. CASES is how many of the calls are tried, 0 for all; with 1, for the sake of
time, the command finds no results of an earlier run, and runs again after a kill alone. A fork that
runs the command again and again (see system_calls.py) is what makes a case cheap: start it from a
process that has its imports behind it.

What a kill leaves needs no kill: the files as they are right before a call are what a process
leaves that is killed there. So one run of the command shows what a kill at any of its calls leaves.
Some real kills show that this is so.
"""

import errno
import hashlib
import json
import logging
import os
import re
import resource
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from fnmatch import fnmatch
from pathlib import Path

from system_calls import Call, Judge, WatchedChild, fails_at, full_from
from writing_commands import SCENARIOS, Scenario

KILLS = 3
# Whole under any content: a process number, a clock's readings, what npm-like tools note.
OF_NO_INTEREST = re.compile(r"(^|/)(training\.lock|lock|train_timings\.json)$|^\.dvc/tmp/|\.log$")
# A temporary file, or the temporary folder that a file lies in.
TEMPORARY = re.compile(r"(.*/)?\.(?!dvc(ignore)?(/|$))[^/]+")
RANDOM = re.compile(r"\.[a-z0-9_]{8}(?=[./]|$)")

State = dict[str, str]
Key = frozenset[tuple[str, str]]


def state_of(folder: Path) -> State:
    """Return the SHA-256 of every file below `folder` that matters, by relative path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not OF_NO_INTEREST.search(str(path.relative_to(folder)))
    }


class Campaign:
    """All cases of a scenario.

    Args:
        scenario: the command.
        folder: an empty one.
        cases: how many calls are tried, evenly over all of them; 0 for all.
    """

    def __init__(self, scenario: Scenario, folder: Path, cases: int) -> None:
        self._scenario, self._cases = scenario, cases
        self._project, self._template = folder / "project", folder / "template"
        self._states = folder / "states"
        self._out, self._err = folder / "out", folder / "err"
        self._child: WatchedChild | None = None
        self._healed: set[Key] = set()
        self.wrong: list[str] = []
        self.tried = self.runs = 0
        self._project.mkdir()
        self._states.mkdir()
        os.chdir(self._project)
        scenario.prepare()
        if cases != 1:
            self._lay_out_old_results()
        self.old = state_of(self._project)
        self._copy(self._project, self._template)

    def run(self) -> None:
        """Try all cases."""
        calls, states = self._undisturbed()
        self.calls = calls
        self._judge_kills(states)
        if not self._cases:
            self._kill_for_real()
        self._let_calls_fail()
        if self._child:
            self._child.end()

    def _lay_out_old_results(self) -> None:
        """Run the command on its earlier input, and put the input of today back."""
        today = self._project.with_name("today")
        self._copy(self._project, today)
        self._scenario.earlier()
        assert self._command(lambda _: 0) == 0, self._err.read_text()
        inputs = {path: today / path for path in _files(today)}
        for path, source in inputs.items():
            shutil.copy2(source, self._project / path)

    def _undisturbed(self) -> tuple[list[Call], list[Path]]:
        """Run the command to its end; return its calls, and a copy of every state on its way."""
        calls: list[Call] = []
        seen: dict[Key, Path] = {}
        self._at: list[Key] = []

        def note(call: Call) -> int:
            calls.append(call)
            key = self._key()
            self._at.append(key)
            if key not in seen:
                seen[key] = self._states / f"{len(calls)}"
                self._copy(self._project, seen[key])
            return 0

        self._restore(self._template)
        code = self._command(note)
        assert code == 0, self._err.read_text()
        self.new = state_of(self._project)
        leftovers = [path for path in self.new if TEMPORARY.match(path) and path not in self.old]
        if leftovers:
            self.wrong.append(f"an undisturbed run leaves {leftovers}")
        self._healed.add(self._key())
        return calls, list(seen.values())

    def _judge_kills(self, states: list[Path]) -> None:
        healed = _spread(len(states), self._cases or len(states))
        for at, state in enumerate(states, 1):
            self.tried += 1
            self._restore(state)
            self._judge_files(f"killed before call {state.name}", leftovers=True)
            if at in healed:
                self._heal(f"killed before call {state.name}")

    def _kill_for_real(self) -> None:
        for at in _spread(len(self.calls), KILLS):
            self.tried += 1
            self._restore(self._template)
            count = 0

            def judge(_: Call, at: int = at) -> int:
                nonlocal count
                count += 1
                if count < at:
                    return 0
                if count == at and self._child:
                    self._child.kill()
                return errno.EIO  # else the call might be done before the end

            code = self._command(judge)
            if code != -signal.SIGKILL:
                self.wrong.append(f"killed at call {at}: ended with {code}")
            if self._key() != self._at[at - 1]:
                self.wrong.append(f"killed at call {at}: other files than right before it")

    def _let_calls_fail(self) -> None:
        for at in _spread(len(self.calls), self._cases or len(self.calls)):
            call = self.calls[at - 1]
            name = f"{call.name} {os.path.relpath(call.path, self._project)}"
            kinds = (("full from", full_from(at)), ("I/O error at", fails_at(at)))
            for kind, judge in kinds if not self._cases else kinds[at % 2 :][:1]:
                self.tried += 1
                self._restore(self._template)
                code = self._command(judge)
                case = f"{kind} call {at}, {RANDOM.sub('.*', name)}"
                removing = kind != "full from" and call.name in ("unlink", "unlinkat", "rmdir")
                self._judge_end(case, code)
                self._judge_files(case, leftovers=removing)
                if self._cases != 1:
                    self._heal(case)

    def _judge_end(self, case: str, code: int) -> None:
        """A failure is one line; a success has left what an undisturbed run leaves."""
        said = self._err.read_text()
        if code == 0:
            ours = {
                path: digest
                for path, digest in state_of(self._project).items()
                if not TEMPORARY.match(path)
            }
            if differ := self._other_than_new(ours):
                self.wrong.append(f"{case}: exit code 0, and other files: {differ}")
            return
        # `make verify` names what it found before it mends it.
        lines = [line for line in said.splitlines() if not line.startswith("damaged: ")]
        if code != 1 or len(lines) != 1 or not lines[0].startswith("error: "):
            self.wrong.append(f"{case}: exit code {code}, {len(lines)} lines: {said[-600:]!r}")

    def _judge_files(self, case: str, leftovers: bool) -> None:
        """Every file is old, new or known to be whole; none has gone that the end would have."""
        ours = state_of(self._project)
        for path, digest in ours.items():
            if digest in (self.old.get(path), self.new.get(path)):
                continue
            if reader := self._reader(path):
                try:
                    reader(self._project / path)
                except Exception as error:
                    self.wrong.append(f"{case}: {path} is half: {error!r}")
            elif not TEMPORARY.match(path):
                self.wrong.append(f"{case}: {path} is neither old nor new")
            elif not leftovers:
                self.wrong.append(f"{case}: left over: {RANDOM.sub('.*', path)}")
        for path in self.old.keys() & self.new.keys() - ours.keys():
            self.wrong.append(f"{case}: {path} is gone")

    def _heal(self, case: str) -> None:
        """The same command again leaves what an undisturbed run leaves, and nothing else."""
        key = self._key()
        if key in self._healed:
            return
        self._healed.add(key)
        code = self._command(lambda _: 0)
        if code:
            self.wrong.append(f"{case}: then again: exit code {code}: {self._err.read_text()!r}")
        ours = state_of(self._project)
        if differ := self._other_than_new(ours):
            self.wrong.append(f"{case}: then again: other files: {differ}")

    def _key(self) -> Key:
        """Return the project's files: temporary ones without the random parts of their names.

        Contents count where they are the same each time.
        """
        return frozenset(
            (RANDOM.sub(".*", temporary[0]), "")
            if (temporary := TEMPORARY.match(path))
            else (path, "" if self._reader(path) else digest)
            for path, digest in state_of(self._project).items()
        )

    def _reader(self, path: str) -> Callable[[Path], object] | None:
        """Return what reads a file whose contents vary, None where they do not."""
        whole = self._scenario.whole
        return next((whole[pattern] for pattern in whole if fnmatch(path, pattern)), None)

    def _other_than_new(self, ours: State) -> list[str]:
        """Return the files that are not as an undisturbed run leaves them."""
        return sorted(
            path
            for path in self.new.keys() | ours.keys()
            if self.new.get(path) != ours.get(path)
            if not self._reader(path)
        )

    def _command(self, judge: Judge) -> int:
        """Run the command in the project's folder."""
        if self._child is None:
            folders = [self._project / folder for folder in self._scenario.watched]
            self._child = WatchedChild(self._in_child, folders)
        code = self._child.run(0, judge)
        self.runs += 1
        if code < 0:
            self._child = None
        elif not self._scenario.same_process:
            self._child.end()
            self._child = None
        return code

    def _in_child(self, _: int) -> int:
        os.chdir(self._project)  # it may be another folder of that name
        for stream, path in ((1, self._out), (2, self._err)):
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, stream)
            os.close(file)
        code = self._scenario.command()
        sys.stdout.flush()
        sys.stderr.flush()
        return code

    def _restore(self, source: Path) -> None:
        self._copy(source, self._project)

    def _copy(self, source: Path, target: Path) -> None:
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(source, target, symlinks=True)


def _files(folder: Path) -> Iterator[Path]:
    return (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def _spread(number: int, wanted: int) -> list[int]:
    """Return up to `wanted` of the numbers from 1 to `number`, evenly over all."""
    if wanted == 1:
        return [(number + 1) // 2]
    wanted = min(wanted, number)
    return sorted({1 + at * (number - 1) // max(wanted - 1, 1) for at in range(wanted)})


def main() -> None:
    """Run the campaign of the arguments."""
    _, name, folder, cases = sys.argv
    os.environ.pop("TF_CPP_MIN_LOG_LEVEL", None)  # with it, TensorFlow's notes would show
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # of a process that traces often
    campaign = Campaign(SCENARIOS[name](), Path(folder), int(cases))
    campaign.run()
    for line in campaign.wrong:
        print(line)
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds = round(sum(each.ru_utime + each.ru_stime for each in used), 1)
    numbers = {"calls": len(campaign.calls), "cases": campaign.tried, "processor_seconds": seconds}
    print(json.dumps(numbers | {"runs": campaign.runs}))
    sys.exit(bool(campaign.wrong))


if __name__ == "__main__":
    main()
