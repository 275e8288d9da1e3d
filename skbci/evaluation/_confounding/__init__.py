"""The confound report: sources of the labels besides the claimed signal."""
