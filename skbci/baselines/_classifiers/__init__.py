"""Classifiers of the articles that no other package has."""
