"""The composition root: HTTP, pages, settings and the command line. Nobody imports it."""
