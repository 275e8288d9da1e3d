"""Parts of the time axis, and means over them."""
