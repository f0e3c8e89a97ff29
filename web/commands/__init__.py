"""One module for each subcommand of ``tongke``: ``add_parser`` describes it, ``run`` does it."""
