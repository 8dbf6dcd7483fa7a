"""An example of every command, which its ``--help`` ends with: the words behind ``serverdomain``.

They speak of the server ``web`` in the log ``cloud.db``. A test parses each of them.
"""

from __future__ import annotations

_IMAGE = "70a599e0-31e7-49b7-b260-868f441e862b"

EXAMPLES: dict[str, str] = {
    "register": "--from server.json --store cloud.db",
    "create": f"--name web --image {_IMAGE} --flavor 1 --store cloud.db",
    "built": "web --store cloud.db",
    "delete": "web --store cloud.db",
    "rebuild": f"web --image {_IMAGE} --metadata release=2 --store cloud.db",
    "progress": "web 50 --store cloud.db",
    "complete": "web --store cloud.db",
    "fail": "web --reason 'the disk is full' --store cloud.db",
    "rename": "web web-2 --store cloud.db",
    "metadata": "web release=2 --store cloud.db",
    "lock": "web --store cloud.db",
    "unlock": "web --store cloud.db",
    "stop": "web --at 2025-03-01T12:00:00Z --store cloud.db",
    "start": "web --request-id req-42 --store cloud.db",
    "reset-state": "web active --role admin --store cloud.db",
    "show": "web --as-of 2025-03-01 --store cloud.db",
    "list": "--status ERROR --long --store cloud.db",
    "history": "web --event ImageChanged --store cloud.db",
    "diff": "web yesterday now --store cloud.db",
    "what-if": "web --drop req-42 --store cloud.db",
    "wait": "web --status ACTIVE --timeout 60 --store cloud.db",
    "report rebuilds": "--store cloud.db",
    "report images": "--store cloud.db",
    "report metadata": "--limit 10 --store cloud.db",
    "view replay": "--store cloud.db",
    "view status": "--json --store cloud.db",
    "reactions list": "--store cloud.db",
    "reactions resume": "billing --store cloud.db",
    "reactions skip": "billing --store cloud.db",
    "serve": "--store cloud.db --port 8774",
    "env": "--clouds-yaml",
    "store init": "postgresql://user@host/database",
    "store copy": "cloud.db 'postgresql://user@host/database?schema=cloud'",
    "check": "--store cloud.db",
    "backup": "monday.backup --store cloud.db",
    "import log": "cloud.jsonl --store copy.db",
    "import nova": "notifications.jsonl.gz --rejects rejects.jsonl --store cloud.db",
    "import actions": "actions.json --store cloud.db",
    "import cadf": "audit.jsonl --store cloud.db",
    "follow nova": "amqp://user:password@127.0.0.1:5672/ --store cloud.db",
    "export": "cloud.jsonl --store cloud.db",
    "digest": "--store cloud.db",
    "ledger checkpoint": "--key ledger.key --out monday --store cloud.db",
    "ledger verify": "--checkpoint monday --key ledger.key.pub --store cloud.db",
    "ledger prove": "request:req-42 --checkpoint monday --store cloud.db",
    "ledger consistency": "monday tuesday --store cloud.db",
    "ledger check-proof": "one.tlog-proof --key ledger.key.pub",
    "demo": "--full",
    "generate": "--servers 40 --store cloud.db",
}
"""By the words of each command, what stands behind them."""
