"""The log turned into rows."""
