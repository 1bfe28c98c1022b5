CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    owner TEXT NOT NULL UNIQUE,
    cents INTEGER NOT NULL CHECK (cents >= 0)
);
