"""A domain layer whose state is kept as a sequence of events."""
