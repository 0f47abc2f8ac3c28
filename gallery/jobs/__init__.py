"""Long work, each job a generator of events."""
