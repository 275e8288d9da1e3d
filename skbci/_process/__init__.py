"""What belongs to the whole process: warnings, MNE's log, threads, files that are replaced."""
