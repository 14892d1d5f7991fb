"""Who we are to registries: credentials files, the user's own docker configuration, matching."""
