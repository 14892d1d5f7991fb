"""The development registry: the OCI distribution API v1.1 in this process, on loopback."""
