"""The version of skbci."""

__version__ = "0.1.0"
