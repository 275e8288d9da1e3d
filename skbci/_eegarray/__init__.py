"""The parts of `EEGArray`: indexing, moves of rows, the exchange with MNE, other packages."""
