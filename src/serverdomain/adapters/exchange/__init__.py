"""The log in forms that others read, and back."""
