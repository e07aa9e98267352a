"""Run every measure on every anchor, in parallel threads where tables are large."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from joblib import Parallel, cpu_count, delayed
from threadpoolctl import threadpool_limits

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.measure import Measure
from paracosm.eval.measuring.metric import Anchor, Estimate
from paracosm.eval.results.finished_measures import MeasureStore, Nowhere
from paracosm.foundation.progress import Progress, Step, silent

LARGE = 5000
"""Rows below which threads cost more than they save."""
MOST_WORKERS = 4
"""Each worker holds its own blocks of distances, so that memory grows with their number."""

AnchorEstimates = dict[Anchor, dict[str, Estimate]]


@dataclass(frozen=True)
class MeasureJob:
    """One measure on one candidate, with the context that it is measured in."""

    measure: Measure
    anchor: Anchor
    context: Context
    candidate: Any

    def result(self, shared: Context) -> dict[str, Estimate]:
        """Return the estimates of the measure; those of an anchor are shared by all sets of synthetic records."""
        if self.anchor == "synthetic":
            return self.measure.function(self.context, self.candidate)
        rows = len(self.candidate) if isinstance(self.candidate, pd.DataFrame) else self.candidate
        key = f"{self.measure.metrics[0].name} of {self.anchor} {rows} {shared.size}"
        return shared.once(key, lambda: self.measure.function(self.context, self.candidate))


def run_measures(
    context: Context,
    synthetic: pd.DataFrame,
    measures: Sequence[Measure],
    progress: Progress = silent,
    store: MeasureStore | None = None,
) -> list[AnchorEstimates]:
    """Return the estimates of each measure on the synthetic records and on its anchors.

    Results depend neither on the order nor on the number of workers: jobs share only what `context.once` keeps, each has
    its own random stream, and the threads of each are limited to its share of the cores. Measures that use every core
    themselves run last, one after the other. The first error ends the measurement. What `store` has is not measured again.
    """
    store = store or Nowhere()
    jobs = [
        [
            MeasureJob(measure, anchor, *pair)
            for anchor, pair in measure.candidates(context, synthetic).items()
        ]
        for measure in measures
    ]
    everything = [job for group in jobs for job in group]
    large = max(len(context.train), len(synthetic)) >= LARGE
    workers = min(MOST_WORKERS, cpu_count()) if large else 1
    threads = max(1, cpu_count() // workers) if large else 1
    estimates: dict[int, dict[str, Estimate]] = {}
    for job in everything:
        if (kept := store.read(job.measure, job.anchor)) is not None:
            estimates[id(job)] = kept
    if estimates:
        progress(f"{len(estimates)} of {len(everything)} measurements are kept from before")
    left = [job for job in everything if id(job) not in estimates]
    for job, result in _results(left, context, workers, threads, None if large else 1):
        store.write(job.measure, job.anchor, result)
        estimates[id(job)] = result
        detail = f"last: {job.measure.metrics[0].name} ({job.anchor})"
        progress(Step("measuring", len(estimates), len(everything), unit="measurements", detail=detail))
    return [{job.anchor: estimates[id(job)] for job in group} for group in jobs]


def _results(
    jobs: Sequence[MeasureJob], context: Context, workers: int, threads: int, alone: int | None
) -> Iterator[tuple[MeasureJob, dict[str, Estimate]]]:
    """Yield each job with its result as soon as it ends.

    Args:
        jobs: to run.
        context: shared by all of them.
        workers: jobs that run at once.
        threads: of each of them.
        alone: threads of a job that runs alone; None for all cores.
    """

    def run(job: MeasureJob, limit: int | None) -> tuple[MeasureJob, dict[str, Estimate]]:
        # OpenMP keeps its limit per thread, so that every job sets it in its own.
        with threadpool_limits(limit):
            return job, job.result(context)

    pool = Parallel(workers, prefer="threads", return_as="generator_unordered")
    with threadpool_limits(threads):
        results: Any = pool(delayed(run)(job, threads) for job in jobs if not job.measure.own_threads)
        yield from results
    for job in jobs:
        if job.measure.own_threads:
            yield run(job, alone)
