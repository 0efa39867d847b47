"""Whom to trust, and when."""
