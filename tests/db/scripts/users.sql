-- Two users; the second has no posts.
INSERT INTO users (id, name) VALUES (1, 'ann');
INSERT INTO users (id, name) VALUES (2, 'bob; "the builder"');
