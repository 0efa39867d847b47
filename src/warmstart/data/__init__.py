"""Tables, ids, events and tasks."""
