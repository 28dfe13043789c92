"""Work that outlives a request: leased from the database, done once."""
