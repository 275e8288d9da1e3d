"""Recordings in ``.npz`` files: reading every layout, and writing."""
