"""The database: its tables, opening and migrating it, reading, writing, archives."""
