"""Questions to the log, which they never change."""
