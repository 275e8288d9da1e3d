"""Settings of the whole process: warnings, MNE's log, threads of linear algebra."""
