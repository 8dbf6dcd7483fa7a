"""What comes in: a cloud's own messages, read and taken into the log as facts."""
