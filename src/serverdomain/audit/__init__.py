"""Read-only questions to the log."""
