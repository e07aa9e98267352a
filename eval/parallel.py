"""Every measure on every candidate, side by side on the processor's cores where tables are large."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any

import pandas as pd
from joblib import cpu_count
from threadpoolctl import threadpool_limits

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.measure import Measure
from paracosm.eval.measuring.metric import Anchor, Estimate
from paracosm.foundation.progress import Progress, silent

LARGE = 5000
"""Rows below which threads cost more than they save."""
MOST_WORKERS = 4
"""Each holds blocks of distances of its own, so that memory grows with their number."""
SECONDS_A_LINE = 20.0

Found = dict[Anchor, dict[str, Estimate]]


@dataclass(frozen=True)
class MeasureJob:
    """One measure on one candidate, in the context that it is measured in."""

    measure: Measure
    anchor: Anchor
    context: Context
    candidate: Any

    def result(self, shared: Context) -> dict[str, Estimate]:
        """Return what the measure says of the candidate; of an anchor only once for all sets of synthetic records."""
        if self.anchor == "synthetic":
            return self.measure.function(self.context, self.candidate)
        rows = len(self.candidate) if isinstance(self.candidate, pd.DataFrame) else self.candidate
        key = f"{self.measure.metrics[0].name} of {self.anchor} {rows} {shared.size}"
        return shared.once(key, lambda: self.measure.function(self.context, self.candidate))


def measured(
    context: Context, synthetic: pd.DataFrame, measures: Sequence[Measure], progress: Progress = silent
) -> list[Found]:
    """Return what each measure says of the synthetic records and of its anchors.

    Jobs share what `context.once` keeps, each draws from a random stream of its own, and a core that works on a job
    leaves the others' alone: neither order nor number of workers changes a figure. Measures that use every core
    themselves come last, one after the other.
    """
    jobs = [
        [MeasureJob(each, anchor, *pair) for anchor, pair in each.candidates(context, synthetic).items()]
        for each in measures
    ]
    large = max(len(context.train), len(synthetic)) >= LARGE
    workers = min(MOST_WORKERS, cpu_count()) if large else 1
    lines = _ProgressLines(sum(map(len, jobs)), progress)
    found: dict[int, dict[str, Estimate]] = {}

    def work(job: MeasureJob) -> dict[str, Estimate]:
        result = job.result(context)
        lines.step(job)
        return result

    together = [job for several in jobs for job in several if not job.measure.own_threads]
    threads = max(1, cpu_count() // workers) if large else 1
    # OpenMP keeps its limit per thread, so that every worker sets its own.
    pool = ThreadPoolExecutor(workers, initializer=threadpool_limits, initargs=(threads,))
    with threadpool_limits(threads), pool:
        futures = {pool.submit(work, job): id(job) for job in together}
        try:
            for future in as_completed(futures):
                found[futures[future]] = future.result()
        finally:
            # After a fault or an interruption nothing more is started.
            for future in futures:
                future.cancel()
    for job in (job for several in jobs for job in several if job.measure.own_threads):
        with threadpool_limits(None if large else 1):
            found[id(job)] = work(job)
    return [{job.anchor: found[id(job)] for job in several} for several in jobs]


class _ProgressLines:
    """Says how far it is, at most every twenty seconds."""

    def __init__(self, jobs: int, progress: Progress) -> None:
        self.jobs, self.progress = jobs, progress
        self.done, self.said, self.lock = 0, time.monotonic(), threading.Lock()

    def step(self, job: MeasureJob) -> None:
        """Count a job that has ended."""
        with self.lock:
            self.done += 1
            if time.monotonic() - self.said >= SECONDS_A_LINE:
                self.said = time.monotonic()
                self.progress(
                    f"{self.done} of {self.jobs} measurements · last: {job.measure.metrics[0].name} ({job.anchor})"
                )
