"""Runs a training command and measures it from outside, the same way whatever it is written in.

The command logs a JSON line with "step" and "loss" per optimizer step. CPU time is the process's own
(all its threads, also a JVM's compiler and collector), read from /proc when a step's line appears;
peak memory is the largest resident set of the whole process, start-up and last save included.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import time

POLL_SECONDS = 0.01
TICKS = os.sysconf("SC_CLK_TCK")


@dataclasses.dataclass(frozen=True)
class Step:
    line: dict
    cpu_seconds: float
    wall_seconds: float


@dataclasses.dataclass(frozen=True)
class Run:
    steps: list
    peak_bytes: int
    resident_bytes: int  # when the first step was logged

    def between(self, first, last):
        """CPU and wall seconds from the end of step first to the end of step last, counted from 1."""
        start, end = self.steps[first - 1], self.steps[last - 1]
        return end.cpu_seconds - start.cpu_seconds, end.wall_seconds - start.wall_seconds


def cpu_seconds(pid):
    """User and system time of all threads, to 1/TICKS s."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_bytes(pid):
    return int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def step_lines(text):
    """The step lines among the complete lines of a log, which also holds evaluations."""
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            entry = json.loads(line)
            if "step" in entry and entry.get("loss") is not None:
                yield entry


def run(command, log, output, environment):
    """Runs command, whose step lines appear in the file log, with its own output in the file output."""
    log.unlink(missing_ok=True)
    steps, resident = [], 0
    with output.open("wb") as sink:
        process = subprocess.Popen(command, stdout=sink, stderr=subprocess.STDOUT, env={**os.environ, **environment})
        start = time.perf_counter()
        while True:
            # Before reading the log: what a process wrote before it ended is then read after its end.
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if not ended and log.exists():
                lines = list(step_lines(log.read_text(encoding="utf-8")))
                for line in lines[len(steps) :]:
                    resident = resident or resident_bytes(process.pid)
                    steps.append(Step(line, cpu_seconds(process.pid), time.perf_counter() - start))
            if ended:
                break
            time.sleep(POLL_SECONDS)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command[0]} ended with {process.returncode}; its output is in {output}")
    return Run(steps, usage.ru_maxrss * 1024, resident)
