"""Power spectral densities and energies of bands."""
