"""The append-only log, and the only home of `eventsourcing`."""
