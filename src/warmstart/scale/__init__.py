"""Work that is too much for one machine, on engines that exist: Spark."""
