"""Good recommendations from the first second, where data is sparse."""

__version__ = "0.1.0"
