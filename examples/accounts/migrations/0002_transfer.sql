CREATE TABLE transfer (
    id INTEGER PRIMARY KEY,
    payer INTEGER NOT NULL REFERENCES account (id),
    payee INTEGER NOT NULL REFERENCES account (id),
    cents INTEGER NOT NULL CHECK (cents > 0)
);
