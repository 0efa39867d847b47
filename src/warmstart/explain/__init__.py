"""Why an item is shown, or is not."""
