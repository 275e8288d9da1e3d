"""Recordings that MNE reads."""
