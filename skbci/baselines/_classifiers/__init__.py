"""Classifiers that no other package has."""
