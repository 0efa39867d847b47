"""Models that map histories to scores."""
