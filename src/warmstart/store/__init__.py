"""Where items, users, events, answers and models live: SQLite by default, PostgreSQL by URL."""
