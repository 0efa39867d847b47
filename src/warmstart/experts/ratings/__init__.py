"""Models that predict the number a person gives an item, from the history and the item."""
