"""This holds the run of an Apache Beam pipeline by the runner that Beam's own options name."""

import contextlib
from collections.abc import Iterator, Sequence

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions

from tfptx.scans.plain_text import plain


@contextlib.contextmanager
def running(options: Sequence[str]) -> Iterator[beam.Pipeline]:
    """Yield a pipeline, which runs to its end when the block ends.

    Raises ValueError, in the words of the runner, where a worker has failed.
    """
    try:
        with beam.Pipeline(options=PipelineOptions(list(options))) as pipeline:
            yield pipeline
    except RuntimeError as error:
        raise ValueError(f"the pipeline has failed: {plain(str(error))}") from error
