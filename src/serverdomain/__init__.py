"""A server's life as an append-only list of facts, and everything else made from it."""
