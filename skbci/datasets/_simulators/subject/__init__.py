"""One simulated subject: sources, head, noise, electrodes."""
