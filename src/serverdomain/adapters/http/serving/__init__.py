"""The app on a port: uvicorn, its protocol, and a file of tokens."""
