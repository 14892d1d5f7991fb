"""What an image is and is called: digest, reference, manifest; pure."""
