CREATE TABLE booking (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    guest text NOT NULL,
    begins timestamptz NOT NULL,
    day date NOT NULL
);
