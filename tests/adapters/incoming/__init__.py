"""What comes in from a cloud."""
