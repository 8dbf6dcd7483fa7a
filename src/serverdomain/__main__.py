"""``python -m serverdomain``: the command."""

from serverdomain.adapters.cli import main

main()
