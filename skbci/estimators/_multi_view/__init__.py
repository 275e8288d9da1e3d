"""A network of several views of a row."""
