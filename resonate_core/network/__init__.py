"""The network port and its adapters: embedded server, HTTP, connectors."""
