"""What a server is and what may happen to it: pure, without I/O, framework or clock."""
