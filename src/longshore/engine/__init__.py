"""The container engine as a port, and its adapters."""
