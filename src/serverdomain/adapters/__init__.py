"""The ways in and out; nobody imports these."""
