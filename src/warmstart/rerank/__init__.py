"""Lists made from rankings: their order answers to more than the score of each item."""
