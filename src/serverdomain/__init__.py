"""serverdomain."""
