CREATE TABLE visit (
    page text PRIMARY KEY,
    visits bigint NOT NULL
);
