"""Fully connected networks with a gradient written out by hand."""
