"""The text of the user's two files to typed entries, or problems; pure but for load.py."""
