"""The ``serverdomain`` command."""


def main() -> None:
    """Run the command."""
    raise SystemExit("not yet")
