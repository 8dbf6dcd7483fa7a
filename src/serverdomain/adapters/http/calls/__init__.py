"""The way of a call: from the bytes of a request to its answer."""
