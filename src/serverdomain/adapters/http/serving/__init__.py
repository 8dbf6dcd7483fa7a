"""The app on a port: uvicorn, its protocol, and the callers that a file of tokens names."""
