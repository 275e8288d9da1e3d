"""Ranges of settings, and their translations for each search engine."""
