"""Layers while a network is trained."""
