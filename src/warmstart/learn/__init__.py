"""Language models that learn: the words of a catalogue, then what people do with it."""
