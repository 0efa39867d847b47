"""Measured answers."""
