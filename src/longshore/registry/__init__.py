"""An async client (and a development server) for the OCI distribution API."""
