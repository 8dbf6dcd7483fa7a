"""The endpoint measured over HTTP, beside what answers the same bytes and does nothing else."""
