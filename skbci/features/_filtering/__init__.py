"""Band-pass filters."""
