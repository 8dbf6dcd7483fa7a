"""What answers: the table of routes, and what each of them does."""
