"""Classifiers around classifiers: cascades, evidence, online learning, augmentation, ensembles."""
