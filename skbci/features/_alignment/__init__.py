"""Transformers that whiten or scale each subject or session."""
